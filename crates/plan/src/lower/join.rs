//! Joins by equal keys, of which one side is unique.

use datafusion::common::{JoinType, NullEquality};
use datafusion::logical_expr::{Expr as LogicalExpr, Join as LogicalJoin};

use super::facts::Facts;
use super::operators::{deduplicate, keep, project};
use super::{Lowering, Relation, typed};
use crate::error::{At, PlanError};
use crate::secure::{Expr, ExprKind, Join, JoinKind, Op, Place};
use crate::types::{Type, Value};

impl Lowering<'_> {
    pub(super) fn join(&self, join: &LogicalJoin) -> Result<Relation, PlanError> {
        if join.null_equality == NullEquality::NullEqualsNull {
            let words = ["INTERSECT", "EXCEPT", "MINUS", "DISTINCT FROM"];
            let word = words.into_iter().find(|word| self.locator.word(word).is_some()).unwrap_or("JOIN");
            return Err(self.refuse("INTERSECT or EXCEPT (a join in which NULL equals NULL)", word));
        }
        match join.join_type {
            JoinType::Inner => self.pairs(join, JoinKind::Inner, false),
            JoinType::Left => self.pairs(join, JoinKind::Left, false),
            JoinType::Right => self.pairs(join, JoinKind::Left, true),
            JoinType::LeftSemi => self.semi(join, false),
            JoinType::LeftAnti => self.semi(join, true),
            JoinType::Full => Err(self.refuse("FULL JOIN", "FULL")),
            JoinType::RightSemi | JoinType::RightAnti | JoinType::LeftMark | JoinType::RightMark => {
                Err(self.refuse("EXISTS or IN (SELECT …) in this place", "( SELECT"))
            }
        }
    }

    /// An inner or left join; a right join is a left one with sides swapped.
    fn pairs(&self, join: &LogicalJoin, kind: JoinKind, swapped: bool) -> Result<Relation, PlanError> {
        let (n_left, n_right) = (join.left.schema().fields().len(), join.right.schema().fields().len());
        let (mut left, mut right) = (self.relation(&join.left)?, self.relation(&join.right)?);
        let mut keys = self.keys(join, &left, &right)?;
        if swapped {
            std::mem::swap(&mut left, &mut right);
            keys = keys.into_iter().map(|(left, right)| (right, left)).collect();
        }
        let residual = match &join.filter {
            Some(filter) if is_true(filter) => None,
            Some(_) if kind == JoinKind::Left => {
                let place = self.locator.phrase(if swapped { "RIGHT" } else { "LEFT" });
                let reason = "only equalities between both sides, and conditions on the optional side";
                return Err(
                    PlanError::unsupported("this ON condition of an outer join", reason).placed(place)
                );
            }
            other => other.as_ref(),
        };
        let (n_first, n_second) = if swapped { (n_right, n_left) } else { (n_left, n_right) };
        let joined = self.equijoin(join, kind, left, right, keys, (n_first, n_second))?;
        // The keys' own columns have gone; what is left is in DataFusion's order,
        // unless the sides were swapped.
        let joined = if swapped { rotate(joined, n_right) } else { joined };
        match residual {
            Some(filter) => {
                let predicate = self.scalars(&join.schema, &joined.facts).lower(filter)?;
                Ok(keep(joined, predicate))
            }
            None => Ok(joined),
        }
    }

    fn keys(
        &self,
        join: &LogicalJoin,
        left: &Relation,
        right: &Relation,
    ) -> Result<Vec<(Expr, Expr)>, PlanError> {
        let (left_scalars, right_scalars) =
            (self.scalars(join.left.schema(), &left.facts), self.scalars(join.right.schema(), &right.facts));
        let mut keys = Vec::new();
        for (left, right) in &join.on {
            let (left, right) = (left_scalars.lower(left)?, right_scalars.lower(right)?);
            let (left, right) =
                same_type(left, right).map_err(|error| error.placed(self.locator.word("JOIN")))?;
            if !keys.contains(&(left.clone(), right.clone())) {
                keys.push((left, right));
            }
        }
        Ok(keys)
    }

    /// Joins by keys, which are computed below the join and dropped above it
    /// where they are no columns.
    fn equijoin(
        &self,
        join: &LogicalJoin,
        kind: JoinKind,
        left: Relation,
        right: Relation,
        keys: Vec<(Expr, Expr)>,
        (n_left, n_right): (usize, usize),
    ) -> Result<Relation, PlanError> {
        let (left_keys, right_keys): (Vec<Expr>, Vec<Expr>) = keys.into_iter().unzip();
        let (left, left_keys) = with_keys(left, left_keys);
        let (right, right_keys) = with_keys(right, right_keys);
        let sides = ((&left.facts, left_keys.as_slice()), (&right.facts, right_keys.as_slice()));
        let Some((unique_side, uniqueness)) = Facts::unique_side(sides.0, sides.1, kind) else {
            return Err(self.many_to_many(join));
        };
        let n_wide = left.facts.fields.len();
        let facts = Facts::join(&left.facts, &right.facts, kind, &left_keys, &right_keys)?;
        let op = Op::Join(Join { kind, left_keys, right_keys, unique_side, uniqueness });
        let computed = n_wide > n_left || right.facts.fields.len() > n_right;
        let joined = Relation { op, place: Place::Shared, facts, inputs: vec![left, right] };
        if !computed {
            return Ok(joined);
        }
        Ok(pick(joined, (0..n_left).chain(n_wide..n_wide + n_right)))
    }

    /// Rows of the left side that have (or, for `anti`, have not) a match.
    fn semi(&self, join: &LogicalJoin, anti: bool) -> Result<Relation, PlanError> {
        let what = if anti { "NOT EXISTS or NOT IN (SELECT …)" } else { "EXISTS or IN (SELECT …)" };
        let refuse = |reason: &str| {
            let word = if anti { self.locator.word("NOT") } else { None };
            let place = word.or_else(|| self.locator.phrase("IN (")).or_else(|| self.locator.word("EXISTS"));
            Err(PlanError::unsupported(format!("{what} {reason}"), "").placed(place))
        };
        if join.null_aware {
            return refuse("where the subquery may give NULL");
        }
        if join.filter.as_ref().is_some_and(|filter| !is_true(filter)) {
            return refuse("with a condition that is no equality");
        }
        if join.on.is_empty() {
            return refuse("without an equality between both sides");
        }
        let (left, right) = (self.relation(&join.left)?, self.relation(&join.right)?);
        let n_left = left.facts.fields.len();
        let (left_keys, right_keys): (Vec<Expr>, Vec<Expr>) =
            self.keys(join, &left, &right)?.into_iter().unzip();
        let known: Vec<String> = right.facts.fields.iter().map(|field| field.name.clone()).collect();
        let names: Vec<String> = right_keys.iter().map(|key| key.display(&known).to_string()).collect();
        let n_keys = right_keys.len();
        let right = project(right, right_keys, names.clone());
        let all: Vec<usize> = (0..n_keys).collect();
        let mut right = if right.facts.unique_on(&all).is_some() { right } else { deduplicate(right) };
        if anti {
            let mut exprs: Vec<Expr> =
                right.facts.fields.iter().enumerate().map(|(i, field)| typed::column(i, field)).collect();
            exprs.push(typed::literal(Value::Bool(true), Type::Bool));
            right = project(right, exprs, names.into_iter().chain(["matched".to_owned()]).collect());
        }
        let n_right = right.facts.fields.len();
        let keys = left_keys.into_iter().zip((0..n_keys).map(|i| typed::column(i, &right.facts.fields[i])));
        let keys = keys.collect();
        let kind = if anti { JoinKind::Left } else { JoinKind::Inner };
        let mut joined = self.equijoin(join, kind, left, right, keys, (n_left, n_right))?;
        if anti {
            let matched = n_left + n_keys;
            let missing = typed::is_null(typed::column(matched, &joined.facts.fields[matched]));
            joined = keep(joined, missing);
        }
        Ok(pick(joined, 0..n_left))
    }

    fn many_to_many(&self, join: &LogicalJoin) -> PlanError {
        let place = ["JOIN", "WHERE", "FROM"].iter().find_map(|word| self.locator.word(word));
        if join.on.is_empty() {
            let reason = "join on an equality between a column of each side, one of them unique";
            return PlanError::unsupported("a join without an equality", reason).placed(place);
        }
        let name = |expr: &LogicalExpr| expr.human_display().to_string();
        let on = join.on.iter().map(|(left, right)| format!("{} = {}", name(left), name(right)));
        let on: Vec<String> = on.collect();
        let (left, right): (Vec<String>, Vec<String>) =
            join.on.iter().map(|(left, right)| (name(left), name(right))).unzip();
        PlanError::ManyToMany {
            on: on.join(" AND "),
            left: format!("({})", left.join(", ")),
            right: format!("({})", right.join(", ")),
            at: At(place),
        }
    }
}

fn is_true(filter: &LogicalExpr) -> bool {
    matches!(filter, LogicalExpr::Literal(datafusion::common::ScalarValue::Boolean(Some(true)), _))
}

/// Keys as one type and scale.
fn same_type(left: Expr, right: Expr) -> Result<(Expr, Expr), PlanError> {
    let equal = typed::compare(crate::secure::Comparison::Eq, left, right)?;
    let ExprKind::Compare { left, right, .. } = equal.kind else {
        return Err(PlanError::unsupported("a join on a constant condition", ""));
    };
    if left.ty == Type::Float64 {
        return Err(PlanError::unsupported(
            "a join on float64 values",
            "cast them to a decimal at their owners",
        ));
    }
    Ok((*left, *right))
}

/// The relation with its keys as columns: computed ones behind its own.
fn with_keys(input: Relation, keys: Vec<Expr>) -> (Relation, Vec<usize>) {
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
fn pick(input: Relation, columns: impl Iterator<Item = usize>) -> Relation {
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
