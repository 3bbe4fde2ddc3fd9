//! Moves expressions to the owner of the data they read.
//!
//! DataFusion pushes filters down to their table, but computes expressions
//! where they are written, above joins. What reads one party's columns only is
//! cheaper (and sometimes only possible) in clear at its owner, so it moves
//! below joins into the owner's stage. Below the side of an outer join that gets NULLs goes what is
//! NULL there itself.
//!
//! What can fail stays: at the owner it would meet rows that the join drops,
//! and an error there would be wrong. What shares cannot compute moves anyway,
//! and so does what fails on shares alone, as functions of text that is not ASCII.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DataFusionError, ExprSchema, JoinType, Result, ScalarValue};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, Join, LogicalPlan, Projection, SubqueryAlias};
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::simplify_expressions::{ExprSimplifier, SimplifyContext};
use datafusion::optimizer::{Optimizer, OptimizerContext};

use super::measure::Statistic;
use super::{Home, Lowering};
use crate::checked::{self, CheckedArith};
use crate::error::PlanError;
use crate::types::Type;

impl Lowering<'_> {
    /// The plan with one party's expressions in that party's subtree.
    pub(crate) fn push_expressions(&self, plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
        let planner = |error: DataFusionError| PlanError::Planner { reason: error.strip_backtrace() };
        let mut n_pushed = 0;
        let pushed = plan.transform_up(|node| self.push_from(node, &mut n_pushed)).map_err(planner)?.data;
        if n_pushed == 0 {
            return Ok(pushed);
        }
        // Columns that only the moved expressions read need not travel.
        let prune = Optimizer::with_rules(vec![Arc::new(OptimizeProjections::new())]);
        prune.optimize(pushed, &OptimizerContext::new(), |_, _| {}).map_err(planner)
    }

    fn push_from(&self, node: LogicalPlan, n_pushed: &mut usize) -> Result<Transformed<LogicalPlan>> {
        let takes_part = matches!(
            node,
            LogicalPlan::Projection(_)
                | LogicalPlan::Aggregate(_)
                | LogicalPlan::Filter(_)
                | LogicalPlan::Sort(_)
                | LogicalPlan::Join(_)
        );
        if !takes_part || !matches!(self.home(&node), Ok(Home::Several)) {
            return Ok(Transformed::no(node));
        }
        let before = *n_pushed;
        let names = NamePreserver::new(&node);
        let columns: Vec<Expr> = node.schema().columns().into_iter().map(Expr::Column).collect();
        let passes_columns =
            matches!(node, LogicalPlan::Filter(_) | LogicalPlan::Sort(_) | LogicalPlan::Join(_));
        let inputs = node.inputs().into_iter().cloned().collect();
        let mut moves = Moves { lowering: self, inputs, n_pushed, in_statistic: false };
        let exprs = node.expressions().into_iter().map(|expr| {
            // The names of its columns are those of the sets' expressions.
            if matches!(expr, Expr::GroupingSet(_)) {
                return Ok(expr);
            }
            let name = names.save(&expr);
            moves.in_statistic = is_statistic(&expr);
            let moved = expr.transform_down(|expr| moves.move_one(expr))?.data;
            Ok(name.restore(moved))
        });
        let exprs = exprs.collect::<Result<Vec<_>>>()?;
        let inputs = moves.inputs;
        if *n_pushed == before {
            return Ok(Transformed::no(node));
        }
        let node = node.with_new_exprs(exprs, inputs)?;
        let node = node.recompute_schema()?;
        if !passes_columns {
            return Ok(Transformed::yes(node));
        }
        // The new columns end here.
        Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(node))?)))
    }
}

struct Moves<'a, 'b> {
    lowering: &'a Lowering<'b>,
    inputs: Vec<LogicalPlan>,
    n_pushed: &'a mut usize,
    in_statistic: bool,
}

impl Moves<'_, '_> {
    /// Moves an expression as a whole, or says to look inside.
    fn move_one(&mut self, expr: Expr) -> Result<Transformed<Expr>> {
        // The number that a statistic makes a double of goes alone: its sums are exact.
        if let Expr::Cast(cast) = &expr
            && self.in_statistic
            && *cast.field.data_type() == DataType::Float64
            && self.is_exact(&cast.expr)
        {
            return Ok(Transformed::no(expr));
        }
        if self.is_simple(&expr) || expr.column_refs().is_empty() || has_aggregate(&expr) {
            return Ok(Transformed::no(expr));
        }
        for index in 0..self.inputs.len() {
            let input = &self.inputs[index];
            let strict = is_strict(&expr, input.schema());
            let Some((path, at_owner)) = trace(self.lowering, input, &expr, strict) else { continue };
            let owner = follow(&self.inputs[index], &path);
            if !self.worth(owner, &at_owner) {
                return Ok(Transformed::no(expr));
            }
            *self.n_pushed += 1;
            let name = format!("__local_{}", self.n_pushed);
            let (input, column) = add_column(&self.inputs[index], &path, at_owner, &name)?;
            self.inputs[index] = input;
            return Ok(Transformed::new(Expr::Column(column), true, TreeNodeRecursion::Jump));
        }
        Ok(Transformed::no(expr))
    }

    /// What is as cheap on shares as a column that travels: a column, a constant,
    /// and sums of one column and constants.
    fn is_simple(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Column(_) | Expr::Literal(_, _) => true,
            Expr::Alias(alias) => self.is_simple(&alias.expr),
            // Doubles and texts become numbers at their owner.
            Expr::Cast(cast) => {
                self.is_simple(&cast.expr) && cast.field.data_type().is_numeric() && self.is_exact(&cast.expr)
            }
            Expr::ScalarFunction(function) => {
                let checked = function.func.inner().downcast_ref::<CheckedArith>();
                let linear = checked.is_some_and(|arith| {
                    use crate::checked::ArithKind::{Add, Mul, Neg, Sub};
                    let constants = function.args.iter().filter(|arg| arg.column_refs().is_empty()).count();
                    match arith.kind() {
                        Add | Sub | Mul => constants > 0,
                        Neg => true,
                        _ => false,
                    }
                });
                linear && function.args.iter().all(|arg| self.is_simple(arg))
            }
            _ => false,
        }
    }

    fn is_exact(&self, expr: &Expr) -> bool {
        let ty = self.inputs.iter().find_map(|input| checked::type_of(expr, input.schema()).ok());
        ty.and_then(|ty| Type::from_arrow(&ty)).is_some_and(|ty| ty.is_exact_number() || ty == Type::Bool)
    }

    /// Whether to move: it cannot fail, or shares cannot compute it, or fail where an owner does not.
    fn worth(&self, owner: &LogicalPlan, expr: &Expr) -> bool {
        let Ok(facts) = self.lowering.local_facts(owner) else { return false };
        let on_shares = self.lowering.scalars(owner.schema(), &facts).lower(expr);
        on_shares.is_err() || reads_text(expr) || self.lowering.is_harmless(expr, owner.schema(), &facts)
    }
}

/// Whether an expression is made of functions of text that an owner always has a value of, where
/// shares have none of text that is not ASCII.
fn reads_text(expr: &Expr) -> bool {
    match expr {
        Expr::Column(_) | Expr::Literal(_, _) => true,
        Expr::Alias(alias) => reads_text(&alias.expr),
        Expr::Like(like) => reads_text(&like.expr) && matches!(*like.pattern, Expr::Literal(_, _)),
        Expr::ScalarFunction(function) => {
            let counts = |arg: &Expr| match arg {
                Expr::Literal(value, _) => {
                    matches!(value.cast_to(&DataType::Int64), Ok(ScalarValue::Int64(Some(0..=1_000_000))))
                }
                _ => false,
            };
            match (function.name(), function.args.as_slice()) {
                ("upper" | "lower" | "reverse" | "initcap" | "character_length", [text]) => reads_text(text),
                ("btrim" | "ltrim" | "rtrim" | "strpos" | "concat" | "coalesce" | "nullif", texts) => {
                    texts.iter().all(reads_text)
                }
                ("left" | "right", [text, many]) => reads_text(text) && counts(many),
                ("substr", [text, numbers @ ..]) => reads_text(text) && numbers.iter().all(counts),
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether an expression is NULL where all its columns are.
fn is_strict(expr: &Expr, schema: &DFSchema) -> bool {
    let of_nulls = expr.clone().transform_up(|expr| match &expr {
        Expr::Column(column) => {
            let ty = schema.field_from_column(column)?.data_type();
            Ok(Transformed::yes(Expr::Literal(ScalarValue::try_from(ty)?, None)))
        }
        _ => Ok(Transformed::no(expr)),
    });
    let simplifier = ExprSimplifier::new(SimplifyContext::default());
    let value = of_nulls.and_then(|of_nulls| simplifier.simplify(of_nulls.data));
    matches!(value, Ok(Expr::Literal(value, _)) if value.is_null())
}

fn is_statistic(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_statistic(&alias.expr),
        Expr::AggregateFunction(function) => Statistic::of(function.func.name()).is_some(),
        _ => false,
    }
}

fn has_aggregate(expr: &Expr) -> bool {
    let seen = |expr: &Expr| Ok(matches!(expr, Expr::AggregateFunction(_) | Expr::WindowFunction(_)));
    expr.exists(seen).unwrap_or(true)
}

/// The way down to the one party's subtree that has all the expression's
/// columns, and the expression in that subtree's terms.
///
/// Below the side of an outer join that gets NULLs it goes for what is `strict`: NULL without a match.
pub(super) fn trace(
    lowering: &Lowering<'_>,
    plan: &LogicalPlan,
    expr: &Expr,
    strict: bool,
) -> Option<(Vec<usize>, Expr)> {
    let has_all =
        |plan: &LogicalPlan| expr.column_refs().into_iter().all(|column| plan.schema().has_column(column));
    if !has_all(plan) {
        return None;
    }
    let mut found = match lowering.home(plan).ok()? {
        Home::Party(_) => return Some((Vec::new(), expr.clone())),
        Home::Nobody => return None,
        Home::Several => match plan {
            LogicalPlan::Filter(filter) => {
                trace(lowering, &filter.input, expr, strict).map(|found| (0, found))
            }
            LogicalPlan::Sort(sort) => trace(lowering, &sort.input, expr, strict).map(|found| (0, found)),
            LogicalPlan::SubqueryAlias(alias) => {
                let inner = requalified(expr, alias)?;
                trace(lowering, &alias.input, &inner, strict).map(|found| (0, found))
            }
            LogicalPlan::Projection(projection) => {
                let inner = substituted(expr, projection)?;
                trace(lowering, &projection.input, &inner, strict).map(|found| (0, found))
            }
            LogicalPlan::Join(join) => {
                use JoinType::{Full, Inner, Left, LeftAnti, LeftSemi, Right, RightAnti, RightSemi};
                let kind = join.join_type;
                let left = || trace(lowering, &join.left, expr, strict).map(|found| (0, found));
                let right = || trace(lowering, &join.right, expr, strict).map(|found| (1, found));
                let on_left = matches!(kind, Inner | Left | LeftSemi | LeftAnti)
                    || strict && matches!(kind, Right | Full);
                let on_right = matches!(kind, Inner | Right | RightSemi | RightAnti)
                    || strict && matches!(kind, Left | Full);
                on_left.then(left).flatten().or_else(|| on_right.then(right).flatten())
            }
            _ => None,
        },
    }?;
    found.1.0.insert(0, found.0);
    Some(found.1)
}

pub(super) fn follow<'a>(plan: &'a LogicalPlan, path: &[usize]) -> &'a LogicalPlan {
    path.iter().fold(plan, |plan, step| plan.inputs()[*step])
}

/// The plan with one more column, computed at the end of the path, and the
/// name under which it comes out.
fn add_column(plan: &LogicalPlan, path: &[usize], expr: Expr, name: &str) -> Result<(LogicalPlan, Column)> {
    let Some((step, rest)) = path.split_first() else {
        let mut exprs: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
        exprs.push(expr.alias(name));
        let projection = Projection::try_new(exprs, Arc::new(plan.clone()))?;
        return Ok((LogicalPlan::Projection(projection), Column::new_unqualified(name)));
    };
    let (child, column) = add_column(plan.inputs()[*step], rest, expr, name)?;
    let child = Arc::new(child);
    Ok(match plan {
        LogicalPlan::SubqueryAlias(alias) => {
            let plan = SubqueryAlias::try_new(child, alias.alias.clone())?;
            (LogicalPlan::SubqueryAlias(plan), Column::new(Some(alias.alias.clone()), name))
        }
        LogicalPlan::Projection(projection) => {
            let mut exprs = projection.expr.clone();
            exprs.push(Expr::Column(column.clone()));
            (LogicalPlan::Projection(Projection::try_new(exprs, child)?), column)
        }
        LogicalPlan::Join(join) => {
            let (left, right) = match step {
                0 => (child, Arc::clone(&join.right)),
                _ => (Arc::clone(&join.left), child),
            };
            let join = Join::try_new(
                left,
                right,
                join.on.clone(),
                join.filter.clone(),
                join.join_type,
                join.join_constraint,
                join.null_equality,
                join.null_aware,
            )?;
            (LogicalPlan::Join(join), column)
        }
        other => {
            let plan = other.with_new_exprs(other.expressions(), vec![Arc::unwrap_or_clone(child)])?;
            (plan.recompute_schema()?, column)
        }
    })
}

/// The expression over an alias's input.
fn requalified(expr: &Expr, alias: &SubqueryAlias) -> Option<Expr> {
    let inner = alias.input.schema().columns();
    replaced(expr, |column| {
        let index = alias.schema.index_of_column(column).ok()?;
        Some(Expr::Column(inner[index].clone()))
    })
}

/// The expression over a projection's input, if it reads nothing but columns
/// that the projection passes on.
fn substituted(expr: &Expr, projection: &Projection) -> Option<Expr> {
    replaced(expr, |column| {
        let index = projection.schema.index_of_column(column).ok()?;
        match projection.expr[index].clone().unalias() {
            Expr::Column(inner) => Some(Expr::Column(inner)),
            _ => None,
        }
    })
}

fn replaced(expr: &Expr, replace: impl Fn(&Column) -> Option<Expr>) -> Option<Expr> {
    let mut all = true;
    let result = expr.clone().transform_up(|expr| match &expr {
        Expr::Column(column) => match replace(column) {
            Some(inner) => Ok(Transformed::yes(inner)),
            None => {
                all = false;
                Ok(Transformed::no(expr))
            }
        },
        _ => Ok(Transformed::no(expr)),
    });
    result.ok().map(|transformed| transformed.data).filter(|_| all)
}
