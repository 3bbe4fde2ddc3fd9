//! How long a question is once each CTE stands where it is named.
//!
//! DataFusion copies a CTE to wherever it is named, so ten of them that each name the one before
//! twice make a thousand copies of the first. What they come to is computed without writing it.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Ident, Query, Statement, TableFactor, Visit, Visitor};

use crate::error::PlanError;
use crate::locate::Locator;
use crate::question::MAX_SQL_BYTES;

/// The most bytes of a question with each CTE written where it is named: twice what may be written by
/// hand, which takes seconds to plan.
const MAX_WRITTEN_BYTES: usize = 2 * MAX_SQL_BYTES;

/// Refuses a question whose CTEs come to too much.
pub(crate) fn refuse_copies(statement: &Statement, locator: &Locator) -> Result<(), PlanError> {
    match statement.visit(&mut Copies::default()) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(name) => {
            let most = MAX_WRITTEN_BYTES / 1024;
            let construct = format!("a question of more than {most} KiB with each CTE where it is named");
            let reason = "name them less often, or ask several questions";
            Err(PlanError::unsupported(construct, reason).placed(locator.name(&name)))
        }
    }
}

/// The queries around the place that is visited.
#[derive(Default)]
struct Copies(Vec<Around>);

/// A query under way.
#[derive(Default)]
struct Around {
    /// The CTEs of its own that are still to come, in order.
    to_come: VecDeque<String>,
    /// Those that have been, and their bytes.
    ctes: Vec<(String, usize)>,
    /// Bytes of CTEs in the place of their names.
    copied: usize,
}

impl Around {
    /// Counts what stands in the place of a name.
    fn copy(&mut self, name: &str, bytes: usize) -> ControlFlow<String> {
        self.copied = self.copied.saturating_add(bytes);
        match self.copied > MAX_WRITTEN_BYTES {
            true => ControlFlow::Break(name.to_owned()),
            false => ControlFlow::Continue(()),
        }
    }
}

impl Visitor for Copies {
    /// The CTE with which it is too much.
    type Break = String;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        // What is written in front of the query is visited before it.
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        let to_come = ctes.map(|cte| folded(&cte.alias.name)).collect();
        self.0.push(Around { to_come, ..Around::default() });
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        let copied = self.0.pop().map_or(0, |done| done.copied);
        let Some(around) = self.0.last_mut() else { return ControlFlow::Continue(()) };
        match around.to_come.pop_front() {
            Some(name) => around.ctes.push((name, query.to_string().len().saturating_add(copied))),
            None => return around.copy("a subquery", copied),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<String> {
        let TableFactor::Table { name, .. } = table else { return ControlFlow::Continue(()) };
        let [part] = name.0.as_slice() else { return ControlFlow::Continue(()) };
        let Some(name) = part.as_ident().map(folded) else { return ControlFlow::Continue(()) };
        let mut known = self.0.iter().rev().flat_map(|around| around.ctes.iter().rev());
        let Some(bytes) = known.find(|(cte, _)| *cte == name).map(|(_, bytes)| *bytes) else {
            return ControlFlow::Continue(());
        };
        self.0.last_mut().map_or(ControlFlow::Continue(()), |around| around.copy(&name, bytes))
    }
}

/// A name as it is looked up.
fn folded(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    }
}
