//! ORDER BY.

use mpc::SharedBits;
use oblivious::{Method, Table, shuffle, sort};
use plan::secure::SortKey;

use super::keys;
use crate::context::{Context, Result};
use crate::relation::{Relation, from_table, to_table};

/// Orders the rows, ties in fresh random order; rows that do not exist come last.
///
/// - **SQL:** `SELECT * FROM input ORDER BY keys LIMIT fetch`
/// - **In:** `n` rows. **Out:** `n`, or `fetch` if that is less.
/// - **Reveals:** nothing; what the sort opens is a uniform random order.
/// - **Cost:** a shuffle of the rows and a sort by the keys' planes and one or
///   two more for each.
pub(crate) fn run(
    cx: &mut Context,
    sort_keys: &[SortKey],
    fetch: Option<u64>,
    input: Relation,
) -> Result<Relation> {
    let planes = order_planes(cx, sort_keys, &input)?;
    let (_, sorted) = by_planes(cx, planes, input)?;
    match fetch {
        Some(fetch) => Ok(super::limit::cut(cx, sorted, 0, Some(fetch))),
        None => Ok(sorted),
    }
}

/// The planes of an order, least significant first.
pub(super) fn order_planes(
    cx: &mut Context,
    sort_keys: &[SortKey],
    input: &Relation,
) -> Result<Vec<SharedBits>> {
    let mut planes = Vec::new();
    for key in sort_keys.iter().rev() {
        let column = input.column(cx, key.column)?.zeroed(cx)?;
        let value = keys::order(cx, &column)?;
        planes.push(if key.descending { value.not(cx.session()) } else { value });
        if let Some(present) = &column.present {
            planes.push(if key.nulls_first { present.clone() } else { present.not(cx.session()) });
        }
    }
    Ok(planes)
}

/// The rows ordered by some planes, those that do not exist behind, and their keys: the planes,
/// and on top one that is set where the row does not exist.
pub(super) fn by_planes(
    cx: &mut Context,
    mut planes: Vec<SharedBits>,
    input: Relation,
) -> Result<(SharedBits, Relation)> {
    let n_rows = input.n_rows();
    planes.push(input.valid.not(cx.session()));
    let key = SharedBits::stack(&planes.iter().collect::<Vec<_>>());
    let table = to_table(cx, &input.columns, n_rows)?;
    let (key, table) = cx.step("sort", |s| {
        let both = Table::try_new(s, n_rows, vec![key.into()])?.beside(s, table)?;
        let (key, table) = shuffle(s, "ties", &both)?.split_columns(1);
        let key = key.columns()[0].bits().expect("the key's planes").clone();
        let sorted = sort(s, "order", &key, &table, Method::Auto)?;
        Ok((sorted.keys, sorted.table))
    })?;
    let columns = from_table(cx, table, &input.columns)?;
    let valid = key.plane(key.width() - 1).not(cx.session());
    Ok((key, Relation { columns, valid, compact: true }))
}
