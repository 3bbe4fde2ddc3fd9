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
struct Sums([__m512i; 3]);

impl Sums {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn zero() -> Self {
        Sums([_mm512_setzero_si512(); 3])
    }

    /// `self + x·y`.
    #[inline]
    #[target_feature(enable = "avx512f,vpclmulqdq")]
    fn add(self, x: __m512i, y: __m512i) -> Self {
        let Sums([low, middle, high]) = self;
        let mixed = [_mm512_clmulepi64_epi128::<0x01>(x, y), _mm512_clmulepi64_epi128::<0x10>(x, y)];
        Sums([
            _mm512_xor_si512(low, _mm512_clmulepi64_epi128::<0x00>(x, y)),
            xor3(middle, mixed[0], mixed[1]),
            _mm512_xor_si512(high, _mm512_clmulepi64_epi128::<0x11>(x, y)),
        ])
    }

    /// As `Carryless::reduce_128`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
    fn reduce(self) -> __m512i {
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
struct Factor([__m512i; 2]);

impl Factor {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
    fn new(r: Gf128) -> Self {
        let four = [r; 4];
        let r = load(&four);
        let shifted = Sums::zero().add(r, load(&[Gf128(1 << 64); 4])).reduce();
        Factor([r, shifted])
    }

    /// `x · r`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
    fn times(self, x: __m512i) -> __m512i {
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

/// [`super::vectors::fold_into`] of a multiple of four elements each.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,vpclmulqdq")]
pub(super) fn fold_into(low: &mut [Gf128], high: &[Gf128], at: Gf128) {
    let factor = Factor::new(at);
    let (low, rest) = low.split_at_mut(high.len());
    for (low, high) in low.as_chunks_mut::<4>().0.iter_mut().zip(high.as_chunks::<4>().0) {
        let x = load(low);
        store(_mm512_xor_si512(x, factor.times(_mm512_xor_si512(x, load(high)))), low);
    }
    for low in rest.as_chunks_mut::<4>().0 {
        let x = load(low);
        store(_mm512_xor_si512(x, factor.times(x)), low);
    }
}

/// [`super::vectors::multiply_into`] of a multiple of four elements.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,vpclmulqdq")]
pub(super) fn multiply_into(out: &mut [Gf128], x: &[Gf128]) {
    for (out, x) in out.as_chunks_mut::<4>().0.iter_mut().zip(x.as_chunks::<4>().0) {
        store(Sums::zero().add(load(out), load(x)).reduce(), out);
    }
}

/// [`super::vectors::pair_products`] of a multiple of four columns.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,vpclmulqdq")]
pub(super) fn pair_products(x: [&[Gf128]; 2], y: [&[Gf128]; 2], zero: &mut [Gf128], infinity: &mut [Gf128]) {
    let width = zero.len() / 4;
    let x = x.map(|x| x.as_chunks::<4>().0);
    let y = y.map(|y| y.as_chunks::<4>().0);
    let (zero, zero_rest) = zero.as_chunks_mut::<4>().0.as_chunks_mut::<4>();
    let (infinity, infinity_rest) = infinity.as_chunks_mut::<4>().0.as_chunks_mut::<4>();
    let rest = 4 * zero.len();
    for (tile, (zero, infinity)) in zero.iter_mut().zip(infinity).enumerate() {
        pair_products_at(4 * tile, width, x, y, zero, infinity);
    }
    for (at, (zero, infinity)) in zero_rest.iter_mut().zip(infinity_rest).enumerate() {
        pair_products_at(rest + at, width, x, y, std::array::from_mut(zero), std::array::from_mut(infinity));
    }
}

/// `N` registers of each row from `first` on, which are neighbours in memory: their sums stay in
/// registers for `N` up to four.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,vpclmulqdq")]
fn pair_products_at<const N: usize>(
    first: usize,
    width: usize,
    [x_low, x_high]: [&[[Gf128; 4]]; 2],
    [y_low, y_high]: [&[[Gf128; 4]]; 2],
    zero: &mut [[Gf128; 4]; N],
    infinity: &mut [[Gf128; 4]; N],
) {
    let mut sums = [[Sums::zero(); 2]; N];
    let n_pairs = x_high.len() / width;
    for row in 0..n_pairs {
        let at = row * width + first;
        let columns = |w: &[[Gf128; 4]]| -> [__m512i; N] {
            let w: &[[Gf128; 4]; N] = w[at..at + N].try_into().expect("so many columns");
            std::array::from_fn(|t| load(&w[t]))
        };
        let (x, x_high, y, y_high) = (columns(x_low), columns(x_high), columns(y_low), columns(y_high));
        for t in 0..N {
            let [at_zero, at_infinity] = sums[t];
            let mixed = [_mm512_xor_si512(x[t], x_high[t]), _mm512_xor_si512(y[t], y_high[t])];
            sums[t] = [at_zero.add(x[t], y[t]), at_infinity.add(mixed[0], mixed[1])];
        }
    }
    // Beside zeros, both products are the same.
    let mut alone = [Sums::zero(); N];
    for row in n_pairs..x_low.len() / width {
        let at = row * width + first;
        for t in 0..N {
            alone[t] = alone[t].add(load(&x_low[at + t]), load(&y_low[at + t]));
        }
    }
    for t in 0..N {
        let alone = alone[t].reduce();
        store(_mm512_xor_si512(sums[t][0].reduce(), alone), &mut zero[t]);
        store(_mm512_xor_si512(sums[t][1].reduce(), alone), &mut infinity[t]);
    }
}
