//! Honest runs: accepted whatever the shape, at the price that counting foretells.

use super::*;
use crate::lab::Lab;

const RINGS: [u32; 5] = [8, 16, 32, 64, 128];

fn batches() -> Vec<Vec<RingStep>> {
    let mut batches = vec![vec![], vec![(32, Dot(0, 1))], vec![(64, Inner(0))], vec![(8, Matrix([2, 0, 3]))]];
    for ring in RINGS {
        batches.push(vec![(ring, Dot(1, 1))]);
        batches.push(vec![(ring, Dot(9, 3)), (ring, Many(vec![3, 1, 600])), (ring, Inner(77))]);
        batches.push(vec![(ring, Matrix([3, 5, 2]))]);
        batches.push(vec![(ring, Moved(1, false))]);
        batches.push(vec![(ring, Moved(700, true)), (ring, Dot(3, 1)), (ring, Moved(5, false))]);
        batches.push(vec![(ring, Matrix([1, 40, 1])), (ring, Dot(513, 1)), (ring, Matrix([7, 1, 9]))]);
    }
    batches.push(RINGS.iter().flat_map(|ring| [(*ring, Dot(100, 2)), (*ring, Inner(10))]).collect());
    batches.push(
        RINGS.iter().flat_map(|ring| [(*ring, Matrix([2, 3, 4])), (*ring, Many(vec![1, 2]))]).collect(),
    );
    batches.push(vec![(64, Dot(20_000, 1))]);
    batches
}

#[test]
fn honest_products_are_accepted_at_the_price_counted() {
    for (seed, steps) in batches().iter().enumerate() {
        let lab = Lab::seeded(seed as u64);
        let honest = lab.run(|s| run(s, steps));
        let counted = lab.count(|s| run(s, steps)).expect("counting succeeds");
        assert!(honest.outcomes.iter().all(Result::is_ok), "{steps:?}: {:?}", honest.outcomes);
        assert_eq!(honest.cost(), counted, "{steps:?}");
        honest.all();
    }
}
