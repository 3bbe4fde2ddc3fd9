//! The loops of [`super::slices`] with 52-bit multiply-accumulate instructions: eight products of
//! 64 bits in seven of them, where multiplying words takes a multiplication and three additions
//! each.
//!
//! `x = x0 + 2^52·x1`: an instruction multiplies the low 52 bits of its operands, so that a
//! word and the same word shifted by 52 are all that a factor takes. Sums are kept in columns of
//! 52 bits with twelve to spare.
//!
//! Reduction divides by 2^104 in two steps of Montgomery's. A factor that is 2^40 times larger makes
//! that the 2^64 of the scalar code: results are equal, bit for bit.

use std::arch::x86_64::*;

use super::{Pair, Prime, Sum};
use crate::simd::Level;

/// Elements of a vector.
pub(crate) const LANES: usize = 8;

/// Vectors of which three products each fit a column: below 2^12 sums of 52 bits.
pub(super) const BLOCK: usize = 512;

/// Vectors of selections that are looked up at a time.
const GROUP: usize = 4;

/// Whether this machine has the instructions. Those of the best level nearly all do; tests of
/// the levels below it take the portable loops.
pub(crate) fn available() -> bool {
    Level::best() == Level::Gfni && std::arch::is_x86_feature_detected!("avx512ifma")
}

/// A vector of elements, and what lies above their 52 low bits.
#[derive(Clone, Copy)]
struct Factor {
    low: __m512i,
    high: __m512i,
}

/// Columns of 52 bits and more.
#[derive(Clone, Copy)]
struct Columns([__m512i; 3]);

/// A prime, for eight elements at a time.
#[derive(Clone, Copy)]
struct Modulus {
    p: Factor,
    inverse: __m512i,
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
fn load(items: &[u64; LANES]) -> __m512i {
    // SAFETY: the array is as long as the vector; no alignment is asked for.
    unsafe { _mm512_loadu_si512(items.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
fn store(out: &mut [u64; LANES], vector: __m512i) {
    // SAFETY: as in `load`.
    unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), vector) }
}

impl Factor {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
    fn of(low: __m512i) -> Self {
        Factor { low, high: _mm512_srli_epi64::<52>(low) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
    fn load(items: &[u64; LANES]) -> Self {
        Self::of(load(items))
    }

    /// One weight in all lanes, times the 2^40 that reductions divide by beyond 2^64.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
    fn constant(prime: &Prime, weight: u64) -> Self {
        Self::of(_mm512_set1_epi64(scaled(prime, weight) as i64))
    }
}

/// `2^40·weight`.
pub(crate) fn scaled(prime: &Prime, weight: u64) -> u64 {
    prime.times(weight, prime.weight(1 << 40))
}

impl Columns {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
    fn zero() -> Self {
        Columns([_mm512_setzero_si512(); 3])
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
    fn add_product(&mut self, a: Factor, b: Factor) {
        let Columns([c0, c1, c2]) = self;
        *c0 = _mm512_madd52lo_epu64(*c0, a.low, b.low);
        *c1 = _mm512_madd52hi_epu64(*c1, a.low, b.low);
        *c2 = _mm512_madd52hi_epu64(*c2, a.low, b.high);
        *c1 = _mm512_madd52lo_epu64(*c1, a.low, b.high);
        *c2 = _mm512_madd52hi_epu64(*c2, a.high, b.low);
        *c1 = _mm512_madd52lo_epu64(*c1, a.high, b.low);
        *c2 = _mm512_madd52lo_epu64(*c2, a.high, b.high);
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
    fn plus(self, other: Self) -> Self {
        let (Columns([a0, a1, a2]), Columns([b0, b1, b2])) = (self, other);
        Columns([_mm512_add_epi64(a0, b0), _mm512_add_epi64(a1, b1), _mm512_add_epi64(a2, b2)])
    }

    /// Adds the sum of all lanes, and starts again from nothing.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
    fn flush(&mut self, sum: &mut Sum) {
        let low = _mm512_set1_epi64((1 << 52) - 1);
        for (at, column) in self.0.iter().enumerate() {
            let below = _mm512_reduce_add_epi64(_mm512_and_si512(*column, low)) as u64;
            let above = _mm512_reduce_add_epi64(_mm512_srli_epi64::<52>(*column)) as u64;
            // Below 2^67: what is shifted out of the lower word counts in the top one.
            let total = u128::from(below) + (u128::from(above) << 52);
            let (shifted, top) = match at {
                0 => (total, 0),
                1 => (total << 52, 0),
                _ => (total << 104, (total >> 24) as u64),
            };
            let (low, carry) = sum.low.overflowing_add(shifted);
            sum.low = low;
            sum.top = sum.top.wrapping_add(top).wrapping_add(u64::from(carry));
        }
        *self = Self::zero();
    }
}

impl Modulus {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
    fn of(prime: &Prime) -> Self {
        Modulus {
            p: Factor::of(_mm512_set1_epi64(prime.p as i64)),
            inverse: _mm512_set1_epi64(prime.inverse as i64),
        }
    }

    /// `columns/2^104`, below p, for columns below 2^104·p in all.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
    fn reduced(&self, columns: Columns, top: __m512i) -> __m512i {
        let (zero, Columns([c0, c1, c2])) = (_mm512_setzero_si512(), columns);
        let (p, inverse) = (self.p, self.inverse);
        // The multiple of p with these low bits, less which they vanish: low halves need no subtraction.
        let q = _mm512_madd52lo_epu64(zero, c0, inverse);
        let less = _mm512_madd52lo_epu64(_mm512_madd52hi_epu64(zero, q, p.low), q, p.high);
        let c1 = _mm512_sub_epi64(_mm512_add_epi64(c1, _mm512_srli_epi64::<52>(c0)), less);
        let less = _mm512_madd52hi_epu64(zero, q, p.high);
        let q = _mm512_madd52lo_epu64(zero, c1, inverse);
        let less = _mm512_madd52lo_epu64(_mm512_madd52hi_epu64(less, q, p.low), q, p.high);
        let c2 = _mm512_sub_epi64(_mm512_add_epi64(c2, _mm512_srai_epi64::<52>(c1)), less);
        // Two columns are left, above −p and below p.
        let c3 = _mm512_sub_epi64(top, _mm512_madd52hi_epu64(zero, q, p.high));
        let sign = _mm512_add_epi64(c3, _mm512_srai_epi64::<52>(c2));
        let value = _mm512_add_epi64(c2, _mm512_slli_epi64::<52>(c3));
        _mm512_mask_add_epi64(value, _mm512_movepi64_mask(sign), value, p.low)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
    fn minus(&self, a: __m512i, b: __m512i) -> __m512i {
        let less = _mm512_sub_epi64(a, b);
        _mm512_mask_add_epi64(less, _mm512_cmplt_epu64_mask(a, b), less, self.p.low)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
    fn plus(&self, a: __m512i, b: __m512i) -> __m512i {
        // a + b = a − (p − b).
        self.minus(a, _mm512_sub_epi64(self.p.low, b))
    }
}

/// `point` times other pairs.
#[derive(Clone, Copy)]
struct Point {
    re: Factor,
    im: Factor,
    minus_im: Factor,
}

impl Point {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
    fn of(prime: &Prime, point: Pair) -> Self {
        let [re, im, minus_im] =
            [point.re, point.im, prime.minus(0, point.im)].map(|weight| Factor::constant(prime, weight));
        Point { re, im, minus_im }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
    fn times(&self, modulus: &Modulus, re: __m512i, im: __m512i) -> [__m512i; 2] {
        let (re, im) = (Factor::of(re), Factor::of(im));
        let [mut real, mut across] = [Columns::zero(); 2];
        real.add_product(self.re, re);
        across.add_product(self.im, re);
        real.add_product(self.minus_im, im);
        across.add_product(self.re, im);
        let top = _mm512_setzero_si512();
        [modulus.reduced(real, top), modulus.reduced(across, top)]
    }
}

/// Whole vectors of a slice, and the elements after them.
fn vectors(items: &[u64]) -> &[[u64; LANES]] {
    items.as_chunks().0
}

/// See [`super::slices::scale_into`]: how many elements were written.
///
/// # Safety
/// [`available`] says so.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
pub(super) unsafe fn scale_into(prime: &Prime, out: &mut [u64], a: &[u64], b: &[u64]) -> usize {
    let modulus = Modulus::of(prime);
    let (out, _) = out.as_chunks_mut::<LANES>();
    for ((out, a), b) in out.iter_mut().zip(vectors(a)).zip(vectors(b)) {
        // 2^40·b has two columns and no more.
        let (a, b) = (Factor::load(a), load(b));
        let b = Factor { low: _mm512_slli_epi64::<40>(b), high: _mm512_srli_epi64::<12>(b) };
        let mut product = Columns::zero();
        product.add_product(a, b);
        let top = _mm512_madd52hi_epu64(_mm512_setzero_si512(), a.high, b.high);
        store(out, modulus.reduced(product, top));
    }
    LANES * out.len()
}

/// See [`super::slices::add_products`], likewise.
///
/// # Safety
/// [`available`] says so.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
pub(super) unsafe fn add_products(sum: &mut Sum, a: &[u64], b: &[u64]) -> usize {
    let (a, b) = (vectors(a), vectors(b));
    for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
        let mut sums = [Columns::zero(); 2];
        let (a_two, a_rest) = a.as_chunks::<2>();
        let (b_two, b_rest) = b.as_chunks::<2>();
        for (a, b) in a_two.iter().zip(b_two) {
            sums[0].add_product(Factor::load(&a[0]), Factor::load(&b[0]));
            sums[1].add_product(Factor::load(&a[1]), Factor::load(&b[1]));
        }
        for (a, b) in a_rest.iter().zip(b_rest) {
            sums[0].add_product(Factor::load(a), Factor::load(b));
        }
        sums[0].plus(sums[1]).flush(sum);
    }
    LANES * a.len()
}

/// Adds to columns of eight lanes the products of at most [`BLOCK`] vectors in all: how many elements
/// were added.
///
/// # Safety
/// [`available`] says so.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
pub(super) unsafe fn add_to_lanes(lanes: &mut [[u64; LANES]; 3], a: &[u64], b: &[u64]) -> usize {
    let (a, b) = (vectors(a), vectors(b));
    let [c0, c1, c2] = &*lanes;
    let mut sums = [Columns([load(c0), load(c1), load(c2)]), Columns::zero()];
    let (a_two, a_rest) = a.as_chunks::<2>();
    let (b_two, b_rest) = b.as_chunks::<2>();
    for (a, b) in a_two.iter().zip(b_two) {
        sums[0].add_product(Factor::load(&a[0]), Factor::load(&b[0]));
        sums[1].add_product(Factor::load(&a[1]), Factor::load(&b[1]));
    }
    for (a, b) in a_rest.iter().zip(b_rest) {
        sums[0].add_product(Factor::load(a), Factor::load(b));
    }
    let Columns(columns) = sums[0].plus(sums[1]);
    lanes.iter_mut().zip(columns).for_each(|(lanes, column)| store(lanes, column));
    LANES * a.len()
}

/// See [`super::slices::add_pair_products`], likewise.
///
/// # Safety
/// [`available`] says so.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
pub(super) unsafe fn add_pair_products(sums: &mut [Sum; 2], re: &[u64], im: &[u64], values: &[u64]) -> usize {
    let (re, im, values) = (vectors(re), vectors(im), vectors(values));
    let blocks = re.chunks(BLOCK).zip(im.chunks(BLOCK)).zip(values.chunks(BLOCK));
    for ((re, im), values) in blocks {
        let mut columns = [Columns::zero(); 2];
        for ((re, im), value) in re.iter().zip(im).zip(values) {
            let value = Factor::load(value);
            columns[0].add_product(value, Factor::load(re));
            columns[1].add_product(value, Factor::load(im));
        }
        columns.iter_mut().zip(sums.iter_mut()).for_each(|(columns, sum)| columns.flush(sum));
    }
    LANES * values.len()
}

/// See [`super::slices::split_weights`]: for as many elements as the upper halves have vectors of.
///
/// # Safety
/// [`available`] says so.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
pub(super) unsafe fn split_weights(
    prime: &Prime,
    point: Pair,
    [re, im]: [&mut [u64]; 2],
    [re_high, im_high]: [&mut [u64]; 2],
) -> usize {
    let (modulus, point) = (Modulus::of(prime), Point::of(prime, point));
    let [re, im, re_high, im_high] =
        [re, im, re_high, im_high].map(|part| part.as_chunks_mut::<LANES>().0.iter_mut());
    let n = re_high.len();
    for (((re, im), re_high), im_high) in re.zip(im).zip(re_high).zip(im_high) {
        let low = [load(re), load(im)];
        let high = point.times(&modulus, low[0], low[1]);
        store(re_high, high[0]);
        store(im_high, high[1]);
        store(re, modulus.minus(low[0], high[0]));
        store(im, modulus.minus(low[1], high[1]));
    }
    LANES * n
}

/// See [`super::slices::fold`], likewise.
///
/// # Safety
/// [`available`] says so.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
pub(super) unsafe fn fold(
    prime: &Prime,
    point: Pair,
    [re, im]: [&mut [u64]; 2],
    [re_high, im_high]: [&[u64]; 2],
) -> usize {
    let (modulus, point) = (Modulus::of(prime), Point::of(prime, point));
    let [re, im] = [re, im].map(|part| part.as_chunks_mut::<LANES>().0);
    let n = re.len();
    let high = vectors(re_high).iter().zip(vectors(im_high));
    for ((re, im), (re_high, im_high)) in re.iter_mut().zip(im).zip(high) {
        let low = [load(re), load(im)];
        let step = [modulus.minus(load(re_high), low[0]), modulus.minus(load(im_high), low[1])];
        let step = point.times(&modulus, step[0], step[1]);
        store(re, modulus.plus(low[0], step[0]));
        store(im, modulus.plus(low[1], step[1]));
    }
    LANES * n
}

/// See [`super::slices::half_products`], likewise.
///
/// # Safety
/// [`available`] says so.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
pub(super) unsafe fn half_products(
    prime: &Prime,
    half: usize,
    parts: [&[u64]; 4],
    sums: &mut [[Sum; 3]; 2],
) -> usize {
    let modulus = Modulus::of(prime);
    let low = parts.map(|part| vectors(&part[..half]));
    let high = parts.map(|part| vectors(&part[half..2 * half]));
    let n = low[0].len();
    for first in (0..n).step_by(BLOCK) {
        let mut columns = [[Columns::zero(); 3]; 2];
        for at in first..n.min(first + BLOCK) {
            let (mut zero, mut infinity) = ([Factor::of(_mm512_setzero_si512()); 4], [modulus.p; 4]);
            for part in 0..4 {
                zero[part] = Factor::load(&low[part][at]);
                infinity[part] = Factor::of(modulus.minus(load(&high[part][at]), zero[part].low));
            }
            for (columns, [a, b, c, d]) in columns.iter_mut().zip([zero, infinity]) {
                columns[0].add_product(a, c);
                columns[1].add_product(b, d);
                columns[2].add_product(a, d);
                columns[2].add_product(b, c);
            }
        }
        for (columns, sum) in columns.as_flattened_mut().iter_mut().zip(sums.as_flattened_mut()) {
            columns.flush(sum);
        }
    }
    LANES * n
}

/// See [`super::slices::combine`], likewise.
///
/// # Safety
/// [`available`] says so.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
pub(super) unsafe fn combine(
    prime: &Prime,
    weights: &[Pair; 8],
    rows: &[&[u64]; 8],
    re: &mut [u64],
    im: &mut [u64],
) -> usize {
    let modulus = Modulus::of(prime);
    let weights = weights.map(|weight| [weight.re, weight.im].map(|weight| Factor::constant(prime, weight)));
    let rows = rows.map(vectors);
    let [re, im] = [re, im].map(|part| part.as_chunks_mut::<LANES>().0);
    let n = re.len();
    for (at, (re, im)) in re.iter_mut().zip(im).enumerate() {
        let mut columns = [Columns::zero(); 2];
        for (weight, row) in weights.iter().zip(&rows) {
            let value = Factor::load(&row[at]);
            columns[0].add_product(value, weight[0]);
            columns[1].add_product(value, weight[1]);
        }
        let top = _mm512_setzero_si512();
        store(re, modulus.reduced(columns[0], top));
        store(im, modulus.reduced(columns[1], top));
    }
    LANES * n
}

/// See [`crate::subsets::SubsetWeights::select`], for tables of weights times 2^40 by four bits of
/// a selection: how many elements were written.
///
/// # Safety
/// [`available`] says so.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")]
pub(crate) unsafe fn select(
    prime: &Prime,
    tables: &[[u64; 16]; 16],
    selections: &[u64],
    out: &mut [u64],
) -> usize {
    let modulus = Modulus::of(prime);
    let (out, _) = out.as_chunks_mut::<LANES>();
    // Several vectors at a time share what is read of the tables.
    let groups = out.chunks_mut(GROUP).zip(vectors(selections).chunks(GROUP));
    for (out, selections) in groups {
        let mut rest = [_mm512_setzero_si512(); GROUP];
        rest.iter_mut().zip(selections).for_each(|(rest, selections)| *rest = load(selections));
        // The sum modulo 2^64, and that of the upper halves, which says how often it wrapped.
        let [mut sums, mut uppers] = [[_mm512_setzero_si512(); GROUP]; 2];
        for table in tables {
            let halves = table.as_chunks::<LANES>().0;
            let (first, second) = (load(&halves[0]), load(&halves[1]));
            for at in 0..GROUP {
                let item = _mm512_permutex2var_epi64(first, rest[at], second);
                rest[at] = _mm512_srli_epi64::<4>(rest[at]);
                sums[at] = _mm512_add_epi64(sums[at], item);
                uppers[at] = _mm512_add_epi64(uppers[at], _mm512_srli_epi64::<32>(item));
            }
        }
        for (out, (sum, upper)) in out.iter_mut().zip(sums.into_iter().zip(uppers)) {
            // The sum is upper·2^32 + lower, and lower has 36 bits.
            let lower = _mm512_sub_epi64(sum, _mm512_slli_epi64::<32>(upper));
            let middle = _mm512_and_si512(upper, _mm512_set1_epi64((1 << 20) - 1));
            let c0 = _mm512_add_epi64(lower, _mm512_slli_epi64::<32>(middle));
            let columns = Columns([c0, _mm512_srli_epi64::<20>(upper), _mm512_setzero_si512()]);
            store(out, modulus.reduced(columns, _mm512_setzero_si512()));
        }
    }
    LANES * out.len()
}
