//! Joins under a policy: what may be matched, and whose rows a match repeats.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::{DFSchema, NullEquality};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, ExprSchemable, Join, JoinType, LogicalPlan};

use super::Grant;
use super::check::{Check, is_column, planner, rebuilt};
use super::expr::{Rows, widens};
use super::flow::{Choice, Flow, Origin, Presence, Shape, TableId};
use super::suppress;
use crate::error::PlanError;

impl Check<'_> {
    pub(super) fn join(&mut self, plan: &LogicalPlan, join: &Join) -> Result<Flow, PlanError> {
        use JoinType::{
            Full, Inner, Left, LeftAnti, LeftMark, LeftSemi, Right, RightAnti, RightMark, RightSemi,
        };
        let (mut left, mut right) = (self.walk(&join.left)?, self.walk(&join.right)?);
        left.stands_beside(right.tables.keys());
        right.stands_beside(left.tables.keys());
        let (mut left_keys, mut right_keys) = (BTreeSet::new(), BTreeSet::new());
        let (mut by_left, mut by_right) = (Origin::constant(), Origin::constant());
        // Whether the data alone say which rows match, and no choice of the question's.
        let mut by_columns = !join.on.is_empty() && join.filter.is_none();
        let mut computed: Vec<Origin> = Vec::new();
        for (left_key, right_key) in &join.on {
            for (key, flow, keys, by) in [
                (left_key, &left, &mut left_keys, &mut by_left),
                (right_key, &right, &mut right_keys, &mut by_right),
            ] {
                let origin = self.origin(key, &Rows::of(flow, "JOIN"))?;
                for source in &origin.values {
                    self.require(*source, Grant::Join, "JOIN")?;
                }
                let columns = flow.plan.schema().columns();
                let bare = matches!(key, Expr::Cast(cast) if matches!(*cast.expr, Expr::Column(_)));
                let key = uncast(key, flow.plan.schema())?;
                by_columns &= (bare || matches!(key, Expr::Column(_))) && origin.is_plain();
                // Equal NULLs can be many.
                let plain = join.null_equality == NullEquality::NullEqualsNothing
                    || !key.nullable(flow.plan.schema()).map_err(planner)?;
                keys.extend(columns.iter().position(|column| plain && is_column(key, column)));
                // A key that is computed from several columns chooses as a condition over them does.
                computed.extend(origin.is_of_several().then(|| origin.clone()));
                *by = by.clone().with(&origin, Shape::Bent);
            }
            self.same_values((&mut left, left_key), (&mut right, right_key))?;
        }
        left.found(&by_right);
        right.found(&by_left);
        let mut by_keys = by_left.clone().with(&by_right, Shape::Bent);
        if let Some(condition) = &join.filter {
            let schema = left.plan.schema().join(right.plan.schema()).map_err(planner)?;
            let origins: Vec<Origin> = left.origins.iter().chain(&right.origins).cloned().collect();
            let rows = Rows { schema: &schema, origins: &origins, operator: "JOIN condition", chosen: false };
            for part in split_conjunction(condition) {
                let decided = self.condition(&[part], &rows)?;
                left.decided(&decided, false);
                right.decided(&decided, false);
                by_keys = by_keys.with(&decided, Shape::Bent);
            }
        }
        for key in &computed {
            for (table, presence) in left.tables.iter_mut().chain(&mut right.tables) {
                presence.mixed |= key.tells_of(*table);
            }
        }
        let (of_left, of_right) = (left.chosen.is_some(), right.chosen.is_some());
        for (flow, by, here, there) in
            [(&mut left, &by_left, of_left, of_right), (&mut right, &by_right, of_right, of_left)]
        {
            flow.counted.extend(&by_keys.groups);
            for (table, presence) in &mut flow.tables {
                // What the question chose decides by all keys together, as a condition over them would.
                let columns = by.ways(*table).into_iter().flatten().collect();
                let chosen = there || here && by.foreign.contains(table);
                let together = chosen && !presence.is_one(&columns);
                presence.mixed |= together;
                presence.torn |= together && presence.several;
                let picked = there && presence.picks(*table, by);
                presence.weighed = presence.weighed.or(picked.then_some(Choice::Keys));
            }
        }
        for (table, key) in by_keys.all() {
            for presence in [left.tables.get_mut(&table), right.tables.get_mut(&table)].into_iter().flatten()
            {
                presence.keys.insert(key);
                presence.loose.insert(key);
            }
        }
        for presence in left.tables.values_mut().chain(right.tables.values_mut()) {
            presence.picked = true;
            presence.unmatched |= join.join_type == Full;
        }
        let otherwise = (!by_columns).then_some(Choice::Join);
        let by_join = (!matches!(join.join_type, Inner | LeftSemi | RightSemi)).then_some(Choice::Join);
        let chosen = left.chosen.or(right.chosen).or(otherwise).or(by_join);
        let (left_one, right_one) = (left.is_unique(&left_keys), right.is_unique(&right_keys));
        let repeat = |flow: &mut Flow, by: &Flow| {
            let single = by.lines.values().any(|single| *single).then_some(Choice::Condition);
            for presence in flow.tables.values_mut() {
                presence.repeated = true;
                presence.lines.extend(by.lines.keys());
                presence.weighed = presence.weighed.or(by.chosen).or(single).or(otherwise);
            }
        };
        let lose =
            |flow: &mut Flow| flow.tables.values_mut().for_each(|presence| presence.uncountable = true);
        match join.join_type {
            Inner | Left | Right | Full => {
                if !right_one {
                    repeat(&mut left, &right);
                }
                if !left_one {
                    repeat(&mut right, &left);
                }
                // Of what is looked up, the same row can be found many times.
                let mut lines = BTreeMap::new();
                for (flow, one, other_one) in [(&left, left_one, right_one), (&right, right_one, left_one)] {
                    if other_one || !one {
                        lines.extend(&flow.lines);
                    }
                }
                let width = left.origins.len();
                let shifted = right
                    .unique
                    .iter()
                    .map(|key| key.iter().map(|index| index + width).collect::<BTreeSet<_>>());
                let mut unique = Vec::new();
                // Rows of the other side without a match are all NULL on this one.
                if right_one && matches!(join.join_type, Inner | Left) {
                    unique.extend(left.unique.iter().cloned());
                }
                if left_one && matches!(join.join_type, Inner | Right) {
                    unique.extend(shifted);
                }
                let plan = if self.carry.is_some() {
                    rebuilt(plan, vec![left.plan.clone(), right.plan.clone()])?
                } else {
                    plan.clone()
                };
                if matches!(join.join_type, Right | Full) {
                    self.null_extended(&mut left, &by_keys);
                }
                if matches!(join.join_type, Left | Full) {
                    self.null_extended(&mut right, &by_keys);
                }
                let mut origins = left.origins;
                origins.extend(right.origins);
                Ok(beside(
                    plan,
                    origins,
                    (unique, lines),
                    (left.tables, right.tables),
                    (left.counted, right.counted),
                    (chosen, left.parties, right.parties),
                ))
            }
            LeftSemi | LeftAnti | LeftMark | RightSemi | RightAnti | RightMark => {
                let keeps_left = matches!(join.join_type, LeftSemi | LeftAnti | LeftMark);
                let (kept, mut other, kept_one, other_one) = match keeps_left {
                    true => (left, right, left_one, right_one),
                    false => (right, left, right_one, left_one),
                };
                if !kept_one {
                    // A row that is found several times counts as often.
                    repeat(&mut other, &kept);
                }
                let turns = matches!(join.join_type, LeftSemi | RightSemi) && other_one;
                if !turns {
                    lose(&mut other);
                }
                let mut origins = kept.origins.clone();
                let carried: Vec<TableId> = other.entities().map(|(table, _)| table).collect();
                let plan = match (carried.is_empty(), &self.carry) {
                    (false, _) if turns => {
                        let joined = suppress::as_inner(join, keeps_left, &kept, &other)?;
                        let entity = |table: &TableId| Origin { entity: Some(*table), ..Origin::constant() };
                        origins.extend(carried.iter().map(entity));
                        joined
                    }
                    (_, Some(_)) => {
                        let inputs = match keeps_left {
                            true => vec![kept.plan.clone(), other.plan.clone()],
                            false => vec![other.plan.clone(), kept.plan.clone()],
                        };
                        rebuilt(plan, inputs)?
                    }
                    _ => plan.clone(),
                };
                if matches!(join.join_type, LeftMark | RightMark) {
                    origins.push(
                        Origin { conditions: by_keys.all(), values: BTreeSet::new(), ..by_keys }.bent(),
                    );
                }
                Ok(beside(
                    plan,
                    origins,
                    (kept.unique, kept.lines),
                    (kept.tables, other.tables),
                    (kept.counted, other.counted),
                    (chosen, kept.parties, other.parties),
                ))
            }
        }
    }
}

impl Check<'_> {
    /// In rows that match, each key is the other one as well, and so is whatever is made of it: a sum of
    /// it names rows of the other's table.
    fn same_values(
        &mut self,
        (left, left_key): (&mut Flow, &Expr),
        (right, right_key): (&mut Flow, &Expr),
    ) -> Result<(), PlanError> {
        let of_left = self.origin(left_key, &Rows::of(left, "JOIN"))?;
        let of_right = self.origin(right_key, &Rows::of(right, "JOIN"))?;
        for (flow, key, other) in [(left, &of_left, &of_right), (right, &of_right, &of_left)] {
            for copy in flow.origins.iter_mut().filter(|copy| !copy.kin.is_disjoint(&key.kin)) {
                copy.kin.extend(&other.kin);
                if other.values.is_empty() {
                    continue;
                }
                copy.apart.retain(|table| other.values.iter().all(|source| source.0 != *table));
                copy.askers = true;
                copy.values.extend(&other.values);
            }
        }
        Ok(())
    }

    /// Columns of rows that an outer join may leave without a match: whether they are NULL tells of what
    /// the match hung on.
    fn null_extended(&mut self, flow: &mut Flow, by: &Origin) {
        let tables: BTreeSet<TableId> = flow.tables.keys().copied().collect();
        let mut conditions = by.conditions.clone();
        for (table, presence) in flow.tables.iter().filter(|(table, _)| self.protects(**table)) {
            conditions.extend(presence.filters.iter().map(|column| (*table, *column)));
        }
        for origin in &mut flow.origins {
            origin.absent = match origin.nullable {
                true => origin.absent.intersection(&tables).copied().collect(),
                false => tables.clone(),
            };
            origin.nullable = true;
            origin.conditions.extend(&conditions);
            // A constant is none any more: it says which rows have a match.
            if origin.parts.is_empty() {
                let number = self.number();
                *origin = origin.clone().numbered(number);
            }
        }
    }
}

/// The column whose values these are, in a wider type.
fn uncast<'a>(key: &'a Expr, schema: &DFSchema) -> Result<&'a Expr, PlanError> {
    let Expr::Cast(cast) = key else { return Ok(key) };
    let from = cast.expr.get_type(schema).map_err(planner)?;
    Ok(if widens(&from, cast.field.data_type()) { &cast.expr } else { key })
}

fn beside(
    plan: LogicalPlan,
    origins: Vec<Origin>,
    (unique, lines): (Vec<BTreeSet<usize>>, BTreeMap<usize, bool>),
    (mut tables, more_tables): (BTreeMap<TableId, Presence>, BTreeMap<TableId, Presence>),
    (mut counted, more_counted): (BTreeSet<TableId>, BTreeSet<TableId>),
    (chosen, mut parties, more_parties): (Option<Choice>, BTreeSet<usize>, BTreeSet<usize>),
) -> Flow {
    for (table, presence) in more_tables {
        tables.entry(table).or_default().merge(presence);
    }
    counted.extend(more_counted);
    parties.extend(more_parties);
    Flow { plan, origins, tables, counted, unique, lines, chosen, parties }
}
