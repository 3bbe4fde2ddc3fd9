//! Where rows come from: tables, and constants of the question.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::{LogicalPlan, TableScan};

use super::Grant;
use super::check::{Check, planner};
use super::flow::{Choice, Flow, Origin, Presence, TableId};
use super::suppress;
use crate::error::PlanError;
use crate::types::Type;

impl Check<'_> {
    /// Rows that the question itself holds.
    pub(super) fn constants(&mut self, plan: &LogicalPlan, unique: Vec<BTreeSet<usize>>) -> Flow {
        let columns = plan.schema().fields().iter();
        Flow {
            plan: plan.clone(),
            origins: columns.map(|_| Origin::column(self.number(), true, true)).collect(),
            tables: BTreeMap::new(),
            counted: BTreeSet::new(),
            unique,
            lines: BTreeMap::new(),
            chosen: Some(Choice::Rows),
            parties: BTreeSet::from([self.asker]),
        }
    }

    /// The table that is read.
    pub(super) fn scanned(&self, scan: &TableScan) -> Option<TableId> {
        let party = scan.table_name.schema().and_then(|party| self.catalog.party_index(party))?;
        let tables = &self.catalog.parties[party].tables;
        Some((party, tables.iter().position(|table| table.name == scan.table_name.table())?))
    }

    /// Notes the tables of which the question reads revealed columns alone: all that it makes of them
    /// follows from their rows, which it could ask for.
    pub(super) fn note_revealed(&mut self, plan: &LogicalPlan) -> Result<(), PlanError> {
        let (mut revealed, mut hidden) = (BTreeSet::new(), BTreeSet::new());
        let seen = plan.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node
                && let Some(id) = self.scanned(scan)
                && let Some(rules) = self.table(id).policy.rules()
            {
                let columns = &self.table(id).columns;
                let is_read = |at: usize| rules.allows(&columns[at].name, Grant::Reveal);
                let all = match &scan.projection {
                    Some(read) => read.iter().all(|at| is_read(*at)),
                    None => (0..columns.len()).all(is_read),
                };
                let into = if all && rules.result_rows { &mut revealed } else { &mut hidden };
                into.insert(id);
            }
            Ok(TreeNodeRecursion::Continue)
        });
        seen.map_err(planner)?;
        self.revealed = revealed.difference(&hidden).copied().collect();
        Ok(())
    }

    pub(super) fn scan(&mut self, scan: &TableScan) -> Result<Flow, PlanError> {
        let Some(id) = self.scanned(scan) else {
            return Err(PlanError::Planner {
                reason: format!("the plan reads {}, which is no table", scan.table_name),
            });
        };
        let catalog = self.catalog;
        let table = &catalog.parties[id.0].tables[id.1];
        let columns: Vec<usize> =
            scan.projection.clone().unwrap_or_else(|| (0..table.columns.len()).collect());
        let rules = table.policy.rules().filter(|_| id.0 != self.asker);
        let all_groups = rules.is_some() && !self.protects(id);
        let is_read = |column: &usize| {
            let allows = |grant| rules.is_none_or(|rules| rules.allows(&table.columns[*column].name, grant));
            // Groups of one are rows.
            allows(Grant::Reveal) || all_groups && allows(Grant::Group)
        };
        let key = |key: &Vec<String>| {
            let position = |name: &String| {
                let index = table.column_index(name)?;
                columns.iter().position(|column| *column == index)
            };
            key.iter().map(position).collect::<Option<BTreeSet<usize>>>()
        };
        let unique: Vec<BTreeSet<usize>> =
            table.unique_keys.iter().filter_map(|fact| key(&fact.value)).collect();
        let origin = |column: &usize| {
            let known = &table.columns[*column];
            let ty = known.ty.value;
            let declared = known.range.as_ref().map(|range| range.value);
            let range = declared.or(ty.range()).filter(|_| ty.is_exact_number());
            let few = ty == Type::Bool || range.is_some_and(|range| range.n_values() <= 2);
            let values = rules.map(|_| (id, *column)).into_iter().collect();
            let origin = Origin::column(self.number(), is_read(column), known.nullable.value);
            Origin { values, range, few, ..origin }
        };
        let origins: Vec<Origin> = columns.iter().map(origin).collect();
        let lines = unique.iter().filter(|key| key.len() == 1).flatten();
        let lines = lines.flat_map(|index| origins[*index].roots.iter().map(|root| (*root, false))).collect();
        let mut flow = Flow {
            plan: LogicalPlan::TableScan(scan.clone()),
            origins,
            tables: BTreeMap::new(),
            counted: BTreeSet::new(),
            unique,
            lines,
            // Whoever reads rows knows how many there are of a key.
            chosen: columns.iter().any(is_read).then_some(Choice::Rows),
            parties: BTreeSet::from([if rules.is_some() { id.0 } else { self.asker }]),
        };
        if let Some(rules) = rules {
            *self.scans.entry(id).or_default() += 1;
            let picked = scan.fetch.is_some() || !scan.filters.is_empty();
            let within = |key: &Vec<String>| key.iter().all(|name| rules.entity.contains(name));
            let once = table.unique_keys.iter().any(|fact| within(&fact.value));
            let several = !rules.entity.is_empty() && !once;
            let position = |name: &String| table.column_index(name);
            let name = |columns: &Vec<String>| columns.iter().filter_map(position).collect();
            let keys = table.unique_keys.iter().filter(|_| !several).map(|fact| &fact.value);
            let names = keys.chain([&rules.entity]).map(name).collect();
            flow.tables.insert(id, Presence { picked, several, names, ..Presence::default() });
        }
        match self.carry.as_ref().is_some_and(|carry| carry.contains(&id)) {
            true => suppress::number_entities(self, scan, id, &columns, flow),
            false => Ok(flow),
        }
    }
}
