//! Lines of 512 bits, read as four elements of GF(2^128) each, and sums over many of them.
//!
//! What a check of bits spends its time on. Weights and factors are public; lines
//! are shares, and nothing branches on them or looks them up.

mod extension;
mod narrow;
mod sum;
#[cfg(target_arch = "x86_64")]
mod wide;

use super::Gf128;
#[cfg(target_arch = "x86_64")]
use super::four;

pub use extension::{Block, GROUP, weigh_products};
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
