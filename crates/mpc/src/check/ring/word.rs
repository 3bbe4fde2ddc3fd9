//! What the proof asks of a ring.

use math::prime::Prime;
use math::{Group, Ring, Z8, Z16, Z32, Z64, Z128};

/// Runs `$body` with `$list` bound to the products of each ring, in the order of the proof.
macro_rules! each_ring {
    ($batch:expr, $list:ident => $body:expr) => {{
        let $list = &$batch.z8;
        $body;
        let $list = &$batch.z16;
        $body;
        let $list = &$batch.z32;
        $body;
        let $list = &$batch.z64;
        $body;
        let $list = &$batch.z128;
        $body;
    }};
}
pub(super) use each_ring;

/// A ring of integers modulo 2^k, each element standing for the one from 0 to 2^k − 1.
pub(super) trait Word: Ring {
    /// A sum of integer products, in words with room for carries.
    type Terms: Copy + Default;

    /// Parts of 32 bits.
    const HALVES: usize = Self::BITS.div_ceil(32) as usize;

    /// The integer modulo p, or one that the first factor of a product may be too.
    fn element(self, prime: &Prime) -> u64;

    /// The product of an element of the field, a weight, with this.
    fn weighed(self, prime: &Prime, weight: u64) -> u64;

    /// `terms += a·b`, as integers.
    fn add_product(terms: &mut Self::Terms, a: Self, b: Self);

    /// `(terms − e − f) / 2^k` where that is a whole number: its words, each with a sign.
    fn quotient(terms: Self::Terms, e: Self, f: Self) -> [i128; 2];

    /// Part `at` of 32 bits.
    fn half(self, at: usize) -> u32 {
        (self.word() >> (32 * at)) as u32
    }
}

macro_rules! narrow {
    ($($ring:ty),*) => {$(
        impl Word for $ring {
            type Terms = [i128; 2];

            #[inline(always)]
            fn element(self, prime: &Prime) -> u64 {
                prime.reduce(self.0.into())
            }

            #[inline(always)]
            fn weighed(self, prime: &Prime, weight: u64) -> u64 {
                prime.times(weight, self.0.into())
            }

            #[inline(always)]
            fn add_product(terms: &mut Self::Terms, a: Self, b: Self) {
                let product = u128::from(a.0) * u128::from(b.0);
                terms[0] += i128::from(product as u64);
                terms[1] += (product >> 64) as i128;
            }

            #[inline(always)]
            fn quotient([low, high]: Self::Terms, e: Self, f: Self) -> [i128; 2] {
                let rest = low - i128::from(e.0) - i128::from(f.0);
                [(rest >> Self::BITS) + (high << (64 - Self::BITS)), 0]
            }
        }
    )*};
}

narrow!(Z8, Z16, Z32, Z64);

impl Word for Z128 {
    type Terms = [i128; 4];

    #[inline(always)]
    fn element(self, prime: &Prime) -> u64 {
        prime.reduce_two(self.0 as u64, (self.0 >> 64) as u64)
    }

    #[inline(always)]
    fn weighed(self, prime: &Prime, weight: u64) -> u64 {
        prime.times(weight, self.element(prime))
    }

    #[inline(always)]
    fn add_product(terms: &mut Self::Terms, a: Self, b: Self) {
        let words = |x: u128| [x as u64, (x >> 64) as u64].map(u128::from);
        let ([a0, a1], [b0, b1]) = (words(a.0), words(b.0));
        for (at, product) in [(0, a0 * b0), (1, a0 * b1), (1, a1 * b0), (2, a1 * b1)] {
            terms[at] += i128::from(product as u64);
            terms[at + 1] += (product >> 64) as i128;
        }
    }

    #[inline(always)]
    fn quotient(terms: Self::Terms, e: Self, f: Self) -> [i128; 2] {
        let word = |x: u128, at: u32| i128::from((x >> (64 * at)) as u64);
        let first = terms[0] - word(e.0, 0) - word(f.0, 0);
        let second = terms[1] - word(e.0, 1) - word(f.0, 1) + (first >> 64);
        [terms[2] + (second >> 64), terms[3]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::ring::integer::Integer;

    fn integer<R: Ring>(x: R) -> Integer {
        Integer::from_parts(
            [x.word() as u32, (x.word() >> 32) as u32, (x.word() >> 64) as u32, (x.word() >> 96) as u32]
                .map(u64::from),
        )
    }

    /// Terms minus what is missing to a multiple of 2^k, for edge cases and others.
    fn quotients<R: Word>() {
        let top = R::ZERO.minus(R::ONE);
        let list = [R::ZERO, R::ONE, top, R::from_word(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)];
        for (a, b, f) in list.iter().flat_map(|a| list.iter().flat_map(|b| list.iter().map(|f| (*a, *b, *f))))
        {
            let mut terms = R::Terms::default();
            let (mut ring, mut slow) = (R::ZERO, Integer::default());
            for _ in 0..5 {
                R::add_product(&mut terms, a, b);
                ring = ring.plus(a.times(b));
                slow = slow.plus(&integer(a).times(&integer(b)));
            }
            let e = ring.minus(f);
            slow = slow.minus(&integer(e)).minus(&integer(f));
            let [low, high] = R::quotient(terms, e, f);
            let quotient = Integer::from_word(low, 0).plus(&Integer::from_word(high, 1));
            assert_eq!(quotient, slow.shifted_down(R::BITS));
            assert_eq!(quotient.times(&integer(R::ONE).shifted_up(R::BITS)), slow, "a whole number");
        }
    }

    #[test]
    fn quotients_in_every_ring() {
        quotients::<Z8>();
        quotients::<Z16>();
        quotients::<Z32>();
        quotients::<Z64>();
        quotients::<Z128>();
    }
}
