//! What is known of the columns and rows of a plan's node, for the check.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::logical_expr::LogicalPlan;

/// A table with rules: the party's place and the table's in the catalog.
pub(super) type TableId = (usize, usize);

/// A column of a table with rules.
pub(super) type Source = (TableId, usize);

/// How a value follows from columns: as a polynomial of a degree, or in a bent way, by a condition
/// or a function that can single out some of the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    Degree(u32),
    Bent,
}

impl Shape {
    /// Of a sum or of anything else whose degree is the greater one.
    pub(super) fn beside(self, other: Shape) -> Shape {
        self.max(other)
    }

    pub(super) fn times(self, other: Shape) -> Shape {
        match (self, other) {
            (Shape::Degree(a), Shape::Degree(b)) => Shape::Degree(a.saturating_add(b)),
            _ => Shape::Bent,
        }
    }
}

/// Where a value comes from.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// Columns whose values are in it, row by row.
    pub(super) values: BTreeSet<Source>,
    /// Columns that decided which value it is.
    pub(super) conditions: BTreeSet<Source>,
    /// How it follows from columns.
    pub(super) shape: Shape,
    /// The columns it is made of, by numbers that no two columns of the plan share; none for a
    /// constant.
    pub(super) parts: BTreeSet<usize>,
    /// Whether it can be NULL.
    pub(super) nullable: bool,
    /// Whether the asker's own values are in it, or others that the question chose: constants and
    /// counts of a table that was joined, and what came through a union.
    pub(super) askers: bool,
    /// Tables in whose rows no value of the asker's is in it all the same.
    pub(super) apart: BTreeSet<TableId>,
    /// Tables beside whose rows a join has put it, and whose owner it is not from.
    pub(super) foreign: BTreeSet<TableId>,
    /// Whether it is the number of an entity of this table.
    pub(super) entity: Option<TableId>,
}

impl Origin {
    /// A constant.
    pub(super) fn constant() -> Origin {
        Origin {
            values: BTreeSet::new(),
            conditions: BTreeSet::new(),
            shape: Shape::Degree(0),
            parts: BTreeSet::new(),
            nullable: false,
            askers: false,
            apart: BTreeSet::new(),
            foreign: BTreeSet::new(),
            entity: None,
        }
    }

    /// A column that no rule is about, under its number.
    pub(super) fn column(number: usize, askers: bool, nullable: bool) -> Origin {
        let parts = BTreeSet::from([number]);
        Origin { shape: Shape::Degree(1), parts, askers, nullable, ..Origin::constant() }
    }

    /// What follows from both, of this shape.
    pub(super) fn with(mut self, other: &Origin, shape: Shape) -> Origin {
        self.apart = match (self.askers, other.askers) {
            (true, true) => self.apart.intersection(&other.apart).copied().collect(),
            (false, true) => other.apart.clone(),
            (_, false) => self.apart,
        };
        self.values.extend(&other.values);
        self.conditions.extend(&other.conditions);
        self.parts.extend(&other.parts);
        self.foreign.extend(&other.foreign);
        self.askers |= other.askers;
        self.nullable |= other.nullable;
        self.shape = shape;
        self.entity = None;
        self
    }

    pub(super) fn bent(self) -> Origin {
        Origin { shape: Shape::Bent, nullable: true, entity: None, ..self }
    }

    /// All columns that it tells something about.
    pub(super) fn all(&self) -> BTreeSet<Source> {
        self.values.union(&self.conditions).copied().collect()
    }

    /// The columns of `table` whose values are in it.
    pub(super) fn values_of(&self, table: TableId) -> Vec<Source> {
        self.values.iter().filter(|source| source.0 == table).copied().collect()
    }

    /// Whether it is one column, or as many times as much and more.
    pub(super) fn is_plain(&self) -> bool {
        self.parts.len() <= 1 && self.shape <= Shape::Degree(1)
    }

    /// Whether columns of `table` and of others are both in it.
    pub(super) fn is_mixed(&self, table: TableId) -> bool {
        let own = |source: &Source| source.0 == table;
        self.foreign.contains(&table) && (self.values.iter().any(own) || self.conditions.iter().any(own))
    }

    /// Whether the asker's own values stand in rows of `table`.
    pub(super) fn is_weighed(&self, table: TableId) -> bool {
        self.askers && !self.apart.contains(&table)
    }

    /// A value of groups: of these tables no single row is in it.
    pub(super) fn grouped(&self, safe: &BTreeSet<TableId>) -> Origin {
        let rest = |sources: &BTreeSet<Source>| -> BTreeSet<Source> {
            sources.iter().filter(|source| !safe.contains(&source.0)).copied().collect()
        };
        let apart = self.apart.difference(safe).copied().collect();
        Origin {
            values: rest(&self.values),
            conditions: rest(&self.conditions),
            shape: self.shape.max(Shape::Degree(1)),
            nullable: true,
            apart,
            entity: None,
            ..self.clone()
        }
    }
}

/// How a question chooses rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// It brings them: they are the asker's, constants or a union.
    Rows,
    /// By a condition over more than a column.
    Condition,
    /// By a join that is an outer one, or by anything but equal columns.
    Join,
}

/// How the rows of a table with rules are in a node's rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Presence {
    /// The columns by which they were matched with others.
    pub(super) keys: BTreeSet<usize>,
    /// The columns that decided which of them are there.
    pub(super) filters: BTreeSet<usize>,
    /// Whether not all of them are there, or rows of other tables as well.
    pub(super) picked: bool,
    /// Whether a condition decided by its columns and other tables' together.
    pub(super) mixed: bool,
    /// Whether a window function or a LIMIT has looked at them in an order: what it says of a row, and
    /// whether the row is left, hangs on single others.
    pub(super) ranked: bool,
    /// Whether one of them can be there more than once.
    pub(super) repeated: bool,
    /// How the question decides how often, if it does.
    pub(super) weighed: Option<Choice>,
    /// Whether the entities behind the rows can no longer be counted.
    pub(super) uncountable: bool,
}

impl Presence {
    /// The rows here and there.
    pub(super) fn merge(&mut self, other: Presence) {
        self.keys.extend(other.keys);
        self.filters.extend(other.filters);
        self.picked |= other.picked;
        self.mixed |= other.mixed;
        self.ranked |= other.ranked;
        self.repeated |= other.repeated;
        self.weighed = self.weighed.or(other.weighed);
        self.uncountable |= other.uncountable;
    }
}

/// A node of the plan.
pub(super) struct Flow {
    /// The node, with entities beside the rows where they are counted above.
    pub(super) plan: LogicalPlan,
    /// Its columns, one for each of the node's schema.
    pub(super) origins: Vec<Origin>,
    /// The tables with rules whose single rows decide on the node's.
    pub(super) tables: BTreeMap<TableId, Presence>,
    /// Tables whose groups decide on the number of the node's rows.
    pub(super) counted: BTreeSet<TableId>,
    /// Sets of columns on which no two rows agree; an empty one for a single row.
    pub(super) unique: Vec<BTreeSet<usize>>,
    /// How the question decides how many rows there are of a key, if it does.
    pub(super) chosen: Option<Choice>,
    /// Whose tables are in it; the asker's for constants.
    pub(super) parties: BTreeSet<usize>,
}

impl Flow {
    /// The rows have been looked at in an order.
    pub(super) fn ranked(&mut self) {
        self.tables.values_mut().for_each(|presence| presence.ranked = true);
    }

    /// Whether a row is the only one with its values of these columns.
    pub(super) fn is_unique(&self, columns: &BTreeSet<usize>) -> bool {
        self.unique.iter().any(|key| key.is_subset(columns))
    }

    /// That a condition has decided which of the rows are left.
    pub(super) fn decided(&mut self, by: &Origin) {
        let together = (by.parts.len() > 1).then_some(Choice::Condition);
        self.chosen = self.chosen.or(together);
        for (table, presence) in &mut self.tables {
            presence.picked = true;
            presence.mixed |= by.is_mixed(*table);
            let again = presence.repeated && by.foreign.contains(table);
            presence.weighed = presence.weighed.or(together.filter(|_| again));
            let own = by.values.union(&by.conditions).filter(|source| source.0 == *table);
            presence.filters.extend(own.map(|source| source.1));
        }
    }

    /// That rows of `tables` stand beside these.
    pub(super) fn stands_beside<'a>(&mut self, tables: impl Iterator<Item = &'a TableId>) {
        for table in tables.filter(|table| self.parties != BTreeSet::from([table.0])) {
            self.origins.iter_mut().for_each(|origin| {
                origin.foreign.insert(*table);
            });
        }
    }

    /// The columns with entities in them.
    pub(super) fn entities(&self) -> impl Iterator<Item = (TableId, usize)> + '_ {
        let numbered = self.origins.iter().enumerate();
        numbered.filter_map(|(index, origin)| Some((origin.entity?, index)))
    }
}
