//! Integers of 384 bits with a sign: more than any that a proof speaks of.

use math::prime::Prime;

const WORDS: usize = 6;

/// An integer modulo 2^384, in two's complement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Integer([u64; WORDS]);

impl Integer {
    /// `word · 2^(64·at)`.
    pub(super) fn from_word(word: i128, at: usize) -> Self {
        let sign = (word >> 127) as u64;
        let mut words = [sign; WORDS];
        words[..at].fill(0);
        for (out, part) in words[at..].iter_mut().zip([word as u64, (word >> 64) as u64]) {
            *out = part;
        }
        Integer(words)
    }

    /// `Σ parts[h]·2^(32·h)`: sums of parts of 32 bits, with room for carries.
    pub(super) fn from_parts(parts: impl IntoIterator<Item = u64>) -> Self {
        let mut out = Integer::default();
        for (at, part) in parts.into_iter().enumerate() {
            let part = i128::from(part) << (32 * (at % 2));
            out = out.plus(&Integer::from_word(part, at / 2));
        }
        out
    }

    /// The number whose low 256 bits, in two's complement, are these.
    pub(super) fn from_bytes(bytes: &[u8; 32]) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        let mut out = [(words[3][7] as i8 >> 7) as u64; WORDS];
        out.iter_mut().zip(words).for_each(|(out, word)| *out = u64::from_le_bytes(*word));
        Integer(out)
    }

    /// The low 256 bits.
    pub(super) fn to_bytes(self) -> [u8; 32] {
        bytemuck::cast([self.0[0], self.0[1], self.0[2], self.0[3]])
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let mut carry = false;
        Integer(std::array::from_fn(|at| {
            let (sum, first) = self.0[at].overflowing_add(other.0[at]);
            let (sum, second) = sum.overflowing_add(carry.into());
            carry = first | second;
            sum
        }))
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        // −x = ¬x + 1.
        self.plus(&Integer(other.0.map(|word| !word))).plus(&Integer::from_word(1, 0))
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        let mut out = [0u64; WORDS];
        for (at, a) in self.0.iter().enumerate() {
            let mut carry = 0;
            for (out, b) in out[at..].iter_mut().zip(&other.0) {
                let sum = u128::from(*a) * u128::from(*b) + u128::from(*out) + carry;
                *out = sum as u64;
                carry = sum >> 64;
            }
        }
        Integer(out)
    }

    /// `self / 2^n`, towards minus infinity, for n up to 128.
    pub(super) fn shifted_down(&self, n: u32) -> Self {
        let sign = (self.0[WORDS - 1] as i64 >> 63) as u64;
        let word = |at: usize| u128::from(self.0.get(at).copied().unwrap_or(sign));
        let (whole, bits) = ((n / 64) as usize, n % 64);
        Integer(std::array::from_fn(|at| ((word(at + whole + 1) << 64 | word(at + whole)) >> bits) as u64))
    }

    /// `self · 2^n`, for n up to 128.
    #[cfg(test)]
    pub(super) fn shifted_up(&self, n: u32) -> Self {
        let factor = Integer::from_word(1 << (n % 64), (n / 64) as usize);
        self.times(&factor)
    }

    /// The number modulo a prime.
    pub(super) fn element(&self, prime: &Prime) -> u64 {
        // In two's complement the top word counts −2^384 if its sign says so.
        let sign = (self.0[WORDS - 1] as i64 >> 63) as u64;
        let weight = |x: u64| prime.weight(x);
        let magnitude = self.0.iter().rev().fold(0, |sum, word| prime.plus(weight(sum), prime.reduce(*word)));
        let wrap = (0..WORDS).fold(1, |power, _| weight(power));
        prime.minus(magnitude, wrap & sign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers() -> Vec<i128> {
        vec![0, 1, -1, 7, -(1 << 63), 1 << 64, i128::MAX / 3, i128::MIN, -12_345_678_901_234_567_890]
    }

    #[test]
    fn arithmetic_with_signs() {
        let prime =
            Prime::try_new(u64::MAX - 188).or_else(|| (0..).find_map(|at| Prime::try_new(u64::MAX - 4 * at)));
        let prime = prime.expect("a prime below 2^64");
        let modulo = |x: i128| x.rem_euclid(i128::from(prime.value())) as u64;
        for a in numbers() {
            let x = Integer::from_word(a, 0);
            assert_eq!(x.element(&prime), modulo(a), "{a}");
            assert_eq!(Integer::from_bytes(&x.to_bytes()), x);
            assert_eq!(x.shifted_down(37), Integer::from_word(a >> 37, 0));
            assert_eq!(Integer::from_word(a, 2).shifted_down(128), x);
            assert_eq!(x.shifted_up(100).shifted_down(100), x);
            for b in numbers() {
                let y = Integer::from_word(b, 0);
                assert_eq!(x.plus(&y).minus(&y), x);
                let element = prime.times(prime.weight(modulo(a)), modulo(b));
                assert_eq!(x.times(&y).element(&prime), element, "{a}·{b}");
            }
        }
        assert_eq!(Integer::from_parts([3, 5, 7]), Integer::from_word(3 + (5 << 32) + (7 << 64), 0));
    }
}
