//! `junto party`: one party of a question, as a process of its own.

mod aborts;
mod ask;
mod budget;
pub mod config;
mod cost;
pub mod init;
mod kept;
mod policy;
mod rows;
mod terms;
mod watch;

use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use net::{Identity, Options, PartyId, TlsMesh};
use plan::secure::Security;

use crate::event::{Event, Failure};
use crate::output::say;
use crate::security::security;
use crate::spawn;
use config::{Config, PublicHalf};

/// Takes part in a question with this machine's tables; one process per party.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Party {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Init),
    Public(init::Public),
}

#[derive(Args)]
struct Run {
    /// The party's configuration, as `junto party init` writes it.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The question, instead of the configuration's.
    #[arg(long, value_name = "SQL")]
    question: Option<String>,
    /// The party that asks, instead of the configuration's.
    #[arg(long = "as", value_name = "NAME")]
    asker: Option<String>,
    /// The three parties that compute, instead of the configuration's.
    #[arg(long, value_delimiter = ',', value_name = "A,B,C")]
    compute: Vec<String>,
    /// Against whom the run holds, if this party asks, and else the least it takes part in;
    /// instead of the configuration's.
    #[arg(long, value_name = "KIND", value_parser = security())]
    security: Option<Security>,
    /// The answer's form, instead of the configuration's.
    #[arg(long, value_name = "FORM")]
    format: Option<String>,
    /// Meet the others through the parent process, and tell it everything.
    #[arg(long, hide = true)]
    spawned: bool,
}

impl Party {
    /// Runs it to the end.
    ///
    /// # Errors
    /// Why it stopped, in a sentence.
    pub fn run(self) -> Result<(), String> {
        match self.command {
            Some(Command::Init(init)) => init.run(),
            Some(Command::Public(public)) => public.run(),
            None => self.run.run(),
        }
    }
}

impl Run {
    fn run(self) -> Result<(), String> {
        let file = self.config.as_ref().ok_or("which party? give --config FILE")?;
        let mut config = Config::read(file)?;
        config.question = self.question.or(config.question);
        config.asker = self.asker.or(config.asker);
        config.security = self.security.unwrap_or(config.security);
        config.format = self.format.unwrap_or(config.format);
        if !self.compute.is_empty() {
            config.compute = self.compute;
        }
        config.format()?;
        match self.spawned {
            true => run_spawned(&config),
            false => run_alone(&config),
        }
    }
}

/// As a child: everything goes to the parent, which speaks to people.
fn run_spawned(config: &Config) -> Result<(), String> {
    let tell: ask::Tell = Arc::new(|event| {
        if let Ok(line) = serde_json::to_string(&event) {
            // A parent that is gone ends this process in its own time.
            let _ = writeln!(std::io::stdout().lock(), "{line}");
        }
    });
    let meet = |options| spawn::meet(&config.name, options);
    let outcome = ask::ask(config, meet, &tell);
    outcome.map_err(|failure| {
        let message = failure.message.clone();
        tell(Event::Failed(failure));
        message
    })
}

/// On a machine of its own: the answer goes to standard output.
fn run_alone(config: &Config) -> Result<(), String> {
    let tell: ask::Tell = Arc::new(|event| match event {
        Event::Phase(phase) => eprintln!("junto: {phase}"),
        Event::Plan(text) | Event::Answer(text) => {
            if let Err(error) = say(&text) {
                eprintln!("junto: {error}");
            }
        }
        Event::Progress { .. } | Event::Seen { .. } | Event::Failed(_) => {}
    });
    let meet = |options| {
        eprintln!("junto: waiting for the other parties");
        meet_peers(config, options)
    };
    ask::ask(config, meet, &tell).map_err(|failure| failure.message)
}

/// Connects with the peers of the configuration. Parties are ordered by name,
/// so that all machines number them alike.
fn meet_peers(config: &Config, options: Options) -> Result<(TlsMesh, Vec<String>), Failure> {
    let (identity, halves) = everybody(config).map_err(Failure::own)?;
    let names: Vec<String> = halves.iter().map(|half| half.name.clone()).collect();
    let peers = halves.iter().map(PublicHalf::peer).collect::<Result<Vec<_>, _>>().map_err(Failure::own)?;
    let me = names.iter().position(|name| *name == config.name).expect("this party is on its own list");
    let listener = TcpListener::bind(&config.listen)
        .map_err(|error| Failure::own(format!("cannot listen on {}: {error}", config.listen)))?;
    let mesh = TlsMesh::connect(&listener, &identity, PartyId::from_index(me), &peers, &options);
    mesh.map(|mesh| (mesh, names.clone())).map_err(|error| Failure::net(&error, &names))
}

/// This party's key, and all public halves by name.
fn everybody(config: &Config) -> Result<(Identity, Vec<PublicHalf>), String> {
    let identity = match config.makes_key() {
        true => return Err("`key` has to name a file that the peers know the public half of".to_owned()),
        false => init::read_key(&config.key)?,
    };
    let me = PublicHalf {
        name: config.name.clone(),
        address: config.address.clone().unwrap_or_else(|| config.listen.clone()),
        public_key: identity.public_key().to_string(),
    };
    let mut halves: Vec<PublicHalf> = vec![me.clone()];
    for peer in config.peers.iter().filter(|peer| **peer != me) {
        config::check_name(&peer.name)?;
        if halves.iter().any(|other| other.name == peer.name) {
            return Err(format!("two parties are called {}; each needs a name of its own", peer.name));
        }
        halves.push(peer.clone());
    }
    if halves.len() > net::MAX_PARTIES {
        return Err(format!("{} parties, more than the {} of a session", halves.len(), net::MAX_PARTIES));
    }
    halves.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((identity, halves))
}
