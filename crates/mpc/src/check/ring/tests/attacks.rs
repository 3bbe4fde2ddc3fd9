//! Each rule of the proof, by what happens to who breaks it. `crates/mpc/tests/mutants/products.rs` has
//! the attacks that work without the rules on coins.

use std::sync::{Arc, Mutex};

use buf::Buf;
use net::{Interceptor, PartyId, Tag, Verdict};

use super::*;
use crate::check::ring::parties::{ANSWER, COIN, PRIME, PROOF, QUOTIENTS, VERDICT};
use crate::check::ring::shape::Shape;
use crate::check::ring::transcript::{Statement, Transcript};
use crate::error::Deviation;
use crate::lab::{Lab, Names, Script};

/// Sender, receiver and part of a message.
type Sent = (usize, usize, u8);

/// Changes one byte of one message, and lists those that left.
struct Tamper {
    names: Arc<Names>,
    target: Sent,
    /// From the end, if negative.
    at: isize,
    sent: Mutex<Vec<Sent>>,
}

impl Interceptor for Tamper {
    fn message(&self, from: PartyId, to: PartyId, tag: Tag, payload: &mut Buf) -> Verdict {
        if !self.names.of(tag).starts_with("check.") {
            return Verdict::Deliver;
        }
        let sent = (from.index(), to.index(), tag.step as u8);
        self.sent.lock().unwrap().push(sent);
        if sent == self.target {
            let n = payload.len() as isize;
            let at = if self.at < 0 { n + self.at } else { self.at };
            payload.bytes_mut()[at as usize] ^= 1;
        }
        Verdict::Deliver
    }
}

/// Runs a batch with one bit changed: how the parties say that somebody deviated, and what was sent.
fn changed(from: usize, to: usize, part: u8, at: isize) -> (Vec<Option<Deviation>>, Vec<Sent>) {
    let names = Arc::new(Names::default());
    let tamper =
        Arc::new(Tamper { names: Arc::clone(&names), target: (from, to, part), at, sent: Mutex::default() });
    let run = Lab::seeded(5).named(names).intercepted(tamper.clone()).run(|s| run(s, &tiny()));
    let deviations = run.outcomes.iter().map(|outcome| match outcome {
        Err(ProtocolError::PeerDeviated { deviation, culprit, .. }) => {
            assert!(culprit.is_none_or(|culprit| culprit.index() == from), "{outcome:?} accuses another one");
            Some(*deviation)
        }
        _ => None,
    });
    let deviations = deviations.collect();
    assert!(run.outcomes.iter().any(Result::is_err), "a bit of part {part} can change");
    let sent = tamper.sent.lock().unwrap().clone();
    assert!(sent.contains(&(from, to, part)));
    (deviations, sent)
}

#[test]
fn after_a_false_coin_the_left_verifier_keeps_its_answer() {
    for prover in 0..3 {
        let (left, right) = ((prover + 2) % 3, (prover + 1) % 3);
        for (verifier, part) in [(left, COIN), (right, COIN), (left, PRIME)] {
            let (deviations, sent) = changed(verifier, prover, part, 0);
            assert_eq!(deviations[left], Some(Deviation::ProofsDiffer), "{deviations:?}");
            assert!(!sent.contains(&(left, right, ANSWER)), "{sent:?}");
        }
    }
}

#[test]
fn the_left_verifier_keeps_its_answer_from_another_last_state_or_other_shares() {
    for prover in 0..3 {
        let (left, right) = ((prover + 2) % 3, (prover + 1) % 3);
        for at in [-1, 0, 200] {
            let (deviations, sent) = changed(prover, left, PROOF, at);
            assert_eq!(deviations[left], Some(Deviation::ProofsDiffer), "{deviations:?}");
            assert!(!sent.contains(&(left, right, ANSWER)), "{sent:?}");
        }
    }
}

#[test]
fn the_right_verifier_looks_at_no_answer_under_other_challenges() {
    for prover in 0..3 {
        let (left, right) = ((prover + 2) % 3, (prover + 1) % 3);
        // Another last state, or a false digest: whatever the operand that comes with it.
        for (from, part) in [(prover, PROOF), (left, ANSWER)] {
            let (deviations, _) = changed(from, right, part, 0);
            assert_eq!(deviations[right], Some(Deviation::ProofsDiffer), "{deviations:?}");
        }
    }
}

#[test]
fn the_right_verifier_refuses_other_quotients_operands_and_claims() {
    for prover in 0..3 {
        let (left, right) = ((prover + 2) % 3, (prover + 1) % 3);
        for at in [0, 31, 32, 63 * 32] {
            let (deviations, _) = changed(prover, left, QUOTIENTS, at);
            assert_eq!(deviations[right], Some(Deviation::FalseProof), "{deviations:?}");
        }
        for at in [-32, -24, -16, -8] {
            let (deviations, _) = changed(left, right, ANSWER, at);
            assert_eq!(deviations[right], Some(Deviation::FalseProof), "{deviations:?}");
        }
    }
}

#[test]
fn a_refusal_reaches_both_others() {
    for verifier in 0..3 {
        for other in [(verifier + 1) % 3, (verifier + 2) % 3] {
            let (deviations, _) = changed(verifier, other, VERDICT, 0);
            assert_eq!(deviations[other], Some(Deviation::ProofRefused), "{deviations:?}");
        }
    }
}

/// Either verifier may close before what the other one holds is fixed.
#[test]
fn subsets_hang_on_both_coins() {
    let step = crate::step::Step::root(&[1; 32]);
    let statement = Statement::of([2; 32], &step, &RingBatch::default(), Shape::default());
    let start = |prover, coins: [[u8; 32]; 2]| *Transcript::new(&statement, prover, &coins).state();
    let honest = start(0, [[3; 32], [4; 32]]);
    assert_ne!(honest, start(0, [[5; 32], [4; 32]]));
    assert_ne!(honest, start(0, [[3; 32], [5; 32]]));
    assert_ne!(honest, start(0, [[4; 32], [3; 32]]));
    assert_ne!(honest, start(1, [[3; 32], [4; 32]]));
}

/// Two uses under one label would be one stream. Each prover's proof takes eight, each under
/// one key, beside the masks of the products under all three.
#[test]
fn every_use_of_randomness_has_a_stream_of_its_own() {
    let steps = [(64, Dot(3, 1)), (32, Matrix([2, 1, 2]))];
    let script = Script::new(1);
    let taken = |f: &(dyn Fn(&mut Session) -> Result<(), ProtocolError> + Sync)| {
        let before = script.draws();
        Lab::seeded(6).scripted(script.clone()).run(|s| f(s)).all();
        script.draws() - before
    };
    let products = taken(&|s| batch_of(s, &steps).map(drop));
    assert_eq!(products, 3 * steps.len());
    let proofs = taken(&|s| run(s, &steps));
    assert_eq!(proofs, 3 * 8);
}
