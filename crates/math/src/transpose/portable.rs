//! The transpose in plain code: eight 64×64 matrices side by side, and delta
//! swaps across their rows (Warren, Hacker's Delight, 7-3), which the compiler
//! makes into vector instructions.

use super::{Lines, Rows};

pub(super) fn rows_to_lines(rows: &Rows, lines: &mut Lines) {
    to_lines(rows, lines);
}

pub(super) fn lines_to_rows(lines: &Lines, rows: &mut Rows) {
    to_rows(lines, rows);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(super) fn rows_to_lines_avx2(rows: &Rows, lines: &mut Lines) {
    to_lines(rows, lines);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(super) fn lines_to_rows_avx2(lines: &Lines, rows: &mut Rows) {
    to_rows(lines, rows);
}

#[inline(always)]
fn to_lines(rows: &Rows, lines: &mut Lines) {
    for (row, line) in lines.iter_mut().enumerate() {
        for (block, word) in line.iter_mut().enumerate() {
            *word = rows[block * 64 + row];
        }
    }
    transpose(lines);
}

#[inline(always)]
fn to_rows(lines: &Lines, rows: &mut Rows) {
    let mut lines = *lines;
    transpose(&mut lines);
    for (row, line) in lines.iter().enumerate() {
        for (block, word) in line.iter().enumerate() {
            rows[block * 64 + row] = *word;
        }
    }
}

/// Transposes matrix `b` of bits, whose row `r` is `m[r][b]`, for each `b`.
#[inline(always)]
fn transpose(m: &mut Lines) {
    // Three rounds at a time on eight rows and half the matrices: what fits the
    // registers of AVX2.
    for half in 0..2 {
        for row in 0..8 {
            three_rounds::<8>(m, row, half, [32, 16, 8]);
        }
        for group in 0..8 {
            three_rounds::<1>(m, group * 8, half, [4, 2, 1]);
        }
    }
}

/// The rounds that exchange bits `distance` apart, for the rows `first + k · STEP`.
#[expect(clippy::needless_range_loop, reason = "two registers at one lane")]
#[inline(always)]
fn three_rounds<const STEP: usize>(m: &mut Lines, first: usize, half: usize, distances: [usize; 3]) {
    let mut v = [[0u64; 4]; 8];
    for (k, v) in v.iter_mut().enumerate() {
        v.copy_from_slice(&m[first + k * STEP][half * 4..][..4]);
    }
    for (gap, distance) in [4, 2, 1].into_iter().zip(distances) {
        // Ones in the lower half of each group of 2 · distance bits.
        let low = u64::MAX / ((1u64 << distance) + 1);
        for k in (0..8).filter(|k| k & gap == 0) {
            for lane in 0..4 {
                let swap = (v[k][lane] >> distance ^ v[k + gap][lane]) & low;
                v[k][lane] ^= swap << distance;
                v[k + gap][lane] ^= swap;
            }
        }
    }
    for (k, v) in v.iter().enumerate() {
        m[first + k * STEP][half * 4..][..4].copy_from_slice(v);
    }
}
