//! `junto party init` and `junto party public`: a configuration with a key of
//! its own, and the half of it that the others need.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use net::Identity;
use plan::secure::Security;

use super::config::{Config, PATIENCE_S, PublicHalf, WAIT_S, check_name};
use crate::output::say;

/// Writes a configuration and a private key for one party of separate machines.
#[derive(Args)]
pub struct Init {
    /// The party's name, the first half of `party.table`.
    #[arg(long)]
    name: String,
    /// Where it listens.
    #[arg(long, value_name = "HOST:PORT")]
    listen: String,
    /// Where the others reach it, if that differs.
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,
    /// The directory of its tables; without one it only computes.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration to write; NAME.toml if it is not given. The key goes beside it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Prints a party's public half, for the others to append to their configurations.
#[derive(Args)]
pub struct Public {
    /// The party's configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl Init {
    pub(super) fn run(self) -> Result<(), String> {
        check_name(&self.name)?;
        let file = self.config.unwrap_or_else(|| PathBuf::from(format!("{}.toml", self.name)));
        let key_file = file.with_extension("key");
        let identity = Identity::generate().map_err(|error| format!("cannot make a key: {error}"))?;
        let key = key_file.file_name().map(|name| name.to_string_lossy().into_owned());
        let data = self.data.map(|data| std::path::absolute(&data).unwrap_or(data));
        let toml = Config {
            name: self.name,
            listen: self.listen,
            address: self.address,
            key: key.ok_or("the configuration needs a file's name")?,
            data,
            question: None,
            asker: None,
            compute: Vec::new(),
            security: Security::DEFAULT,
            format: "table".to_owned(),
            link: "loopback".to_owned(),
            threads: None,
            wait_s: WAIT_S,
            patience_s: PATIENCE_S,
            show_bytes: 0,
            peers: Vec::new(),
        }
        .to_toml()?;
        let toml = format!(
            "# One party of Junto. The private key stays on this machine; the others get\n\
             # what `junto party public --config {file}` prints. Append what they print to\n\
             # this file, and give the same question at every party:\n\
             #   junto party --config {file} --as NAME --question \"SELECT …\"\n\n{toml}",
            file = file.display()
        );
        // The key first: a configuration without its key would be of no use.
        write_new(&key_file, identity.to_pem().as_bytes())?;
        write_new(&file, toml.as_bytes())?;
        eprintln!("junto: wrote {} and {}", file.display(), key_file.display());
        Public { config: file }.run()
    }
}

impl Public {
    pub(super) fn run(self) -> Result<(), String> {
        let config = Config::read(&self.config)?;
        if config.makes_key() {
            return Err(format!(
                "{}: `key` names no file, so there is no public half",
                self.config.display()
            ));
        }
        #[derive(serde::Serialize)]
        struct Peers {
            peer: [PublicHalf; 1],
        }
        let half = PublicHalf {
            name: config.name,
            address: config.address.unwrap_or(config.listen),
            public_key: read_key(&config.key)?.public_key().to_string(),
        };
        let toml = toml::to_string(&Peers { peer: [half] }).map_err(|error| error.to_string())?;
        say(&format!("\n{}\n", toml.trim_end()))
    }
}

/// The private key in a file that nobody else may read.
pub(super) fn read_key(file: &str) -> Result<Identity, String> {
    let bad = |reason: &dyn std::fmt::Display| format!("{file}: {reason}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = std::fs::metadata(file).map_err(|error| bad(&error))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(bad(&"others can read this private key; run `chmod 600` on it"));
        }
    }
    let pem = std::fs::read_to_string(file).map_err(|error| bad(&error))?;
    Identity::from_pem(&pem).map_err(|error| bad(&error))
}

/// Writes a file that was not there before and that its owner alone can read.
pub(crate) fn write_new(file: &Path, bytes: &[u8]) -> Result<(), String> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let written = options.open(file).and_then(|mut file| file.write_all(bytes));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            format!("{}: there is such a file already; it is left as it is", file.display())
        }
        _ => format!("{}: cannot be written: {error}", file.display()),
    })
}
