//! Parts of documents that are written from the code, and compared with a fresh copy.

use std::path::Path;

use crate::Findings;
use crate::arrows::HOUSE;
use crate::workspace::{TextFile, Workspace};

/// A part of a document between two marks.
struct Part {
    document: &'static str,
    name: &'static str,
    make: fn(&[TextFile]) -> Result<String, String>,
}

const PARTS: &[Part] = &[Part { document: "ARCHITECTURE.md", name: "crates", make: crates }];

/// Compares every part with what the code says now.
pub fn check(files: &[TextFile]) -> Findings {
    let stale = |part: &Part| {
        let document = files.iter().find(|file| file.path == part.document);
        let document = document.ok_or_else(|| format!("{} is missing", part.document))?;
        let fresh = renewed(&document.text, part, files)?;
        if fresh == document.text {
            return Ok(());
        }
        Err(format!("{}: the part `{}` is stale; `cargo xtask generate` writes it", part.document, part.name))
    };
    PARTS.iter().filter_map(|part| stale(part).err()).collect()
}

/// Writes every part anew.
pub fn write(workspace: &Workspace) -> Result<(), String> {
    for part in PARTS {
        let path = workspace.root.join(part.document);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", part.document))?;
        let fresh = renewed(&text, part, &workspace.files)?;
        if fresh != text {
            std::fs::write(Path::new(&path), fresh).map_err(|error| format!("{}: {error}", part.document))?;
            println!("wrote `{}` in {}", part.name, part.document);
        }
    }
    Ok(())
}

/// The document with its part made anew.
fn renewed(text: &str, part: &Part, files: &[TextFile]) -> Result<String, String> {
    let (start, end) = (format!("<!-- generated: {} -->\n", part.name), "<!-- end of generated -->");
    let missing = || format!("{} lacks the marks of its part `{}`", part.document, part.name);
    let (before, rest) = text.split_once(&start).ok_or_else(missing)?;
    let (_, after) = rest.split_once(end).ok_or_else(missing)?;
    Ok(format!("{before}{start}{}{end}{after}", (part.make)(files)?))
}

/// The table of crates, from the first two paragraphs of each and the table of arrows.
fn crates(files: &[TextFile]) -> Result<String, String> {
    let mut out = String::from("| crate | its one sentence | never knows | may use |\n|---|---|---|---|\n");
    for room in HOUSE {
        let name = room.name;
        let root = ["lib", "main"].map(|root| format!("crates/{name}/src/{root}.rs"));
        let root = files.iter().find(|file| root.contains(&file.path));
        let root = root.ok_or_else(|| format!("crate {name} has no lib.rs or main.rs"))?;
        let (sentence, unknown) = opening(&root.text).ok_or_else(|| {
            format!("{} does not open with its sentence and what it never knows", root.path)
        })?;
        let uses: Vec<String> = room.uses.iter().map(|used| format!("`{used}`")).collect();
        let uses = if uses.is_empty() { "–".to_owned() } else { uses.join(", ") };
        out.push_str(&format!("| `{name}` | {sentence} | {unknown} | {uses} |\n"));
    }
    Ok(out)
}

/// The first paragraph of a crate's documentation, and what the second says it never knows.
fn opening(text: &str) -> Option<(String, String)> {
    let comment: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let mut paragraphs = comment.split(|line| line.is_empty()).map(|lines| lines.join(" "));
    let sentence = paragraphs.next().filter(|sentence| !sentence.is_empty())?;
    let second = paragraphs.next()?;
    let (_, unknown) = second.split_once("ever knows ")?;
    let unknown = unknown.split([':', '.', ';']).next()?.trim();
    // A link of the documentation leads nowhere in a table.
    let sentence = sentence.trim_end_matches('.').replace("[`", "`").replace("`]", "`");
    Some((sentence, unknown.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(sentence: &str, document: &str) -> Vec<TextFile> {
        let file = |path: String, text: String| TextFile { path, text };
        let crates = HOUSE.iter().map(|room| {
            file(
                format!("crates/{}/src/lib.rs", room.name),
                format!("//! {sentence}\n//!\n//! Never knows SQL.\n"),
            )
        });
        crates.chain([file("ARCHITECTURE.md".into(), document.into())]).collect()
    }

    #[test]
    fn a_stale_part_is_found_and_a_fresh_one_passes() {
        let marks = "before\n<!-- generated: crates -->\nold\n<!-- end of generated -->\nafter\n";
        let project = files("Does one thing.", marks);
        assert!(check(&project)[0].contains("is stale"));
        let fresh = renewed(marks, &PARTS[0], &project).unwrap();
        assert!(fresh.starts_with("before\n") && fresh.ends_with("after\n") && !fresh.contains("old"));
        assert!(fresh.contains("| `math` | Does one thing | SQL | `buf` |"));
        assert!(check(&files("Does one thing.", &fresh)).is_empty());
        assert_eq!(check(&files("Does another.", &fresh)).len(), 1);
    }

    #[test]
    fn missing_marks_and_sentences_are_found() {
        assert!(check(&files("Does.", "no marks"))[0].contains("lacks the marks"));
        let marks = "<!-- generated: crates -->\n<!-- end of generated -->";
        assert!(check(&files("", marks))[0].contains("does not open with its sentence"));
    }

    #[test]
    fn an_opening_may_run_over_lines() {
        let text =
            "//! Does one [`Thing`]\n//! well.\n//!\n//! This crate never knows a, b\n//! or c: because.\n";
        assert_eq!(opening(text), Some(("Does one `Thing` well".into(), "a, b or c".into())));
    }
}
