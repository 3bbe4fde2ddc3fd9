//! What is known about a relation without its rows: columns, bound, keys.

use super::inexact::digits;
use crate::error::{At, PlanError};
use crate::interval::{Exact, fit_total};
use crate::secure::{AggFunc, Expr, Field, JoinKind, Needs, NullKeys, Overflow, Side, UniqueKey, Uniqueness};
use crate::types::{Range, Type};

/// The most rows that a relation may have.
pub const MAX_ROWS: u64 = 1 << 32;

/// What is known about a relation.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) fields: Vec<Field>,
    pub(super) bound: u64,
    pub(super) unique: Vec<UniqueKey>,
    /// At most so many rows agree on these columns.
    pub(super) matches: Vec<(Vec<usize>, u64)>,
}

/// A column of a projection: what is known about it, and the input column
/// that it is, if it is no more than that.
#[derive(Clone, Debug)]
pub(super) struct Derived {
    pub(super) field: Field,
    pub(super) from: Option<usize>,
}

pub(super) fn field(name: &str, ty: Type, nullable: bool, range: Option<Range>, width_bytes: u32) -> Field {
    let (name, needs) = (name.to_owned(), Needs::default());
    Field { name, ty, nullable, range, width_bytes, distinct: None, digits: None, needs }
}

/// The column that an expression over `fields` gives.
pub(super) fn field_of(name: &str, expr: &Expr, fields: &[Field]) -> Field {
    let digits = digits(expr, fields);
    Field { digits, ..field(name, expr.ty, expr.nullable, expr.range, expr.width_bytes) }
}

/// A bound that fits, or the error that names the operator.
pub(super) fn bounded(rows: u128, operator: &str) -> Result<u64, PlanError> {
    if rows > MAX_ROWS.into() {
        return Err(PlanError::BoundTooLarge { operator: operator.to_owned(), rows, limit: MAX_ROWS });
    }
    Ok(rows as u64)
}

impl Facts {
    /// Whether no two rows agree on `columns`, and why.
    pub(super) fn unique_on(&self, columns: &[usize]) -> Option<Uniqueness> {
        let covers = |key: &&UniqueKey| key.columns.iter().all(|column| columns.contains(column));
        let rank = |basis: &Uniqueness| match basis {
            Uniqueness::Construction => 0,
            Uniqueness::Declared => 1,
            Uniqueness::Inferred => 2,
        };
        self.unique.iter().filter(covers).map(|key| key.basis).min_by_key(rank)
    }

    /// How many rows agree on `columns` at most.
    fn matches_on(&self, columns: &[usize]) -> u64 {
        if self.unique_on(columns).is_some() {
            return 1;
        }
        let covers = |(key, _): &&(Vec<usize>, u64)| key.iter().all(|column| columns.contains(column));
        self.matches.iter().filter(covers).map(|(_, most)| *most).min().unwrap_or(self.bound).min(self.bound)
    }

    /// The columns as given, everything else as far as it survives.
    pub(super) fn project(&self, columns: Vec<Derived>) -> Facts {
        let position = |column: &usize| columns.iter().position(|derived| derived.from == Some(*column));
        let moved = |key: &[usize]| -> Option<Vec<usize>> {
            let mut moved = key.iter().map(position).collect::<Option<Vec<usize>>>()?;
            moved.sort_unstable();
            Some(moved)
        };
        let keep = |key: &UniqueKey| Some(UniqueKey { columns: moved(&key.columns)?, basis: key.basis });
        let unique = self.unique.iter().filter_map(keep).collect();
        let matches = self.matches.iter().filter_map(|(key, most)| Some((moved(key)?, *most))).collect();
        let distinct = |derived: &Derived| derived.from.and_then(|column| self.fields[column].distinct);
        let fields =
            columns.iter().map(|derived| Field { distinct: distinct(derived), ..derived.field.clone() });
        let fields = fields.collect();
        Facts { fields, bound: self.bound, unique, matches }
    }

    /// Groups by the columns; then the aggregates.
    pub(super) fn aggregate(&self, group: Vec<Derived>, aggs: Vec<Field>) -> Facts {
        let n_groups = group.len();
        let mut values: u128 = 1;
        for derived in &group {
            let n_values = match (&derived.field.range, derived.field.ty) {
                (Some(range), ty) if ty != Type::Float64 => range.n_values(),
                _ => u128::MAX,
            };
            let distinct = derived.from.and_then(|column| self.fields[column].distinct);
            let n_values = distinct.map_or(n_values, |most| n_values.min(most.into()));
            values = values.saturating_mul(n_values.saturating_add(derived.field.nullable.into()));
        }
        let bound = if n_groups == 0 { 1 } else { u128::from(self.bound).min(values) as u64 };
        let mut facts = self.project(group);
        facts.bound = bound;
        facts.matches = Vec::new();
        let all = UniqueKey { columns: (0..n_groups).collect(), basis: Uniqueness::Construction };
        facts.unique.retain(|key| key.columns != all.columns);
        facts.unique.push(all);
        facts.fields.extend(aggs);
        facts
    }

    /// One row per different row.
    pub(super) fn distinct(&self) -> Facts {
        let columns = self.fields.iter().enumerate();
        let columns = columns.map(|(index, field)| Derived { field: field.clone(), from: Some(index) });
        self.aggregate(columns.collect(), Vec::new())
    }

    /// At most the rows from `skip` to `skip + fetch`.
    pub(super) fn limit(&self, skip: u64, fetch: Option<u64>) -> Facts {
        let left = self.bound.saturating_sub(skip);
        let bound = fetch.map_or(left, |fetch| left.min(fetch));
        let mut facts = Facts { bound, ..self.clone() };
        if bound <= 1 {
            facts.unique.push(UniqueKey { columns: Vec::new(), basis: Uniqueness::Construction });
        }
        facts
    }

    /// All rows of several relations with the same columns.
    pub(super) fn union(all: &[&Facts]) -> Result<Facts, PlanError> {
        let (first, rest) = all.split_first().expect("a union has an input");
        let mut fields = first.fields.clone();
        for other in rest {
            for (field, other) in fields.iter_mut().zip(&other.fields) {
                if field.ty != other.ty {
                    return Err(PlanError::Types {
                        reason: format!("UNION ALL of `{}` as {} and as {}", field.name, field.ty, other.ty),
                        at: At(None),
                    });
                }
                field.nullable |= other.nullable;
                field.width_bytes = field.width_bytes.max(other.width_bytes);
                field.range = field.range.zip(other.range).map(|(a, b)| a.union(b));
                field.digits = field.digits.zip(other.digits).map(|(a, b)| a.max(b));
                field.distinct = field.distinct.zip(other.distinct).and_then(|(a, b)| a.checked_add(b));
            }
        }
        let bound = bounded(all.iter().map(|facts| u128::from(facts.bound)).sum(), "UNION ALL")?;
        let unique = if rest.is_empty() { first.unique.clone() } else { Vec::new() };
        Ok(Facts { fields, bound, unique, matches: Vec::new() })
    }

    /// How many rows one row of the other side can match, where it matches by these keys.
    fn partners_on(&self, keys: &[usize], nulls: NullKeys) -> u64 {
        // What is said of keys leaves NULL out.
        if nulls == NullKeys::Equal && keys.iter().any(|key| self.fields[*key].nullable) {
            return self.bound;
        }
        self.matches_on(keys)
    }

    /// How many pairs of rows can have equal keys at most.
    pub(super) fn pairs(left: (&Facts, &[usize]), right: (&Facts, &[usize]), nulls: NullKeys) -> u128 {
        let pairs = |one: (&Facts, &[usize]), other: (&Facts, &[usize])| {
            u128::from(one.0.bound) * u128::from(other.0.partners_on(other.1, nulls))
        };
        pairs(left, right).min(pairs(right, left))
    }

    /// The pairs that match, and for an outer join the rows that do not.
    pub(super) fn join(
        left: (&Facts, &[usize]),
        right: (&Facts, &[usize]),
        kind: JoinKind,
        nulls: NullKeys,
    ) -> Result<Facts, PlanError> {
        let matched = Facts::pairs(left, right, nulls);
        let (per_left, per_right) = (right.0.partners_on(right.1, nulls), left.0.partners_on(left.1, nulls));
        let ((left, left_keys), (right, right_keys)) = (left, right);
        let with_left = match per_left {
            // A left row that has a match stands for one of the pairs at least.
            0 | 1 => left.bound.into(),
            _ => matched + u128::from(left.bound),
        };
        let rows = match kind {
            JoinKind::Left => with_left,
            JoinKind::Full => with_left + u128::from(right.bound),
            _ => matched,
        };
        let bound = bounded(rows, "a join")?;
        let n_left = left.fields.len();
        let optional = |fields: &[Field], optional: bool| {
            let field = |field: &Field| Field { nullable: field.nullable || optional, ..field.clone() };
            fields.iter().map(field).collect::<Vec<_>>()
        };
        let mut fields = optional(&left.fields, kind == JoinKind::Full);
        fields.extend(optional(&right.fields, kind != JoinKind::Inner));
        // Rows all NULL stand beside rows without a match, and may repeat.
        let survives = |key: &[usize], optional: bool| !optional || !key.is_empty();
        let shift = |key: &[usize]| key.iter().map(|column| column + n_left).collect::<Vec<_>>();
        let (mut unique, mut matches) = (Vec::new(), Vec::new());
        let moved = |key: &UniqueKey, columns| UniqueKey { columns, basis: key.basis };
        let times = |most: u64, per: u64| most.saturating_mul(per);
        let keys = |facts: &Facts, kept: bool| -> Vec<UniqueKey> {
            facts.unique.iter().filter(|key| survives(&key.columns, kept)).cloned().collect()
        };
        for key in keys(left, kind == JoinKind::Full) {
            match per_left {
                0 | 1 => unique.push(key),
                _ => matches.push((key.columns, per_left)),
            }
        }
        for key in keys(right, kind != JoinKind::Inner) {
            match per_right {
                0 | 1 => unique.push(moved(&key, shift(&key.columns))),
                _ => matches.push((shift(&key.columns), per_right)),
            }
        }
        matches.extend(left.matches.iter().map(|(key, most)| (key.clone(), times(*most, per_left.max(1)))));
        matches.extend(right.matches.iter().map(|(key, most)| (shift(key), times(*most, per_right.max(1)))));
        matches.retain(|(key, _)| !key.is_empty());
        debug_assert_eq!(left_keys.len(), right_keys.len());
        Ok(Facts { fields, bound, unique, matches })
    }

    /// Which side is unique on its keys, and why: the right one if the left one's rows stay without a
    /// match, else the one with the stronger reason, else the smaller one.
    pub(super) fn unique_side(
        left: (&Facts, &[usize]),
        right: (&Facts, &[usize]),
        kind: JoinKind,
        nulls: NullKeys,
    ) -> Option<(Side, Uniqueness)> {
        let unique = |(facts, keys): (&Facts, &[usize])| {
            let nullable = keys.iter().any(|key| facts.fields[*key].nullable);
            facts.unique_on(keys).filter(|_| nulls != NullKeys::Equal || !nullable)
        };
        let by_left = unique(left).map(|basis| (Side::Left, basis));
        let by_right = unique(right).map(|basis| (Side::Right, basis));
        match (by_left, by_right) {
            (Some(by_left), Some(by_right)) if kind == JoinKind::Inner => {
                let strong = |basis| basis != Uniqueness::Inferred;
                match (strong(by_left.1), strong(by_right.1)) {
                    (true, false) => Some(by_left),
                    (false, true) => Some(by_right),
                    _ if left.0.bound < right.0.bound => Some(by_left),
                    _ => Some(by_right),
                }
            }
            (by_left, by_right) => by_right.or(by_left),
        }
    }

    /// The columns from `by` on, then the others.
    pub(super) fn rotated(&self, by: usize) -> Facts {
        let columns = (by..self.fields.len()).chain(0..by);
        let derive = |column: usize| Derived { field: self.fields[column].clone(), from: Some(column) };
        self.project(columns.map(derive).collect())
    }
}

/// What an aggregate gives, and what has to be tested for it. `grouped` says
/// whether every group has a row.
pub(super) fn aggregated(
    name: &str,
    func: AggFunc,
    ty: Type,
    input: Option<&Field>,
    n_rows: u64,
    grouped: bool,
) -> (Field, Overflow) {
    let nullable = !grouped || input.is_some_and(|input| input.nullable);
    let input_range = input.and_then(|input| input.range.or(input.ty.range()));
    match (func, input_range) {
        (AggFunc::CountStar | AggFunc::Count, _) => {
            let range = Range::new(0, n_rows.into());
            (field(name, ty, false, Some(range), 0), Overflow::Impossible)
        }
        (AggFunc::Sum, Some(range)) if ty.is_exact_number() => {
            let (overflow, range) = fit_total(Exact::from(range).sum(n_rows), ty, n_rows);
            (field(name, ty, nullable, Some(range), 0), overflow)
        }
        (AggFunc::Avg, Some(range)) if ty.is_exact_number() => {
            let up = u32::from(ty.scale() - input.map_or(0, |input| input.ty.scale()));
            let mean = Exact::from(range).scale_up(up);
            let (overflow, range) = fit_total(mean, ty, 1);
            let dividend = mean.sum(n_rows);
            let overflow = match dividend.narrow() {
                Some(_) => overflow,
                None => {
                    let right_bits = 64 - n_rows.leading_zeros() + 7 * up / 2;
                    Overflow::Conservative { left_bits: 126u32.saturating_sub(right_bits), right_bits }
                }
            };
            (field(name, ty, nullable, Some(range), 0), overflow)
        }
        (AggFunc::Avg, Some(range)) => {
            let widest = Type::Decimal { precision: 38, scale: 0 };
            let overflow = match fit_total(Exact::from(range).sum(n_rows), widest, n_rows).0 {
                // A double holds whatever 127 bits hold.
                Overflow::Test => Overflow::Impossible,
                other => other,
            };
            (field(name, ty, nullable, Some(range), 0), overflow)
        }
        (_, range) => {
            let width = input.map_or(0, |input| input.width_bytes);
            let range = if ty == Type::Float64 { None } else { range };
            (field(name, ty, nullable, range, width), Overflow::Impossible)
        }
    }
}
