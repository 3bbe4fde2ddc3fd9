//! Interval analysis: between which values an exact result lies, and whether
//! it can leave its type.

use datafusion::arrow::array::ArrowNativeTypeOp;
use datafusion::arrow::datatypes::i256;

use crate::secure::Overflow;
use crate::types::{Range, Type};

/// An interval of exact results, before they are fitted into a type. Products
/// of two 128-bit numbers fit in it; what does not is cut at its ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Exact {
    low: i256,
    high: i256,
}

impl From<Range> for Exact {
    fn from(range: Range) -> Exact {
        Exact { low: i256::from_i128(range.low), high: i256::from_i128(range.high) }
    }
}

impl Exact {
    pub(crate) fn add(self, other: Exact) -> Exact {
        Exact { low: add(self.low, other.low), high: add(self.high, other.high) }
    }

    pub(crate) fn sub(self, other: Exact) -> Exact {
        self.add(other.neg())
    }

    pub(crate) fn neg(self) -> Exact {
        Exact { low: self.high.wrapping_neg(), high: self.low.wrapping_neg() }
    }

    pub(crate) fn mul(self, other: Exact) -> Exact {
        let corners = [
            mul(self.low, other.low),
            mul(self.low, other.high),
            mul(self.high, other.low),
            mul(self.high, other.high),
        ];
        Exact::spanning(corners)
    }

    /// Quotients cut towards zero, by every divisor but 0.
    pub(crate) fn div(self, other: Exact) -> Exact {
        let one = i256::ONE;
        // The divisors nearest to and farthest from zero, on either side of it.
        let mut divisors = Vec::new();
        if other.high >= one {
            divisors.extend([other.low.max(one), other.high]);
        }
        if other.low <= one.wrapping_neg() {
            divisors.extend([other.low, other.high.min(one.wrapping_neg())]);
        }
        let mut quotients = vec![];
        for divisor in divisors {
            for dividend in [self.low, self.high] {
                quotients.push(dividend.checked_div(divisor).unwrap_or(i256::MAX));
            }
        }
        if quotients.is_empty() {
            quotients.push(i256::ZERO);
        }
        Exact::spanning(quotients)
    }

    /// Remainders with the dividend's sign, by every divisor but 0.
    pub(crate) fn rem(self, other: Exact) -> Exact {
        let magnitude =
            add(other.low.wrapping_abs().max(other.high.wrapping_abs()), i256::ONE.wrapping_neg());
        let magnitude = magnitude.max(i256::ZERO);
        Exact {
            low: self.low.max(magnitude.wrapping_neg()).min(i256::ZERO),
            high: self.high.min(magnitude).max(i256::ZERO),
        }
    }

    /// Times 10^digits.
    pub(crate) fn scale_up(self, digits: u32) -> Exact {
        let unit = i256::from_i128(10).pow_wrapping(digits.min(76));
        Exact { low: mul(self.low, unit), high: mul(self.high, unit) }
    }

    /// Divided by 10^digits, rounded half away from zero or cut.
    pub(crate) fn scale_down(self, digits: u32, round: bool) -> Exact {
        let unit = i256::from_i128(10).pow_wrapping(digits.min(76));
        let half = if round { unit.wrapping_div(i256::from_i128(2)) } else { i256::ZERO };
        let cut = |value: i256| {
            let half = if value < i256::ZERO { half.wrapping_neg() } else { half };
            add(value, half).checked_div(unit).unwrap_or(i256::ZERO)
        };
        Exact { low: cut(self.low), high: cut(self.high) }
    }

    /// Sums of none to `n_rows` of its values.
    pub(crate) fn sum(self, n_rows: u64) -> Exact {
        let n_rows = i256::from_i128(n_rows.into());
        Exact { low: mul(self.low, n_rows).min(i256::ZERO), high: mul(self.high, n_rows).max(i256::ZERO) }
    }

    fn spanning(values: impl IntoIterator<Item = i256>) -> Exact {
        let mut values = values.into_iter();
        let first = values.next().expect("an interval spans a value at least");
        values.fold(Exact { low: first, high: first }, |all, value| Exact {
            low: all.low.min(value),
            high: all.high.max(value),
        })
    }

    /// The same interval in 128 bits, if it fits.
    pub(crate) fn narrow(self) -> Option<Range> {
        Some(Range { low: self.low.to_i128()?, high: self.high.to_i128()? })
    }

    /// Bits of the greatest magnitude.
    pub(crate) fn magnitude_bits(self) -> u32 {
        let bits = |value: i256| {
            let (low, high) = if value < i256::ZERO { value.wrapping_neg() } else { value }.to_parts();
            if high != 0 { 256 - high.cast_unsigned().leading_zeros() } else { 128 - low.leading_zeros() }
        };
        bits(self.low).max(bits(self.high))
    }
}

/// What an operator with these operands has to test, and the range after.
pub(crate) fn fit(exact: Exact, ty: Type, left: Exact, right: Exact) -> (Overflow, Range) {
    let possible = ty.range().expect("exact numbers have a range");
    match exact.narrow() {
        Some(range) if possible.contains(range) => (Overflow::Impossible, range),
        Some(range) => (Overflow::Test, range.clip(possible)),
        None => {
            let (left, right) = (left.magnitude_bits(), right.magnitude_bits());
            // Products of numbers of these bits stay below 2^126. Either side gets
            // half of that, or what the other leaves.
            let left_bits = left.min(126u32.saturating_sub(right).max(63));
            let overflow = Overflow::Conservative { left_bits, right_bits: 126 - left_bits };
            (overflow, possible)
        }
    }
}

/// The same for `+` and `-`, whose operands may each have 126 bits.
pub(crate) fn fit_sum(exact: Exact, ty: Type) -> (Overflow, Range) {
    match fit(exact, ty, exact, exact) {
        (Overflow::Conservative { .. }, range) => {
            (Overflow::Conservative { left_bits: 126, right_bits: 126 }, range)
        }
        fits => fits,
    }
}

/// The same for a sum over at most `n_rows` rows.
pub(crate) fn fit_total(exact: Exact, ty: Type, n_rows: u64) -> (Overflow, Range) {
    match fit(exact, ty, exact, exact) {
        (Overflow::Conservative { .. }, range) => {
            let row_bits = 64 - n_rows.leading_zeros();
            (Overflow::Conservative { left_bits: 126 - row_bits, right_bits: row_bits }, range)
        }
        fits => fits,
    }
}

fn add(a: i256, b: i256) -> i256 {
    a.checked_add(b).unwrap_or(if a < i256::ZERO { i256::MIN.wrapping_add(i256::ONE) } else { i256::MAX })
}

fn mul(a: i256, b: i256) -> i256 {
    let negative = (a < i256::ZERO) != (b < i256::ZERO);
    a.checked_mul(b).unwrap_or(if negative { i256::MIN.wrapping_add(i256::ONE) } else { i256::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(low: i128, high: i128) -> Exact {
        Range::new(low, high).into()
    }

    /// Every pair of small intervals against every pair of their values.
    #[test]
    fn intervals_hold_every_result() {
        let ends = [-7i128, -3, -1, 0, 1, 2, 5];
        let mut intervals = Vec::new();
        for low in ends {
            intervals.extend(ends.iter().filter(|high| low <= **high).map(|high| (low, *high)));
        }
        for &(a, b) in &intervals {
            for &(c, d) in &intervals {
                let (left, right) = (exact(a, b), exact(c, d));
                for x in a..=b {
                    for y in c..=d {
                        let holds = |e: Exact, v: i128| {
                            assert!(e.narrow().unwrap().holds(v), "{a}..{b} {c}..{d} {x} {y}")
                        };
                        holds(left.add(right), x + y);
                        holds(left.sub(right), x - y);
                        holds(left.mul(right), x * y);
                        if y != 0 {
                            holds(left.div(right), x / y);
                            holds(left.rem(right), x % y);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_has_to_be_tested() {
        let int64 = exact(i64::MIN.into(), i64::MAX.into());
        let small = exact(0, 1000);
        assert_eq!(fit(small.mul(small), Type::Int64, small, small).0, Overflow::Impossible);
        let (overflow, range) = fit(int64.mul(int64), Type::Int64, int64, int64);
        assert_eq!(overflow, Overflow::Test);
        assert_eq!(Some(range), Type::Int64.range());
        let wide = Type::Decimal { precision: 38, scale: 2 };
        let digits = exact(-(10i128.pow(30)), 10i128.pow(30));
        let (overflow, _) = fit(digits.mul(digits), wide, digits, digits);
        assert_eq!(overflow, Overflow::Conservative { left_bits: 63, right_bits: 63 });
        let (overflow, _) = fit(digits.mul(exact(0, 1 << 40)), wide, digits, exact(0, 1 << 40));
        assert_eq!(overflow, Overflow::Conservative { left_bits: 85, right_bits: 41 });
        let (overflow, _) = fit_total(digits.sum(1 << 40), wide, 1 << 40);
        assert_eq!(overflow, Overflow::Conservative { left_bits: 85, right_bits: 41 });
    }

    #[test]
    fn rescaling_rounds_half_away_from_zero() {
        assert_eq!(exact(-15, 14).scale_down(1, true).narrow(), Some(Range::new(-2, 1)));
        assert_eq!(exact(-19, 19).scale_down(1, false).narrow(), Some(Range::new(-1, 1)));
        assert_eq!(exact(-1, 2).scale_up(2).narrow(), Some(Range::new(-100, 200)));
    }
}
