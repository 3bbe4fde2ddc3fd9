//! The sums over lines with AVX-512, VPCLMULQDQ and GFNI.

use std::arch::x86_64::*;

use super::{LINE_BITS, Line, WeighedSum};
use crate::gf::Gf128;
use crate::gf::four::{load, store};
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

/// At least four lines of each operand.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,gfni,vpclmulqdq")]
pub(super) fn weigh_products(sums: &mut [WeighedSum], lines: [&[Line]; 4], weight: u64) {
    let mut scratch = vec![[0; 8]; 4 * lines[0].len()];
    extend(sums, lines, _mm512_set1_epi64(weight as i64), &mut scratch);
}

/// The top digit by halves: the lines where it is 0, those where it is 1, and the XOR of both.
#[target_feature(enable = "avx512f,vpclmulqdq")]
fn extend(sums: &mut [WeighedSum], lines: [&[Line]; 4], weight: __m512i, scratch: &mut [Line]) {
    let half = lines[0].len() / 2;
    if half == 2 {
        let sums = sums.try_into().expect("nine points of two digits");
        return nine_points(sums, &lines.map(|lines| lines.try_into().expect("four lines")), weight);
    }
    let third = sums.len() / 3;
    let (low, high) = (lines.map(|lines| &lines[..half]), lines.map(|lines| &lines[half..]));
    extend(&mut sums[..third], low, weight, scratch);
    extend(&mut sums[third..2 * third], high, weight, scratch);
    let (mixed, scratch) = scratch.split_at_mut(4 * half);
    for (mixed, (low, high)) in mixed.chunks_exact_mut(half).zip(low.iter().zip(&high)) {
        for ((mixed, low), high) in mixed.iter_mut().zip(*low).zip(*high) {
            store(_mm512_xor_si512(load(low), load(high)), mixed);
        }
    }
    let mixed = [0, 1, 2, 3].map(|at| &mixed[at * half..(at + 1) * half]);
    extend(&mut sums[2 * third..], mixed, weight, scratch);
}

/// A line of each operand.
type Row = [__m512i; 4];

/// The last two digits, in registers.
#[target_feature(enable = "avx512f,vpclmulqdq")]
fn nine_points(sums: &mut [WeighedSum; 9], lines: &[&[Line; 4]; 4], weight: __m512i) {
    let rows = [row(lines, 0), row(lines, 1), row(lines, 2), row(lines, 3)];
    add_product(&mut sums[0], rows[0], weight);
    add_product(&mut sums[1], rows[1], weight);
    add_product(&mut sums[2], mixed(rows[0], rows[1]), weight);
    add_product(&mut sums[3], rows[2], weight);
    add_product(&mut sums[4], rows[3], weight);
    add_product(&mut sums[5], mixed(rows[2], rows[3]), weight);
    let (even, odd) = (mixed(rows[0], rows[2]), mixed(rows[1], rows[3]));
    add_product(&mut sums[6], even, weight);
    add_product(&mut sums[7], odd, weight);
    add_product(&mut sums[8], mixed(even, odd), weight);
}

#[inline]
#[target_feature(enable = "avx512f")]
fn row(lines: &[&[Line; 4]; 4], at: usize) -> Row {
    [load(&lines[0][at]), load(&lines[1][at]), load(&lines[2][at]), load(&lines[3][at])]
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

/// `sum += weight · (x ∧ y' ⊕ y ∧ x')`.
#[inline]
#[target_feature(enable = "avx512f,vpclmulqdq")]
fn add_product(sum: &mut WeighedSum, [x, y, x_next, y_next]: Row, weight: __m512i) {
    // a ⊕ b ∧ c.
    let line = _mm512_ternarylogic_epi64::<0x78>(_mm512_and_si512(x, y_next), y, x_next);
    add(sum, line, weight);
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
        for (bytes, lines) in bytes.iter_mut().zip(lines.chunks(8)) {
            bytes_of_positions(lines, bytes);
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

/// For each position, a byte with its bit in each of up to eight lines.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
fn bytes_of_positions(lines: &[Line], bytes: &mut [u64; 64]) {
    let mut rows = [_mm512_setzero_si512(); 8];
    for (row, line) in rows.iter_mut().zip(lines) {
        *row = load(line);
    }
    let reversed = load(&TRANSPOSE_REVERSED);
    for (words, bytes) in transpose_words(rows).iter().zip(bytes.chunks_exact_mut(8)) {
        let bytes: &mut [u64; 8] = bytes.try_into().expect("chunks of eight");
        store(transpose_bits(_mm512_permutexvar_epi8(reversed, *words)), bytes);
    }
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
        for g in 0..N {
            let positions = _mm512_set1_epi64(bytes[g][at] as i64);
            sums[0] = _mm512_xor_si512(sums[0], _mm512_gf2p8affine_epi64_epi8::<0>(positions, low[g]));
            sums[1] = _mm512_xor_si512(sums[1], _mm512_gf2p8affine_epi64_epi8::<0>(positions, high[g]));
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
