//! The groups that shares live in: rings Z_2^8 … Z_2^128 and words under XOR.

use std::fmt::Debug;

use bytemuck::{Pod, Zeroable};

/// An abelian group whose elements are fixed-width words.
///
/// Additive sharing needs no more than this, so code that only adds serves
/// numbers (`Z64`: addition modulo 2^64) and packed bits (`X64`: XOR) alike.
pub trait Group: Pod + Copy + Eq + Debug + Send + Sync + 'static {
    /// The width of an element.
    const BITS: u32;
    /// The size of an element in memory and on the wire.
    const BYTES: usize;
    /// The neutral element.
    const ZERO: Self;

    /// The group operation.
    fn plus(self, other: Self) -> Self;
    /// The inverse operation: `a.plus(b).minus(b) == a`.
    fn minus(self, other: Self) -> Self;
    /// The element whose bits are the low bits of `word`, with zeros above them.
    fn from_word(word: u128) -> Self;
    /// The bits of the element, zero-extended.
    fn word(self) -> u128;

    /// The inverse element.
    fn negated(self) -> Self {
        Self::ZERO.minus(self)
    }
}

/// A ring Z_2^k. Arithmetic is modulo 2^k and never fails.
pub trait Ring: Group {
    /// The neutral element of multiplication.
    const ONE: Self;
    /// The XOR group of the same width.
    type Bits: Group;

    /// The ring product.
    fn times(self, other: Self) -> Self;

    /// The element's bits moved up by `bits`, which is less than the ring's width.
    fn up(self, bits: u32) -> Self {
        Self::from_word(self.word() << bits)
    }

    /// The element's bits moved down by `bits`, zeros above; `bits` is less than the ring's width.
    fn down(self, bits: u32) -> Self {
        Self::from_word(self.word() >> bits)
    }

    /// The signed integer in two's complement that this element stands for.
    fn signed(self) -> i128 {
        let shift = 128 - Self::BITS;
        ((self.word() << shift) as i128) >> shift
    }

    /// The element that stands for `value` modulo 2^k.
    fn from_signed(value: i128) -> Self {
        Self::from_word(value as u128)
    }
}

macro_rules! words {
    ($ring:ident, $bits:ident, $word:ty) => {
        #[doc = concat!("An element of Z_2^k for the k bits of `", stringify!($word), "`; operators wrap.")]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pod, Zeroable)]
        #[repr(transparent)]
        pub struct $ring(pub $word);

        #[doc = concat!("A `", stringify!($word), "` of packed bits under XOR.")]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pod, Zeroable)]
        #[repr(transparent)]
        pub struct $bits(pub $word);

        impl Group for $ring {
            const BITS: u32 = <$word>::BITS;
            const BYTES: usize = size_of::<$word>();
            const ZERO: Self = Self(0);
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                Self(self.0.wrapping_add(other.0))
            }
            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                Self(self.0.wrapping_sub(other.0))
            }
            #[inline(always)]
            fn from_word(word: u128) -> Self {
                Self(word as $word)
            }
            #[inline(always)]
            fn word(self) -> u128 {
                u128::from(self.0)
            }
        }

        impl Ring for $ring {
            const ONE: Self = Self(1);
            type Bits = $bits;
            #[inline(always)]
            fn times(self, other: Self) -> Self {
                Self(self.0.wrapping_mul(other.0))
            }
            #[inline(always)]
            fn up(self, bits: u32) -> Self {
                Self(self.0.wrapping_shl(bits))
            }
            #[inline(always)]
            fn down(self, bits: u32) -> Self {
                Self(self.0.wrapping_shr(bits))
            }
        }

        impl Group for $bits {
            const BITS: u32 = <$word>::BITS;
            const BYTES: usize = size_of::<$word>();
            const ZERO: Self = Self(0);
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                Self(self.0 ^ other.0)
            }
            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                Self(self.0 ^ other.0)
            }
            #[inline(always)]
            fn from_word(word: u128) -> Self {
                Self(word as $word)
            }
            #[inline(always)]
            fn word(self) -> u128 {
                u128::from(self.0)
            }
        }

        impl Debug for $ring {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl Debug for $bits {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{:#x}", self.0)
            }
        }
    };
}

words!(Z8, X8, u8);
words!(Z16, X16, u16);
words!(Z32, X32, u32);
words!(Z64, X64, u64);
words!(Z128, X128, u128);

#[cfg(test)]
mod tests {
    use super::*;

    fn axioms<R: Ring>() {
        let samples =
            [0u128, 1, 2, 3, 0x80, 0xff, 0x8000, u128::MAX, u128::MAX >> 1, 1 << 127, 0x1234_5678_9abc_def0];
        for a in samples.map(R::from_word) {
            assert_eq!(a.plus(R::ZERO), a);
            assert_eq!(a.times(R::ONE), a);
            assert_eq!(a.plus(a.negated()), R::ZERO);
            assert_eq!(R::from_signed(a.signed()), a);
            for b in samples.map(R::from_word) {
                assert_eq!(a.plus(b).minus(b), a);
                assert_eq!(a.plus(b), b.plus(a));
                assert_eq!(a.times(b), b.times(a));
                for c in samples.map(R::from_word) {
                    assert_eq!(a.times(b.plus(c)), a.times(b).plus(a.times(c)));
                }
            }
        }
    }

    #[test]
    fn rings_obey_their_axioms() {
        axioms::<Z8>();
        axioms::<Z16>();
        axioms::<Z32>();
        axioms::<Z64>();
        axioms::<Z128>();
    }

    #[test]
    fn signed_values_are_twos_complement() {
        assert_eq!(Z8(0x80).signed(), -128);
        assert_eq!(Z64::from_signed(-1), Z64(u64::MAX));
        assert_eq!(Z128::from_signed(i128::MIN).signed(), i128::MIN);
    }
}
