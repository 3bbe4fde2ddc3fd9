//! Products of multilinear extensions, at points where they are bits.

use super::{Line, WeighedSum, Weight, narrow};
#[cfg(target_arch = "x86_64")]
use super::{four, wide};

/// The most digits of a point.
const MAX_DIGITS: u32 = 7;

/// 2^k lines of each of two operands.
pub type Block<'a> = [&'a [Line]; 2];

/// Blocks to hand to [`weigh_products`] together: there are more sums than the nearest cache
/// holds, and each is fetched once for all of them.
pub const GROUP: usize = 8;

/// Extends each block's operands from the points {0, 1}^k to {0, 1, ∞}^k, and adds its weight times
/// the line `x ∧ y` to the sum of each point that has an ∞. What the sums at points
/// of bits become depends on the processor.
///
/// Digit `t` of a point has the weight 3^t in its index, ∞ is the digit 2, and a
/// line's index holds the digits as bits. At ∞ in a digit stands the XOR of both halves.
///
/// # Panics
/// If a block has not 2^k lines of each operand, for `k` up to 7; if there are not 3^k sums or not
/// a weight for each block.
pub fn weigh_products(sums: &mut [WeighedSum], k: u32, blocks: &[Block<'_>], weights: &[Weight]) {
    assert!(k <= MAX_DIGITS && sums.len() == 3usize.pow(k), "a sum for each point");
    assert_eq!(blocks.len(), weights.len(), "a weight for each block");
    assert!(blocks.as_flattened().iter().all(|lines| lines.len() == 1 << k), "2^k lines of each operand");
    #[cfg(target_arch = "x86_64")]
    if k >= 2 && four::is_there() {
        // SAFETY: the processor has the instructions.
        return unsafe { wide::weigh_products(sums, k, blocks, weights) };
    }
    for (block, weight) in blocks.iter().zip(weights) {
        narrow::weigh_products(sums, *block, *weight);
    }
}
