//! Lines of 512 bits, read as four elements of GF(2^128) each, and sums over many of them.
//!
//! What a check of bits spends its time on. Weights and factors are public; lines
//! are shares, and nothing branches on them or looks them up.

mod extension;
mod factors;
mod narrow;
mod sum;
#[cfg(target_arch = "x86_64")]
mod wide;

#[cfg(target_arch = "x86_64")]
use super::four;

pub use extension::{Block, GROUP, weigh_products};
pub use factors::{Factors, Folded};
pub use sum::WeighedSum;

/// 512 packed bits: bit `j` of element `q` is bit `128·q + j`.
pub type Line = [u64; 8];

/// The bits of a line.
pub const LINE_BITS: usize = 512;

/// `sums[i] += weight · lines[i]`, where the weight is a polynomial of degree below 64.
///
/// # Panics
/// If the lengths differ.
pub fn weigh(sums: &mut [WeighedSum], lines: &[Line], weight: u64) {
    assert_eq!(sums.len(), lines.len(), "a sum for each line");
    #[cfg(target_arch = "x86_64")]
    if four::is_there() {
        // SAFETY: the processor has the instructions.
        return unsafe { wide::weigh(sums, lines, weight) };
    }
    narrow::weigh(sums, lines, weight);
}

#[cfg(test)]
mod tests;
