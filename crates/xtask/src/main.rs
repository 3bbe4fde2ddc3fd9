//! The checks that keep the house as its documents describe it: `cargo xtask check`.
//!
//! Never knows what the crates compute: it reads their text, their manifests and
//! what the compiler says about them.

mod arrows;
mod builds;
mod dependencies;
mod generated;
mod labels;
mod manifests;
mod metadata;
mod references;
mod text;
mod tools;
mod workspace;

use std::process::ExitCode;
use std::time::Instant;

use workspace::Workspace;

/// What a check found wrong, one line each.
type Findings = Vec<String>;

/// A check and what it is called.
type Check = (&'static str, fn(&Workspace) -> Findings);

/// Checks that read files and `cargo metadata`: seconds.
const QUICK: &[Check] = &[
    ("no machine paths, no foreign hosts", |w| text::places(&w.files)),
    ("every path the documents name exists", |w| references::check(&w.files)),
    ("one purpose per label", |w| labels::check(&w.files)),
    ("generated text is fresh", |w| generated::check(&w.files)),
    ("manifests: comments, one table of versions", |w| manifests::check(&w.files)),
    ("crate arrows", |w| arrows::check(&w.metadata)),
    ("running and testing share one build", |w| builds::check(&w.root)),
    ("licences, sources, one version, banned crates", |w| dependencies::check(&w.metadata)),
];

/// Checks that run the compiler: minutes when nothing is built.
const SLOW: &[Check] = &[
    ("rustfmt", |w| tools::rustfmt(&w.root)),
    ("clippy, warnings are errors", |w| tools::clippy(&w.root)),
    ("rustdoc, warnings are errors", |w| tools::rustdoc(&w.root)),
];

const USAGE: &str = "cargo xtask check [--quick]   all checks, or only those that need no compiler
cargo xtask generate          writes the generated parts of documents";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["check"] => Workspace::read().map(|w| run(&w, &[QUICK, SLOW])),
        ["check", "--quick"] => Workspace::read().map(|w| run(&w, &[QUICK])),
        ["generate"] => Workspace::read().and_then(|w| generated::write(&w)).map(|()| true),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

/// Runs every check to its end, so that one run shows everything. True if all passed.
fn run(workspace: &Workspace, lists: &[&[Check]]) -> bool {
    let mut n_failed = 0;
    for (name, check) in lists.iter().copied().flatten() {
        let start = Instant::now();
        let findings = check(workspace);
        let word = if findings.is_empty() { "ok    " } else { "FAILED" };
        println!("{word} {name} ({:.1} s)", start.elapsed().as_secs_f64());
        for finding in &findings {
            println!("       {finding}");
        }
        n_failed += usize::from(!findings.is_empty());
    }
    for line in text::long_files(&workspace.files) {
        println!("note   {line}");
    }
    if n_failed > 0 {
        println!("{n_failed} checks failed");
    }
    n_failed == 0
}
