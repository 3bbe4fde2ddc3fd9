//! Which numbers of rows an owner may tell.

use std::collections::BTreeSet;

use datafusion::logical_expr::{Expr, LogicalPlan, TableScan};

use super::Lowering;
use crate::policy::RowCount;

/// Rows of one table, each of which is there or not by itself.
struct ByRow<'a> {
    table: &'a TableScan,
    /// Whether a filter decided which.
    filtered: bool,
    /// The columns that hang on other rows as well, which a window function has made.
    across: BTreeSet<usize>,
}

impl Lowering<'_> {
    /// What its owner tells of the rows that a stage keeps: something only where the rows are those of
    /// one table that pass a filter, each by itself. Noise for a few rows hides no more than those.
    pub(super) fn told_rows(&self, plan: &LogicalPlan) -> RowCount {
        let rows = by_row(plan).filter(|rows| rows.filtered);
        let table = rows.and_then(|rows| {
            let name = &rows.table.table_name;
            self.catalog.table(name.schema().unwrap_or_default(), name.table())
        });
        table.map_or(RowCount::Hidden, |table| table.local_rows)
    }
}

fn by_row(plan: &LogicalPlan) -> Option<ByRow<'_>> {
    let asks_others = |expr: &Expr| {
        let subquery = |expr: &Expr| {
            matches!(
                expr,
                Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_)
            )
        };
        datafusion::common::tree_node::TreeNode::exists(expr, |expr| Ok(subquery(expr))).unwrap_or(true)
    };
    if plan.expressions().iter().any(asks_others) {
        return None;
    }
    match plan {
        LogicalPlan::TableScan(scan) => (scan.fetch.is_none() && scan.filters.is_empty()).then(|| ByRow {
            table: scan,
            filtered: false,
            across: BTreeSet::new(),
        }),
        LogicalPlan::SubqueryAlias(alias) => by_row(&alias.input),
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => by_row(&sort.input),
        LogicalPlan::Filter(filter) => {
            let rows = by_row(&filter.input)?;
            (!rows.reads_across(&filter.predicate, &filter.input)).then_some(ByRow { filtered: true, ..rows })
        }
        LogicalPlan::Projection(projection) => {
            let rows = by_row(&projection.input)?;
            let exprs = projection.expr.iter().enumerate();
            let across = exprs.filter(|(_, expr)| rows.reads_across(expr, &projection.input));
            let across = across.map(|(index, _)| index).collect();
            Some(ByRow { across, ..rows })
        }
        LogicalPlan::Window(window) => {
            let mut rows = by_row(&window.input)?;
            let width = window.input.schema().fields().len();
            rows.across.extend(width..window.schema.fields().len());
            Some(rows)
        }
        _ => None,
    }
}

impl ByRow<'_> {
    fn reads_across(&self, expr: &Expr, input: &LogicalPlan) -> bool {
        let index = |column| input.schema().maybe_index_of_column(column);
        expr.column_refs().into_iter().any(|column| index(column).is_none_or(|at| self.across.contains(&at)))
    }
}
