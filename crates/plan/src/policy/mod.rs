//! What the owner of a table lets others learn of it, and the check of a plan against that.
//!
//! A policy is data of the catalog; `enforce` is a pure function of the plan and the
//! catalog. Nothing here looks at rows: what depends on them, the minimum size of a group, is put
//! into the plan as an operator that the compute parties run on shares.
//!
//! ```text
//! DataFusion's plan ─ flow of each column to each use ─▶ refused, with the smallest grant
//!                          │
//!                          └─▶ the plan with entities counted and small groups suppressed,
//!                              and a list of what permitted each use
//! ```

mod answer;
mod check;
mod expr;
mod flow;
mod groups;
mod joins;
mod noise;
mod row_count;
mod suppress;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use datafusion::execution::session_state::{SessionState, SessionStateBuilder};

use crate::catalog::PublicCatalog;
use crate::context::with_checked_totals;
use crate::locate::Locator;

pub(crate) use check::{Enforced, enforce, refuse_failures};
pub use noise::Noise;
pub use row_count::RowCount;
pub(crate) use suppress::{AtLeast, Suppress};

/// What a column may be used for by others than its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// Compared for equality with the key of another table.
    Join,
    /// Decides which rows count: WHERE, CASE, ORDER BY, the frames of windows.
    Filter,
    /// Makes groups, and its values come out with groups that are large enough.
    Group,
    /// Goes into counts, sums, means and deviations of groups that are large enough.
    Aggregate,
    /// Comes out row by row, and in any function of its values.
    Reveal,
}

impl Grant {
    /// All grants, from the narrowest.
    pub const ALL: [Grant; 5] = [Grant::Join, Grant::Filter, Grant::Group, Grant::Aggregate, Grant::Reveal];

    /// Its name in `catalog.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Grant::Join => "join",
            Grant::Filter => "filter",
            Grant::Group => "group",
            Grant::Aggregate => "aggregate",
            Grant::Reveal => "reveal",
        }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What others may do with one column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnRules {
    /// What it may be used for.
    pub allow: BTreeSet<Grant>,
    /// The fewest entities of a group in which it is aggregated, or whose rows it decides on; of it and
    /// the table's number, the greater one counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_group: Option<u64>,
}

/// What others may do with one table. By default, nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRules {
    /// Whom a row is about; without columns, each row is about somebody else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entity: Vec<String>,
    /// The fewest entities of a group that comes out, whatever is aggregated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_group: Option<u64>,
    /// How many answers may depend on this table, ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<u64>,
    /// Whether an answer's number of rows may depend on this table.
    #[serde(default)]
    pub result_rows: bool,
    /// Whether values of the asker's own may be summed over rows that this table chooses.
    #[serde(default)]
    pub askers_values: bool,
    /// The columns' rules; of a column that is missing, nothing is allowed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, ColumnRules>,
}

impl TableRules {
    /// Whether a column may be used so.
    pub fn allows(&self, column: &str, grant: Grant) -> bool {
        self.columns.get(column).is_some_and(|rules| rules.allow.contains(&grant))
    }

    /// The fewest entities of a group that these columns are used for; `None` if the policy
    /// names no number. Where none is, the largest of all columns counts.
    pub fn min_group(&self, used: &[&str]) -> Option<u64> {
        let of = |name: &&str| self.columns.get(*name).and_then(|rules| rules.min_group);
        let named = used.iter().filter_map(of).max();
        let any = self.columns.values().filter_map(|rules| rules.min_group).max();
        match (named, self.min_group) {
            (None, None) => any,
            (named, table) => named.max(table),
        }
    }
}

/// What the owner of a table lets others learn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Nothing is written: all is allowed where one person asks about files of its own, and
    /// nothing at a party that answers others.
    #[default]
    Unstated,
    /// Everything is allowed, in writing.
    Open,
    /// What the rules say, and nothing else.
    Rules(TableRules),
}

impl Policy {
    /// Whether nothing is written.
    pub fn is_unstated(&self) -> bool {
        *self == Policy::Unstated
    }

    /// The rules, if there are any.
    pub fn rules(&self) -> Option<&TableRules> {
        match self {
            Policy::Unstated | Policy::Open => None,
            Policy::Rules(rules) => Some(rules),
        }
    }
}

/// What permitted one use of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Permission {
    /// The table, as `party.table`.
    pub table: String,
    /// The column; none for what the table as a whole permits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The use, by the operator that makes it.
    pub used_by: String,
    /// The words of the policy.
    pub by: String,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.table)?;
        if let Some(column) = &self.column {
            write!(f, ".{column}")?;
        }
        if !self.used_by.is_empty() {
            write!(f, " in {}", self.used_by)?;
        }
        write!(f, ": {}", self.by)
    }
}

/// The permissions, as `EXPLAIN` prints them.
pub(crate) fn explain(permissions: &[Permission]) -> String {
    let mut text = String::new();
    if !permissions.is_empty() {
        text.push_str("\nPermitted by the owners' policies:\n");
    }
    for permission in permissions {
        text.push_str(&format!("    - {permission}\n"));
    }
    text
}

/// The permissions, and beside them the tables that no rule stands between.
pub(crate) fn of_whole_tables(
    catalog: &PublicCatalog,
    asker: usize,
    locator: &Locator,
    permissions: Vec<Permission>,
) -> Vec<Permission> {
    let all = catalog.parties.iter().enumerate();
    let all = all.flat_map(|(at, party)| party.tables.iter().map(move |table| (at, &party.name, table)));
    let named = all.filter(|(_, party, table)| locator.names(&[party, &table.name]));
    let whole = named.filter_map(|(at, party, table)| {
        let by = match &table.policy {
            _ if at == asker => return None,
            Policy::Unstated => "no policy is written, so everything is allowed",
            Policy::Open => "policy = \"open\"",
            Policy::Rules(_) => return None,
        };
        let table = format!("{party}.{}", table.name);
        Some(Permission { table, column: None, used_by: String::new(), by: by.to_owned() })
    });
    whole.chain(permissions.iter().cloned()).collect()
}

/// The state with which a question is planned that policies are about: COUNT(DISTINCT …) stays one
/// aggregate, so that it can be seen what is counted.
pub(crate) fn planning_state(state: SessionState, catalog: &PublicCatalog, asker: usize) -> SessionState {
    if !check::is_needed(catalog, asker) {
        return state;
    }
    let rules =
        state.optimizers().iter().filter(|rule| rule.name() != "single_distinct_aggregation_to_group_by");
    let rules = rules.cloned().collect();
    with_checked_totals(SessionStateBuilder::new_from_existing(state).with_optimizer_rules(rules))
}
