//! Sums that wait for their reduction.

use bytemuck::{Pod, Zeroable};

use crate::gf::Gf128;
use crate::gf::carryless::{Carryless, Portable};

/// A sum of lines under weights of degree below 64, element by element and not reduced.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct WeighedSum {
    /// Of the elements' coefficients below X^64.
    pub(super) low: [u128; 4],
    /// Of those from X^64 on.
    pub(super) high: [u128; 4],
}

impl WeighedSum {
    /// The sum of nothing.
    pub const ZERO: Self = WeighedSum { low: [0; 4], high: [0; 4] };

    /// `Σ_q factors[q] · (element q)`.
    pub fn total(&self, factors: &[Gf128; 4]) -> Gf128 {
        let elements: [Gf128; 4] =
            std::array::from_fn(|q| Gf128(Portable::reduce_128([self.low[q], self.high[q], 0])));
        crate::gf::inner_product(&elements, factors)
    }
}

/// `sum += weight · line`, with any way to multiply.
#[inline(always)]
pub(super) fn add<C: Carryless>(sum: &mut WeighedSum, line: &super::Line, weight: C::Word) {
    for q in 0..4 {
        let word = C::load(u128::from(line[2 * q]) | u128::from(line[2 * q + 1]) << 64);
        sum.low[q] ^= C::store(C::multiply::<0x00>(word, weight));
        sum.high[q] ^= C::store(C::multiply::<0x01>(word, weight));
    }
}
