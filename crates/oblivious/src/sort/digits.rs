//! Keys by digits, unrolled once so that each of their many comparisons costs less.
//!
//! A digit of `d` bits is unrolled into `2^d − 1` bits: bit `v` says whether the digit is `v`.
//! Whether one digit is less than another, or equal to it, is then an inner product, one bit of
//! message however large the digits. Bit by bit, a comparison of `w` bits sends about `2½·w` bits;
//! with digits of two bits `w` for the digits and `w` for the tree above them.

use mpc::{ProtocolError, Security, Session, SharedBits, SharedRows};

use crate::compare::{carry_out, less_than};

/// How keys are cut into digits.
#[derive(Clone, Copy)]
pub(super) struct Digits {
    /// Bits of a digit: a power of two.
    bits: usize,
    /// Digits of a key.
    n: usize,
}

impl Digits {
    /// The digits of keys of `width` bits. Where products are checked, long sums of products cost
    /// what their products cost, and digits are single bits.
    pub(super) fn of(security: Security, width: usize) -> Self {
        let bits = match security {
            Security::SemiHonest => 2,
            Security::Malicious => 1,
        };
        Digits { bits, n: width.div_ceil(bits).max(1) }
    }

    /// Bits of an unrolled digit.
    fn values(&self) -> usize {
        (1 << self.bits) - 1
    }

    /// Rounds, and bits per row that each party sends, to unroll keys.
    pub(super) fn unroll_cost(&self) -> (usize, usize) {
        let mut cost = (0, 0);
        let mut bits = 1;
        while bits < self.bits {
            let values = (1 << bits) - 1;
            bits *= 2;
            cost = (cost.0 + 1, cost.1 + self.n * self.bits / bits * values * values);
        }
        cost
    }

    /// Rounds of a comparison, and bits per row that each party sends at most: fewer by up to a bit
    /// per round where the lowest digit pairs up early.
    pub(super) fn less_cost(&self) -> (usize, usize) {
        let depth = (usize::BITS - self.n.saturating_sub(1).leading_zeros()) as usize;
        let bits = match self.bits {
            1 if self.n.is_multiple_of(2) => 5 * self.n / 2 - 3,
            1 => (5 * self.n - 3) / 2,
            _ => 2 * self.n + 2 * (self.n - 1),
        };
        (1 + depth, bits)
    }

    /// Keys unrolled: plane `(v − 1)·n + k` says whether digit `k` is `v`.
    ///
    /// - **Cost:** `log₂ d` rounds; 2¾ ANDs for each bit of the key if `d` is 4.
    pub(super) fn unroll(&self, s: &mut Session, keys: &SharedBits) -> Result<SharedBits, ProtocolError> {
        let keys = keys.resized(s, self.n * self.bits);
        // By digits of one bit, then of two, then of four.
        let mut digits = vec![keys];
        while digits.len() < self.values() {
            digits = self.pair_up(s, &digits)?;
        }
        Ok(SharedBits::stack(&digits.iter().collect::<Vec<_>>()))
    }

    /// Pairs of neighbouring digits as digits twice as long: `16·high + low` is that number where
    /// both are what they are.
    fn pair_up(&self, s: &mut Session, digits: &[SharedBits]) -> Result<Vec<SharedBits>, ProtocolError> {
        let half = |first: usize| digits.iter().map(|is| is.every(first, 2)).collect::<Vec<_>>();
        let (low, high) = (half(0), half(1));
        let pairs: Vec<_> = high.iter().flat_map(|high| low.iter().map(move |low| (high, low))).collect();
        let both = mpc::and_many(s, ("unroll", digits.len()), &pairs)?;
        let values = digits.len();
        // Where one half is not zero, the other is zero unless it is something else.
        let less = |is: &SharedBits, others: &mut dyn Iterator<Item = &SharedBits>| {
            others.fold(is.clone(), |left, other| left.xor(other))
        };
        let mut out: Vec<_> =
            (0..values).map(|at| less(&low[at], &mut both.iter().skip(at).step_by(values))).collect();
        for (high, row) in high.iter().zip(both.chunks(values)) {
            out.push(less(high, &mut row.iter()));
            out.extend(row.iter().cloned());
        }
        Ok(out)
    }

    /// Whether row `left[i]` is less than row `right[i]`, for rows of unrolled keys.
    ///
    /// - **Cost:** `⌈log₂ n⌉ + 1` rounds for `n` digits, fewer than `4n` bits per row.
    /// - **Source:** a tree of (generate, propagate) pairs as in [`less_than`], above digits
    ///   instead of bits.
    pub(super) fn less(
        &self,
        s: &mut Session,
        rows: &SharedRows,
        left: &[u32],
        right: &[u32],
    ) -> Result<SharedBits, ProtocolError> {
        if self.bits == 1 {
            return less_than(s, "less", &rows.bits_at(left), &rows.bits_at(right), false);
        }
        s.scope("less", |s| {
            let [less, same] = mpc::compare_digits(s, "digits", rows, left, right, self.n)?;
            carry_out(s, less, same.planes(1..self.n))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mpc::lab::{self, Lab};
    use mpc::{open_bits, verify};

    #[test]
    fn digits_of_any_length_compare_like_numbers() {
        for (bits, width) in [(1, 9), (2, 1), (2, 7), (4, 3), (4, 8), (4, 13)] {
            let digits = Digits { bits, n: usize::div_ceil(width, bits) };
            let numbers = |seed: u64| -> Vec<i128> {
                math::Prg::new(&[seed as u8; 16]).permutation(600).iter().map(|x| i128::from(*x)).collect()
            };
            let (x, mut y) = (numbers(1), numbers(2));
            y[..100].copy_from_slice(&x[..100]);
            let index: Vec<u32> = (0..1200).collect();
            let f = |s: &mut Session| {
                let [x, y] = [(1, &x), (2, &y)].map(|(seed, x)| lab::deal_numbers(s, seed, width, x));
                let rows = digits.unroll(s, &SharedBits::concat(&[&x, &y]))?;
                let rows = SharedRows::of(s, &[rows]);
                let less = digits.less(s, &rows, &index[..600], &index[600..])?;
                let less = verify(s, less)?;
                Ok(open_bits(s, "open", less)?
                    .map(|less| (0..600).map(|row| less.bit(row, 0)).collect::<Vec<_>>()))
            };
            let run = Lab::seeded(1).run(f);
            assert_eq!(run.cost(), Lab::seeded(1).count(f).expect("counting succeeds"));
            let (unroll, less) = (digits.unroll_cost(), digits.less_cost());
            assert_eq!(run.rounds as usize, unroll.0 + less.0 + 1, "{bits}, {width}");
            let n_bytes = |n| math::planes::words_per_plane(n) * 8;
            let compared = run.cost().bytes_sent[0] as usize - unroll.1 * n_bytes(1200);
            let (n_bits, most) = (compared / n_bytes(600), less.1 + 1);
            assert!((most - less.0..=most).contains(&n_bits), "{bits}, {width}: {n_bits} bits of {most}");
            let less = run.agreed().expect("opened");
            for row in 0..600 {
                let low = |x: &[i128]| x[row] & ((1 << width) - 1);
                assert_eq!(less[row], low(&x) < low(&y), "{bits}, {width}, row {row}");
            }
        }
    }
}
