//! The root manifest is the one table of versions, and says what each dependency is for.

use std::collections::BTreeSet;

use crate::Findings;
use crate::workspace::TextFile;

pub fn check(files: &[TextFile]) -> Findings {
    let mut findings = Findings::new();
    let mut wanted = BTreeSet::new();
    let manifests =
        files.iter().filter(|file| file.path.starts_with("crates/") && file.path.ends_with("/Cargo.toml"));
    for manifest in manifests {
        let folder = manifest.path.trim_end_matches("Cargo.toml");
        for (section, line) in entries(&manifest.text) {
            if !section.ends_with("dependencies") {
                continue;
            }
            let name = key(line);
            wanted.insert(name.to_owned());
            if !line.contains("workspace = true") && !line.contains("path = \".\"") {
                findings
                    .push(format!("{}: `{name}` takes its version outside the root manifest", manifest.path));
            }
            if !is_mentioned(files, folder, name) {
                findings.push(format!("{}: `{name}` is used nowhere in the crate", manifest.path));
            }
        }
        if !manifest.text.contains("[lints]\nworkspace = true") {
            findings.push(format!("{}: the workspace's lints are not switched on", manifest.path));
        }
    }
    match files.iter().find(|file| file.path == "Cargo.toml") {
        Some(root) => findings.extend(root_table(&root.text, &wanted)),
        None => findings.push("Cargo.toml is missing".to_owned()),
    }
    findings
}

/// Each dependency of the root table has a comment, on its line or above it, and a user.
fn root_table(text: &str, wanted: &BTreeSet<String>) -> Findings {
    let mut findings = Findings::new();
    for (section, line) in entries(text) {
        if section != "workspace.dependencies" {
            continue;
        }
        let name = key(line);
        let is_own = line.contains("path = ");
        let above = text.lines().take_while(|other| *other != line).last().unwrap_or("");
        let comment = line.rsplit_once(" # ").map(|(_, comment)| comment);
        let comment = comment.or_else(|| above.strip_prefix("# "));
        if !is_own && comment.is_none_or(|comment| comment.trim().is_empty()) {
            findings.push(format!("Cargo.toml: `{name}` does not say what it is for"));
        }
        if !is_own && !wanted.contains(name) {
            findings.push(format!("Cargo.toml: no crate uses `{name}`"));
        }
    }
    findings
}

/// The lines `key = …` of a manifest, each with the name of its section.
fn entries(text: &str) -> Vec<(&str, &str)> {
    let mut section = "";
    let mut entries = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
        } else if !line.starts_with(['#', ' ']) && line.contains('=') {
            entries.push((section, line));
        }
    }
    entries
}

/// The name at the start of `name.workspace = true` or `name = …`.
fn key(line: &str) -> &str {
    line.split(['=', '.']).next().unwrap_or("").trim().trim_matches('"')
}

fn is_mentioned(files: &[TextFile], folder: &str, name: &str) -> bool {
    let word = name.replace('-', "_");
    let sources = files.iter().filter(|file| file.path.starts_with(folder) && file.path.ends_with(".rs"));
    sources.into_iter().any(|file| has_word(&file.text, &word))
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile { path: path.into(), text: text.into() }
    }

    fn project(root: &str, manifest: &str, source: &str) -> Findings {
        check(&[
            file("Cargo.toml", &format!("[workspace.dependencies]\n{root}")),
            file("crates/a/Cargo.toml", &format!("[lints]\nworkspace = true\n\n{manifest}")),
            file("crates/a/src/lib.rs", source),
        ])
    }

    #[test]
    fn a_table_in_order_passes() {
        let root = "a = { path = \"crates/a\" }\nserde-x = \"1\"   # documents\n# together\nfar = \"2\"\n";
        let manifest =
            "[dependencies]\nserde-x.workspace = true\n\n[dev-dependencies]\nfar.workspace = true\n";
        assert!(project(root, manifest, "use serde_x::A; fn f() { far::g() }").is_empty());
    }

    #[test]
    fn missing_comments_users_and_foreign_versions_are_found() {
        let findings =
            project("a1 = \"1\"\nb1 = \"1\" # what for\n", "[dependencies]\na1.workspace = true\n", "a1");
        assert_eq!(
            findings,
            ["Cargo.toml: `a1` does not say what it is for", "Cargo.toml: no crate uses `b1`"]
        );
        let findings = project("", "[dependencies]\na1 = \"1\"\n", "ba1()");
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[0].contains("outside the root manifest"));
        assert!(findings[1].contains("used nowhere"));
    }

    #[test]
    fn lints_are_not_forgotten() {
        let files = [file("Cargo.toml", ""), file("crates/a/Cargo.toml", "[package]\nname = \"a\"\n")];
        assert_eq!(check(&files), ["crates/a/Cargo.toml: the workspace's lints are not switched on"]);
    }
}
