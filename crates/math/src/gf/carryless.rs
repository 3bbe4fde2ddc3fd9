//! Products of polynomials over GF(2) that fit a word.

/// A way to multiply without carries.
pub trait Carryless {
    /// The product of two polynomials of degree below 64.
    fn multiply(x: u64, y: u64) -> u128;
}

/// With integer instructions, in constant time wherever integer multiplication is.
pub struct Portable;

impl Carryless for Portable {
    #[inline(always)]
    fn multiply(x: u64, y: u64) -> u128 {
        let low = low_product(x, y);
        // The reversed product of reversed factors: bit 63 is bit 63 of both halves.
        let high = low_product(x.reverse_bits(), y.reverse_bits()).reverse_bits() >> 1;
        u128::from(low) | u128::from(high) << 64
    }
}

/// The low half of a product (Pornin, BearSSL, `ghash_ctmul64`). The factors
/// have three zeros between any two bits, so at most 15 products meet at a bit
/// below 60, and their carries end in the zeros. Sixteen meet at a bit from 60
/// on; their carries leave the word.
#[inline(always)]
fn low_product(x: u64, y: u64) -> u64 {
    const EVERY_FOURTH: u64 = 0x1111_1111_1111_1111;
    let parts = |x: u64| [0, 1, 2, 3].map(|at| x & EVERY_FOURTH << at);
    let (x, y) = (parts(x), parts(y));
    let mut product = 0;
    for at in 0..4 {
        let mut sum = 0;
        for i in 0..4 {
            sum ^= x[i].wrapping_mul(y[(at + 4 - i) % 4]);
        }
        product |= sum & EVERY_FOURTH << at;
    }
    product
}

/// With the processor's instruction; only for callers that have checked for it.
#[cfg(target_arch = "x86_64")]
pub struct Native;

#[cfg(target_arch = "x86_64")]
impl Carryless for Native {
    #[inline(always)]
    fn multiply(x: u64, y: u64) -> u128 {
        use std::arch::x86_64::*;

        #[inline]
        #[target_feature(enable = "sse2,pclmulqdq")]
        fn multiply(x: u64, y: u64) -> __m128i {
            _mm_clmulepi64_si128::<0>(_mm_cvtsi64_si128(x as i64), _mm_cvtsi64_si128(y as i64))
        }

        // SAFETY: `carryless!` names this type only where the processor has the
        // instruction; both types are 16 bytes without padding.
        unsafe { std::mem::transmute(multiply(x, y)) }
    }
}

/// Whether the processor multiplies without carries.
#[inline]
pub fn is_native() -> bool {
    #[cfg(all(test, target_arch = "x86_64"))]
    if crate::simd::Level::best() == crate::simd::Level::Portable {
        return false;
    }
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("pclmulqdq");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// The bits at even places, moved together.
pub fn even_bits(word: u64) -> u32 {
    let mut word = word & 0x5555_5555_5555_5555;
    word = (word | word >> 1) & 0x3333_3333_3333_3333;
    word = (word | word >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    word = (word | word >> 4) & 0x00ff_00ff_00ff_00ff;
    word = (word | word >> 8) & 0x0000_ffff_0000_ffff;
    (word | word >> 16) as u32
}

/// Compiles functions of a field `F` and a way `C` to multiply once for each
/// way. A call picks what the processor has.
macro_rules! carryless {
    ($(
        $(#[$meta:meta])*
        $vis:vis fn $name:ident<$c:ident, $f:ident>($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block
    )*) => {$(
        $(#[$meta])*
        $vis fn $name<$f: Field>($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn body<$c: Carryless, $f: Field>($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "sse2,pclmulqdq")]
            fn native<$f: Field>($($arg: $ty),*) $(-> $ret)? {
                body::<carryless::Native, $f>($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            if carryless::is_native() {
                // SAFETY: the processor has the instruction.
                return unsafe { native($($arg),*) };
            }
            body::<carryless::Portable, $f>($($arg),*)
        }
    )*};
}
pub(super) use carryless;
