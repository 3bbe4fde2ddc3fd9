//! The sums over lines with AVX-512, VPCLMULQDQ and GFNI.

mod fold;

use std::arch::x86_64::*;

use super::{Block, GROUP, Line, WeighedSum};
use crate::gf::four::{load, prefetch, store, xor3};

pub(super) use fold::{add_folded, elements, fold, matrices};

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

/// A line of each operand, in each of two places.
type Rows = [[Line; 4]; 2];

/// Digits of a point that are taken together: their lines and sums stay in the nearest cache.
const TILE_DIGITS: u32 = 4;

/// Lines of a tile.
pub(super) const TILE: usize = 1 << TILE_DIGITS;

/// Lines on cache lines: half of all accesses would need two otherwise.
#[repr(C, align(64))]
struct Tile([Rows; TILE]);

/// [`super::weigh_products`] of 2^k lines, at least four, in pieces no shorter than a tile. Tile by tile, for all blocks before the
/// next: there are too many sums to fetch all of them for each block.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,gfni,vpclmulqdq")]
pub(super) fn weigh_products(
    sums: &mut [WeighedSum],
    k: u32,
    blocks: &[Block<'_>],
    weights: &[u64],
    ahead: &[Block<'_>],
) {
    let n_tiles = 3usize.pow(k - k.min(TILE_DIGITS));
    let mut ahead = ahead.iter().flat_map(|block| block.0.as_flattened()).flat_map(|lines| lines.chunks(8));
    let n_ahead = 4 * GROUP * (1 << k) / 8;
    let tile_digits = k.min(TILE_DIGITS);
    let mut tile = Tile([[[[0; 8]; 4]; 2]; TILE]);
    let lines = &mut tile.0[..1 << tile_digits];
    for (point, sums) in sums.chunks_mut(3usize.pow(tile_digits)).enumerate() {
        // All at once would wait for each other.
        ahead.by_ref().take(n_ahead.div_ceil(n_tiles)).for_each(prefetch);
        for (blocks, weights) in blocks.chunks(2).zip(weights.chunks(2)) {
            for (place, block) in blocks.iter().enumerate() {
                fill(block, point, k - tile_digits, place, lines);
            }
            // A place without a block weighs nothing.
            let weights = [weights[0], weights.get(1).copied().unwrap_or(0)];
            let weights = weights.map(|weight| _mm512_set1_epi64(weight.cast_signed()));
            let quads = lines.as_chunks::<4>().0;
            for (point, sums) in sums.as_chunks_mut::<9>().0.iter_mut().enumerate() {
                let (meet, n) = meeting(point, tile_digits - 2);
                match meet[..n] {
                    [a] => nine_points(sums, [&quads[a]], weights),
                    [a, b] => nine_points(sums, [&quads[a], &quads[b]], weights),
                    [a, b, c, d] => nine_points(sums, [&quads[a], &quads[b], &quads[c], &quads[d]], weights),
                    _ => unreachable!("two digits above the last two at most"),
                }
            }
        }
    }
}

/// The lines whose XOR stands at a point of `n` digits, at most three: those with a one where its
/// digits are, and either where they are infinite.
#[inline]
fn meeting(point: usize, n: u32) -> ([usize; 8], usize) {
    let (mut ones, mut either, mut rest) = (0, 0, point);
    for t in 0..n {
        ones |= usize::from(rest % 3 == 1) << t;
        either |= usize::from(rest % 3 == 2) << t;
        rest /= 3;
    }
    // All subsets of the digits that may be either.
    let (mut meet, mut n_meet, mut subset) = ([0; 8], 0, either);
    loop {
        meet[n_meet] = ones | subset;
        n_meet += 1;
        if subset == 0 {
            return (meet, n_meet);
        }
        subset = (subset - 1) & either;
    }
}

/// The lines of a block at a point of its topmost `n` digits.
#[inline]
#[target_feature(enable = "avx512f")]
fn fill(block: &Block<'_>, point: usize, n: u32, place: usize, out: &mut [Rows]) {
    let (meet, n_meet) = meeting(point, n);
    for (operand, pieces) in block.0.iter().enumerate() {
        let lines = |at: usize| -> &[Line] {
            let (first, unit) = (at * out.len(), pieces[0].len());
            &pieces[first / unit][first % unit..][..out.len()]
        };
        match meet[..n_meet] {
            [a] => xor_lines([a].map(lines), place, operand, out),
            [a, b] => xor_lines([a, b].map(lines), place, operand, out),
            [a, b, c, d] => xor_lines([a, b, c, d].map(lines), place, operand, out),
            [a, b, c, d, e, f, g, h] => xor_lines([a, b, c, d, e, f, g, h].map(lines), place, operand, out),
            _ => unreachable!("three digits above a tile at most"),
        }
    }
}

/// The XOR of `N` lines each.
#[inline]
#[target_feature(enable = "avx512f")]
fn xor_lines<const N: usize>(meet: [&[Line]; N], place: usize, operand: usize, out: &mut [Rows]) {
    for (at, out) in out.iter_mut().enumerate() {
        let mut sum = load(&meet[0][at]);
        for lines in &meet[1..] {
            sum = _mm512_xor_si512(sum, load(&lines[at]));
        }
        store(sum, &mut out[place][operand]);
    }
}

/// The points of the last two digits, where `M` quads of lines meet.
#[inline]
#[target_feature(enable = "avx512f,vpclmulqdq")]
fn nine_points<const M: usize>(sums: &mut [WeighedSum; 9], quads: [&[Rows; 4]; M], weights: [__m512i; 2]) {
    let (first, second) = (nine_products(quads, 0), nine_products(quads, 1));
    for (at, sum) in sums.iter_mut().enumerate() {
        let (a, b) = (first[at], second[at]);
        let low = [
            _mm512_clmulepi64_epi128::<0x00>(a, weights[0]),
            _mm512_clmulepi64_epi128::<0x00>(b, weights[1]),
        ];
        let high = [
            _mm512_clmulepi64_epi128::<0x01>(a, weights[0]),
            _mm512_clmulepi64_epi128::<0x01>(b, weights[1]),
        ];
        store(xor3(load(&sum.low), low[0], low[1]), &mut sum.low);
        store(xor3(load(&sum.high), high[0], high[1]), &mut sum.high);
    }
}

/// A line of each operand.
type Row = [__m512i; 4];

/// `x ∧ y' ⊕ y ∧ x'` at each point.
#[inline]
#[target_feature(enable = "avx512f")]
fn nine_products<const M: usize>(quads: [&[Rows; 4]; M], place: usize) -> [__m512i; 9] {
    let rows = [row(quads, 0, place), row(quads, 1, place), row(quads, 2, place), row(quads, 3, place)];
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
fn row<const M: usize>(quads: [&[Rows; 4]; M], at: usize, place: usize) -> Row {
    let mut row = [_mm512_setzero_si512(); 4];
    for (operand, sum) in row.iter_mut().enumerate() {
        *sum = load(&quads[0][at][place][operand]);
        for quad in &quads[1..] {
            *sum = _mm512_xor_si512(*sum, load(&quad[at][place][operand]));
        }
    }
    row
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
