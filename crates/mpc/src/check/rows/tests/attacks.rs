//! Each rule of the proof, by what happens to who breaks it. Why the rules are there, the tests of the
//! proof of bits show, whose rounds these are; `crates/mpc/tests/mutants/shuffles.rs` has the attack
//! that works under known coins.

use super::*;
use crate::check::rows::parties::{ANSWER, COIN, PROOF};
use crate::check::rows::proof::Shape as Size;
use crate::check::rows::transcript::Statement;
use crate::check::tests::{self, Messages};
use crate::error::Deviation;

/// Runs a batch with one bit changed: how the parties say that somebody deviated, and what was sent.
fn changed(from: usize, to: usize, part: u8, at: isize) -> (Vec<Option<Deviation>>, Messages) {
    tests::changed((from, to, part), at, |s| run(s, TINY))
}

#[test]
fn after_a_false_coin_the_left_verifier_keeps_its_answer() {
    for prover in 0..3 {
        let (left, right) = ((prover + 2) % 3, (prover + 1) % 3);
        for verifier in [left, right] {
            let (deviations, sent) = changed(verifier, prover, COIN, 0);
            assert_eq!(deviations[left], Some(Deviation::ProofsDiffer), "{deviations:?}");
            assert!(!sent.contains_key(&(left, right, ANSWER)), "{sent:?}");
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
            assert!(!sent.contains_key(&(left, right, ANSWER)), "{sent:?}");
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
        for at in [-48, -32, -16, -1] {
            let (deviations, _) = changed(left, right, ANSWER, at);
            assert_eq!(deviations[right], Some(Deviation::RowsChanged), "{deviations:?}");
        }
    }
}

/// Either verifier may close before what the other one holds is fixed.
#[test]
fn weights_hang_on_both_coins_and_the_prover() {
    let step = crate::step::Step::root(&[1; 32]);
    let statement = Statement::of([2; 32], &step, &[], Size { n_elements: 4 });
    let start = |prover, coins: [[u8; 32]; 2]| *statement.transcript(prover, &coins).state();
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
    // Lanes of words, and one of numbers in each pass.
    let n_lanes: usize = shapes.iter().map(|(.., widths)| widths.len() + 1).sum();
    let passes = tests::streams(|s| batch_of(s, shapes).map(drop));
    assert_eq!(passes, 6 * n_lanes);
    let proofs = tests::streams(|s| run(s, shapes));
    assert_eq!(proofs, passes + 3 * 6);
}
