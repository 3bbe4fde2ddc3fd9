//! What a rewrite of the plan has to keep.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::TableReference;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;

use crate::error::PlanError;

/// What a plan gives and what it reads. No rule changes the one or adds to the other.
#[derive(Debug, PartialEq)]
pub(crate) struct Kept {
    columns: Vec<(Option<TableReference>, String, DataType)>,
    /// Tables and their columns.
    reads: BTreeSet<(String, String)>,
}

impl Kept {
    /// Takes down what has to stay.
    pub(crate) fn of(plan: &LogicalPlan) -> Result<Kept, PlanError> {
        let columns = plan
            .schema()
            .iter()
            .map(|(qualifier, field)| (qualifier.cloned(), field.name().clone(), field.data_type().clone()));
        let columns = columns.collect();
        let mut reads = BTreeSet::new();
        let seen = plan.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                let table = scan.table_name.to_string();
                let fields = scan.projected_schema.fields().iter();
                reads.extend(fields.map(|field| (table.clone(), field.name().clone())));
            }
            Ok(TreeNodeRecursion::Continue)
        });
        seen.map_err(|error| PlanError::Planner { reason: error.strip_backtrace() })?;
        Ok(Kept { columns, reads })
    }

    /// Checks a plan that `rule` has made of the one before.
    ///
    /// # Errors
    /// `Planner` if its columns differ, or if an owner reads what it did not read before: whoever
    /// plans stops, and nothing is shared.
    pub(crate) fn check(&self, rule: &str, plan: &LogicalPlan) -> Result<(), PlanError> {
        let now = Kept::of(plan)?;
        let wrong = |what: String| Err(PlanError::Planner { reason: format!("the rule {rule} {what}") });
        if now.columns != self.columns {
            return wrong(format!("makes {:?} of {:?}", now.columns, self.columns));
        }
        match now.reads.difference(&self.reads).next() {
            Some((table, column)) => wrong(format!("reads {column} of {table}, which the question does not")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::{Field, Schema};
    use datafusion::logical_expr::{LogicalPlanBuilder, col, table_scan};

    fn scan(columns: Vec<usize>) -> LogicalPlanBuilder {
        let schema = Schema::new(["a", "b"].map(|name| Field::new(name, DataType::Int64, true)).to_vec());
        table_scan(Some("bank.t"), &schema, Some(columns)).expect("a scan")
    }

    #[test]
    fn rules_keep_columns_and_read_nothing_more() {
        let plan = |builder: LogicalPlanBuilder| builder.build().expect("a plan");
        let before = plan(scan(vec![0, 1]).project([col("a")]).expect("a column"));
        let kept = Kept::of(&before).expect("a plan");
        assert!(kept.check("none", &before).is_ok());
        // Fewer columns read, the same out.
        assert!(kept.check("prune", &plan(scan(vec![0]))).is_ok());
        let told = |plan: &LogicalPlan, kept: &Kept| kept.check("some", plan).unwrap_err().to_string();
        let renamed = plan(scan(vec![0]).project([col("a").alias("b")]).expect("a column"));
        assert!(told(&renamed, &kept).contains("the rule some makes"));
        let pruned = Kept::of(&plan(scan(vec![0]))).expect("a plan");
        assert!(told(&before, &pruned).contains("reads b of bank.t"));
    }
}
