//! `junto catalog`: what a party says about its tables.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use engine::local::{load, template};

use crate::output::say;
use crate::party::init::write_new;

/// Works on a party's `catalog.toml`.
#[derive(Args)]
pub struct Catalog {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Infer(Infer),
}

/// Writes a first catalog.toml, with comments, from what the tables show.
#[derive(Args)]
struct Infer {
    /// The directory of the tables.
    dir: PathBuf,
    /// Print it instead of writing DIR/catalog.toml.
    #[arg(long)]
    print: bool,
}

impl Catalog {
    /// Runs it.
    ///
    /// # Errors
    /// What is wrong with the directory, in a sentence.
    pub fn run(self) -> Result<(), String> {
        let Command::Infer(Infer { dir, print }) = self.command;
        let data = load("party", &dir, |_| true).map_err(|error| error.to_string())?;
        let text = template(&data);
        if print {
            return say(&text);
        }
        let file = dir.join("catalog.toml");
        write_new(&file, text.as_bytes())?;
        eprintln!("junto: wrote {}", file.display());
        Ok(())
    }
}
