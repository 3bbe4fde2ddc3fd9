//! The operators that take shares.

mod aggregate;
mod distinct;
mod expand;
mod filter;
mod join;
pub(crate) use join::join_keys;
mod keys;
mod limit;
mod project;
mod sort;
mod suppress;
mod union;
mod values;
mod window;

use plan::secure::{Node, Op};

pub(crate) use self::keys::double_order;

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
        Op::Again { .. } => Err(cx.wrong_plan("the rows of another node are not there")),
        Op::Values { rows } => values::run(cx, node, rows, rule),
        Op::Filter { predicate } => filter::run(cx, predicate, one(cx, inputs)?, rule),
        Op::Project { exprs } => project::run(cx, node, exprs, one(cx, inputs)?, rule),
        Op::UnionAll => union::run(cx, node, &inputs),
        Op::Distinct => distinct::run(cx, node, one(cx, inputs)?),
        Op::Window { partition, order, calls } => {
            window::run(cx, node, partition, order, calls, one(cx, inputs)?)
        }
        Op::Expand { group, sets } => expand::run(cx, node, group, sets, one(cx, inputs)?),
        Op::Aggregate { group, aggs } => aggregate::run(cx, node, group, aggs, one(cx, inputs)?),
        Op::Sort { keys, fetch } => sort::run(cx, keys, *fetch, one(cx, inputs)?),
        Op::Suppress { predicate, told } => suppress::run(cx, predicate, *told, one(cx, inputs)?, rule),
        Op::Limit { skip, fetch } => limit::run(cx, node, *skip, *fetch, one(cx, inputs)?),
        Op::Join(join) => match <[Relation; 2]>::try_from(inputs) {
            Ok([left, right]) => join::run(cx, node, join, left, right, rule),
            Err(_) => Err(cx.wrong_plan("a join takes two inputs")),
        },
    }
}
