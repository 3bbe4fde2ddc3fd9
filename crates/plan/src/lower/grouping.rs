//! GROUPING SETS, ROLLUP and CUBE: every row once for each set.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::logical_expr::Expr as LogicalExpr;
use datafusion::logical_expr::expr::GroupingSet;

use super::Relation;
use super::facts::{Facts, bounded, field};
use crate::error::PlanError;
use crate::secure::{Field, Op, Place};
use crate::types::{Range, Type};

/// A mark has a bit for each expression, as DataFusion's has.
const MAX_GROUPED: usize = 64;

/// What a grouping set is: which columns it has, and its mark.
pub(crate) type Sets = Vec<(Vec<bool>, i128)>;

/// The grouping expressions, and the sets if there are any.
pub(crate) fn grouping(exprs: &[LogicalExpr]) -> Result<(Vec<&LogicalExpr>, Option<Sets>), PlanError> {
    let [LogicalExpr::GroupingSet(set)] = exprs else {
        if exprs.iter().any(|expr| matches!(expr, LogicalExpr::GroupingSet(_))) {
            return Err(PlanError::unsupported("grouping sets among other expressions", ""));
        }
        return Ok((exprs.iter().collect(), None));
    };
    let all = set.distinct_expr();
    let keeps: Vec<Vec<bool>> = match set {
        GroupingSet::Rollup(list) => {
            (0..=list.len()).rev().map(|n| (0..list.len()).map(|at| at < n).collect()).collect()
        }
        GroupingSet::Cube(list) if list.len() <= 6 => (0..1usize << list.len())
            .map(|mask| (0..list.len()).map(|at| mask >> at & 1 == 0).collect())
            .collect(),
        GroupingSet::Cube(_) => {
            return Err(PlanError::unsupported("CUBE over more than 6 expressions", ""));
        }
        GroupingSet::GroupingSets(sets) => {
            sets.iter().map(|set| all.iter().map(|expr| set.contains(expr)).collect()).collect()
        }
    };
    if all.len() > MAX_GROUPED {
        let construct = format!("ROLLUP or GROUPING SETS over more than {MAX_GROUPED} expressions");
        return Err(PlanError::unsupported(construct, "group by fewer of them, or ask several questions"));
    }
    let mut seen: BTreeMap<Vec<bool>, i128> = BTreeMap::new();
    let marked = keeps.into_iter().map(|keep| {
        let left_out = keep.iter().fold(0, |mark, keep| mark << 1 | i128::from(!keep));
        let ordinal = seen.entry(keep.clone()).and_modify(|n| *n += 1).or_insert(0);
        let mark = left_out | *ordinal << all.len();
        (keep, mark)
    });
    let marked = marked.collect();
    Ok((all, Some(marked)))
}

/// A relation with every row once for each grouping set.
pub(super) struct Expanded {
    pub(super) relation: Relation,
    /// The columns to group by.
    pub(super) group: Vec<usize>,
    /// The column that is NULL in the rows that stand for the sets without columns.
    pub(super) real: Option<usize>,
}

/// Every row once for each set. A set without columns has a group even of no rows: one row more
/// stands for it, which is NULL in every column.
pub(super) fn expand(
    input: Relation,
    group: &[usize],
    sets: Sets,
    mark: Type,
) -> Result<Expanded, PlanError> {
    let first = input.facts.fields.len();
    let n_empty = sets.iter().filter(|(keep, _)| !keep.contains(&true)).count();
    let mut fields = input.facts.fields.clone();
    fields.iter_mut().for_each(|field| field.nullable |= n_empty > 0);
    for (at, column) in group.iter().enumerate() {
        let nullable = fields[*column].nullable || sets.iter().any(|(keep, _)| !keep[at]);
        fields.push(Field { nullable, ..fields[*column].clone() });
    }
    let marks = sets.iter().map(|(_, mark)| Range::point(*mark)).reduce(Range::union);
    let marks = marks.unwrap_or(Range::point(0));
    let n_sets = sets.iter().map(|(_, mark)| mark).collect::<BTreeSet<_>>().len() as u64;
    fields.push(Field { distinct: Some(n_sets), ..field("__grouping_id", mark, false, Some(marks), 0) });
    let grouped = (first..fields.len()).collect();
    let real = (n_empty > 0).then_some(fields.len());
    if real.is_some() {
        fields.push(field("__is_row", Type::Bool, true, Type::Bool.range(), 0));
    }
    let rows = u128::from(input.facts.bound) * sets.len() as u128 + n_empty as u128;
    let bound = bounded(rows, "an aggregate over grouping sets")?;
    let facts = Facts { fields, bound, unique: Vec::new(), matches: Vec::new() };
    let op = Op::Expand { group: group.to_vec(), sets };
    let relation = Relation { op, place: Place::Shared, facts, inputs: vec![input] };
    Ok(Expanded { relation, group: grouped, real })
}
