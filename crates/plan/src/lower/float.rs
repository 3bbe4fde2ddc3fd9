//! Typed expressions whose value is a double.
//!
//! On shares a double is a whole number of 2^-52, below 2^73 in size. Sums are exact; products,
//! quotients and roots are cut behind the last digit, so that their absolute error is below 2^-52
//! beside what the operands' errors make of it.

use super::typed::{self, exact_range, plain};
use crate::error::PlanError;
use crate::interval::Exact;
use crate::secure::{Arith, Expr, ExprKind, Overflow};
use crate::types::{MAX_PRECISION, Range, Type};

/// Doubles on shares lie between its ends.
pub(super) const LIMIT: Range = Range { low: -(1 << 73), high: 1 << 73 };

/// Whether a double is the 64 bits that came from a table, and not a whole number of 2^-52.
pub(super) fn is_stored(expr: &Expr) -> bool {
    expr.ty == Type::Float64 && expr.range.is_none() && !typed::is_null_literal(expr)
}

/// What makes doubles of tables numbers that shares compute with.
pub(super) const TO_DECIMAL: &str = "cast those of a table to a decimal at their owner, as in CAST(x AS DECIMAL(18,4)), or \
                                     let the owner declare one, which sums under a least size of groups take";

/// Doubles of one form: beside stored ones constants are stored alike, and nothing is computed.
pub(super) fn alike(mut exprs: Vec<Expr>) -> Result<Vec<Expr>, PlanError> {
    if !exprs.iter().any(is_stored) {
        return Ok(exprs);
    }
    for expr in exprs.iter_mut().filter(|expr| expr.ty == Type::Float64) {
        match &expr.kind {
            _ if expr.range.is_none() => {}
            ExprKind::Literal(_) => expr.range = None,
            _ => {
                return Err(PlanError::unsupported(
                    "float64 values of a table beside computed ones on shares",
                    TO_DECIMAL,
                ));
            }
        }
    }
    Ok(exprs)
}

/// The range of a result, and what has to be tested for it.
fn fit(exact: Exact) -> (Overflow, Range) {
    match exact.narrow() {
        Some(range) if LIMIT.contains(range) => (Overflow::Impossible, range),
        Some(range) => (Overflow::Test, range.clip(LIMIT)),
        None => (Overflow::Test, LIMIT),
    }
}

fn double(kind: ExprKind, nullable: bool, (overflow, range): (Overflow, Range)) -> Expr {
    Expr { overflow, ..plain(kind, Type::Float64, nullable, Some(range)) }
}

/// `left · 10^up / (right · 10^down)` of the unscaled numbers.
pub(super) fn ratio(left: Expr, right: Expr, up: u8, down: u8) -> Expr {
    let nullable = left.nullable || right.nullable;
    let (x, y) = (exact_range(&left).scale_up(up.into()), exact_range(&right).scale_up(down.into()));
    let one = Exact::from(Range::new(-1, 1));
    let fits = fit(x.div(y).add(one));
    let op = Arith::Ratio { up, down };
    double(ExprKind::Arith { op, left: Box::new(left), right: Box::new(right) }, nullable, fits)
}

/// The quotient of two exact numbers as a double.
pub(super) fn exact_ratio(left: Expr, right: Expr) -> Expr {
    let (a, b) = (left.ty.scale(), right.ty.scale());
    ratio(left, right, b.saturating_sub(a), a.saturating_sub(b))
}

/// `left op right` of doubles.
pub(super) fn arith(op: Arith, left: Expr, right: Expr) -> Result<Expr, PlanError> {
    if let (Arith::Ratio { .. }, Some((left, right))) = (op, both_exact(&left, &right)) {
        return Ok(exact_ratio(left, right));
    }
    for side in [&left, &right] {
        if side.range.is_none() {
            return Err(PlanError::unsupported(
                format!("`{op}` on float64 values that come from a table"),
                TO_DECIMAL,
            ));
        }
    }
    let nullable = left.nullable || right.nullable;
    let (x, y) = (exact_range(&left), exact_range(&right));
    let exact = match op {
        Arith::Add => x.add(y),
        Arith::Sub => x.sub(y),
        Arith::Mul => x.mul(y),
        // The smallest divisor is one last digit.
        Arith::Ratio { .. } => {
            let unit = Exact::from(Range::point(1 << 52));
            let away = left.range.zip(right.range).filter(|(_, y)| y.low > 1 || y.high < -1);
            let quotient = if away.is_some() { x.div(y) } else { x.mul(unit).mul(Range::new(-1, 1).into()) };
            quotient.add(Range::new(-1, 1).into())
        }
        Arith::Div { .. } | Arith::Rem => {
            return Err(PlanError::unsupported(format!("`{op}` on float64 values on shares"), ""));
        }
    };
    let kind = ExprKind::Arith { op, left: Box::new(left), right: Box::new(right) };
    let mut fits = fit(exact);
    // Parts of a product are multiplied on their own, and have to fit as well.
    if op == Arith::Mul && fits.0 != Overflow::Impossible {
        fits.0 = Overflow::Conservative { left_bits: 37, right_bits: 37 };
    }
    Ok(double(kind, nullable, fits))
}

/// The numbers behind two doubles that were exact before, at least one of them no constant.
fn both_exact(left: &Expr, right: &Expr) -> Option<(Expr, Expr)> {
    let inner = |expr: &Expr| match &expr.kind {
        ExprKind::Cast(operand) if operand.ty.is_exact_number() => Some((**operand).clone()),
        _ => None,
    };
    Some((inner(left)?, inner(right)?))
}

/// The square root of a number, which is not negative wherever the result is looked at.
pub(super) fn sqrt(operand: Expr) -> Expr {
    let high = exact_range(&operand).narrow().map_or(i128::MAX, |range| range.high).max(0);
    let root = high.isqrt() + 1;
    let nullable = operand.nullable;
    let fits = fit(Range::new(0, root).into());
    double(ExprKind::Sqrt(Box::new(operand)), nullable, fits)
}

/// The whole number of 2^-52 that a double is, if its range is known.
pub(super) fn raw(double: Expr) -> Option<Expr> {
    let range = double.range.filter(|_| double.ty == Type::Float64)?;
    let range = Range::new(range.low << 52, range.high << 52);
    Some(assumed(double, Type::Decimal { precision: MAX_PRECISION, scale: 0 }, range))
}

/// A whole number of 2^-52 as a double.
pub(super) fn of_raw(raw: Expr) -> Expr {
    let range = exact_range(&raw).narrow().unwrap_or(LIMIT);
    let range = Range::new(range.low >> 52, (range.high >> 52) + 1).clip(LIMIT);
    assumed(raw, Type::Float64, range)
}

/// An exact number as another type and range, which its value is known to have wherever it is
/// looked at.
pub(super) fn assumed(operand: Expr, ty: Type, range: Range) -> Expr {
    let nullable = operand.nullable;
    typed::plain(ExprKind::Same(Box::new(operand)), ty, nullable, Some(range))
}
