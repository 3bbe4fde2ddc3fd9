//! Frames of rows whose key is near enough: RANGE with offsets, and GROUPS.
//!
//! Every row goes in three times: as itself, and where its frame begins and ends, with nothing to
//! add. One sort by partition and key brings all of them in order; a running total then stands where
//! the frames begin and end, and a second sort, by the row's number, brings it back to the row.

use super::calls::Windows;
use super::facts::field;
use super::grouping::expand;
use super::operators::{keep, project};
use super::typed::{self, ArithOp};
use super::{Relation, float};
use crate::error::PlanError;
use crate::secure::{Comparison, Expr, Field, Frame, FrameEdge, Op, Place, SortKey, WindowCall, WindowFunc};
use crate::types::{MAX_PRECISION, Range, Type, Value};

/// A frame of rows by their keys: those of the partition from `low` to `high` further on in the
/// order, or from its beginning or to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nearby {
    /// The key; NULL is near NULL alone.
    pub(super) key: usize,
    /// Whether keys come from the greatest on, and NULLs first.
    pub(super) descending: bool,
    pub(super) nulls_first: bool,
    /// How far the frame begins and ends from the row, in the key's unscaled units.
    pub(super) low: Option<i128>,
    pub(super) high: Option<i128>,
    /// What is counted and added up.
    pub(super) value: usize,
}

/// Where the columns of a frame's sum and count come out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Totals {
    pub(super) sum: Option<usize>,
    pub(super) count: usize,
}

const LOW: i128 = 0;
const ROW: i128 = 1;
const HIGH: i128 = 2;

/// Adds the sum over the frame, if it is of numbers, and the number of values in it.
pub(super) fn add_totals(
    input: Relation,
    partition: &[usize],
    near: Nearby,
) -> Result<(Relation, Totals), PlanError> {
    let n_columns = input.facts.fields.len();
    let (bound, names): (u64, Vec<String>) =
        (input.facts.bound, input.facts.fields.iter().map(|field| field.name.clone()).collect());
    // A number of its own for each row.
    let mut windows = Windows::default();
    let all = windows.group(Vec::new(), Vec::new());
    let at = windows.call(all, WindowFunc::RowNumber, None, Type::UInt64);
    let numbered = windows.over(input)?;
    let row = windows.index(at);
    let sets = [LOW, ROW, HIGH].into_iter().map(|mark| (vec![true], mark)).collect();
    let expanded = expand(numbered, &[row], sets, Type::UInt8)?.relation;
    // What each of the three has as key, and the row alone as value.
    let fields = &expanded.facts.fields;
    let column = |index: usize| typed::column(index, &fields[index]);
    let mark = column(row + 2);
    let is = |what: i128| {
        typed::compare(Comparison::Eq, mark.clone(), typed::literal(Value::Int(what), Type::UInt8))
    };
    let key = column(near.key);
    let wide = Type::Decimal { precision: MAX_PRECISION, scale: 0 };
    let range = typed::exact_range(&key).narrow().unwrap_or(Range::point(0));
    let key = float::assumed(key, wide, range);
    let further = |by: i128| {
        let by = typed::literal(Value::Int(if near.descending { -by } else { by }), wide);
        typed::arith(ArithOp::Add, key.clone(), by, wide)
    };
    let branches =
        vec![(is(LOW)?, further(near.low.unwrap_or(0))?), (is(HIGH)?, further(near.high.unwrap_or(0))?)];
    let near_key = typed::case(branches, key.clone())?;
    let value = column(near.value);
    let own = typed::case(vec![(is(ROW)?, value.clone())], typed::literal(Value::Null, value.ty))?;
    let mut exprs: Vec<Expr> = (0..=row).map(column).collect();
    let mut all_names = names.clone();
    all_names.extend(["row", "mark", "key", "own"].map(str::to_owned));
    exprs.extend([mark.clone(), near_key, own]);
    let (mark_at, key_at, own_at) = (row + 1, row + 2, row + 3);
    let prepared = project(expanded, exprs, all_names);
    // Running totals in the order of keys; where they are equal, what begins comes first, and what
    // ends last.
    let mut windows = Windows::default();
    let order = vec![
        SortKey { column: key_at, descending: near.descending, nulls_first: near.nulls_first },
        SortKey { column: mark_at, descending: false, nulls_first: false },
    ];
    let group = windows.group(partition.to_vec(), order);
    let so_far = Frame { start: FrameEdge::Partition, end: FrameEdge::Rows(0) };
    let count = windows.call(group, WindowFunc::Count(so_far), Some(own_at), Type::Int64);
    let scale = value.ty.scale();
    let total = Type::Decimal { precision: MAX_PRECISION, scale };
    let sum =
        value.ty.is_exact_number().then(|| windows.call(group, WindowFunc::Sum(so_far), Some(own_at), total));
    let all = Frame { start: FrameEdge::Partition, end: FrameEdge::Partition };
    let whole_count = windows.call(group, WindowFunc::Count(all), Some(own_at), Type::Int64);
    let whole_sum = sum.map(|_| windows.call(group, WindowFunc::Sum(all), Some(own_at), total));
    let totalled = windows.over(prepared)?;
    // Each total beside the mark that it is for, then in all three rows.
    let facts = &totalled.facts;
    let column = |index: usize| typed::column(index, &facts.fields[index]);
    let mark = column(mark_at);
    let is =
        |what: i128| typed::compare(Comparison::Eq, mark.clone(), typed::literal(Value::Int(what), mark.ty));
    let zero = |ty: Type| typed::literal(Value::Int(0), ty);
    let mut exprs: Vec<Expr> = (0..=mark_at).map(column).collect();
    let mut all_names: Vec<String> =
        facts.fields[..=mark_at].iter().map(|field| field.name.clone()).collect();
    let mut ends = Vec::new();
    let pairs = [(Some(count), Some(whole_count)), (sum, whole_sum)];
    for (running, whole) in pairs.into_iter().filter_map(|(running, whole)| running.zip(whole)) {
        let value = |at| {
            let value = windows.column(at, facts);
            let (ty, nullable) = (value.ty, value.nullable);
            match nullable {
                true => {
                    let present = typed::not(typed::is_null(value.clone()));
                    typed::case(vec![(present, value)], zero(ty))
                }
                false => Ok(value),
            }
        };
        let mut end = |what: i128, given: bool, unbounded: Expr| -> Result<usize, PlanError> {
            let there = if given { value(running)? } else { unbounded };
            let null = typed::literal(Value::Null, there.ty);
            exprs.push(typed::case(vec![(is(what)?, there)], null)?);
            all_names.push("end".to_owned());
            Ok(exprs.len() - 1)
        };
        let ty = windows.column(running, facts).ty;
        let low = end(LOW, near.low.is_some(), zero(ty))?;
        let high = end(HIGH, near.high.is_some(), value(whole)?)?;
        ends.push((low, high, ty));
    }
    let marked = project(totalled, exprs, all_names);
    let mut calls = Vec::new();
    let mut fields: Vec<Field> = marked.facts.fields.clone();
    for (low, high, ty) in &ends {
        for end in [low, high] {
            let of = &marked.facts.fields[*end];
            calls.push(WindowCall {
                func: WindowFunc::Max(all),
                input: Some(*end),
                ty: *ty,
                overflow: Default::default(),
            });
            fields.push(field("end", *ty, true, of.range, 0));
        }
    }
    let first = marked.facts.fields.len();
    let mut facts = marked.facts.clone();
    facts.fields = fields;
    let op = Op::Window { partition: vec![row], order: Vec::new(), calls };
    let brought = Relation { op, place: Place::Shared, facts, inputs: vec![marked] };
    let mark = typed::column(mark_at, &brought.facts.fields[mark_at]);
    let own = typed::compare(Comparison::Eq, mark.clone(), typed::literal(Value::Int(ROW), mark.ty))?;
    let mut rows = keep(brought, own);
    // One of three is left.
    rows.facts.bound = bound;
    let column = |index: usize| typed::column(index, &rows.facts.fields[index]);
    let mut exprs: Vec<Expr> = (0..n_columns).map(column).collect();
    let mut all_names = names;
    for (index, (_, _, ty)) in ends.iter().enumerate() {
        let difference =
            typed::arith(ArithOp::Sub, column(first + 2 * index + 1), column(first + 2 * index), *ty)?;
        // A frame that ends before it begins has nothing in it.
        let none = typed::compare(Comparison::Lt, difference.clone(), zero(*ty))?;
        let present = typed::not(typed::is_null(difference.clone()));
        let value = match index {
            0 => typed::case(vec![(none, zero(*ty)), (present, difference)], zero(*ty))?,
            _ => difference,
        };
        exprs.push(value);
        all_names.push(if index == 0 { "count" } else { "sum" }.to_owned());
    }
    let n_sums = ends.len();
    let out = project(rows, exprs, all_names);
    Ok((out, Totals { count: n_columns, sum: (n_sums > 1).then_some(n_columns + 1) }))
}
