//! What a proof costs, by role. Run alone on a machine, with `--ignored --nocapture`.

use std::hint::black_box;
use std::time::Instant;

use super::alone::Alone;
use crate::prss::{Root, Use};
use crate::step::Step;

#[test]
#[ignore = "a measurement"]
fn nanoseconds_per_and_and_party() {
    let roles = ["prover", "L rows", "L", "R rows", "R", "masks"];
    println!("{:>9} {}      all", "gates", roles.map(|role| format!("{role:>8}")).join(" "));
    for log in [14, 16, 18, 20, 22] {
        let gates = 1 << log;
        let alone = Alone::new(1, gates);
        let proof = alone.prove();
        let runs = ((1 << 23) / gates).clamp(3, 40);
        let per_gate = |f: &mut dyn FnMut()| {
            let times = (0..runs).map(|_| {
                let start = Instant::now();
                f();
                start.elapsed().as_secs_f64() * 1e9 / gates as f64
            });
            times.fold(f64::INFINITY, f64::min)
        };
        let times = [
            per_gate(&mut || drop(black_box(alone.prove()))),
            per_gate(&mut || drop(black_box(alone.left_claim()))),
            {
                let claims: Vec<_> = (0..runs).map(|_| alone.left_claim()).collect();
                let mut claims = claims.into_iter();
                per_gate(&mut || drop(black_box(alone.left(claims.next().expect("one a run"), &proof))))
            },
            per_gate(&mut || drop(black_box(alone.right_claim()))),
            {
                let digests = alone.left(alone.left_claim(), &proof).expect("an honest proof").0;
                let claims: Vec<_> = (0..runs).map(|_| alone.right_claim()).collect();
                let mut claims = claims.into_iter();
                per_gate(&mut || {
                    let claim = claims.next().expect("one a run");
                    let _ = black_box(alone.right(claim, &digests, &proof.last));
                })
            },
            per_gate(&mut || {
                let root = Root::new(&[1; 32]);
                for step in [1, 2].map(|byte| Step::root(&[byte; 32])) {
                    drop(black_box(root.stream(&step, Use::Mask).planes(gates, 1)));
                }
            }),
        ];
        print!("{:>9}", format!("2^{log}"));
        times.iter().for_each(|time| print!(" {time:8.3}"));
        println!("  {:8.3} ns", times.iter().sum::<f64>());
    }
}
