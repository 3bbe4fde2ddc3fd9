//! The operators that take shares.

mod filter;
mod project;
mod union;
mod values;

use plan::secure::{Node, Op};

use crate::context::{Context, Result};
use crate::relation::Relation;
use crate::share::TextRule;

/// Runs one operator on its inputs.
pub(crate) fn run(cx: &mut Context, node: &Node, inputs: Vec<Relation>, rule: TextRule) -> Result<Relation> {
    let one = |cx: &Context, mut inputs: Vec<Relation>| {
        inputs.pop().filter(|_| inputs.is_empty()).ok_or_else(|| cx.wrong_plan("it takes one input"))
    };
    match &node.op {
        Op::LocalStage(_) => Err(cx.wrong_plan("a local stage runs at its owner")),
        Op::Values { rows } => values::run(cx, node, rows, rule),
        Op::Filter { predicate } => filter::run(cx, predicate, one(cx, inputs)?, rule),
        Op::Project { exprs } => project::run(cx, node, exprs, one(cx, inputs)?, rule),
        Op::UnionAll => union::run(cx, node, inputs),
        _ => Err(cx.wrong_plan("not built")),
    }
}
