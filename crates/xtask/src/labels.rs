//! Domain separation: every key derivation has a label of its own, listed in SECURITY.md.

use std::collections::BTreeMap;

use crate::Findings;
use crate::workspace::TextFile;

const PREFIX: &str = "junto 2026 ";
const REGISTRY: &str = "SECURITY.md";

/// Functions whose first argument is a label.
const DERIVATIONS: &[&str] = &["blake3::derive_key(", "new_derive_key("];

pub fn check(files: &[TextFile]) -> Findings {
    let mut findings = Findings::new();
    let mut used: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let sources = files.iter().filter(|file| {
        file.path.starts_with("crates/")
            && file.path.ends_with(".rs")
            && !file.path.starts_with("crates/xtask/")
    });
    for file in sources {
        for (line, label) in labels(&file.text, '"') {
            used.entry(label).or_default().push(format!("{}:{line}", file.path));
        }
        findings.extend(unlabelled(file));
    }
    let Some(registry) = files.iter().find(|file| file.path == REGISTRY) else {
        findings.push(format!("{REGISTRY} is missing"));
        return findings;
    };
    let mut listed: BTreeMap<String, usize> = BTreeMap::new();
    for (_, label) in labels(&registry.text, '`') {
        *listed.entry(label).or_default() += 1;
    }
    for (label, places) in &used {
        if !is_well_formed(label) {
            findings.push(format!("{}: `{label}` does not end in a version such as ` v1`", places[0]));
        }
        if places.len() > 1 {
            findings.push(format!("`{label}` is used {} times: {}", places.len(), places.join(", ")));
        }
        match listed.get(label) {
            None => {
                findings.push(format!("{}: `{label}` is missing in the registry of {REGISTRY}", places[0]))
            }
            Some(1) => {}
            Some(n) => findings.push(format!("{REGISTRY} lists `{label}` {n} times")),
        }
    }
    for label in listed.keys().filter(|label| !used.contains_key(*label)) {
        findings.push(format!("{REGISTRY} lists `{label}`, which no code uses"));
    }
    findings
}

/// The labels between two `quote`s, each with its line.
fn labels(text: &str, quote: char) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut pieces = line.split(quote);
        // Before the first quote there is no label.
        pieces.next();
        found.extend(
            pieces.filter(|piece| piece.starts_with(PREFIX)).map(|piece| (number + 1, piece.to_owned())),
        );
    }
    found
}

/// Derivations whose label does not stand at the call, where a reader looks for it.
fn unlabelled(file: &TextFile) -> Findings {
    let mut findings = Findings::new();
    for name in DERIVATIONS {
        for (at, _) in file.text.match_indices(name) {
            let argument = file.text[at + name.len()..].trim_start();
            if !argument.starts_with(&format!("\"{PREFIX}")) {
                let line = file.text[..at].lines().count().max(1);
                findings.push(format!("{}:{line}: a derivation without its label", file.path));
            }
        }
    }
    findings
}

fn is_well_formed(label: &str) -> bool {
    let version = label.rsplit_once(" v").map(|(_, version)| version);
    version.is_some_and(|version| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(code: &str, registry: &str) -> Findings {
        let file = |path: &str, text: &str| TextFile { path: path.into(), text: text.into() };
        check(&[file("crates/a/src/lib.rs", code), file(REGISTRY, registry)])
    }

    #[test]
    fn a_label_used_and_listed_once_passes() {
        let code = "let key = blake3::derive_key(\n    \"junto 2026 step v1\",\n    seed);";
        assert!(findings(code, "| `junto 2026 step v1` | steps |").is_empty());
    }

    #[test]
    fn double_unlisted_unused_and_unversioned_labels_are_found() {
        let twice = "derive(\"junto 2026 a v1\"); derive(\"junto 2026 a v1\");";
        assert!(findings(twice, "`junto 2026 a v1`")[0].contains("is used 2 times"));
        assert!(findings("\"junto 2026 a v1\"", "")[0].contains("missing in the registry"));
        assert!(findings("", "`junto 2026 a v1`")[0].contains("no code uses"));
        assert!(
            findings("\"junto 2026 a v1\"", "`junto 2026 a v1` `junto 2026 a v1`")[0].contains("2 times")
        );
        assert!(findings("\"junto 2026 a\"", "`junto 2026 a`")[0].contains("version"));
    }

    #[test]
    fn a_derivation_with_a_hidden_label_is_found() {
        assert_eq!(findings("let k = blake3::derive_key(LABEL, seed);", "").len(), 1);
        assert_eq!(
            findings("\nHasher::new_derive_key(\"other v1\")", ""),
            ["crates/a/src/lib.rs:2: a derivation without its label"]
        );
    }
}
