//! Joins of which one side has unique keys.

use mpc::SharedBits;
use oblivious::{Lookup, Method, UniqueSide, lookup};
use plan::secure::{Join, JoinKind, Node, Side, Uniqueness};
use plan::types::Type;

use super::union;
use crate::context::{Context, Result};
use crate::errors::FailureKind;
use crate::expr::text;
use crate::kernel;
use crate::relation::{Column, Data, Relation, from_table, to_table};
use crate::share::TextRule;

/// A side's keys as planes, and which of its rows can match at all.
struct Keys {
    planes: SharedBits,
    valid: SharedBits,
}

/// Joins by equal keys; a NULL key matches nothing.
///
/// - **SQL:** `left [LEFT] JOIN right ON left_keys = right_keys`
/// - **In:** `l` and `r` rows. **Out:** as many as the side that is not unique
///   has; `l + r` for a left join whose left side is unique.
/// - **Reveals:** nothing; a key that repeats on the unique side becomes an
///   error bit.
/// - **Cost:** that of [`lookup`], and one round.
pub(crate) fn run(
    cx: &mut Context,
    node: &Node,
    join: &Join,
    left: Relation,
    right: Relation,
    rule: TextRule,
) -> Result<Relation> {
    let (left_keys, right_keys) = keys(cx, join, &left, &right, rule)?;
    let (unique, unique_keys, other_keys) = match join.unique_side {
        Side::Left => (&left, &left_keys, &right_keys),
        Side::Right => (&right, &right_keys, &left_keys),
    };
    let payload = to_table(cx, &unique.columns, unique.n_rows())?;
    let Lookup { payload, matched, used, broken } = cx.step("lookup", |s| {
        let side = UniqueSide { keys: &unique_keys.planes, valid: &unique_keys.valid, payload: &payload };
        lookup(s, "rows", side, &other_keys.planes, &other_keys.valid, Method::Auto)
    })?;
    let found = from_table(cx, payload, &unique.columns)?;
    // What a group-by or a DISTINCT has made cannot repeat.
    if join.uniqueness != Uniqueness::Construction {
        cx.report(FailureKind::DuplicateKey, broken);
    }
    match (join.kind, join.unique_side) {
        (JoinKind::Inner, Side::Right) => {
            let columns = left.columns.into_iter().chain(found).collect();
            Ok(Relation { columns, valid: matched, compact: false })
        }
        (JoinKind::Inner, Side::Left) => {
            let columns = found.into_iter().chain(right.columns).collect();
            Ok(Relation { columns, valid: matched, compact: false })
        }
        (JoinKind::Left, Side::Right) => {
            let mut columns = left.columns;
            columns.extend(optional(cx, found, &matched)?);
            Ok(Relation { columns, valid: left.valid, compact: left.compact })
        }
        (JoinKind::Left, Side::Left) => {
            // The pairs, then the left rows without one.
            let columns = found.into_iter().chain(right.columns.iter().cloned()).collect();
            let pairs = Relation { columns, valid: matched, compact: false };
            // Rows that are used are valid ones.
            let single = left.valid.xor(&used);
            let n_rows = left.n_rows();
            let never = SharedBits::constant(cx.session(), n_rows, 1, 0);
            let none: Vec<Column> = right.columns.iter().map(|column| column.none(cx, n_rows)).collect();
            let mut columns = left.columns;
            columns.extend(optional(cx, none, &never)?);
            let singles = Relation { columns, valid: single, compact: false };
            union::run(cx, node, &[pairs, singles])
        }
    }
}

/// Both sides' keys in one form.
fn keys(
    cx: &mut Context,
    join: &Join,
    left: &Relation,
    right: &Relation,
    rule: TextRule,
) -> Result<(Keys, Keys)> {
    let (mut left_planes, mut right_planes) = (Vec::new(), Vec::new());
    let (mut left_valid, mut right_valid) = (vec![left.valid.clone()], vec![right.valid.clone()]);
    for (left_key, right_key) in join.left_keys.iter().zip(&join.right_keys) {
        let (x, y) = (left.column(cx, *left_key)?, right.column(cx, *right_key)?);
        left_valid.extend(x.present.clone());
        right_valid.extend(y.present.clone());
        let (x, y) = if x.ty == Type::Utf8 {
            text::equality_keys(cx, x.as_text(cx)?, y.as_text(cx)?, rule)?
        } else {
            let (x, y) = (x.as_number(cx)?, y.as_number(cx)?);
            let range = x.range().union(y.range());
            (x.bits_as(cx, range)?, y.bits_as(cx, range)?)
        };
        left_planes.push(x);
        right_planes.push(y);
    }
    if left_planes.is_empty() {
        return Err(cx.wrong_plan("a join without keys"));
    }
    let stack = |planes: &[SharedBits]| SharedBits::stack(&planes.iter().collect::<Vec<_>>());
    Ok((
        Keys { planes: stack(&left_planes), valid: kernel::and_all(cx, left_valid)? },
        Keys { planes: stack(&right_planes), valid: kernel::and_all(cx, right_valid)? },
    ))
}

/// Columns that are NULL where nothing matched.
fn optional(cx: &mut Context, columns: Vec<Column>, matched: &SharedBits) -> Result<Vec<Column>> {
    let known: Vec<&SharedBits> = columns.iter().filter_map(|column| column.present.as_ref()).collect();
    let mut masked = kernel::and_each(cx, matched, &known)?.into_iter();
    let mut out = Vec::with_capacity(columns.len());
    for mut column in columns.clone() {
        if !matches!(column.data, Data::Dropped) {
            column.present = match column.present {
                Some(_) => masked.next(),
                None => Some(matched.clone()),
            };
            column.zeroed = false;
        } else if column.present.is_some() {
            masked.next();
        }
        out.push(column);
    }
    Ok(out)
}
