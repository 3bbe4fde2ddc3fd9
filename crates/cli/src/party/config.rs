//! The configuration file of one party.

use std::path::{Path, PathBuf};
use std::time::Duration;

use engine::output::Format;
use net::{Limits, Options, Peer};
use plan::secure::Security;
use serde::{Deserialize, Serialize};

use crate::link::Link;

/// What `junto party --config FILE` reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// This party's name, the first half of `party.table`.
    pub name: String,
    /// Where it listens: `host:port`.
    pub listen: String,
    /// Where the others reach it, if that differs from `listen`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The file of its private key, or `generate` for one that lives as long as the process.
    pub key: String,
    /// The directory of its tables; without one it only computes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// The question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The party that asks and alone learns the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asker: Option<String>,
    /// The three parties that compute; the first three by name if it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compute: Vec<String>,
    /// Against whom the question's run holds, at the party that asks; at all others the least
    /// that they take part in: malicious or semi-honest.
    #[serde(default = "usual")]
    pub security: Security,
    /// The answer's form: table, json or csv.
    #[serde(default = "table", skip_serializing_if = "is_table")]
    pub format: String,
    /// What is simulated on top of the real link.
    #[serde(default = "loopback", skip_serializing_if = "is_loopback")]
    pub link: String,
    /// Computing threads; as many as there are cores if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// How long to wait until all parties are there, in seconds.
    #[serde(default = "wait_s", skip_serializing_if = "is_wait_s")]
    pub wait_s: u64,
    /// How long to wait for one message of a party that is there but does not send it, in seconds.
    /// Reading large tables takes long, so it is half an hour unless this says otherwise.
    #[serde(default = "patience_s", skip_serializing_if = "is_patience_s")]
    pub patience_s: u64,
    /// How many bytes of a received message to show; for `junto demo`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub show_bytes: usize,
    /// The other parties' public halves. Its own may be among them.
    #[serde(default, rename = "peer", skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<PublicHalf>,
}

/// The public half of a party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicHalf {
    /// Its name.
    pub name: String,
    /// Where it is reached: `host:port`.
    pub address: String,
    /// Its public key, in hexadecimal digits.
    pub public_key: String,
}

fn usual() -> Security {
    Security::DEFAULT
}
fn table() -> String {
    "table".to_owned()
}
fn is_table(format: &str) -> bool {
    format == "table"
}
fn loopback() -> String {
    Link::Loopback.to_string()
}
fn is_loopback(link: &str) -> bool {
    link == Link::Loopback.to_string()
}
/// How long to wait for all parties, in seconds, where nothing is said: ten minutes.
pub const WAIT_S: u64 = 600;
fn wait_s() -> u64 {
    WAIT_S
}
fn is_wait_s(seconds: &u64) -> bool {
    *seconds == WAIT_S
}
/// How long to wait for a message, in seconds, where nothing is said: half an hour.
pub const PATIENCE_S: u64 = 1800;
fn patience_s() -> u64 {
    PATIENCE_S
}
fn is_patience_s(seconds: &u64) -> bool {
    *seconds == PATIENCE_S
}
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Config {
    /// How the links to the others are used.
    ///
    /// # Errors
    /// A sentence about `link`.
    pub(super) fn options(&self) -> Result<Options, String> {
        let patience = Some(Duration::from_secs(self.patience_s));
        Ok(Options {
            link: self.link()?.profile(),
            limits: Limits { patience, ..Limits::default() },
            connect_deadline: Duration::from_secs(self.wait_s),
            ..Options::default()
        })
    }

    /// Reads a file; paths in it are relative to where it stands.
    ///
    /// # Errors
    /// A sentence that names the file and the line.
    pub fn read(file: &Path) -> Result<Config, String> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("{}: cannot be read: {error}", file.display()))?;
        let mut config: Config = toml::from_str(&text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = 1 + text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count();
            format!("{}, line {line}: {}", file.display(), error.message())
        })?;
        let at = |error: String| format!("{}: {error}", file.display());
        let beside = file.parent().unwrap_or(Path::new("."));
        config.data = config.data.map(|data| beside.join(data));
        if !config.makes_key() {
            config.key = beside.join(&config.key).display().to_string();
        }
        check_name(&config.name).map_err(at)?;
        config.format().and(config.link()).map_err(at)?;
        if config.threads == Some(0) {
            return Err(at("`threads` is at least 1".to_owned()));
        }
        Ok(config)
    }

    /// The file's text.
    pub fn to_toml(&self) -> Result<String, String> {
        toml::to_string(self).map_err(|error| format!("the configuration cannot be written: {error}"))
    }

    /// Whether it makes a key that lives as long as the process.
    pub fn makes_key(&self) -> bool {
        self.key == "generate"
    }

    /// The answer's form.
    ///
    /// # Errors
    /// If there is no such form.
    pub fn format(&self) -> Result<Format, String> {
        self.format.parse()
    }

    /// The link.
    ///
    /// # Errors
    /// If there is no such link.
    pub fn link(&self) -> Result<Link, String> {
        self.link.parse()
    }
}

impl PublicHalf {
    /// As the network takes it.
    ///
    /// # Errors
    /// If the key is none.
    pub fn peer(&self) -> Result<Peer, String> {
        let key = self.public_key.parse().map_err(|error| format!("{}: {error}", self.name))?;
        Ok(Peer { name: self.name.clone(), addr: self.address.clone(), key })
    }
}

/// Checks that a party can have this name.
///
/// # Errors
/// A sentence with the name.
pub fn check_name(name: &str) -> Result<(), String> {
    let wrong = |what| Err(format!("a party's name {what}: {name:?}"));
    match name {
        "" => wrong("has at least one letter"),
        "public" => wrong("is not `public`, which SQL keeps for itself"),
        _ if name.len() > 64 => wrong("has at most 64 bytes"),
        _ if name.trim() != name => wrong("neither begins nor ends with a space"),
        _ if name.chars().any(|c| c.is_control() || ".,=\"".contains(c)) => {
            wrong("holds no dot, comma, equals sign, quote or control character")
        }
        _ => Ok(()),
    }
}
