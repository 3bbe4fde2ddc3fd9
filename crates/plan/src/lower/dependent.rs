//! Wide group columns that follow from another one: groups form by that one alone, and what follows
//! from it is looked up once for each group.
//!
//! `GROUP BY c_custkey, c_name, c_comment` over customers and another party's rows would carry names
//! and comments beside every row of the join and through the sort of the groups. Where one owner
//! holds all these columns and the first is its key, the others come from that owner as one row per
//! key, and join the groups when these are done.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DataFusionError, JoinType, NullEquality, Result};
use datafusion::functions_aggregate::min_max::min;
use datafusion::logical_expr::{Aggregate, Cast, Expr, ExprSchemable, LogicalPlan, Projection, TableScan};
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::{Optimizer, OptimizerContext};

use super::order::inner_join;
use super::push::{follow, trace};
use super::{Home, Lowering};
use crate::error::PlanError;

/// Bytes of group columns that are looked up rather than carried: fewer cost less than the join.
const LEAST_BYTES: u32 = 64;

/// A column of a table that a plan reads: the number of the scan, and the column's there.
type Origin = (usize, usize);

/// The group columns that follow from one of them.
struct Dependents {
    /// The owner's subtree.
    owner: LogicalPlan,
    /// The group column that the others follow from, and what it is at the owner.
    key: (usize, Expr),
    /// The others.
    columns: Vec<(usize, Expr)>,
}

impl Lowering<'_> {
    /// The plan with what follows from group keys looked up after grouping.
    pub(crate) fn look_up_dependents(&self, plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
        let planner = |error: DataFusionError| PlanError::Planner { reason: error.strip_backtrace() };
        let rewritten = plan.transform_up(|node| match &node {
            LogicalPlan::Aggregate(aggregate) => match self.dependents(aggregate) {
                Some(dependents) => Ok(Transformed::yes(looked_up(aggregate, &dependents)?)),
                None => Ok(Transformed::no(node)),
            },
            _ => Ok(Transformed::no(node)),
        });
        let rewritten = rewritten.map_err(planner)?;
        if !rewritten.transformed {
            return Ok(rewritten.data);
        }
        // What is looked up need not travel to the groups.
        let prune = Optimizer::with_rules(vec![Arc::new(OptimizeProjections::new())]);
        prune.optimize(rewritten.data, &OptimizerContext::new(), |_, _| {}).map_err(planner)
    }

    fn dependents(&self, aggregate: &Aggregate) -> Option<Dependents> {
        if !matches!(self.home(&aggregate.input), Ok(Home::Several)) {
            return None;
        }
        let mut traced = Vec::new();
        for (at, expr) in aggregate.group_expr.iter().enumerate() {
            if !matches!(expr, Expr::Column(_)) {
                continue;
            }
            if let Some((path, Expr::Column(column))) = trace(self, &aggregate.input, expr, false) {
                traced.push((at, path, column));
            }
        }
        traced.iter().find_map(|(at, path, key)| {
            let owner = follow(&aggregate.input, path);
            let index = |column: &Column| owner.schema().index_of_column(column).ok();
            let facts = self.local_facts(owner).ok()?;
            let key_at = index(key)?;
            if facts.fields.get(key_at)?.nullable {
                return None;
            }
            let follows = self.follows(owner, key_at)?;
            let others = traced.iter().filter(|(other, way, column)| {
                other != at && way == path && index(column).is_some_and(|index| follows.contains(&index))
            });
            let columns: Vec<_> = others.map(|(at, _, column)| (*at, Expr::Column(column.clone()))).collect();
            let bytes = columns.iter().filter_map(|(_, expr)| {
                let Expr::Column(column) = expr else { return None };
                Some(facts.fields.get(index(column)?)?.width_bytes)
            });
            (bytes.sum::<u32>() >= LEAST_BYTES).then(|| Dependents {
                owner: owner.clone(),
                key: (*at, Expr::Column(key.clone())),
                columns,
            })
        })
    }

    /// The columns of a plan that are the same in all rows with the same value of `key`.
    fn follows(&self, plan: &LogicalPlan, key: usize) -> Option<BTreeSet<usize>> {
        let mut origins = Origins::default();
        let columns = origins.of(plan)?;
        let mut known = BTreeSet::from([(*columns.get(key)?)?]);
        // Without NULL: a key is unique among rows that have one.
        let certain = |origin: &Origin, nullable: bool| {
            let equal = origins.equal.iter().any(|(a, b)| a == origin || b == origin);
            !nullable || equal || Some(Some(*origin)) == columns.get(key).copied()
        };
        loop {
            let before = known.len();
            for (a, b) in &origins.equal {
                if known.contains(a) || known.contains(b) {
                    known.extend([*a, *b]);
                }
            }
            for (number, scan) in origins.scans.iter().enumerate() {
                let facts = self.scan_facts(scan).ok()?;
                let is_known = |column: &usize| {
                    let origin = (number, *column);
                    known.contains(&origin) && certain(&origin, facts.fields[*column].nullable)
                };
                if facts.unique.iter().any(|key| key.columns.iter().all(is_known)) {
                    known.extend((0..facts.fields.len()).map(|column| (number, column)));
                }
            }
            if known.len() == before {
                break;
            }
        }
        let followed =
            columns.iter().enumerate().filter(|(_, origin)| origin.is_some_and(|o| known.contains(&o)));
        Some(followed.map(|(index, _)| index).collect())
    }
}

/// Which tables' columns a tree of inner joins gives, and which of them its joins make equal.
#[derive(Default)]
struct Origins<'a> {
    scans: Vec<&'a TableScan>,
    equal: Vec<(Origin, Origin)>,
}

impl<'a> Origins<'a> {
    /// Where each column of `plan` comes from, if it is some table's column as it stands.
    fn of(&mut self, plan: &'a LogicalPlan) -> Option<Vec<Option<Origin>>> {
        let n_columns = plan.schema().fields().len();
        Some(match plan {
            LogicalPlan::TableScan(scan) => {
                self.scans.push(scan);
                let number = self.scans.len() - 1;
                (0..n_columns).map(|column| Some((number, column))).collect()
            }
            LogicalPlan::Filter(filter) => self.of(&filter.input)?,
            LogicalPlan::SubqueryAlias(alias) => self.of(&alias.input)?,
            LogicalPlan::Projection(projection) => {
                let below = self.of(&projection.input)?;
                let schema = projection.input.schema();
                let origin = |expr: &Expr| match expr.clone().unalias() {
                    Expr::Column(column) => below[schema.index_of_column(&column).ok()?],
                    _ => None,
                };
                projection.expr.iter().map(origin).collect()
            }
            LogicalPlan::Join(join)
                if join.join_type == JoinType::Inner
                    && join.null_equality == NullEquality::NullEqualsNothing =>
            {
                let (left, right) = (self.of(&join.left)?, self.of(&join.right)?);
                for (a, b) in &join.on {
                    let (Expr::Column(a), Expr::Column(b)) = (a, b) else { continue };
                    let a = left[join.left.schema().index_of_column(a).ok()?];
                    let b = right[join.right.schema().index_of_column(b).ok()?];
                    self.equal.extend(a.zip(b));
                }
                left.into_iter().chain(right).collect()
            }
            _ => vec![None; n_columns],
        })
    }
}

fn key_name() -> String {
    "__group_key".to_owned()
}

fn name(at: usize) -> String {
    format!("__of_group_{at}")
}

/// Groups without the dependents, and beside each group its own.
fn looked_up(aggregate: &Aggregate, dependents: &Dependents) -> Result<LogicalPlan> {
    let Dependents { owner, key, columns } = dependents;
    let is_dependent = |at: usize| columns.iter().any(|(other, _)| *other == at);
    let kept: Vec<usize> = (0..aggregate.group_expr.len()).filter(|at| !is_dependent(*at)).collect();
    let group = kept.iter().map(|at| aggregate.group_expr[*at].clone()).collect();
    let groups = Aggregate::try_new(Arc::clone(&aggregate.input), group, aggregate.aggr_expr.clone())?;
    let groups = Arc::new(LogicalPlan::Aggregate(groups));

    // All values of a group are the same, so that the least is each of them.
    let least = columns.iter().map(|(_, expr)| min(expr.clone())).collect();
    let once = Aggregate::try_new(Arc::new(owner.clone()), vec![key.1.clone()], least)?;
    let once = Arc::new(LogicalPlan::Aggregate(once));
    let names = [key_name()].into_iter().chain(columns.iter().map(|(at, _)| name(*at)));
    let named = once.schema().columns().into_iter().zip(names);
    let named = named.map(|(column, name)| Expr::Column(column).alias(name)).collect();
    let once = Arc::new(LogicalPlan::Projection(Projection::try_new(named, once)?));

    let found = groups.schema().columns();
    let key_at = kept.iter().position(|at| *at == key.0).expect("a key does not follow from itself");
    let on = vec![(Expr::Column(found[key_at].clone()), Expr::Column(Column::new_unqualified(key_name())))];
    let joined = Arc::new(inner_join(Arc::clone(&groups), once, on)?);

    // The columns under their names and types from before.
    let n_group = aggregate.group_expr.len();
    let column_of = |at: usize| match kept.iter().position(|other| *other == at) {
        Some(position) => found[position].clone(),
        None if at < n_group => Column::new_unqualified(name(at)),
        None => found[kept.len() + at - n_group].clone(),
    };
    let restored = aggregate.schema.iter().enumerate().map(|(at, (qualifier, field))| {
        let column = Expr::Column(column_of(at));
        let same = column.get_type(joined.schema())? == *field.data_type();
        let typed = match same {
            true => column,
            false => Expr::Cast(Cast::new(Box::new(column), field.data_type().clone())),
        };
        Ok(typed.alias_qualified(qualifier.cloned(), field.name()))
    });
    let restored = restored.collect::<Result<Vec<_>>>()?;
    Ok(LogicalPlan::Projection(Projection::try_new(restored, joined)?))
}
