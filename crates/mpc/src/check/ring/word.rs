//! What the proof asks of a ring.

use math::prime::{Prime, reduce_into};
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

    /// The integers modulo p.
    fn elements(prime: &Prime, list: &[Self], out: &mut [u64]);

    /// Words that are the integers modulo p.
    fn words(prime: &Prime, list: &[Self], out: &mut [u64]) {
        Self::elements(prime, list, out);
    }

    /// `terms += a·b`, as integers.
    fn add_product(terms: &mut Self::Terms, a: Self, b: Self);

    /// `(terms − f) / 2^k`, rounded down: its words, each with a sign.
    fn quotient(terms: Self::Terms, f: Self) -> [i128; 2];

    /// Part `at` of 32 bits.
    fn half(self, at: usize) -> u32 {
        (self.word() >> (32 * at)) as u32
    }
}

macro_rules! narrow {
    ($($ring:ty),*) => {$(
        impl Word for $ring {
            type Terms = [i128; 2];

            fn elements(prime: &Prime, list: &[Self], out: &mut [u64]) {
                out.iter_mut().zip(list).for_each(|(out, item)| *out = prime.reduce(item.0.into()));
            }

            fn words(_: &Prime, list: &[Self], out: &mut [u64]) {
                out.iter_mut().zip(list).for_each(|(out, item)| *out = item.0.into());
            }

            #[inline(always)]
            fn add_product(terms: &mut Self::Terms, a: Self, b: Self) {
                let product = u128::from(a.0) * u128::from(b.0);
                terms[0] = terms[0].wrapping_add(i128::from(product as u64));
                terms[1] = terms[1].wrapping_add((product >> 64) as i128);
            }

            #[inline(always)]
            fn quotient([low, high]: Self::Terms, f: Self) -> [i128; 2] {
                let rest = low.wrapping_sub(i128::from(f.0));
                [(rest >> Self::BITS).wrapping_add(high << (64 - Self::BITS)), 0]
            }
        }
    )*};
}

narrow!(Z8, Z16, Z32, Z64);

impl Word for Z128 {
    type Terms = [i128; 4];

    fn elements(prime: &Prime, list: &[Self], out: &mut [u64]) {
        // Two words each, the lower one first, as on any machine that this runs on.
        reduce_into(prime, out, bytemuck::cast_slice(list));
    }

    #[inline(always)]
    fn add_product(terms: &mut Self::Terms, a: Self, b: Self) {
        let words = |x: u128| [x as u64, (x >> 64) as u64].map(u128::from);
        let ([a0, a1], [b0, b1]) = (words(a.0), words(b.0));
        for (at, product) in [(0, a0 * b0), (1, a0 * b1), (1, a1 * b0), (2, a1 * b1)] {
            terms[at] = terms[at].wrapping_add(i128::from(product as u64));
            terms[at + 1] = terms[at + 1].wrapping_add((product >> 64) as i128);
        }
    }

    #[inline(always)]
    fn quotient(terms: Self::Terms, f: Self) -> [i128; 2] {
        let word = |at: u32| i128::from((f.0 >> (64 * at)) as u64);
        let first = terms[0] - word(0);
        let second = terms[1] - word(1) + (first >> 64);
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
            let [low, high] = R::quotient(terms, f);
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
