//! Lines of 512 bits, read as four elements of GF(2^128) each, and sums over many of them.
//!
//! What a check of bits spends its time on. Weights and factors are public; lines
//! are shares, and nothing branches on them or looks them up.

mod narrow;
mod sum;
#[cfg(target_arch = "x86_64")]
mod wide;

use super::Gf128;
#[cfg(target_arch = "x86_64")]
use super::four;
use crate::kernel;

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

/// Extends `x`, `y`, `x'` and `y'`, 2^k lines each, from the points {0, 1}^k to
/// {0, 1, ∞}^k, and adds `weight` times the line `x ∧ y' ⊕ y ∧ x'` of each point to
/// its sum.
///
/// Digit `t` of a point has the weight 3^t in its index, ∞ is the digit 2, and a
/// line's index holds the digits as bits. At ∞ in a digit stands the XOR of both halves.
///
/// # Panics
/// If there are not 2^k lines of each and 3^k sums.
pub fn weigh_products(sums: &mut [WeighedSum], lines: [&[Line]; 4], weight: u64) {
    let k = lines[0].len().trailing_zeros();
    assert!(lines.iter().all(|lines| lines.len() == 1 << k), "2^k lines of each operand");
    assert_eq!(sums.len(), 3usize.pow(k), "a sum for each point");
    #[cfg(target_arch = "x86_64")]
    if k >= 2 && four::is_there() {
        // SAFETY: the processor has the instructions.
        return unsafe { wide::weigh_products(sums, lines, weight) };
    }
    narrow::weigh_products(sums, lines, weight);
}

/// [`weigh_products`] of a block that lies in two halves, by the top digit's value, low and high.
///
/// # Panics
/// If there are not 2^k lines of each and 3^(k+1) sums.
pub fn weigh_products_of_halves(
    sums: &mut [WeighedSum],
    [low, high]: [[&[Line]; 4]; 2],
    mixed: &mut [Vec<Line>; 4],
    weight: u64,
) {
    let (at_low, rest) = sums.split_at_mut(sums.len() / 3);
    let (at_high, at_infinity) = rest.split_at_mut(rest.len() / 2);
    weigh_products(at_low, low, weight);
    weigh_products(at_high, high, weight);
    for (mixed, (low, high)) in mixed.iter_mut().zip(low.iter().zip(&high)) {
        kernel::xor_of(mixed.as_flattened_mut(), low.as_flattened(), high.as_flattened(), 0);
    }
    weigh_products(at_infinity, mixed.each_ref().map(|lines| &lines[..]), weight);
}

/// Elements by which lines are multiplied, 8·n or fewer than 8 of them, laid out for that.
pub struct Factors {
    n: usize,
    /// For each eight factors, 16 matrices of 8×8 bits: byte `7 − i` of matrix `t` holds bit
    /// `8·t + i` of each factor.
    matrices: Vec<[u64; 16]>,
}

impl Factors {
    /// Lays out factors. They are public.
    pub fn new(factors: &[Gf128]) -> Self {
        let layout = |factors: &[Gf128]| {
            #[cfg(target_arch = "x86_64")]
            if four::is_there() {
                // SAFETY: the processor has the instructions.
                return unsafe { wide::matrices(factors) };
            }
            narrow::matrices(factors)
        };
        Factors { n: factors.len(), matrices: factors.chunks(8).map(layout).collect() }
    }

    /// `out[j] += Σ_i factor_i · (bit j of line i)`: a line for each factor, a sum for each of the 512 bits.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn fold(&self, lines: &[Line], out: &mut [Gf128]) {
        self.fold_onto(lines, out, true);
    }

    /// [`Factors::fold`] onto zeros, whatever was there.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn fold_fresh(&self, lines: &[Line], out: &mut [Gf128]) {
        self.fold_onto(lines, out, false);
    }

    fn fold_onto(&self, lines: &[Line], out: &mut [Gf128], onto: bool) {
        assert_eq!(lines.len(), self.n, "a line for each factor");
        assert_eq!(out.len(), LINE_BITS, "a sum for each bit");
        #[cfg(target_arch = "x86_64")]
        if four::is_there() {
            // SAFETY: the processor has the instructions.
            return unsafe { wide::fold(&self.matrices, lines, out, onto) };
        }
        if !onto {
            out.fill(Gf128(0));
        }
        narrow::fold(&self.matrices, lines, out);
    }
}

#[cfg(test)]
mod tests;
