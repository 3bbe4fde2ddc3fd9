//! Subqueries that a question names more than once, and whose rows are one choice of several: the
//! first ones of an order with ties, or numbers by such an order.
//!
//! DataFusion copies a CTE to wherever it is named, and makes each copy read the columns that are
//! needed there. Then it is not to be seen that they are one, and each would choose for itself.
//! So copies stay whole while rules run: a node around each of them lets no rule reach in.

use std::collections::{BTreeSet, HashMap};

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan};

use crate::around::{Around, Kind};

/// A copy that stays whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd)]
pub(crate) struct Whole;

impl Kind for Whole {
    const NAME: &'static str = "Whole";
}

/// The plan with every subplan of several parties kept whole that occurs more than once and chooses
/// rows.
///
/// # Errors
/// DataFusion's.
pub(crate) fn keep(plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut times: HashMap<LogicalPlan, usize> = HashMap::new();
    plan.apply_with_subqueries(|node| {
        // Around what an expression asks there is a node of its own, which stays.
        if !matches!(node, LogicalPlan::Subquery(_)) && chooses(node)? {
            *times.entry(node.clone()).or_default() += 1;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    if times.values().all(|times| *times < 2) {
        return Ok(plan);
    }
    Ok(whole(plan, &times, 1)?.data)
}

/// The plan with what occurs more often than what is around it kept whole.
fn whole(
    plan: LogicalPlan,
    times: &HashMap<LogicalPlan, usize>,
    around: usize,
) -> Result<Transformed<LogicalPlan>> {
    let most = times.get(&plan).copied().unwrap_or(0).max(around);
    let is_copy = most > around && of_several(&plan)? && plan.all_out_ref_exprs().is_empty();
    if let LogicalPlan::Subquery(_) = plan {
        // What an expression asks keeps its top, of which DataFusion takes the one column.
        return plan.map_children(|top| below(top, times, around));
    }
    let plan = below(plan, times, most)?;
    if !is_copy {
        return Ok(plan);
    }
    Ok(Transformed::yes(Around::node(Whole, plan.data)))
}

fn below(
    plan: LogicalPlan,
    times: &HashMap<LogicalPlan, usize>,
    around: usize,
) -> Result<Transformed<LogicalPlan>> {
    let plan = plan.map_children(|child| whole(child, times, around))?;
    plan.transform_data(|plan| plan.map_subqueries(|plan| whole(plan, times, around)))
}

/// The plan without what [`keep`] put in.
///
/// # Errors
/// DataFusion's.
pub(crate) fn release(plan: LogicalPlan) -> Result<LogicalPlan> {
    let released = plan.transform_up_with_subqueries(|node| match Around::<Whole>::of(&node) {
        Some(whole) => Ok(Transformed::yes(whole.input.clone())),
        None => Ok(Transformed::no(node)),
    });
    Ok(released?.data)
}

/// Whether shares compute the plan: an owner's own copies agree.
fn of_several(plan: &LogicalPlan) -> Result<bool> {
    let (mut parties, mut on_shares) = (BTreeSet::new(), false);
    plan.apply_with_subqueries(|node| {
        match node {
            LogicalPlan::TableScan(scan) => {
                parties.insert(scan.table_name.schema().map(str::to_owned));
            }
            LogicalPlan::Extension(_) => on_shares = true,
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(on_shares || parties.len() > 1)
}

/// Whether the rows of a plan are one choice of several.
fn chooses(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found |= match node {
            LogicalPlan::Limit(_) | LogicalPlan::Window(_) | LogicalPlan::Distinct(Distinct::On(_)) => true,
            LogicalPlan::Sort(sort) => sort.fetch.is_some(),
            LogicalPlan::Aggregate(aggregate) => aggregate.aggr_expr.iter().any(takes_one),
            _ => false,
        };
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

fn takes_one(aggregate: &Expr) -> bool {
    match aggregate {
        Expr::Alias(alias) => takes_one(&alias.expr),
        Expr::AggregateFunction(function) => {
            matches!(function.func.name(), "first_value" | "last_value" | "nth_value")
        }
        _ => false,
    }
}
