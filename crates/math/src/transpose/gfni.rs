//! The transpose with AVX-512 and GFNI, whose affine instruction transposes
//! eight 8×8 bit matrices at once.

use std::arch::x86_64::*;

use super::{Lines, Rows};

/// Byte `8·j + s` comes from byte `8·(7 − s) + j`: transposes 8×8 bytes, rows reversed.
const TRANSPOSE_REVERSED: [u8; 64] = byte_order(true);

/// Byte `8·j + s` comes from byte `8·s + j`: transposes 8×8 bytes.
const TRANSPOSE: [u8; 64] = byte_order(false);

const fn byte_order(reversed: bool) -> [u8; 64] {
    let mut order = [0; 64];
    let mut at = 0;
    while at < 64 {
        let s = at % 8;
        let from = if reversed { 7 - s } else { s };
        order[at] = (8 * from + at / 8) as u8;
        at += 1;
    }
    order
}

/// Lines from `width` on may stay as they are.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,gfni")]
pub(super) fn rows_to_lines(rows: &Rows, lines: &mut Lines, width: usize) {
    // `words[b][j]` lane `k` is the word of plane 8·j + k for block b of 64 rows.
    let mut words = [[_mm512_setzero_si512(); 8]; 8];
    for (block, words) in words.iter_mut().enumerate() {
        for (i, word) in words.iter_mut().enumerate() {
            *word = load(&rows[block * 64 + i * 8..]);
        }
        *words = transpose_bits(*words);
    }
    for j in 0..width.div_ceil(8) {
        let planes = transpose_words(words.map(|words| words[j]));
        for (k, plane) in planes.into_iter().enumerate() {
            store(plane, &mut lines[8 * j + k]);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,gfni")]
pub(super) fn lines_to_rows(lines: &Lines, rows: &mut Rows) {
    let mut words = [[_mm512_setzero_si512(); 8]; 8];
    for j in 0..8 {
        let mut planes = [_mm512_setzero_si512(); 8];
        for (k, plane) in planes.iter_mut().enumerate() {
            *plane = load(&lines[8 * j + k]);
        }
        for (block, plane) in transpose_words(planes).into_iter().enumerate() {
            words[block][j] = plane;
        }
    }
    for (block, words) in words.into_iter().enumerate() {
        for (i, word) in transpose_bits(words).into_iter().enumerate() {
            store(word, &mut rows[block * 64 + i * 8..]);
        }
    }
}

/// Transposes a 64×64 bit matrix of 8 rows per register.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,gfni")]
fn transpose_bits(rows: [__m512i; 8]) -> [__m512i; 8] {
    let reversed = load_bytes(&TRANSPOSE_REVERSED);
    let straight = load_bytes(&TRANSPOSE);
    // Byte k of the result holds bit k of each byte of the matrix operand, its
    // last byte first: hence the rows come reversed.
    let unit = _mm512_set1_epi64(0x8040_2010_0804_0201_u64 as i64);
    let mut blocks = rows;
    for block in &mut blocks {
        let matrices = _mm512_permutexvar_epi8(reversed, *block);
        *block = _mm512_gf2p8affine_epi64_epi8::<0>(unit, matrices);
    }
    // Lane j of register i was the 8×8 matrix of rows 8·i… and bits 8·j….
    let mut columns = transpose_words(blocks);
    for column in &mut columns {
        *column = _mm512_permutexvar_epi8(straight, *column);
    }
    columns
}

/// Transposes an 8×8 matrix of words, a row per register.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose_words(r: [__m512i; 8]) -> [__m512i; 8] {
    // Pairs of neighbouring rows: word pairs (row 2a, row 2a + 1) of even and odd columns.
    let even = |a: usize| _mm512_unpacklo_epi64(r[2 * a], r[2 * a + 1]);
    let odd = |a: usize| _mm512_unpackhi_epi64(r[2 * a], r[2 * a + 1]);
    let (e, o) = ([even(0), even(1), even(2), even(3)], [odd(0), odd(1), odd(2), odd(3)]);
    let [c0, c2, c4, c6] = transpose_pairs(e);
    let [c1, c3, c5, c7] = transpose_pairs(o);
    [c0, c1, c2, c3, c4, c5, c6, c7]
}

/// Transposes a 4×4 matrix of 128-bit lanes, a row per register.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose_pairs(r: [__m512i; 4]) -> [__m512i; 4] {
    // Lanes 0, 2 and 1, 3 of two registers.
    let a02 = _mm512_shuffle_i64x2::<0b10_00_10_00>(r[0], r[1]);
    let a13 = _mm512_shuffle_i64x2::<0b11_01_11_01>(r[0], r[1]);
    let b02 = _mm512_shuffle_i64x2::<0b10_00_10_00>(r[2], r[3]);
    let b13 = _mm512_shuffle_i64x2::<0b11_01_11_01>(r[2], r[3]);
    [
        _mm512_shuffle_i64x2::<0b10_00_10_00>(a02, b02),
        _mm512_shuffle_i64x2::<0b10_00_10_00>(a13, b13),
        _mm512_shuffle_i64x2::<0b11_01_11_01>(a02, b02),
        _mm512_shuffle_i64x2::<0b11_01_11_01>(a13, b13),
    ]
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(words: &[u64]) -> __m512i {
    let words: &[u64; 8] = words.first_chunk().expect("a line of words");
    // SAFETY: the line has 64 bytes, and this load needs no alignment.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_bytes(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the array has 64 bytes, and this load needs no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(value: __m512i, words: &mut [u64]) {
    let words: &mut [u64; 8] = words.first_chunk_mut().expect("a line of words");
    // SAFETY: the line has 64 bytes, and this store needs no alignment.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), value) }
}
