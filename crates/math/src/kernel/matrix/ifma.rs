//! Products of 64-bit matrices with 52-bit multiply-accumulate instructions.
//!
//! `x = x0 + 2^52·x1` and `y` alike: modulo 2^64, `x·y = lo(x0·y0) + 2^52·(hi(x0·y0) + x0·y1 +
//! x1·y0)`, where `lo` and `hi` are the halves of the 104-bit product and the bracket counts
//! modulo 2^12. One instruction adds a `lo`, one a `hi`, and one the brackets' two small products
//! for two inner indices at once: 5 instructions for 16 products, where multiplying 64-bit lanes
//! takes 8.

use std::arch::x86_64::*;

use buf::Buf;

use crate::simd::Level;

/// Rows and vectors of eight columns that a block of accumulators spans.
const ROWS: usize = 4;
const LANES: usize = 8;
const COLUMNS: usize = 2 * LANES;

/// Inner indices per panel: even, and few enough that sums of 52-bit halves fit in 64 bits and
/// that a panel and its rows stay in the first-level cache.
const DEPTH: usize = 128;

/// Rows of `x` that are split at a time: they stay in the second-level cache.
const PASS_ROWS: usize = 256;

const LOW: u64 = (1 << 52) - 1;

/// Whether this machine has the instructions. Those of the best level nearly all do; tests of
/// the levels below it take the portable kernel.
pub(super) fn available() -> bool {
    Level::best() == Level::Gfni
        && std::arch::is_x86_feature_detected!("avx512ifma")
        && std::arch::is_x86_feature_detected!("avx512vnni")
}

/// `out += x · y`; the caller has checked that lengths fit the shape.
///
/// # Safety
/// [`available`] says so.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma,avx512vnni")]
pub(super) unsafe fn matmul(out: &mut [u64], x: &[u64], y: &[u64], inner: usize, columns: usize) {
    let mut x_low = Buf::stale(PASS_ROWS * DEPTH * 8);
    let mut x_pairs = Buf::stale(PASS_ROWS * DEPTH / 2 * 8);
    let mut y_low = Buf::stale(COLUMNS * DEPTH * 8);
    let mut y_pairs = Buf::stale(COLUMNS * DEPTH / 2 * 8);
    let (x_low, x_pairs) = (x_low.as_mut_slice::<u64>(), x_pairs.as_mut_slice::<u64>());
    let (y_low, y_pairs) = (y_low.as_mut_slice::<u64>(), y_pairs.as_mut_slice::<u64>());
    for depth in (0..inner).step_by(DEPTH) {
        let n_depth = DEPTH.min(inner - depth);
        // An odd panel gets a line of zeros.
        let even = n_depth.next_multiple_of(2);
        for (out, x) in out.chunks_mut(PASS_ROWS * columns).zip(x.chunks(PASS_ROWS * inner)) {
            let n_rows = x.len() / inner;
            for row in 0..n_rows.next_multiple_of(ROWS) {
                // A last group with fewer rows repeats its last one and drops the repetitions.
                let line = &x[row.min(n_rows - 1) * inner + depth..][..n_depth];
                split_row(line, &mut x_low[row * even..][..even], &mut x_pairs[row * even / 2..][..even / 2]);
            }
            for column in (0..columns).step_by(COLUMNS) {
                let n_columns = COLUMNS.min(columns - column);
                split_panel(&y[depth * columns + column..], columns, n_depth, n_columns, y_low, y_pairs);
                for first in (0..n_rows).step_by(ROWS) {
                    let low = &x_low[first * even..][..ROWS * even];
                    let pairs = &x_pairs[first * even / 2..][..ROWS * even / 2];
                    let block = block(low, pairs, &y_low[..COLUMNS * even], &y_pairs[..COLUMNS * even / 2]);
                    let lines = out[first * columns..].chunks_mut(columns).zip(&block);
                    for (out, block) in lines {
                        for (out, item) in out[column..column + n_columns].iter_mut().zip(block) {
                            *out = out.wrapping_add(*item);
                        }
                    }
                }
            }
        }
    }
}

/// Low 52 bits of each element, and for each two of them the words `x0, x1, x0', x1'` modulo 2^12.
#[inline]
fn split_row(line: &[u64], low: &mut [u64], pairs: &mut [u64]) {
    let item = |k: usize| line.get(k).copied().unwrap_or(0);
    for (k, low) in low.iter_mut().enumerate() {
        *low = item(k) & LOW;
    }
    for (k, pair) in pairs.iter_mut().enumerate() {
        let words = |x: u64| x & 0xfff | x >> 52 << 16;
        *pair = words(item(2 * k)) | words(item(2 * k + 1)) << 32;
    }
}

/// The same of a panel's lines, with the words `y1, y0, y1', y0'`. Columns past the last are zero.
#[inline]
fn split_panel(
    y: &[u64],
    stride: usize,
    n_depth: usize,
    n_columns: usize,
    low: &mut [u64],
    pairs: &mut [u64],
) {
    let words = |y: u64| y >> 52 | (y & 0xfff) << 16;
    for (k, pairs) in pairs.chunks_exact_mut(COLUMNS).take(n_depth.div_ceil(2)).enumerate() {
        let mut lines = [[0; COLUMNS]; 2];
        for (half, line) in lines.iter_mut().enumerate() {
            if 2 * k + half < n_depth {
                line[..n_columns].copy_from_slice(&y[(2 * k + half) * stride..][..n_columns]);
            }
            for (low, y) in low[(2 * k + half) * COLUMNS..][..COLUMNS].iter_mut().zip(line) {
                *low = *y & LOW;
            }
        }
        for (at, pair) in pairs.iter_mut().enumerate() {
            *pair = words(lines[0][at]) | words(lines[1][at]) << 32;
        }
    }
}

/// Four rows times a panel of sixteen columns.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma,avx512vnni")]
fn block(x_low: &[u64], x_pairs: &[u64], y_low: &[u64], y_pairs: &[u64]) -> [[u64; COLUMNS]; ROWS] {
    let even = x_low.len() / ROWS;
    assert!(even.is_multiple_of(2) && x_pairs.len() == ROWS * even / 2);
    assert!(y_low.len() == COLUMNS * even && y_pairs.len() == COLUMNS * even / 2);
    let zero = _mm512_setzero_si512();
    let (mut lo, mut hi, mut small) = ([[zero; 2]; ROWS], [[zero; 2]; ROWS], [[zero; 2]; ROWS]);
    // SAFETY: the assertions above bound every index, and unaligned loads need no more.
    let load = |from: &[u64], at: usize| unsafe { _mm512_loadu_si512(from.as_ptr().add(at).cast()) };
    // SAFETY: likewise.
    let spread = |from: &[u64], at: usize| unsafe { _mm512_set1_epi64(*from.as_ptr().add(at) as i64) };
    for pair in 0..even / 2 {
        for half in 0..2 {
            let k = 2 * pair + half;
            let y = [load(y_low, k * COLUMNS), load(y_low, k * COLUMNS + LANES)];
            for row in 0..ROWS {
                let x = spread(x_low, row * even + k);
                for at in 0..2 {
                    lo[row][at] = _mm512_madd52lo_epu64(lo[row][at], x, y[at]);
                    hi[row][at] = _mm512_madd52hi_epu64(hi[row][at], x, y[at]);
                }
            }
        }
        let y = [load(y_pairs, pair * COLUMNS), load(y_pairs, pair * COLUMNS + LANES)];
        for (row, small) in small.iter_mut().enumerate() {
            let x = spread(x_pairs, row * even / 2 + pair);
            for (small, y) in small.iter_mut().zip(y) {
                *small = _mm512_dpwssd_epi32(*small, x, y);
            }
        }
    }
    let mut block = [[0; COLUMNS]; ROWS];
    for (row, out) in block.iter_mut().enumerate() {
        for (at, out) in out.chunks_exact_mut(LANES).enumerate() {
            // Both halves of a lane hold sums that count modulo 2^12.
            let small = _mm512_add_epi64(small[row][at], _mm512_srli_epi64::<32>(small[row][at]));
            let high = _mm512_slli_epi64::<52>(_mm512_add_epi64(hi[row][at], small));
            let sum = _mm512_add_epi64(lo[row][at], high);
            // SAFETY: `out` has eight elements.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), sum) };
        }
    }
    block
}
