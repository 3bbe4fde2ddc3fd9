//! Subset sums in registers: the sums of all subsets of four items are a table of two registers,
//! and each of 64 subsets looks up its own.

use std::arch::x86_64::*;

use super::{LIMB, SUBSETS};
use crate::simd::Level;

/// Items, or subsets, of a vector.
const LANES: usize = 8;

/// Whether this machine has the instructions.
pub(super) fn available() -> bool {
    Level::best() == Level::Gfni
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,gfni")]
fn load<T: bytemuck::Pod>(items: &[T]) -> __m512i {
    let bytes: &[u8; 64] = bytemuck::cast_slice(items).try_into().expect("one vector");
    // SAFETY: the array is as long as the vector; no alignment is asked for.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// The sums of the subsets of four items, by the bits of a subset's number.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,gfni")]
fn table(items: &[i64; 4]) -> [__m512i; 2] {
    let all = items.map(|item| _mm512_set1_epi64(item));
    let sums = _mm512_maskz_mov_epi64(0b1010_1010, all[0]);
    let sums = _mm512_mask_add_epi64(sums, 0b1100_1100, sums, all[1]);
    let sums = _mm512_mask_add_epi64(sums, 0b1111_0000, sums, all[2]);
    [sums, _mm512_add_epi64(sums, all[3])]
}

/// See [`super::SubsetSums::add_all`]: how many items were added.
///
/// # Safety
/// [`available`] says so.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,gfni")]
pub(super) unsafe fn add_all(
    out: &mut [i128; SUBSETS],
    selections: &[u64],
    low: &[i64],
    high: Option<&[i64]>,
) -> usize {
    match high {
        None => add_limb(out, selections, low, 0),
        Some(high) => {
            add_limb(out, selections, low, 0);
            add_limb(out, selections, high, LIMB);
        }
    }
    selections.len() / LANES * LANES
}

/// Adds `item·2^shift` of each whole vector of items.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,gfni")]
fn add_limb(out: &mut [i128; SUBSETS], selections: &[u64], items: &[i64], shift: u32) {
    // Byte l of item 7 − j becomes byte j of lane l.
    let order: [u8; 64] = std::array::from_fn(|at| (8 * (7 - at % 8) + at / 8) as u8);
    let order = load(&order);
    // An affine map of the unit vectors is a matrix's columns; rows count from the last one.
    let units = _mm512_set1_epi64(0x8040_2010_0804_0201_u64 as i64);
    let mut sums = [_mm512_setzero_si512(); LANES];
    for (selections, items) in selections.as_chunks::<LANES>().0.iter().zip(items.as_chunks::<LANES>().0) {
        let lines = _mm512_permutexvar_epi8(order, load(selections));
        // Byte k of lane l: which of the items belong to subset 8·l + k.
        let mut members = _mm512_gf2p8affine_epi64_epi8::<0>(units, lines);
        let (four, _) = items.as_chunks::<4>();
        let ([a, b], [c, d]) = (table(&four[0]), table(&four[1]));
        for sum in &mut sums {
            let first = _mm512_permutex2var_epi64(a, members, b);
            let second = _mm512_permutex2var_epi64(c, _mm512_srli_epi64::<4>(members), d);
            *sum = _mm512_add_epi64(*sum, _mm512_add_epi64(first, second));
            members = _mm512_srli_epi64::<8>(members);
        }
    }
    for (k, sum) in sums.into_iter().enumerate() {
        let mut sums = [0i64; LANES];
        // SAFETY: the array is as long as the vector; no alignment is asked for.
        unsafe { _mm512_storeu_si512(sums.as_mut_ptr().cast(), sum) };
        for (l, sum) in sums.into_iter().enumerate() {
            let subset = &mut out[8 * l + k];
            *subset = subset.wrapping_add(i128::from(sum) << shift);
        }
    }
}
