//! The order of inner joins: what one party holds is joined at that party, in clear; among shares the
//! order costs least by the public bounds.
//!
//! DataFusion joins tables as the question names them. Here the tree of inner joins becomes a list of inputs
//! and of conditions again, and the best tree over all subsets of the inputs is found by their bounds and
//! unique keys. Columns that equalities make equal stand for one another, so that two tables of one party meet
//! also where the question goes through a third one's.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DataFusionError, JoinConstraint, JoinType, NullEquality, Result};
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::logical_expr::{Expr, ExprSchemable, Filter, Join, LogicalPlan, Projection, lit};
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::{Optimizer, OptimizerContext};

use super::facts::Facts;
use super::{Home, Lowering};
use crate::error::PlanError;
use crate::secure::{JoinKind, NullKeys};

/// Beyond so many inputs the order of the question stays: subsets of pairs grow threefold with each.
const MOST_INPUTS: usize = 9;
/// A join of so many pairs is no way to go.
const MOST_PAIRS: u128 = 1 << 24;

/// The inner join of equal keys; NULL equals nothing.
pub(super) fn inner_join(
    left: Arc<LogicalPlan>,
    right: Arc<LogicalPlan>,
    keys: Vec<(Expr, Expr)>,
) -> Result<LogicalPlan> {
    let (inner, on, nulls) = (JoinType::Inner, JoinConstraint::On, NullEquality::NullEqualsNothing);
    Ok(LogicalPlan::Join(Join::try_new(left, right, keys, None, inner, on, nulls, false)?))
}

impl Lowering<'_> {
    /// The plan with its inner joins in the best order.
    pub(crate) fn order_joins(&self, plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
        let planner = |error: DataFusionError| PlanError::Planner { reason: error.strip_backtrace() };
        let mut changed = false;
        let ordered = self.reorder(plan, &mut changed).map_err(planner)?;
        if !changed {
            return Ok(ordered);
        }
        // Columns that only the joins read need not go on.
        let prune = Optimizer::with_rules(vec![Arc::new(OptimizeProjections::new())]);
        prune.optimize(ordered, &OptimizerContext::new(), |_, _| {}).map_err(planner)
    }

    fn reorder(&self, plan: LogicalPlan, changed: &mut bool) -> Result<LogicalPlan> {
        if !is_inner(&plan) {
            return Ok(plan.map_children(|child| Ok(Transformed::yes(self.reorder(child, changed)?)))?.data);
        }
        // What is joined comes first, and once: of trees in trees each one would double the work.
        let plan = map_inputs(plan, &mut |input| self.reorder(input, changed))?;
        self.reorder_tree(plan, changed)
    }

    /// A part of a tree of inner joins, whose inputs are in order.
    fn reorder_tree(&self, plan: LogicalPlan, changed: &mut bool) -> Result<LogicalPlan> {
        if !is_part(&plan) || !matches!(self.home(&plan), Ok(Home::Several)) {
            return Ok(plan);
        }
        if is_inner(&plan) {
            let mut tree = Joined::default();
            tree.gather(&plan);
            let best = if (3..=MOST_INPUTS).contains(&tree.inputs.len()) { tree.best(self)? } else { None };
            if let Some(best) = best {
                *changed = true;
                let columns = plan.schema().columns().into_iter().map(Expr::Column).collect();
                return Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(best))?));
            }
        }
        Ok(plan.map_children(|child| Ok(Transformed::yes(self.reorder_tree(child, changed)?)))?.data)
    }
}

/// Whether a node is a part of a tree of inner joins: a join, or what leaves its rows in place.
fn is_part(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => {
            is_inner(&projection.input) && projection.expr.iter().all(|expr| matches!(expr, Expr::Column(_)))
        }
        LogicalPlan::Filter(filter) => is_inner(&filter.input),
        plan => is_inner(plan),
    }
}

/// The tree with other inputs.
fn map_inputs(
    plan: LogicalPlan,
    input: &mut impl FnMut(LogicalPlan) -> Result<LogicalPlan>,
) -> Result<LogicalPlan> {
    if !is_part(&plan) {
        return input(plan);
    }
    Ok(plan.map_children(|child| Ok(Transformed::yes(map_inputs(child, input)?)))?.data)
}

fn is_inner(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Join(join) if join.join_type == JoinType::Inner
        && join.null_equality == NullEquality::NullEqualsNothing && !join.null_aware)
}

/// A tree of inner joins, taken apart.
#[derive(Default)]
struct Joined {
    inputs: Vec<Arc<LogicalPlan>>,
    equalities: Vec<(Expr, Expr)>,
    filters: Vec<Expr>,
    /// Columns that are equal.
    classes: Vec<Vec<Column>>,
}

/// The best way to join some of the inputs.
struct Best {
    facts: Facts,
    columns: Vec<Column>,
    home: Home,
    cost: u128,
    /// The inputs of either side, as bits; none for one input.
    sides: Option<(usize, usize)>,
}

impl Joined {
    fn gather(&mut self, plan: &LogicalPlan) {
        match plan {
            LogicalPlan::Join(join) if is_inner(plan) => {
                self.gather(&join.left);
                self.gather(&join.right);
                self.equalities.extend(join.on.iter().cloned());
                self.filters.extend(join.filter.clone().into_iter().flat_map(split_conjunction_owned));
            }
            LogicalPlan::Projection(projection) if is_part(plan) => self.gather(&projection.input),
            LogicalPlan::Filter(filter) if is_part(plan) => {
                self.filters.extend(split_conjunction_owned(filter.predicate.clone()));
                self.gather(&filter.input);
            }
            other => self.inputs.push(Arc::new(other.clone())),
        }
    }

    /// Sorts equalities of columns of one type into classes; others stay what they are.
    fn classify(&mut self) -> Result<()> {
        let mut others = Vec::new();
        for (left, right) in std::mem::take(&mut self.equalities) {
            let (Expr::Column(a), Expr::Column(b)) = (&left, &right) else {
                others.push((left, right));
                continue;
            };
            let ty = |column: &Column| {
                let input = self.inputs.iter().find(|input| input.schema().has_column(column));
                input.map(|input| Expr::Column(column.clone()).get_type(input.schema())).transpose()
            };
            if ty(a)? != ty(b)? {
                others.push((left, right));
                continue;
            }
            let (with, mut rest): (Vec<_>, Vec<_>) =
                self.classes.drain(..).partition(|class| class.contains(a) || class.contains(b));
            let mut merged: Vec<Column> = with.into_iter().flatten().collect();
            for column in [a, b] {
                if !merged.contains(column) {
                    merged.push(column.clone());
                }
            }
            rest.push(merged);
            self.classes = rest;
        }
        self.equalities = others;
        Ok(())
    }

    /// The best tree over all inputs, if every input is joined with another.
    fn best(mut self, lowering: &Lowering<'_>) -> Result<Option<LogicalPlan>> {
        self.classify()?;
        let n = self.inputs.len();
        let columns = || self.inputs.iter().flat_map(|input| input.schema().columns());
        // Inputs of a derived table may have names that stand for others outside of it.
        if columns().collect::<BTreeSet<_>>().len() < columns().count() {
            return Ok(None);
        }
        let mut best: Vec<Option<Best>> = (0..1usize << n).map(|_| None).collect();
        for (at, input) in self.inputs.iter().enumerate() {
            let Ok(home) = lowering.home(input) else { return Ok(None) };
            let facts = match home {
                Home::Party(_) => lowering.local_facts(input),
                _ => lowering.relation(input).map(|relation| relation.facts),
            };
            let Ok(facts) = facts else { return Ok(None) };
            best[1 << at] =
                Some(Best { facts, columns: input.schema().columns(), home, cost: 0, sides: None });
        }
        for set in 1..1usize << n {
            // Every split once: the lowest input is on the left.
            let mut left = set;
            while set.count_ones() > 1 && left > 0 {
                left = (left - 1) & set;
                let right = set & !left;
                if left & set & set.wrapping_neg() == 0 || right == 0 {
                    continue;
                }
                let (Some(a), Some(b)) = (&best[left], &best[right]) else { continue };
                let Some(candidate) = self.joined(a, b, (left, right)) else { continue };
                if best[set].as_ref().is_none_or(|known| candidate.cost < known.cost) {
                    best[set] = Some(candidate);
                }
            }
        }
        let all = (1 << n) - 1;
        if best[all].is_none() {
            return Ok(None);
        }
        // An equality that no join has for a key is a condition like others.
        let equal = self.equalities.iter().map(|(left, right)| left.clone().eq(right.clone()));
        let mut filters: Vec<Option<Expr>> = self.filters.iter().cloned().chain(equal).map(Some).collect();
        let plan = self.build(&best, all, &mut filters)?;
        let left_over = filters.into_iter().flatten().reduce(Expr::and).unwrap_or(lit(true));
        debug_assert_eq!(left_over, lit(true), "every condition has found its columns");
        Ok(Some(plan))
    }

    /// The pairs of keys that join two sides.
    fn keys(&self, a: &Best, b: &Best) -> Vec<(Expr, Expr)> {
        // Of equal columns one that is part of a unique key may make the join a lookup.
        let chosen = |side: &Best, class: &[Column]| {
            let of_side =
                || class.iter().filter_map(|column| side.columns.iter().position(|own| own == column));
            let is_key = |at: &usize| side.facts.unique.iter().any(|key| key.columns.contains(at));
            let at = of_side().find(is_key).or_else(|| of_side().next())?;
            Some(Expr::Column(side.columns[at].clone()))
        };
        let mut keys: Vec<(Expr, Expr)> =
            self.classes.iter().filter_map(|class| Some((chosen(a, class)?, chosen(b, class)?))).collect();
        let reads = |side: &Best, expr: &Expr| {
            expr.column_refs().into_iter().all(|column| side.columns.contains(column))
        };
        for (left, right) in &self.equalities {
            if reads(a, left) && reads(b, right) {
                keys.push((left.clone(), right.clone()));
            } else if reads(b, left) && reads(a, right) {
                keys.push((right.clone(), left.clone()));
            }
        }
        keys
    }

    fn joined(&self, a: &Best, b: &Best, sides: (usize, usize)) -> Option<Best> {
        let keys = self.keys(a, b);
        if keys.is_empty() {
            return None;
        }
        let position = |side: &Best, expr: &Expr| match expr {
            Expr::Column(column) => side.columns.iter().position(|own| own == column),
            _ => None,
        };
        let pairs = keys.iter().filter_map(|(x, y)| position(a, x).zip(position(b, y)));
        let (left, right): (Vec<usize>, Vec<usize>) = pairs.unzip();
        let on = ((&a.facts, left.as_slice()), (&b.facts, right.as_slice()));
        let unique = Facts::unique_side(on.0, on.1, JoinKind::Inner, NullKeys::Never).is_some();
        let n_pairs = Facts::pairs(on.0, on.1, NullKeys::Never);
        if !unique && n_pairs > MOST_PAIRS {
            return None;
        }
        let home = match (a.home, b.home) {
            (Home::Nobody, other) | (other, Home::Nobody) => other,
            (one, other) if one == other => one,
            _ => Home::Several,
        };
        let sorted = |rows: u128| rows * u128::from(4 + 128 - rows.leading_zeros());
        let n_rows = u128::from(a.facts.bound) + u128::from(b.facts.bound);
        let own = match (home, unique) {
            (Home::Several, true) => sorted(n_rows),
            (Home::Several, false) => sorted(n_rows) + 3 * sorted(n_pairs),
            (_, true) => 0,
            (_, false) => n_pairs,
        };
        let facts = Facts::join(on.0, on.1, JoinKind::Inner, NullKeys::Never).ok()?;
        let columns = a.columns.iter().chain(&b.columns).cloned().collect();
        Some(Best { facts, columns, home, cost: a.cost + b.cost + own, sides: Some(sides) })
    }

    /// The tree of a set of inputs, with each condition where its columns first meet.
    fn build(&self, best: &[Option<Best>], set: usize, filters: &mut [Option<Expr>]) -> Result<LogicalPlan> {
        let part = best[set].as_ref().expect("parts of a joined set are joined");
        let (plan, mut conditions) = match part.sides {
            None => {
                let input = &self.inputs[set.trailing_zeros() as usize];
                (input.as_ref().clone(), self.within(part))
            }
            Some((left, right)) => {
                let (a, b) = (self.build(best, left, filters)?, self.build(best, right, filters)?);
                let keys = best[left].as_ref().zip(best[right].as_ref()).map(|(a, b)| self.keys(a, b));
                let keys = keys.unwrap_or_default();
                for (x, y) in &keys {
                    let either = [x.clone().eq(y.clone()), y.clone().eq(x.clone())];
                    let is_key = |filter: &&mut Option<Expr>| {
                        filter.as_ref().is_some_and(|filter| either.contains(filter))
                    };
                    filters.iter_mut().filter(is_key).for_each(|filter| *filter = None);
                }
                (inner_join(Arc::new(a), Arc::new(b), keys)?, Vec::new())
            }
        };
        for filter in filters.iter_mut() {
            let reads =
                |filter: &Expr| filter.column_refs().iter().all(|column| part.columns.contains(column));
            if filter.as_ref().is_some_and(reads) {
                conditions.extend(filter.take());
            }
        }
        match conditions.into_iter().reduce(Expr::and) {
            Some(condition) => Ok(LogicalPlan::Filter(Filter::try_new(condition, Arc::new(plan))?)),
            None => Ok(plan),
        }
    }

    /// Equalities that one input's own columns owe to others.
    fn within(&self, part: &Best) -> Vec<Expr> {
        let mut all = Vec::new();
        for class in &self.classes {
            let own: Vec<&Column> = class.iter().filter(|column| part.columns.contains(column)).collect();
            for pair in own.windows(2) {
                all.push(Expr::Column(pair[0].clone()).eq(Expr::Column(pair[1].clone())));
            }
        }
        all
    }
}
