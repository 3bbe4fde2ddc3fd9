//! Scalar functions: each in terms of typed expressions.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr as LogicalExpr;
use datafusion::logical_expr::expr::ScalarFunction;

use super::scalar::{OWNER_ONLY, Scalars};
use super::{calendar, float, numeric, typed};
use crate::error::PlanError;
use crate::secure::{Arith, Comparison, Expr, ExprKind, Numeric, Rounding};
use crate::types::{MAX_PRECISION, Type, Value};

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
                    result = typed::shared([self.lower(value)?], |[value]| {
                        let present = typed::not(typed::is_null(value.clone()));
                        typed::case(vec![(present, value)], result)
                    })?;
                }
                Ok(result)
            }
            ("nvl2", [tested, value, otherwise]) => {
                let present = typed::not(typed::is_null(self.lower(tested)?));
                typed::case(vec![(present, self.lower(value)?)], self.lower(otherwise)?)
            }
            ("nullif", [value, null]) => {
                let null = self.lower(null)?;
                typed::shared([self.lower(value)?], |[value]| {
                    let equal = typed::compare(Comparison::Eq, value.clone(), null)?;
                    let null = typed::literal(Value::Null, value.ty);
                    typed::case(vec![(equal, null)], value)
                })
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
            ("exp", [value]) => numeric::exponential(self.lower(value)?),
            ("ln", [value]) => numeric::logarithm(Numeric::Ln, self.lower(value)?),
            ("log2", [value]) => numeric::logarithm(Numeric::Log2, self.lower(value)?),
            ("log10" | "log", [value]) => numeric::logarithm(Numeric::Log10, self.lower(value)?),
            ("sqrt", [value]) => numeric::root(self.lower(value)?),
            ("power" | "pow", [value, LogicalExpr::Literal(ScalarValue::Float64(Some(exponent)), _)]) => {
                numeric::power(self.lower(value)?, *exponent)
            }
            // `x^y = e^(y·ln x)`, where `x` is positive.
            ("power" | "pow", [value, exponent]) => {
                let logarithm = numeric::logarithm(Numeric::Ln, self.lower(value)?)?;
                let exponent = typed::cast(self.lower(exponent)?, Type::Float64)?;
                numeric::exponential(float::arith(Arith::Mul, exponent, logarithm)?)
            }
            ("log", [LogicalExpr::Literal(ScalarValue::Float64(Some(base)), _), value])
                if [2.0, 10.0].contains(base) =>
            {
                let func = if *base == 2.0 { Numeric::Log2 } else { Numeric::Log10 };
                numeric::logarithm(func, self.lower(value)?)
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
            best = typed::shared([best, self.lower(next)?], |[best, next]| {
                let nullable = best.nullable && next.nullable;
                let mut keeps = typed::compare(beats, best.clone(), next.clone())?;
                if next.nullable {
                    keeps = typed::or(vec![keeps, typed::is_null(next.clone())]);
                }
                let mut best = typed::case(vec![(keeps, best)], next)?;
                best.nullable = nullable;
                Ok(best)
            })?;
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
    let computed = value.ty == Type::Float64 && !float::is_stored(&value);
    if !computed && !value.ty.is_exact_number() {
        return Err(PlanError::unsupported(format!("abs() of {} values on shares", value.ty), OWNER_ONLY));
    }
    typed::shared([value], |[value]| {
        if computed {
            let zero = || typed::literal(Value::Float(0.0), Type::Float64);
            let negative = typed::compare(Comparison::Lt, value.clone(), zero())?;
            return typed::case(vec![(negative, float::arith(Arith::Sub, zero(), value.clone())?)], value);
        }
        let negative = typed::compare(Comparison::Lt, value.clone(), zero(value.ty))?;
        let most = value.range.map(|range| range.low.saturating_neg().max(range.high));
        let mut result = typed::case(vec![(negative, typed::neg(value.clone()))], value)?;
        if let (Some(range), Some(most)) = (&mut result.range, most) {
            (range.low, range.high) = (range.low.max(0), range.high.min(most).max(0));
        }
        Ok(result)
    })
}

/// −1, 0 or 1 as a double.
fn sign(value: Expr) -> Result<Expr, PlanError> {
    let sign = typed::shared([value], |[value]| {
        let compare = |op, value: &Expr| typed::compare(op, value.clone(), zero(value.ty));
        let number = |number| typed::literal(Value::Int(number), Type::Int64);
        let branches = vec![
            (compare(Comparison::Gt, &value)?, number(1)),
            (compare(Comparison::Lt, &value)?, number(-1)),
        ];
        let sign = typed::case(branches, number(0))?;
        match value.nullable {
            true => {
                let present = typed::not(typed::is_null(value));
                typed::case(vec![(present, sign)], typed::literal(Value::Null, Type::Int64))
            }
            false => Ok(sign),
        }
    })?;
    typed::cast(sign, Type::Float64)
}
