//! Weights of extensions, and orders of elements.

use math::Group;
use math::gf::lines::LINE_BITS;
use math::gf::vectors::fold_into;
use math::gf::{Field, Gf128};

/// `Π_t (bit t of i ? r_t : 1 + r_t)` for each `i`: the weights with which a vector's elements
/// enter its multilinear extension at `points`. The first point belongs to the lowest bit of
/// `i`, or to the highest unless `low_first`.
pub(super) fn equal_weights(points: &[Gf128], low_first: bool) -> Vec<Gf128> {
    let mut weights = vec![Gf128::ONE];
    let mut double = |point: &Gf128| {
        let ones = scaled(&weights, *point);
        weights.iter_mut().zip(&ones).for_each(|(weight, one)| *weight = weight.plus(*one));
        weights.extend(ones);
    };
    if low_first {
        points.iter().for_each(&mut double)
    } else {
        points.iter().rev().for_each(double)
    }
    weights
}

/// `factor · x` for each `x`.
pub(super) fn scaled(x: &[Gf128], factor: Gf128) -> Vec<Gf128> {
    let mut out = vec![Gf128::ZERO; x.len()];
    fold_into(&mut out, x, factor);
    out
}

/// The elements of lines' bits, bit after bit, from the order in which lines are folded.
pub(super) fn by_bit(folded: &[Gf128]) -> Vec<Gf128> {
    let place = |bit: usize| bit / LINE_BITS * LINE_BITS + 4 * (bit % 128) + bit % LINE_BITS / 128;
    (0..folded.len()).map(|bit| folded[place(bit)]).collect()
}

/// The other way round.
pub(super) fn as_folded(elements: &[Gf128]) -> Vec<Gf128> {
    let bit = |place: usize| place / LINE_BITS * LINE_BITS + 128 * (place % 4) + place % LINE_BITS / 4;
    (0..elements.len()).map(|place| elements[bit(place)]).collect()
}
