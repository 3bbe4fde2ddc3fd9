//! Each rule of the proof, by what happens to who breaks it. `crates/mpc/tests/mutants/products.rs` has
//! the attacks that work without the rules on coins.

use super::*;
use crate::check::ring::parties::{ANSWER, COIN, PRIME, PROOF, QUOTIENTS};
use crate::check::ring::shape::Shape;
use crate::check::ring::transcript::{Statement, Transcript};
use crate::check::tests::{self, Messages};
use crate::error::Deviation;

/// Runs a batch with one bit changed: how the parties say that somebody deviated, and what was sent.
fn changed(from: usize, to: usize, part: u8, at: isize) -> (Vec<Option<Deviation>>, Messages) {
    tests::changed((from, to, part), at, |s| run(s, &tiny()))
}

#[test]
fn after_a_false_coin_the_left_verifier_keeps_its_answer() {
    for prover in 0..3 {
        let (left, right) = ((prover + 2) % 3, (prover + 1) % 3);
        for (verifier, part) in [(left, COIN), (right, COIN), (left, PRIME)] {
            let (deviations, sent) = changed(verifier, prover, part, 0);
            assert_eq!(deviations[left], Some(Deviation::ProofsDiffer), "{deviations:?}");
            assert!(!sent.contains_key(&(left, right, ANSWER)), "{sent:?}");
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
    let products = tests::streams(|s| batch_of(s, &steps).map(drop));
    assert_eq!(products, 3 * steps.len());
    let proofs = tests::streams(|s| run(s, &steps));
    assert_eq!(proofs, products + 3 * 8);
}
