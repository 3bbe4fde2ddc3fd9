//! Lines times elements: all sums of 64 positions stay in registers while the lines of a block pass.

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use super::super::{LINE_BITS, Line, Term};
use crate::gf::Gf128;
use crate::gf::four::{Factor, load, prefetch, store, xor3};

/// Bits of eight lines, each of the 512 positions a byte. Byte `16·l + i` of register `r`
/// is position `128·l + 16·r + i`: the first four registers are the elements' lower halves.
type Bytes = [__m512i; 8];

/// The most lines of a block, by eights.
const MAX_EIGHTS: usize = 16;

/// Bytes `t` of the sums of 64 positions, which lie as in a register of [`Bytes`].
type Sums = [__m512i; 16];

/// [`super::super::fold`] of one or two terms.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,gfni,vpclmulqdq")]
pub(in super::super) fn fold<const N: usize>(terms: &[Term<'_>; N], out: &mut [Gf128; LINE_BITS]) {
    let mut space = [const { [const { MaybeUninit::uninit() }; MAX_EIGHTS] }; N];
    let mut summands = [([&[][..]; 2], &[][..]); N];
    for ((term, space), summand) in terms.iter().zip(&mut space).zip(&mut summands) {
        let lines = [term.lines, &[]];
        let matrices = term.factors.matrices_for(lines);
        *summand = (matrices, bytes_of_positions(matrices[0].len(), lines, space));
    }
    for (r, out) in out.as_chunks_mut::<64>().0.iter_mut().enumerate() {
        let mut sums = [_mm512_setzero_si512(); 16];
        for (matrices, bytes) in &summands {
            sums = add_products(sums, matrices[r / 4], bytes, r);
        }
        store_elements(sums, out);
    }
}

/// [`super::super::Factors::add`]: sixteen registers of each 64 positions.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,gfni,vpclmulqdq")]
pub(in super::super) fn add_folded(
    matrices: [&[[u64; 16]]; 2],
    lines: [&[Line]; 2],
    ahead: &[&[Line]],
    folded: &mut [Line; 128],
) {
    let mut space = [const { MaybeUninit::uninit() }; MAX_EIGHTS];
    let bytes = bytes_of_positions(matrices[0].len(), lines, &mut space);
    for (r, folded) in folded.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        fetch(ahead, r);
        let sums = add_products(loaded(folded), matrices[r / 4], bytes, r);
        for (sum, folded) in sums.into_iter().zip(folded) {
            store(sum, folded);
        }
    }
}

/// [`super::super::Folded::write`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,gfni,vpclmulqdq")]
pub(in super::super) fn elements(folded: &[Line; 128], out: &mut [Gf128; LINE_BITS]) {
    for (folded, out) in folded.as_chunks::<16>().0.iter().zip(out.as_chunks_mut::<64>().0) {
        store_elements(loaded(folded), out);
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn loaded(folded: &[Line; 16]) -> Sums {
    let mut sums = [_mm512_setzero_si512(); 16];
    for (sum, folded) in sums.iter_mut().zip(folded) {
        *sum = load(folded);
    }
    sums
}

/// Fetches an eighth of the lines that will be folded next: all at once would wait for each other.
#[inline]
fn fetch(ahead: &[&[Line]], eighth: usize) {
    for lines in ahead {
        let n = lines.len() / 8;
        prefetch(&lines[eighth * n..(eighth + 1) * n]);
    }
}

/// What `lines` have at each position, eight of them at a time, with zeros up to `n` eights.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn bytes_of_positions<'a>(
    n: usize,
    [first, second]: [&[Line]; 2],
    space: &'a mut [MaybeUninit<Bytes>; MAX_EIGHTS],
) -> &'a [Bytes] {
    let ((eights, few), more) = (first.as_chunks::<8>(), second.as_chunks::<8>().0);
    let mut padded = [[0; 8]; 8];
    padded[..few.len()].copy_from_slice(few);
    let rest = std::iter::repeat(&padded);
    for (space, lines) in space[..n].iter_mut().zip(eights.iter().chain(more).chain(rest)) {
        let lines: &[Line; 8] = lines;
        bytes_of_eight(lines, space);
    }
    // SAFETY: all have just been written.
    unsafe { space[..n].assume_init_ref() }
}

/// Interleaves the bytes of eight lines, and transposes the 8×8 bits of each lane.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn bytes_of_eight([a, b, c, d, e, f, g, h]: &[Line; 8], bytes: &mut MaybeUninit<Bytes>) {
    let [a, b, c, d] = [load(a), load(b), load(c), load(d)];
    let [e, f, g, h] = [load(e), load(f), load(g), load(h)];
    // Byte 7 − s of a lane is that of line s, as the transpose wants it.
    let pairs = [[h, g], [f, e], [d, c], [b, a]];
    let [hg, fe, dc, ba] = pairs.map(|[x, y]| [_mm512_unpacklo_epi8(x, y), _mm512_unpackhi_epi8(x, y)]);
    let mut out = [_mm512_setzero_si512(); 8];
    for half in 0..2 {
        let (x, y, z, w) = (hg[half], fe[half], dc[half], ba[half]);
        let upper = [_mm512_unpacklo_epi16(x, y), _mm512_unpackhi_epi16(x, y)];
        let lower = [_mm512_unpacklo_epi16(z, w), _mm512_unpackhi_epi16(z, w)];
        for quarter in 0..2 {
            let at = 4 * half + 2 * quarter;
            out[at] = transpose_bits(_mm512_unpacklo_epi32(upper[quarter], lower[quarter]));
            out[at + 1] = transpose_bits(_mm512_unpackhi_epi32(upper[quarter], lower[quarter]));
        }
    }
    bytes.write(out);
}

/// Transposes 8×8 bits in each lane: bit `i` of byte `k` is bit `k` of byte `7 − i`.
#[inline]
#[target_feature(enable = "avx512f,gfni")]
fn transpose_bits(matrices: __m512i) -> __m512i {
    _mm512_gf2p8affine_epi64_epi8::<0>(_mm512_set1_epi64(0x8040_2010_0804_0201_u64 as i64), matrices)
}

/// Adds eight lines' products at the positions of register `r`, for two matrices a step.
#[inline]
#[target_feature(enable = "avx512f,gfni")]
fn add_products(mut sums: Sums, matrices: &[[u64; 16]], bytes: &[Bytes], r: usize) -> Sums {
    for (matrices, bytes) in matrices.as_chunks::<2>().0.iter().zip(bytes.as_chunks::<2>().0) {
        let (first, second) = (bytes[0][r], bytes[1][r]);
        for (t, sum) in sums.iter_mut().enumerate() {
            let [a, b] =
                [matrices[0][t], matrices[1][t]].map(|matrix| _mm512_set1_epi64(matrix.cast_signed()));
            *sum = xor3(
                *sum,
                _mm512_gf2p8affine_epi64_epi8::<0>(first, a),
                _mm512_gf2p8affine_epi64_epi8::<0>(second, b),
            );
        }
    }
    sums
}

/// Transposes the 16×16 bytes of each quarter: element `4·i + l` is that of byte `16·l + i`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn store_elements(mut sums: Sums, out: &mut [Gf128; 64]) {
    // A step turns the index of a byte, the register's and that in the quarter, by one bit.
    for _ in 0..4 {
        let mut turned = [_mm512_setzero_si512(); 16];
        for t in 0..8 {
            turned[2 * t] = _mm512_unpacklo_epi8(sums[t], sums[t + 8]);
            turned[2 * t + 1] = _mm512_unpackhi_epi8(sums[t], sums[t + 8]);
        }
        sums = turned;
    }
    for (sum, out) in sums.into_iter().zip(out.as_chunks_mut::<4>().0) {
        store(sum, out);
    }
}

/// [`super::super::narrow::matrices`] of all factors times `scale`, eight of them after the other.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,gfni,vpclmulqdq")]
pub(in super::super) fn matrices(factors: &[Gf128], scale: Gf128, out: &mut [[u64; 16]]) {
    let scale = Factor::new(scale);
    let unit = _mm512_set1_epi64(0x0102_0408_1020_4080);
    let orders = [load(&MATRIX_BYTES[0]), load(&MATRIX_BYTES[1])];
    for (out, factors) in out.iter_mut().zip(factors.chunks(8)) {
        let mut rows = [Gf128(0); 8];
        rows[..factors.len()].copy_from_slice(factors);
        let rows: &[[u64; 8]; 2] = bytemuck::cast_ref(&rows);
        let (first, second) = (scale.times(load(&rows[0])), scale.times(load(&rows[1])));
        let out: &mut [[u64; 8]; 2] = bytemuck::cast_mut(out);
        for (out, order) in out.iter_mut().zip(orders) {
            // Byte t of row s at byte 8·(t % 8) + s, where the eight rows lie 16 bytes apart. The
            // transpose turns bits and bytes: bit s of byte 7 − i is then bit i of row s.
            let bytes = _mm512_permutex2var_epi8(first, order, second);
            store(_mm512_gf2p8affine_epi64_epi8::<0>(unit, bytes), out);
        }
    }
}

/// Byte `8·t + 7 − s` comes from byte `t` of row `s`, or byte `8 + t` in the second half.
const MATRIX_BYTES: [[u8; 64]; 2] = {
    let mut order = [[0; 64]; 2];
    let mut at = 0;
    while at < 128 {
        let (half, t, s) = (at / 64, at % 64 / 8, 7 - at % 8);
        order[half][at % 64] = (16 * s + 8 * half + t) as u8;
        at += 1;
    }
    order
};
