//! Twins where they have blocks of their own, and gates whose factors are apart, beside others.

use math::Planes;

use super::sums::turned;
use super::*;
use crate::error::Deviation;
use crate::lab::Lab;

/// Rows, planes of a factor, of the twin that meets its upper ones, and of what is apart.
type KindShape = (usize, usize, usize, usize);

/// A column without a part in slot 2, or one that has no other.
fn without(s: &Session, bits: &SharedBits, is_third: bool) -> SharedBits {
    let Some(index) = s.seat().map(|seat| seat.index) else { return bits.clone() };
    let parts = bits.parts().map(|at, planes: &Planes| {
        if ((index + at) % 3 == 2) == is_third {
            planes.clone()
        } else {
            Planes::zeroed(planes.n_rows(), planes.width())
        }
    });
    SharedBits::from_parts(bits.n_rows(), bits.width(), parts)
}

/// Runs steps of these shapes, and keeps what a recorder would.
fn kinds_of(s: &mut Session, shapes: &[KindShape]) -> Result<Vec<AndStep>, ProtocolError> {
    let mut batch = Vec::new();
    for (at, (n_rows, width, twin, apart)) in shapes.iter().enumerate() {
        let side = |seed: usize, width| {
            let seed = (100 * at + seed) as u64;
            deal_bits(s, seed, &planes(seed, *n_rows, width))
        };
        let [x, y, y_twin] = [(0, *width), (1, *width), (2, *twin)].map(|(seed, width)| side(seed, width));
        let [left, right] = [3, 4].map(|seed| side(seed, *apart));
        let (left, right) = (without(s, &left, false), without(s, &right, true));
        let (z, z_twin) = crate::and_twin(s, ("twin", at), &[(&x, &y, None)], &y_twin)?;
        let first = width - twin;
        batch.push(AndStep {
            step: s.step().child(("twin", at).into()),
            z: SharedBits::stack(&[&z[0], &z_twin]),
            pairs: vec![
                (x.planes(0..first), y.planes(0..first)),
                (x.planes(first..*width), y.planes(first..*width)),
                (x.planes(first..*width), y_twin),
            ],
            second: Vec::new(),
            twins: vec![2],
            provers: [true; 3],
            is_apart: false,
        });
        let z = crate::and(s, ("apart", at), &left, &right)?;
        batch.push(AndStep {
            step: s.step().child(("apart", at).into()),
            pairs: vec![(left, right)],
            second: Vec::new(),
            twins: Vec::new(),
            z,
            provers: [false, true, true],
            is_apart: true,
        });
    }
    Ok(batch)
}

/// Blocks of twins.
fn blocks(batch: &[AndStep], prover: usize) -> [usize; 2] {
    let shape = gates::shape(&gates::of_prover(batch, prover), &net::LinkProfile::INSTANT);
    [Kind::FirstTwin, Kind::SecondTwin].map(|kind| shape.blocks(kind).len())
}

#[test]
fn honest_kinds_are_accepted_at_the_price_counted() {
    // Twins with blocks of their own, and without; tails of rows; an odd number of blocks.
    let shapes: [(&[KindShape], usize); 6] = [
        (&[(4096, 17, 16, 16)], 4),
        (&[(4096, 20, 20, 19)], 5),
        (&[(4096, 17, 17, 1)], 5),
        (&[(4096, 17, 1, 17)], 0),
        (&[(4096, 3, 2, 1)], 0),
        (&[(1500, 44, 43, 43), (100, 7, 3, 5), (0, 2, 1, 1), (513, 3, 2, 4)], 5),
    ];
    for (seed, (shapes, expected)) in shapes.into_iter().enumerate() {
        let f = |s: &mut Session| {
            let batch = kinds_of(s, shapes)?;
            let found = [1, 2].map(|prover| blocks(&batch, prover));
            let step = s.begin("check")?;
            prove(s, &step, &batch)?;
            Ok(found)
        };
        let lab = Lab::seeded(seed as u64);
        let honest = lab.run(f);
        for outcome in &honest.outcomes {
            assert_eq!(outcome.as_ref().ok(), Some(&[[expected; 2]; 2]), "{shapes:?}: {outcome:?}");
        }
        assert_eq!(honest.cost(), lab.count(f).expect("counting succeeds"), "{shapes:?}");
    }
}

#[test]
fn wrong_gates_of_every_kind_are_refused() {
    let shapes = [(1500, 30, 27, 27), (2048, 12, 12, 12)];
    // Step, plane of its product, and row: both twins and gates without one, and gates that are apart.
    let (twins, apart) = ([(0, 0), (0, 3), (0, 29), (0, 30), (0, 56)], [(1, 0), (1, 26), (3, 11)]);
    let places = twins.into_iter().chain(apart).chain([(2, 0), (2, 11), (2, 12), (2, 23)]);
    for (at, (step, plane)) in places.enumerate() {
        for prover in 0..3 {
            for row in [0, 511, 1024, 1499] {
                let run = Lab::seeded(at as u64).run(|s| {
                    let mut batch = kinds_of(s, &shapes)?;
                    assert!(blocks(&batch, prover)[0] > 0);
                    let (z, me) = (&mut batch[step].z, s.me().index());
                    if me == prover {
                        *z = turned(z, 0, plane, row);
                    } else if me == (prover + 2) % 3 {
                        *z = turned(z, 1, plane, row);
                    }
                    let step = s.begin("check")?;
                    prove(s, &step, &batch)
                });
                let what = format!("plane {plane} of step {step}, row {row}, party {prover}");
                if [1, 3].contains(&step) && prover == 0 {
                    // It has no products of that kind, and nobody looks at what it would have said.
                    run.all();
                    continue;
                }
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

#[test]
fn factors_of_every_kind_that_their_holders_disagree_on_are_refused() {
    let shapes = [(2048, 33, 32, 33)];
    for step in [0, 1] {
        for (side, plane) in [(0, 0), (1, 0), (0, 31), (1, 31)] {
            for (part, party) in [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)] {
                for pair in 0..if step == 0 { 3 } else { 1 } {
                    let mut is_known_zero = false;
                    let run = Lab::seeded(plane as u64).run(|s| {
                        let mut batch = kinds_of(s, &shapes)?;
                        let and = &mut batch[step];
                        let me = s.me().index();
                        // Twins hold one left factor: a party has one part of it.
                        let pairs = match (pair, side, step) {
                            (1 | 2, 0, 0) => vec![1, 2],
                            _ => vec![pair],
                        };
                        for pair in pairs {
                            let (x, y) = &mut and.pairs[pair];
                            let factor = if side == 0 { x } else { y };
                            let plane = plane.min(factor.width() - 1);
                            if me == party {
                                *factor = turned(factor, part, plane, 700);
                            }
                        }
                        let step = s.begin("check")?;
                        prove(s, &step, &batch)
                    });
                    if step == 1 {
                        // Parts that are zero by structure are never read.
                        is_known_zero = ((party + part) % 3 == 2) == (side == 0);
                    }
                    let what = format!("{side} of pair {pair}, step {step}, part {part} of {party}");
                    let is_refused = run.outcomes.iter().any(Result::is_err);
                    assert_eq!(is_refused, !is_known_zero, "{what}: {:?}", run.outcomes);
                }
            }
        }
    }
}

/// Two errors at the same place of both twins, which would cancel if they weighed the same.
#[test]
fn errors_of_twins_do_not_cancel() {
    for prover in 0..3 {
        let run = Lab::seeded(3).run(|s| {
            let mut batch = kinds_of(s, &[(4096, 17, 16, 0)])?;
            let (z, me) = (&mut batch[0].z, s.me().index());
            for plane in [1, 17] {
                if me == prover {
                    *z = turned(z, 0, plane, 5);
                } else if me == (prover + 2) % 3 {
                    *z = turned(z, 1, plane, 5);
                }
            }
            let step = s.begin("check")?;
            prove(s, &step, &batch)
        });
        assert!(run.outcomes[(prover + 1) % 3].is_err(), "prover {prover}");
    }
}

/// Records of which a proof would leave gates out, or take a left factor for another one.
#[test]
fn records_that_do_not_fit_together_are_told() {
    let told = Lab::seeded(5).run(|s| {
        let honest = kinds_of(s, &[(600, 5, 3, 2)])?;
        let side = |width| deal_bits(s, 9, &planes(9, 600, width));
        let fits = |at: usize, change: &dyn Fn(&mut AndStep)| {
            let mut and = honest[at].clone();
            change(&mut and);
            and.fits_together()
        };
        let fewer = deal_bits(s, 9, &planes(9, 599, 2));
        let spoiled: [&dyn Fn(&mut AndStep); 9] = [
            // Twins of another width, of none, two in a row, among the terms of sums, and where gates are apart.
            &|and| and.pairs[2] = (side(4), side(4)),
            &|and| and.twins = vec![1],
            &|and| and.twins = vec![0],
            &|and| and.twins = vec![1, 2],
            &|and| and.second = vec![and.pairs[2].clone()],
            &|and| and.is_apart = true,
            // A second term that is wider than its first one, and a product that is wider than its factors.
            &|and| {
                and.twins = Vec::new();
                and.second = vec![(side(4), side(4))];
            },
            &|and| and.z = side(9),
            // Another number of rows.
            &|and| and.pairs[0].1 = fewer.clone(),
        ];
        // Of what is apart, all others' products, or fewer.
        let provers = [[true; 3], [false, true, false]];
        let fit = [0, 1].iter().all(|at| fits(*at, &|_| {}));
        let told = spoiled.iter().all(|change| !fits(0, change))
            && provers.iter().all(|provers| !fits(1, &|and| and.provers = *provers));
        Ok(fit && told)
    });
    assert!(told.agreed());
}

/// What one bit selects is recorded in halves with that bit as their factor, and each plane is proved.
#[test]
fn every_plane_that_a_bit_selects_is_proved() {
    let mux = |s: &mut Session, spoiled: Option<(usize, usize)>| {
        let [bit, x] = [(1, 1), (2, 33)].map(|(seed, width)| deal_bits(s, seed, &planes(seed, 4096, width)));
        let z = crate::and_bit(s, "mux", &bit, &x)?;
        let (pairs, twins) = crate::ands::recorded(4096, &[(&x, &bit, None)], false);
        let step = s.step().child("mux".into());
        let mut and =
            AndStep { step, pairs, second: Vec::new(), twins, z, provers: [true; 3], is_apart: false };
        assert!(and.fits_together() && blocks(std::slice::from_ref(&and), 0) == [4, 4]);
        if let Some((prover, plane)) = spoiled {
            match s.me().index() {
                me if me == prover => and.z = turned(&and.z, 0, plane, 3000),
                me if me == (prover + 2) % 3 => and.z = turned(&and.z, 1, plane, 3000),
                _ => {}
            }
        }
        let step = s.begin("check")?;
        prove(s, &step, &[and])
    };
    Lab::seeded(1).run(|s| mux(s, None)).all();
    for (prover, plane) in [(0, 0), (1, 15), (2, 16), (0, 31), (1, 32)] {
        let run = Lab::seeded(2).run(|s| mux(s, Some((prover, plane))));
        assert!(run.outcomes[(prover + 1) % 3].is_err(), "plane {plane}, prover {prover}");
    }
}
