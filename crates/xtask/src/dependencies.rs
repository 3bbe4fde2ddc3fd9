//! What may enter from outside: licences, sources, versions.

use std::collections::{BTreeMap, BTreeSet};

use crate::Findings;
use crate::metadata::Metadata;

/// Licences under which everything that is linked may be passed on with Junto.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// The two names of the one registry.
const SOURCES: &[&str] =
    &["registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/"];

/// Families of which two versions would not fit together, or would double minutes of compiling.
const ONE_VERSION: &[&str] = &["arrow", "datafusion", "object_store", "parquet", "rustls"];

/// Crates that must not come in, and why.
const BANNED: &[(&str, &str)] = &[
    ("aws-lc-rs", "ring is the one cryptographic backend of TLS"),
    ("aws-lc-sys", "ring is the one cryptographic backend of TLS"),
    ("native-tls", "TLS is rustls everywhere"),
    ("openssl", "TLS is rustls everywhere"),
    ("openssl-sys", "TLS is rustls everywhere"),
];

pub fn check(metadata: &Metadata) -> Findings {
    let mut findings = Findings::new();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (id, package) in &metadata.packages {
        let name = format!("{} {}", package.name, package.version);
        match &package.license {
            None => findings.push(format!("{name} states no licence")),
            Some(license) if !is_allowed(license) => {
                findings.push(format!("{name} has the licence `{license}`, which is not on the list"));
            }
            Some(_) => {}
        }
        match &package.source {
            None if !metadata.members.contains(id) => findings.push(format!("{name} comes from a path")),
            Some(source) if !SOURCES.contains(&source.as_str()) => {
                findings.push(format!("{name} comes from {source}, not from the registry"));
            }
            _ => {}
        }
        if let Some((_, why)) = BANNED.iter().find(|(banned, _)| *banned == package.name) {
            findings.push(format!("{name} must not come in: {why}"));
        }
        versions.entry(&package.name).or_default().insert(&package.version);
    }
    for family in ONE_VERSION {
        if let Some(found) = versions.get(family).filter(|found| found.len() > 1) {
            let found: Vec<&str> = found.iter().copied().collect();
            findings.push(format!("{family} comes in {} versions: {}", found.len(), found.join(", ")));
        }
    }
    findings
}

/// Whether a licence expression can be met with the list alone. `/` is an old way to write OR.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let allowed = any_of(&words, &mut at);
    allowed == Some(true) && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize) -> Option<bool> {
    let mut allowed = all_of(words, at)?;
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        allowed |= all_of(words, at)?;
    }
    Some(allowed)
}

fn all_of(words: &[&str], at: &mut usize) -> Option<bool> {
    let mut allowed = one(words, at)?;
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        allowed &= one(words, at)?;
    }
    Some(allowed)
}

fn one(words: &[&str], at: &mut usize) -> Option<bool> {
    let word = *words.get(*at)?;
    *at += 1;
    if word == "(" {
        let allowed = any_of(words, at)?;
        let is_closed = words.get(*at) == Some(&")");
        *at += 1;
        return is_closed.then_some(allowed);
    }
    let mut name = word.to_owned();
    if words.get(*at) == Some(&"WITH") {
        name = format!("{word} WITH {}", words.get(*at + 1)?);
        *at += 2;
    }
    Some(LICENCES.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::tests::graph;

    #[test]
    fn licence_expressions_are_read_with_their_brackets() {
        let good = [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "CC0-1.0 OR Apache-2.0 WITH LLVM-exception",
        ];
        let bad = [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "(MIT",
            "MIT OR",
            "",
            "Apache-2.0 WITH Other-exception",
            "MIT MIT",
        ];
        for expression in good {
            assert!(is_allowed(expression), "{expression}");
        }
        for expression in bad {
            assert!(!is_allowed(expression), "{expression}");
        }
    }

    #[test]
    fn foreign_sources_licences_and_banned_crates_are_found() {
        let registry = SOURCES[0];
        let good = graph(&["plan"], &[("arrow", registry, "Apache-2.0")], &[]);
        assert!(check(&good).is_empty());
        let foreign = [
            ("fork", "git+https://example.com/fork", "MIT"),
            ("openssl", registry, "Apache-2.0"),
            ("viral", registry, "GPL-3.0"),
        ];
        let findings = check(&graph(&["plan"], &foreign, &[]));
        assert_eq!(findings.len(), 3, "{findings:?}");
        assert!(findings[0].contains("not from the registry"));
        assert!(findings[1].contains("must not come in"));
        assert!(findings[2].contains("not on the list"));
    }

    #[test]
    fn two_versions_of_a_family_are_found() {
        let mut metadata = graph(&[], &[("arrow", SOURCES[0], "MIT")], &[]);
        let mut second = metadata.packages["arrow"].clone();
        second.version = "2.0.0".into();
        metadata.packages.insert("arrow 2".into(), second);
        assert_eq!(check(&metadata), ["arrow comes in 2 versions: 1.0.0, 2.0.0"]);
    }
}
