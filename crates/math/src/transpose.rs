//! Rows to bit planes and back.
//!
//! Row `r` is a word; plane `p` is a packed bit vector whose bit `r % 64` of
//! word `r / 64` is bit `p` of row `r`. Planes lie `stride` words apart, so a
//! chunk of a column can be written straight into the planes of the whole.
//!
//! Work goes in tiles of 512 rows: then each plane of a tile is one cache line.
//! A transpose undoes itself, so both directions share one kernel per processor.

#[cfg(target_arch = "x86_64")]
mod gfni;
mod portable;

use std::ops::Range;

use crate::group::Group;
use crate::simd::Level;

pub(crate) const TILE_ROWS: usize = 512;

/// Tiles whose lines are written together. Planes are often 4 kB apart, which is one cache set:
/// going from plane to plane for every line of 64 bytes took twice as long.
const BATCH: usize = 8;

/// 512 rows of 64 bits.
pub(crate) type Rows = [u64; TILE_ROWS];

/// The same bits, plane by plane: a cache line each.
pub(crate) type Lines = [[u64; 8]; 64];

/// Writes the low `width` bits of each row into `width` planes.
///
/// Of each plane, the first `⌈rows / 64⌉` words are written, with zeros past
/// the last row; the words from there to the next plane keep their content.
///
/// # Panics
/// If `width` exceeds the width of a row, or the planes do not fit.
pub fn rows_to_planes<G: Group>(rows: &[G], width: usize, planes: &mut [u64], stride: usize) {
    check::<G>(rows.len(), width, planes.len(), stride);
    for half in halves(width) {
        let planes = &mut planes[half.start * stride..];
        let width = half.len();
        let mut lines = [[[0; 8]; 64]; BATCH];
        for (batch, rows) in rows.chunks(BATCH * TILE_ROWS).enumerate() {
            for (lines, rows) in lines.iter_mut().zip(rows.chunks(TILE_ROWS)) {
                match words_of(rows) {
                    Some(rows) => transpose_rows(rows, lines, width),
                    None => {
                        let mut padded = [0; TILE_ROWS];
                        for (padded, row) in padded.iter_mut().zip(rows) {
                            *padded = (row.word() >> half.start) as u64;
                        }
                        transpose_rows(&padded, lines, width);
                    }
                }
            }
            let n_words = rows.len().div_ceil(64);
            for plane in 0..width {
                let out = &mut planes[plane * stride + batch * BATCH * 8..][..n_words];
                // Whole lines by themselves: a call to copy 64 bytes takes longer than copying them.
                let (whole, rest) = out.as_chunks_mut();
                let (of_whole, of_rest) = lines.split_at(whole.len());
                whole.iter_mut().zip(of_whole).for_each(|(out, lines)| *out = lines[plane]);
                if let [last, ..] = of_rest {
                    rest.copy_from_slice(&last[plane][..rest.len()]);
                }
            }
        }
    }
}

/// Writes each row with `width` planes as its low bits and zeros above them.
///
/// # Panics
/// If `width` exceeds the width of a row, or there are fewer planes or bits.
pub fn planes_to_rows<G: Group>(planes: &[u64], stride: usize, width: usize, rows: &mut [G]) {
    check::<G>(rows.len(), width, planes.len(), stride);
    if width == 0 {
        rows.fill(G::ZERO);
    }
    for half in halves(width) {
        let planes = &planes[half.start * stride..];
        let mut lines = [[0; 8]; 64];
        for (tile, rows) in rows.chunks_mut(TILE_ROWS).enumerate() {
            let n_words = rows.len().div_ceil(64);
            for (plane, line) in lines[..half.len()].iter_mut().enumerate() {
                line[..n_words].copy_from_slice(&planes[plane * stride + tile * 8..][..n_words]);
            }
            if let Some(rows) = words_of_mut(rows) {
                transpose_lines(&lines, rows);
                continue;
            }
            let mut padded = [0; TILE_ROWS];
            transpose_lines(&lines, &mut padded);
            if half.start == 0 {
                for (row, padded) in rows.iter_mut().zip(padded) {
                    *row = G::from_word(u128::from(padded));
                }
            } else {
                for (row, padded) in rows.iter_mut().zip(padded) {
                    *row = G::from_word(row.word() | u128::from(padded) << half.start);
                }
            }
        }
    }
}

fn check<G: Group>(n_rows: usize, width: usize, n_words: usize, stride: usize) {
    assert!(width <= G::BITS as usize, "{width} planes of rows of {} bits", G::BITS);
    let used = n_rows.div_ceil(64);
    assert!(width < 2 || used <= stride, "planes of {used} words, {stride} words apart");
    assert!(width == 0 || (width - 1) * stride + used <= n_words, "{width} planes in {n_words} words");
}

/// The planes of the low and of the high word of each row.
fn halves(width: usize) -> impl Iterator<Item = Range<usize>> {
    [0..width.min(64), 64..width].into_iter().filter(|half| !half.is_empty())
}

/// A whole tile of 64-bit rows, in place.
fn words_of<G: Group>(rows: &[G]) -> Option<&Rows> {
    if G::BYTES == 8 { bytemuck::cast_slice(rows).try_into().ok() } else { None }
}

fn words_of_mut<G: Group>(rows: &mut [G]) -> Option<&mut Rows> {
    if G::BYTES == 8 { bytemuck::cast_slice_mut(rows).try_into().ok() } else { None }
}

/// Lines from `width` on may stay as they are.
pub(crate) fn transpose_rows(rows: &Rows, lines: &mut Lines, width: usize) {
    match Level::best() {
        // SAFETY: the level says that the processor has these instructions.
        #[cfg(target_arch = "x86_64")]
        Level::Gfni => unsafe { gfni::rows_to_lines(rows, lines, width) },
        // The compiler turns the loads of the plain version into gathers for
        // AVX-512, which made it slower than AVX2.
        // SAFETY: the level says that the processor has these instructions.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 | Level::Avx512 => unsafe { portable::rows_to_lines_avx2(rows, lines) },
        _ => portable::rows_to_lines(rows, lines),
    }
}

fn transpose_lines(lines: &Lines, rows: &mut Rows) {
    match Level::best() {
        // SAFETY: the level says that the processor has these instructions.
        #[cfg(target_arch = "x86_64")]
        Level::Gfni => unsafe { gfni::lines_to_rows(lines, rows) },
        // SAFETY: likewise.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 | Level::Avx512 => unsafe { portable::lines_to_rows_avx2(lines, rows) },
        _ => portable::lines_to_rows(lines, rows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::{Z8, Z16, Z32, Z64, Z128};
    use crate::prg::Prg;
    use crate::simd::at_every_level;
    use proptest::prelude::*;

    const SIZES: &[usize] = &[0, 1, 2, 63, 64, 65, 127, 128, 511, 512, 513, 575, 1024, 4095, 4096, 4700];

    fn random<G: Group>(n: usize, seed: u8) -> Vec<G> {
        let mut rows = vec![G::ZERO; n];
        Prg::new(&[seed; 16]).fill_items(0, &mut rows);
        rows
    }

    /// Both directions against single bits, with a gap between the planes that nobody may touch.
    fn agrees_with_single_bits<G: Group>(n: usize, width: usize, gap: usize) {
        const CANARY: u64 = 0xdead_beef_0bad_cafe;
        let rows = random::<G>(n, width as u8);
        let n_words = n.div_ceil(64);
        let stride = n_words + gap;
        at_every_level(|level| {
            let mut planes = vec![CANARY; width * stride];
            rows_to_planes(&rows, width, &mut planes, stride);
            for (at, word) in planes.iter().enumerate() {
                let (plane, word_index) = (at / stride, at % stride);
                let expected = if word_index >= n_words {
                    CANARY
                } else {
                    let rows = rows[word_index * 64..].iter().take(64);
                    rows.enumerate().map(|(bit, row)| ((row.word() >> plane & 1) as u64) << bit).sum()
                };
                assert_eq!(*word, expected, "{level:?}: {n} rows, plane {plane} of {width}");
            }
            let mut back = random::<G>(n, 99);
            planes_to_rows(&planes, stride, width, &mut back);
            let mask = if width == 128 { u128::MAX } else { (1 << width) - 1 };
            for (back, row) in back.iter().zip(&rows) {
                assert_eq!(back.word(), row.word() & mask, "{level:?}: {n} rows of {width} bits");
            }
        });
    }

    fn every_size<G: Group>() {
        for &n in SIZES {
            for width in [0, 1, 7, 8, 9, 15, 31, 63, 64, 65, 127, 128] {
                if width <= G::BITS as usize {
                    agrees_with_single_bits::<G>(n, width, 3);
                }
            }
        }
    }

    #[test]
    fn rows_of_every_width_become_planes_and_back() {
        every_size::<Z8>();
        every_size::<Z16>();
        every_size::<Z32>();
        every_size::<Z64>();
        every_size::<Z128>();
    }

    proptest! {
        #[test]
        fn any_shape(n in 0usize..6000, width in 0usize..=128, gap in 0usize..9) {
            agrees_with_single_bits::<Z128>(n, width, gap);
            if width <= 64 {
                agrees_with_single_bits::<Z64>(n, width, gap);
            }
        }
    }
}
