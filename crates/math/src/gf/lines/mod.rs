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
pub use factors::{Factors, Folded, Term, fold};
pub use sum::{WeighedSum, totals};

/// 512 packed bits: bit `j` of element `q` is bit `128·q + j`.
pub type Line = [u64; 8];

/// The bits of a line.
pub const LINE_BITS: usize = 512;

/// What a line is multiplied by: a polynomial of degree below 64 for the lower half of each element,
/// and another one for the upper half, as if that were a polynomial of such a degree too. So sums
/// of products are elements as they are.
pub type Weight = [u64; 2];

/// `sums[i] += weight · (x ⊕ y)` for the lines `i` of `[x, y]`. Meanwhile the lines `ahead` are fetched,
/// which are to be read next.
///
/// # Panics
/// If the lengths differ.
pub fn weigh_sums(sums: &mut [WeighedSum], lines: [&[Line]; 2], weight: Weight, ahead: [&[Line]; 2]) {
    assert!(lines.iter().all(|lines| lines.len() == sums.len()), "a sum for each line");
    #[cfg(target_arch = "x86_64")]
    if four::is_there() {
        // SAFETY: the processor has the instructions.
        return unsafe { wide::weigh_sums(sums, lines, weight, ahead) };
    }
    // No more than a hint.
    let _ = ahead;
    narrow::weigh_sums(sums, lines, weight);
}

/// `sums[i] += weight · (x ∧ y ⊕ f)` for the lines `i` of `[x, y, f]`. Meanwhile the lines `ahead` are
/// fetched, which are to be read next.
///
/// # Panics
/// If the lengths differ.
pub fn weigh_rest(sums: &mut [WeighedSum], lines: [&[Line]; 3], weight: Weight, ahead: [&[Line]; 3]) {
    assert!(lines.iter().all(|lines| lines.len() == sums.len()), "a sum for each line");
    #[cfg(target_arch = "x86_64")]
    if four::is_there() {
        // SAFETY: the processor has the instructions.
        return unsafe { wide::weigh_rest(sums, lines, weight, ahead) };
    }
    // No more than a hint.
    let _ = ahead;
    narrow::weigh_rest(sums, lines, weight);
}

#[cfg(test)]
mod tests;
