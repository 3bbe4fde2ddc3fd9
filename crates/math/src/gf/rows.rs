//! Inner products of rows whose elements lie in columns, with factors that all rows share.

use super::Field;
use super::Gf64;
use super::carryless::{self, Carryless, carryless};
#[cfg(target_arch = "x86_64")]
use super::{four, native};

/// `out[row] += Σ_c factors[c] · columns[c][row]`.
///
/// # Panics
/// If the lengths differ.
pub fn add_products(out: &mut [Gf64], factors: &[Gf64], columns: &[&[Gf64]]) {
    assert_eq!(factors.len(), columns.len(), "a factor for each column");
    assert!(columns.iter().all(|column| column.len() == out.len()), "columns of one length");
    #[cfg(target_arch = "x86_64")]
    if four::is_there() {
        // SAFETY: the processor has the instructions.
        return unsafe { wide::add_products(out, factors, columns) };
    }
    one_by_one(out, factors, columns, 0);
}

carryless! {
    /// [`add_products`] from row `first` on.
    fn one_by_one<C, F>(out: &mut [F], factors: &[F], columns: &[&[F]], first: usize) {
        for (row, out) in out.iter_mut().enumerate().skip(first) {
            let mut sum = F::ZERO.product::<C>(F::ZERO);
            for (factor, column) in factors.iter().zip(columns) {
                sum = F::accumulate::<C>(sum, factor.product::<C>(column[row]));
            }
            *out = out.plus(F::reduce::<C>(sum));
        }
    }
}

/// Eight rows at a time.
#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::*;

    use super::super::four::{load, store, xor3};
    use super::Gf64;

    /// The remainders of four products each, as `Carryless::reduce_64`, side by side again.
    #[inline]
    #[target_feature(enable = "avx512f,vpclmulqdq")]
    fn reduced(even: __m512i, odd: __m512i) -> __m512i {
        let modulus = _mm512_set1_epi64(0x1b);
        let reduced = |sum: __m512i| {
            let first = _mm512_clmulepi64_epi128::<0x01>(sum, modulus);
            xor3(sum, first, _mm512_clmulepi64_epi128::<0x01>(first, modulus))
        };
        _mm512_unpacklo_epi64(reduced(even), reduced(odd))
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,vpclmulqdq")]
    pub(super) fn add_products(out: &mut [Gf64], factors: &[Gf64], columns: &[&[Gf64]]) {
        let whole = out.len() / 8 * 8;
        for (at, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let (mut even, mut odd) = (_mm512_setzero_si512(), _mm512_setzero_si512());
            for (factor, column) in factors.iter().zip(columns) {
                let x = load::<[Gf64; 8]>(&column.as_chunks().0[at]);
                let factor = _mm512_set1_epi64(factor.0 as i64);
                even = _mm512_xor_si512(even, _mm512_clmulepi64_epi128::<0x00>(x, factor));
                odd = _mm512_xor_si512(odd, _mm512_clmulepi64_epi128::<0x01>(x, factor));
            }
            store(_mm512_xor_si512(load(out), reduced(even, odd)), out);
        }
        super::one_by_one(out, factors, columns, whole);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::Group;
    use crate::simd::at_every_level;

    #[test]
    fn products_add_up_row_by_row() {
        let noise = |at: usize| Gf64((at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)).square();
        for (n, width) in [(0, 3), (1, 1), (7, 2), (8, 0), (65, 9), (512, 4)] {
            let columns: Vec<Vec<Gf64>> =
                (0..width).map(|c| (0..n).map(|row| noise(row * 31 + c)).collect()).collect();
            let factors: Vec<Gf64> = (0..width).map(|c| noise(c + 10_000)).collect();
            let start: Vec<Gf64> = (0..n).map(|row| noise(row + 20_000)).collect();
            let columns: Vec<&[Gf64]> = columns.iter().map(Vec::as_slice).collect();
            let sum = |row: usize| {
                (0..width).fold(start[row], |sum, c| sum.plus(factors[c].times(columns[c][row])))
            };
            let expected: Vec<Gf64> = (0..n).map(sum).collect();
            at_every_level(|level| {
                let mut out = start.clone();
                add_products(&mut out, &factors, &columns);
                assert_eq!(out, expected, "{level:?}: {n} rows of {width}");
            });
        }
    }
}
