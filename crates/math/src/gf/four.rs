//! Four elements of GF(2^128) at a time, with AVX-512 and VPCLMULQDQ.

use std::arch::x86_64::*;

use bytemuck::Pod;

use super::Gf128;

/// Whether the processor has what this file and its users need.
#[inline]
pub(super) fn is_there() -> bool {
    crate::simd::Level::best() == crate::simd::Level::Gfni
        && std::arch::is_x86_feature_detected!("vpclmulqdq")
}

/// A whole register from 64 bytes.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load<T: Pod>(line: &T) -> __m512i {
    const { assert!(size_of::<T>() == 64) }
    // SAFETY: the value has 64 bytes, and this load needs no alignment.
    unsafe { _mm512_loadu_si512(std::ptr::from_ref(line).cast()) }
}

/// The other way round.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn store<T: Pod>(value: __m512i, line: &mut T) {
    const { assert!(size_of::<T>() == 64) }
    // SAFETY: the place has 64 bytes, any of which it may hold, and this store needs no alignment.
    unsafe { _mm512_storeu_si512(std::ptr::from_mut(line).cast(), value) }
}

/// Asks for lines that will be read soon.
#[inline]
pub(super) fn prefetch(lines: &[[u64; 8]]) {
    for line in lines {
        // SAFETY: a hint, which reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(line).cast()) };
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn xor3(x: __m512i, y: __m512i, z: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<0x96>(x, y, z)
}

/// The coefficients from X^0, X^64 and X^128 on of four sums of products.
#[derive(Clone, Copy)]
pub(super) struct Sums([__m512i; 3]);

impl Sums {
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn zero() -> Self {
        Sums([_mm512_setzero_si512(); 3])
    }

    /// `self + x·y`.
    #[inline]
    #[target_feature(enable = "avx512f,vpclmulqdq")]
    pub(super) fn add(self, x: __m512i, y: __m512i) -> Self {
        let Sums([low, middle, high]) = self;
        let mixed = [_mm512_clmulepi64_epi128::<0x01>(x, y), _mm512_clmulepi64_epi128::<0x10>(x, y)];
        Sums([
            _mm512_xor_si512(low, _mm512_clmulepi64_epi128::<0x00>(x, y)),
            xor3(middle, mixed[0], mixed[1]),
            _mm512_xor_si512(high, _mm512_clmulepi64_epi128::<0x11>(x, y)),
        ])
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn plus(self, other: Self) -> Self {
        let (Sums(x), Sums(y)) = (self, other);
        Sums([_mm512_xor_si512(x[0], y[0]), _mm512_xor_si512(x[1], y[1]), _mm512_xor_si512(x[2], y[2])])
    }

    /// As `Carryless::reduce_128`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
    pub(super) fn reduce(self) -> __m512i {
        let Sums([low, middle, high]) = self;
        let modulus = _mm512_set1_epi64(0x87);
        let high = _mm512_xor_si512(high, _mm512_bsrli_epi128::<8>(middle));
        let first = _mm512_clmulepi64_epi128::<0x01>(high, modulus);
        let middle = _mm512_xor_si512(middle, first);
        let high = _mm512_xor_si512(high, _mm512_bsrli_epi128::<8>(first));
        let second = _mm512_clmulepi64_epi128::<0x00>(high, modulus);
        xor3(low, _mm512_bslli_epi128::<8>(middle), second)
    }
}

/// A factor of many elements: `r` and `r·X^64`, so that products reach X^192 only.
#[derive(Clone, Copy)]
pub(super) struct Factor([__m512i; 2]);

impl Factor {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
    pub(super) fn new(r: Gf128) -> Self {
        let four = [r; 4];
        let r = load(&four);
        let shifted = Sums::zero().add(r, load(&[Gf128(1 << 64); 4])).reduce();
        Factor([r, shifted])
    }

    /// `x · r`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
    pub(super) fn times(self, x: __m512i) -> __m512i {
        let Factor([r, shifted]) = self;
        let low = _mm512_xor_si512(
            _mm512_clmulepi64_epi128::<0x00>(x, r),
            _mm512_clmulepi64_epi128::<0x01>(x, shifted),
        );
        let middle = _mm512_xor_si512(
            _mm512_clmulepi64_epi128::<0x10>(x, r),
            _mm512_clmulepi64_epi128::<0x11>(x, shifted),
        );
        let rest = _mm512_clmulepi64_epi128::<0x01>(middle, _mm512_set1_epi64(0x87));
        xor3(low, _mm512_bslli_epi128::<8>(middle), rest)
    }
}

/// [`super::vectors::inner_product`] of a multiple of four elements.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,vpclmulqdq")]
pub(super) fn inner_product(x: &[Gf128], y: &[Gf128]) -> Gf128 {
    let mut sums = Sums::zero();
    for (x, y) in x.as_chunks::<4>().0.iter().zip(y.as_chunks::<4>().0) {
        sums = sums.add(load(x), load(y));
    }
    let four = sums.reduce();
    let two = _mm256_xor_si256(_mm512_castsi512_si256(four), _mm512_extracti64x4_epi64::<1>(four));
    let one = _mm_xor_si128(_mm256_castsi256_si128(two), _mm256_extracti128_si256::<1>(two));
    let words = [_mm_extract_epi64::<0>(one), _mm_extract_epi64::<1>(one)].map(i64::cast_unsigned);
    Gf128(u128::from(words[0]) | u128::from(words[1]) << 64)
}

/// [`super::vectors::fold_into`] of a multiple of four elements each.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,vpclmulqdq")]
pub(super) fn fold_into(low: &mut [Gf128], high: &[Gf128], at: Gf128) {
    let factor = Factor::new(at);
    let (low, rest) = low.split_at_mut(high.len());
    fold_row(low.as_chunks_mut::<4>().0, Some(high.as_chunks::<4>().0), factor);
    fold_row(rest.as_chunks_mut::<4>().0, None, factor);
}

/// [`super::vectors::add_scaled`] of a multiple of four elements.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,vpclmulqdq")]
pub(super) fn add_scaled(out: &mut [Gf128], x: &[Gf128], factor: Gf128) {
    let factor = Factor::new(factor);
    for (out, x) in out.as_chunks_mut::<4>().0.iter_mut().zip(x.as_chunks::<4>().0) {
        store(_mm512_xor_si512(load(out), factor.times(load(x))), out);
    }
}

/// [`super::vectors::multiply_into`] of a multiple of four elements.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,vpclmulqdq")]
pub(super) fn multiply_into(out: &mut [Gf128], x: &[Gf128]) {
    for (out, x) in out.as_chunks_mut::<4>().0.iter_mut().zip(x.as_chunks::<4>().0) {
        store(Sums::zero().add(load(out), load(x)).reduce(), out);
    }
}

/// Registers of a row that are taken together: rows lie far apart, and what of them lies together
/// should be long; the sums of all of them stay in the nearest cache.
const TILE: usize = 32;

/// The sums of a tile.
#[repr(C, align(64))]
struct TileSums([[Sums; 2]; TILE]);

impl TileSums {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn zero() -> Self {
        TileSums([[Sums::zero(); 2]; TILE])
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
    fn write(&self, zero: &mut [[Gf128; 4]], infinity: &mut [[Gf128; 4]]) {
        for ((sums, zero), infinity) in self.0.iter().zip(zero).zip(infinity) {
            store(sums[0].reduce(), zero);
            store(sums[1].reduce(), infinity);
        }
    }
}

/// [`super::vectors::pair_products`] of a multiple of four columns.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,vpclmulqdq")]
pub(super) fn pair_products(x: [&[Gf128]; 2], y: [&[Gf128]; 2], zero: &mut [Gf128], infinity: &mut [Gf128]) {
    let width = zero.len() / 4;
    let ([x_low, x_high], [y_low, y_high]) =
        (x.map(|x| x.as_chunks::<4>().0), y.map(|y| y.as_chunks::<4>().0));
    let zero = zero.as_chunks_mut::<4>().0.chunks_mut(TILE);
    let infinity = infinity.as_chunks_mut::<4>().0.chunks_mut(TILE);
    for (tile, (zero, infinity)) in zero.zip(infinity).enumerate() {
        let mut sums = TileSums::zero();
        for row in 0..x_low.len() / width {
            let columns = row * width + tile * TILE..row * width + tile * TILE + zero.len();
            let low = x_low[columns.clone()].iter().zip(&y_low[columns.clone()]);
            let low = sums.0.iter_mut().zip(low);
            if row < x_high.len() / width {
                let high = x_high[columns.clone()].iter().zip(&y_high[columns]);
                for (([at_zero, at_infinity], (x, y)), (x_high, y_high)) in low.zip(high) {
                    let (x, y) = (load(x), load(y));
                    *at_zero = at_zero.add(x, y);
                    let mixed = [_mm512_xor_si512(x, load(x_high)), _mm512_xor_si512(y, load(y_high))];
                    *at_infinity = at_infinity.add(mixed[0], mixed[1]);
                }
            } else {
                // Beside zeros, both products are the same.
                for ([at_zero, at_infinity], (x, y)) in low {
                    let product = Sums::zero().add(load(x), load(y));
                    (*at_zero, *at_infinity) = (at_zero.plus(product), at_infinity.plus(product));
                }
            }
        }
        sums.write(zero, infinity);
    }
}

/// [`super::vectors::add_pair_products`] of a multiple of four columns.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,vpclmulqdq")]
pub(super) fn add_pair_products(
    x: [&[Gf128]; 2],
    y: [&[Gf128]; 2],
    zero: &mut [Gf128],
    infinity: &mut [Gf128],
) {
    let ([x, x_high], [y, y_high]) = (x.map(|x| x.as_chunks::<4>().0), y.map(|y| y.as_chunks::<4>().0));
    let (zero, infinity) = (zero.as_chunks_mut::<4>().0, infinity.as_chunks_mut::<4>().0);
    if x_high.is_empty() {
        // Beside zeros, both products are the same.
        for (((zero, infinity), x), y) in zero.iter_mut().zip(infinity).zip(x).zip(y) {
            let product = Sums::zero().add(load(x), load(y)).reduce();
            store(_mm512_xor_si512(load(zero), product), zero);
            store(_mm512_xor_si512(load(infinity), product), infinity);
        }
        return;
    }
    add_row([x, x_high], [y, y_high], zero, infinity);
}

/// Adds the products of two rows, and of what they are together with those above them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
fn add_row(
    [x, x_high]: [&[[Gf128; 4]]; 2],
    [y, y_high]: [&[[Gf128; 4]]; 2],
    zero: &mut [[Gf128; 4]],
    infinity: &mut [[Gf128; 4]],
) {
    let factors = x.iter().zip(y).zip(x_high.iter().zip(y_high));
    for ((zero, infinity), ((x, y), (x_high, y_high))) in zero.iter_mut().zip(infinity).zip(factors) {
        let (x, y) = (load(x), load(y));
        let at_zero = Sums::zero().add(x, y).reduce();
        let mixed = [_mm512_xor_si512(x, load(x_high)), _mm512_xor_si512(y, load(y_high))];
        let at_infinity = Sums::zero().add(mixed[0], mixed[1]).reduce();
        store(_mm512_xor_si512(load(zero), at_zero), zero);
        store(_mm512_xor_si512(load(infinity), at_infinity), infinity);
    }
}

/// [`super::vectors::fold_pairs`] of a multiple of four columns. Row by row, as they lie in memory:
/// sums are reduced each time, so that the cache holds those of all columns.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,vpclmulqdq")]
pub(super) fn fold_pairs(
    x: &mut [Gf128],
    y: &mut [Gf128],
    n_low: usize,
    at: Gf128,
    zero: &mut [Gf128],
    infinity: &mut [Gf128],
) {
    let factor = Factor::new(at);
    let width = zero.len() / 4;
    let n_pairs = n_low / 4 / width / 2;
    let [(x_low, x_above), (y_low, y_above)] = [x, y].map(|w| {
        let (low, above) = w.split_at_mut(n_low);
        (low.as_chunks_mut::<4>().0, above.as_chunks::<4>().0)
    });
    let (x_low, x_high) = x_low.split_at_mut(n_pairs * width);
    let (y_low, y_high) = y_low.split_at_mut(n_pairs * width);
    let (zero, infinity) = (zero.as_chunks_mut::<4>().0, infinity.as_chunks_mut::<4>().0);
    zero.fill([Gf128(0); 4]);
    infinity.fill([Gf128(0); 4]);
    for row in 0..n_pairs {
        for (tile, (zero, infinity)) in zero.chunks_mut(TILE).zip(infinity.chunks_mut(TILE)).enumerate() {
            let first = row * width + tile * TILE;
            let columns = first..first + zero.len();
            let above = first + n_pairs * width..first + n_pairs * width + zero.len();
            for (low, high, w_above) in
                [(&mut *x_low, &mut *x_high, x_above), (&mut *y_low, &mut *y_high, y_above)]
            {
                fold_row(&mut low[columns.clone()], w_above.get(columns.clone()), factor);
                fold_row(&mut high[columns.clone()], w_above.get(above.clone()), factor);
            }
            let x = [&x_low[columns.clone()], &x_high[columns.clone()]];
            let y = [&y_low[columns.clone()], &y_high[columns]];
            add_row(x, y, zero, infinity);
        }
    }
}

/// Folds a row with the one above it, or with zeros.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
fn fold_row(low: &mut [[Gf128; 4]], above: Option<&[[Gf128; 4]]>, factor: Factor) {
    match above {
        Some(above) => {
            for (low, above) in low.iter_mut().zip(above) {
                let x = load(low);
                store(_mm512_xor_si512(x, factor.times(_mm512_xor_si512(x, load(above)))), low);
            }
        }
        None => {
            for low in low {
                let x = load(low);
                store(_mm512_xor_si512(x, factor.times(x)), low);
            }
        }
    }
}
