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
        let mut by_keys = Origin::constant();
        // Whether the data alone say which rows match, and no choice of the question's.
        let mut by_columns = !join.on.is_empty() && join.filter.is_none();
        for (left_key, right_key) in &join.on {
            for (key, flow, keys) in [(left_key, &left, &mut left_keys), (right_key, &right, &mut right_keys)]
            {
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
                by_keys = by_keys.with(&origin, Shape::Bent);
            }
            same_values((&mut left, left_key), (&mut right, right_key))?;
        }
        if let Some(condition) = &join.filter {
            let schema = left.plan.schema().join(right.plan.schema()).map_err(planner)?;
            let origins: Vec<Origin> = left.origins.iter().chain(&right.origins).cloned().collect();
            let rows = Rows { schema: &schema, origins: &origins, operator: "JOIN condition", chosen: false };
            for part in split_conjunction(condition) {
                let decided = self.condition(&[part], &rows)?;
                left.decided(&decided);
                right.decided(&decided);
                by_keys = by_keys.with(&decided, Shape::Bent);
            }
        }
        for (table, key) in by_keys.all() {
            for presence in [left.tables.get_mut(&table), right.tables.get_mut(&table)].into_iter().flatten()
            {
                presence.keys.insert(key);
            }
        }
        for presence in left.tables.values_mut().chain(right.tables.values_mut()) {
            presence.picked = true;
        }
        let otherwise = (!by_columns).then_some(Choice::Join);
        let by_join = (!matches!(join.join_type, Inner | LeftSemi | RightSemi)).then_some(Choice::Join);
        let chosen = left.chosen.or(right.chosen).or(otherwise).or(by_join);
        let (left_one, right_one) = (left.is_unique(&left_keys), right.is_unique(&right_keys));
        let repeat = |flow: &mut Flow, chosen: Option<Choice>| {
            for presence in flow.tables.values_mut() {
                presence.repeated = true;
                presence.weighed = presence.weighed.or(chosen).or(otherwise);
            }
        };
        let lose =
            |flow: &mut Flow| flow.tables.values_mut().for_each(|presence| presence.uncountable = true);
        match join.join_type {
            Inner | Left | Right | Full => {
                let (left_chosen, right_chosen) = (left.chosen, right.chosen);
                if !right_one {
                    repeat(&mut left, right_chosen);
                }
                if !left_one {
                    repeat(&mut right, left_chosen);
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
                let can_be_null = [
                    (&mut left, matches!(join.join_type, Right | Full)),
                    (&mut right, matches!(join.join_type, Left | Full)),
                ];
                for origin in
                    can_be_null.into_iter().filter(|side| side.1).flat_map(|side| &mut side.0.origins)
                {
                    origin.nullable = true;
                    // A constant is none any more: it says which rows have a match.
                    if origin.parts.is_empty() {
                        origin.parts.insert(self.number());
                    }
                }
                let mut origins = left.origins;
                origins.extend(right.origins);
                Ok(beside(
                    plan,
                    origins,
                    unique,
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
                    repeat(&mut other, kept.chosen);
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
                    kept.unique,
                    (kept.tables, other.tables),
                    (kept.counted, other.counted),
                    (chosen, kept.parties, other.parties),
                ))
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

/// In rows that match, each key is the other one as well: a sum of it names rows of the other's table.
fn same_values(
    (left, left_key): (&mut Flow, &Expr),
    (right, right_key): (&mut Flow, &Expr),
) -> Result<(), PlanError> {
    let position = |flow: &Flow, key| -> Result<Option<usize>, PlanError> {
        let schema = flow.plan.schema();
        let key = uncast(key, schema)?;
        Ok(schema.columns().iter().position(|column| is_column(key, column)))
    };
    let (Some(at_left), Some(at_right)) = (position(left, left_key)?, position(right, right_key)?) else {
        return Ok(());
    };
    let (left, right) = (&mut left.origins[at_left], &mut right.origins[at_right]);
    let (of_left, of_right) = (left.values.clone(), right.values.clone());
    for (key, other) in [(left, of_right), (right, of_left)] {
        if !other.is_empty() {
            key.apart.retain(|table| other.iter().all(|source| source.0 != *table));
            key.askers = true;
            key.values.extend(other);
        }
    }
    Ok(())
}

fn beside(
    plan: LogicalPlan,
    origins: Vec<Origin>,
    unique: Vec<BTreeSet<usize>>,
    (mut tables, more_tables): (BTreeMap<TableId, Presence>, BTreeMap<TableId, Presence>),
    (mut counted, more_counted): (BTreeSet<TableId>, BTreeSet<TableId>),
    (chosen, mut parties, more_parties): (Option<Choice>, BTreeSet<usize>, BTreeSet<usize>),
) -> Flow {
    for (table, presence) in more_tables {
        tables.entry(table).or_default().merge(presence);
    }
    counted.extend(more_counted);
    parties.extend(more_parties);
    Flow { plan, origins, tables, counted, unique, chosen, parties }
}
