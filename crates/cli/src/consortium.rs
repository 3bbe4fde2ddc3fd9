//! Parties on this machine, one process each, that answer one question.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use plan::secure::Security;

use crate::event::{Event, Failure, Nearness};
use crate::party::config::{Config, PATIENCE_S, check_name};
use crate::party::init::write_new;
use crate::progress::Progress;
use crate::spawn::{Children, Outcome};

/// Three parties compute.
const N_COMPUTE: usize = 3;

/// Who takes part, and how.
pub struct Consortium {
    /// Names and directories; a party without one only computes.
    parties: Vec<(String, Option<PathBuf>)>,
    compute: Vec<String>,
    asker: String,
}

/// How to run.
#[derive(Clone)]
pub struct Manner {
    /// The answer's form: table, json or csv.
    pub format: String,
    /// The link to simulate.
    pub link: String,
    /// Against whom the run holds, at every party.
    pub security: Security,
    /// Computing threads per party.
    pub threads: Option<usize>,
    /// How many bytes of a received message to report; with them comes the plan.
    pub show_bytes: usize,
}

/// What came of a question.
#[derive(Debug, Default)]
pub struct Report {
    /// The answer, in the form that was asked for.
    pub answer: Option<String>,
    /// The plan, where it was asked for.
    pub plan: Option<String>,
    /// Who saw what from whom, in hexadecimal digits.
    pub seen: Vec<(String, String, String)>,
}

impl Consortium {
    /// Parties with their directories. The first three compute unless `compute` says
    /// otherwise; neutral helpers fill up what is missing. The first one asks unless
    /// `asker` does.
    ///
    /// # Errors
    /// A sentence that names the party that does not fit.
    pub fn new(
        parties: Vec<(String, PathBuf)>,
        compute: &[String],
        asker: Option<&str>,
    ) -> Result<Consortium, String> {
        let mut all: Vec<(String, Option<PathBuf>)> = Vec::with_capacity(parties.len() + N_COMPUTE);
        for (name, dir) in parties {
            check_name(&name)?;
            if all.iter().any(|(other, _)| *other == name) {
                return Err(format!("two parties are called {name}; each needs a name of its own"));
            }
            all.push((name, Some(dir)));
        }
        let Some((first, _)) = all.first() else {
            return Err("who takes part? give --party NAME=DIR once for each party".to_owned());
        };
        let asker = asker.unwrap_or(first).to_owned();
        let known =
            |all: &[(String, Option<PathBuf>)], name: &str| all.iter().any(|(other, _)| other == name);
        if !known(&all, &asker) {
            return Err(format!("{asker} asks, but takes no part; {}", named(&all)));
        }
        let mut compute = compute.to_vec();
        if compute.is_empty() {
            compute = all.iter().take(N_COMPUTE).map(|(name, _)| name.clone()).collect();
            let mut number = 1;
            while compute.len() < N_COMPUTE {
                let helper = format!("helper{number}");
                number += 1;
                if !known(&all, &helper) {
                    compute.push(helper);
                }
            }
        }
        for (index, name) in compute.iter().enumerate() {
            if compute[..index].contains(name) {
                return Err(format!("{name} computes twice; three different parties compute"));
            }
            if !known(&all, name) {
                // Helpers have no data and no interest; any number of them can be had.
                let is_helper =
                    name.strip_prefix("helper").is_some_and(|number| number.parse::<u8>().is_ok());
                if !is_helper {
                    return Err(format!("{name} computes, but takes no part; {}", named(&all)));
                }
                all.push((name.clone(), None));
            }
        }
        if compute.len() != N_COMPUTE {
            return Err(format!("{} parties compute; replicated sharing takes three", compute.len()));
        }
        if all.len() > net::MAX_PARTIES {
            let max = net::MAX_PARTIES;
            return Err(format!("{} parties with the neutral ones, more than {max}", all.len()));
        }
        Ok(Consortium { parties: all, compute, asker })
    }

    /// The names of those that compute.
    pub fn compute(&self) -> &[String] {
        &self.compute
    }

    /// Runs one question among them.
    ///
    /// # Errors
    /// The cause, in one sentence; what other parties said because of it is left out.
    pub fn ask(&self, question: &str, manner: &Manner, progress: &Progress) -> Result<Report, String> {
        progress.phase("the parties meet");
        let configs = tempfile::Builder::new()
            .prefix("junto-")
            .tempdir()
            .map_err(|error| format!("no directory for the parties' configurations: {error}"))?;
        let mut commands = Vec::with_capacity(self.parties.len());
        for (index, (name, data)) in self.parties.iter().enumerate() {
            let file = configs.path().join(format!("party{index}.toml"));
            let config = self.config(name, data.as_deref(), question, manner);
            write_new(&file, config.to_toml()?.as_bytes())?;
            let arguments = ["party", "--spawned", "--config"].map(str::to_owned);
            commands.push((name.clone(), [&arguments[..], &[file.display().to_string()]].concat()));
        }
        let mut children = Children::start(commands)?;
        children.introduce();
        // Everybody has read its own by now, or never will.
        drop(configs);
        let report = Mutex::new(Report::default());
        let failures: Mutex<Vec<(String, Failure)>> = Mutex::new(Vec::new());
        let outcomes = children.finish_watching(|name, line| {
            let mut report = report.lock().unwrap_or_else(|poison| poison.into_inner());
            match serde_json::from_str(line) {
                Ok(Event::Phase(phase)) if name == self.asker => progress.phase(&phase),
                Ok(Event::Progress { sent, expected }) => progress.sent(sent, expected),
                Ok(Event::Seen { from, bytes }) => report.seen.push((name.to_owned(), from, bytes)),
                Ok(Event::Plan(text)) if name == self.asker => report.plan = Some(text),
                Ok(Event::Answer(text)) if name == self.asker => report.answer = Some(text),
                Ok(Event::Failed(failure)) => {
                    let mut failures = failures.lock().unwrap_or_else(|poison| poison.into_inner());
                    failures.push((name.to_owned(), failure));
                }
                _ => {}
            }
        });
        let failures = failures.into_inner().unwrap_or_else(|poison| poison.into_inner());
        match self.cause(&failures, &outcomes) {
            Some(cause) => Err(cause),
            None => Ok(report.into_inner().unwrap_or_else(|poison| poison.into_inner())),
        }
    }

    fn config(&self, name: &str, data: Option<&Path>, question: &str, manner: &Manner) -> Config {
        Config {
            name: name.to_owned(),
            listen: "127.0.0.1:0".to_owned(),
            address: None,
            key: "generate".to_owned(),
            data: data.map(|data| std::path::absolute(data).unwrap_or_else(|_| data.to_owned())),
            question: Some(question.to_owned()),
            asker: Some(self.asker.clone()),
            compute: self.compute.clone(),
            security: manner.security,
            format: manner.format.clone(),
            link: manner.link.clone(),
            threads: manner.threads,
            wait_s: 30,
            patience_s: PATIENCE_S,
            show_bytes: manner.show_bytes,
            peers: Vec::new(),
        }
    }

    /// The failure nearest to its cause, or `None` if nobody failed.
    fn cause(&self, failures: &[(String, Failure)], outcomes: &[Outcome]) -> Option<String> {
        let mut causes: Vec<(Nearness, String)> = Vec::new();
        // The asker speaks first where all are equally near.
        let mut failures: Vec<_> = failures.iter().collect();
        failures.sort_by_key(|(name, _)| *name != self.asker);
        causes.extend(failures.iter().map(|(_, failure)| (failure.nearness, failure.message.clone())));
        let ended = outcomes.iter().filter(|outcome| !outcome.status.success() && !outcome.was_ended);
        for outcome in ended {
            if failures.iter().all(|(name, _)| *name != outcome.name) {
                causes.push((Nearness::Peer, died(outcome)));
            }
        }
        causes.sort_by_key(|(nearness, _)| *nearness);
        causes.into_iter().next().map(|(_, message)| message)
    }
}

/// The end of a process that gave no reason.
fn died(outcome: &Outcome) -> String {
    let Outcome { name, status, stderr, .. } = outcome;
    match stderr.lines().next() {
        Some(line) => format!("the process of {name} ended ({status}): {line}"),
        None => format!("the process of {name} ended ({status}) and gave no reason"),
    }
}

fn named(parties: &[(String, Option<PathBuf>)]) -> String {
    let names: Vec<&str> = parties.iter().map(|(name, _)| name.as_str()).collect();
    format!("there are {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consortium(names: &[&str], compute: &[&str], asker: Option<&str>) -> Result<Consortium, String> {
        let parties = names.iter().map(|name| ((*name).to_owned(), PathBuf::from("dir"))).collect();
        let compute: Vec<String> = compute.iter().map(|name| (*name).to_owned()).collect();
        Consortium::new(parties, &compute, asker)
    }

    #[test]
    fn helpers_fill_up_and_keep_out_of_the_way() {
        let two = consortium(&["bank", "helper1"], &[], None).unwrap();
        assert_eq!(two.compute, ["bank", "helper1", "helper2"]);
        assert_eq!(two.parties.len(), 3);
        let four = consortium(&["a", "b", "c", "d"], &["d", "helper7", "a"], Some("c")).unwrap();
        assert_eq!((four.asker.as_str(), four.parties.len()), ("c", 5));
        let four = consortium(&["a", "b", "c", "d"], &[], None).unwrap();
        assert_eq!(four.compute, ["a", "b", "c"]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let sixteen: Vec<String> = (0..17).map(|k| format!("p{k}")).collect();
        let sixteen: Vec<&str> = sixteen.iter().map(String::as_str).collect();
        for (names, compute, asker, expected) in [
            (&[][..], &[][..], None, "who takes part? give --party NAME=DIR once for each party"),
            (&["a", "a"], &[], None, "two parties are called a; each needs a name of its own"),
            (
                &["a.b"],
                &[],
                None,
                "a party's name holds no dot, comma, equals sign, quote or control character: \"a.b\"",
            ),
            (&["a"], &[], Some("b"), "b asks, but takes no part; there are a"),
            (&["a", "b", "c"], &["a", "b", "x"], None, "x computes, but takes no part; there are a, b, c"),
            (&["a", "b", "c"], &["a", "b", "a"], None, "a computes twice; three different parties compute"),
            (&["a", "b", "c"], &["a", "b"], None, "2 parties compute; replicated sharing takes three"),
            (&sixteen, &[], None, "17 parties with the neutral ones, more than 16"),
        ] {
            assert_eq!(consortium(names, compute, asker).err().as_deref(), Some(expected));
        }
    }
}
