//! Exponentials and logarithms, by the piecewise polynomials of `oblivious::fixed`.

use math::{Format, Z64};
use mpc::{Shared, SharedBits};
use oblivious::fixed::{self, Checked, Fixed};
use plan::secure::{Expr, Numeric};
use plan::types::{Range, Type};

use super::arith::with_zero;
use super::{Rows, Scalar};
use crate::context::{Context, Result};
use crate::errors::FailureKind;
use crate::kernel;
use crate::number::{Number, Ring, extend, width_of};
use crate::relation::{Column, FLOAT_BITS, stored_range};

/// Bits of an argument, with its sign.
const WIDTH: usize = 60;
/// Bits of a logarithm behind the point, and in all.
const LOGARITHM: Format = Format { fraction: 25, width: 39 };

impl Rows<'_> {
    /// `e^x`, or a logarithm: the plan has seen to it that the result fits.
    pub(super) fn numeric(
        &self,
        cx: &mut Context,
        expr: &Expr,
        func: Numeric,
        column: Column,
        guard: &SharedBits,
    ) -> Result<Scalar> {
        let number = column.as_number(cx)?.clone();
        let range = stored_range(cx, Type::Float64, expr.range)?;
        let whole_bits = (width_of(number.range()) + 1).saturating_sub(FLOAT_BITS as usize).max(2);
        let most = if func == Numeric::Exp { 30 } else { FLOAT_BITS as usize };
        let fraction = most.min(WIDTH.saturating_sub(whole_bits));
        let from = Format { fraction, width: fraction + whole_bits };
        let raw = shifted(cx, &number, from)?;
        let out = match func {
            // Room for the largest result; more bits behind the point would cost exactness.
            Numeric::Exp => {
                let whole = width_of(expr.range.unwrap_or(Range::point(1))) + 1;
                let fraction = Format::DEFAULT.width.saturating_sub(whole);
                Format { fraction, width: fraction + whole }
            }
            _ => LOGARITHM,
        };
        let Checked { value, valid } = cx.step("numeric", |s| {
            let x = Fixed::new(raw, from);
            let rounding = fixed::Rounding::of(s);
            match func {
                Numeric::Exp => fixed::exp(s, "exp", &x, out, rounding),
                Numeric::Log2 => fixed::log2(s, "log", &x, out, rounding),
                Numeric::Ln | Numeric::Log10 => fixed::ln(s, "log", &x, out, rounding),
            }
        })?;
        if expr.can_fail() {
            let failed = valid.not(cx.session());
            self.report(cx, FailureKind::OutOfDomain, failed, guard, column.present.as_ref())?;
        }
        let result = widened(cx, value.raw(), out, func == Numeric::Log10)?;
        let number = result.with_range(cx, with_zero(range));
        Ok(Scalar::secret(Column { ty: expr.ty, data: number.into(), zeroed: false, ..column }))
    }
}

/// A double's digits in another format, cut downwards.
fn shifted(cx: &mut Context, number: &Number, format: Format) -> Result<Shared<Z64>> {
    let bits = number.bits(cx)?;
    let signed = number.range().low < 0;
    let first = FLOAT_BITS as usize - format.fraction;
    let end = first + format.width;
    let bits = if signed { bits.sign_extended(end) } else { bits.resized(cx.session(), end) };
    kernel::bits_to_ring(cx, &bits.planes(first..end), true)
}

/// The result as a double: digits added, or multiplied by 1/ln 10.
fn widened(cx: &mut Context, raw: &Shared<Z64>, format: Format, decadic: bool) -> Result<Number> {
    let bits = kernel::ring_to_bits(cx, &Ring::Z64(raw.clone()), format.width)?;
    let most = 1i128 << (format.width - 1);
    let range = Range { low: -most, high: most - 1 };
    let number = Number::from_bits(range, bits);
    let up = FLOAT_BITS as usize - format.fraction;
    let ring = number.ring(cx, crate::number::RingKind::Z128)?;
    if !decadic {
        let wide = Range { low: range.low << up, high: range.high << up };
        return Ok(Number::from_ring(wide, ring.scale(1 << up)));
    }
    // 2^52 / ln 10, and then the fraction's digits too many are cut off.
    let factor = (std::f64::consts::LOG10_E * 2f64.powi(FLOAT_BITS as i32)).round() as i128;
    let wide = Range { low: range.low * factor, high: range.high * factor };
    let product = Number::from_ring(wide, ring.scale(factor)).bits(cx)?;
    let cut = product.planes(format.fraction..product.width());
    let whole = Range { low: wide.low >> format.fraction, high: wide.high >> format.fraction };
    Ok(Number::from_bits(whole, extend(cx, &cut, whole, whole)))
}
