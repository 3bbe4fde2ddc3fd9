//! What comes out of a question as a whole: rows, how many they are, and tables that are read twice.

use std::collections::BTreeSet;

use super::Grant;
use super::check::Check;
use super::flow::{Flow, TableId};
use crate::error::PlanError;

impl Check<'_> {
    /// What comes out: rows, their values, and how many they are.
    pub(super) fn answer(&mut self, root: &Flow) -> Result<(), PlanError> {
        for origin in &root.origins {
            for source in origin.all() {
                self.require(source, Grant::Reveal, "the answer")?;
            }
        }
        for (table, presence) in &root.tables {
            for key in &presence.keys {
                // A row that comes out says that there is one of its key here.
                self.require((*table, *key), Grant::Reveal, "the rows that a JOIN lets out")?;
            }
            if self.protects(*table) {
                // One row or none would tell what a group of too few does not.
                for column in &presence.filters {
                    self.require((*table, *column), Grant::Reveal, "the rows that come out")?;
                }
            }
        }
        let tables: BTreeSet<TableId> = root.tables.keys().chain(&root.counted).copied().collect();
        for table in tables {
            let operator = "the answer's number of rows";
            if !self.rules(table).result_rows {
                let reason = "it depends on how many rows or groups there are";
                return Err(self.forbidden_by_table(table, operator, reason, "result_rows = \"tell\""));
            }
            self.permit(table, None, operator, "result_rows = \"tell\"".to_owned());
        }
        Ok(())
    }

    /// Whether some group of the table's has a least size of more than one.
    pub(super) fn protects(&self, table: TableId) -> bool {
        let rules = self.rules(table);
        let columns = rules.columns.values().filter_map(|rules| rules.min_group);
        columns.chain(rules.min_group).any(|at_least| at_least > 1)
    }

    /// A table whose groups have a least size is read once: two readings could be told apart.
    pub(super) fn read_once(&self) -> Result<(), PlanError> {
        for table in self.counted.keys() {
            if self.scans.get(table).is_some_and(|scans| *scans > 1) {
                let reason = "the question reads it twice, and what one part leaves out shows in the difference; ask \
                              for one part alone, and for a total of groups as in SUM(x) OVER () or SUM(SUM(x)) OVER ()";
                return Err(self.forbidden_by_table(*table, "the question", reason, "min_group = 1"));
            }
        }
        Ok(())
    }
}
