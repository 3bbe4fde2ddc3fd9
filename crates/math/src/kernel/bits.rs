//! Packed bits, word by word.

use crate::simd::multiversioned;

multiversioned! {
    /// `out = x ^ y ^ flip`, with one word for all of `flip`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn xor_of(out: &mut [u64], x: &[u64], y: &[u64], flip: u64) {
        let n = same_length(out.len(), &[x, y]);
        for i in 0..n {
            out[i] = x[i] ^ y[i] ^ flip;
        }
    }

    /// `out ^= x`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn xor_words(out: &mut [u64], x: &[u64]) {
        let n = same_length(out.len(), &[x]);
        for i in 0..n {
            out[i] ^= x[i];
        }
    }

    /// `out &= x`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn and_into(out: &mut [u64], x: &[u64]) {
        let n = same_length(out.len(), &[x]);
        for i in 0..n {
            out[i] &= x[i];
        }
    }

    /// `out ^= x & y`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn add_and(out: &mut [u64], x: &[u64], y: &[u64]) {
        let n = same_length(out.len(), &[x, y]);
        for i in 0..n {
            out[i] ^= x[i] & y[i];
        }
    }

    /// What digits of two bits generate, from the high bit, the low bit and the product of both
    /// of one number and the high and the low bit of the other:
    /// `out ^= a1·b1 ^ a1a0·b0 ^ a0·b1·b0`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn add_generate(out: &mut [u64], a: [&[u64]; 3], b: [&[u64]; 2]) {
        let ([high, low, both], [b_high, b_low]) = (a, b);
        let n = same_length(out.len(), &[high, low, both, b_high, b_low]);
        for i in 0..n {
            out[i] ^= (high[i] & b_high[i]) ^ (b_low[i] & (both[i] ^ (low[i] & b_high[i])));
        }
    }

    /// What digits of two bits propagate, from the same: `out ^= a1a0 ^ a1·b0 ^ a0·b1`, and
    /// `^ b1·b0` if `b_alone`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn add_propagate(out: &mut [u64], a: [&[u64]; 3], b: [&[u64]; 2], b_alone: bool) {
        let ([high, low, both], [b_high, b_low]) = (a, b);
        let n = same_length(out.len(), &[high, low, both, b_high, b_low]);
        let alone = if b_alone { u64::MAX } else { 0 };
        for i in 0..n {
            out[i] ^= both[i] ^ (b_low[i] & (high[i] ^ (alone & b_high[i]))) ^ (low[i] & b_high[i]);
        }
    }

    /// One bit of a sum whose carry follows from one's own bits: `sum = x ^ c` and
    /// `next = c ^ sum & c ^ f`, for the carry `c` and a mask `f`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn carry_alone(sum: &mut [u64], next: &mut [u64], x: &[u64], c: &[u64], f: &[u64]) {
        let n = same_length(sum.len(), &[next, x, c, f]);
        for i in 0..n {
            sum[i] = x[i] ^ c[i];
            next[i] = c[i] ^ (sum[i] & c[i]) ^ f[i];
        }
    }

    /// One bit of a sum whose carry follows a message, `z` under a mask `f`: `sum = x ^ c` and
    /// `next = c ^ z ^ f`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn carry_along(sum: &mut [u64], next: &mut [u64], x: &[u64], c: &[u64], message: [&[u64]; 2]) {
        let [z, f] = message;
        let n = same_length(sum.len(), &[next, x, c, z, f]);
        for i in 0..n {
            sum[i] = x[i] ^ c[i];
            next[i] = c[i] ^ z[i] ^ f[i];
        }
    }

    /// What [`carry_along`] gets, from both sums and carries and the masks of both:
    /// `out = (a ^ d) & (c ^ b) ^ d & b ^ f ^ g`, for one side's sum `a` and carry `c` and the other's
    /// `b` and `d`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn carry_message(out: &mut [u64], one: [&[u64]; 2], other: [&[u64]; 2], masks: [&[u64]; 2]) {
        let ([a, c], [b, d], [f, g]) = (one, other, masks);
        let n = same_length(out.len(), &[a, c, b, d, f, g]);
        for i in 0..n {
            out[i] = ((a[i] ^ d[i]) & (c[i] ^ b[i])) ^ (d[i] & b[i]) ^ f[i] ^ g[i];
        }
    }

    /// Flips every bit.
    pub fn not(words: &mut [u64]) {
        for word in words {
            *word = !*word;
        }
    }
}

/// The one length of all operands: loops up to it need no more bounds checks.
#[inline(always)]
fn same_length(n: usize, operands: &[&[u64]]) -> usize {
    for operand in operands {
        assert_eq!(operand.len(), n, "slices of one length");
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prg::Prg;
    use crate::simd::at_every_level;

    #[test]
    fn words_are_their_bits() {
        for n in [0, 1, 3, 64, 65, 513] {
            let [x, y, z, v, w, start] = [1, 2, 3, 4, 5, 6].map(|seed| {
                let mut words = vec![0u64; n];
                Prg::new(&[seed; 16]).fill_items(0, &mut words);
                words
            });
            at_every_level(|level| {
                let check = |f: &dyn Fn(&mut [u64]), word: &dyn Fn(usize) -> u64| {
                    let mut out = start.clone();
                    f(&mut out);
                    assert_eq!(out, (0..n).map(word).collect::<Vec<_>>(), "{level:?}, {n} words");
                };
                check(&|out| not(out), &|i| !start[i]);
                check(&|out| xor_of(out, &x, &y, u64::MAX), &|i| !(x[i] ^ y[i]));
                check(&|out| xor_words(out, &x), &|i| start[i] ^ x[i]);
                check(&|out| and_into(out, &x), &|i| start[i] & x[i]);
                check(&|out| add_and(out, &x, &y), &|i| start[i] ^ x[i] & y[i]);
                let mut sum = start.clone();
                let mut carry = |f: &dyn Fn(&mut [u64], &mut [u64]), next: &dyn Fn(usize) -> u64| {
                    check(&|out| f(&mut start.clone(), out), next);
                    f(&mut sum, &mut start.clone());
                    assert_eq!(sum, (0..n).map(|i| x[i] ^ y[i]).collect::<Vec<_>>(), "{level:?}, {n} words");
                };
                carry(&|sum, out| carry_alone(sum, out, &x, &y, &z), &|i| y[i] ^ (x[i] ^ y[i]) & y[i] ^ z[i]);
                carry(&|sum, out| carry_along(sum, out, &x, &y, [&z, &v]), &|i| y[i] ^ z[i] ^ v[i]);
                check(&|out| carry_message(out, [&x, &y], [&z, &v], [&w, &x]), &|i| {
                    (x[i] ^ v[i]) & (y[i] ^ z[i]) ^ v[i] & z[i] ^ w[i] ^ x[i]
                });
                let generates = |i: usize| x[i] & v[i] ^ z[i] & w[i] ^ y[i] & v[i] & w[i];
                check(&|out| add_generate(out, [&x, &y, &z], [&v, &w]), &|i| start[i] ^ generates(i));
                let propagates = |i: usize| z[i] ^ x[i] & w[i] ^ y[i] & v[i];
                check(&|out| add_propagate(out, [&x, &y, &z], [&v, &w], false), &|i| {
                    start[i] ^ propagates(i)
                });
                check(&|out| add_propagate(out, [&x, &y, &z], [&v, &w], true), &|i| {
                    start[i] ^ propagates(i) ^ v[i] & w[i]
                });
            });
        }
    }

    #[test]
    #[should_panic(expected = "slices of one length")]
    fn operands_of_another_length_are_refused() {
        add_and(&mut [0; 4], &[0; 5], &[0; 4]);
    }
}
