//! The sums over lines with AVX-512, VPCLMULQDQ and GFNI.

mod fold;

use std::arch::x86_64::*;

use super::{Block, Line, WeighedSum, Weight};
use crate::gf::Gf128;
use crate::gf::four::{Sums, load, prefetch, store, xor3};

pub(super) use fold::{add_folded, elements, fold, matrices};

/// [`super::weigh_sums`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,gfni,vpclmulqdq")]
pub(super) fn weigh_sums(sums: &mut [WeighedSum], [x, y]: [&[Line]; 2], weight: Weight, ahead: [&[Line]; 2]) {
    let weight = broadcast(weight);
    for (at, ((sum, x), y)) in sums.iter_mut().zip(x).zip(y).enumerate() {
        for ahead in ahead {
            prefetch(ahead.get(at..=at).unwrap_or_default());
        }
        add(sum, _mm512_xor_si512(load(x), load(y)), weight);
    }
}

/// [`super::weigh_rest`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,gfni,vpclmulqdq")]
pub(super) fn weigh_rest(
    sums: &mut [WeighedSum],
    [x, y, f]: [&[Line]; 3],
    weight: Weight,
    ahead: [&[Line]; 3],
) {
    let weight = broadcast(weight);
    for (at, (((sum, x), y), f)) in sums.iter_mut().zip(x).zip(y).zip(f).enumerate() {
        for ahead in ahead {
            prefetch(ahead.get(at..=at).unwrap_or_default());
        }
        // a ⊕ b ∧ c.
        add(sum, _mm512_ternarylogic_epi64::<0x78>(load(f), load(x), load(y)), weight);
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn broadcast(weight: Weight) -> __m512i {
    let [lower, upper] = weight.map(u64::cast_signed);
    _mm512_set_epi64(upper, lower, upper, lower, upper, lower, upper, lower)
}

/// `sum += weight · line`.
#[inline]
#[target_feature(enable = "avx512f,vpclmulqdq")]
fn add(sum: &mut WeighedSum, line: __m512i, weight: __m512i) {
    let lower = _mm512_clmulepi64_epi128::<0x00>(line, weight);
    let upper = _mm512_clmulepi64_epi128::<0x11>(line, weight);
    store(xor3(load(sum), lower, upper), sum);
}

/// [`super::totals`], four sums at a time: their elements side by side, by the transpose of each four.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,gfni,vpclmulqdq")]
pub(super) fn totals(sums: &[[WeighedSum; 4]], factors: &[Gf128; 4], out: &mut [[Gf128; 4]]) {
    let factors: [__m512i; 4] =
        [load(&[factors[0]; 4]), load(&[factors[1]; 4]), load(&[factors[2]; 4]), load(&[factors[3]; 4])];
    for ([a, b, c, d], out) in sums.iter().zip(out) {
        let [a, b, c, d] = [load(a), load(b), load(c), load(d)];
        // Quarters 0 and 1 of two registers, and 2 and 3.
        let (ab, ab_high) = (_mm512_shuffle_i64x2::<0x44>(a, b), _mm512_shuffle_i64x2::<0xee>(a, b));
        let (cd, cd_high) = (_mm512_shuffle_i64x2::<0x44>(c, d), _mm512_shuffle_i64x2::<0xee>(c, d));
        let elements = [
            _mm512_shuffle_i64x2::<0x88>(ab, cd),
            _mm512_shuffle_i64x2::<0xdd>(ab, cd),
            _mm512_shuffle_i64x2::<0x88>(ab_high, cd_high),
            _mm512_shuffle_i64x2::<0xdd>(ab_high, cd_high),
        ];
        let mut sum = Sums::zero();
        for (element, factor) in elements.into_iter().zip(factors) {
            sum = sum.add(element, factor);
        }
        store(sum.reduce(), out);
    }
}

/// Digits of a point that are taken together: their lines and sums stay in the nearest cache.
const TILE_DIGITS: u32 = 5;

/// Lines of a tile.
const TILE: usize = 1 << TILE_DIGITS;

/// Lines of each operand, on cache lines: half of all accesses would need two otherwise.
#[repr(C, align(64))]
struct Tile([[Line; TILE]; 2]);

/// [`super::weigh_products`] of 2^k lines, at least four. Tile by tile, for all blocks before the next: there are too many sums to fetch all of them for each block.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,gfni,vpclmulqdq")]
pub(super) fn weigh_products(sums: &mut [WeighedSum], k: u32, blocks: &[Block<'_>], weights: &[Weight]) {
    let tile_digits = k.min(TILE_DIGITS);
    let n_lines = 1 << tile_digits;
    let mut space = Tile([[[0; 8]; TILE]; 2]);
    for (point, sums) in sums.chunks_mut(3usize.pow(tile_digits)).enumerate() {
        let meet = &MEETING[point].0[..MEETING[point].1];
        let is_bits = meet.len() == 1;
        for (block, weight) in blocks.iter().zip(weights) {
            let mut lines = [&[][..]; 2];
            for ((all, space), lines) in block.iter().zip(&mut space.0).zip(&mut lines) {
                *lines = met(all, meet, &mut space[..n_lines]);
            }
            let mut quads = [&[][..]; 2];
            for (quads, lines) in quads.iter_mut().zip(lines) {
                *quads = lines.as_chunks::<4>().0;
            }
            let weight = broadcast(*weight);
            for (point, sums) in sums.as_chunks_mut::<9>().0.iter_mut().enumerate() {
                let (meet, n) = &MEETING[point];
                match meet[..*n] {
                    [a] if is_bits => nine_points::<_, false>(sums, quads, [a], weight),
                    [a] => nine_points::<_, true>(sums, quads, [a], weight),
                    [a, b] => nine_points::<_, true>(sums, quads, [a, b], weight),
                    [a, b, c, d] => nine_points::<_, true>(sums, quads, [a, b, c, d], weight),
                    _ => nine_points::<_, true>(sums, quads, *meet, weight),
                }
            }
        }
    }
}

/// The lines whose XOR stands at a point of three digits: those with a one where its digits are, and
/// either where they are infinite, and how many that is.
const MEETING: [([usize; 8], usize); 27] = {
    let mut meeting = [([0; 8], 0); 27];
    let mut point = 0;
    while point < 27 {
        let digits = [point % 3, point / 3 % 3, point / 9];
        let mut line = 0;
        while line < 8 {
            let (mut t, mut meets) = (0, true);
            while t < 3 {
                meets &= digits[t] == 2 || digits[t] == line >> t & 1;
                t += 1;
            }
            if meets {
                let (meet, n) = &mut meeting[point];
                meet[*n] = line;
                *n += 1;
            }
            line += 1;
        }
        point += 1;
    }
    meeting
};

/// The lines of an operand at a point of its topmost digits, at most two: in place if they are its own.
#[inline]
#[target_feature(enable = "avx512f")]
fn met<'a>(lines: &'a [Line], meet: &[usize], space: &'a mut [Line]) -> &'a [Line] {
    let n = space.len();
    let lines = |at: usize| &lines[at * n..][..n];
    match *meet {
        [a] => return lines(a),
        [a, b] => {
            let [a, b] = [a, b].map(lines);
            for at in 0..n {
                store(_mm512_xor_si512(load(&a[at]), load(&b[at])), &mut space[at]);
            }
        }
        [a, b, c, d] => {
            let [a, b, c, d] = [a, b, c, d].map(lines);
            for at in 0..n {
                let three = xor3(load(&a[at]), load(&b[at]), load(&c[at]));
                store(_mm512_xor_si512(three, load(&d[at])), &mut space[at]);
            }
        }
        _ => unreachable!("two digits above a tile at most"),
    }
    space
}

/// A line of each operand.
type Row = [__m512i; 2];

/// The points of the last two digits, where `M` quads of lines meet: a row for each bit of both, and
/// the sums of these. Without points of bits where all other digits are bits: nobody asks for those.
#[inline]
#[target_feature(enable = "avx512f,vpclmulqdq")]
fn nine_points<const M: usize, const BITS: bool>(
    sums: &mut [WeighedSum; 9],
    lines: [&[[Line; 4]]; 2],
    meet: [usize; M],
    weight: __m512i,
) {
    // No closures: they would be functions without the processor's instructions.
    let mut quads = [[&lines[0][0]; M]; 2];
    for (quads, lines) in quads.iter_mut().zip(lines) {
        for (quad, at) in quads.iter_mut().zip(meet) {
            *quad = &lines[at];
        }
    }
    let quads = &quads;
    let (a, b) = (row(quads, 0), row(quads, 1));
    if BITS {
        add(&mut sums[0], product(a), weight);
        add(&mut sums[1], product(b), weight);
    }
    add(&mut sums[2], product_of_sums(a, b), weight);
    let (c, d) = (row(quads, 2), row(quads, 3));
    if BITS {
        add(&mut sums[3], product(c), weight);
        add(&mut sums[4], product(d), weight);
    }
    add(&mut sums[5], product_of_sums(c, d), weight);
    let (even, odd) = (mixed(a, c), mixed(b, d));
    add(&mut sums[6], product(even), weight);
    add(&mut sums[7], product(odd), weight);
    add(&mut sums[8], product_of_sums(even, odd), weight);
}

#[inline]
#[target_feature(enable = "avx512f")]
fn row<const M: usize>(quads: &[[&[Line; 4]; M]; 2], at: usize) -> Row {
    let mut row = [_mm512_setzero_si512(); 2];
    for (operand, sum) in row.iter_mut().enumerate() {
        let lines = &quads[operand];
        *sum = load(&lines[0][at]);
        // An odd number of others.
        for pair in 0..(M - 1) / 2 {
            *sum = xor3(*sum, load(&lines[2 * pair + 1][at]), load(&lines[2 * pair + 2][at]));
        }
        if M > 1 {
            *sum = _mm512_xor_si512(*sum, load(&lines[M - 1][at]));
        }
    }
    row
}

#[inline]
#[target_feature(enable = "avx512f")]
fn mixed(x: Row, y: Row) -> Row {
    [_mm512_xor_si512(x[0], y[0]), _mm512_xor_si512(x[1], y[1])]
}

#[inline]
#[target_feature(enable = "avx512f")]
fn product([x, y]: Row) -> __m512i {
    _mm512_and_si512(x, y)
}

/// [`product`] of two rows' sum.
#[inline]
#[target_feature(enable = "avx512f")]
fn product_of_sums(a: Row, b: Row) -> __m512i {
    // (a ⊕ b) ∧ c.
    _mm512_ternarylogic_epi64::<0x28>(a[0], b[0], _mm512_xor_si512(a[1], b[1]))
}
