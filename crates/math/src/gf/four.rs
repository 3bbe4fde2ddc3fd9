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

/// [`super::vectors::fold_into`] of a multiple of four elements.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,vpclmulqdq")]
pub(super) fn fold_into(low: &mut [Gf128], high: &[Gf128], at: Gf128) {
    let factor = Factor::new(at);
    for (low, high) in low.as_chunks_mut::<4>().0.iter_mut().zip(high.as_chunks::<4>().0) {
        let x = load(low);
        store(_mm512_xor_si512(x, factor.times(_mm512_xor_si512(x, load(high)))), low);
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
    let [x_low, x_high] = x.map(|x| x.as_chunks::<4>().0);
    let [y_low, y_high] = y.map(|y| y.as_chunks::<4>().0);
    let out = zero.as_chunks_mut::<4>().0.iter_mut().zip(infinity.as_chunks_mut::<4>().0);
    for (t, (zero, infinity)) in out.enumerate() {
        let (mut at_zero, mut at_infinity) = (Sums::zero(), Sums::zero());
        for i in (t..x_low.len()).step_by(width) {
            let (x, y) = (load(&x_low[i]), load(&y_low[i]));
            at_zero = at_zero.add(x, y);
            let (x, y) = (_mm512_xor_si512(x, load(&x_high[i])), _mm512_xor_si512(y, load(&y_high[i])));
            at_infinity = at_infinity.add(x, y);
        }
        store(at_zero.reduce(), zero);
        store(at_infinity.reduce(), infinity);
    }
}
