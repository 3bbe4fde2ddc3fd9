//! How many answers may depend on a dataset: counted at its owner, for ever.
//!
//! The count stands in a file beside the owner's key (or, for one that lives as long as its process,
//! beside its tables), and is written before a share leaves: an answer that is never opened counts
//! too, since only its asker knows.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use plan::catalog::{PartyCatalog, PublicCatalog};
use plan::secure::SecurePlan;
use serde::{Deserialize, Serialize};

use super::config::Config;
use super::kept;

/// How many answers depend on each of a party's tables that have a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Given(pub(super) BTreeMap<String, u64>);

/// A table's answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Budget {
    /// The table, as `party.table`.
    pub(super) table: String,
    /// How many answers there may be.
    pub(super) answers: u64,
    /// How many there were.
    pub(super) given: u64,
    /// How many the question takes.
    pub(super) takes: u64,
}

/// What one question takes of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Takes<'a> {
    /// Its name at its owner.
    pub(super) table: &'a str,
    /// How many answers there may be.
    pub(super) answers: u64,
    /// How many it takes.
    pub(super) takes: u64,
}

impl Budget {
    /// Whether there are not as many answers left.
    pub(super) fn is_spent(&self) -> bool {
        self.given.saturating_add(self.takes) > self.answers
    }

    /// That it is so, and what would allow one more.
    pub(super) fn spent(&self) -> String {
        let Budget { table, answers, given, takes } = self;
        let (party, name) = table.split_once('.').unwrap_or(("its owner", table));
        let all = if given >= answers { "all" } else { &format!("{given} of") };
        let more = match takes {
            1 => "one more".to_owned(),
            _ => format!("this question, which tells {takes} noisy numbers of its rows and so takes {takes}"),
        };
        format!(
            "{party} has given {all} {answers} answers that may depend on {table}; the smallest grant that would allow \
             {more}, in {party}'s catalog.toml: [{name}] answers = {}",
            given.saturating_add(*takes)
        )
    }
}

/// The file in which a party counts.
pub(super) struct Ledger {
    file: PathBuf,
}

impl Ledger {
    /// The party's. A party without tables counts nothing.
    pub(super) fn of(config: &Config) -> Option<Ledger> {
        let data = config.data.as_ref()?;
        let file = match config.makes_key() {
            true => data.join(".junto-answers"),
            false => Path::new(&config.key).with_extension("answers"),
        };
        Some(Ledger { file })
    }

    fn fault(&self, what: impl std::fmt::Display) -> String {
        format!("{}: {what}", self.file.display())
    }

    /// How many answers were given, of all tables.
    ///
    /// # Errors
    /// A sentence that names the file, if it is there and cannot be understood: nobody forgets by
    /// accident.
    pub(super) fn given(&self) -> Result<Given, String> {
        let text = kept::read(&self.file).map_err(|error| self.fault(format!("cannot be read: {error}")))?;
        let Some(text) = text else { return Ok(Given::default()) };
        serde_json::from_str(&text)
            .map_err(|error| self.fault(format!("does not say how many answers were given: {error}")))
    }

    /// Counts what a question takes of each table, unless one of them has too few answers left.
    ///
    /// # Errors
    /// A sentence that names the table whose answers are spent, or the file that cannot be written;
    /// then none is counted.
    pub(super) fn spend(&self, party: &str, tables: &[Takes<'_>]) -> Result<(), Spent> {
        if tables.is_empty() {
            return Ok(());
        }
        let broken = |what: String| Spent { message: what, all: false };
        // Two runs at a time would both take the last answer.
        let lock = File::options().create(true).append(true).open(self.file.with_extension("answers.lock"));
        let lock = lock.map_err(|error| broken(self.fault(format!("cannot be locked: {error}"))))?;
        lock.lock().map_err(|error| broken(self.fault(format!("cannot be locked: {error}"))))?;
        let mut given = self.given().map_err(broken)?;
        for Takes { table, answers, takes } in tables.iter().copied() {
            let count = given.0.entry(table.to_owned()).or_default();
            let budget = Budget { table: format!("{party}.{table}"), answers, given: *count, takes };
            if budget.is_spent() {
                return Err(Spent { message: budget.spent(), all: true });
            }
            *count += takes;
        }
        let written = serde_json::to_vec(&given).map_err(std::io::Error::from);
        written
            .and_then(|given| kept::replace(&self.file, &given))
            .map_err(|error| broken(self.fault(format!("cannot be written: {error}"))))
    }
}

/// Why no answer may be given.
#[derive(Debug)]
pub(super) struct Spent {
    /// In a sentence.
    pub(super) message: String,
    /// Whether all answers are spent, which everybody may know.
    pub(super) all: bool,
}

/// The limits of one party's tables.
pub(super) fn limits(catalog: &PartyCatalog) -> impl Iterator<Item = (&str, u64)> {
    let limit = |table: &'_ plan::catalog::Table| table.policy.rules().and_then(|rules| rules.answers);
    catalog.tables.iter().filter_map(move |table| Some((table.name.as_str(), limit(table)?)))
}

/// What the question takes of the limited tables of one party: one answer of each if somebody else asks,
/// and as many as noisy numbers of its rows are told, each of which is as good as an answer, to all.
pub(super) fn takes<'a>(plan: &SecurePlan, catalog: &'a PartyCatalog) -> Vec<Takes<'a>> {
    let asks = plan.parties[plan.asker] == catalog.name;
    let of = |(table, answers): (&'a str, u64)| {
        let noisy = plan.telling_stages().into_iter().filter(|(_, stage)| {
            let owner = &plan.parties[stage.party];
            stage.told.is_noisy() && *owner == catalog.name && stage.tables.iter().any(|of| of == table)
        });
        let takes = (noisy.count() as u64).max(u64::from(!asks));
        Takes { table, answers, takes }
    };
    limits(catalog).map(of).filter(|takes| takes.takes > 0).collect()
}

/// The answers of all tables that have a limit and of which the question takes some.
pub(super) fn budgets(plan: &SecurePlan, catalog: &PublicCatalog, given: &[Given]) -> Vec<Budget> {
    let of = |(party, given): (&PartyCatalog, &Given)| {
        let budget = |Takes { table, answers, takes }: Takes<'_>| Budget {
            table: format!("{}.{table}", party.name),
            answers,
            given: given.0.get(table).copied().unwrap_or(0),
            takes,
        };
        takes(plan, party).into_iter().map(budget).collect::<Vec<_>>()
    };
    catalog.parties.iter().zip(given).flat_map(of).collect()
}

/// The budgets as `EXPLAIN` prints them.
pub(super) fn explain(budgets: &[Budget]) -> String {
    let line = |budget: &Budget| {
        let Budget { table, answers, given, takes } = budget;
        let left = answers.saturating_sub(*given);
        let takes = if *takes == 1 { "one".to_owned() } else { takes.to_string() };
        format!(
            "    - {table}: {given} of {answers} given, {left} left; a run takes {takes}, answered or not\n"
        )
    };
    match budgets {
        [] => String::new(),
        some => {
            format!("\nAnswers that may depend on a table:\n{}", some.iter().map(line).collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one<'a>(tables: &[(&'a str, u64)]) -> Vec<Takes<'a>> {
        tables.iter().map(|(table, answers)| Takes { table, answers: *answers, takes: 1 }).collect()
    }

    fn ledger(name: &str) -> Ledger {
        let dir = std::env::temp_dir().join(format!("junto-answers-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory of its own");
        Ledger { file: dir.join("party.answers") }
    }

    #[test]
    fn answers_are_counted_until_they_are_spent() {
        let ledger = ledger("spent");
        for n in 0..3 {
            assert_eq!(ledger.given().expect("it can be read").0.get("t").copied().unwrap_or(0), n);
            ledger.spend("bank", &one(&[("t", 3), ("u", 9)])).expect("there is one left");
        }
        let spent = ledger.spend("bank", &one(&[("u", 9), ("t", 3)])).expect_err("all are spent");
        assert!(spent.all && spent.message.contains("all 3 answers that may depend on bank.t"), "{spent:?}");
        // What is refused counts for no table.
        assert_eq!(
            ledger.given().expect("it can be read").0,
            BTreeMap::from([("t".into(), 3), ("u".into(), 3)])
        );
        ledger.spend("bank", &one(&[("t", 4)])).expect("the owner allows one more");
        ledger.spend("bank", &one(&[])).expect("nothing to count");
        let three = Takes { table: "t", answers: 6, takes: 3 };
        let spent = ledger.spend("bank", &[three]).expect_err("two are left");
        assert!(
            spent.message.contains("4 of 6 answers") && spent.message.ends_with("answers = 7"),
            "{spent:?}"
        );
        ledger.spend("bank", &[Takes { answers: 7, ..three }]).expect("as many as it takes");
        assert_eq!(ledger.given().expect("it can be read").0["t"], 7);
    }

    #[test]
    fn two_runs_at_a_time_do_not_share_an_answer() {
        let ledger = ledger("race");
        let won = std::thread::scope(|scope| {
            let runs: Vec<_> =
                (0..8).map(|_| scope.spawn(|| ledger.spend("bank", &one(&[("t", 5)])).is_ok())).collect();
            runs.into_iter().map(|run| run.join().expect("no panic")).filter(|won| *won).count()
        });
        assert_eq!(won, 5);
    }

    #[test]
    fn a_file_that_says_something_else_is_no_clean_record() {
        let ledger = ledger("else");
        for text in ["", "3", "{\"t\":-1}", "[]"] {
            std::fs::write(&ledger.file, text).expect("it is written");
            assert!(ledger.given().is_err(), "{text:?}");
            assert!(ledger.spend("bank", &one(&[("t", 5)])).is_err_and(|spent| !spent.all), "{text:?}");
        }
    }
}
