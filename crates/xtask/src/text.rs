//! What tracked text must not contain, and which files have grown long.

use crate::Findings;
use crate::workspace::TextFile;

/// First segments of paths that exist on somebody's machine only.
const MACHINE_ROOTS: &[&str] = &["Users", "builds", "home", "mnt", "root", "work", "workspace"];

/// Hosts that the project's text may name.
const HOSTS: &[&str] = &[
    "crates.io",
    "docs.rs",
    "eprint.iacr.org",
    "github.com",
    "index.crates.io",
    "keepachangelog.com",
    "semver.org",
    "www.apache.org",
    "www.rfc-editor.org",
    "example.com",
    "example.org",
];

/// A file of Rust with more lines is asked whether it is still one thing.
const LONG_FILE: usize = 500;

pub fn places(files: &[TextFile]) -> Findings {
    let mut findings = Findings::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            let here = || format!("{}:{}", file.path, number + 1);
            if let Some(path) = machine_path(line) {
                findings.push(format!("{} names the path {path} of one machine", here()));
            }
            if let Some(host) = foreign_host(line) {
                findings.push(format!("{} names the host {host}, which is not on the list", here()));
            }
        }
    }
    findings
}

fn machine_path(line: &str) -> Option<String> {
    MACHINE_ROOTS.iter().map(|root| format!("/{root}/")).find(|path| {
        line.match_indices(path.as_str()).any(|(at, _)| {
            // A path inside the project or a URL goes on from something.
            !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-~*/}".contains(c))
        })
    })
}

fn foreign_host(line: &str) -> Option<&str> {
    line.match_indices("://").map(|(at, mark)| &line[at + mark.len()..]).find_map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'));
        let host = &rest[..end.unwrap_or(rest.len())];
        (host.contains('.') && !host.starts_with("127.") && !HOSTS.contains(&host)).then_some(host)
    })
}

/// A report, not a verdict.
pub fn long_files(files: &[TextFile]) -> Vec<String> {
    let rust = files.iter().filter(|file| file.path.ends_with(".rs"));
    let mut long: Vec<(usize, &str)> = rust
        .map(|file| (file.text.lines().count(), file.path.as_str()))
        .filter(|file| file.0 > LONG_FILE)
        .collect();
    long.sort_unstable_by(|a, b| b.cmp(a));
    long.iter().map(|(lines, path)| format!("{path} has {lines} lines: is it still one thing?")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Findings {
        places(&[TextFile { path: "a.md".into(), text: text.into() }])
    }

    #[test]
    fn machine_paths_are_found_and_project_paths_are_not() {
        let path = ["", "home", "ann", "junto"].join("/");
        assert_eq!(one(&format!("fine\nsee {path}")).len(), 1);
        assert_eq!(one(&format!("\"{path}\"")).len(), 1);
        for fine in [
            "crates/work/src".to_owned(),
            "/srv/bank/data".to_owned(),
            "https://github.com/home/x".to_owned(),
            "$DIR/root/x".replace("$DIR", "./"),
        ] {
            assert!(one(&fine).is_empty(), "{fine}");
        }
    }

    #[test]
    fn foreign_hosts_are_found() {
        let host = ["mirror", "internal", "net"].join(".");
        assert_eq!(one(&format!("sparse+https://{host}/index/")).len(), 1);
        for fine in ["https://eprint.iacr.org/2018/403", "tls://127.0.0.1:9000", "s3://bucket/key", "a://b"] {
            assert!(one(fine).is_empty(), "{fine}");
        }
    }

    #[test]
    fn long_files_are_reported_longest_first() {
        let file = |path: &str, lines| TextFile { path: path.into(), text: "x\n".repeat(lines) };
        let report =
            long_files(&[file("a.rs", 501), file("b.rs", 500), file("c.rs", 900), file("d.md", 900)]);
        assert_eq!(report.len(), 2);
        assert!(report[0].starts_with("c.rs has 900"));
    }
}
