//! Joins that give pairs: by keys of which one side is unique, by keys that repeat up to a public
//! number, or by comparing every pair of rows.

use datafusion::common::{JoinType, NullEquality};
use datafusion::logical_expr::{Expr as LogicalExpr, Join as LogicalJoin};

use super::facts::Facts;
use super::inexact::refuse_rounded;
use super::operators::{keep, project};
use super::{Lowering, Relation, typed};
use crate::error::{At, PlanError};
use crate::secure::{Expr, ExprKind, Join, JoinKind, Matching, NullKeys, Op, Place};
use crate::types::Type;

/// The most pairs of rows that are compared one by one.
const MOST_PAIRS: u128 = 1 << 24;
/// Up to so many pairs, comparing all of them is quicker than sorting.
const FEW_PAIRS: u128 = 1 << 13;

/// What is known of a side, and its key columns.
type Keyed<'a> = (&'a Facts, &'a [usize]);

/// Two inputs of a join and their keys, pair by pair.
pub(super) struct Sides {
    pub(super) left: Relation,
    pub(super) right: Relation,
    pub(super) keys: Vec<(Expr, Expr)>,
}

impl Lowering<'_> {
    pub(super) fn join(&self, join: &LogicalJoin) -> Result<Relation, PlanError> {
        match join.join_type {
            JoinType::Inner => self.pairs(join, JoinKind::Inner, false),
            JoinType::Left => self.pairs(join, JoinKind::Left, false),
            JoinType::Right => self.pairs(join, JoinKind::Left, true),
            JoinType::Full => self.pairs(join, JoinKind::Full, false),
            JoinType::LeftSemi => self.existence(join, JoinKind::Semi, false),
            JoinType::RightSemi => self.existence(join, JoinKind::Semi, true),
            JoinType::LeftAnti => self.existence(join, JoinKind::Anti, false),
            JoinType::RightAnti => self.existence(join, JoinKind::Anti, true),
            JoinType::LeftMark => self.existence(join, JoinKind::Mark, false),
            JoinType::RightMark => self.existence(join, JoinKind::Mark, true),
        }
    }

    /// A join of pairs; a right join is a left one with sides swapped.
    fn pairs(&self, join: &LogicalJoin, kind: JoinKind, swapped: bool) -> Result<Relation, PlanError> {
        let (left, right) = (self.relation(&join.left)?, self.relation(&join.right)?);
        let keys = self.keys(join, &left, &right)?;
        let condition = self.condition(join, &left, &right)?;
        let n_right = right.facts.fields.len();
        let sides = Sides { left, right, keys };
        let joined = self.matched(join, kind, sides.swapped_if(swapped), condition, swapped)?;
        // The keys' own columns have gone; what is left is in DataFusion's order,
        // unless the sides were swapped.
        Ok(if swapped { rotate(joined, n_right) } else { joined })
    }

    /// The keys of both sides as one type and scale.
    pub(super) fn keys(
        &self,
        join: &LogicalJoin,
        left: &Relation,
        right: &Relation,
    ) -> Result<Vec<(Expr, Expr)>, PlanError> {
        let (left_scalars, right_scalars) =
            (self.scalars(join.left.schema(), &left.facts), self.scalars(join.right.schema(), &right.facts));
        let mut keys = Vec::new();
        for (left_key, right_key) in &join.on {
            let pair =
                same_type((left_scalars.lower(left_key)?, left), (right_scalars.lower(right_key)?, right))
                    .map_err(|error| error.placed(self.locator.word("JOIN")))?;
            if !keys.contains(&pair) {
                keys.push(pair);
            }
        }
        Ok(keys)
    }

    /// What a join asks of a pair beside equal keys: over the left columns, then the right ones.
    pub(super) fn condition(
        &self,
        join: &LogicalJoin,
        left: &Relation,
        right: &Relation,
    ) -> Result<Option<Expr>, PlanError> {
        let Some(filter) = join.filter.as_ref().filter(|filter| !is_true(filter)) else { return Ok(None) };
        let schema = join.left.schema().join(join.right.schema());
        let schema = schema.map_err(|error| PlanError::Planner { reason: error.strip_backtrace() })?;
        let fields = [left.facts.fields.as_slice(), right.facts.fields.as_slice()].concat();
        let both = Facts { fields, bound: 0, unique: vec![], matches: vec![] };
        self.scalars(&schema, &both).lower(filter).map(Some)
    }

    /// Finds the matches in the best way there is. `condition` is over the columns of both sides as
    /// DataFusion has them, which `swapped` sides have the other way round.
    pub(super) fn matched(
        &self,
        join: &LogicalJoin,
        kind: JoinKind,
        sides: Sides,
        condition: Option<Expr>,
        swapped: bool,
    ) -> Result<Relation, PlanError> {
        let nulls = nulls(join);
        let (n_left, n_right) = (sides.left.facts.fields.len(), sides.right.facts.fields.len());
        let Sides { left, right, keys } = sides;
        let (left_keys, right_keys): (Vec<Expr>, Vec<Expr>) = keys.into_iter().unzip();
        let (left, left_keys) = with_keys(left, left_keys);
        let (right, right_keys) = with_keys(right, right_keys);
        let n_wide = left.facts.fields.len();
        let condition = condition.map(|condition| {
            let (first, second) = (0..n_left, n_wide..n_wide + n_right);
            let columns = if swapped { second.chain(first) } else { first.chain(second) };
            condition.with_columns(&columns.collect::<Vec<_>>())
        });
        let on = ((&left.facts, left_keys.as_slice()), (&right.facts, right_keys.as_slice()));
        let matching = match Facts::unique_side(on.0, on.1, kind, nulls) {
            Some((unique_side, uniqueness)) => Matching::Lookup { unique_side, uniqueness },
            None => self.many_to_many(join, on, nulls)?,
        };
        let mut facts =
            Facts::join(on.0, on.1, if kind.gives_pairs() { kind } else { JoinKind::Inner }, nulls)?;
        let computed = n_wide > n_left || right.facts.fields.len() > n_right;
        match kind {
            JoinKind::Semi | JoinKind::Anti => facts = left.facts.clone(),
            JoinKind::Mark => facts = marked(&left.facts),
            JoinKind::Inner | JoinKind::Left | JoinKind::Full => {}
        }
        // Of an inner join that looks matches up the condition is a filter like any other.
        let above = matches!((kind, matching), (JoinKind::Inner, Matching::Lookup { .. }));
        let (condition, filter) = if above { (None, condition) } else { (condition, None) };
        let op = Op::Join(Join { kind, left_keys, right_keys, nulls, condition, matching });
        let mut joined = Relation { op, place: Place::Shared, facts, inputs: vec![left, right] };
        if let Some(filter) = filter {
            joined = keep(joined, filter);
        }
        if !computed {
            return Ok(joined);
        }
        let n_columns = joined.facts.fields.len();
        let behind = if kind.gives_pairs() { n_wide..n_wide + n_right } else { n_wide..n_columns };
        Ok(pick(joined, (0..n_left).chain(behind)))
    }

    /// How to find matches where neither side is unique.
    fn many_to_many(
        &self,
        join: &LogicalJoin,
        on: (Keyed<'_>, Keyed<'_>),
        nulls: NullKeys,
    ) -> Result<Matching, PlanError> {
        let every = u128::from(on.0.0.bound) * u128::from(on.1.0.bound);
        let most = Facts::pairs(on.0, on.1, nulls);
        if every <= FEW_PAIRS || every <= MOST_PAIRS && (on.0.1.is_empty() || most >= every / 4) {
            return Ok(Matching::Pairs);
        }
        if most < every && most <= MOST_PAIRS && !on.0.1.is_empty() {
            return Ok(Matching::Expand { at_most: most as u64 });
        }
        let place = ["JOIN", "EXISTS", "WHERE", "FROM"].iter().find_map(|word| self.locator.word(word));
        if join.on.is_empty() {
            let reason = format!(
                "{every} pairs of rows would be compared, more than {MOST_PAIRS}; join on an equality, or \
                 declare fewer rows"
            );
            return Err(
                PlanError::unsupported("a join without an equality of so many rows", reason).placed(place)
            );
        }
        let name = |expr: &LogicalExpr| expr.human_display().to_string();
        let on = join.on.iter().map(|(left, right)| format!("{} = {}", name(left), name(right)));
        let on: Vec<String> = on.collect();
        let (left, right): (Vec<String>, Vec<String>) =
            join.on.iter().map(|(left, right)| (name(left), name(right))).unzip();
        Err(PlanError::ManyToMany {
            on: on.join(" AND "),
            left: format!("({})", left.join(", ")),
            right: format!("({})", right.join(", ")),
            pairs: u64::try_from(most).unwrap_or(u64::MAX),
            limit: MOST_PAIRS as u64,
            at: At(place),
        })
    }
}

impl Sides {
    pub(super) fn swapped_if(self, swapped: bool) -> Sides {
        if !swapped {
            return self;
        }
        let keys = self.keys.into_iter().map(|(left, right)| (right, left)).collect();
        Sides { left: self.right, right: self.left, keys }
    }
}

fn marked(left: &Facts) -> Facts {
    let mut facts = left.clone();
    facts.fields.push(super::facts::field("mark", Type::Bool, false, Type::Bool.range(), 0));
    facts
}

pub(super) fn nulls(join: &LogicalJoin) -> NullKeys {
    match join.null_equality {
        NullEquality::NullEqualsNull => NullKeys::Equal,
        NullEquality::NullEqualsNothing => NullKeys::Never,
    }
}

fn is_true(filter: &LogicalExpr) -> bool {
    matches!(filter, LogicalExpr::Literal(datafusion::common::ScalarValue::Boolean(Some(true)), _))
}

/// Keys of two relations as one type and scale.
pub(super) fn same_type(
    (left, left_rows): (Expr, &Relation),
    (right, right_rows): (Expr, &Relation),
) -> Result<(Expr, Expr), PlanError> {
    let equal = typed::compare(crate::secure::Comparison::Eq, left, right)?;
    let ExprKind::Compare { left, right, .. } = equal.kind else {
        return Err(PlanError::unsupported("a join on a constant condition", ""));
    };
    refuse_rounded(&left, left_rows, "a join")?;
    refuse_rounded(&right, right_rows, "a join")?;
    Ok((*left, *right))
}

/// The relation with its keys as columns: computed ones behind its own.
pub(super) fn with_keys(input: Relation, keys: Vec<Expr>) -> (Relation, Vec<usize>) {
    let fields = &input.facts.fields;
    let mut names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
    let mut exprs: Vec<Expr> = fields.iter().enumerate().map(|(i, field)| typed::column(i, field)).collect();
    let known = names.clone();
    let mut columns = Vec::new();
    for key in keys {
        let column = exprs.iter().position(|expr| *expr == key).unwrap_or_else(|| {
            names.push(key.display(&known).to_string());
            exprs.push(key);
            exprs.len() - 1
        });
        columns.push(column);
    }
    if exprs.len() == known.len() { (input, columns) } else { (project(input, exprs, names), columns) }
}

/// Some of the columns.
pub(super) fn pick(input: Relation, columns: impl Iterator<Item = usize>) -> Relation {
    let (mut exprs, mut names) = (Vec::new(), Vec::new());
    for column in columns {
        exprs.push(typed::column(column, &input.facts.fields[column]));
        names.push(input.facts.fields[column].name.clone());
    }
    project(input, exprs, names)
}

/// The columns from `by` on, then the others.
fn rotate(input: Relation, by: usize) -> Relation {
    let n_columns = input.facts.fields.len();
    pick(input, (by..n_columns).chain(0..by))
}
