//! The sums over lines with AVX-512, VPCLMULQDQ and GFNI.

use std::arch::x86_64::*;

use super::{Block, LINE_BITS, Line, WeighedSum};
use crate::gf::Gf128;
use crate::gf::four::{load, store, xor3};
use crate::transpose::transpose_words;

/// Byte `8·j + s` comes from byte `8·(7 − s) + j`: transposes 8×8 bytes, rows reversed.
const TRANSPOSE_REVERSED: [u8; 64] = {
    let mut order = [0; 64];
    let mut at = 0;
    while at < 64 {
        order[at] = (8 * (7 - at % 8) + at / 8) as u8;
        at += 1;
    }
    order
};

/// Byte `t` of each of eight elements in two registers, from registers that hold byte `t` of all
/// eight in lane `t % 8`: for elements 0 to 3, and for 4 to 7.
const ELEMENTS: [[u8; 64]; 2] = {
    let mut order = [[0; 64]; 2];
    let mut at = 0;
    while at < 128 {
        let (element, t) = (at / 16, at % 16);
        order[at / 64][at % 64] = (64 * (t / 8) + 8 * (t % 8) + element) as u8;
        at += 1;
    }
    order
};

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,gfni,vpclmulqdq")]
pub(super) fn weigh(sums: &mut [WeighedSum], lines: &[Line], weight: u64) {
    let weight = _mm512_set1_epi64(weight as i64);
    for (sum, line) in sums.iter_mut().zip(lines) {
        add(sum, load(line), weight);
    }
}

/// `sum += weight · line`.
#[inline]
#[target_feature(enable = "avx512f,vpclmulqdq")]
fn add(sum: &mut WeighedSum, line: __m512i, weight: __m512i) {
    let low = _mm512_xor_si512(load(&sum.low), _mm512_clmulepi64_epi128::<0x00>(line, weight));
    let high = _mm512_xor_si512(load(&sum.high), _mm512_clmulepi64_epi128::<0x01>(line, weight));
    store(low, &mut sum.low);
    store(high, &mut sum.high);
}

/// A line of each operand in each of `P` places.
type Rows<const P: usize> = [[Line; 4]; P];

/// Digits of a point that are taken together: their lines and sums stay in the nearest cache.
const TILE_DIGITS: u32 = 4;

/// Lines of a tile.
pub(super) const TILE: usize = 1 << TILE_DIGITS;

/// [`super::weigh_products`] of 2^k lines, at least four, in pieces no shorter than a tile. Tile by tile, for all blocks before the
/// next: there are too many sums to fetch all of them for each block.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,gfni,vpclmulqdq")]
pub(super) fn weigh_products(sums: &mut [WeighedSum], k: u32, blocks: &[Block<'_>], weights: &[u64]) {
    let tile_digits = k.min(TILE_DIGITS);
    let mut lines = [[[[0; 8]; 4]; 2]; TILE];
    let mut scratch = lines;
    let lines = &mut lines[..1 << tile_digits];
    for (point, sums) in sums.chunks_mut(3usize.pow(tile_digits)).enumerate() {
        for (blocks, weights) in blocks.chunks(2).zip(weights.chunks(2)) {
            for (place, block) in blocks.iter().enumerate() {
                tile(block, point, k - tile_digits, place, lines);
            }
            match *weights {
                [first, second] => extend(sums, lines, &[first, second], &mut scratch),
                _ => extend(sums, lines, &[weights[0], 0], &mut scratch),
            }
        }
    }
}

/// The lines of a block at a point of its topmost `n` digits.
#[target_feature(enable = "avx512f")]
fn tile(block: &Block<'_>, point: usize, n: u32, place: usize, out: &mut [Rows<2>]) {
    // The lines that meet at this point: those with a one where its digits are, and either
    // where they are infinite.
    let (mut ones, mut either, mut rest) = (0, 0, point);
    for t in 0..n {
        ones |= usize::from(rest % 3 == 1) << t;
        either |= usize::from(rest % 3 == 2) << t;
        rest /= 3;
    }
    for (operand, pieces) in block.0.iter().enumerate() {
        // All subsets of the digits that may be either.
        let mut meet: [&[Line]; 8] = [&[]; 8];
        let (mut subset, mut n_meet) = (either, 0);
        loop {
            let (first, unit) = ((ones | subset) * out.len(), pieces[0].len());
            meet[n_meet] = &pieces[first / unit][first % unit..][..out.len()];
            n_meet += 1;
            if subset == 0 {
                break;
            }
            subset = (subset - 1) & either;
        }
        match meet[..n_meet] {
            [a] => xor_lines([a], place, operand, out),
            [a, b] => xor_lines([a, b], place, operand, out),
            [a, b, c, d] => xor_lines([a, b, c, d], place, operand, out),
            [a, b, c, d, e, f, g, h] => xor_lines([a, b, c, d, e, f, g, h], place, operand, out),
            _ => unreachable!("three digits above a tile at most"),
        }
    }
}

/// The XOR of `N` lines each.
#[inline]
#[target_feature(enable = "avx512f")]
fn xor_lines<const N: usize>(meet: [&[Line]; N], place: usize, operand: usize, out: &mut [Rows<2>]) {
    for (at, out) in out.iter_mut().enumerate() {
        let mut sum = load(&meet[0][at]);
        for lines in &meet[1..] {
            sum = _mm512_xor_si512(sum, load(&lines[at]));
        }
        store(sum, &mut out[place][operand]);
    }
}

/// The top digit by halves: the lines where it is 0, those where it is 1, and the XOR of both.
#[target_feature(enable = "avx512f,vpclmulqdq")]
fn extend<const P: usize>(
    sums: &mut [WeighedSum],
    lines: &[Rows<P>],
    weights: &[u64; P],
    scratch: &mut [Rows<P>],
) {
    if let (Ok(sums), Ok(lines)) = (<&mut [_; 9]>::try_from(&mut *sums), <&[_; 4]>::try_from(lines)) {
        return nine_points(sums, lines, weights);
    }
    let (third, half) = (sums.len() / 3, lines.len() / 2);
    let (low, high) = lines.split_at(half);
    extend(&mut sums[..third], low, weights, scratch);
    extend(&mut sums[third..2 * third], high, weights, scratch);
    let (mixed, scratch) = scratch.split_at_mut(half);
    let flat = mixed.as_flattened_mut().as_flattened_mut();
    let halves = low.as_flattened().as_flattened().iter().zip(high.as_flattened().as_flattened());
    for (mixed, (low, high)) in flat.iter_mut().zip(halves) {
        store(_mm512_xor_si512(load(low), load(high)), mixed);
    }
    extend(&mut sums[2 * third..], mixed, weights, scratch);
}

/// The last two digits, two places at a time.
#[target_feature(enable = "avx512f,vpclmulqdq")]
fn nine_points<const P: usize>(sums: &mut [WeighedSum; 9], lines: &[Rows<P>; 4], weights: &[u64; P]) {
    for place in (0..P / 2).map(|pair| 2 * pair) {
        let (first, second) = (nine_products(lines, place), nine_products(lines, place + 1));
        let weights = [weights[place], weights[place + 1]].map(u64::cast_signed);
        let (first_weight, second_weight) = (_mm512_set1_epi64(weights[0]), _mm512_set1_epi64(weights[1]));
        for (at, sum) in sums.iter_mut().enumerate() {
            let (a, b) = (first[at], second[at]);
            let low = [
                _mm512_clmulepi64_epi128::<0x00>(a, first_weight),
                _mm512_clmulepi64_epi128::<0x00>(b, second_weight),
            ];
            let high = [
                _mm512_clmulepi64_epi128::<0x01>(a, first_weight),
                _mm512_clmulepi64_epi128::<0x01>(b, second_weight),
            ];
            store(xor3(load(&sum.low), low[0], low[1]), &mut sum.low);
            store(xor3(load(&sum.high), high[0], high[1]), &mut sum.high);
        }
    }
}

/// A line of each operand.
type Row = [__m512i; 4];

/// `x ∧ y' ⊕ y ∧ x'` at each point.
#[inline]
#[target_feature(enable = "avx512f")]
fn nine_products<const P: usize>(lines: &[Rows<P>; 4], place: usize) -> [__m512i; 9] {
    let [first, second, third, fourth] =
        [&lines[0][place], &lines[1][place], &lines[2][place], &lines[3][place]];
    let rows = [row(first), row(second), row(third), row(fourth)];
    let (even, odd) = (mixed(rows[0], rows[2]), mixed(rows[1], rows[3]));
    [
        product(rows[0]),
        product(rows[1]),
        product(mixed(rows[0], rows[1])),
        product(rows[2]),
        product(rows[3]),
        product(mixed(rows[2], rows[3])),
        product(even),
        product(odd),
        product(mixed(even, odd)),
    ]
}

#[inline]
#[target_feature(enable = "avx512f")]
fn row(lines: &[Line; 4]) -> Row {
    [load(&lines[0]), load(&lines[1]), load(&lines[2]), load(&lines[3])]
}

#[inline]
#[target_feature(enable = "avx512f")]
fn mixed(x: Row, y: Row) -> Row {
    [
        _mm512_xor_si512(x[0], y[0]),
        _mm512_xor_si512(x[1], y[1]),
        _mm512_xor_si512(x[2], y[2]),
        _mm512_xor_si512(x[3], y[3]),
    ]
}

#[inline]
#[target_feature(enable = "avx512f")]
fn product([x, y, x_next, y_next]: Row) -> __m512i {
    // a ⊕ b ∧ c.
    _mm512_ternarylogic_epi64::<0x78>(_mm512_and_si512(x, y_next), y, x_next)
}

/// Transposes 8×8 bits in each lane: bit `i` of byte `k` is bit `k` of byte `7 − i`.
#[inline]
#[target_feature(enable = "avx512f,gfni")]
fn transpose_bits(matrices: __m512i) -> __m512i {
    _mm512_gf2p8affine_epi64_epi8::<0>(_mm512_set1_epi64(0x8040_2010_0804_0201_u64 as i64), matrices)
}

/// `out = Σ factor · line`, and `out` itself if `onto`; eight lines to 16 matrices.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,gfni,vpclmulqdq")]
pub(super) fn fold(matrices: &[[u64; 16]], lines: &[Line], out: &mut [Gf128], mut onto: bool) {
    let mut bytes = [[0; 64]; 8];
    if lines.is_empty() && !onto {
        out.fill(Gf128(0));
    }
    for (matrices, lines) in matrices.chunks(8).zip(lines.chunks(64)) {
        let (eights, few) = lines.as_chunks::<8>();
        for (bytes, lines) in bytes.iter_mut().zip(eights) {
            bytes_of_positions(lines, bytes);
        }
        if !few.is_empty() {
            let mut padded = [[0; 8]; 8];
            padded[..few.len()].copy_from_slice(few);
            bytes_of_positions(&padded, &mut bytes[eights.len()]);
        }
        match matrices.len() {
            1 => fold_groups::<1>(matrices, &bytes, out, onto),
            2 => fold_groups::<2>(matrices, &bytes, out, onto),
            4 => fold_groups::<4>(matrices, &bytes, out, onto),
            8 => fold_groups::<8>(matrices, &bytes, out, onto),
            _ => matrices.iter().zip(&bytes).for_each(|(matrices, bytes)| {
                fold_groups::<1>(std::slice::from_ref(matrices), std::slice::from_ref(bytes), out, onto);
                onto = true;
            }),
        }
        onto = true;
    }
}

/// For each position, a byte with its bit in each of eight lines.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
fn bytes_of_positions(lines: &[Line; 8], bytes: &mut [u64; 64]) {
    let [a, b, c, d, e, f, g, h] = lines;
    let rows = [load(a), load(b), load(c), load(d), load(e), load(f), load(g), load(h)];
    let reversed = load(&TRANSPOSE_REVERSED);
    let bytes: &mut [[u64; 8]; 8] = bytemuck::cast_mut(bytes);
    // Taken apart at once, the registers stay where they are.
    let [a, b, c, d, e, f, g, h] = transpose_words(rows);
    store(transpose_bits(_mm512_permutexvar_epi8(reversed, a)), &mut bytes[0]);
    store(transpose_bits(_mm512_permutexvar_epi8(reversed, b)), &mut bytes[1]);
    store(transpose_bits(_mm512_permutexvar_epi8(reversed, c)), &mut bytes[2]);
    store(transpose_bits(_mm512_permutexvar_epi8(reversed, d)), &mut bytes[3]);
    store(transpose_bits(_mm512_permutexvar_epi8(reversed, e)), &mut bytes[4]);
    store(transpose_bits(_mm512_permutexvar_epi8(reversed, f)), &mut bytes[5]);
    store(transpose_bits(_mm512_permutexvar_epi8(reversed, g)), &mut bytes[6]);
    store(transpose_bits(_mm512_permutexvar_epi8(reversed, h)), &mut bytes[7]);
}

/// The matrices stay in registers: two for each eight lines.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
fn fold_groups<const N: usize>(matrices: &[[u64; 16]], bytes: &[[u64; 64]], out: &mut [Gf128], onto: bool) {
    let matrices: &[[u64; 16]; N] = matrices.try_into().expect("as many as asked for");
    let bytes: &[[u64; 64]; N] = bytes[..N].try_into().expect("as many as matrices");
    let out: &mut [Gf128; LINE_BITS] = out.try_into().expect("a sum for each bit");
    let mut low = [_mm512_setzero_si512(); N];
    let mut high = [_mm512_setzero_si512(); N];
    for (at, matrices) in matrices.iter().enumerate() {
        let (first, second) = matrices.split_at(8);
        low[at] = load::<[u64; 8]>(first.try_into().expect("half of 16"));
        high[at] = load::<[u64; 8]>(second.try_into().expect("half of 16"));
    }
    let order = [load(&ELEMENTS[0]), load(&ELEMENTS[1])];
    for (at, out) in out.chunks_exact_mut(8).enumerate() {
        let mut sums = [_mm512_setzero_si512(); 2];
        for g in (0..N / 2).map(|pair| 2 * pair) {
            let first = _mm512_set1_epi64(bytes[g][at] as i64);
            let second = _mm512_set1_epi64(bytes[g + 1][at] as i64);
            sums[0] = xor3(
                sums[0],
                _mm512_gf2p8affine_epi64_epi8::<0>(first, low[g]),
                _mm512_gf2p8affine_epi64_epi8::<0>(second, low[g + 1]),
            );
            sums[1] = xor3(
                sums[1],
                _mm512_gf2p8affine_epi64_epi8::<0>(first, high[g]),
                _mm512_gf2p8affine_epi64_epi8::<0>(second, high[g + 1]),
            );
        }
        if N % 2 == 1 {
            let positions = _mm512_set1_epi64(bytes[N - 1][at] as i64);
            sums[0] = _mm512_xor_si512(sums[0], _mm512_gf2p8affine_epi64_epi8::<0>(positions, low[N - 1]));
            sums[1] = _mm512_xor_si512(sums[1], _mm512_gf2p8affine_epi64_epi8::<0>(positions, high[N - 1]));
        }
        let (first, second) = out.split_at_mut(4);
        let elements = [
            _mm512_permutex2var_epi8(sums[0], order[0], sums[1]),
            _mm512_permutex2var_epi8(sums[0], order[1], sums[1]),
        ];
        let out = [first, second].map(|out| <&mut [Gf128; 4]>::try_from(out).expect("four elements"));
        for (out, elements) in out.into_iter().zip(elements) {
            store(if onto { _mm512_xor_si512(load(out), elements) } else { elements }, out);
        }
    }
}

/// [`super::narrow::matrices`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,gfni,vpclmulqdq")]
pub(super) fn matrices(factors: &[Gf128]) -> [u64; 16] {
    let mut rows = [Gf128(0); 8];
    rows[..factors.len()].copy_from_slice(factors);
    let rows: &[[u64; 8]; 2] = bytemuck::cast_ref(&rows);
    let (first, second) = (load(&rows[0]), load(&rows[1]));
    let mut out = [[0u64; 8]; 2];
    for (half, out) in out.iter_mut().enumerate() {
        // Byte t of row s at byte 8·(t % 8) + s, where the eight rows lie 16 bytes apart. The
        // transpose turns bits and bytes: bit s of byte 7 − i is then bit i of row s.
        let order = load(&MATRIX_BYTES[half]);
        let bytes = _mm512_permutex2var_epi8(first, order, second);
        let unit = _mm512_set1_epi64(0x0102_0408_1020_4080);
        store(_mm512_gf2p8affine_epi64_epi8::<0>(unit, bytes), out);
    }
    bytemuck::cast(out)
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
