//! A ring that is small enough to try every coin.

use math::{Group, Ring, X8};

/// Integers modulo 2^K, for K up to 8, in a byte each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
pub struct Small<const K: u32>(pub u8);

impl<const K: u32> Group for Small<K> {
    const BITS: u32 = K;
    const BYTES: usize = 1;
    const ZERO: Self = Small(0);
    fn plus(self, other: Self) -> Self {
        Self::from_word(u128::from(self.0.wrapping_add(other.0)))
    }
    fn minus(self, other: Self) -> Self {
        Self::from_word(u128::from(self.0.wrapping_sub(other.0)))
    }
    fn from_word(word: u128) -> Self {
        Small((word & ((1 << K) - 1)) as u8)
    }
    fn word(self) -> u128 {
        u128::from(self.0)
    }
}

impl<const K: u32> Ring for Small<K> {
    const ONE: Self = Small(1);
    type Bits = X8;
    fn times(self, other: Self) -> Self {
        Self::from_word(u128::from(self.0.wrapping_mul(other.0)))
    }
}
