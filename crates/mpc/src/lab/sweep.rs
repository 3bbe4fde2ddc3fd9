//! The sweep: every message of an honest run, changed in every way, one at a time.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use buf::Buf;
use net::{Interceptor, NetError, PartyId, Tag, Verdict};

use super::hooks::step_of;
use super::mutate::Depth;
use super::watchdog::Watchdog;
use super::{Cheat, Fate, Lab, Message, Mutation, Names, Recorder, Replay, Trace};
use crate::error::ProtocolError;
use crate::session::Session;

/// How long a receive waits before a case counts as a hang: much longer than any case takes on a
/// machine that many share.
const PATIENCE: Duration = Duration::from_secs(20);

/// Changes every message of a run, one at a time, and asks what the honest parties make of it:
/// each has to stop with an error, or come to the result of the honest run.
pub struct Sweep {
    lab: Lab,
    depth: Depth,
    sample: Option<(u64, usize)>,
    is_input: fn(&Message) -> bool,
}

/// One message and what is done to it.
#[derive(Clone)]
pub struct Case {
    /// Which message of the honest run.
    pub message: Message,
    /// What is done.
    pub mutation: Mutation,
}

/// What a case came to, at the honest party that fared worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// The honest parties have the result of the honest run.
    Unchanged,
    /// They agree on the result of another input of the cheater's.
    OtherInput,
    /// An honest party stopped, and none has another result.
    Caught,
    /// An honest party stopped over a delay, which it has to get along with.
    Intolerant,
    /// An honest party names an honest one as the cheater.
    Framed,
    /// An honest party waited until its patience ended.
    Hung,
    /// A party panicked.
    Panicked,
    /// An honest party has another result.
    Wrong,
}

/// What the cases of a sweep came to.
pub struct Report {
    /// Messages of the honest run.
    pub n_messages: usize,
    /// Every case and its ending.
    pub cases: Vec<(Case, Ending)>,
}

impl Sweep {
    /// A sweep over what this lab runs.
    pub fn new(lab: Lab) -> Self {
        Sweep { lab: lab.patience(PATIENCE), depth: Depth::default(), sample: None, is_input: |_| false }
    }

    /// With elements of so many bytes.
    pub fn elements(mut self, bytes: usize) -> Self {
        self.depth.element_bytes = bytes;
        self
    }

    /// With every bit flipped of messages up to so many bytes.
    pub fn every_bit_up_to(mut self, bytes: usize) -> Self {
        self.depth.every_bit_up_to = bytes;
        self
    }

    /// With at most so many flips of a longer message.
    pub fn flips(mut self, n: usize) -> Self {
        self.depth.flips = n;
        self
    }

    /// With `n` of all cases, chosen by `seed`.
    pub fn sampled(mut self, seed: u64, n: usize) -> Self {
        self.sample = Some((seed, n));
        self
    }

    /// With messages that carry what their sender chose to share. Who changes one may as well have
    /// had other values: then the honest parties that come to a result come to one result.
    pub fn inputs(mut self, is_input: fn(&Message) -> bool) -> Self {
        self.is_input = is_input;
        self
    }

    /// Sweeps over code that every party runs.
    ///
    /// # Panics
    /// If the honest run fails, or says something else when it is repeated.
    pub fn run<T: Send + PartialEq>(
        &self,
        f: impl Fn(&mut Session) -> Result<T, ProtocolError> + Sync,
    ) -> Report {
        self.over(|lab| lab.run(&f).outcomes)
    }

    /// Sweeps over anything that runs in a lab and says what each party came to.
    ///
    /// # Panics
    /// If the honest run fails, or says something else when it is repeated.
    pub fn over<T: PartialEq>(&self, run: impl Fn(&Lab) -> Vec<Result<T, ProtocolError>>) -> Report {
        let traced = |lab: &Lab| {
            let recorder = Arc::new(Recorder::default());
            let outcomes: Result<Vec<T>, _> = run(&recorder.on(lab.clone())).into_iter().collect();
            (recorder.trace(), outcomes.expect("an honest run succeeds"))
        };
        let (trace, honest) = traced(&self.lab);
        let (again, _) = traced(&self.lab);
        assert!(
            trace.by_key().keys().eq(again.by_key().keys()),
            "two honest runs with one seed send different messages"
        );
        let (foreign, _) = traced(&self.lab.clone().reseeded(u64::MAX));
        let foreign = Arc::new(foreign);
        let mut cases = self.cases(&trace, &foreign);
        if let Some((seed, n)) = self.sample {
            cases = choose(cases, seed, n);
        }
        let watchdog = Watchdog::new(4 * PATIENCE);
        let judged = cases.into_iter().map(|case| {
            let tamper = Arc::new(Tamper::new(case.clone(), Arc::clone(&foreign)));
            let lab = tamper.on(self.lab.clone());
            let outcomes = watchdog.over(&case, || catch_unwind(AssertUnwindSafe(|| run(&lab))));
            let ending = match outcomes {
                Ok(outcomes) => self.judge(&case, &honest, &outcomes),
                Err(_) => Ending::Panicked,
            };
            (case, ending)
        });
        Report { n_messages: trace.messages.len(), cases: judged.collect() }
    }

    fn cases(&self, trace: &Trace, foreign: &Trace) -> Vec<Case> {
        let mutations = |message: &&Message| self.depth.mutations(message, trace, foreign);
        let of = |message: &Message| {
            let case = |mutation| Case { message: message.clone(), mutation };
            mutations(&message).into_iter().map(case).collect::<Vec<_>>()
        };
        trace.by_key().into_values().flat_map(of).collect()
    }

    /// What the honest parties, all but the sender, came to.
    fn judge<T: PartialEq>(
        &self,
        case: &Case,
        honest: &[T],
        outcomes: &[Result<T, ProtocolError>],
    ) -> Ending {
        let cheater = case.message.from;
        let is_honest = |at: &usize| *at != cheater.index();
        let results = || (0..outcomes.len()).filter(is_honest).map(|at| (&honest[at], &outcomes[at]));
        // Another input gives another result, the same one to all that learn it.
        let new =
            results().filter_map(|(want, outcome)| outcome.as_ref().ok().filter(|value| *value != want));
        let is_new_input = (self.is_input)(&case.message)
            && new.clone().all(|value| new.clone().all(|other| value == other));
        let endings = results().map(|(want, outcome)| match outcome {
            Ok(value) if value == want => Ending::Unchanged,
            Ok(_) if is_new_input => Ending::OtherInput,
            Ok(_) => Ending::Wrong,
            Err(error) => stopped(case, error),
        });
        endings.max().unwrap_or(Ending::Unchanged)
    }
}

/// `n` of the cases, in their order.
fn choose(cases: Vec<Case>, seed: u64, n: usize) -> Vec<Case> {
    let mut ranked: Vec<(u128, usize, Case)> = cases
        .into_iter()
        .enumerate()
        .map(|(at, case)| (super::noise(seed, 0x5a3b1e, at), at, case))
        .collect();
    ranked.sort_by_key(|(rank, at, _)| (*rank, *at));
    ranked.truncate(n);
    ranked.sort_by_key(|(_, at, _)| *at);
    ranked.into_iter().map(|(_, _, case)| case).collect()
}

fn stopped(case: &Case, error: &ProtocolError) -> Ending {
    match error {
        ProtocolError::Link { source, .. } if ran_out_of_patience(source) => Ending::Hung,
        ProtocolError::PeerDeviated { culprit: Some(party), .. } if *party != case.message.from => {
            Ending::Framed
        }
        _ if matches!(case.mutation, Mutation::Send(fate) if fate.is_harmless()) => Ending::Intolerant,
        _ => Ending::Caught,
    }
}

/// A lost message ends its receive at once, in no time.
fn ran_out_of_patience(error: &NetError) -> bool {
    matches!(error, NetError::TimedOut { waited_ms, .. } if *waited_ms > 0)
}

impl Report {
    /// The cases that ended so.
    pub fn ended(&self, ending: Ending) -> Vec<&Case> {
        self.cases.iter().filter(|(_, other)| *other == ending).map(|(case, _)| case).collect()
    }

    /// The cases that no protocol may allow.
    pub fn failures(&self) -> Vec<&(Case, Ending)> {
        self.cases.iter().filter(|(_, ending)| *ending > Ending::Caught).collect()
    }

    /// Asserts that every case was caught or did nothing, and that catching happened at all.
    ///
    /// # Panics
    /// Otherwise, with the failures.
    pub fn assert_clean(&self) {
        let failures = self.failures();
        let first: Vec<String> =
            failures.iter().take(30).map(|(case, ending)| format!("{ending:?}: {case}")).collect();
        assert!(failures.is_empty(), "{self}\n{} failures:\n{}", failures.len(), first.join("\n"));
        assert!(!self.ended(Ending::Caught).is_empty(), "a sweep in which nothing was caught: {self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts: BTreeMap<Ending, usize> = BTreeMap::new();
        self.cases.iter().for_each(|(_, ending)| *counts.entry(*ending).or_default() += 1);
        write!(f, "{} messages, {} cases: {counts:?}", self.n_messages, self.cases.len())
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: the sender {}", self.message, self.mutation)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A cheater who does one thing.
pub struct Tamper {
    case: Case,
    foreign: Arc<Trace>,
    names: Arc<Names>,
    said: Mutex<Vec<Message>>,
    is_late: AtomicBool,
}

impl Tamper {
    /// Does what the case says. `foreign` is a run with other keys, for replays from it.
    pub fn new(case: Case, foreign: Arc<Trace>) -> Self {
        let (names, said) = (Arc::default(), Mutex::default());
        Tamper { case, foreign, names, said, is_late: AtomicBool::new(false) }
    }

    /// The lab with this cheater in it.
    pub fn on(self: &Arc<Self>, lab: Lab) -> Lab {
        lab.named(Arc::clone(&self.names))
            .intercepted(Arc::clone(self) as Arc<dyn Interceptor>)
            .cheating(Arc::clone(self) as Arc<dyn Cheat>)
    }

    fn replay(&self, replay: Replay, payload: &mut Buf) {
        let message = &self.case.message;
        let said = self.said.lock().expect("a cheater does not panic");
        let other = match replay {
            Replay::Session => self.foreign.counterpart(message),
            _ => said.iter().rev().find(|other| replay.fits(message, other)),
        };
        if let Some(other) = other {
            *payload = Buf::copy_of(&other.payload);
        }
    }

    fn fate(&self, fate: Fate) -> Verdict {
        match fate {
            Fate::Duplicate => Verdict::Duplicate,
            Fate::Drop => Verdict::Drop,
            Fate::Reorder => Verdict::Delay(Fate::LATE),
            Fate::Delay => {
                self.is_late.store(true, Ordering::Relaxed);
                Verdict::Delay(Fate::LATE)
            }
        }
    }
}

impl Interceptor for Tamper {
    fn message(&self, from: PartyId, to: PartyId, tag: Tag, payload: &mut Buf) -> Verdict {
        let target = &self.case.message;
        if (from, to, tag) == (target.from, target.to, target.tag) {
            match self.case.mutation {
                Mutation::Say(change) => change.apply(payload),
                Mutation::Compute(_) | Mutation::Move(_) => {}
                Mutation::Replay(replay) => self.replay(replay, payload),
                Mutation::Send(fate) => return self.fate(fate),
            }
        } else if from == target.from && self.is_late.load(Ordering::Relaxed) {
            return Verdict::Delay(Fate::LATE);
        }
        if matches!(self.case.mutation, Mutation::Replay(_)) {
            let message = Message::new(from, to, tag, payload.bytes().to_vec());
            self.said.lock().expect("a cheater does not panic").push(message);
        }
        Verdict::Deliver
    }
}

impl Cheat for Tamper {
    fn product(&self, party: PartyId, tag: Tag, z: &mut [u8]) {
        let target = &self.case.message;
        if let Mutation::Compute(change) = self.case.mutation
            && (party, tag) == (target.from, target.tag)
        {
            change.apply_in_place(z);
        }
    }
    fn factor(&self, party: PartyId, tag: Tag, number: usize, from: &mut [u32]) {
        let target = &self.case.message;
        let is_it = (party, tag) == (target.from, step_of(target.tag));
        if is_it && self.case.mutation == Mutation::Move(number) && from.len() > 1 {
            from.swap(0, 1);
        }
    }
}
