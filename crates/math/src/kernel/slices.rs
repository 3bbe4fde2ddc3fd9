//! Element by element: what is local in every protocol.

use crate::group::Group;
use crate::simd::multiversioned;

multiversioned! {
    /// `out[i] += x[i]` in the group.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn add_into<G: Group>(out: &mut [G], x: &[G]) {
        assert_eq!(out.len(), x.len(), "slices of one length");
        for (out, x) in out.iter_mut().zip(x) {
            *out = out.plus(*x);
        }
    }

    /// `out[i] -= x[i]` in the group.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn sub_into<G: Group>(out: &mut [G], x: &[G]) {
        assert_eq!(out.len(), x.len(), "slices of one length");
        for (out, x) in out.iter_mut().zip(x) {
            *out = out.minus(*x);
        }
    }

    /// `out[i] ^= x[i]`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn xor_into(out: &mut [u8], x: &[u8]) {
        assert_eq!(out.len(), x.len(), "slices of one length");
        for (out, x) in out.iter_mut().zip(x) {
            *out ^= x;
        }
    }

    /// Flips every bit.
    pub fn not(words: &mut [u64]) {
        for word in words {
            *word = !*word;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::{X16, Z8, Z128};
    use crate::simd::at_every_level;

    fn adds_and_subtracts<G: Group>() {
        at_every_level(|level| {
            for n in [0, 1, 63, 64, 65, 129] {
                let x: Vec<G> = (0..n).map(|i| G::from_word((u128::MAX / 7).wrapping_mul(i))).collect();
                let y: Vec<G> = (0..n).map(|i| G::from_word((u128::MAX / 11).wrapping_mul(i + 1))).collect();
                let mut out = y.clone();
                add_into(&mut out, &x);
                let sums: Vec<G> = x.iter().zip(&y).map(|(x, y)| x.plus(*y)).collect();
                assert_eq!(out, sums, "{level:?}");
                sub_into(&mut out, &x);
                assert_eq!(out, y, "{level:?}");
            }
        });
    }

    #[test]
    fn sums_and_differences_are_the_groups() {
        adds_and_subtracts::<Z8>();
        adds_and_subtracts::<Z128>();
        adds_and_subtracts::<X16>();
    }

    #[test]
    fn xor_and_not_touch_every_bit() {
        at_every_level(|level| {
            for n in [0, 1, 3, 64, 65] {
                let mut words = vec![0x0123_4567_89ab_cdef; n];
                not(&mut words);
                assert_eq!(words, vec![!0x0123_4567_89ab_cdef; n], "{level:?}");
                let mut bytes = vec![0x5a; n];
                xor_into(&mut bytes, &vec![0xff; n]);
                assert_eq!(bytes, vec![0xa5; n], "{level:?}");
            }
        });
    }
}
