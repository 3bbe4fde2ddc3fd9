//! Doubles that shares compute, as keys.
//!
//! Exponentials and logarithms are rounded by chance, within their error. So they do not tie, and what
//! goes by ties would be wrong: the ranks of a window, its partitions, and the keys behind another one.
//!
//! Other doubles are cut at 2^-52, and DataFusion rounds them elsewhere: two that are one number here
//! may be two there. Groups and joins go by those alone that neither rounds, as what FLOOR and SIGNUM
//! make of exact numbers, or so little that different numbers stay different.

use super::Relation;
use crate::error::PlanError;
use crate::secure::{Arith, Expr, ExprKind, Field, Op};
use crate::types::{Type, Value};

/// Refuses such a value as a key over the rows of `input`.
pub(super) fn refuse_inexact(expr: &Expr, input: &Relation, what: &str) -> Result<(), PlanError> {
    if expr.ty != Type::Float64 || !comes_of_chance(expr, input) {
        return Ok(());
    }
    Err(PlanError::unsupported(
        format!("{what} by an exponential, a logarithm or a power on shares"),
        "it is exact to about 2^-22 only, so that equal ones may differ; take its argument",
    ))
}

/// Two computed doubles may be one double to DataFusion, or one of them two.
pub(super) fn refuse_computed(expr: &Expr, what: &str) -> Result<(), PlanError> {
    match expr.ty {
        Type::Float64 if expr.range.is_some() => Err(PlanError::unsupported(
            format!("{what} of computed float64 values on shares"),
            "cast them to a decimal first, as in CAST(x AS DECIMAL(18,4))",
        )),
        _ => Ok(()),
    }
}

/// [`refuse_computed`], unless the values are so exact that they are equal where DataFusion's are.
pub(super) fn refuse_rounded(expr: &Expr, input: &Relation, what: &str) -> Result<(), PlanError> {
    match digits(expr, &input.facts.fields) {
        Some(_) => Ok(()),
        None => refuse_computed(expr, what),
    }
}

fn comes_of_chance(expr: &Expr, input: &Relation) -> bool {
    match &expr.kind {
        ExprKind::Numeric(..) => true,
        ExprKind::Column(index) => column(input, *index),
        ExprKind::Same(same) => comes_of_chance(same, input),
        // What is cut to fewer digits is another number next to a border alone, as a comparison is.
        _ if expr.ty != Type::Float64 => false,
        _ => expr.operands().into_iter().any(|operand| comes_of_chance(operand, input)),
    }
}

fn column(relation: &Relation, index: usize) -> bool {
    let inputs = &relation.inputs;
    let below = |column: Option<usize>| column.is_some_and(|index| self::column(&inputs[0], index));
    match &relation.op {
        // Owners compute in clear.
        Op::LocalStage(_) | Op::Values { .. } => false,
        Op::Again { .. } => true,
        Op::Project { exprs } => comes_of_chance(&exprs[index], &inputs[0]),
        Op::Filter { .. } | Op::Suppress { .. } | Op::Distinct | Op::Sort { .. } | Op::Limit { .. } => {
            below(Some(index))
        }
        Op::Join(_) => match index.checked_sub(inputs[0].facts.fields.len()) {
            None => below(Some(index)),
            Some(right) => inputs.get(1).is_some_and(|input| column(input, right)),
        },
        Op::Aggregate { group, aggs } => below(match index.checked_sub(group.len()) {
            None => Some(group[index]),
            Some(agg) => aggs[agg].input,
        }),
        Op::Window { calls, .. } => below(match index.checked_sub(inputs[0].facts.fields.len()) {
            None => Some(index),
            Some(call) => calls[call].input,
        }),
        Op::Expand { group, .. } => below(match index.checked_sub(inputs[0].facts.fields.len()) {
            None => Some(index),
            Some(marked) => group.get(marked).copied(),
        }),
        Op::UnionAll => inputs.iter().any(|input| column(input, index)),
    }
}

/// Numbers below that are different doubles, whichever way they are rounded.
const MOST: u128 = 1_000_000_000_000_000;

/// [`Field::digits`] of an expression over these columns.
pub(super) fn digits(expr: &Expr, fields: &[Field]) -> Option<u8> {
    digits_of(expr, fields, &[])
}

/// [`digits`], and of what the innermost LET binds.
fn digits_of(expr: &Expr, fields: &[Field], bound: &[Option<u8>]) -> Option<u8> {
    let of = |expr: &Expr| digits_of(expr, fields, bound);
    let digits = match &expr.kind {
        ExprKind::Literal(Value::Null) => Some(0),
        ExprKind::Literal(Value::Float(value)) => (value.fract() == 0.0).then_some(0),
        ExprKind::Bound(index) => *bound.get(*index)?,
        ExprKind::Column(index) => fields[*index].digits,
        ExprKind::Cast(from) if from.ty.is_exact_number() => Some(from.ty.scale()),
        ExprKind::Arith { op: Arith::Add | Arith::Sub | Arith::Mul, left, right } => {
            (of(left)? == 0 && of(right)? == 0).then_some(0)
        }
        ExprKind::Case { branches, otherwise } => {
            let values = branches.iter().map(|(_, value)| value).chain([otherwise.as_ref()]);
            values.map(of).try_fold(0, |most, digits| Some(digits?.max(most)))
        }
        ExprKind::Let { values, body } => {
            let values: Vec<Option<u8>> = values.iter().map(of).collect();
            digits_of(body, fields, &values)
        }
        _ => None,
    }?;
    let range = expr.range.filter(|_| expr.ty == Type::Float64)?;
    let most = range.low.unsigned_abs().max(range.high.unsigned_abs());
    (most.saturating_mul(10u128.saturating_pow(digits.into())) <= MOST).then_some(digits)
}
