//! The binary fields GF(2^64) and GF(2^128).
//!
//! Bit `i` of an element is the coefficient of X^i. The moduli are
//! X^64 + X^4 + X^3 + X + 1 and X^128 + X^7 + X^2 + X + 1. Addition is XOR, so
//! elements are a [`Group`] and share columns and streams with everything else.
//!
//! Nothing here branches on elements or looks them up: products use the
//! processor's carry-less multiplication, or integer multiplications with holes.
//! Sums of products are reduced once, at the end.

mod carryless;
#[cfg(target_arch = "x86_64")]
mod four;
pub mod lines;
#[cfg(target_arch = "x86_64")]
mod native;
pub mod rows;
pub mod vectors;

use std::fmt::Debug;

use bytemuck::{Pod, Zeroable};

use crate::group::Group;
use carryless::{Carryless, carryless, even_bits};
use wide::Wide;

/// An element of GF(2^64).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pod, Zeroable)]
#[repr(transparent)]
pub struct Gf64(pub u64);

/// An element of GF(2^128).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pod, Zeroable)]
#[repr(transparent)]
pub struct Gf128(pub u128);

/// A field of characteristic 2.
pub trait Field: Group + Wide {
    /// The neutral element of multiplication.
    const ONE: Self;
    /// The element X.
    const X: Self;

    /// The product.
    fn times(self, other: Self) -> Self {
        times(self, other)
    }

    /// The product with itself.
    fn square(self) -> Self {
        times(self, self)
    }

    /// The element whose square this is: every element has exactly one.
    fn root(self) -> Self {
        // √(Σ a_t X^t) = Σ a_{2t} X^t + √X · Σ a_{2t+1} X^t.
        let (even, odd) = self.even_and_odd();
        even.plus(odd.times(Self::ROOT_OF_X))
    }

    /// The multiplicative inverse; zero for zero.
    fn inverse(self) -> Self {
        inverse(self)
    }
}

impl Field for Gf64 {
    const ONE: Self = Gf64(1);
    const X: Self = Gf64(2);
}

impl Field for Gf128 {
    const ONE: Self = Gf128(1);
    const X: Self = Gf128(2);
}

carryless! {
    fn times<C, F>(x: F, y: F) -> F {
        F::reduce::<C>(x.product::<C>(y))
    }

    /// `x^(2^k − 2)`, after Itoh and Tsujii (1988): with `b_k = x^(2^k − 1)`,
    /// `b_{2k + 1} = (b_k^(2^k) · b_k)² · x`.
    fn inverse<C, F>(x: F) -> F {
        let square = |x: F| F::reduce::<C>(x.squared::<C>());
        let mut power = x;
        let mut k = 1;
        while k < F::BITS - 1 {
            let mut raised = power;
            for _ in 0..k {
                raised = square(raised);
            }
            let even = F::reduce::<C>(raised.product::<C>(power));
            power = F::reduce::<C>(square(even).product::<C>(x));
            k = 2 * k + 1;
        }
        square(power)
    }

    /// `Σ x[i]·y[i]`, reduced once.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn inner_product<C, F>(x: &[F], y: &[F]) -> F {
        assert_eq!(x.len(), y.len(), "slices of one length");
        let mut sum = F::ZERO.product::<C>(F::ZERO);
        for (x, y) in x.iter().zip(y) {
            sum = F::accumulate::<C>(sum, x.product::<C>(*y));
        }
        F::reduce::<C>(sum)
    }

    /// `out[i] += factor · x[i]`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn add_scaled<C, F>(out: &mut [F], x: &[F], factor: F) {
        assert_eq!(out.len(), x.len(), "slices of one length");
        for (out, x) in out.iter_mut().zip(x) {
            *out = out.plus(F::reduce::<C>(x.product::<C>(factor)));
        }
    }

    /// [`vectors::pair_products`].
    fn pair_products<C, F>(x: [&[F]; 2], y: [&[F]; 2], zero: &mut [F], infinity: &mut [F]) {
        let (n, width) = (x[0].len(), zero.len());
        for t in 0..width {
            let mut at_zero = F::ZERO.product::<C>(F::ZERO);
            let mut at_infinity = at_zero;
            for i in (t..n).step_by(width) {
                at_zero = F::accumulate::<C>(at_zero, x[0][i].product::<C>(y[0][i]));
                let above = |w: [&[F]; 2]| w[0][i].plus(w[1].get(i).copied().unwrap_or(F::ZERO));
                let product = above(x).product::<C>(above(y));
                at_infinity = F::accumulate::<C>(at_infinity, product);
            }
            zero[t] = F::reduce::<C>(at_zero);
            infinity[t] = F::reduce::<C>(at_infinity);
        }
    }

    /// `x[i] *= factor`.
    fn scale<C, F>(x: &mut [F], factor: F) {
        for x in x {
            *x = F::reduce::<C>(x.product::<C>(factor));
        }
    }

    /// [`vectors::multiply_into`].
    fn multiply_into<C, F>(out: &mut [F], x: &[F]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = F::reduce::<C>(out.product::<C>(*x));
        }
    }

    /// `low[i] += at · (low[i] + high[i])`: the line through `low` at 0 and `high` at 1, taken at `at`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn fold_into<C, F>(low: &mut [F], high: &[F], at: F) {
        assert_eq!(low.len(), high.len(), "slices of one length");
        for (low, high) in low.iter_mut().zip(high) {
            *low = low.plus(F::reduce::<C>(low.plus(*high).product::<C>(at)));
        }
    }
}

macro_rules! group {
    ($field:ident, $word:ty) => {
        impl Group for $field {
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

        impl Debug for $field {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{:#x}", self.0)
            }
        }
    };
}

group!(Gf64, u64);
group!(Gf128, u128);

/// What the two fields differ in. Sealed: the field's moduli are part of the protocols.
mod wide {
    use super::{Carryless, Gf64, Gf128, even_bits};
    use crate::group::Group;

    pub trait Wide: Group {
        /// A sum of products that awaits its reduction.
        type Sum<C: Carryless>: Copy;
        const ROOT_OF_X: Self;

        fn product<C: Carryless>(self, other: Self) -> Self::Sum<C>;
        fn squared<C: Carryless>(self) -> Self::Sum<C>;
        fn accumulate<C: Carryless>(sum: Self::Sum<C>, product: Self::Sum<C>) -> Self::Sum<C>;
        fn reduce<C: Carryless>(sum: Self::Sum<C>) -> Self;
        /// The coefficients at even and at odd powers, each moved together.
        fn even_and_odd(self) -> (Self, Self);
    }

    impl Wide for Gf64 {
        type Sum<C: Carryless> = C::Word;
        const ROOT_OF_X: Self = Gf64(0xffff_ffff_0000_000a);

        #[inline(always)]
        fn product<C: Carryless>(self, other: Self) -> C::Word {
            C::multiply::<0>(C::load(self.0.into()), C::load(other.0.into()))
        }

        #[inline(always)]
        fn squared<C: Carryless>(self) -> C::Word {
            self.product::<C>(self)
        }

        #[inline(always)]
        fn accumulate<C: Carryless>(sum: C::Word, product: C::Word) -> C::Word {
            C::xor(sum, product)
        }

        #[inline(always)]
        fn reduce<C: Carryless>(sum: C::Word) -> Self {
            Gf64(C::reduce_64(sum))
        }

        fn even_and_odd(self) -> (Self, Self) {
            (Gf64(even_bits(self.0).into()), Gf64(even_bits(self.0 >> 1).into()))
        }
    }

    impl Wide for Gf128 {
        /// The coefficients from X^0, X^64 and X^128 on; the words overlap.
        type Sum<C: Carryless> = [C::Word; 3];
        const ROOT_OF_X: Self = Gf128(0x2492_4924_9249_2492_6db6_db6d_b6db_6da4);

        #[inline(always)]
        fn product<C: Carryless>(self, other: Self) -> [C::Word; 3] {
            let (x, y) = (C::load(self.0), C::load(other.0));
            let middle = C::xor(C::multiply::<0x01>(x, y), C::multiply::<0x10>(x, y));
            [C::multiply::<0x00>(x, y), middle, C::multiply::<0x11>(x, y)]
        }

        #[inline(always)]
        fn squared<C: Carryless>(self) -> [C::Word; 3] {
            let x = C::load(self.0);
            // The two mixed products cancel.
            [C::multiply::<0x00>(x, x), C::load(0), C::multiply::<0x11>(x, x)]
        }

        #[inline(always)]
        fn accumulate<C: Carryless>(sum: [C::Word; 3], product: [C::Word; 3]) -> [C::Word; 3] {
            [C::xor(sum[0], product[0]), C::xor(sum[1], product[1]), C::xor(sum[2], product[2])]
        }

        #[inline(always)]
        fn reduce<C: Carryless>(sum: [C::Word; 3]) -> Self {
            Gf128(C::reduce_128(sum))
        }

        fn even_and_odd(self) -> (Self, Self) {
            let of = |x: u128| {
                let half = |word: u128| u128::from(even_bits(word as u64));
                Gf128(half(x) | half(x >> 64) << 32)
            };
            (of(self.0), of(self.0 >> 1))
        }
    }
}

#[cfg(test)]
mod tests;
