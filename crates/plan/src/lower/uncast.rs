//! Statistics of exact numbers stay exact.
//!
//! DataFusion casts the arguments of statistics and of some functions to doubles, and computes a
//! cast that occurs twice in a projection of its own. There the number behind the double would be
//! lost, so such casts move back to where they are used.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DataFusionError, Result};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Cast, Expr, LogicalPlan, Projection};

use super::Lowering;
use crate::error::PlanError;

impl Lowering<'_> {
    /// The plan with casts to doubles above the projections that held them.
    pub(crate) fn uncast(&self, plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
        let planner = |error: DataFusionError| PlanError::Planner { reason: error.strip_backtrace() };
        Ok(plan.transform_up(uncast_node).map_err(planner)?.data)
    }
}

/// The number that a projection's expression makes a double of.
fn cast_number(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Alias(alias) if alias.name.starts_with("__common_expr") => match alias.expr.as_ref() {
            Expr::Cast(cast) if *cast.field.data_type() == DataType::Float64 => Some(&cast.expr),
            _ => None,
        },
        _ => None,
    }
}

fn uncast_node(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let passes_columns = matches!(node, LogicalPlan::Filter(_) | LogicalPlan::Window(_));
    if !passes_columns && !matches!(node, LogicalPlan::Aggregate(_) | LogicalPlan::Projection(_)) {
        return Ok(Transformed::no(node));
    }
    let inputs = node.inputs();
    let [LogicalPlan::Projection(below)] = inputs.as_slice() else { return Ok(Transformed::no(node)) };
    let mut exprs = below.expr.clone();
    let mut moved: Vec<(Column, Expr)> = Vec::new();
    for (expr, column) in below.expr.iter().zip(below.schema.columns()) {
        let Some(number) = cast_number(expr) else { continue };
        let name = format!("__exact_{}", moved.len());
        exprs.push(number.clone().alias(&name));
        let exact = Expr::Column(Column::new_unqualified(name));
        moved.push((column, Expr::Cast(Cast::new(Box::new(exact), DataType::Float64))));
    }
    if moved.is_empty() {
        return Ok(Transformed::no(node));
    }
    let columns: Vec<Expr> = node.schema().columns().into_iter().map(Expr::Column).collect();
    let below = LogicalPlan::Projection(Projection::try_new(exprs, Arc::clone(&below.input))?);
    let names = NamePreserver::new(&node);
    let uses = node.expressions().into_iter().map(|expr| {
        if matches!(expr, Expr::GroupingSet(_)) {
            return Ok(expr);
        }
        let name = names.save(&expr);
        let replaced = expr.transform(|expr| match &expr {
            Expr::Column(column) => match moved.iter().find(|(known, _)| known == column) {
                Some((_, cast)) => Ok(Transformed::yes(cast.clone())),
                None => Ok(Transformed::no(expr)),
            },
            _ => Ok(Transformed::no(expr)),
        })?;
        Ok(name.restore(replaced.data))
    });
    let uses = uses.collect::<Result<Vec<_>>>()?;
    let node = node.with_new_exprs(uses, vec![below])?.recompute_schema()?;
    if !passes_columns {
        return Ok(Transformed::yes(node));
    }
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(node))?)))
}
