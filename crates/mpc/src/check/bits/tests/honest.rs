//! Honest runs: accepted whatever the shape, at the price that counting foretells.

use super::*;
use crate::lab::Lab;

fn shapes() -> Vec<Vec<StepShape>> {
    vec![
        vec![],
        vec![(0, vec![(3, 3)])],
        tiny(),
        vec![(5, vec![(3, 3), (1, 7)]), (64, vec![(2, 1)]), (33, vec![(1, 1)])],
        vec![(511, vec![(2, 2)]), (512, vec![(1, 1)]), (513, vec![(2, 2)]), (1, vec![(64, 64)])],
        vec![(1024, vec![(3, 3)]), (700, vec![(1, 4), (4, 1)])],
        // 2^14 gates in 32 lines, one line more, and so on to where k is 5 and 6.
        vec![(8192, vec![(2, 2)])],
        vec![(8192, vec![(2, 2)]), (1, vec![(1, 1)])],
        vec![(512, vec![(64, 64)])],
        vec![(4096, vec![(9, 9)]), (100, vec![(11, 11)])],
        vec![(8192, vec![(32, 32)])],
        vec![(8192, vec![(33, 33)]), (17, vec![(5, 5)])],
    ]
}

#[test]
fn honest_products_are_accepted_at_the_price_counted() {
    for (seed, shapes) in shapes().iter().enumerate() {
        let lab = Lab::seeded(seed as u64);
        let honest = lab.run(|s| run(s, shapes));
        let counted = lab.count(|s| run(s, shapes)).expect("counting succeeds");
        assert!(honest.outcomes.iter().all(Result::is_ok), "{shapes:?}: {:?}", honest.outcomes);
        assert_eq!(honest.cost(), counted, "{shapes:?}");
        honest.all();
    }
}

#[test]
fn a_proof_alone() {
    for n in [1, 512, 5000, 20_000, 1 << 15, (1 << 18) + 1] {
        let mut alone = alone::Alone::new(n as u64, n);
        assert!(alone.accepted(), "{n} gates");
        let wrong = n * 7 / 8;
        alone.gates[4] = alone.gates[4].map(|at, word| word ^ u64::from(at == wrong / 64) << (wrong % 64));
        assert!(!alone.accepted(), "gate {wrong} of {n} is wrong");
    }
}
