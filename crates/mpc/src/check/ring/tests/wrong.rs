//! Wrong products and shares that do not fit: every one is caught.

use super::*;
use crate::Parts;
use crate::check::tests;
use crate::error::Deviation;
use crate::lab::{Lab, Run};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Which {
    X,
    Y,
    Z,
}

/// A part that a party holds.
type Spot = (Which, usize, usize);

fn changed<R: Ring>(x: &Shared<R>, part: usize, row: usize, error: R) -> Shared<R> {
    let parts = x.parts().map(|at, column| match at == part {
        true => Column::from_fn(column.len(), |at| match at == row {
            true => column.items()[at].plus(error),
            false => column.items()[at],
        }),
        false => column.clone(),
    });
    assert!(matches!(parts, Parts::Two(_)));
    Shared::from_parts(x.len(), parts)
}

fn change<R: Ring>(product: &mut ProductStep<R>, (which, _, part): Spot, row: usize, error: R) {
    let (x, y) = match &mut product.form {
        Form::Rows(segments) => segments[0].iter_mut().map(|(x, y)| (x, y)).next().expect("a pair"),
        Form::Inner(x, y) | Form::Matrix { x, y, .. } => (x, y),
        Form::Moved(..) => unreachable!("these have tests of their own"),
    };
    let changed_one = match which {
        Which::X => x,
        Which::Y => y,
        Which::Z => &mut product.z,
    };
    *changed_one = changed(changed_one, part, row % changed_one.len(), error);
}

/// Proves steps of one ring after some parties changed what they hold of the first.
fn run_with<R: Ring>(seed: u64, steps: &[RingStep], row: usize, error: R, spots: &[Spot]) -> Run<()> {
    Lab::seeded(seed).run(|s| {
        let mut batch = batch_of(s, steps)?;
        for spot in spots.iter().filter(|spot| spot.1 == s.me().index()) {
            let lists: [&mut dyn std::any::Any; 5] =
                [&mut batch.z8, &mut batch.z16, &mut batch.z32, &mut batch.z64, &mut batch.z128];
            let list = lists.into_iter().find_map(|list| list.downcast_mut::<Vec<ProductStep<R>>>());
            change(&mut list.expect("a list of each ring")[0], *spot, row, error);
        }
        let step = s.begin("check")?;
        prove(s, &step, &batch)
    })
}

fn batches(ring: u32) -> [Vec<RingStep>; 4] {
    [
        vec![(ring, Dot(3, 1)), (64, Dot(5, 1))],
        vec![(ring, Dot(2, 3))],
        vec![(ring, Inner(3)), (8, Matrix([1, 1, 1]))],
        vec![(ring, Matrix([2, 3, 2]))],
    ]
}

/// 1, 2^(k−1) and 2^k − 1.
fn errors<R: Ring>() -> [R; 3] {
    [R::ONE, R::from_word(1 << (R::BITS - 1)), R::ZERO.minus(R::ONE)]
}

fn wrong_products<R: Ring>() {
    for (at, steps) in batches(R::BITS).iter().enumerate() {
        for (row, error) in errors::<R>().into_iter().enumerate() {
            for prover in 0..3 {
                // Sent and received: the prover goes on with what it said.
                let spots = [(Which::Z, prover, 0), (Which::Z, (prover + 2) % 3, 1)];
                let run = run_with(row as u64, steps, row + at, error, &spots);
                let refused = |outcome: &Result<(), ProtocolError>| {
                    matches!(
                        outcome,
                        Err(ProtocolError::PeerDeviated { deviation: Deviation::FalseProof, .. })
                    )
                };
                assert!(
                    refused(&run.outcomes[(prover + 1) % 3]),
                    "{steps:?}, error {row}, prover {prover}: {:?}",
                    run.outcomes
                );
                assert!(run.outcomes.iter().all(Result::is_err), "{:?}", run.outcomes);
            }
        }
    }
}

#[test]
fn every_wrong_product_is_refused_by_its_right_verifier() {
    wrong_products::<Z8>();
    wrong_products::<Z16>();
    wrong_products::<Z32>();
    wrong_products::<Z64>();
    wrong_products::<Z128>();
}

fn wrong_factors<R: Ring>() {
    for (at, steps) in batches(R::BITS).iter().enumerate() {
        for (row, error) in errors::<R>().into_iter().enumerate() {
            let (party, part) = ((row + at) % 3, row % 2);
            for which in [Which::X, Which::Y] {
                let run = run_with(row as u64, steps, row + at, error, &[(which, party, part)]);
                assert!(
                    run.outcomes.iter().all(Result::is_err),
                    "{which:?}, {steps:?}, error {row}: {:?}",
                    run.outcomes
                );
            }
        }
    }
}

#[test]
fn every_factor_that_its_holders_disagree_on_is_refused() {
    wrong_factors::<Z8>();
    wrong_factors::<Z16>();
    wrong_factors::<Z32>();
    wrong_factors::<Z64>();
    wrong_factors::<Z128>();
}

#[test]
fn parties_with_different_batches_stop() {
    tests::assert_proofs_differ(|s| {
        let mut batch = batch_of(s, &[(64, Dot(4, 1)), (64, Dot(4, 1))])?;
        // As many products of one ring, in another order: other statements.
        if s.me().index() == 1 {
            batch.z64.reverse();
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
