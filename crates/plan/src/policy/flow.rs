//! What is known of the columns and rows of a plan's node, for the check.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::logical_expr::LogicalPlan;

use crate::types::Range;

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
    /// The columns of tables that all of this comes from, which no grouping forgets: a value of groups
    /// is one column again, but what it was made of stays.
    pub(super) roots: BTreeSet<usize>,
    /// Those, and the keys that a join has found equal to them.
    pub(super) kin: BTreeSet<usize>,
    /// The range of a table's column of numbers, as it is there.
    pub(super) range: Option<Range>,
    /// Whether a column with two values at most is in it.
    pub(super) few: bool,
    /// Whether it can be NULL.
    pub(super) nullable: bool,
    /// Tables without a row where it is NULL.
    pub(super) absent: BTreeSet<TableId>,
    /// Whether the asker's own values are in it, or others that the question chose: constants and
    /// counts of a table that was joined, and what came through a union.
    pub(super) askers: bool,
    /// Tables in whose rows no value of the asker's is in it all the same.
    pub(super) apart: BTreeSet<TableId>,
    /// Tables beside whose rows a join has put it, and whose owner it is not from.
    pub(super) foreign: BTreeSet<TableId>,
    /// Columns of a table by which a join has put it beside the table's rows: what is found by a column
    /// says of a row what the column says.
    pub(super) found: BTreeSet<(TableId, BTreeSet<usize>)>,
    /// Tables whose groups it tells of.
    pub(super) groups: BTreeSet<TableId>,
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
            roots: BTreeSet::new(),
            kin: BTreeSet::new(),
            range: None,
            few: false,
            nullable: false,
            absent: BTreeSet::new(),
            askers: false,
            apart: BTreeSet::new(),
            foreign: BTreeSet::new(),
            found: BTreeSet::new(),
            groups: BTreeSet::new(),
            entity: None,
        }
    }

    /// A column that no rule is about, under its number.
    pub(super) fn column(number: usize, askers: bool, nullable: bool) -> Origin {
        Origin { shape: Shape::Degree(1), askers, nullable, ..Origin::constant() }.numbered(number)
    }

    /// The same as a column of its own.
    pub(super) fn numbered(mut self, number: usize) -> Origin {
        self.parts = BTreeSet::from([number]);
        if self.roots.is_empty() {
            self.roots.insert(number);
            self.kin.insert(number);
        }
        self
    }

    /// What follows from both, of this shape.
    pub(super) fn with(mut self, other: &Origin, shape: Shape) -> Origin {
        self.apart = match (self.askers, other.askers) {
            (true, true) => self.apart.intersection(&other.apart).copied().collect(),
            (false, true) => other.apart.clone(),
            (_, false) => self.apart,
        };
        self.absent = match (self.nullable, other.nullable) {
            (true, true) => self.absent.intersection(&other.absent).copied().collect(),
            (false, true) => other.absent.clone(),
            (_, false) => self.absent,
        };
        self.values.extend(&other.values);
        self.conditions.extend(&other.conditions);
        self.parts.extend(&other.parts);
        self.roots.extend(&other.roots);
        self.kin.extend(&other.kin);
        self.foreign.extend(&other.foreign);
        self.found.extend(other.found.iter().cloned());
        self.groups.extend(&other.groups);
        self.range = None;
        self.few |= other.few;
        self.askers |= other.askers;
        self.nullable |= other.nullable;
        self.shape = shape;
        self.entity = None;
        self
    }

    pub(super) fn bent(self) -> Origin {
        let absent = BTreeSet::new();
        Origin { shape: Shape::Bent, nullable: true, absent, range: None, entity: None, ..self }
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

    /// Whether several columns are in it, be it behind groups.
    pub(super) fn is_of_several(&self) -> bool {
        self.parts.len() > 1 || self.roots.len() > 1
    }

    /// Whether columns of `table` are in it or decided on it.
    pub(super) fn tells_of(&self, table: TableId) -> bool {
        self.values.iter().chain(&self.conditions).any(|source| source.0 == table)
    }

    /// The sets of columns of `table` that say it: its own, and those by which others were found.
    pub(super) fn ways(&self, table: TableId) -> BTreeSet<BTreeSet<usize>> {
        let own = self.values.iter().chain(&self.conditions).filter(|source| source.0 == table);
        let own: BTreeSet<usize> = own.map(|source| source.1).collect();
        let found = self.found.iter().filter(|(of, _)| *of == table).map(|(_, columns)| columns.clone());
        found.chain(Some(own).filter(|own| !own.is_empty())).collect()
    }

    /// Whether columns of others than `table` are in it or decided on it, whosever they are.
    pub(super) fn is_beside(&self, table: TableId) -> bool {
        let others = self.all().iter().any(|source| source.0 != table);
        self.foreign.contains(&table) || others || self.groups.iter().any(|of| *of != table)
    }

    /// Whether columns of `table` and of others are both in it.
    pub(super) fn is_mixed(&self, table: TableId) -> bool {
        self.foreign.contains(&table) && self.tells_of(table)
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
            absent: BTreeSet::new(),
            range: None,
            apart,
            groups: self.groups.union(safe).copied().collect(),
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
    /// By a condition over more than a column, or over a key otherwise than by a range.
    Condition,
    /// By a join that is an outer one, or by anything but equal columns.
    Join,
    /// By rows of its own, which it matches with some of those that repeat one.
    Keys,
}

/// How the rows of a table with rules are in a node's rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Presence {
    /// The columns by which they were matched with others.
    pub(super) keys: BTreeSet<usize>,
    /// The columns that decided which of them are there, or in which order.
    pub(super) filters: BTreeSet<usize>,
    /// Those among them that did so otherwise than by a range.
    pub(super) loose: BTreeSet<usize>,
    /// Whether not all of them are there, or rows of other tables as well.
    pub(super) picked: bool,
    /// Whether a condition decided by its columns and other tables' together.
    pub(super) mixed: bool,
    /// Whether a window function or a LIMIT has looked at them in an order: what it says of a row, and
    /// whether the row is left, hangs on single others.
    pub(super) ranked: bool,
    /// Whether one of them can be there more than once.
    pub(super) repeated: bool,
    /// Columns with a value for each row that repeats one of them, by their roots.
    pub(super) lines: BTreeSet<usize>,
    /// How the question decides how often, if it does.
    pub(super) weighed: Option<Choice>,
    /// Whether somebody may have several rows in the table itself.
    pub(super) several: bool,
    /// Sets of columns that say together whom a row is about.
    pub(super) names: Vec<BTreeSet<usize>>,
    /// Whether the question takes some of somebody's rows and leaves others, by a condition over several
    /// columns.
    pub(super) torn: bool,
    /// Whether the entities behind the rows can no longer be counted.
    pub(super) uncountable: bool,
    /// Whether rows without one of this table are there or not by whether they match.
    pub(super) unmatched: bool,
}

impl Presence {
    /// The rows here and there.
    pub(super) fn merge(&mut self, other: Presence) {
        self.keys.extend(other.keys);
        self.filters.extend(other.filters);
        self.loose.extend(other.loose);
        self.picked |= other.picked;
        self.mixed |= other.mixed;
        self.ranked |= other.ranked;
        self.repeated |= other.repeated;
        self.lines.extend(other.lines);
        self.weighed = self.weighed.or(other.weighed);
        self.several |= other.several;
        self.names.extend(other.names);
        self.torn |= other.torn;
        self.uncountable |= other.uncountable;
        self.unmatched |= other.unmatched;
    }

    /// Whether these columns are one, or a name of somebody together.
    pub(super) fn is_one(&self, columns: &BTreeSet<usize>) -> bool {
        columns.len() <= 1 || self.names.iter().any(|name| columns.is_subset(name))
    }

    /// Whether different columns of `table` say it together.
    fn is_joint(&self, table: TableId, by: &Origin) -> bool {
        let ways = by.ways(table);
        ways.len() > 1 && !self.is_one(&ways.into_iter().flatten().collect())
    }

    /// Whether known rows can hide which one it is true for.
    pub(super) fn mixes(&self, table: TableId, by: &Origin) -> bool {
        by.is_mixed(table) || by.foreign.contains(&table) && self.is_joint(table, by)
    }

    /// Whether it takes some of somebody's rows and leaves others.
    pub(super) fn tears(&self, table: TableId, by: &Origin) -> bool {
        self.several && (by.is_of_several() && by.tells_of(table) || self.is_joint(table, by))
    }

    /// Whether it takes some of the rows that repeat one and leaves others.
    pub(super) fn picks(&self, table: TableId, by: &Origin) -> bool {
        self.repeated && by.is_beside(table) && (by.is_of_several() || !by.kin.is_disjoint(&self.lines))
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
    /// Columns with a value for each row, by their roots, or for each ahead of a join that repeats them;
    /// and whether the question takes single values of them.
    pub(super) lines: BTreeMap<usize, bool>,
    /// How the question decides how many rows there are of a key, if it does.
    pub(super) chosen: Option<Choice>,
    /// Whose tables are in it; the asker's for constants, and for tables that it may read.
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

    /// That a condition has decided which of the rows are left; `ranges` says whether each column did so
    /// by a range alone.
    pub(super) fn decided(&mut self, by: &Origin, ranges: bool) {
        let together = by.is_of_several().then_some(Choice::Condition);
        self.chosen = self.chosen.or(together);
        self.counted.extend(&by.groups);
        // A range of one column takes no single rows.
        for (root, single) in &mut self.lines {
            *single |= !ranges && by.kin.contains(root);
        }
        for (table, presence) in &mut self.tables {
            presence.picked = true;
            presence.mixed |= presence.mixes(*table, by);
            presence.torn |= presence.tears(*table, by);
            let picked = (together.is_some() || !ranges) && presence.picks(*table, by);
            presence.weighed = presence.weighed.or(picked.then_some(Choice::Condition));
        }
        self.showed(by, ranges);
    }

    /// That the rows tell of what was decided so, be it by their order.
    pub(super) fn showed(&mut self, by: &Origin, ranges: bool) {
        for (table, column) in by.all() {
            if let Some(presence) = self.tables.get_mut(&table) {
                presence.filters.insert(column);
                if !ranges {
                    presence.loose.insert(column);
                }
            }
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

    /// That these rows were found by columns of others.
    pub(super) fn found(&mut self, by: &Origin) {
        let tables = by.all().into_iter().map(|source| source.0);
        let tables: BTreeSet<TableId> = tables.chain(by.found.iter().map(|(table, _)| *table)).collect();
        for table in tables.into_iter().filter(|table| !self.tables.contains_key(table)) {
            let columns: BTreeSet<usize> = by.ways(table).into_iter().flatten().collect();
            self.origins.iter_mut().for_each(|origin| {
                origin.found.insert((table, columns.clone()));
            });
        }
    }

    /// The columns with entities in them.
    pub(super) fn entities(&self) -> impl Iterator<Item = (TableId, usize)> + '_ {
        let numbered = self.origins.iter().enumerate();
        numbered.filter_map(|(index, origin)| Some((origin.entity?, index)))
    }
}
