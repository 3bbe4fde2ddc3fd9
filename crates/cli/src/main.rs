//! The `junto` command: what people and programs type, as processes and their output.
//!
//! Never knows how a question is computed.

mod bench_command;
mod catalog_command;
mod consortium;
mod demo;
mod event;
mod link;
mod output;
mod party;
mod progress;
mod security;
mod spawn;
mod sql;

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
    Demo(demo::Demo),
    Sql(sql::Sql),
    Explain(sql::Explain),
    Catalog(catalog_command::Catalog),
    Party(Box<party::Party>),
    Bench(bench_command::Bench),
    #[command(hide = true)]
    BenchParty(bench_command::BenchParty),
}

fn main() -> ExitCode {
    let outcome = match Junto::parse().command {
        Command::Demo(demo) => demo.run(),
        Command::Sql(sql) => sql.run(),
        Command::Explain(explain) => explain.run(),
        Command::Catalog(catalog) => catalog.run(),
        Command::Party(party) => party.run(),
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
