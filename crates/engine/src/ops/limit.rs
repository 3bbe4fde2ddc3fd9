//! LIMIT and OFFSET, and rows that exist before those that do not.

use mpc::SharedBits;
use oblivious::{shuffle, sort_by_bit};
use plan::secure::Node;

use crate::context::{Context, Result};
use crate::relation::{Relation, from_table, to_table};

/// Drops the first `skip` rows and those after the next `fetch`.
///
/// - **SQL:** `LIMIT fetch OFFSET skip`
/// - **In:** `n` rows. **Out:** `fetch` rows, or what is left of `n`.
/// - **Reveals:** nothing: a join's rows lie in the order of its keys, of which the first ones would
///   tell, so they are shuffled. **Cost:** none after a sort; else a partition by one bit, 6
///   rounds, and of a join's rows a shuffle.
pub(crate) fn run(
    cx: &mut Context,
    node: &Node,
    skip: u64,
    fetch: Option<u64>,
    mut input: Relation,
) -> Result<Relation> {
    if skip == 0 && fetch.is_none_or(|fetch| fetch >= input.n_rows() as u64) {
        return Ok(input);
    }
    if node.inputs.first().is_some_and(Node::lies_as_joined) {
        input = shuffled(cx, input)?;
    }
    let input = compacted(cx, input)?;
    Ok(cut(cx, input, skip, fetch))
}

fn shuffled(cx: &mut Context, input: Relation) -> Result<Relation> {
    let n_rows = input.n_rows();
    let table = to_table(cx, &input.columns, n_rows)?;
    let (valid, table) = cx.step("shuffle", |s| {
        let valid = oblivious::Table::try_new(s, n_rows, vec![input.valid.clone().into()])?;
        Ok(shuffle(s, "rows", &valid.beside(s, table)?)?.split_columns(1))
    })?;
    let valid = valid.columns()[0].bits().expect("one plane").clone();
    Ok(Relation { columns: from_table(cx, table, &input.columns)?, valid, compact: false })
}

/// Moves the rows that exist before those that do not, in their order.
pub(super) fn compacted(cx: &mut Context, input: Relation) -> Result<Relation> {
    if input.compact {
        return Ok(input);
    }
    let n_rows = input.n_rows();
    let table = to_table(cx, &input.columns, n_rows)?;
    let (valid, table) = cx.step("compact", |s| {
        let out = input.valid.not(s);
        let valid = oblivious::Table::try_new(s, n_rows, vec![input.valid.clone().into()])?;
        let (_, moved) = sort_by_bit(s, "valid", &out, &valid.beside(s, table)?)?;
        Ok(moved.split_columns(1))
    })?;
    let valid = valid.columns()[0].bits().expect("one plane").clone();
    let columns = from_table(cx, table, &input.columns)?;
    Ok(Relation { columns, valid, compact: true })
}

/// Public positions of rows of which those that exist come first. One row at
/// least is left, which does not exist if none may.
pub(super) fn cut(cx: &Context, input: Relation, skip: u64, fetch: Option<u64>) -> Relation {
    let n_rows = input.n_rows() as u64;
    let start = skip.min(n_rows);
    let end = fetch.map_or(n_rows, |fetch| start.saturating_add(fetch).min(n_rows));
    if start < end {
        return input.rows(start as usize..end as usize);
    }
    let mut nothing = input.rows(0..1);
    nothing.valid = SharedBits::constant(cx.session(), 1, 1, 0);
    nothing
}
