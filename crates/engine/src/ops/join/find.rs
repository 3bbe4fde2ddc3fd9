//! Finds the matches of a join by its keys.

use math::Column as Elements;
use mpc::SharedBits;
use oblivious::{Expanded, JoinSide, Lookup, Method, Table, any_row, lookup};
use plan::secure::{Side, Uniqueness};

use super::keys::keys;
use super::{Matches, Sides, Used};
use crate::context::{Context, Result};
use crate::errors::FailureKind;
use crate::kernel;
use crate::ops::limit;
use crate::relation::{Column, Parts, Relation, from_table, to_table};

/// Rows of a side, with their numbers if the pairs have to remember them.
fn payload(cx: &mut Context, columns: &[Column], n_rows: usize, numbered: bool) -> Result<Table> {
    let table = to_table(cx, columns, n_rows)?;
    if !numbered {
        return Ok(table);
    }
    let numbers = row_numbers(cx, n_rows);
    cx.step("numbers", |s| Table::try_new(s, n_rows, vec![numbers.into()])?.beside(s, table))
}

/// Undoes [`payload`].
fn columns_of(
    cx: &mut Context,
    table: Table,
    like: &[Column],
    numbered: bool,
) -> Result<(Vec<Column>, Option<SharedBits>)> {
    let (numbers, table) = table.split_columns(usize::from(numbered));
    let numbers = numbers.columns().first().and_then(|cells| cells.bits()).cloned();
    Ok((from_table(cx, table, like)?, numbers))
}

fn row_numbers(cx: &Context, n_rows: usize) -> SharedBits {
    let width = (usize::BITS - n_rows.saturating_sub(1).leading_zeros()).max(1) as usize;
    let numbers = Elements::from_fn(n_rows, |row| math::Z32(row as u32));
    SharedBits::public(cx.session(), &math::pack::planes(&numbers, width))
}

/// Which of `n_rows` rows have their number beside a pair that matches.
pub(super) fn numbered(
    cx: &mut Context,
    n_rows: usize,
    numbers: &SharedBits,
    matching: &SharedBits,
) -> Result<SharedBits> {
    let keys = row_numbers(cx, n_rows);
    let valid = SharedBits::constant(cx.session(), n_rows, 1, 1);
    let found = cx.step("used", |s| {
        let rows = JoinSide { keys: &keys, valid: &valid, payload: &Table::empty(n_rows) };
        lookup(s, "rows", rows, numbers, matching, Method::Auto)
    })?;
    Ok(found.used)
}

fn used(known: SharedBits, numbers: Option<SharedBits>) -> Used {
    match numbers {
        Some(numbers) => Used::Numbered(numbers),
        None => Used::Known(known),
    }
}

/// Each row of the other side looks its match up.
pub(super) fn look_up(
    cx: &mut Context,
    on: &Sides<'_>,
    unique_side: Side,
    uniqueness: Uniqueness,
) -> Result<Matches> {
    let (left_keys, right_keys) = keys(cx, on)?;
    let (unique, unique_keys, other_keys) = match unique_side {
        Side::Left => (&on.left, &left_keys, &right_keys),
        Side::Right => (&on.right, &right_keys, &left_keys),
    };
    let numbered = on.remembers(unique_side);
    let payload = payload(cx, &unique.columns, unique.n_rows(), numbered)?;
    let Lookup { payload, matched, used: known, broken } = cx.step("lookup", |s| {
        let side = JoinSide { keys: &unique_keys.planes, valid: &unique_keys.valid, payload: &payload };
        lookup(s, "rows", side, &other_keys.planes, &other_keys.valid, on.method())
    })?;
    let (found, numbers) = columns_of(cx, payload, &unique.columns, numbered)?;
    // What a group-by or a DISTINCT has made cannot repeat.
    if uniqueness != Uniqueness::Construction {
        cx.report(FailureKind::DuplicateKey, broken);
    }
    Ok(in_rows_of_other(on, unique_side, found, matched, used(known, numbers)))
}

/// Pairs that are the rows of the side that is not unique.
fn in_rows_of_other(
    on: &Sides<'_>,
    unique_side: Side,
    found: Vec<Column>,
    valid: SharedBits,
    used: Used,
) -> Matches {
    match unique_side {
        Side::Right => Matches {
            columns: on.left.columns.iter().cloned().chain(found).collect(),
            valid,
            rows_of: Some(Side::Left),
            left_used: Used::Unasked,
            right_used: used,
        },
        Side::Left => Matches {
            columns: found.into_iter().chain(on.right.columns.iter().cloned()).collect(),
            valid,
            rows_of: Some(Side::Right),
            left_used: used,
            right_used: Used::Unasked,
        },
    }
}

/// One row goes beside every row of the other side, where the condition is true of both.
pub(super) fn beside(cx: &mut Context, on: &Sides<'_>) -> Result<Matches> {
    let plan::secure::Matching::Lookup { unique_side, .. } = on.join.matching else {
        return Err(cx.wrong_plan("a join without keys"));
    };
    let (one, other) = match unique_side {
        Side::Left => (&on.left, &on.right),
        Side::Right => (&on.right, &on.left),
    };
    let first = match one.n_rows() {
        1 => one.clone(),
        // One row at most exists; it comes first then.
        _ => limit::compacted(cx, one.clone())?.rows(0..1),
    };
    let every_row = vec![0; other.n_rows()];
    let repeated = repeat(&first, &every_row);
    let valid = kernel::and(cx, &repeated.valid, &other.valid)?;
    let pairs = in_rows_of_other(on, unique_side, repeated.columns, valid, Used::Unasked);
    let mut pairs = super::conditioned(cx, on, pairs)?;
    if on.asks_for(unique_side) {
        let any = cx.step("any", |s| any_row(s, "row", &pairs.valid))?;
        let known = kernel::and(cx, &one.valid, &any.gather(&vec![0; one.n_rows()]))?;
        match unique_side {
            Side::Left => pairs.left_used = Used::Known(known),
            Side::Right => pairs.right_used = Used::Known(known),
        }
    }
    Ok(pairs)
}

/// The rows at public positions.
pub(super) fn repeat(rows: &Relation, index: &[u32]) -> Relation {
    let parts = Parts::of(&rows.columns).map(|bits| bits.gather(index), |ring| ring.gather(index));
    Relation {
        columns: parts.into_columns(&rows.columns, index.len()),
        valid: rows.valid.gather(index),
        compact: false,
    }
}

/// All pairs of equal keys, up to a public number.
pub(super) fn expand(cx: &mut Context, on: &Sides<'_>, at_most: u64) -> Result<Matches> {
    let (left_keys, right_keys) = keys(cx, on)?;
    let numbered = [Side::Left, Side::Right].map(|side| on.remembers(side));
    let left = payload(cx, &on.left.columns, on.left.n_rows(), numbered[0])?;
    let right = payload(cx, &on.right.columns, on.right.n_rows(), numbered[1])?;
    let room = usize::try_from(at_most.max(1)).map_err(|_| cx.wrong_plan("more pairs than fit"))?;
    let Expanded { left, right, valid, left_used, right_used, overflow } = cx.step("expand", |s| {
        let left = JoinSide { keys: &left_keys.planes, valid: &left_keys.valid, payload: &left };
        let right = JoinSide { keys: &right_keys.planes, valid: &right_keys.valid, payload: &right };
        oblivious::expand(s, "pairs", left, right, room, on.method())
    })?;
    let names = |side: usize, keys: &[usize]| {
        let fields = on.node.inputs.get(side).map_or(&[][..], |input| input.schema.as_slice());
        keys.iter().filter_map(|key| fields.get(*key)).map(|field| field.name.clone()).collect::<Vec<_>>()
    };
    let pairs = names(0, &on.join.left_keys).into_iter().zip(names(1, &on.join.right_keys));
    let keys: Vec<String> = pairs.map(|(left, right)| format!("{left} = {right}")).collect();
    let words = format!("on {}, with room for {at_most} pairs", keys.join(" AND "));
    cx.report_of(FailureKind::BoundExceeded, &words, overflow);
    let (mut columns, left_numbers) = columns_of(cx, left, &on.left.columns, numbered[0])?;
    let (rights, right_numbers) = columns_of(cx, right, &on.right.columns, numbered[1])?;
    columns.extend(rights);
    Ok(Matches {
        columns,
        valid,
        rows_of: None,
        left_used: used(left_used, left_numbers),
        right_used: used(right_used, right_numbers),
    })
}
