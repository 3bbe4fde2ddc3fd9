//! Exact division of boolean numbers.

use mpc::{Label, ProtocolError, Session, SharedBits};

use crate::adder::{self, Carry};
use crate::compare;
use crate::rowwise::rowwise;

/// A quotient with what else division tells.
pub struct Quotient {
    /// The quotient, rounded toward zero; zero where the divisor is zero.
    pub quotient: SharedBits,
    /// The remainder, with the dividend's sign; unspecified where the divisor is zero.
    pub remainder: SharedBits,
    /// One where the divisor is zero.
    pub by_zero: SharedBits,
}

/// Divides unsigned numbers.
///
/// - **Shape:** `x` has `w` planes and `y` has `v`; the quotient has `w`, the remainder `v`.
/// - **Cost:** `w + 1` additions of `v + 1` bits, one after the other: `w·(⌈log₂ v⌉ + 2)` rounds.
/// - **Source:** non-restoring division: the sign of the remainder so far says whether the next
///   step adds or subtracts, which is free, as inverting by a secret bit is.
///
/// # Errors
/// `Link`.
///
/// # Panics
/// If a side has no plane.
pub fn divide_unsigned(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
    y: &SharedBits,
) -> Result<Quotient, ProtocolError> {
    let mut columns = rowwise(s, label, &[x, y], |s, inputs| {
        let [x, y] = inputs else { unreachable!("two inputs") };
        let (quotient, remainder, by_zero) = long_division(s, x, y)?;
        Ok(vec![quotient, remainder, by_zero])
    })?;
    let by_zero = columns.pop().expect("three columns");
    let remainder = columns.pop().expect("three columns");
    let quotient = columns.pop().expect("three columns");
    Ok(Quotient { quotient, remainder, by_zero })
}

/// Divides numbers in two's complement, rounding toward zero.
///
/// - **Shape:** `x` has `w` planes and `y` has `v`; the quotient has `w + 1`, since the least
///   number divided by −1 needs it; the remainder has `v`.
/// - **Cost:** as [`divide_unsigned`], and four additions.
///
/// # Errors
/// As [`divide_unsigned`].
///
/// # Panics
/// As [`divide_unsigned`].
pub fn divide_signed(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
    y: &SharedBits,
) -> Result<Quotient, ProtocolError> {
    let mut columns = rowwise(s, label, &[x, y], |s, inputs| {
        let [x, y] = inputs else { unreachable!("two inputs") };
        let (x_size, x_sign) = adder::absolute(s, "dividend", x)?;
        let (y_size, y_sign) = adder::absolute(s, "divisor", y)?;
        let (quotient, remainder, by_zero) = long_division(s, &x_size, &y_size)?;
        let quotient = quotient.resized(s, x.width() + 1);
        let quotient = adder::negate_where(s, "quotient sign", &x_sign.xor(&y_sign), &quotient)?;
        let remainder = adder::negate_where(s, "remainder sign", &x_sign, &remainder)?;
        Ok(vec![quotient, remainder, by_zero])
    })?;
    let by_zero = columns.pop().expect("three columns");
    let remainder = columns.pop().expect("three columns");
    let quotient = columns.pop().expect("three columns");
    Ok(Quotient { quotient, remainder, by_zero })
}

/// Divides numbers in two's complement by a public positive constant, rounding toward zero or
/// to the nearest, halves away from zero.
///
/// - **Cost:** as [`divide_signed`] by a divisor of as many bits as the constant has. Powers of
///   two cost two additions.
///
/// # Errors
/// As [`divide_signed`].
///
/// # Panics
/// If the constant is zero, or the sum of a dividend and half of it does not fit in 128 bits.
pub fn divide_public(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
    constant: u128,
    nearest: bool,
) -> Result<SharedBits, ProtocolError> {
    assert!(constant > 0, "a positive divisor");
    let bits = 128 - constant.leading_zeros() as usize;
    let mut columns = rowwise(s, label, &[x], |s, inputs| {
        let [x] = inputs else { unreachable!("one input") };
        let (size, sign) = adder::absolute(s, "dividend", x)?;
        // Half the divisor more makes rounding down rounding to the nearest.
        let size = if nearest && constant > 1 {
            let width = size.width().max(bits) + 1;
            let half = SharedBits::constant(s, size.n_rows(), width, constant / 2);
            let size = size.resized(s, width);
            adder::add(s, "half", &size, &half, Carry::None)?
        } else {
            size
        };
        // An odd divisor's half was rounded down: 2·(r + (c−1)/2) < c exactly where 2r < c, since
        // no remainder is exactly a half then.
        let quotient = if constant.is_power_of_two() {
            let shift = (bits - 1).min(size.width());
            size.planes(shift..size.width()).resized(s, size.width())
        } else {
            let divisor = SharedBits::constant(s, size.n_rows(), bits, constant);
            long_division(s, &size, &divisor)?.0
        };
        let quotient = quotient.resized(s, x.width() + 1);
        Ok(vec![adder::negate_where(s, "sign", &sign, &quotient)?])
    })?;
    Ok(columns.pop().expect("one column"))
}

/// Quotient, remainder and whether the divisor is zero.
fn long_division(
    s: &mut Session,
    x: &SharedBits,
    y: &SharedBits,
) -> Result<(SharedBits, SharedBits, SharedBits), ProtocolError> {
    assert!(x.width() > 0 && y.width() > 0, "numbers of at least one bit");
    let n = x.n_rows();
    let width = y.width() + 1;
    let zero = SharedBits::constant(s, n, 1, 0);
    let divisor = SharedBits::stack(&[y, &zero]);
    // The remainder lies in [−y, y) after each step; its sign, inverted, is the quotient's bit.
    let mut remainder = SharedBits::constant(s, n, width, 0);
    let mut non_negative = SharedBits::constant(s, n, 1, 1);
    let mut quotient = Vec::with_capacity(x.width());
    for plane in (0..x.width()).rev() {
        let doubled = SharedBits::stack(&[&x.plane(plane), &remainder.planes(0..width - 1)]);
        let step = divisor.xor(&non_negative.broadcast(width));
        remainder = adder::add(s, ("bit", plane), &doubled, &step, Carry::Secret(&non_negative))?;
        non_negative = remainder.plane(width - 1).not(s);
        quotient.push(non_negative.clone());
    }
    quotient.reverse();
    let quotient = SharedBits::stack(&quotient.iter().collect::<Vec<_>>());
    // A negative remainder is one divisor short.
    let missing = mpc::and_bit(s, "missing", &non_negative.not(s), &divisor)?;
    let remainder = adder::add(s, "remainder", &remainder, &missing, Carry::None)?.planes(0..y.width());
    let by_zero = compare::all_ones(s, "by zero", &y.not(s))?;
    let quotient = mpc::and_bit(s, "quotient", &by_zero.not(s), &quotient)?;
    Ok((quotient, remainder, by_zero))
}
