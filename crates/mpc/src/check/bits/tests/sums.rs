//! Sums of two ANDs beside single ones.

use math::Planes;

use super::*;
use crate::error::Deviation;
use crate::lab::Lab;

/// Rows, planes of single ANDs, and planes of sums.
type SumShape = (usize, usize, usize);

/// Runs the steps of these shapes, as [`crate::and_sums`] does, and keeps what a recorder would.
fn sums_of(s: &mut Session, shapes: &[SumShape]) -> Result<Vec<AndStep>, ProtocolError> {
    let mut batch = Vec::new();
    for (at, (n_rows, n_single, n_sums)) in shapes.iter().enumerate() {
        let side = |seed: usize, width| {
            let seed = (100 * at + seed) as u64;
            deal_bits(s, seed, &planes(seed, *n_rows, width))
        };
        let [single, first, second] = [(0, n_single), (2, n_sums), (4, n_sums)]
            .map(|(seed, width)| (side(seed, *width), side(seed + 1, *width)));
        let [a, b, c] = [&single, &first, &second].map(|(x, y)| (x, y));
        let z = crate::and_sums(s, ("sums", at), &[a], &[[b, c]])?;
        batch.push(AndStep {
            step: s.step().child(("sums", at).into()),
            z: SharedBits::stack(&[&z[0], &z[1]]),
            pairs: vec![single, first],
            second: vec![second],
            twins: Vec::new(),
            provers: [true; 3],
            is_apart: false,
        });
    }
    Ok(batch)
}

pub(super) fn turned(bits: &SharedBits, part: usize, plane: usize, row: usize) -> SharedBits {
    let parts = bits.parts().map(|at, planes: &Planes| {
        let words = planes.n_rows().div_ceil(64);
        let width = planes.width();
        Planes::build(planes.n_rows(), width, |p, out| {
            out[..words].copy_from_slice(&planes.plane(p)[..words]);
            out[row / 64] ^= u64::from(at == part && p == plane) << (row % 64);
        })
    });
    SharedBits::from_parts(bits.n_rows(), bits.width(), parts)
}

#[test]
fn honest_sums_are_accepted_at_the_price_counted() {
    let shapes: [&[SumShape]; 6] = [
        &[(1, 0, 1)],
        &[(5, 1, 1), (70, 0, 1), (3, 2, 0)],
        &[(513, 2, 3)],
        &[(512, 16, 5), (100, 1, 1)],
        &[(8192, 1, 2), (4096, 3, 3)],
        &[(8192, 12, 20)],
    ];
    for (seed, shapes) in shapes.into_iter().enumerate() {
        let f = |s: &mut Session| {
            let batch = sums_of(s, shapes)?;
            let step = s.begin("check")?;
            prove(s, &step, &batch)
        };
        let lab = Lab::seeded(seed as u64);
        let honest = lab.run(f);
        assert!(honest.outcomes.iter().all(Result::is_ok), "{shapes:?}: {:?}", honest.outcomes);
        assert_eq!(honest.cost(), lab.count(f).expect("counting succeeds"), "{shapes:?}");
    }
}

#[test]
fn wrong_sums_and_factors_are_refused() {
    let shapes = [(5, 1, 1), (70, 0, 2), (520, 1, 1)];
    // Products: both that hold one go on with a wrong bit of a sum. Factors: one holder alone.
    for (step, plane, row) in [(0, 0, 0), (0, 0, 4), (1, 1, 69), (1, 0, 3), (2, 0, 0), (2, 0, 519)] {
        for spoiled in 0..5 {
            for prover in 0..3 {
                let run = Lab::seeded(row as u64).run(|s| {
                    let mut batch = sums_of(s, &shapes)?;
                    let and = &mut batch[step];
                    let n_single = and.pairs[0].0.width();
                    let me = s.me().index();
                    match spoiled {
                        0 if me == prover => and.z = turned(&and.z, 0, n_single + plane, row),
                        0 if me == (prover + 2) % 3 => and.z = turned(&and.z, 1, n_single + plane, row),
                        1 if me == prover => and.second[0].0 = turned(&and.second[0].0, 0, plane, row),
                        2 if me == prover => and.second[0].1 = turned(&and.second[0].1, 1, plane, row),
                        3 if me == prover => and.pairs[1].0 = turned(&and.pairs[1].0, 1, plane, row),
                        4 if me == prover => and.pairs[1].1 = turned(&and.pairs[1].1, 0, plane, row),
                        _ => {}
                    }
                    let step = s.begin("check")?;
                    prove(s, &step, &batch)
                });
                let what = format!("{spoiled} of gate {row}, plane {plane} of step {step}, party {prover}");
                assert!(run.outcomes.iter().any(Result::is_err), "{what}");
                if spoiled == 0 {
                    let verdict = &run.outcomes[(prover + 1) % 3];
                    let refused = matches!(
                        verdict,
                        Err(ProtocolError::PeerDeviated { deviation: Deviation::FalseProof, .. })
                    );
                    assert!(refused, "{what}: {verdict:?}");
                }
            }
        }
    }
}
