//! Long vectors over GF(2^128), four elements at a time where the processor can.

#[cfg(target_arch = "x86_64")]
use super::four;
use super::{Field, Gf128};
use crate::group::Group;

/// `out[i] *= x[i]`.
///
/// # Panics
/// If the lengths differ.
pub fn multiply_into(out: &mut [Gf128], x: &[Gf128]) {
    assert_eq!(out.len(), x.len(), "slices of one length");
    #[cfg(target_arch = "x86_64")]
    if out.len().is_multiple_of(4) && four::is_there() {
        // SAFETY: the processor has the instructions.
        return unsafe { four::multiply_into(out, x) };
    }
    super::multiply_into(out, x);
}

/// `Σ x[i]·y[i]`.
///
/// # Panics
/// If the lengths differ.
pub fn inner_product(x: &[Gf128], y: &[Gf128]) -> Gf128 {
    assert_eq!(x.len(), y.len(), "slices of one length");
    #[cfg(target_arch = "x86_64")]
    if x.len().is_multiple_of(4) && four::is_there() {
        // SAFETY: the processor has the instructions.
        return unsafe { four::inner_product(x, y) };
    }
    super::inner_product(x, y)
}

/// `out[i] += factor · x[i]`.
///
/// # Panics
/// If the lengths differ.
pub fn add_scaled(out: &mut [Gf128], x: &[Gf128], factor: Gf128) {
    assert_eq!(out.len(), x.len(), "slices of one length");
    #[cfg(target_arch = "x86_64")]
    if out.len().is_multiple_of(4) && four::is_there() {
        // SAFETY: the processor has the instructions.
        return unsafe { four::add_scaled(out, x, factor) };
    }
    super::add_scaled(out, x, factor);
}

/// `low[i] += at · (low[i] + high[i])`: [`super::fold_into`]. Zeros are meant past the end of `high`.
///
/// # Panics
/// If `high` is longer than `low`.
pub fn fold_into(low: &mut [Gf128], high: &[Gf128], at: Gf128) {
    assert!(high.len() <= low.len(), "no more above than below");
    #[cfg(target_arch = "x86_64")]
    if low.len().is_multiple_of(4) && high.len().is_multiple_of(4) && four::is_there() {
        // SAFETY: the processor has the instructions.
        return unsafe { four::fold_into(low, high, at) };
    }
    let (low, rest) = low.split_at_mut(high.len());
    super::fold_into(low, high, at);
    super::scale(rest, Gf128::ONE.plus(at));
}

/// Products of pairs of rows of `zero.len()` elements, summed column by column:
/// `zero[t] = Σ x[0]·y[0]` and `infinity[t] = Σ (x[0] + x[1])·(y[0] + y[1])`, each over the
/// elements `t`, `t + zero.len()`, …. Zeros are meant past the ends of `x[1]` and `y[1]`.
///
/// # Panics
/// If the lengths do not fit.
pub fn pair_products(x: [&[Gf128]; 2], y: [&[Gf128]; 2], zero: &mut [Gf128], infinity: &mut [Gf128]) {
    let n = x[0].len();
    assert!(
        n.is_multiple_of(zero.len()) && zero.len() == infinity.len(),
        "whole rows, a sum for each column"
    );
    let n_high = x[1].len();
    assert!(n_high.is_multiple_of(zero.len()) && n_high <= n, "whole rows above, no more than below");
    assert!(y[0].len() == n && y[1].len() == n_high, "both sides of one length");
    #[cfg(target_arch = "x86_64")]
    if zero.len().is_multiple_of(4) && four::is_there() {
        // SAFETY: the processor has the instructions.
        return unsafe { four::pair_products(x, y, zero, infinity) };
    }
    super::pair_products(x, y, zero, infinity);
}

/// [`pair_products`] of one row, or of one that nothing lies above, added to the sums.
///
/// # Panics
/// If the lengths do not fit.
pub fn add_pair_products(x: [&[Gf128]; 2], y: [&[Gf128]; 2], zero: &mut [Gf128], infinity: &mut [Gf128]) {
    let n = zero.len();
    assert!(infinity.len() == n && x[0].len() == n && y[0].len() == n, "a sum for each column");
    assert!(x[1].len() == y[1].len() && [0, n].contains(&x[1].len()), "a whole row above or none");
    #[cfg(target_arch = "x86_64")]
    if n.is_multiple_of(4) && four::is_there() {
        // SAFETY: the processor has the instructions.
        return unsafe { four::add_pair_products(x, y, zero, infinity) };
    }
    let mut sums = [vec![Gf128(0); n], vec![Gf128(0); n]];
    let [at_zero, at_infinity] = &mut sums;
    super::pair_products(x, y, at_zero, at_infinity);
    let add = |out: &mut [Gf128], x: &[Gf128]| out.iter_mut().zip(x).for_each(|(out, x)| *out = out.plus(*x));
    add(zero, at_zero);
    add(infinity, at_infinity);
}

/// [`fold_into`] of the first `n_low` elements of `x` and those above them, and of `y`, and then
/// [`pair_products`] of the halves that are left.
///
/// # Panics
/// If the lengths do not fit.
pub fn fold_pairs(
    x: &mut [Gf128],
    y: &mut [Gf128],
    n_low: usize,
    at: Gf128,
    zero: &mut [Gf128],
    infinity: &mut [Gf128],
) {
    assert!(n_low.is_multiple_of(2 * zero.len()) && zero.len() == infinity.len(), "an even number of rows");
    assert!(x.len() == y.len() && (n_low..=2 * n_low).contains(&x.len()), "no more above than below");
    #[cfg(target_arch = "x86_64")]
    if zero.len().is_multiple_of(4) && x.len().is_multiple_of(zero.len()) && four::is_there() {
        // SAFETY: the processor has the instructions.
        return unsafe { four::fold_pairs(x, y, n_low, at, zero, infinity) };
    }
    let fold = |w: &mut [Gf128]| {
        let (low, high) = w.split_at_mut(n_low);
        fold_into(low, high, at);
    };
    fold(x);
    fold(y);
    let [x, y] = [x, y].map(|w| w[..n_low].split_at(n_low / 2).into());
    pair_products(x, y, zero, infinity);
}

/// [`pair_products`] of one column: `Σ x[0]·y[0]` and `Σ (x[0] + x[1])·(y[0] + y[1])`.
///
/// # Panics
/// If the lengths differ.
pub fn pair_sums(x: [&[Gf128]; 2], y: [&[Gf128]; 2]) -> [Gf128; 2] {
    let mut sums = [[Gf128(0); 4]; 2];
    let width = if x[0].len().is_multiple_of(4) { 4 } else { 1 };
    let [zero, infinity] = &mut sums;
    pair_products(x, y, &mut zero[..width], &mut infinity[..width]);
    sums.map(|sums| sums.into_iter().fold(Gf128(0), Group::plus))
}
