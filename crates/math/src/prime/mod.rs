//! Integers modulo a random prime of 64 bits, and pairs of them.
//!
//! A [`Prime`] lies above 3·2^62 and is 3 modulo 4, so that −1 has no root and the pairs
//! `a + b·i` with `i² = −1` form the field of p² elements.
//!
//! Elements are words below `p`. Products are Montgomery's: [`Prime::times`] divides by 2^64. By
//! custom a *weight* is kept multiplied by 2^64 ([`Prime::weight`]), so that weight times value is
//! a value, and weight times weight a weight. Sums of products are kept in 192 bits ([`Sum`]) and
//! reduced once, at the end.
//!
//! Nothing branches on elements or looks them up. The search for a prime does: primes are public.
//! What is added only at times is selected as unpredictable: a mask or a plain selection becomes a
//! branch in some loops, where the compiler takes that for faster.

#[cfg(target_arch = "x86_64")]
pub(crate) mod ifma;
mod pairs;
mod slices;

use std::hint::select_unpredictable;

pub use pairs::{Pair, PairSlice, PairVec};
pub use slices::{reduce_into, scale_into, sub_into};

/// Numbers that witness every composite number of 64 bits: Sorenson and Webster, "Strong
/// pseudoprimes to twelve prime bases", Math. Comp. 2017.
const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];

/// The two top bits: a prime has both.
const TOP: u64 = 3 << 62;

/// A prime of 64 bits that is 3 modulo 4, with both top bits set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prime {
    p: u64,
    /// 1/p modulo 2^64.
    inverse: u64,
    /// 2^128 modulo p.
    square: u64,
}

impl Prime {
    /// The prime of that value, if it is one and in range.
    pub fn try_new(p: u64) -> Option<Self> {
        let candidate = p & TOP == TOP && p % 4 == 3 && BASES.iter().all(|base| !p.is_multiple_of(*base));
        let prime = Self::montgomery(p | 1);
        (candidate && prime.passes()).then_some(prime)
    }

    /// The first prime that random words give: each word's top and low two bits are set, and the
    /// first one that is prime then is it. Uniform over the primes of the range, of which there
    /// are about 2^55.5. Its time depends on the words.
    pub fn sample(mut word: impl FnMut() -> u64) -> Self {
        loop {
            if let Some(prime) = Self::try_new(word() | TOP | 3) {
                return prime;
            }
        }
    }

    /// Arithmetic modulo an odd number.
    fn montgomery(p: u64) -> Self {
        // Newton: each step doubles the number of right bits, five at first.
        let mut inverse = p.wrapping_mul(3) ^ 2;
        for _ in 0..4 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(p.wrapping_mul(inverse)));
        }
        let square = (u128::MAX % u128::from(p) + 1) % u128::from(p);
        Prime { p, inverse, square: square as u64 }
    }

    /// Miller and Rabin's test for all of [`BASES`].
    fn passes(&self) -> bool {
        let one = self.weight(1);
        let minus_one = self.minus(0, one);
        // p − 1 = 2·odd.
        let odd = (self.p - 1) / 2;
        BASES.iter().all(|base| {
            let power = self.power(self.weight(*base), odd);
            power == one || power == minus_one
        })
    }

    /// `weight^exponent`, a weight. The exponent is public.
    fn power(&self, weight: u64, exponent: u64) -> u64 {
        let mut power = self.weight(1);
        for bit in (0..64).rev() {
            power = self.times(power, power);
            if exponent >> bit & 1 == 1 {
                power = self.times(power, weight);
            }
        }
        power
    }

    /// The prime.
    pub fn value(&self) -> u64 {
        self.p
    }

    /// `x` modulo p.
    #[inline(always)]
    pub fn reduce(&self, x: u64) -> u64 {
        // p is more than half of what a word holds.
        let (less, borrow) = x.overflowing_sub(self.p);
        select_unpredictable(borrow, x, less)
    }

    /// `low + 2^64·high` modulo p.
    #[inline(always)]
    pub fn reduce_two(&self, low: u64, high: u64) -> u64 {
        self.plus(self.reduce(low), self.times(self.square, high))
    }

    /// `x·2^64` modulo p: the weight of that value.
    #[inline(always)]
    pub fn weight(&self, x: u64) -> u64 {
        self.times(self.square, x)
    }

    /// `a + b`, of elements.
    #[inline(always)]
    pub fn plus(&self, a: u64, b: u64) -> u64 {
        let (sum, carry) = a.overflowing_add(b);
        let (less, borrow) = sum.overflowing_sub(self.p);
        select_unpredictable(borrow & !carry, sum, less)
    }

    /// `a − b`, of elements.
    #[inline(always)]
    pub fn minus(&self, a: u64, b: u64) -> u64 {
        let (less, borrow) = a.overflowing_sub(b);
        select_unpredictable(borrow, less.wrapping_add(self.p), less)
    }

    /// `a·b/2^64`, of an element and any word.
    #[inline(always)]
    pub fn times(&self, a: u64, b: u64) -> u64 {
        self.redc(u128::from(a) * u128::from(b))
    }

    /// `x/2^64`, for `x` below 2^64·p.
    #[inline(always)]
    pub(crate) fn redc(&self, x: u128) -> u64 {
        // q·p ends in the same word as x, so their difference is a multiple of 2^64.
        let q = (x as u64).wrapping_mul(self.inverse);
        let multiple = (u128::from(q) * u128::from(self.p)) >> 64;
        self.minus((x >> 64) as u64, multiple as u64)
    }

    /// `x/2`, of an element.
    pub fn half(&self, x: u64) -> u64 {
        let half = x >> 1;
        select_unpredictable(x & 1 == 1, half.wrapping_add((self.p >> 1).wrapping_add(1)), half)
    }

    /// A sum of products, divided by 2^64.
    #[inline(always)]
    pub fn total(&self, sum: Sum) -> u64 {
        let high = self.reduce((sum.low >> 64) as u64);
        let rest = self.redc(u128::from(high) << 64 | u128::from(sum.low as u64));
        self.plus(rest, self.times(self.square, sum.top))
    }

    /// `Σ a·b/2^64`, of words.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn dot(&self, a: &[u64], b: &[u64]) -> u64 {
        let mut sum = Sum::default();
        sum.add_products(a, b);
        self.total(sum)
    }
}

/// An integer of 192 bits: products of words are added to it, up to 2^64 of them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Sum {
    low: u128,
    top: u64,
}

impl Sum {
    /// `self += a·b`.
    #[inline(always)]
    pub fn add_product(&mut self, a: u64, b: u64) {
        let (low, carry) = self.low.overflowing_add(u128::from(a) * u128::from(b));
        self.low = low;
        self.top = self.top.wrapping_add(u64::from(carry));
    }

    /// `self += Σ a·b`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn add_products(&mut self, a: &[u64], b: &[u64]) {
        slices::add_products(self, a, b);
    }
}

/// A [`Sum`] to which short slices are added many times over: lanes are added up at the end.
#[derive(Clone, Copy, Default)]
pub struct LaneSum {
    /// Columns of 52 bits and more.
    lanes: [[u64; 8]; 3],
    /// Vectors that were added to them.
    n: usize,
    sum: Sum,
}

impl LaneSum {
    /// Adds `Σ a·b`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn add_products(&mut self, a: &[u64], b: &[u64]) {
        assert_eq!(a.len(), b.len(), "slices of one length");
        #[cfg(target_arch = "x86_64")]
        if ifma::available() && a.len() <= ifma::BLOCK * ifma::LANES {
            let n = a.len() / ifma::LANES;
            if self.n + n > ifma::BLOCK {
                self.flush();
            }
            self.n += n;
            // SAFETY: just tested.
            let done = unsafe { ifma::add_to_lanes(&mut self.lanes, a, b) };
            a[done..].iter().zip(&b[done..]).for_each(|(a, b)| self.sum.add_product(*a, *b));
            return;
        }
        self.sum.add_products(a, b);
    }

    fn flush(&mut self) {
        for (column, lanes) in std::mem::take(&mut self.lanes).iter().enumerate() {
            for lane in lanes {
                let shift = 52 * column as u32;
                let (low, carry) = self.sum.low.overflowing_add(u128::from(*lane) << shift);
                let above = if column == 2 { *lane >> 24 } else { 0 };
                self.sum.low = low;
                self.sum.top = self.sum.top.wrapping_add(above).wrapping_add(u64::from(carry));
            }
        }
        self.n = 0;
    }

    /// The sum of all that was added.
    pub fn total(mut self) -> Sum {
        self.flush();
        self.sum
    }
}

#[cfg(test)]
mod tests;
