//! Columns that an ORDER BY reads and the question does not give.
//!
//! DataFusion adds them to the projection below the sort, out of a set whose order is another one in
//! every process. Here they get one that all parties have.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{LogicalPlan, Projection, Sort};

/// The plan with added columns in the order of their names.
///
/// # Errors
/// DataFusion's.
pub(crate) fn settle(plan: LogicalPlan) -> Result<LogicalPlan> {
    Ok(plan.transform_up_with_subqueries(settle_node)?.data)
}

fn settle_node(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Projection(given) = &node else { return Ok(Transformed::no(node)) };
    let LogicalPlan::Sort(sort) = given.input.as_ref() else { return Ok(Transformed::no(node)) };
    let LogicalPlan::Projection(below) = sort.input.as_ref() else { return Ok(Transformed::no(node)) };
    let n_given = given.expr.len();
    if below.expr.len() <= n_given + 1 {
        return Ok(Transformed::no(node));
    }
    let mut exprs = below.expr.clone();
    exprs[n_given..].sort_by_cached_key(ToString::to_string);
    let below = Projection::try_new(exprs, Arc::clone(&below.input))?;
    let input = Arc::new(LogicalPlan::Projection(below));
    let sort = Sort { expr: sort.expr.clone(), input, fetch: sort.fetch };
    let given = Projection::try_new(given.expr.clone(), Arc::new(LogicalPlan::Sort(sort)))?;
    Ok(Transformed::yes(LogicalPlan::Projection(given)))
}
