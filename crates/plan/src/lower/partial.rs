//! Aggregates over a union of several parties' rows: each owner aggregates its own in clear.
//!
//! `SUM`, `COUNT`, `MIN` and `MAX` of a union are those of its branches' results, so only one
//! row per owner and group travels. A branch of several parties would pay a second group-by on
//! shares, and a mean is no function of means: then the plan stays as it is.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DataFusionError, Result};
use datafusion::functions_aggregate::min_max::{max, min};
use datafusion::functions_aggregate::sum::sum;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{Aggregate, Cast, Expr, LogicalPlan, Projection, Union};

use super::{Home, Lowering};
use crate::error::PlanError;
use crate::secure::Field;
use crate::types::Type;

/// The plan of one branch, and the same expressions in its terms.
type Branch = (Arc<LogicalPlan>, Vec<Expr>, Vec<Expr>);

impl Lowering<'_> {
    /// The plan with aggregates over unions begun at the owners.
    pub(crate) fn aggregate_at_owners(&self, plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
        let rewritten = plan.transform_up(|node| match &node {
            LogicalPlan::Aggregate(aggregate) => match self.split(aggregate)? {
                Some(plan) => Ok(Transformed::yes(plan)),
                None => Ok(Transformed::no(node)),
            },
            _ => Ok(Transformed::no(node)),
        });
        let planner = |error: DataFusionError| PlanError::Planner { reason: error.strip_backtrace() };
        Ok(rewritten.map_err(planner)?.data)
    }

    fn split(&self, aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
        let mut input = &aggregate.input;
        while let LogicalPlan::SubqueryAlias(alias) = input.as_ref() {
            input = &alias.input;
        }
        let LogicalPlan::Union(union) = input.as_ref() else { return Ok(None) };
        if aggregate.group_expr.iter().any(|expr| matches!(expr, Expr::GroupingSet(_))) {
            return Ok(None);
        }
        let at_one = |branch: &Arc<LogicalPlan>| matches!(self.home(branch), Ok(Home::Party(_)));
        let Some(merges) = aggregate.aggr_expr.iter().map(merge).collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        if !union.inputs.iter().all(at_one) {
            return Ok(None);
        }
        // Doubles that owners sum keep their bits, which shares do not add.
        let results = aggregate.schema.fields().iter().skip(aggregate.group_expr.len());
        let is_double = |(field, expr): (&FieldRef, &Expr)| {
            is_call(expr, "sum") && *field.data_type() == DataType::Float64
        };
        if results.zip(&aggregate.aggr_expr).any(is_double) {
            return Ok(None);
        }
        let n_group = aggregate.group_expr.len();
        let branches = union.inputs.iter().map(|branch| branch_terms(aggregate, branch));
        let branches = branches.collect::<Result<Vec<_>>>()?;
        let partials = branches.into_iter().map(|(input, group, calls)| {
            Ok(LogicalPlan::Aggregate(Aggregate::try_new(input, group, calls)?))
        });
        let partials = partials.collect::<Result<Vec<_>>>()?;
        if partials.iter().any(|partial| self.may_overflow(partial)) {
            return Ok(None);
        }
        let begun = partials.into_iter().map(|partial| {
            // All branches call their columns alike.
            let columns = partial.schema().columns().into_iter().enumerate();
            let named = columns.map(|(at, column)| Expr::Column(column).alias(name(at)));
            Ok(Arc::new(LogicalPlan::Projection(Projection::try_new(named.collect(), Arc::new(partial))?)))
        });
        let union = Union::try_new_with_loose_types(begun.collect::<Result<Vec<_>>>()?)?;
        let part = |at: usize| Expr::Column(Column::new_unqualified(name(at)));
        let group = (0..n_group).map(part).collect();
        let calls = merges.iter().enumerate().map(|(at, merge)| merge(part(n_group + at))).collect();
        let merged = Aggregate::try_new(Arc::new(LogicalPlan::Union(union)), group, calls)?;
        // The columns under their names and types from before: sums of sums are wider.
        let merged = Arc::new(LogicalPlan::Aggregate(merged));
        let columns = merged.schema().columns().into_iter().map(Expr::Column);
        let types = merged.schema().fields().iter().map(|field| field.data_type());
        let restored =
            columns.zip(types).zip(aggregate.schema.iter()).map(|((column, ty), (qualifier, field))| {
                let typed = match ty == field.data_type() {
                    true => column,
                    false => Expr::Cast(Cast::new(Box::new(column), field.data_type().clone())),
                };
                typed.alias_qualified(qualifier.cloned(), field.name())
            });
        let restored = restored.collect();
        Ok(Some(LogicalPlan::Projection(Projection::try_new(restored, Arc::clone(&merged))?)))
    }

    /// Whether one owner's total may leave its type, though the total of all would not.
    pub(super) fn may_overflow(&self, partial: &LogicalPlan) -> bool {
        let (LogicalPlan::Aggregate(aggregate), Ok(facts)) = (partial, self.local_facts(partial)) else {
            return true;
        };
        let totals = facts.fields.iter().skip(aggregate.group_expr.len()).zip(&aggregate.aggr_expr);
        // A double that is too large is infinite, which is a value.
        totals.into_iter().any(|(field, expr)| {
            let total = is_call(expr, "sum") || is_call(expr, "avg");
            total && field.ty != Type::Float64 && !is_within(field)
        })
    }
}

/// Whether all values are known to stay off the ends of their type, where a range that would leave it
/// is cut.
fn is_within(field: &Field) -> bool {
    let (Some(range), Some(all)) = (field.range, field.ty.range()) else { return false };
    range.high < all.high && (range.low > all.low || all.low == 0)
}

fn name(at: usize) -> String {
    format!("__part_{at}")
}

fn is_call(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Alias(alias) => is_call(&alias.expr, name),
        Expr::AggregateFunction(function) => function.func.name() == name,
        _ => false,
    }
}

/// What makes one result of the branches' results.
fn merge(expr: &Expr) -> Option<fn(Expr) -> Expr> {
    let AggregateFunction { func, params } = match expr {
        Expr::Alias(alias) => return merge(&alias.expr),
        Expr::AggregateFunction(function) => function,
        _ => return None,
    };
    let AggregateFunctionParams { distinct, order_by, null_treatment, .. } = params;
    if !order_by.is_empty() || null_treatment.is_some() {
        return None;
    }
    match func.name() {
        "sum" | "count" if !distinct => Some(sum),
        "min" => Some(min),
        "max" => Some(max),
        _ => None,
    }
}

/// The aggregate's expressions over a branch instead of the union.
fn branch_terms(aggregate: &Aggregate, branch: &Arc<LogicalPlan>) -> Result<Branch> {
    let columns = branch.schema().columns();
    let in_branch = |expr: &Expr| {
        let renamed = expr.clone().transform(|expr| match &expr {
            Expr::Column(column) => {
                let at = aggregate.input.schema().index_of_column(column)?;
                Ok(Transformed::yes(Expr::Column(columns[at].clone())))
            }
            _ => Ok(Transformed::no(expr)),
        });
        renamed.map(|renamed| renamed.data)
    };
    let all = |exprs: &[Expr]| exprs.iter().map(in_branch).collect::<Result<Vec<_>>>();
    Ok((Arc::clone(branch), all(&aggregate.group_expr)?, all(&aggregate.aggr_expr)?))
}
