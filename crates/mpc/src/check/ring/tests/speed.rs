//! What a proof costs, by role. Run alone on a machine, with `--ignored --nocapture`.

use std::hint::black_box;
use std::time::Instant;

use super::*;
use crate::check::ring::lanes::ProverLanes;
use crate::check::ring::operand::Kept;
use crate::check::ring::prover;
use crate::check::ring::shape::Shape;
use crate::check::ring::sides::{Side, Terms};
use crate::check::ring::transcript::{Challenge, Selections, Statement, Transcript};
use crate::check::ring::verifier::Points;
use crate::check::rounds;
use crate::lab::Lab;
use crate::session::Role;

/// Nanoseconds for each of `n`, at best.
fn time(n: usize, f: &mut dyn FnMut()) -> f64 {
    let times = (0..((1 << 21) / n).clamp(3, 20)).map(|_| {
        let start = Instant::now();
        f();
        start.elapsed().as_secs_f64() * 1e9 / n as f64
    });
    times.fold(f64::INFINITY, f64::min)
}

/// Subsets, quotients, operands and rounds of the prover, the left and the right verifier's sides.
fn roles(s: &mut Session, name: &str, n: usize, steps: &[RingStep]) -> Result<(), ProtocolError> {
    let batch = batch_of(s, steps)?;
    if s.me().index() != 0 {
        return Ok(());
    }
    let core = s.core.clone();
    let Role::Rep3 { roots, .. } = &core.role else { unreachable!("three parties compute") };
    let [own, next] = &roots.0;
    let step = s.begin("check")?;
    let shape = Shape::of(&batch);
    let statement = Statement::of(*s.session_id(), &step, &batch, shape);
    let transcript = Transcript::new(&statement, 0, &[[1; 32], [2; 32]]);
    let side = |batch| Side { batch, shape, selections: Selections::of(&transcript, shape) };
    let challenge = Challenge::of(&transcript, shape);
    let prime = &challenge.prime;
    let of_prover = rounds::of_prover(&step, 0);
    let lanes = ProverLanes::of(&of_prover, [own, next], shape, prime);
    let mine = side(&batch);
    let operands = || {
        let [mut u, mut v] = [(); 2].map(|()| Kept::new(shape));
        mine.left(0, &challenge, None, &mut u);
        mine.right(1, &challenge, None, &mut v);
        [u, v].map(Kept::ended)
    };
    let digests = vec![[0; 32]; shape.n_digests()];
    let mut last = transcript.clone();
    digests.iter().for_each(|digest| last.absorb(digest));
    let points = Points::of(transcript.clone(), prime, &digests, last.state()).expect("the same state");
    let with_rounds = time(n, &mut || {
        drop(black_box(prover::prove(shape, transcript.clone(), prime, operands(), &lanes)));
    });
    let of_operands = time(n, &mut || drop(black_box(operands())));
    let times = [
        time(n, &mut || drop(black_box(side(&batch)))),
        time(n, &mut || drop(black_box(mine.quotients([own, next])))),
        of_operands,
        with_rounds - of_operands,
        time(n, &mut || {
            let mut operand = points.folded(prime, shape);
            black_box(mine.left(1, &challenge, Some(Terms { part: 1, root: next }), &mut operand));
        }),
        time(n, &mut || {
            let mut operand = points.folded(prime, shape);
            black_box(mine.right(0, &challenge, Some(own), &mut operand));
        }),
    ];
    print!("{name:>22}");
    times.iter().for_each(|time| print!(" {time:9.1}"));
    // Each party takes part in three proofs.
    println!(" {:9.1} ns", times.iter().sum::<f64>() + 2.0 * times[0]);
    Ok(())
}

#[test]
#[ignore = "a measurement"]
fn nanoseconds_per_product_and_party() {
    let roles_of = ["subsets", "quotients", "operands", "rounds", "L", "R"];
    println!("{:>22} {}       all", "a product of", roles_of.map(|role| format!("{role:>9}")).join(" "));
    for (name, n, step) in [
        ("Z32, 2^14", 1 << 14, (32, Dot(1 << 14, 1))),
        ("Z32, 2^18", 1 << 18, (32, Dot(1 << 18, 1))),
        ("Z64, 2^14", 1 << 14, (64, Dot(1 << 14, 1))),
        ("Z64, 2^18", 1 << 18, (64, Dot(1 << 18, 1))),
        ("Z64, 2^20", 1 << 20, (64, Dot(1 << 20, 1))),
        ("Z128, 2^18", 1 << 18, (128, Dot(1 << 18, 1))),
        ("Z64, a term of 2^18", 1 << 18, (64, Inner(1 << 18))),
        ("Z64, 512^2 of 512^3", 1 << 18, (64, Matrix([512, 512, 512]))),
    ] {
        Lab::seeded(1).run(|s| roles(s, name, n, std::slice::from_ref(&step))).all();
    }
}
