//! Against whom a question's run holds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What one of the compute parties may do without harm. The greater holds against more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Security {
    /// It studies what it sees, and follows the protocol.
    SemiHonest,
    /// It does as it likes; the others notice before anything is opened.
    Malicious,
}

impl Security {
    /// What questions run with unless somebody chooses otherwise.
    pub const DEFAULT: Security = Security::Malicious;

    /// All of them, the strongest first.
    pub const ALL: [Security; 2] = [Security::Malicious, Security::SemiHonest];

    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Security::SemiHonest => "semi-honest",
            Security::Malicious => "malicious",
        }
    }

    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Security::SemiHonest => {
                "all parties must follow the protocol: one that computes and cheats can make the answer \
                 wrong and learn from it, unnoticed"
            }
            Security::Malicious => {
                "one party that computes may cheat: it is noticed before anything is opened, and the run stops"
            }
        }
    }
}

impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Security {
    type Err = String;

    fn from_str(text: &str) -> Result<Security, String> {
        let found = Security::ALL.into_iter().find(|security| security.name() == text);
        found.ok_or_else(|| format!("`{text}` is no security; there are malicious and semi-honest"))
    }
}
