//! Scalar functions: each in terms of typed expressions.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr as LogicalExpr;
use datafusion::logical_expr::expr::ScalarFunction;

use super::scalar::{OWNER_ONLY, Scalars};
use super::{calendar, float, typed};
use crate::error::PlanError;
use crate::secure::{Arith, Comparison, Expr, ExprKind, Numeric, Rounding};
use crate::types::{MAX_PRECISION, Range, Type, Value};

impl Scalars<'_> {
    pub(super) fn lower_function(
        &self,
        whole: &LogicalExpr,
        function: &ScalarFunction,
    ) -> Result<Expr, PlanError> {
        let name = function.name();
        let place = self.locator.call(name);
        self.function(whole, name, &function.args).map_err(|error| error.placed(place))
    }

    fn function(&self, whole: &LogicalExpr, name: &str, args: &[LogicalExpr]) -> Result<Expr, PlanError> {
        if let Some(text) = self.text_function(name, args)? {
            return Ok(text);
        }
        match (name, args) {
            ("coalesce" | "nvl" | "ifnull", [first @ .., last]) => {
                let mut result = self.lower(last)?;
                for value in first.iter().rev() {
                    let value = self.lower(value)?;
                    let present = typed::not(typed::is_null(value.clone()));
                    result = typed::case(vec![(present, value)], result)?;
                }
                Ok(result)
            }
            ("nvl2", [tested, value, otherwise]) => {
                let present = typed::not(typed::is_null(self.lower(tested)?));
                typed::case(vec![(present, self.lower(value)?)], self.lower(otherwise)?)
            }
            ("nullif", [value, null]) => {
                let (value, null) = (self.lower(value)?, self.lower(null)?);
                let equal = typed::compare(Comparison::Eq, value.clone(), null)?;
                let null = typed::literal(Value::Null, value.ty);
                typed::case(vec![(equal, null)], value)
            }
            ("greatest", [first, rest @ ..]) => self.extreme(Comparison::Ge, first, rest),
            ("least", [first, rest @ ..]) => self.extreme(Comparison::Le, first, rest),
            ("abs", [value]) => absolute(self.lower(value)?),
            ("signum", [value]) => sign(without_cast(self.lower(value)?)),
            ("round" | "trunc", [value]) => self.rounded(whole, name, value, 0),
            ("round" | "trunc", [value, LogicalExpr::Literal(digits, _)]) => {
                let digits = match digits.cast_to(&Type::Int64.arrow()) {
                    Ok(ScalarValue::Int64(Some(digits))) => digits,
                    _ => return Err(PlanError::unsupported(format!("{name}() to {digits} digits"), "")),
                };
                self.rounded(whole, name, value, digits)
            }
            ("floor" | "ceil", [value]) => self.rounded(whole, name, value, 0),
            ("exp", [value]) => numeric(Numeric::Exp, self.lower(value)?),
            ("ln", [value]) => numeric(Numeric::Ln, self.lower(value)?),
            ("log2", [value]) => numeric(Numeric::Log2, self.lower(value)?),
            ("log10" | "log", [value]) => numeric(Numeric::Log10, self.lower(value)?),
            ("sqrt", [value]) => root(self.lower(value)?),
            ("power" | "pow", [value, LogicalExpr::Literal(ScalarValue::Float64(Some(exponent)), _)]) => {
                power(self.lower(value)?, *exponent)
            }
            // `x^y = e^(y·ln x)`, where `x` is positive.
            ("power" | "pow", [value, exponent]) => {
                let logarithm = numeric(Numeric::Ln, self.lower(value)?)?;
                let exponent = typed::cast(self.lower(exponent)?, Type::Float64)?;
                numeric(Numeric::Exp, float::arith(Arith::Mul, exponent, logarithm)?)
            }
            ("log", [LogicalExpr::Literal(ScalarValue::Float64(Some(base)), _), value])
                if [2.0, 10.0].contains(base) =>
            {
                let func = if *base == 2.0 { Numeric::Log2 } else { Numeric::Log10 };
                numeric(func, self.lower(value)?)
            }
            ("date_part", [LogicalExpr::Literal(part, _), value]) => {
                let part = part.to_string().trim_matches('\'').to_ascii_lowercase();
                let value = self.lower(value)?;
                match value.ty {
                    Type::Date | Type::Timestamp => calendar::part(&part, value, self.type_of(whole)?),
                    _ => Err(PlanError::unsupported(format!("{name}() of a {}", value.ty), OWNER_ONLY)),
                }
            }
            ("date_trunc", [LogicalExpr::Literal(unit, _), value]) => {
                let unit = unit.to_string().trim_matches('\'').to_ascii_lowercase();
                calendar::truncated(&unit, self.lower(value)?)
            }
            ("to_date", [value]) if self.type_of(value)? == Type::Timestamp => {
                typed::cast(self.lower(value)?, Type::Date)
            }
            _ => Err(PlanError::unsupported(format!("{name}() on shares"), OWNER_ONLY)),
        }
    }

    /// The greatest or the least; NULLs are left out.
    fn extreme(
        &self,
        beats: Comparison,
        first: &LogicalExpr,
        rest: &[LogicalExpr],
    ) -> Result<Expr, PlanError> {
        let mut best = self.lower(first)?;
        for next in rest {
            let next = self.lower(next)?;
            let nullable = best.nullable && next.nullable;
            let mut keeps = typed::compare(beats, best.clone(), next.clone())?;
            if next.nullable {
                keeps = typed::or(vec![keeps, typed::is_null(next.clone())]);
            }
            best = typed::case(vec![(keeps, best)], next)?;
            best.nullable = nullable;
        }
        Ok(best)
    }

    /// ROUND, TRUNC, FLOOR and CEIL of what is exact.
    fn rounded(
        &self,
        whole: &LogicalExpr,
        name: &str,
        value: &LogicalExpr,
        digits: i64,
    ) -> Result<Expr, PlanError> {
        let ty = self.type_of(whole)?;
        let value = without_cast(self.lower(value)?);
        if !value.ty.is_exact_number() {
            return Err(PlanError::unsupported(
                format!("{name}() of {} values on shares", value.ty),
                "cast them to a decimal first, which rounds, as in CAST(AVG(x) AS DECIMAL(18,2))",
            ));
        }
        let rounding = match name {
            "round" => Rounding::Nearest,
            "floor" => Rounding::Floor,
            "ceil" => Rounding::Ceil,
            _ => Rounding::Cut,
        };
        let scale = value.ty.scale();
        let exact = match ty {
            Type::Float64 => Type::Decimal { precision: MAX_PRECISION, scale },
            exact => exact,
        };
        let cut = i64::from(scale).saturating_sub(digits);
        let rounded = match u8::try_from(cut.max(0)) {
            Ok(0) => typed::cast(value, exact)?,
            Ok(cut) if cut <= MAX_PRECISION && exact.scale() + cut >= scale => {
                typed::round(value, cut, rounding, exact)
            }
            _ => return Err(PlanError::unsupported(format!("{name}() to {digits} digits"), "")),
        };
        typed::cast(rounded, ty)
    }
}

/// The exact number that DataFusion made a double of for a function's sake.
pub(super) fn without_cast(expr: Expr) -> Expr {
    match expr.kind {
        ExprKind::Cast(operand) if expr.ty == Type::Float64 && operand.ty.is_exact_number() => *operand,
        _ => expr,
    }
}

fn zero(ty: Type) -> Expr {
    typed::literal(Value::Int(0), ty)
}

fn absolute(value: Expr) -> Result<Expr, PlanError> {
    if value.ty == Type::Float64 && !float::is_stored(&value) {
        let zero = || typed::literal(Value::Float(0.0), Type::Float64);
        let negative = typed::compare(Comparison::Lt, value.clone(), zero())?;
        return typed::case(vec![(negative, float::arith(Arith::Sub, zero(), value.clone())?)], value);
    }
    if !value.ty.is_exact_number() {
        return Err(PlanError::unsupported(format!("abs() of {} values on shares", value.ty), OWNER_ONLY));
    }
    let negative = typed::compare(Comparison::Lt, value.clone(), zero(value.ty))?;
    let most = value.range.map(|range| range.low.saturating_neg().max(range.high));
    let mut result = typed::case(vec![(negative, typed::neg(value.clone()))], value)?;
    if let (Some(range), Some(most)) = (&mut result.range, most) {
        (range.low, range.high) = (range.low.max(0), range.high.min(most).max(0));
    }
    Ok(result)
}

/// −1, 0 or 1 as a double.
fn sign(value: Expr) -> Result<Expr, PlanError> {
    let compare = |op, value: &Expr| typed::compare(op, value.clone(), zero(value.ty));
    let number = |number| typed::literal(Value::Int(number), Type::Int64);
    let branches =
        vec![(compare(Comparison::Gt, &value)?, number(1)), (compare(Comparison::Lt, &value)?, number(-1))];
    let present = typed::not(typed::is_null(value.clone()));
    let sign = typed::case(branches, number(0))?;
    let sign = match value.nullable {
        true => typed::case(vec![(present, sign)], typed::literal(Value::Null, Type::Int64))?,
        false => sign,
    };
    typed::cast(sign, Type::Float64)
}

fn root(value: Expr) -> Result<Expr, PlanError> {
    let exact = without_cast(value.clone());
    let value = if exact.ty.is_exact_number() && exact.ty.scale() == 0 { exact } else { value };
    if value.range.is_none() {
        return Err(PlanError::unsupported("sqrt() of float64 values that come from a table", OWNER_ONLY));
    }
    let mut root = float::sqrt(value.clone());
    if value.range.is_none_or(|range| range.low < 0) {
        root.overflow = crate::secure::Overflow::Test;
    }
    Ok(root)
}

/// The largest argument of an exponential.
const MAX_EXPONENT: i128 = 17;

/// Exponentials and logarithms of doubles whose range is known.
fn numeric(func: Numeric, value: Expr) -> Result<Expr, PlanError> {
    let value = typed::cast(value, Type::Float64)?;
    let Some(range) = value.range else {
        return Err(PlanError::unsupported(
            "a logarithm or exponential of float64 values of a table",
            OWNER_ONLY,
        ));
    };
    let result = match func {
        Numeric::Exp if range.high > MAX_EXPONENT => {
            let reason = format!("it can be {}, and {MAX_EXPONENT} is the most", range.high);
            return Err(PlanError::unsupported("exp() of such large values on shares", reason));
        }
        Numeric::Exp => Range::new(0, (range.high as f64).exp().ceil() as i128),
        // The least positive double is 2^-52.
        Numeric::Ln | Numeric::Log2 | Numeric::Log10 => {
            let of = |value: f64| match func {
                Numeric::Log2 => value.log2(),
                Numeric::Log10 => value.log10(),
                _ => value.ln(),
            };
            let low = if range.low > 0 { of(range.low as f64).floor() } else { -53.0 };
            // Beyond the ends by as much as the polynomials may be wrong.
            Range::new(low as i128 - 1, of(range.high.max(1) as f64).ceil() as i128 + 1)
        }
    };
    if func != Numeric::Exp && range.width_bits() > 57 {
        return Err(PlanError::TooWide { expression: "a logarithm of such large values".to_owned() });
    }
    let nullable = value.nullable;
    Ok(typed::plain(ExprKind::Numeric(func, Box::new(value)), Type::Float64, nullable, Some(result)))
}

/// Whole powers are products, a half more is a product with the square root, and below zero stand
/// quotients.
fn power(value: Expr, exponent: f64) -> Result<Expr, PlanError> {
    if exponent == 0.5 {
        return root(value);
    }
    if exponent < 0.0 {
        let divisor = power(value, -exponent)?;
        let one = typed::literal(Value::Float(1.0), Type::Float64);
        return float::arith(Arith::Ratio { up: 0, down: 0 }, one, divisor);
    }
    if exponent.fract() == 0.5 && exponent < 16.0 {
        let whole = power(value.clone(), exponent.floor())?;
        return float::arith(Arith::Mul, whole, root(value)?);
    }
    if exponent.fract() != 0.0 || !(1.0..=16.0).contains(&exponent) {
        let reason = "multiples of a half between -16 and 16 but 0 are";
        return Err(PlanError::unsupported(format!("a power of {exponent} on shares"), reason));
    }
    let base = without_cast(value);
    let mut result = base.clone();
    for _ in 1..exponent as u32 {
        result = if base.ty.is_exact_number() {
            let scale = result.ty.scale() + base.ty.scale();
            if scale > MAX_PRECISION {
                return Err(PlanError::TooWide { expression: format!("a power of {exponent}") });
            }
            let ty = Type::Decimal { precision: MAX_PRECISION, scale };
            typed::arith(typed::ArithOp::Mul, result, base.clone(), ty)?
        } else {
            float::arith(Arith::Mul, result, base.clone())?
        };
    }
    typed::cast(result, Type::Float64)
}
