//! Products of polynomials over GF(2) that fit a word.

/// A way to multiply without carries, over 128-bit words of its own.
pub trait Carryless {
    /// 128 coefficients.
    type Word: Copy;

    fn load(word: u128) -> Self::Word;
    fn store(word: Self::Word) -> u128;
    fn xor(x: Self::Word, y: Self::Word) -> Self::Word;
    /// The product of a half of `x` and a half of `y`. `HALVES` is 0 for both
    /// low ones, `0x01` for the high one of `x`, `0x10` for that of `y`, `0x11` for both.
    fn multiply<const HALVES: i32>(x: Self::Word, y: Self::Word) -> Self::Word;
    /// The remainder modulo X^64 + X^4 + X^3 + X + 1.
    fn reduce_64(sum: Self::Word) -> u64;
    /// The remainder of `low + middle · X^64 + high · X^128` modulo X^128 + X^7 + X^2 + X + 1.
    fn reduce_128(sum: [Self::Word; 3]) -> u128;
}

/// With integer instructions, in constant time wherever integer multiplication is.
pub struct Portable;

impl Carryless for Portable {
    type Word = u128;

    #[inline(always)]
    fn load(word: u128) -> u128 {
        word
    }

    #[inline(always)]
    fn store(word: u128) -> u128 {
        word
    }

    #[inline(always)]
    fn xor(x: u128, y: u128) -> u128 {
        x ^ y
    }

    #[inline(always)]
    fn multiply<const HALVES: i32>(x: u128, y: u128) -> u128 {
        let x = (x >> (64 * (HALVES & 1))) as u64;
        let y = (y >> (64 * (HALVES >> 4 & 1))) as u64;
        let low = low_product(x, y);
        // The reversed product of reversed factors: bit 63 is bit 63 of both halves.
        let high = low_product(x.reverse_bits(), y.reverse_bits()).reverse_bits() >> 1;
        u128::from(low) | u128::from(high) << 64
    }

    #[inline(always)]
    fn reduce_64(sum: u128) -> u64 {
        // X^64 = X^4 + X^3 + X + 1, twice: the first time four bits stick out again.
        let (low, high) = (sum as u64, (sum >> 64) as u64);
        let high = high ^ high >> 63 ^ high >> 61 ^ high >> 60;
        low ^ high ^ high << 1 ^ high << 3 ^ high << 4
    }

    #[inline(always)]
    fn reduce_128([low, middle, high]: [u128; 3]) -> u128 {
        // X^128 = X^7 + X^2 + X + 1, twice: the first time seven bits stick out again.
        let (low, high) = (low ^ middle << 64, high ^ middle >> 64);
        let high = high ^ high >> 127 ^ high >> 126 ^ high >> 121;
        low ^ high ^ high << 1 ^ high << 2 ^ high << 7
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
            #[target_feature(enable = "pclmulqdq")]
            fn native<$f: Field>($($arg: $ty),*) $(-> $ret)? {
                body::<native::Native, $f>($($arg),*)
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
