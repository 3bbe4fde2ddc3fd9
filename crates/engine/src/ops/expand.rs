//! Rows repeated for each grouping set.

use mpc::SharedBits;
use plan::secure::Node;
use plan::types::Type;

use crate::context::{Context, Result};
use crate::number::Number;
use crate::ops::union;
use crate::relation::{Column, Relation};

/// Repeats the rows once for each set, with NULL in the grouping columns that it leaves out and
/// with its mark. A set without columns has a row more, all NULL, so that it has a group even of
/// no rows; then a last column tells these rows from the others.
///
/// - **SQL:** what `GROUP BY GROUPING SETS, ROLLUP, CUBE` groups
/// - **In:** `n` rows. **Out:** `n` rows for each set, and one for each without columns.
/// - **Reveals:** nothing. **Cost:** none.
pub(crate) fn run(
    cx: &mut Context,
    node: &Node,
    group: &[usize],
    sets: &[(Vec<bool>, i128)],
    input: Relation,
) -> Result<Relation> {
    let mark_type = node.schema.get(input.columns.len() + group.len()).map(|field| field.ty);
    let mark_type = mark_type.ok_or_else(|| cx.wrong_plan("a grouping set without a mark"))?;
    let is_empty = |keep: &[bool]| !keep.contains(&true);
    let tells = sets.iter().any(|(keep, _)| is_empty(keep));
    let mut copies = Vec::with_capacity(sets.len());
    for (keep, mark) in sets {
        let mut grouped = Vec::with_capacity(group.len());
        for (index, keep) in group.iter().zip(keep) {
            let column = input.column(cx, *index)?;
            grouped.push(if *keep { column.clone() } else { nulls(cx, column, input.n_rows()) });
        }
        let mut columns = input.columns.clone();
        columns.extend(grouped);
        columns.extend(marks(cx, mark_type, *mark, input.n_rows(), tells.then_some(true)));
        copies.push(Relation { columns, valid: input.valid.clone(), compact: false });
        if is_empty(keep) {
            let mut columns: Vec<Column> = input.columns.iter().map(|column| nulls(cx, column, 1)).collect();
            for index in group {
                columns.push(nulls(cx, input.column(cx, *index)?, 1));
            }
            columns.extend(marks(cx, mark_type, *mark, 1, Some(false)));
            let valid = SharedBits::constant(cx.session(), 1, 1, 1);
            copies.push(Relation { columns, valid, compact: false });
        }
    }
    union::run(cx, node, &copies)
}

/// A column of the same forms that is NULL in every row.
fn nulls(cx: &Context, column: &Column, n_rows: usize) -> Column {
    let never = SharedBits::constant(cx.session(), n_rows, 1, 0);
    Column { present: Some(never), ..column.none(cx, n_rows) }
}

/// The set's mark, and whether these are rows of the input, if that has to be told.
fn marks(cx: &Context, ty: Type, mark: i128, n_rows: usize, is_row: Option<bool>) -> Vec<Column> {
    let mark = Column::number(ty, Number::constant(cx, n_rows, mark));
    let flag = is_row.map(|is_row| {
        let flag = SharedBits::constant(cx.session(), n_rows, 1, u128::from(is_row));
        Column::truth(flag.clone(), Some(flag))
    });
    [Some(mark), flag].into_iter().flatten().collect()
}
