//! Each rule of the proof, by what happens to who breaks it. Why the rules are there, the tests of the
//! proof of bits show, whose rounds these are; `crates/mpc/tests/mutants/shuffles.rs` has the attack
//! that works under known coins.

use std::sync::Mutex;

use buf::Buf;
use net::{Interceptor, PartyId, Tag, Verdict};

use super::*;
use crate::check::rows::parties::{ANSWER, COIN, PROOF, VERDICT};
use crate::check::rows::proof::Shape as Size;
use crate::check::rows::transcript::{Statement, Transcript};
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
    let run = Lab::seeded(5).named(names).intercepted(tamper.clone()).run(|s| run(s, TINY));
    let deviations = run.outcomes.iter().map(|outcome| match outcome {
        Err(ProtocolError::PeerDeviated { deviation, .. }) => Some(*deviation),
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
        for verifier in [left, right] {
            let (deviations, sent) = changed(verifier, prover, COIN, 0);
            assert_eq!(deviations[left], Some(Deviation::ProofsDiffer), "{deviations:?}");
            assert!(!sent.contains(&(left, right, ANSWER)), "{sent:?}");
        }
    }
}

#[test]
fn the_left_verifier_keeps_its_answer_from_another_last_state_or_other_shares() {
    for prover in 0..3 {
        let (left, right) = ((prover + 2) % 3, (prover + 1) % 3);
        // Three rows, twice: three rounds and the masking one of 32 bytes each, and the state.
        for at in (0..4 * 32 + 32).step_by(16) {
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
        for at in [-32, -16, -1] {
            let (deviations, _) = changed(left, right, ANSWER, at);
            assert_eq!(deviations[right], Some(Deviation::RowsChanged), "{deviations:?}");
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
fn weights_hang_on_both_coins_and_the_prover() {
    let step = crate::step::Step::root(&[1; 32]);
    let statement = Statement::of([2; 32], &step, &[], Size { n_elements: 4 });
    let start = |prover, coins: [[u8; 32]; 2]| *Transcript::new(&statement, prover, &coins).state();
    let honest = start(0, [[3; 32], [4; 32]]);
    assert_ne!(honest, start(0, [[5; 32], [4; 32]]));
    assert_ne!(honest, start(0, [[3; 32], [5; 32]]));
    assert_ne!(honest, start(0, [[4; 32], [3; 32]]));
    assert_ne!(honest, start(1, [[3; 32], [4; 32]]));
}

/// Two uses under one label would be one stream. A pass draws two masks under each of three keys for
/// each lane; each prover's proof takes six streams more, each under one key.
#[test]
fn every_use_of_randomness_has_a_stream_of_its_own() {
    let shapes: &[Shape] = &[(3, false, &[8, 64]), (2, true, &[16])];
    let script = Script::new(1);
    let taken = |f: &(dyn Fn(&mut Session) -> Result<(), ProtocolError> + Sync)| {
        let before = script.draws();
        Lab::seeded(6).scripted(script.clone()).run(|s| f(s)).all();
        script.draws() - before
    };
    // Lanes of words, and one of numbers in each pass.
    let n_lanes: usize = shapes.iter().map(|(.., widths)| widths.len() + 1).sum();
    let passes = taken(&|s| batch_of(s, shapes).map(drop));
    assert_eq!(passes, 6 * n_lanes);
    let proofs = taken(&|s| run(s, shapes));
    assert_eq!(proofs, 3 * 6);
}
