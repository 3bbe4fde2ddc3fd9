//! `junto sql` and `junto explain`: one question, all parties on this machine.

use std::path::PathBuf;

use clap::Args;
use plan::secure::Security;

use crate::consortium::{Consortium, Manner};
use crate::link::Link;
use crate::output::say;
use crate::progress::Progress;
use crate::security::security;

/// Asks one question of several parties' tables, each party a process of its own.
#[derive(Args)]
pub struct Sql {
    #[command(flatten)]
    who: Who,
    /// How to print the answer.
    #[arg(long, default_value = "table", value_parser = ["table", "json", "csv"])]
    format: String,
}

/// Shows how a question would be computed, what that costs and who learns what.
#[derive(Args)]
pub struct Explain {
    #[command(flatten)]
    who: Who,
    /// How to print the plan.
    #[arg(long, default_value = "table", value_parser = ["table", "json"])]
    format: String,
}

#[derive(Args)]
struct Who {
    /// A party and the directory of its tables: one CSV or Parquet file each. Once per party.
    #[arg(long = "party", value_name = "NAME=DIR", value_parser = party)]
    parties: Vec<(String, PathBuf)>,
    /// The three parties that compute; the first three if it is not given.
    #[arg(long, value_delimiter = ',', value_name = "A,B,C")]
    compute: Vec<String>,
    /// The party that asks and alone learns the answer; the first if it is not given.
    #[arg(long = "as", value_name = "NAME")]
    asker: Option<String>,
    /// The link between the parties: loopback, lan, or wan:RTT_MS,MBIT_PER_S.
    #[arg(long, default_value = "loopback")]
    link: Link,
    /// Computing threads per party.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Against whom the computation holds: with malicious, one of the three may cheat and is
    /// noticed; with semi-honest, which is faster, it must not.
    #[arg(long, default_value_t = Security::DEFAULT, value_parser = security())]
    security: Security,
    /// The value of a parameter, as an SQL constant: the first for $1, the next for $2.
    #[arg(long = "param", value_name = "CONSTANT", allow_hyphen_values = true)]
    parameters: Vec<String>,
    /// The question; tables are called `party.table`.
    #[arg(value_name = "SQL")]
    question: String,
}

impl Sql {
    /// Prints the answer, or the plan if the question begins with EXPLAIN.
    ///
    /// # Errors
    /// The cause, in one sentence.
    pub fn run(self) -> Result<(), String> {
        let Sql { who, format } = self;
        let question = who.question.clone();
        who.ask(&question, format)
    }
}

impl Explain {
    /// Prints the plan.
    ///
    /// # Errors
    /// The cause, in one sentence.
    pub fn run(self) -> Result<(), String> {
        let question = format!("EXPLAIN {}", self.who.question);
        self.who.ask(&question, self.format)
    }
}

impl Who {
    fn ask(self, question: &str, format: String) -> Result<(), String> {
        let question = match self.parameters.is_empty() {
            true => question.to_owned(),
            false => plan::question::bind(question, &self.parameters).map_err(|error| error.to_string())?,
        };
        let consortium = Consortium::new(self.parties, &self.compute, self.asker.as_deref())?;
        let threads = self.threads.map(usize::from);
        let (link, security) = (self.link.to_string(), self.security);
        let manner = Manner { format, link, security, threads, show_bytes: 0 };
        let progress = Progress::start();
        let report = consortium.ask(&question, &manner, &progress);
        drop(progress);
        let report = report?;
        let text = report.answer.or(report.plan);
        say(&text.ok_or("the asking party ended without an answer; this is a bug")?)
    }
}

fn party(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, dir)) if !name.is_empty() && !dir.is_empty() => Ok((name.to_owned(), PathBuf::from(dir))),
        _ => Err("write NAME=DIR, such as bank=data/bank".to_owned()),
    }
}
