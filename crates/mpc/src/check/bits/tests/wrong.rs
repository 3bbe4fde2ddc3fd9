//! Wrong products and shares that do not fit: every single bit is caught.

use math::Planes;

use super::*;
use crate::Parts;
use crate::check::tests;
use crate::error::Deviation;
use crate::lab::{Lab, Run};

/// 5 and 70 gates: places of less than a word, and of more.
fn small() -> Vec<StepShape> {
    vec![(5, vec![(1, 1)]), (70, vec![(1, 1)])]
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Which {
    X,
    Y,
    Z,
}

/// A bit of a part that a party holds.
type Spot = (Which, usize, usize);

fn flipped(bits: &SharedBits, part: usize, row: usize) -> SharedBits {
    let turn = |planes: &Planes| planes.map(|word, bits| bits ^ u64::from(word == row / 64) << (row % 64));
    let parts = bits.parts().map(|at, planes| if at == part { turn(planes) } else { planes.clone() });
    assert!(matches!(parts, Parts::Two(_)));
    SharedBits::from_parts(bits.n_rows(), bits.width(), parts)
}

/// Proves the small batch after some parties turned bits of what they hold.
fn run_with(seed: u64, step: usize, row: usize, spots: &[Spot]) -> Run<()> {
    Lab::seeded(seed).run(|s| {
        let mut batch = batch_of(s, &small())?;
        for (which, party, part) in spots.iter().filter(|spot| spot.1 == s.me().index()) {
            let and = &mut batch[step];
            match which {
                Which::X => and.pairs[0].0 = flipped(&and.pairs[0].0, *part, row),
                Which::Y => and.pairs[0].1 = flipped(&and.pairs[0].1, *part, row),
                Which::Z => and.z = flipped(&and.z, *part, row),
            }
            assert!(*party < 3);
        }
        let step = s.begin("check")?;
        prove(s, &step, &batch)
    })
}

fn gates() -> impl Iterator<Item = (usize, usize)> {
    small().into_iter().enumerate().flat_map(|(step, (n_rows, _))| (0..n_rows).map(move |row| (step, row)))
}

#[test]
fn every_wrong_product_is_refused_by_its_right_verifier() {
    for (step, row) in gates() {
        for prover in 0..3 {
            // Sent and received: the prover goes on with what it said.
            let spots = [(Which::Z, prover, 0), (Which::Z, (prover + 2) % 3, 1)];
            let run = run_with(row as u64, step, row, &spots);
            let verifier = (prover + 1) % 3;
            assert!(
                matches!(
                    run.outcomes[verifier],
                    Err(ProtocolError::PeerDeviated { deviation: Deviation::FalseProof, .. })
                ),
                "gate {row} of step {step}, prover {prover}: {:?}",
                run.outcomes
            );
            assert!(run.outcomes.iter().all(Result::is_err), "{:?}", run.outcomes);
        }
    }
}

#[test]
fn every_factor_that_its_holders_disagree_on_is_refused() {
    for (step, row) in gates() {
        let (party, part) = (row % 3, row / 3 % 2);
        for which in [Which::X, Which::Y] {
            let run = run_with(row as u64, step, row, &[(which, party, part)]);
            assert!(
                run.outcomes.iter().all(Result::is_err),
                "{which:?}, {row} of {step}: {:?}",
                run.outcomes
            );
        }
    }
}

#[test]
fn bits_past_the_last_row_mean_nothing() {
    for (which, part) in [(Which::X, 0), (Which::X, 1), (Which::Y, 0), (Which::Y, 1), (Which::Z, 1)] {
        for party in 0..3 {
            run_with(7, 0, 5, &[(which, party, part)]).all();
            run_with(7, 1, 100, &[(which, party, part)]).all();
        }
    }
}

#[test]
fn parties_with_different_batches_stop() {
    tests::assert_proofs_differ(|s| {
        let mut batch = batch_of(s, &[(64, vec![(1, 1)]), (64, vec![(1, 1)])])?;
        // As many gates in as many lines, in another order: other statements.
        if s.me().index() == 1 {
            batch.reverse();
        }
        let step = s.begin("check")?;
        prove(s, &step, &batch)
    });
}

#[test]
fn a_batch_is_proved_once() {
    let run = Lab::seeded(4).run(|s| {
        let batch = batch_of(s, &tiny())?;
        let step = s.begin("check")?;
        prove(s, &step, &batch)?;
        Ok(matches!(prove(s, &step, &batch), Err(ProtocolError::StepReused { .. })))
    });
    assert!(run.agreed(), "a second proof under the same masks was made");
}
