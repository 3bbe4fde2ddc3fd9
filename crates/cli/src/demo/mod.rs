//! `junto demo`: three questions over made-up data, in front of the user.

mod check;
mod data;
mod random;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use plan::secure::Security;

use crate::consortium::{Consortium, Manner, Report};
use crate::output::say;
use crate::progress::Progress;
use crate::security::security;

/// Shows three questions over made-up data of a bank, a telecom, a retailer and ten offices.
#[derive(Args)]
pub struct Demo {
    /// What the data is made from.
    #[arg(long, default_value_t = 2026)]
    seed: u64,
    /// Where to put the data, which then stays; otherwise it is gone in the end.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Computing threads per party.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Against whom the computation holds.
    #[arg(long, default_value_t = Security::DEFAULT, value_parser = security())]
    security: Security,
}

/// A question of the demo.
struct Question {
    title: &'static str,
    parties: Vec<String>,
    sql: String,
}

fn questions() -> Vec<Question> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let offices: Vec<String> = (0..data::N_OFFICES).map(data::office).collect();
    let all: Vec<String> =
        offices.iter().map(|office| format!("SELECT amount FROM {office}.figures")).collect();
    vec![
        Question {
            title: "Two firms: the weighted return of the bank's portfolios, per customer segment of the telecom",
            parties: names(&["bank", "telecom"]),
            sql: "SELECT t.segment, COUNT(*) AS holdings,\n       \
                  SUM(h.market_value * h.yearly_return) / SUM(h.market_value) AS weighted_return\n  \
                  FROM bank.holdings h JOIN telecom.subscribers t ON h.customer_id = t.customer_id\n \
                  GROUP BY t.segment ORDER BY t.segment"
                .to_owned(),
        },
        Question {
            title: "Three firms: what well-off heavy users buy, as candidates to recommend",
            parties: names(&["retailer", "telecom", "bank"]),
            sql: "SELECT p.product, COUNT(*) AS purchases, SUM(p.amount) AS turnover\n  \
                  FROM retailer.purchases p\n  \
                  JOIN telecom.subscribers t ON p.customer_id = t.customer_id\n  \
                  JOIN bank.customers c ON p.customer_id = c.customer_id\n \
                  WHERE t.monthly_gb >= 40 AND c.income > 70000\n \
                  GROUP BY p.product ORDER BY purchases DESC, p.product LIMIT 5"
                .to_owned(),
        },
        Question {
            title: "Ten offices: one total, of which nobody sees a part; three of them compute",
            parties: offices,
            sql: format!(
                "SELECT SUM(amount) AS total, COUNT(*) AS figures\n  FROM ({})",
                all.join("\n        UNION ALL ")
            ),
        },
    ]
}

impl Demo {
    /// Runs all questions.
    ///
    /// # Errors
    /// The cause, in one sentence; also where an answer is not the plaintext's.
    pub fn run(self) -> Result<(), String> {
        let made = tempfile::Builder::new()
            .prefix("junto-demo-")
            .tempdir()
            .map_err(|error| format!("no directory for the data: {error}"))?;
        let dir = self.data.clone().unwrap_or_else(|| made.path().to_owned());
        data::write(&dir, self.seed)?;
        say(&format!(
            "Junto computes on the data of several owners while every row stays secret.\n\
             Each party below is a process of its own, with a key of its own, and opens its own files alone.\n\
             All run on this machine, so here nothing is protected from the machine's owner.\n\
             Data: {} (seed {})\n",
            if self.data.is_some() {
                dir.display().to_string()
            } else {
                "made up, gone in the end".to_owned()
            },
            self.seed
        ))?;
        for (number, question) in questions().iter().enumerate() {
            self.answer(number + 1, question, &dir)?;
        }
        say("\nYour own files: junto sql --party NAME=DIR --party NAME=DIR \"SELECT …\"\n")
    }

    fn answer(&self, number: usize, question: &Question, dir: &Path) -> Result<(), String> {
        let Question { title, parties, sql } = question;
        let rule = "━".repeat(title.chars().count() + 3);
        say(&format!("\n{rule}\n{number}. {title}\n{rule}\n{sql}\n"))?;
        let homes = parties.iter().map(|party| (party.clone(), dir.join(party))).collect();
        let consortium = Consortium::new(homes, &[], None)?;
        let threads = self.threads.map(usize::from);
        let (format, link) = ("json".to_owned(), "loopback".to_owned());
        let manner = Manner { format, link, security: self.security, threads, show_bytes: 24 };
        let progress = Progress::start();
        let report = consortium.ask(sql, &manner, &progress);
        drop(progress);
        let Report { answer, plan, seen } = report?;
        let answer = check::Answer::read(&answer.ok_or("the asking party ended without an answer")?)?;
        say(&format!(
            "\nThe plan, made by every party alone and compared before anything was shared:\n\n{}",
            plan.unwrap_or_default()
        ))?;
        say(&format!("\nThe answer, which {} alone learns:\n{}", parties[0], answer.table()))?;
        let start = Instant::now();
        let rows = check::plaintext(sql, parties, dir)?;
        answer.compare(&rows)?;
        let plaintext_s = start.elapsed().as_secs_f64();
        let n_rows = answer.n_rows();
        say(&format!(
            "Check: DataFusion on the joined plaintext gives the same {n_rows} row{} ({plaintext_s:.2} s with reading).\n",
            if n_rows == 1 { "" } else { "s" }
        ))?;
        // Any compute party would do; the last one has least to do with the question.
        let last = consortium.compute().last();
        let Some((party, from, bytes)) = seen.into_iter().find(|(party, ..)| Some(party) == last) else {
            return Ok(());
        };
        say(&format!("What {party} saw of the rows, in a message from {from}: {bytes}…\n"))
    }
}
