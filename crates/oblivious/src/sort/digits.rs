//! Keys by digits, unrolled once so that each of their many comparisons costs less.
//!
//! A digit of `d` bits is unrolled into `2^d − 1` bits: bit `v` says whether the digit is `v`.
//! Whether one digit is less than another, or equal to it, is then an inner product, one bit of
//! message however large the digits. Bit by bit, a comparison of `w` bits sends about `2½·w` bits;
//! with digits of two bits `w` for the digits and `w` for the tree above them.
//!
//! Where products are checked, an inner product costs what its terms cost, and a digit is its two
//! bits and their AND instead: three terms for both questions, by [`mpc::and_sums`].

use mpc::{ProtocolError, Security, Session, SharedBits, SharedRows};

use crate::compare::{carry_out, selected_carry_out};

/// How keys are cut into digits.
#[derive(Clone, Copy)]
pub(super) struct Digits {
    /// Bits of a digit: a power of two.
    bits: usize,
    /// Digits of a key.
    n: usize,
}

impl Digits {
    /// The digits of keys of `width` bits.
    pub(super) fn of(width: usize) -> Self {
        Digits { bits: 2, n: width.div_ceil(2).max(1) }
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
        (1 + depth, 2 * self.n + 2 * (self.n - 1))
    }

    /// Keys unrolled: plane `(v − 1)·n + k` says whether digit `k` is `v`. In malicious sessions its
    /// upper bits come first, then its lower bits, and then where both are set.
    ///
    /// - **Cost:** `log₂ d` rounds; 2¾ ANDs for each bit of the key if `d` is 4.
    pub(super) fn unroll(&self, s: &mut Session, keys: &SharedBits) -> Result<SharedBits, ProtocolError> {
        let keys = keys.resized(s, self.n * self.bits);
        if self.checked(s) {
            let [low, high] = [0, 1].map(|bit| keys.every(bit, 2));
            let both = mpc::and(s, ("unroll", 1), &high, &low)?;
            return Ok(SharedBits::stack(&[&high, &low, &both]));
        }
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

    /// Whether keys take the form for products that are checked.
    fn checked(&self, s: &Session) -> bool {
        s.security() == Security::Malicious && self.bits == 2
    }

    /// Whether row `left[i]` is less than row `right[i]`, for rows of unrolled keys. Malicious
    /// sessions answer for rows that differ; of two equal ones either may be said to be less.
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
        s.scope("less", |s| {
            if self.checked(s) {
                return self.less_by_sums(s, &rows.bits_at(left), &rows.bits_at(right));
            }
            let [less, same] = mpc::compare_digits(s, "digits", rows, left, right, self.n)?;
            carry_out(s, less, same.planes(1..self.n))
        })
    }

    /// [`Digits::less`] by sums of two ANDs at most.
    ///
    /// Digits `x_1 x_0` and `y_1 y_0` are the same where `(¬x_1 ⊕ y_1)(¬x_0 ⊕ y_0)`, of which two terms
    /// mix `x` and `y`. Where they are not, `y_1` decides if `x_1 ≠ y_1` and `y_0` if not: that is
    /// `y_1 ⊕ (¬x_1 ⊕ y_1)(y_0 ⊕ y_1)`, with one such term.
    fn less_by_sums(
        &self,
        s: &mut Session,
        x: &SharedBits,
        y: &SharedBits,
    ) -> Result<SharedBits, ProtocolError> {
        let third = |planes: &SharedBits, at: usize| planes.planes(at * self.n..(at + 1) * self.n);
        let [x_high, x_low, x_both] = [0, 1, 2].map(|at| third(x, at));
        let [y_high, y_low, y_both] = [0, 1, 2].map(|at| third(y, at));
        let y_differ = y_high.xor(&y_low);
        let (not_high, not_low) = (x_high.not(s), x_low.not(s));
        let sums = [[(&not_high, &y_low), (&not_low, &y_high)]];
        let mut out = mpc::and_sums(s, "digits", &[(&x_high, &y_differ)], &sums)?;
        let same = out.pop().expect("a sum");
        let same = SharedBits::xor_of(&[&same, &not_high, &x_low, &x_both, &y_both]);
        let decides = SharedBits::xor_of(&[&out.pop().expect("an AND"), &y_differ, &y_both]);
        selected_carry_out(s, decides, same.planes(1..self.n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mpc::lab::{self, Lab};
    use mpc::{open_bits, verify};

    #[test]
    fn digits_of_any_length_compare_like_numbers() {
        let both = [Security::SemiHonest, Security::Malicious];
        let sizes = [(1, 9), (2, 1), (2, 7), (4, 3), (4, 8), (4, 13)].map(|size| (size, both[0]));
        // In malicious sessions digits have two bits.
        let malicious = [(2, 1), (2, 2), (2, 7), (2, 13)].map(|size| (size, both[1]));
        for ((bits, width), security) in sizes.into_iter().chain(malicious) {
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
            let run = Lab::seeded(1).security(security).run(f);
            assert_eq!(run.cost(), Lab::seeded(1).security(security).count(f).expect("counting succeeds"));
            let (unroll, less) = (digits.unroll_cost(), digits.less_cost());
            // A proof before the opening takes four rounds.
            let proof = if security == Security::Malicious { 4 } else { 0 };
            assert_eq!(run.rounds as usize, unroll.0 + less.0 + proof + 1, "{bits}, {width}");
            let n_bytes = |n| math::planes::words_per_plane(n) * 8;
            let compared = run.cost().bytes_sent[0] as usize - unroll.1 * n_bytes(1200);
            let (n_bits, most) = (compared / n_bytes(600), less.1 + 1);
            assert!(
                proof > 0 || (most - less.0..=most).contains(&n_bits),
                "{bits}, {width}: {n_bits} bits of {most}"
            );
            let less = run.agreed().expect("opened");
            for row in 0..600 {
                let low = |x: &[i128]| x[row] & ((1 << width) - 1);
                if proof == 0 || low(&x) != low(&y) {
                    assert_eq!(less[row], low(&x) < low(&y), "{bits}, {width}, row {row}");
                }
            }
        }
    }
}
