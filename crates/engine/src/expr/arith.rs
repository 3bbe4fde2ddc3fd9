//! Exact arithmetic. What can leave its type is computed in a wider one and
//! tested; a failure is a secret bit.

use mpc::SharedBits;
use plan::secure::{Arith, Expr, Overflow};
use plan::types::{Range, Type, Value};

use super::compare::outside;
use super::constant::number_of;
use super::{Rows, Scalar};
use crate::context::{Context, Result};
use crate::errors::FailureKind;
use crate::kernel;
use crate::number::{Number, RingKind, width_of};
use crate::relation::Column;

/// What 127 bits hold beside a sign: more than 38 digits, so that a result of 39 is there to be tested.
pub(crate) const WIDEST: Range = Range { low: -i128::MAX, high: i128::MAX };

/// The range with zero in it: what stands beside a NULL and in padding.
pub(crate) fn with_zero(range: Range) -> Range {
    Range { low: range.low.min(0), high: range.high.max(0) }
}

impl Rows<'_> {
    /// `x op y`, NULL where one of them is.
    pub(super) fn arith(
        &self,
        cx: &mut Context,
        expr: &Expr,
        op: Arith,
        (left, x): (&Expr, Scalar),
        (right, y): (&Expr, Scalar),
        guard: &SharedBits,
    ) -> Result<Scalar> {
        if x.is_null() || y.is_null() {
            return Ok(Scalar::Public(Value::Null));
        }
        let present = self.both_present(cx, &x, &y)?;
        let factor = |cx: &Context, side: &Scalar, expr: &Expr| match side {
            Scalar::Public(value) => number_of(cx, expr.ty, value).map(Some),
            Scalar::Secret(_) => Ok(None),
        };
        let (x_public, y_public) = (factor(cx, &x, left)?, factor(cx, &y, right)?);
        let x = self.secret(cx, left.ty, 0, x)?.as_number(cx)?.clone();
        let y = self.secret(cx, right.ty, 0, y)?.as_number(cx)?.clone();
        if expr.ty == Type::Float64 {
            let number = self.float(cx, expr, op, [x, y], [x_public, y_public], guard, present.as_ref())?;
            return Ok(Scalar::secret(Column { ty: expr.ty, data: number.into(), zeroed: false, present }));
        }
        let (x, y) = self.within_limits(cx, expr, x, y, guard, present.as_ref())?;
        let number = match op {
            Arith::Add => add(cx, expr, &x, &y)?,
            Arith::Sub => subtract(cx, expr, &x, &y)?,
            Arith::Mul => match (x_public, y_public) {
                (Some(factor), _) => scale(cx, expr, &y, factor)?,
                (_, Some(factor)) => scale(cx, expr, &x, factor)?,
                _ => multiply(cx, expr, &x, &y)?,
            },
            Arith::Div { .. } | Arith::Rem => {
                self.report_zero(cx, expr, &y, guard, present.as_ref())?;
                let (up, down) = if let Arith::Div { up, down } = op { (up, down) } else { (0, 0) };
                let (x, y) = (scaled_by(cx, &x, up)?, scaled_by(cx, &y, down)?);
                let (quotient, rest) = divide(cx, &x, &y)?;
                if op == Arith::Rem { rest } else { quotient }
            }
            Arith::Ratio { .. } => return Err(cx.wrong_plan("a ratio that is no double")),
        };
        let number = self.fit(cx, expr, number, guard, present.as_ref())?;
        Ok(Scalar::secret(Column { ty: expr.ty, data: number.into(), zeroed: present.is_none(), present }))
    }

    /// Reports where `expr` divides by zero.
    pub(super) fn report_zero(
        &self,
        cx: &mut Context,
        expr: &Expr,
        divisor: &Number,
        guard: &SharedBits,
        present: Option<&SharedBits>,
    ) -> Result<()> {
        if !expr.divides_by_zero() {
            return Ok(());
        }
        let bits = divisor.bits(cx)?;
        let failed = kernel::is_zero(cx, &bits)?;
        self.report(cx, FailureKind::DivisionByZero, failed, guard, present)
    }

    /// `-x`.
    pub(super) fn negate(
        &self,
        cx: &mut Context,
        expr: &Expr,
        column: Column,
        guard: &SharedBits,
    ) -> Result<Scalar> {
        let zero = Number::constant(cx, self.n_rows(), 0);
        let number = subtract(cx, expr, &zero, column.as_number(cx)?)?;
        let number = self.fit(cx, expr, number, guard, column.present.as_ref())?;
        Ok(Scalar::secret(Column { ty: expr.ty, data: number.into(), ..column }))
    }

    /// Under [`Overflow::Conservative`], operands that are too large fail, and
    /// the others are known to be small.
    pub(super) fn within_limits(
        &self,
        cx: &mut Context,
        expr: &Expr,
        x: Number,
        y: Number,
        guard: &SharedBits,
        present: Option<&SharedBits>,
    ) -> Result<(Number, Number)> {
        let Overflow::Conservative { left_bits, right_bits } = expr.overflow else { return Ok((x, y)) };
        let mut limited = Vec::with_capacity(2);
        for (number, bits) in [(x, left_bits), (y, right_bits)] {
            let most = (1i128 << bits.min(126)) - 1;
            let allowed = Range { low: -most, high: most };
            if let Some(failed) = outside(cx, &number, allowed)? {
                self.report(cx, FailureKind::Overflow, failed, guard, present)?;
            }
            let range = number.range();
            let clipped = Range { low: range.low.max(-most), high: range.high.min(most) };
            limited.push(number.with_range(cx, if clipped.low <= clipped.high { clipped } else { allowed }));
        }
        let y = limited.pop().expect("two operands");
        let x = limited.pop().expect("two operands");
        Ok((x, y))
    }

    /// A result, tested as the plan asks, in the range that it has then.
    pub(super) fn fit(
        &self,
        cx: &mut Context,
        expr: &Expr,
        number: Number,
        guard: &SharedBits,
        present: Option<&SharedBits>,
    ) -> Result<Number> {
        let allowed = expr.ty.range().ok_or_else(|| cx.wrong_plan("arithmetic on what is no number"))?;
        if expr.overflow != Overflow::Impossible
            && let Some(failed) = outside(cx, &number, allowed)?
        {
            self.report(cx, FailureKind::Overflow, failed, guard, present)?;
        }
        Ok(number.with_range(cx, with_zero(expr.range.unwrap_or(allowed))))
    }
}

/// The range of a result: what interval arithmetic says, or, where only the
/// plan knows better, what it says.
fn result_range(expr: &Expr, exact: Option<Range>) -> Range {
    match (expr.overflow, expr.range) {
        (Overflow::Impossible, Some(range)) => with_zero(range),
        _ => exact.unwrap_or(WIDEST),
    }
}

/// The smallest interval around some results, if all of them fit in 127 bits.
fn spanning(corners: &[Option<i128>]) -> Option<Range> {
    let all = corners.iter().copied().collect::<Option<Vec<i128>>>()?;
    let range = all.into_iter().map(Range::point).reduce(Range::union)?;
    WIDEST.contains(range).then_some(with_zero(range))
}

/// Whether to work on planes: both are known so.
fn on_planes(x: &Number, y: &Number) -> bool {
    x.has_bits() && y.has_bits()
}

fn add(cx: &mut Context, expr: &Expr, x: &Number, y: &Number) -> Result<Number> {
    let (a, b) = (x.range(), y.range());
    let range = result_range(expr, spanning(&[a.low.checked_add(b.low), a.high.checked_add(b.high)]));
    if on_planes(x, y) {
        let wide = range.union(a).union(b);
        let (x, y) = (x.bits_as(cx, wide)?, y.bits_as(cx, wide)?);
        let sum = kernel::add(cx, &x, &y)?;
        return Ok(Number::from_bits(wide, sum).with_range(cx, range));
    }
    let kind = RingKind::of(range.union(a).union(b));
    let (x, y) = (x.ring(cx, kind)?, y.ring(cx, kind)?);
    Ok(Number::from_ring(range, x.add(&y)))
}

fn subtract(cx: &mut Context, expr: &Expr, x: &Number, y: &Number) -> Result<Number> {
    let (a, b) = (x.range(), y.range());
    let range = result_range(expr, spanning(&[a.low.checked_sub(b.high), a.high.checked_sub(b.low)]));
    if on_planes(x, y) {
        let wide = range.union(a).union(b);
        let (x, y) = (x.bits_as(cx, wide)?, y.bits_as(cx, wide)?);
        let difference = kernel::subtract(cx, &x, &y)?;
        return Ok(Number::from_bits(wide, difference).with_range(cx, range));
    }
    let kind = RingKind::of(range.union(a).union(b));
    let (x, y) = (x.ring(cx, kind)?, y.ring(cx, kind)?);
    Ok(Number::from_ring(range, x.add(&y.scale(-1))))
}

fn corners(a: Range, b: Range) -> Option<Range> {
    spanning(&[
        a.low.checked_mul(b.low),
        a.low.checked_mul(b.high),
        a.high.checked_mul(b.low),
        a.high.checked_mul(b.high),
    ])
}

fn multiply(cx: &mut Context, expr: &Expr, x: &Number, y: &Number) -> Result<Number> {
    let (a, b) = (x.range(), y.range());
    let range = result_range(expr, corners(a, b));
    let kind = RingKind::of(range.union(a).union(b));
    let (x, y) = (x.ring(cx, kind)?, y.ring(cx, kind)?);
    Ok(Number::from_ring(range, kernel::multiply(cx, &x, &y)?))
}

fn scale(cx: &mut Context, expr: &Expr, x: &Number, factor: i128) -> Result<Number> {
    let range = result_range(expr, corners(x.range(), Range::point(factor)));
    let ring = x.ring(cx, RingKind::of(range.union(x.range())))?;
    Ok(Number::from_ring(range, ring.scale(factor)))
}

/// The number times 10^digits, which the plan knows to fit.
pub(crate) fn scaled_by(cx: &mut Context, x: &Number, digits: u8) -> Result<Number> {
    if digits == 0 {
        return Ok(x.clone());
    }
    let unit = 10i128.checked_pow(digits.into()).ok_or_else(|| cx.too_wide(128))?;
    let range = corners(x.range(), Range::point(unit)).unwrap_or(WIDEST);
    let ring = x.ring(cx, RingKind::of(range))?;
    Ok(Number::from_ring(range, ring.scale(unit)))
}

/// The quotient towards zero and the remainder with the dividend's sign.
/// Where the divisor is zero, anything.
pub(super) fn divide(cx: &mut Context, x: &Number, y: &Number) -> Result<(Number, Number)> {
    let (x_sign, x_magnitude) = magnitude(cx, x)?;
    let (y_sign, y_magnitude) = magnitude(cx, y)?;
    let divided = kernel::divide(cx, &x_magnitude, &y_magnitude)?;
    let quotient_sign = match (&x_sign, &y_sign) {
        (Some(x), Some(y)) => Some(x.xor(y)),
        (x, y) => x.clone().or(y.clone()),
    };
    Ok((with_sign(cx, quotient_sign, divided.quotient)?, with_sign(cx, x_sign, divided.remainder)?))
}

/// `total / count` with `digits` binary digits after the point, cut towards
/// zero; zero where `count` is. What is beyond 127 bits is cut.
pub(crate) fn divide_by_count(
    cx: &mut Context,
    total: &Number,
    count: &Number,
    digits: u32,
) -> Result<Number> {
    let (sign, magnitude) = magnitude(cx, total)?;
    let count = count.bits(cx)?;
    let zeros = SharedBits::constant(cx.session(), magnitude.n_rows(), digits as usize, 0);
    let dividend = if digits == 0 { magnitude } else { SharedBits::stack(&[&zeros, &magnitude]) };
    let quotient = kernel::divide(cx, &dividend, &count)?.quotient;
    let width = quotient.width().min(127);
    with_sign(cx, sign, quotient.planes(0..width))
}

/// The sign, if there can be one, and the unsigned planes of a number.
pub(super) fn magnitude(cx: &mut Context, x: &Number) -> Result<(Option<SharedBits>, SharedBits)> {
    let bits = x.bits(cx)?;
    if x.range().low >= 0 {
        return Ok((None, bits));
    }
    let sign = bits.plane(bits.width() - 1);
    let magnitude = kernel::negate_where(cx, &sign, &bits)?;
    Ok((Some(sign), magnitude))
}

/// Unsigned planes with a sign.
pub(super) fn with_sign(cx: &mut Context, sign: Option<SharedBits>, bits: SharedBits) -> Result<Number> {
    let most = if bits.width() >= 127 { i128::MAX } else { (1 << bits.width()) - 1 };
    let Some(sign) = sign else {
        let range = Range { low: 0, high: most };
        let bits = bits.resized(cx.session(), width_of(range));
        return Ok(Number::from_bits(range, bits));
    };
    let range = Range { low: -most, high: most };
    let wide = bits.resized(cx.session(), width_of(range));
    let number = kernel::negate_where(cx, &sign, &wide)?;
    Ok(Number::from_bits(range, number))
}

impl From<Number> for crate::relation::Data {
    fn from(number: Number) -> Self {
        crate::relation::Data::Number(number)
    }
}
