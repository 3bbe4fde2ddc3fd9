//! Weights of extensions, and orders of elements.

use buf::Buf;
use math::Group;
use math::gf::lines::LINE_BITS;
use math::gf::vectors::fold_into;
use math::gf::{Field, Gf128};

/// `Π_t (bit t of i ? r_t : 1 + r_t)` for each `i`: the weights with which a vector's elements
/// enter its multilinear extension at `points`. The first point belongs to the lowest bit of
/// `i`, or to the highest unless `low_first`.
pub(super) fn equal_weights(points: &[Gf128], low_first: bool) -> Buf {
    let mut out = Buf::zeroed(size_of::<Gf128>() << points.len());
    let weights = out.as_mut_slice::<Gf128>();
    weights[0] = Gf128::ONE;
    let mut n = 1;
    let mut double = |point: &Gf128| {
        let (zeros, ones) = weights[..2 * n].split_at_mut(n);
        fold_into(ones, zeros, *point);
        zeros.iter_mut().zip(ones).for_each(|(zero, one)| *zero = zero.plus(*one));
        n *= 2;
    };
    if low_first {
        points.iter().for_each(&mut double)
    } else {
        points.iter().rev().for_each(double)
    }
    out
}

/// `factor · x` for each `x`.
pub(super) fn scaled(x: &[Gf128], factor: Gf128) -> Vec<Gf128> {
    let mut out = vec![Gf128::ZERO; x.len()];
    fold_into(&mut out, x, factor);
    out
}

/// The elements of lines' bits, bit after bit, from the order in which lines are folded.
pub(super) fn by_bit(folded: &[Gf128]) -> Buf {
    let place = |bit: usize| bit / LINE_BITS * LINE_BITS + 4 * (bit % 128) + bit % LINE_BITS / 128;
    let mut elements = Buf::stale(size_of_val(folded));
    for (bit, element) in elements.as_mut_slice::<Gf128>().iter_mut().enumerate() {
        *element = folded[place(bit)];
    }
    elements
}

/// The other way round.
pub(super) fn as_folded(elements: &[Gf128]) -> Buf {
    let bit = |place: usize| place / LINE_BITS * LINE_BITS + 128 * (place % 4) + place % LINE_BITS / 4;
    let mut folded = Buf::stale(size_of_val(elements));
    for (place, element) in folded.as_mut_slice::<Gf128>().iter_mut().enumerate() {
        *element = elements[bit(place)];
    }
    folded
}
