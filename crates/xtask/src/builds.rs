//! The README's two commands share what they build: every foreign crate has the same features in both.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::Findings;
use crate::workspace::output;

pub fn check(root: &Path) -> Findings {
    let run = tree(root, &["--package", "cli", "--edges", "normal,build"]);
    let test = tree(root, &["--workspace", "--edges", "normal,build,dev"]);
    match (run, test) {
        (Ok(run), Ok(test)) => compare(&run, &test),
        (Err(message), _) | (_, Err(message)) => vec![message],
    }
}

/// One line per crate with its features.
fn tree(root: &Path, what: &[&str]) -> Result<String, String> {
    let form = ["--locked", "--prefix", "none", "--format", "{p}|{f}"];
    output(Command::new("cargo").arg("tree").args(what).args(form).current_dir(root))
}

/// Crates of the first tree that the second one builds otherwise. Our own are few and quick.
fn compare(run: &str, test: &str) -> Findings {
    let crates = |tree| lines(tree).collect::<BTreeSet<(&str, &str)>>();
    let (run, test) = (crates(run), crates(test));
    let differ = run.difference(&test).filter(|(name, _)| !name.contains(" (/"));
    differ
        .map(|(name, features)| {
            let others: Vec<&str> = test.iter().filter(|(other, _)| other == name).map(|(_, f)| *f).collect();
            format!("{name} is built with [{features}] to run, and with [{}] to test", others.join("] and ["))
        })
        .collect()
}

/// Name and features of each line, without the mark of what was printed before.
fn lines(tree: &str) -> impl Iterator<Item = (&str, &str)> {
    tree.lines().filter_map(|line| line.trim_end_matches(" (*)").split_once('|'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_with_other_features_are_found_and_our_own_are_not() {
        let run = "cli v0.1.0 (/x)|\nmpc v0.1.0 (/x)|\ngetrandom v0.4.3|\nserde v1.0.0|std (*)\n";
        let same =
            "mpc v0.1.0 (/x)|lab\ncli v0.1.0 (/x)|\ngetrandom v0.4.3|\nserde v1.0.0|std\nrand v1.0.0|\n";
        assert!(compare(run, same).is_empty());
        let other = same.replace("getrandom v0.4.3|", "getrandom v0.4.3|std,sys_rng (*)");
        assert_eq!(
            compare(run, &other),
            ["getrandom v0.4.3 is built with [] to run, and with [std,sys_rng] to test"]
        );
    }
}
