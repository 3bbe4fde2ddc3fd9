//! Roots, powers, exponentials and logarithms.
//!
//! Exponentials and logarithms are polynomials over numbers of some sixty bits. Where an argument can
//! be of very different sizes it is brought near one first, so that the error stays what it is said
//! to be: that of a logarithm, and of an exponential beside its size, is below 2^-21.

use super::float::{self, assumed};
use super::functions::without_cast;
use super::scalar::OWNER_ONLY;
use super::typed::{self, ArithOp};
use crate::error::PlanError;
use crate::secure::{Arith, Comparison, Expr, ExprKind, Numeric, Overflow};
use crate::types::{MAX_PRECISION, Range, Type, Value};

/// The largest argument of an exponential.
const MAX_EXPONENT: i128 = 17;
/// The largest one that is looked up at once, with as many digits as its error is small.
const AT_ONCE: i128 = 9;
/// Below that an exponential is nothing.
const LEAST_EXPONENT: i128 = -64;
/// Bits before the point with which a logarithm's argument has enough behind it.
const WHOLE_BITS: i32 = 8;
/// Bits before the point from which on it had too few behind it.
const MAX_WHOLE_BITS: i32 = 46;

pub(super) fn root(value: Expr) -> Result<Expr, PlanError> {
    let exact = without_cast(value.clone());
    let whole = exact.ty.is_exact_number() && exact.ty.scale() == 0;
    let value = if whole { exact } else { typed::cast(value, Type::Float64)? };
    if value.range.is_none() {
        return Err(PlanError::unsupported("sqrt() of float64 values that come from a table", OWNER_ONLY));
    }
    let negative = value.range.is_none_or(|range| range.low < 0);
    let mut root = float::sqrt(value);
    if negative {
        root.overflow = Overflow::Test;
    }
    Ok(root)
}

fn number(value: f64) -> Expr {
    typed::literal(Value::Float(value), Type::Float64)
}

/// A double whose range is known, and the range.
fn ranged(value: Expr) -> Result<(Expr, Range), PlanError> {
    let value = typed::cast(value, Type::Float64)?;
    let Some(range) = value.range else {
        return Err(PlanError::unsupported(
            "a logarithm or exponential of float64 values of a table",
            OWNER_ONLY,
        ));
    };
    Ok((value, range))
}

fn of(func: Numeric, value: Expr, result: Range) -> Expr {
    let nullable = value.nullable;
    typed::plain(ExprKind::Numeric(func, Box::new(value)), Type::Float64, nullable, Some(result))
}

/// `value`, or `bound` where it is less.
fn at_least(value: Expr, bound: i128) -> Result<Expr, PlanError> {
    typed::shared([value], |[value]| {
        let below = typed::compare(Comparison::Lt, value.clone(), number(bound as f64))?;
        let Range { low, high } = typed::exact_range(&value).narrow().unwrap_or(float::LIMIT);
        let least = typed::case(vec![(below, number(bound as f64))], value)?;
        Ok(assumed(least, Type::Float64, Range::new(low.max(bound), high.max(bound))))
    })
}

/// `e^x`.
pub(super) fn exponential(value: Expr) -> Result<Expr, PlanError> {
    let (mut value, range) = ranged(value)?;
    if range.high > MAX_EXPONENT {
        let reason = format!("it can be {}, and {MAX_EXPONENT} is the most", range.high);
        return Err(PlanError::unsupported("exp() of such large values on shares", reason));
    }
    if range.low < -(1 << 29) {
        value = at_least(value, LEAST_EXPONENT)?;
    }
    // The table that has a step's exponential has room for all of the step.
    let most = |high: i128| Range::new(0, (high as f64 + 0.5).exp().ceil() as i128);
    if range.high <= AT_ONCE {
        return Ok(of(Numeric::Exp, value, most(range.high)));
    }
    // From 9 on it is e^9·e^(x−9).
    typed::shared([value], |[value]| {
        let nine = AT_ONCE as f64;
        let low = typed::exact_range(&value).narrow().map_or(LEAST_EXPONENT, |range| range.low);
        let above = typed::compare(Comparison::Ge, value.clone(), number(nine))?;
        let less = typed::case(vec![(above.clone(), number(nine))], number(0.0))?;
        let rest = float::arith(Arith::Sub, value, less)?;
        let rest = assumed(rest, Type::Float64, Range::new(low.min(0), AT_ONCE));
        let times = typed::case(vec![(above, number(nine.exp()))], number(1.0))?;
        let power = float::arith(Arith::Mul, of(Numeric::Exp, rest, most(AT_ONCE)), times)?;
        Ok(assumed(power, Type::Float64, most(range.high)))
    })
}

/// A logarithm, of what is positive wherever it is looked at.
pub(super) fn logarithm(func: Numeric, value: Expr) -> Result<Expr, PlanError> {
    let exact = without_cast(value.clone()).ty;
    let whole = exact.is_exact_number() && exact.scale() == 0;
    let (mut value, range) = ranged(value)?;
    let high = range.high.max(1);
    let bits = 128 - high.leading_zeros() as i32;
    let of_base = |value: f64| match func {
        Numeric::Log2 => value.log2(),
        Numeric::Log10 => value.log10(),
        _ => value.ln(),
    };
    // The least positive double is 2^-52; a logarithm may be as wrong as its polynomials.
    let result = |low: i128, high: i128| {
        let low = if low > 0 { of_base(low as f64).floor() } else { -53.0 };
        Range::new(low as i128 - 1, of_base(high as f64).ceil() as i128 + 1)
    };
    // Whole numbers lose nothing, and of large ones nobody misses it.
    let few = bits <= WHOLE_BITS || range.low > 0 && bits <= 30 || whole;
    if bits > if few { 57 } else { MAX_WHOLE_BITS } {
        return Err(PlanError::TooWide { expression: "a logarithm of such large values".to_owned() });
    }
    if range.low < -(1 << if whole { 56 } else { WHOLE_BITS }) {
        value = at_least(value, 0)?;
    }
    if few {
        return Ok(of(func, value, result(range.low, high)));
    }
    // From 2^8 on it is log(x·2^-k) + k·log 2.
    let shift = bits - WHOLE_BITS;
    typed::shared([value], |[value]| {
        let limit = f64::from(1 << WHOLE_BITS);
        let above = typed::compare(Comparison::Ge, value.clone(), number(limit))?;
        let small = float::arith(Arith::Mul, value.clone(), number(2f64.powi(-shift)))?;
        let near = typed::case(vec![(above.clone(), small)], value)?;
        let near = assumed(near, Type::Float64, Range::new(0, 1 << WHOLE_BITS));
        let more = typed::case(vec![(above, number(of_base(2f64.powi(shift))))], number(0.0))?;
        float::arith(Arith::Add, of(func, near, result(0, 1 << WHOLE_BITS)), more)
    })
}

/// Whole powers are products, a half more is a product with the square root, and below zero stand
/// quotients.
pub(super) fn power(value: Expr, exponent: f64) -> Result<Expr, PlanError> {
    if exponent == 0.5 {
        return root(value);
    }
    if exponent < 0.0 {
        let divisor = power(value, -exponent)?;
        return float::arith(Arith::Ratio { up: 0, down: 0 }, number(1.0), divisor);
    }
    if exponent.fract() == 0.5 && exponent < 16.0 {
        return typed::shared([without_cast(value)], |[value]| {
            let whole = power(value.clone(), exponent.floor())?;
            float::arith(Arith::Mul, whole, root(value)?)
        });
    }
    if exponent.fract() != 0.0 || !(1.0..=16.0).contains(&exponent) {
        let reason = "multiples of a half between -16 and 16 but 0 are";
        return Err(PlanError::unsupported(format!("a power of {exponent} on shares"), reason));
    }
    let product = typed::shared([without_cast(value)], |[base]| {
        let mut result = base.clone();
        for _ in 1..exponent as u32 {
            result = if base.ty.is_exact_number() {
                let scale = result.ty.scale() + base.ty.scale();
                if scale > MAX_PRECISION {
                    return Err(PlanError::TooWide { expression: format!("a power of {exponent}") });
                }
                let ty = Type::Decimal { precision: MAX_PRECISION, scale };
                typed::arith(ArithOp::Mul, result, base.clone(), ty)?
            } else {
                float::arith(Arith::Mul, result, base.clone())?
            };
        }
        Ok(result)
    })?;
    typed::cast(product, Type::Float64)
}
