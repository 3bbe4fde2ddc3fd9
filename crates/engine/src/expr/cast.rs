//! Casts between exact numbers, and from them to truths and doubles.

use mpc::SharedBits;
use plan::secure::{Expr, Overflow, Rounding};
use plan::types::{Range, Type};

use super::arith::{divide, magnitude, scaled_by, with_sign, with_zero};
use super::{Rows, Scalar};
use crate::context::{Context, Result};
use crate::kernel;
use crate::number::{Number, Ring, RingKind};
use crate::relation::{Column, FLOAT_BITS, stored_range};

impl Rows<'_> {
    /// The operand as the expression's type.
    pub(super) fn cast(
        &self,
        cx: &mut Context,
        expr: &Expr,
        from: Type,
        column: Column,
        guard: &SharedBits,
    ) -> Result<Scalar> {
        if from == expr.ty {
            return Ok(Scalar::secret(column));
        }
        let number = column.as_number(cx)?.clone();
        let number = match (from, expr.ty) {
            (_, Type::Bool) => return self.is_not_zero(cx, column, &number),
            (Type::Float64, to) => {
                let number = from_double(cx, &number, to)?;
                self.fit(cx, expr, number, guard, column.present.as_ref())?
            }
            (from, Type::Float64) => {
                let range = stored_range(cx, Type::Float64, expr.range)?;
                to_double(cx, &number, from.scale(), range)?
            }
            (from, to) => {
                let present = column.present.clone();
                let unit = Number::constant(cx, number.n_rows(), 1);
                let (number, _) = self.within_limits(cx, expr, number, unit, guard, present.as_ref())?;
                let number = match to.scale().checked_sub(from.scale()) {
                    Some(digits) => scaled_by(cx, &number, digits)?,
                    None => {
                        let rounding = if to.is_integer() { Rounding::Cut } else { Rounding::Nearest };
                        cut(cx, &number, from.scale() - to.scale(), rounding)?
                    }
                };
                if expr.overflow == Overflow::Impossible {
                    let range = expr.range.unwrap_or(number.range());
                    number.with_range(cx, with_zero(range))
                } else {
                    self.fit(cx, expr, number, guard, present.as_ref())?
                }
            }
        };
        Ok(Scalar::secret(Column { ty: expr.ty, data: number.into(), ..column }))
    }

    /// A decimal with fewer digits after the point.
    pub(super) fn round(
        &self,
        cx: &mut Context,
        expr: &Expr,
        from: Type,
        (digits, rounding): (u8, Rounding),
        column: Column,
        guard: &SharedBits,
    ) -> Result<Scalar> {
        let number = cut(cx, column.as_number(cx)?, digits, rounding)?;
        let up = (expr.ty.scale() + digits).saturating_sub(from.scale());
        let number = scaled_by(cx, &number, up)?;
        let number = self.fit(cx, expr, number, guard, column.present.as_ref())?;
        Ok(Scalar::secret(Column { ty: expr.ty, data: number.into(), ..column }))
    }

    /// The same number under another type and range.
    pub(super) fn same(&self, cx: &mut Context, expr: &Expr, column: Column) -> Result<Scalar> {
        let number = column.as_number(cx)?.clone();
        let range = stored_range(cx, expr.ty, expr.range)?;
        let number = number.with_range(cx, with_zero(range));
        Ok(Scalar::secret(Column { ty: expr.ty, data: number.into(), ..column }))
    }

    fn is_not_zero(&self, cx: &mut Context, column: Column, number: &Number) -> Result<Scalar> {
        let bits = number.bits(cx)?;
        let is_zero = kernel::is_zero(cx, &bits)?;
        let answer = is_zero.not(cx.session());
        let answer = match &column.present {
            Some(present) => kernel::and(cx, &answer, present)?,
            None => answer,
        };
        Ok(Scalar::secret(Column::truth(answer, column.present)))
    }
}

/// Divided by 10^digits.
fn cut(cx: &mut Context, x: &Number, digits: u8, rounding: Rounding) -> Result<Number> {
    let unit = 10i128.checked_pow(digits.into()).ok_or_else(|| cx.too_wide(128))?;
    let divisor = Number::constant(cx, x.n_rows(), unit);
    // cut(x + step) / unit, with one step for numbers below zero and one for the others; a power of
    // ten has a whole half.
    let (below, above) = match rounding {
        Rounding::Cut => (0, 0),
        Rounding::Nearest => (-unit / 2, unit / 2),
        Rounding::Floor => (1 - unit, 0),
        Rounding::Ceil => (0, unit - 1),
    };
    if unit == 1 || (below, above) == (0, 0) {
        return Ok(divide(cx, x, &divisor)?.0);
    }
    let range = x.range();
    let negative = if range.low < 0 {
        let bits = x.bits(cx)?;
        bits.plane(bits.width() - 1)
    } else {
        SharedBits::constant(cx.session(), x.n_rows(), 1, 0)
    };
    let wide = Range { low: range.low.saturating_add(below), high: range.high.saturating_add(above) };
    let wide = with_zero(wide).union(with_zero(Range::new(below, above)));
    let (above, below) = (Number::constant(cx, x.n_rows(), above), Number::constant(cx, x.n_rows(), below));
    let (above, below) = (above.bits_as(cx, wide)?, below.bits_as(cx, wide)?);
    let step = kernel::select(cx, &negative, &below, &above)?;
    let bits = x.bits_as(cx, wide)?;
    let sum = kernel::add(cx, &bits, &step)?;
    Ok(divide(cx, &Number::from_bits(wide, sum), &divisor)?.0)
}

/// The number with [`FLOAT_BITS`] digits after the binary point.
fn to_double(cx: &mut Context, x: &Number, scale: u8, range: Range) -> Result<Number> {
    let unit = 10i128.checked_pow(scale.into()).ok_or_else(|| cx.too_wide(128))?;
    let bits = Range { low: x.range().low, high: x.range().high }.width_bits() + FLOAT_BITS;
    if bits > 127 {
        return Err(cx.too_wide(bits));
    }
    let wide = Range { low: x.range().low << FLOAT_BITS, high: x.range().high << FLOAT_BITS };
    let ring: Ring = x.ring(cx, RingKind::of(wide))?.scale(1 << FLOAT_BITS);
    let scaled = Number::from_ring(wide, ring);
    if unit == 1 {
        return Ok(scaled.with_range(cx, with_zero(range)));
    }
    let divisor = Number::constant(cx, x.n_rows(), unit);
    Ok(divide(cx, &scaled, &divisor)?.0.with_range(cx, with_zero(range)))
}

/// A number with [`FLOAT_BITS`] digits after the binary point as an exact one:
/// rounded half away from zero to a decimal's digits, cut towards zero to an integer.
fn from_double(cx: &mut Context, x: &Number, to: Type) -> Result<Number> {
    let (sign, magnitude) = magnitude(cx, x)?;
    let point = FLOAT_BITS as usize;
    let magnitude = magnitude.resized(cx.session(), magnitude.width().max(point + 1));
    let whole = magnitude.planes(point..magnitude.width());
    if to.is_integer() {
        return with_sign(cx, sign, whole);
    }
    // whole·10^s + ⌊fraction·10^s/2^point + ½⌋, each part in what it takes.
    let most = |bits: usize| (1i128 << bits.min(126)) - 1;
    let fraction = Number::from_bits(Range { low: 0, high: most(point) }, magnitude.planes(0..point));
    // A mean is cut behind its last digit. One that lies in the middle of two decimals has to go away
    // from zero nevertheless: a last digit more takes it over the middle again.
    let cut = 10i128.pow(to.scale().into()).min(1 << (point - 4));
    let half = Number::constant(cx, x.n_rows(), (1 << (point - 1)) + cut);
    let fraction = add(&scaled_by(cx, &fraction, to.scale())?, &half, cx)?.bits(cx)?;
    let fraction = fraction.planes(point..fraction.width());
    let fraction = Number::from_bits(Range { low: 0, high: most(fraction.width()) }, fraction);
    let whole = Number::from_bits(Range { low: 0, high: most(whole.width()) }, whole);
    let sum = add(&scaled_by(cx, &whole, to.scale())?, &fraction, cx)?.bits(cx)?;
    with_sign(cx, sign, sum)
}

/// The sum of two numbers that are not negative.
fn add(x: &Number, y: &Number, cx: &mut Context) -> Result<Number> {
    let high = x.range().high.checked_add(y.range().high).unwrap_or(i128::MAX);
    let range = Range { low: 0, high };
    let (x, y) = (x.ring(cx, RingKind::of(range))?, y.ring(cx, RingKind::of(range))?);
    Ok(Number::from_ring(range, x.add(&y)))
}
