//! Joins that ask whether there is a match: EXISTS, IN, NOT IN, INTERSECT and EXCEPT.

use std::sync::Arc;

use datafusion::common::{DFSchema, JoinType};
use datafusion::functions_aggregate::min_max::{max, min};
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Expr as LogicalExpr, Join as LogicalJoin, LogicalPlan, LogicalPlanBuilder,
    Operator,
};

use super::join::{Sides, nulls, pick, same_type, with_keys};
use super::operators::project;
use super::{Lowering, Relation, typed};
use crate::error::PlanError;
use crate::secure::{Comparison, Expr, ExprKind, Join, JoinKind, Matching, NullKeys, Op, Place};
use crate::types::Type;

/// A condition that compares an expression of the outer side with one of the inner side.
struct Bounded {
    outer: LogicalExpr,
    op: Operator,
    inner: LogicalExpr,
}

impl Lowering<'_> {
    /// Left rows (right ones, if `swapped`) by whether they have a match.
    pub(super) fn existence(
        &self,
        join: &LogicalJoin,
        kind: JoinKind,
        swapped: bool,
    ) -> Result<Relation, PlanError> {
        if join.null_aware {
            return self.not_in(join);
        }
        // Whether there is any row at all is whether there is a first one.
        let first = |plan: &Arc<LogicalPlan>| match join.on.is_empty() && join.filter.is_none() {
            true => {
                let limited = LogicalPlanBuilder::from(Arc::clone(plan)).limit(0, Some(1));
                limited
                    .and_then(LogicalPlanBuilder::build)
                    .map_err(|error| PlanError::Planner { reason: error.strip_backtrace() })
            }
            false => Ok(plan.as_ref().clone()),
        };
        let (left, right) = match swapped {
            false => (self.relation(&join.left)?, self.relation(&first(&join.right)?)?),
            true => (self.relation(&first(&join.left)?)?, self.relation(&join.right)?),
        };
        let keys = self.keys(join, &left, &right)?;
        if !swapped
            && !is_unique(&right, &keys)
            && let Some(bounded) = bounded(join)
        {
            return self.by_extremes(join, kind, bounded);
        }
        let condition = self.condition(join, &left, &right)?;
        let sides = Sides { left, right, keys }.swapped_if(swapped);
        if condition.is_none() && !sides.keys.is_empty() {
            return self.member(kind, sides, nulls(join));
        }
        self.matched(join, kind, sides, condition, swapped)
    }

    /// `NOT IN (SELECT …)` where either side may be NULL.
    fn not_in(&self, join: &LogicalJoin) -> Result<Relation, PlanError> {
        let has_filter = join.filter.is_some();
        if join.join_type != JoinType::LeftAnti || join.on.len() != 1 || has_filter {
            let place = self.locator.phrase("NOT IN (");
            let reason = "say in WHERE … IS NOT NULL that there are none, or write NOT EXISTS";
            return Err(PlanError::unsupported("a correlated NOT IN over values that can be NULL", reason)
                .placed(place));
        }
        let (left, right) = (self.relation(&join.left)?, self.relation(&join.right)?);
        let keys = self.keys(join, &left, &right)?;
        let nullable = keys.iter().any(|(left, right)| left.nullable || right.nullable);
        let nulls = if nullable { NullKeys::Unknown } else { NullKeys::Never };
        self.member(JoinKind::Anti, Sides { left, right, keys }, nulls)
    }

    /// Left rows by whether their keys are among those of the right side.
    fn member(&self, kind: JoinKind, sides: Sides, nulls: NullKeys) -> Result<Relation, PlanError> {
        let Sides { left, right, keys } = sides;
        let n_left = left.facts.fields.len();
        let (left_keys, right_keys): (Vec<Expr>, Vec<Expr>) = keys.into_iter().unzip();
        let known: Vec<String> = right.facts.fields.iter().map(|field| field.name.clone()).collect();
        let names = right_keys.iter().map(|key| key.display(&known).to_string()).collect();
        let right_columns = (0..right_keys.len()).collect();
        let right = project(right, right_keys, names);
        let (left, left_keys) = with_keys(left, left_keys);
        let facts = left.facts.clone();
        let n_wide = facts.fields.len();
        let op = Op::Join(Join {
            kind,
            left_keys,
            right_keys: right_columns,
            nulls,
            condition: None,
            matching: Matching::Member,
        });
        let mut joined = Relation { op, place: Place::Shared, facts, inputs: vec![left, right] };
        if kind == JoinKind::Mark {
            joined.facts.fields.push(super::facts::field("mark", Type::Bool, false, Type::Bool.range(), 0));
        }
        let n_columns = joined.facts.fields.len();
        Ok(if n_wide > n_left { pick(joined, (0..n_left).chain(n_wide..n_columns)) } else { joined })
    }

    /// Some inner row is greater than `x` if the greatest one is, and differs from `x` if the
    /// least or the greatest does: so a group-by, which its owner may do in clear, leaves one inner row
    /// per key.
    fn by_extremes(
        &self,
        join: &LogicalJoin,
        kind: JoinKind,
        bounded: Bounded,
    ) -> Result<Relation, PlanError> {
        let planner = |error: datafusion::common::DataFusionError| PlanError::Planner {
            reason: error.strip_backtrace(),
        };
        let left = self.relation(&join.left)?;
        let mut groups: Vec<LogicalExpr> = Vec::new();
        let mut positions = Vec::new();
        for (_, key) in &join.on {
            let position = groups.iter().position(|known| known == key).unwrap_or_else(|| {
                groups.push(key.clone());
                groups.len() - 1
            });
            positions.push(position);
        }
        let n_groups = groups.len();
        let extremes = vec![min(bounded.inner.clone()), max(bounded.inner)];
        let grouped = Aggregate::try_new(Arc::clone(&join.right), groups, extremes).map_err(planner)?;
        let right = self.relation(&LogicalPlan::Aggregate(grouped))?;
        let left_scalars = self.scalars(join.left.schema(), &left.facts);
        let right_column = |at: usize| typed::column(at, &right.facts.fields[at]);
        let mut keys = Vec::new();
        for ((left_key, _), position) in join.on.iter().zip(positions) {
            let pair = same_type((left_scalars.lower(left_key)?, &left), (right_column(position), &right))
                .map_err(|error| error.placed(self.locator.word("EXISTS")))?;
            if !keys.contains(&pair) {
                keys.push(pair);
            }
        }
        let n_left = left.facts.fields.len();
        let outer = left_scalars.lower(&bounded.outer)?;
        let extreme = |at: usize| typed::column(n_left + n_groups + at, &right.facts.fields[n_groups + at]);
        let compare = |op, at| typed::compare(op, outer.clone(), extreme(at));
        let condition = match bounded.op {
            Operator::Lt => compare(Comparison::Lt, 1)?,
            Operator::LtEq => compare(Comparison::Le, 1)?,
            Operator::Gt => compare(Comparison::Gt, 0)?,
            Operator::GtEq => compare(Comparison::Ge, 0)?,
            _ => typed::or(vec![compare(Comparison::Ne, 0)?, compare(Comparison::Ne, 1)?]),
        };
        self.matched(join, kind, Sides { left, right, keys }, Some(condition), false)
    }
}

/// Whether a row has one partner at most on the right side.
fn is_unique(right: &Relation, keys: &[(Expr, Expr)]) -> bool {
    let column = |(_, key): &(Expr, Expr)| match key.kind {
        ExprKind::Column(index) => Some(index),
        _ => None,
    };
    let columns: Vec<usize> = keys.iter().filter_map(column).collect();
    right.facts.unique_on(&columns).is_some()
}

/// The join's condition, if it is one that extremes decide and there is no better way.
fn bounded(join: &LogicalJoin) -> Option<Bounded> {
    let Some(LogicalExpr::BinaryExpr(BinaryExpr { left, op, right })) = &join.filter else { return None };
    if nulls(join) == NullKeys::Equal {
        return None;
    }
    let reads = |expr: &LogicalExpr, schema: &DFSchema| {
        let columns = expr.column_refs();
        !columns.is_empty() && columns.into_iter().all(|column| schema.has_column(column))
    };
    let (outer, inner) = (join.left.schema(), join.right.schema());
    let known = matches!(op, Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq | Operator::NotEq);
    let op = Some(*op).filter(|_| known)?;
    if reads(left, outer) && reads(right, inner) {
        return Some(Bounded { outer: left.as_ref().clone(), op, inner: right.as_ref().clone() });
    }
    if reads(left, inner) && reads(right, outer) {
        return Some(Bounded { outer: right.as_ref().clone(), op: op.swap()?, inner: left.as_ref().clone() });
    }
    None
}
