//! The compiler's own checks, under the one profile that everything is built with.

use std::path::Path;
use std::process::Command;

use crate::Findings;

pub fn rustfmt(root: &Path) -> Findings {
    run(root, &["fmt", "--all", "--", "--check"], &[])
}

pub fn clippy(root: &Path) -> Findings {
    run(
        root,
        &["clippy", "--release", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"],
        &[],
    )
}

pub fn rustdoc(root: &Path) -> Findings {
    run(
        root,
        &["doc", "--release", "--locked", "--workspace", "--no-deps"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )
}

/// Runs cargo with its output on the terminal.
fn run(root: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Findings {
    let mut command = Command::new("cargo");
    command.args(arguments).envs(variables.iter().copied()).current_dir(root);
    match command.status() {
        Ok(status) if status.success() => Findings::new(),
        Ok(status) => vec![format!("cargo {} ended with {status}", arguments.join(" "))],
        Err(error) => vec![format!("cargo does not start: {error}")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_a_finding() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(run(here, &["--version"], &[]).is_empty());
        assert_eq!(run(here, &["no-such-command"], &[]).len(), 1);
    }
}
