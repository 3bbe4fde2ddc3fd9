//! Builders of typed expressions: each computes type, nullability, range and
//! what has to be tested from those of its operands.

use super::{calendar, float, textual};
use crate::error::PlanError;
use crate::interval::{Exact, fit, fit_sum};
use crate::secure::{Arith, Comparison, Expr, ExprKind, Field, Overflow, Rounding};
use crate::types::{MAX_PRECISION, Range, Type, Value};

pub(super) fn plain(kind: ExprKind, ty: Type, nullable: bool, range: Option<Range>) -> Expr {
    Expr { kind, ty, nullable, range, width_bytes: 0, overflow: Overflow::Impossible }
}

fn truth(kind: ExprKind, nullable: bool) -> Expr {
    plain(kind, Type::Bool, nullable, Type::Bool.range())
}

/// The range of an exact number; its type's if it has none of its own.
pub(super) fn exact_range(expr: &Expr) -> Exact {
    expr.range.or(expr.ty.range()).unwrap_or(Range::point(0)).into()
}

pub(super) fn is_null_literal(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Literal(Value::Null))
}

pub(super) fn column(index: usize, field: &Field) -> Expr {
    let mut expr = plain(ExprKind::Column(index), field.ty, field.nullable, field.range);
    expr.width_bytes = field.width_bytes;
    expr
}

pub(super) fn literal(value: Value, ty: Type) -> Expr {
    let nullable = value == Value::Null;
    let width_bytes = if let Value::Utf8(text) = &value { text.len() as u32 } else { 0 };
    let range = match &value {
        Value::Null => ty.range().map(|_| Range::point(0)),
        Value::Bool(truth) => Some(Range::point((*truth).into())),
        Value::Int(value) => Some(Range::point(*value)),
        Value::Float(value) if value.is_finite() => {
            Some(Range::new(value.floor() as i128, value.ceil() as i128))
        }
        Value::Float(_) | Value::Utf8(_) => None,
    };
    let mut expr = plain(ExprKind::Literal(value), ty, nullable, range);
    expr.width_bytes = width_bytes;
    expr
}

/// What `make` makes of values that it reads more than once: they are computed once.
///
/// Whatever else `make` puts into its result comes from columns and constants, not from values that
/// are bound elsewhere.
pub(super) fn shared<const N: usize>(
    values: [Expr; N],
    make: impl FnOnce([Expr; N]) -> Result<Expr, PlanError>,
) -> Result<Expr, PlanError> {
    let is_free = |expr: &Expr| matches!(expr.kind, ExprKind::Column(_) | ExprKind::Literal(_));
    // One that is bound elsewhere can stay unless others are bound here.
    let is_bound = |expr: &Expr| matches!(expr.kind, ExprKind::Bound(_));
    if values.iter().all(|value| is_free(value) || is_bound(value)) {
        return make(values);
    }
    let mut computed = Vec::new();
    let values = values.map(|value| {
        if is_free(&value) {
            return value;
        }
        let (ty, nullable, range) = (value.ty, value.nullable, value.range);
        let bound = plain(ExprKind::Bound(computed.len()), ty, nullable, range);
        let bound = Expr { width_bytes: value.width_bytes, ..bound };
        computed.push(value);
        bound
    });
    let body = make(values)?;
    let (ty, nullable, range, width_bytes) = (body.ty, body.nullable, body.range, body.width_bytes);
    let kind = ExprKind::Let { values: computed, body: Box::new(body) };
    Ok(Expr { width_bytes, ..plain(kind, ty, nullable, range) })
}

/// `left op right` with the result type that DataFusion gives it.
pub(super) fn arith(op: ArithOp, left: Expr, right: Expr, ty: Type) -> Result<Expr, PlanError> {
    let nullable = left.nullable || right.nullable;
    let scale = ty.scale();
    let (left, right) = match op {
        ArithOp::Add | ArithOp::Sub | ArithOp::Rem => (rescale(left, scale), rescale(right, scale)),
        ArithOp::Mul | ArithOp::Div => (left, right),
    };
    let (x, y) = (exact_range(&left), exact_range(&right));
    let (op, (overflow, range)) = match op {
        ArithOp::Add => (Arith::Add, fit_sum(x.add(y), ty)),
        ArithOp::Sub => (Arith::Sub, fit_sum(x.sub(y), ty)),
        ArithOp::Mul => (Arith::Mul, fit(x.mul(y), ty, x, y)),
        ArithOp::Rem => (Arith::Rem, fit_sum(x.rem(y), ty)),
        ArithOp::Div => {
            let shift = i32::from(scale) - i32::from(left.ty.scale()) + i32::from(right.ty.scale());
            let (up, down) = (shift.max(0) as u8, (-shift).max(0) as u8);
            let (scaled, divisor) = (x.scale_up(up.into()), y.scale_up(down.into()));
            let (fits, range) = fit(scaled.div(divisor), ty, scaled, divisor);
            // The scaled dividend has to fit as well, not the quotient alone.
            let fits = match scaled.narrow() {
                Some(_) => fits,
                None => {
                    let up_bits = Exact::from(Range::point(1)).scale_up(up.into()).magnitude_bits();
                    Overflow::Conservative {
                        left_bits: 126u32.saturating_sub(up_bits),
                        right_bits: divisor.magnitude_bits().min(126),
                    }
                }
            };
            (Arith::Div { up, down }, (fits, range))
        }
    };
    let kind = ExprKind::Arith { op, left: Box::new(left), right: Box::new(right) };
    Ok(Expr { overflow, ..plain(kind, ty, nullable, Some(range)) })
}

/// An arithmetic operator before its scales are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ArithOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

/// A decimal (or an integer) with more digits after the point.
fn rescale(expr: Expr, scale: u8) -> Expr {
    if expr.ty.scale() == scale {
        return expr;
    }
    let precision = match expr.ty {
        Type::Decimal { precision, .. } => precision,
        _ => MAX_PRECISION,
    };
    let added = scale.saturating_sub(expr.ty.scale());
    let ty = Type::Decimal { precision: (precision + added).min(MAX_PRECISION), scale };
    cast_exact(expr, ty)
}

pub(super) fn neg(operand: Expr) -> Expr {
    let (ty, nullable) = (operand.ty, operand.nullable);
    let (overflow, range) = fit_sum(exact_range(&operand).neg(), ty);
    Expr { overflow, ..plain(ExprKind::Neg(Box::new(operand)), ty, nullable, Some(range)) }
}

/// A comparison of two values of one type; decimals are brought to one scale.
pub(super) fn compare(op: Comparison, left: Expr, right: Expr) -> Result<Expr, PlanError> {
    let (left, right) = match (left.ty, right.ty) {
        (Type::Decimal { scale: a, .. }, Type::Decimal { scale: b, .. }) => {
            (rescale(left, a.max(b)), rescale(right, a.max(b)))
        }
        (a, b) if a == b => (left, right),
        (a, b) => {
            return Err(PlanError::unsupported(
                format!("a comparison of {a} with {b}"),
                "cast one to the type of the other",
            ));
        }
    };
    let [left, right] = <[Expr; 2]>::try_from(float::alike(vec![left, right])?).expect("two of them");
    let nullable = left.nullable || right.nullable;
    Ok(truth(ExprKind::Compare { op, left: Box::new(left), right: Box::new(right) }, nullable))
}

pub(super) fn and(all: Vec<Expr>) -> Expr {
    let mut flat = Vec::new();
    for expr in all {
        match expr.kind {
            ExprKind::And(inner) => flat.extend(inner),
            _ => flat.push(expr),
        }
    }
    if flat.len() == 1 {
        return flat.remove(0);
    }
    let nullable = flat.iter().any(|expr| expr.nullable);
    truth(ExprKind::And(flat), nullable)
}

pub(super) fn or(all: Vec<Expr>) -> Expr {
    let mut flat = Vec::new();
    for expr in all {
        match expr.kind {
            ExprKind::Or(inner) => flat.extend(inner),
            _ => flat.push(expr),
        }
    }
    if flat.len() == 1 {
        return flat.remove(0);
    }
    let nullable = flat.iter().any(|expr| expr.nullable);
    truth(ExprKind::Or(flat), nullable)
}

pub(super) fn not(operand: Expr) -> Expr {
    let nullable = operand.nullable;
    truth(ExprKind::Not(Box::new(operand)), nullable)
}

pub(super) fn is_null(operand: Expr) -> Expr {
    if !operand.nullable {
        return literal(Value::Bool(false), Type::Bool);
    }
    truth(ExprKind::IsNull(Box::new(operand)), false)
}

/// `operand IS TRUE`: false where it is NULL.
pub(super) fn is_true(operand: Expr) -> Expr {
    if !operand.nullable {
        return operand;
    }
    let constant = |truth| literal(Value::Bool(truth), Type::Bool);
    case(vec![(operand, constant(true))], constant(false)).expect("both branches are booleans")
}

/// `left IS NOT DISTINCT FROM right`.
pub(super) fn same(left: Expr, right: Expr) -> Result<Expr, PlanError> {
    shared([left, right], |[left, right]| {
        let both_null = and(vec![is_null(left.clone()), is_null(right.clone())]);
        Ok(or(vec![both_null, is_true(compare(Comparison::Eq, left, right)?)]))
    })
}

pub(super) fn case(branches: Vec<(Expr, Expr)>, otherwise: Expr) -> Result<Expr, PlanError> {
    let (conditions, mut chosen): (Vec<Expr>, Vec<Expr>) = branches.into_iter().unzip();
    chosen.push(otherwise);
    let mut chosen = float::alike(chosen)?;
    let otherwise = chosen.pop().expect("it has just been pushed");
    let branches: Vec<(Expr, Expr)> = conditions.into_iter().zip(chosen).collect();
    let values = || branches.iter().map(|(_, value)| value).chain([&otherwise]);
    let typed = values().find(|value| !is_null_literal(value)).unwrap_or(&otherwise);
    let ty = typed.ty;
    if let Some(other) = values().find(|value| value.ty != ty && !is_null_literal(value)) {
        return Err(PlanError::unsupported(
            format!("CASE with values of {ty} and {}", other.ty),
            "cast one to the type of the other",
        ));
    }
    // A value behind its own IS NOT NULL is not NULL.
    let present = |condition: &Expr, value: &Expr| match &condition.kind {
        ExprKind::Not(inner) => matches!(&inner.kind, ExprKind::IsNull(tested) if **tested == *value),
        _ => false,
    };
    let nullable = otherwise.nullable || branches.iter().any(|(c, v)| v.nullable && !present(c, v));
    let mut range = None;
    let mut unknown = false;
    for value in values().filter(|value| !is_null_literal(value)) {
        match (range, value.range) {
            (_, None) => unknown = true,
            (None, Some(next)) => range = Some(next),
            (Some(so_far), Some(next)) => range = Some(next.union(so_far)),
        }
    }
    let range = match (unknown, range) {
        (true, _) => None,
        (false, None) => ty.range().map(|_| Range::point(0)),
        (false, range) => range,
    };
    let width_bytes = values().map(|value| value.width_bytes).max().unwrap_or(0);
    let retype = |mut value: Expr| {
        if is_null_literal(&value) {
            value.ty = ty;
        }
        value
    };
    let branches = branches.into_iter().map(|(condition, value)| (condition, retype(value))).collect();
    let kind = ExprKind::Case { branches, otherwise: Box::new(retype(otherwise)) };
    Ok(Expr { width_bytes, ..plain(kind, ty, nullable, range) })
}

/// `operand IN (list)`, none of which is NULL.
pub(super) fn in_list(operand: Expr, mut list: Vec<Value>) -> Result<Expr, PlanError> {
    if list.len() == 1 {
        let constant = literal(list.remove(0), operand.ty);
        return compare(Comparison::Eq, operand, constant);
    }
    if operand.ty == Type::Float64 {
        return shared([operand], |[operand]| {
            let constants = list.into_iter().map(|value| literal(value, Type::Float64));
            let equal = constants.map(|constant| compare(Comparison::Eq, operand.clone(), constant));
            Ok(or(equal.collect::<Result<Vec<_>, _>>()?))
        });
    }
    let nullable = operand.nullable;
    Ok(truth(ExprKind::InList { operand: Box::new(operand), list }, nullable))
}

pub(super) fn cast(operand: Expr, ty: Type) -> Result<Expr, PlanError> {
    let from = operand.ty;
    if from == ty {
        return Ok(operand);
    }
    if is_null_literal(&operand) {
        return Ok(literal(Value::Null, ty));
    }
    let exact = |ty: Type| ty.is_exact_number() || ty == Type::Bool;
    match (from, ty) {
        (_, Type::Bool) if from.is_exact_number() => {
            let nullable = operand.nullable;
            Ok(truth(ExprKind::Cast(Box::new(operand)), nullable))
        }
        _ if exact(from) && ty.is_exact_number() => Ok(cast_exact(operand, ty)),
        (_, Type::Float64) if from.is_exact_number() => {
            let unit = 10i128.pow(from.scale().into());
            let range = operand.range.or(from.range()).map(|range| {
                let up = range.high.div_euclid(unit) + i128::from(range.high.rem_euclid(unit) != 0);
                Range::new(range.low.div_euclid(unit), up)
            });
            let nullable = operand.nullable;
            Ok(plain(ExprKind::Cast(Box::new(operand)), ty, nullable, range))
        }
        (Type::Float64, _) if ty.is_exact_number() && operand.range.is_some() => cast_mean(operand, ty),
        (Type::Date | Type::Timestamp, Type::Date | Type::Timestamp) => calendar::cast(operand, ty),
        (_, Type::Utf8) => textual::written(operand),
        _ => Err(PlanError::unsupported(
            format!("a cast from {from} to {ty} on shares"),
            "only its owner can do that, in an expression over one party's columns",
        )),
    }
}

/// TRY_CAST: NULL where a cast would leave the type.
pub(super) fn try_cast(operand: Expr, ty: Type) -> Result<Expr, PlanError> {
    let possible = if operand.ty.is_exact_number() && ty.is_exact_number() { ty.range() } else { None };
    let (Some(possible), false) = (possible, is_null_literal(&operand)) else { return cast(operand, ty) };
    let power = |digits: u8| 10i128.saturating_pow(digits.into());
    let (from, to) = (operand.ty.scale(), ty.scale());
    let inside = if to >= from {
        let unit = power(to - from);
        Range::new(possible.low / unit, possible.high / unit)
    } else {
        // What is cut off, or rounded down.
        let unit = power(from - to);
        let rest = if ty.is_integer() { unit - 1 } else { unit / 2 - 1 };
        let low = possible.low.saturating_mul(unit).saturating_sub(rest);
        Range::new(low, possible.high.saturating_mul(unit).saturating_add(rest))
    };
    let range = exact_range(&operand).narrow().unwrap_or(inside);
    if inside.contains(range) {
        return cast(operand, ty);
    }
    shared([operand], |[operand]| {
        let edge = |value| literal(Value::Int(value), operand.ty);
        let fits = and(vec![
            compare(Comparison::Ge, operand.clone(), edge(inside.low))?,
            compare(Comparison::Le, operand.clone(), edge(inside.high))?,
        ]);
        // A failure counts only where the branch is taken.
        case(vec![(fits, cast(operand, ty)?)], literal(Value::Null, ty))
    })
}

/// A number with `digits` fewer digits, in the type's scale.
pub(super) fn round(operand: Expr, digits: u8, rounding: Rounding, ty: Type) -> Expr {
    let nullable = operand.nullable;
    let exact = exact_range(&operand);
    let one = Exact::from(Range::new(-1, 1));
    let cut = exact.scale_down(digits.into(), rounding == Rounding::Nearest);
    let cut = match rounding {
        Rounding::Cut | Rounding::Nearest => cut,
        Rounding::Floor | Rounding::Ceil => cut.add(one),
    };
    let up = u32::from((ty.scale() + digits).saturating_sub(operand.ty.scale()));
    let (overflow, range) = fit(cut.scale_up(up), ty, exact, exact);
    let kind = ExprKind::Round { operand: Box::new(operand), digits, rounding };
    Expr { overflow, ..plain(kind, ty, nullable, Some(range)) }
}

/// A mean of integers, which has a range, as an exact number.
fn cast_mean(operand: Expr, ty: Type) -> Result<Expr, PlanError> {
    let (nullable, mean) = (operand.nullable, exact_range(&operand));
    match fit(mean.scale_up(ty.scale().into()), ty, mean, mean) {
        (Overflow::Conservative { .. }, _) => {
            Err(PlanError::TooWide { expression: format!("a cast from float64 to {ty}") })
        }
        (overflow, range) => {
            Ok(Expr { overflow, ..plain(ExprKind::Cast(Box::new(operand)), ty, nullable, Some(range)) })
        }
    }
}

fn cast_exact(operand: Expr, ty: Type) -> Expr {
    let nullable = operand.nullable;
    let (from, to) = (u32::from(operand.ty.scale()), u32::from(ty.scale()));
    let exact = exact_range(&operand);
    let exact =
        if to >= from { exact.scale_up(to - from) } else { exact.scale_down(from - to, !ty.is_integer()) };
    let unit = Exact::from(Range::point(1)).scale_up(to.saturating_sub(from));
    let (overflow, range) = fit(exact, ty, exact_range(&operand), unit);
    let overflow = match overflow {
        Overflow::Conservative { .. } => {
            let right_bits = unit.magnitude_bits();
            Overflow::Conservative { left_bits: 126u32.saturating_sub(right_bits), right_bits }
        }
        other => other,
    };
    // A constant is rescaled here and now.
    if let (ExprKind::Literal(Value::Int(value)), Overflow::Impossible, true) =
        (&operand.kind, overflow, to >= from)
    {
        return literal(Value::Int(value * 10i128.pow(to - from)), ty);
    }
    Expr { overflow, ..plain(ExprKind::Cast(Box::new(operand)), ty, nullable, Some(range)) }
}
