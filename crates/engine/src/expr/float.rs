//! Doubles as whole numbers of 2^-52: sums, products, quotients and roots.

use mpc::SharedBits;
use plan::secure::{Arith, Expr, Overflow};
use plan::types::{Range, Type};

use super::arith::{magnitude, scaled_by, with_sign, with_zero};
use super::compare::outside;
use super::{Rows, Scalar};
use crate::context::{Context, Result};
use crate::errors::FailureKind;
use crate::kernel;
use crate::number::{Number, Ring, RingKind, width_of};
use crate::relation::{Column, FLOAT_BITS, stored_range};

/// What doubles are at most: sums of two fit in 127 bits.
const LIMIT: Range = Range { low: -(1 << 125), high: 1 << 125 };

const POINT: usize = FLOAT_BITS as usize;

impl Rows<'_> {
    /// `x op y` with a double as result.
    #[expect(clippy::too_many_arguments, reason = "both operands with what is public of them")]
    pub(super) fn float(
        &self,
        cx: &mut Context,
        expr: &Expr,
        op: Arith,
        [x, y]: [Number; 2],
        public: [Option<i128>; 2],
        guard: &SharedBits,
        present: Option<&SharedBits>,
    ) -> Result<Number> {
        let number = match op {
            Arith::Add => sum(cx, &x, &y, 1)?,
            Arith::Sub => sum(cx, &x, &y, -1)?,
            Arith::Mul => {
                let whole = |factor: i128| (factor.trailing_zeros() >= FLOAT_BITS).then_some(factor >> POINT);
                let factor = match public {
                    [Some(factor), _] => whole(factor).map(|factor| (factor, &y)),
                    [_, Some(factor)] => whole(factor).map(|factor| (factor, &x)),
                    _ => None,
                };
                match factor {
                    Some((factor, x)) if expr.overflow == Overflow::Impossible => {
                        let range = self.range(cx, expr)?;
                        Number::from_ring(
                            range,
                            x.ring(cx, RingKind::of(range.union(x.range())))?.scale(factor),
                        )
                    }
                    _ => self.product(cx, expr, &x, &y, guard, present)?,
                }
            }
            Arith::Ratio { up, down } => {
                self.report_zero(cx, expr, &y, guard, present)?;
                let (x, y) = (scaled_by(cx, &x, up)?, scaled_by(cx, &y, down)?);
                self.quotient(cx, expr, &x, &y, guard, present)?
            }
            Arith::Div { .. } | Arith::Rem => return Err(cx.wrong_plan("a double as a whole quotient")),
        };
        if expr.overflow != Overflow::Impossible
            && let Some(failed) = outside(cx, &number, LIMIT)?
        {
            self.report(cx, FailureKind::Overflow, failed, guard, present)?;
        }
        let range = self.range(cx, expr)?;
        Ok(number.with_range(cx, range))
    }

    fn range(&self, cx: &Context, expr: &Expr) -> Result<Range> {
        Ok(with_zero(stored_range(cx, Type::Float64, expr.range)?))
    }

    /// The product, cut downwards behind the last digit.
    fn product(
        &self,
        cx: &mut Context,
        expr: &Expr,
        x: &Number,
        y: &Number,
        guard: &SharedBits,
        present: Option<&SharedBits>,
    ) -> Result<Number> {
        let mut parts = Vec::with_capacity(2);
        for (number, limit) in [(x, true), (y, false)] {
            if let Overflow::Conservative { left_bits, right_bits } = expr.overflow {
                let bits = if limit { left_bits } else { right_bits } + FLOAT_BITS;
                let most = (1i128 << bits) - 1;
                if let Some(failed) = outside(cx, number, Range { low: -most, high: most })? {
                    self.report(cx, FailureKind::Overflow, failed, guard, present)?;
                }
            }
            parts.push(halves(cx, number)?);
        }
        let ([x_whole, x_part], [y_whole, y_part]) = (&parts[0], &parts[1]);
        // x·y·2^-52 for x = a·2^52 + b and y = c·2^52 + d: ac·2^52 + ad + bc + bd·2^-52.
        let [whole, first, second, part] =
            [(x_whole, y_whole), (x_whole, y_part), (x_part, y_whole), (x_part, y_part)];
        let (whole, first) =
            (kernel::multiply(cx, whole.0, whole.1)?, kernel::multiply(cx, first.0, first.1)?);
        let (second, part) =
            (kernel::multiply(cx, second.0, second.1)?, kernel::multiply(cx, part.0, part.1)?);
        let part = kernel::ring_to_bits(cx, &part, 2 * POINT)?.planes(POINT..2 * POINT);
        let part = Ring::Z128(kernel::bits_to_ring(cx, &part, false)?);
        let sum = whole.scale(1 << POINT).add(&first).add(&second).add(&part);
        let range = if expr.overflow == Overflow::Impossible { self.range(cx, expr)? } else { double(LIMIT) };
        Ok(Number::from_ring(range, sum))
    }

    /// `x / y` with the double's digits behind the point, cut towards zero; zero where `y` is.
    fn quotient(
        &self,
        cx: &mut Context,
        expr: &Expr,
        x: &Number,
        y: &Number,
        guard: &SharedBits,
        present: Option<&SharedBits>,
    ) -> Result<Number> {
        let (x_sign, x) = magnitude(cx, x)?;
        let (y_sign, y) = magnitude(cx, y)?;
        let zeros = SharedBits::constant(cx.session(), x.n_rows(), POINT, 0);
        let quotient = kernel::divide(cx, &SharedBits::stack(&[&zeros, &x]), &y)?.quotient;
        let most = width_of(LIMIT) - 1;
        let kept = quotient.width().min(most);
        if expr.overflow != Overflow::Impossible && quotient.width() > most {
            let beyond = quotient.planes(most..quotient.width());
            let failed = kernel::is_zero(cx, &beyond)?.not(cx.session());
            self.report(cx, FailureKind::Overflow, failed, guard, present)?;
        }
        let sign = match (x_sign, y_sign) {
            (Some(x), Some(y)) => Some(x.xor(&y)),
            (x, y) => x.or(y),
        };
        with_sign(cx, sign, quotient.planes(0..kept))
    }

    /// The square root of a double or of a whole number.
    pub(super) fn sqrt(
        &self,
        cx: &mut Context,
        expr: &Expr,
        from: Type,
        column: Column,
        guard: &SharedBits,
    ) -> Result<Scalar> {
        let number = column.as_number(cx)?.clone();
        let mut bits = number.bits(cx)?;
        if number.range().low < 0 {
            let sign = bits.plane(bits.width() - 1);
            if expr.overflow != Overflow::Impossible {
                self.report(cx, FailureKind::OutOfDomain, sign, guard, column.present.as_ref())?;
            }
            bits = bits.planes(0..bits.width() - 1);
        }
        // √(x·2^k)·2^(52 - k/2 - ...): a double has 52 digits already.
        let digits = if from == Type::Float64 { POINT } else { 2 * POINT };
        let zeros = SharedBits::constant(cx.session(), bits.n_rows(), digits, 0);
        let root = kernel::square_root(cx, &SharedBits::stack(&[&zeros, &bits]))?;
        let number = with_sign(cx, None, root)?;
        let range = self.range(cx, expr)?;
        let number = number.with_range(cx, range);
        Ok(Scalar::secret(Column { ty: expr.ty, data: number.into(), zeroed: false, ..column }))
    }
}

/// Twice as wide.
fn double(range: Range) -> Range {
    Range { low: 2 * range.low, high: 2 * (range.high - 1) + 1 }
}

fn sum(cx: &mut Context, x: &Number, y: &Number, sign: i128) -> Result<Number> {
    let (a, b) = (x.range(), y.range());
    let b = if sign < 0 { Range { low: -b.high, high: -b.low } } else { b };
    let range = with_zero(Range { low: a.low + b.low, high: a.high + b.high });
    let kind = RingKind::of(range.union(a).union(y.range()));
    let (x, y) = (x.ring(cx, kind)?, y.ring(cx, kind)?);
    Ok(Number::from_ring(range, x.add(&y.scale(sign))))
}

/// The whole number below and what is left, in the ring of products.
fn halves(cx: &mut Context, x: &Number) -> Result<[Ring; 2]> {
    let bits = x.bits(cx)?;
    let signed = x.range().low < 0;
    let width = bits.width().max(POINT + 1);
    let bits = if signed { bits.sign_extended(width) } else { bits.resized(cx.session(), width) };
    let whole = kernel::bits_to_ring(cx, &bits.planes(POINT..width), signed)?;
    let part = kernel::bits_to_ring(cx, &bits.planes(0..POINT), false)?;
    Ok([Ring::Z128(whole), Ring::Z128(part)])
}
