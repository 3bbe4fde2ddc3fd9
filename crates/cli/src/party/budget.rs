//! How many answers may depend on a dataset: counted at its owner, for ever.
//!
//! The count stands in a file beside the owner's key (or, for one that lives as long as its process,
//! beside its tables), and is written before a share leaves: an answer that is never opened counts
//! too, since only its asker knows.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use plan::catalog::{PartyCatalog, PublicCatalog};
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
}

impl Budget {
    /// Whether there is no answer left.
    pub(super) fn is_spent(&self) -> bool {
        self.given >= self.answers
    }

    /// That it is so, and what would allow one more.
    pub(super) fn spent(&self) -> String {
        let Budget { table, answers, given } = self;
        let (party, name) = table.split_once('.').unwrap_or(("its owner", table));
        format!(
            "{party} has given all {answers} answers that may depend on {table}; the smallest grant that would allow \
             one more, in {party}'s catalog.toml: [{name}] answers = {}",
            given.saturating_add(1)
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

    /// Counts one more answer of each table, unless one of them has had all of its own.
    ///
    /// # Errors
    /// A sentence that names the table whose answers are spent, or the file that cannot be written;
    /// then none is counted.
    pub(super) fn spend(&self, party: &str, tables: &[(&str, u64)]) -> Result<(), Spent> {
        if tables.is_empty() {
            return Ok(());
        }
        let broken = |what: String| Spent { message: what, all: false };
        // Two runs at a time would both take the last answer.
        let lock = File::options().create(true).append(true).open(self.file.with_extension("answers.lock"));
        let lock = lock.map_err(|error| broken(self.fault(format!("cannot be locked: {error}"))))?;
        lock.lock().map_err(|error| broken(self.fault(format!("cannot be locked: {error}"))))?;
        let mut given = self.given().map_err(broken)?;
        for (table, answers) in tables {
            let count = given.0.entry((*table).to_owned()).or_default();
            if *count >= *answers {
                let table = format!("{party}.{table}");
                let message = Budget { table, answers: *answers, given: *count }.spent();
                return Err(Spent { message, all: true });
            }
            *count += 1;
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

/// The answers of all tables that have a limit and are somebody else's than the asker's.
pub(super) fn budgets(catalog: &PublicCatalog, asker: &str, given: &[Given]) -> Vec<Budget> {
    let others = catalog.parties.iter().zip(given).filter(|(party, _)| party.name != asker);
    let of = |(party, given): (&PartyCatalog, &Given)| {
        let budget = |(table, answers): (&str, u64)| Budget {
            table: format!("{}.{table}", party.name),
            answers,
            given: given.0.get(table).copied().unwrap_or(0),
        };
        limits(party).map(budget).collect::<Vec<_>>()
    };
    others.flat_map(of).collect()
}

/// The budgets as `EXPLAIN` prints them.
pub(super) fn explain(budgets: &[Budget]) -> String {
    let line = |budget: &Budget| {
        let Budget { table, answers, given } = budget;
        let left = answers.saturating_sub(*given);
        format!("    - {table}: {given} of {answers} given, {left} left; a run takes one, answered or not\n")
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
            ledger.spend("bank", &[("t", 3), ("u", 9)]).expect("there is one left");
        }
        let spent = ledger.spend("bank", &[("u", 9), ("t", 3)]).expect_err("all are spent");
        assert!(spent.all && spent.message.contains("all 3 answers that may depend on bank.t"), "{spent:?}");
        // What is refused counts for no table.
        assert_eq!(
            ledger.given().expect("it can be read").0,
            BTreeMap::from([("t".into(), 3), ("u".into(), 3)])
        );
        ledger.spend("bank", &[("t", 4)]).expect("the owner allows one more");
        ledger.spend("bank", &[]).expect("nothing to count");
    }

    #[test]
    fn two_runs_at_a_time_do_not_share_an_answer() {
        let ledger = ledger("race");
        let won = std::thread::scope(|scope| {
            let runs: Vec<_> =
                (0..8).map(|_| scope.spawn(|| ledger.spend("bank", &[("t", 5)]).is_ok())).collect();
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
            assert!(ledger.spend("bank", &[("t", 5)]).is_err_and(|spent| !spent.all), "{text:?}");
        }
    }
}
