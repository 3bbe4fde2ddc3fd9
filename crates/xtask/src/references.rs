//! Every file that a document or a comment names is there.

use std::collections::BTreeSet;

use crate::Findings;
use crate::workspace::TextFile;

/// Folders whose files text may name, as `docs/wire.md` does.
const NAMED: &[&str] = &["docs/", "crates/", ".ci/"];

pub fn check(files: &[TextFile]) -> Findings {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut findings = Findings::new();
    for file in files.iter().filter(|file| !file.path.starts_with("crates/xtask/")) {
        let is_document = file.path.ends_with(".md");
        if !is_document && !file.path.ends_with(".rs") {
            continue;
        }
        for (number, line) in file.text.lines().enumerate() {
            let mut named: Vec<String> = mentions(line).map(str::to_owned).collect();
            if is_document {
                named.extend(links(line).map(|link| resolve(&file.path, link)));
            }
            named.retain(|path| !exists(&paths, path));
            named.dedup();
            findings.extend(named.iter().map(|path| format!("{}:{}: no file {path}", file.path, number + 1)));
        }
    }
    findings
}

fn exists(paths: &BTreeSet<&str>, path: &str) -> bool {
    let folder = format!("{}/", path.trim_end_matches('/'));
    paths.contains(path)
        || paths.range(folder.as_str()..).next().is_some_and(|next| next.starts_with(&folder))
}

/// Words such as `docs/wire.md`. Patterns and placeholders name no single file.
fn mentions(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split(|c: char| !(c.is_alphanumeric() || "/._-*…<>{}:".contains(c)));
    words.map(|word| word.trim_end_matches(['.', ':'])).filter(|word| {
        NAMED.iter().any(|folder| word.starts_with(folder))
            && !word.contains(['*', '…', '<', '{', ':'])
            && !word.ends_with('/')
    })
}

/// The targets of `[text](target)` that lie in the project.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#']).next())
        .filter(|target| !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:"))
}

/// A link in the document at `from`, as a path from the root.
fn resolve(from: &str, link: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Findings {
        let file = |path: &str, text: &str| TextFile { path: path.into(), text: text.into() };
        check(&[file(path, text), file("docs/wire.md", ""), file("crates/a/src/lib.rs", "")])
    }

    #[test]
    fn files_that_exist_pass() {
        for text in
            ["see `docs/wire.md`.", "[w](docs/wire.md#top)", "`crates/a`", "docs/*.md", "crates/<name>/x"]
        {
            assert!(findings("README.md", text).is_empty(), "{text}");
        }
        assert!(
            findings("docs/decisions/0001-a.md", "[w](../wire.md) [x](https://example.com/a)").is_empty()
        );
    }

    #[test]
    fn files_that_are_gone_are_found() {
        assert_eq!(findings("README.md", "\nsee docs/gone.md"), ["README.md:2: no file docs/gone.md"]);
        assert_eq!(findings("docs/x.md", "[w](gone.md)"), ["docs/x.md:1: no file docs/gone.md"]);
        assert_eq!(
            findings("crates/b/src/lib.rs", "//! `crates/gone`"),
            ["crates/b/src/lib.rs:1: no file crates/gone"]
        );
    }
}
