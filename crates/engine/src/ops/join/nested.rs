//! Every row of one side compared with every row of the other.

use mpc::SharedBits;
use plan::secure::Side;

use super::keys::{Keys, keys};
use super::{Matches, Sides, Used, find, holds};
use crate::context::{Context, Result};
use crate::kernel;
use crate::relation::{Column, Data, Relation};

/// Pairs that are compared at a time: memory ends before rounds count.
const BLOCK_PAIRS: usize = 1 << 16;
/// All pairs of rows together.
const MOST_PAIRS: usize = 1 << 26;

/// Compares in blocks of left rows, each with all right rows. Pair `i·r + j` is left row `i` with right row `j`.
pub(super) fn run(cx: &mut Context, on: Sides<'_>) -> Result<Relation> {
    let (n_left, n_right) = (on.left.n_rows(), on.right.n_rows());
    let n_pairs = n_left.checked_mul(n_right).filter(|n_pairs| *n_pairs <= MOST_PAIRS).ok_or_else(|| {
        cx.wrong_plan(format!("{n_left} times {n_right} pairs of rows, more than {MOST_PAIRS} in all"))
    })?;
    let keys = if on.join.left_keys.is_empty() { None } else { Some(keys(cx, &on)?) };
    let per_block = (BLOCK_PAIRS / n_right.max(1)).max(1);
    let (mut valid, mut left_used, mut right_used) = (Vec::new(), Vec::new(), Vec::new());
    for first in (0..n_left).step_by(per_block) {
        let rows = first..(first + per_block).min(n_left);
        let n_rows = rows.len();
        let index = Index {
            left: rows.flat_map(|i| std::iter::repeat_n(i as u32, n_right)).collect(),
            right: (0..n_rows).flat_map(|_| 0..n_right as u32).collect(),
        };
        let block = compare(cx, &on, keys.as_ref(), &index)?;
        // Pairs of one row lie as far apart as there are rows.
        let across = |i: usize, j: usize| (i * n_right + j) as u32;
        if on.asks_for(Side::Left) {
            let by_right = (0..n_right).flat_map(|j| (0..n_rows).map(move |i| across(i, j)));
            left_used.push(any_of_blocks(cx, block.gather(&by_right.collect::<Vec<_>>()), n_rows)?);
        }
        if on.asks_for(Side::Right) {
            right_used.push(any_of_blocks(cx, block.clone(), n_right)?);
        }
        if on.join.kind.gives_pairs() {
            valid.push(block);
        }
    }
    let concat = |planes: &[SharedBits]| SharedBits::concat(&planes.iter().collect::<Vec<_>>());
    let known = |planes: &[SharedBits]| match planes {
        [] => Used::Unasked,
        _ => Used::Known(concat(planes)),
    };
    if !on.join.kind.gives_pairs() {
        let used = concat(&left_used);
        return Ok(on.left_rows(used));
    }
    let right_used = match right_used.as_slice() {
        [] => Used::Unasked,
        planes => Used::Known(any_of_blocks(cx, concat(planes), n_right)?),
    };
    let all = Index {
        left: (0..n_left as u32).flat_map(|i| std::iter::repeat_n(i, n_right)).collect(),
        right: (0..n_left).flat_map(|_| 0..n_right as u32).collect(),
    };
    debug_assert_eq!(all.left.len(), n_pairs);
    let columns = all.columns(&on, |_| true);
    let left_used = known(&left_used);
    on.finish(cx, Matches { columns, valid: concat(&valid), rows_of: None, left_used, right_used })
}

/// Pairs, as the rows of either side.
struct Index {
    left: Vec<u32>,
    right: Vec<u32>,
}

impl Index {
    /// The columns of both sides that somebody needs.
    fn columns(&self, on: &Sides<'_>, needed: impl Fn(usize) -> bool) -> Vec<Column> {
        let n_left = on.left.columns.len();
        let side = |rows: &Relation, first: usize, index: &[u32]| {
            let dropped = |column: &Column| Column { data: Data::Dropped, present: None, ..column.clone() };
            let columns = rows.columns.iter().enumerate();
            let columns =
                columns.map(|(at, column)| if needed(first + at) { column.clone() } else { dropped(column) });
            find::repeat(&Relation { columns: columns.collect(), ..rows.clone() }, index).columns
        };
        let mut columns = side(&on.left, 0, &self.left);
        columns.extend(side(&on.right, n_left, &self.right));
        columns
    }
}

/// Which pairs of a block match.
fn compare(
    cx: &mut Context,
    on: &Sides<'_>,
    keys: Option<&(Keys, Keys)>,
    index: &Index,
) -> Result<SharedBits> {
    let valid = match keys {
        Some((left, right)) => {
            let same = (left.planes.gather(&index.left)).xor(&right.planes.gather(&index.right));
            let both = [left.valid.gather(&index.left), right.valid.gather(&index.right)];
            let same = same.not(cx.session());
            kernel::and_all(cx, vec![same, both[0].clone(), both[1].clone()])?
        }
        None => {
            let both = [on.left.valid.gather(&index.left), on.right.valid.gather(&index.right)];
            kernel::and(cx, &both[0], &both[1])?
        }
    };
    let Some(condition) = &on.join.condition else { return Ok(valid) };
    let read = condition.columns();
    let columns = index.columns(on, |column| read.binary_search(&column).is_ok());
    holds(cx, on, condition, &Relation { columns, valid, compact: false })
}

/// The OR of all blocks of `n` rows.
fn any_of_blocks(cx: &mut Context, plane: SharedBits, n: usize) -> Result<SharedBits> {
    let mut none = plane.not(cx.session());
    let mut blocks = none.n_rows().checked_div(n).unwrap_or(0);
    while blocks > 1 {
        let half = blocks / 2;
        let both = kernel::and(cx, &none.copy_rows(0..half * n), &none.copy_rows(half * n..2 * half * n))?;
        none = SharedBits::concat(&[&both, &none.copy_rows(2 * half * n..blocks * n)]);
        blocks -= half;
    }
    Ok(none.not(cx.session()))
}
