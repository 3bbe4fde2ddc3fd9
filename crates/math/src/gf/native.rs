//! Products of polynomials over GF(2) with the processor's instruction.

use std::arch::x86_64::*;

use super::carryless::Carryless;

/// Only for callers that have checked for the instruction: `carryless!` does.
pub struct Native;

// SAFETY of all blocks below: the processor has PCLMULQDQ, as the type says.
impl Carryless for Native {
    type Word = __m128i;

    #[inline(always)]
    fn load(word: u128) -> __m128i {
        // SAFETY: both types are 16 bytes without padding.
        unsafe { std::mem::transmute(word) }
    }

    #[inline(always)]
    fn store(word: __m128i) -> u128 {
        // SAFETY: both types are 16 bytes without padding.
        unsafe { std::mem::transmute(word) }
    }

    #[inline(always)]
    fn xor(x: __m128i, y: __m128i) -> __m128i {
        // SAFETY: see above.
        unsafe { _mm_xor_si128(x, y) }
    }

    #[inline(always)]
    fn multiply<const HALVES: i32>(x: __m128i, y: __m128i) -> __m128i {
        // SAFETY: see above.
        unsafe { _mm_clmulepi64_si128::<HALVES>(x, y) }
    }

    #[inline(always)]
    fn reduce_64(sum: __m128i) -> u64 {
        // X^64 = X^4 + X^3 + X + 1, twice: the first time four bits stick out again.
        // SAFETY: see above.
        unsafe {
            let modulus = _mm_set_epi64x(0, 0x1b);
            let first = _mm_clmulepi64_si128::<0x01>(sum, modulus);
            let second = _mm_clmulepi64_si128::<0x01>(first, modulus);
            _mm_cvtsi128_si64(_mm_xor_si128(_mm_xor_si128(sum, first), second)) as u64
        }
    }

    #[inline(always)]
    fn reduce_128([low, middle, high]: [__m128i; 3]) -> u128 {
        // X^128 = X^7 + X^2 + X + 1: first for the upper half of the high word,
        // whose multiple reaches into the lower half, then for that.
        // SAFETY: see above; both types are 16 bytes without padding.
        unsafe {
            let modulus = _mm_set_epi64x(0, 0x87);
            let high = _mm_xor_si128(high, _mm_srli_si128::<8>(middle));
            let first = _mm_clmulepi64_si128::<0x01>(high, modulus);
            let middle = _mm_xor_si128(middle, first);
            let high = _mm_xor_si128(high, _mm_srli_si128::<8>(first));
            let second = _mm_clmulepi64_si128::<0x00>(high, modulus);
            let low = _mm_xor_si128(low, _mm_slli_si128::<8>(middle));
            std::mem::transmute(_mm_xor_si128(low, second))
        }
    }
}
