//! Whether a part of a plan can fail for what single rows hold.
//!
//! A failure is told whatever the size of the group that the row is in, so nothing below a group of
//! a least size may fail.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr as LogicalExpr, LogicalPlan, Operator};

use super::Lowering;
use super::facts::Facts;
use crate::checked;
use crate::secure::{ExprKind, Join, JoinKind, Matching, Node, Op, Side, Uniqueness};

impl Lowering<'_> {
    /// The first operator below a suppression that can fail for one row's values, and the party in
    /// whose stage it is if it runs in clear. Stages of others than `owners` fail for what is nobody's
    /// secret.
    pub(crate) fn fails_in_groups<'n>(
        &self,
        root: &'n Node,
        owners: &[usize],
    ) -> Option<(&'n Node, Option<usize>)> {
        let suppressed = root.nodes().into_iter().filter(|node| matches!(node.op, Op::Suppress { .. }));
        suppressed.flat_map(|node| node.inputs.iter().flat_map(Node::nodes)).find_map(|node| match &node.op {
            Op::LocalStage(stage) => {
                let fails = owners.contains(&stage.party) && self.stage_fails(&stage.logical);
                fails.then_some((node, Some(stage.party)))
            }
            Op::Join(join) => {
                let fails = join.condition.as_ref().is_some_and(|condition| condition.can_fail());
                (fails || is_unique_by_others(node, join, owners)).then_some((node, None))
            }
            _ => node.can_fail().then_some((node, None)),
        })
    }

    /// Whether an owner's stage can fail; where that is not known, it can.
    fn stage_fails(&self, stage: &LogicalPlan) -> bool {
        let mut fails = false;
        let seen = stage.apply_with_subqueries(|node| {
            fails |= self.node_fails(node);
            Ok(if fails { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        });
        fails || seen.is_err()
    }

    fn node_fails(&self, node: &LogicalPlan) -> bool {
        let any = |exprs: &mut dyn Iterator<Item = &LogicalExpr>, input: &LogicalPlan| {
            let Ok(facts) = self.local_facts(input) else { return true };
            let mut fails = false;
            for expr in exprs {
                fails |= self.expr_fails(expr, input.schema(), &facts);
            }
            fails
        };
        match node {
            LogicalPlan::Filter(filter) => any(&mut [&filter.predicate].into_iter(), &filter.input),
            LogicalPlan::Projection(projection) => any(&mut projection.expr.iter(), &projection.input),
            LogicalPlan::Sort(sort) => any(&mut sort.expr.iter().map(|key| &key.expr), &sort.input),
            LogicalPlan::Window(window) => any(&mut window.window_expr.iter(), &window.input),
            LogicalPlan::Aggregate(aggregate) => {
                any(&mut aggregate.group_expr.iter().chain(&aggregate.aggr_expr), &aggregate.input)
                    || self.may_overflow(node)
            }
            LogicalPlan::Join(join) => {
                join.filter.is_some()
                    || join.on.iter().any(|(left, right)| {
                        any(&mut [left].into_iter(), &join.left) || any(&mut [right].into_iter(), &join.right)
                    })
            }
            _ => false,
        }
    }

    fn expr_fails(&self, expr: &LogicalExpr, schema: &DFSchema, facts: &Facts) -> bool {
        match expr {
            LogicalExpr::Alias(alias) => return self.expr_fails(&alias.expr, schema, facts),
            LogicalExpr::AggregateFunction(function) => {
                let filter = function.params.filter.as_deref();
                let mut parts = function.params.args.iter().chain(filter);
                return parts.any(|part| self.expr_fails(part, schema, facts));
            }
            LogicalExpr::WindowFunction(function) => {
                let is_number = matches!(function.fun.name(), "row_number" | "rank" | "dense_rank");
                return !is_number || !function.params.args.is_empty();
            }
            _ => {}
        }
        match self.scalars(schema, facts).lower(expr) {
            Ok(scalar) => scalar.can_fail(),
            // Only its owner can compute it: texts are cut and dates taken apart without failing, but
            // not everything is.
            Err(_) => expr.exists(|part| Ok(part_fails(part, schema))).unwrap_or(true),
        }
    }
}

/// Whether rows that an owner's table chose are looked up by a key that is unique if others do not lie.
/// Keys that repeat in one party's rows are that party's lie, and tell nobody's value; so is a key of
/// an owner's own rows after they looked up others, of which each finds one at most.
fn is_unique_by_others(node: &Node, join: &Join, owners: &[usize]) -> bool {
    let Matching::Lookup { unique_side, uniqueness } = join.matching else { return false };
    let side = &node.inputs[usize::from(unique_side == Side::Right)];
    let party = |node: &Node| match &node.op {
        Op::LocalStage(stage) => Some(stage.party),
        _ => None,
    };
    let keys = if unique_side == Side::Left { &join.left_keys } else { &join.right_keys };
    if owner_of_rows(side, keys).is_some_and(|party| owners.contains(&party)) {
        return false;
    }
    let parties: BTreeSet<usize> = side.nodes().into_iter().filter_map(party).collect();
    uniqueness != Uniqueness::Construction
        && parties.len() > 1
        && owners.iter().any(|owner| parties.contains(owner))
}

/// Whose rows these are, each once at most and with columns of its own, if that is seen.
fn owner_of_rows(node: &Node, columns: &[usize]) -> Option<usize> {
    match &node.op {
        Op::LocalStage(stage) => Some(stage.party),
        Op::Filter { .. } => owner_of_rows(&node.inputs[0], columns),
        Op::Project { exprs } => {
            let column = |column: &usize| match exprs.get(*column)?.kind {
                ExprKind::Column(column) => Some(column),
                _ => None,
            };
            owner_of_rows(&node.inputs[0], &columns.iter().map(column).collect::<Option<Vec<_>>>()?)
        }
        Op::Join(join) if join.kind == JoinKind::Inner => {
            let Matching::Lookup { unique_side, .. } = join.matching else { return None };
            let n_left = node.inputs[0].schema.len();
            // An equal key of the other side is the same value.
            let equal = |column: &usize| match (unique_side, column.checked_sub(n_left)) {
                (Side::Right, None) => Some(*column),
                (Side::Left, Some(column)) => Some(column),
                (Side::Right, Some(column)) => {
                    join.right_keys.iter().position(|key| *key == column).map(|at| join.left_keys[at])
                }
                (Side::Left, None) => {
                    join.left_keys.iter().position(|key| key == column).map(|at| join.right_keys[at])
                }
            };
            let rows = &node.inputs[usize::from(unique_side == Side::Left)];
            owner_of_rows(rows, &columns.iter().map(equal).collect::<Option<Vec<_>>>()?)
        }
        _ => None,
    }
}

fn part_fails(part: &LogicalExpr, schema: &DFSchema) -> bool {
    let ty = |expr: &LogicalExpr| checked::type_of(expr, schema).unwrap_or(DataType::Null);
    match part {
        LogicalExpr::Cast(cast) => {
            let (from, to) = (ty(&cast.expr), cast.field.data_type().clone());
            from != to && to != DataType::Utf8 && from.is_string()
        }
        LogicalExpr::BinaryExpr(binary) => match binary.op {
            Operator::Divide | Operator::Modulo | Operator::Plus | Operator::Minus | Operator::Multiply => {
                ty(part) != DataType::Float64
            }
            _ => false,
        },
        LogicalExpr::ScalarFunction(function) => {
            let name = function.name();
            let safe = [
                "substr",
                "substring",
                "left",
                "right",
                "btrim",
                "trim",
                "ltrim",
                "rtrim",
                "reverse",
                "split_part",
                "upper",
                "lower",
                "initcap",
                "concat",
                "concat_ws",
                "date_part",
                "date_trunc",
                "character_length",
                "length",
                "octet_length",
                "strpos",
                "starts_with",
                "ends_with",
                "contains",
                "coalesce",
                "nullif",
                "replace",
                "round",
                "abs",
                "floor",
                "ceil",
            ];
            !safe.contains(&name)
        }
        _ => false,
    }
}
