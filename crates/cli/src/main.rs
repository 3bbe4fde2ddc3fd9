//! The `junto` command.

mod bench_command;
mod link;
mod spawn;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Several organisations compute together on data that none may show the others.
#[derive(Parser)]
#[command(name = "junto", version, max_term_width = 100)]
struct Junto {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Bench(bench_command::Bench),
    #[command(hide = true)]
    BenchParty(bench_command::BenchParty),
}

fn main() -> ExitCode {
    let outcome = match Junto::parse().command {
        Command::Bench(bench) => bench.run(),
        Command::BenchParty(party) => party.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("junto: {message}");
            ExitCode::FAILURE
        }
    }
}
