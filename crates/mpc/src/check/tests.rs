//! What the tests of all proofs have in common.

pub(super) mod model;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use buf::Buf;
use net::{Interceptor, PartyId, Tag, Verdict};

use super::flights;
use crate::error::{Deviation, ProtocolError};
use crate::lab::{Lab, Names, Run, Script};
use crate::session::Session;

/// Sender, receiver and part of a message.
pub(super) type Sent = (usize, usize, u8);

/// The messages of a proof.
pub(super) type Messages = BTreeMap<Sent, Vec<u8>>;

/// Keeps the messages of a proof, and may change a byte of one: counted from the end, if negative.
struct Wire {
    names: Arc<Names>,
    change: Option<(Sent, isize)>,
    sent: Mutex<Messages>,
}

impl Interceptor for Wire {
    fn message(&self, from: PartyId, to: PartyId, tag: Tag, payload: &mut Buf) -> Verdict {
        if !self.names.of(tag).starts_with("check.") {
            return Verdict::Deliver;
        }
        let sent = (from.index(), to.index(), tag.step as u8);
        self.sent.lock().unwrap().insert(sent, payload.bytes().to_vec());
        if let Some((_, at)) = self.change.filter(|(target, _)| *target == sent) {
            let at = if at < 0 { payload.len() as isize + at } else { at };
            payload.bytes_mut()[at as usize] ^= 1;
        }
        Verdict::Deliver
    }
}

/// Runs a proof whose step is `check`.
pub(super) fn watched<T: Send>(
    seed: u64,
    change: Option<(Sent, isize)>,
    f: impl Fn(&mut Session) -> Result<T, ProtocolError> + Sync,
) -> (Run<T>, Messages) {
    let names = Arc::new(Names::default());
    let wire = Arc::new(Wire { names: Arc::clone(&names), change, sent: Mutex::default() });
    let run = Lab::seeded(seed).named(names).intercepted(wire.clone()).run(f);
    let sent = std::mem::take(&mut *wire.sent.lock().unwrap());
    (run, sent)
}

/// Runs a proof with one bit changed: how the parties say that somebody deviated, and what was sent.
pub(super) fn changed(
    target: Sent,
    at: isize,
    f: impl Fn(&mut Session) -> Result<(), ProtocolError> + Sync,
) -> (Vec<Option<Deviation>>, Messages) {
    let (run, sent) = watched(5, Some((target, at)), f);
    let deviations = run.outcomes.iter().map(|outcome| match outcome {
        Err(ProtocolError::PeerDeviated { deviation, culprit, .. }) => {
            assert!(culprit.is_none_or(|who| who.index() == target.0), "{outcome:?} accuses another one");
            Some(*deviation)
        }
        _ => None,
    });
    let deviations = deviations.collect();
    assert!(run.outcomes.iter().any(Result::is_err), "a bit of {target:?} can change");
    assert!(sent.contains_key(&target));
    (deviations, sent)
}

#[test]
fn a_verdict_reaches_both_others() {
    for verifier in 0..3 {
        for other in [(verifier + 1) % 3, (verifier + 2) % 3] {
            let target = (verifier, other, flights::VERDICT);
            let (deviations, _) = changed(target, 0, |s| {
                let step = s.begin("check")?;
                flights::confirm(s, &step)
            });
            assert_eq!(deviations[other], Some(Deviation::ProofRefused), "{deviations:?}");
        }
    }
}

/// Where one party proves another batch than the others, all stop.
pub(super) fn assert_proofs_differ(f: impl Fn(&mut Session) -> Result<(), ProtocolError> + Sync) {
    let run = Lab::seeded(3).run(f);
    let differ = |outcome: &Result<(), ProtocolError>| {
        matches!(outcome, Err(ProtocolError::PeerDeviated { deviation: Deviation::ProofsDiffer, .. }))
    };
    assert!(run.outcomes.iter().any(differ), "{:?}", run.outcomes);
    assert!(run.outcomes.iter().all(Result::is_err), "{:?}", run.outcomes);
}

/// Streams of randomness that a run draws from, by key, step and use.
pub(super) fn streams(f: impl Fn(&mut Session) -> Result<(), ProtocolError> + Sync) -> usize {
    let script = Script::new(1);
    Lab::seeded(6).scripted(script.clone()).run(f).all();
    script.draws()
}
