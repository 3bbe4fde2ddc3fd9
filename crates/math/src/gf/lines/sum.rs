//! Sums that wait for their reduction.

use bytemuck::{Pod, Zeroable};

use super::Weight;
use crate::gf::Gf128;
use crate::gf::carryless::Carryless;
use crate::gf::vectors::inner_product;

/// A sum of lines under weights: an element for each of a line's, of degree below 127.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct WeighedSum(pub(super) [Gf128; 4]);

impl WeighedSum {
    /// The sum of nothing.
    pub const ZERO: Self = WeighedSum([Gf128(0); 4]);

    /// `Σ_q factors[q] · (element q)`.
    pub fn total(&self, factors: &[Gf128; 4]) -> Gf128 {
        inner_product(&self.0, factors)
    }
}

/// [`WeighedSum::total`] of each sum.
///
/// # Panics
/// If there is not a place for each.
pub fn totals(sums: &[WeighedSum], factors: &[Gf128; 4], out: &mut [Gf128]) {
    assert_eq!(sums.len(), out.len(), "a place for each total");
    #[cfg(target_arch = "x86_64")]
    let (sums, out) = if super::four::is_there() {
        let (fours, rest) = sums.as_chunks::<4>();
        let (out, out_rest) = out.as_chunks_mut::<4>();
        // SAFETY: the processor has the instructions.
        unsafe { super::wide::totals(fours, factors, out) };
        (rest, out_rest)
    } else {
        (sums, out)
    };
    out.iter_mut().zip(sums).for_each(|(out, sum)| *out = sum.total(factors));
}

/// `sum += weight · line`, with any way to multiply.
#[inline(always)]
pub(super) fn add<C: Carryless>(sum: &mut WeighedSum, line: &super::Line, weight: &Weight) {
    let weight = C::load(u128::from(weight[0]) | u128::from(weight[1]) << 64);
    for (element, words) in sum.0.iter_mut().zip(line.as_chunks::<2>().0) {
        let word = C::load(u128::from(words[0]) | u128::from(words[1]) << 64);
        element.0 ^=
            C::store(C::multiply::<0x00>(word, weight)) ^ C::store(C::multiply::<0x11>(word, weight));
    }
}
