//! Values that two rows can have different digits of, though they are made of the same.
//!
//! Exponentials and logarithms are rounded by chance, within their error. So they do not tie, and what
//! goes by ties would be wrong: the ranks of a window, its partitions, and the keys behind another one.

use super::Relation;
use crate::error::PlanError;
use crate::secure::{Expr, ExprKind, Op};
use crate::types::Type;

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

fn comes_of_chance(expr: &Expr, input: &Relation) -> bool {
    match expr.kind {
        ExprKind::Numeric(..) => true,
        ExprKind::Column(index) => expr.ty == Type::Float64 && column(input, index),
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
