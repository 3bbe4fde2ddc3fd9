//! Running the program and looking at what it printed.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What a run printed and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The program with these arguments, not started yet.
pub fn junto(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_junto"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub fn run(arguments: &[&str]) -> Ran {
    ran(junto(arguments).output().expect("the program starts"))
}

pub fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

/// A directory of parties, each with its files.
pub struct Town {
    dir: tempfile::TempDir,
    parties: Vec<String>,
}

impl Town {
    pub fn new(parties: &[(&str, &[(&str, &str)])]) -> Town {
        let dir = tempfile::tempdir().expect("a directory for the test");
        for (party, files) in parties {
            std::fs::create_dir(dir.path().join(party)).expect("a party's directory");
            for (name, text) in *files {
                std::fs::write(dir.path().join(party).join(name), text).expect("a party's file");
            }
        }
        Town { dir, parties: parties.iter().map(|(party, _)| (*party).to_owned()).collect() }
    }

    /// A bank and a telecom with a customer or two in common.
    pub fn small() -> Town {
        Town::new(&[
            ("bank", &[("accounts.csv", "id,balance\n1,10.50\n2,20.25\n3,-5.00\n4,\n")]),
            ("telecom", &[("subscribers.csv", "id,plan\n1,basic\n2,plus\n3,basic\n9,plus\n")]),
        ])
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn home(&self, party: &str) -> PathBuf {
        self.dir.path().join(party)
    }

    /// The `--party` options.
    pub fn options(&self) -> Vec<String> {
        self.parties.iter().map(|party| format!("--party={party}={}", self.home(party).display())).collect()
    }

    /// `junto sql` with all parties and these further arguments, not started yet.
    pub fn sql(&self, arguments: &[&str]) -> Command {
        let mut command = junto(&["sql"]);
        command.args(self.options()).args(arguments);
        command
    }

    /// Runs `junto sql`; paths of the test's directory are cut off in what it says.
    pub fn ask(&self, arguments: &[&str]) -> Ran {
        let mut ran = ran(self.sql(arguments).output().expect("the program starts"));
        ran.stderr = ran.stderr.replace(&format!("{}/", self.path().display()), "");
        ran
    }
}
