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
