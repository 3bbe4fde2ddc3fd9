//! GROUP BY and aggregates.

mod finish;
mod gather;

use mpc::SharedBits;
use oblivious::{Method, Rows, group_by};
use plan::secure::{Agg, Node};

use self::gather::{Gathered, Requests};
use super::keys;
use crate::context::{Context, Result};
use crate::errors::FailureKind;
use crate::relation::{Column, Data, Relation, Text, from_table, to_table};

/// Groups rows by columns, NULL being a value of its own, and aggregates each group.
///
/// - **SQL:** `SELECT group, aggs FROM input GROUP BY group`; without group
///   columns exactly one row, also over no input.
/// - **In:** `n` rows. **Out:** `n`, or the node's bound if that is less.
/// - **Reveals:** nothing, not how many groups there are; a total that leaves
///   its type becomes an error bit, and so do more groups than the bound.
/// - **Cost:** that of [`group_by`], then for each group the tests of totals
///   and a division for each AVG.
pub(crate) fn run(
    cx: &mut Context,
    node: &Node,
    group: &[usize],
    aggs: &[Agg],
    input: Relation,
) -> Result<Relation> {
    let bound = node.inputs.first().map_or(0, |input| input.row_bound);
    let requests = Requests::new(cx, node, group.len(), aggs, &input, bound)?;
    if group.is_empty() {
        let gathered = requests.over_all(cx, &input)?;
        let valid = SharedBits::constant(cx.session(), 1, 1, 1);
        let columns = finish::columns(cx, node, aggs, &input, &gathered, &valid, bound)?;
        return Ok(Relation { columns, valid, compact: true });
    }
    let mut group_columns = Vec::with_capacity(group.len());
    for index in group {
        group_columns.push(input.column(cx, *index)?.zeroed(cx)?);
    }
    let mut planes = Vec::with_capacity(group.len());
    for column in &group_columns {
        planes.push(keys::equality(cx, column)?);
    }
    // Texts that are grouped by their hash take their bytes along.
    let beside: Vec<Column> = group_columns.iter().filter_map(bytes_alone).collect();
    let key = SharedBits::stack(&planes.iter().collect::<Vec<_>>());
    let along = to_table(cx, &beside, input.n_rows())?;
    let at_most = usize::try_from(node.row_bound.max(1)).unwrap_or(usize::MAX);
    let aggregates = requests.aggregates();
    let groups = cx.step("group", |s| {
        let rows = Rows { keys: &key, valid: &input.valid, along: &along };
        group_by(s, "rows", rows, &aggregates, Some(at_most), Method::Auto)
    })?;
    if let Some(overflow) = groups.overflow {
        cx.report(FailureKind::BoundExceeded, overflow);
    }
    let mut bytes = from_table(cx, groups.along, &beside)?.into_iter();
    let mut columns = Vec::with_capacity(node.schema.len());
    let mut first = 0;
    for (column, planes) in group_columns.iter().zip(&planes) {
        let mut grouped = keys::from_equality(column, &groups.keys, first..first + planes.width());
        first += planes.width();
        if let (Data::Text(text), false) = (&mut grouped.data, keys::is_whole(column))
            && let Some(Column { data: Data::Text(Text { bytes, .. }), .. }) = bytes.next()
        {
            text.bytes = bytes;
        }
        columns.push(grouped);
    }
    let gathered = Gathered::of_groups(cx, &requests, groups.aggregates)?;
    columns.extend(finish::columns(cx, node, aggs, &input, &gathered, &groups.valid, bound)?);
    Ok(Relation { columns, valid: groups.valid, compact: true })
}

/// The bytes of a text that has a key beside them, as a column of their own.
fn bytes_alone(column: &Column) -> Option<Column> {
    match &column.data {
        Data::Text(text) if !keys::is_whole(column) => {
            let data = Data::Text(Text { key: None, ..text.clone() });
            Some(Column { ty: column.ty, data, present: None, zeroed: true })
        }
        _ => None,
    }
}
