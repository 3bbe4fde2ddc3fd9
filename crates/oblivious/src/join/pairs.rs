//! Lookups that compare all pairs of rows: hardly any rounds, for small tables.
//!
//! Pair `j·n + i` is unique row `j` with row `i` of the `n` that look up, so that all pairs of
//! one unique row are neighbours.

use std::ops::Range;

use math::Ring;
use mpc::{Lane, Params, ProtocolError, Session, Shared, SharedBits, and_bit};

use super::{JoinSide, Lookup};
use crate::compare::all_ones;
use crate::convert::bit_to_ring;
use crate::fork;
use crate::scan::any_row;
use crate::select::{keep_where, or};
use crate::sort::{Method, time};
use crate::table::{Cells, Table, bits_to_lanes, lanes_to_bits};

/// Whether comparing all pairs takes less time than sorting.
pub(super) fn is_cheaper(unique: &JoinSide<'_>, n: usize, method: Method, params: &Params) -> bool {
    let (m, width) = (unique.keys.n_rows(), unique.keys.width() + 1);
    let Some(n_pairs) = (m + m / 2).checked_mul(n.max(m)).filter(|n_pairs| *n_pairs <= MOST_PAIRS) else {
        return false;
    };
    // A ring element is the product of itself and a bit, which takes two more to become one.
    let payload_bits = |column: &Cells| column.width_bits() * if column.bits().is_some() { 1 } else { 3 };
    let bits = width + 1 + unique.payload.columns().iter().map(payload_bits).sum::<usize>();
    let rounds = (width.max(2).ilog2() + n.max(2).ilog2() + 3) as f64;
    let by_pairs = time(params, rounds, LOCAL_WORK * n_pairs as f64 * bits as f64 / 8.0);
    matches!(method, Method::Auto | Method::Merge) && by_pairs < method.typical_time(m + n, width, params)
}

/// Measured: a byte of pairs takes three times as long as one of a sort, which sends more of
/// them for each that it gathers.
const LOCAL_WORK: f64 = 3.0;

/// Beyond this memory counts.
const MOST_PAIRS: usize = 1 << 24;

/// As [`super::lookup`], of sides that fit together.
pub(super) fn lookup(
    s: &mut Session,
    unique: &JoinSide<'_>,
    keys: &SharedBits,
    valid: &SharedBits,
) -> Result<Lookup, ProtocolError> {
    let (m, n) = (unique.keys.n_rows(), keys.n_rows());
    let ones = [(unique.keys, unique.valid), (keys, valid)];
    let (found, broken) = s.join(
        |s| {
            let blocks = (0..m as u32).flat_map(|j| std::iter::repeat_n(j, n)).collect::<Vec<_>>();
            let rows = (0..m).flat_map(|_| 0..n as u32).collect::<Vec<_>>();
            let same = same_pairs(s, ones, [&blocks, &rows])?;
            let pick = |s: &mut Session, column: &Cells| pick(s, &same, column, &blocks, n);
            let (payload, used) = s.join(
                |s| fork::each(s, "payload", unique.payload.columns(), &pick),
                |s| any_of_block(s, &same, m, n),
            )?;
            Ok((Table::try_new(s, n, payload)?, sum_bits(s, &same, n), used))
        },
        |s| {
            let pairs = (1..m as u32).flat_map(|j| (0..j).map(move |i| (i, j)));
            let (left, right): (Vec<u32>, Vec<u32>) = pairs.unzip();
            let twice = s.scope("twice", |s| same_pairs(s, [ones[0], ones[0]], [&left, &right]))?;
            any_row(s, "any", &twice)
        },
    )?;
    let (payload, matched, used) = found;
    Ok(Lookup { payload, matched, used, broken })
}

/// As [`super::member`], of sides that fit together.
pub(super) fn member(
    s: &mut Session,
    set: &JoinSide<'_>,
    keys: &SharedBits,
    valid: &SharedBits,
) -> Result<SharedBits, ProtocolError> {
    let (m, n) = (set.keys.n_rows(), keys.n_rows());
    let blocks = (0..m as u32).flat_map(|j| std::iter::repeat_n(j, n)).collect::<Vec<_>>();
    let rows = (0..m).flat_map(|_| 0..n as u32).collect::<Vec<_>>();
    let same = same_pairs(s, [(set.keys, set.valid), (keys, valid)], [&blocks, &rows])?;
    any_block(s, same, m, n)
}

/// Which pairs of a row on the left and one on the right have one key and both take part.
fn same_pairs(
    s: &mut Session,
    sides: [(&SharedBits, &SharedBits); 2],
    pairs: [&[u32]; 2],
) -> Result<SharedBits, ProtocolError> {
    let width = sides[0].0.width();
    let sides = sides.map(|(keys, valid)| bits_to_lanes(&SharedBits::stack(&[keys, valid])));
    let chunks = s.chunks("same", pairs[0].len(), |s, chunk| {
        let side = |at: usize| gather(&sides[at], &pairs[at][chunk.clone()], width + 1);
        let (left, right) = (side(0), side(1));
        let same = left.xor(&right).planes(0..width).not(s);
        all_ones(s, "all", &SharedBits::stack(&[&same, &left.plane(width), &right.plane(width)]))
    })?;
    Ok(SharedBits::concat(&chunks.iter().collect::<Vec<_>>()))
}

/// The rows of bits in lanes, at public positions.
fn gather(lanes: &[Lane], index: &[u32], width: usize) -> SharedBits {
    lanes_to_bits(&lanes.iter().map(|lane| lane.gather(index)).collect::<Vec<_>>(), width)
}

/// For each of `n` rows the cell of the unique row that has its key, zero if none has.
fn pick(
    s: &mut Session,
    same: &SharedBits,
    column: &Cells,
    blocks: &[u32],
    n: usize,
) -> Result<Cells, ProtocolError> {
    Ok(match column {
        Cells::Bits(bits) if bits.width() == 0 => column.zeros_like(s, n),
        Cells::Bits(bits) => {
            let lanes = bits_to_lanes(bits);
            let chunks = s.chunks("pick", blocks.len(), |s, pairs| {
                let cells = gather(&lanes, &blocks[pairs.clone()], bits.width());
                and_bit(s, "keep", &same.rows(pairs), &cells)
            })?;
            sum_bits(s, &SharedBits::concat(&chunks.iter().collect::<Vec<_>>()), n).into()
        }
        Cells::Ring8(x) => pick_ring(s, same, x, blocks, n)?,
        Cells::Ring16(x) => pick_ring(s, same, x, blocks, n)?,
        Cells::Ring32(x) => pick_ring(s, same, x, blocks, n)?,
        Cells::Ring64(x) => pick_ring(s, same, x, blocks, n)?,
        Cells::Ring128(x) => pick_ring(s, same, x, blocks, n)?,
    })
}

fn pick_ring<R: Ring>(
    s: &mut Session,
    same: &SharedBits,
    column: &Shared<R>,
    blocks: &[u32],
    n: usize,
) -> Result<Cells, ProtocolError>
where
    Cells: From<Shared<R>>,
{
    let same = bit_to_ring::<R>(s, "bit", same)?;
    let kept = keep_where(s, "keep", &same, &column.gather(blocks))?;
    let none = Shared::constant(s, n, R::ZERO);
    let sum = block_rows(kept.len(), n).fold(none, |sum, block| sum.add(&kept.rows(block)));
    Ok(sum.into())
}

/// The XOR of all blocks of `n` rows.
fn sum_bits(s: &Session, pairs: &SharedBits, n: usize) -> SharedBits {
    let none = SharedBits::constant(s, n, pairs.width(), 0);
    block_rows(pairs.n_rows(), n).fold(none, |sum, block| sum.xor(&pairs.copy_rows(block)))
}

fn block_rows(n_pairs: usize, n: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n_pairs).step_by(n.max(1)).map(move |start| start..start + n)
}

/// For each of `m` unique rows, whether a bit of its block is set.
fn any_of_block(
    s: &mut Session,
    pairs: &SharedBits,
    m: usize,
    n: usize,
) -> Result<SharedBits, ProtocolError> {
    // Rows that look up one below the other, so that halves of all blocks are neighbours.
    let index: Vec<u32> = (0..n as u32).flat_map(|i| (0..m as u32).map(move |j| j * n as u32 + i)).collect();
    any_block(s, pairs.gather(&index), n, m)
}

/// The OR of all `n_blocks` blocks of `n` rows.
fn any_block(
    s: &mut Session,
    mut plane: SharedBits,
    n_blocks: usize,
    n: usize,
) -> Result<SharedBits, ProtocolError> {
    let mut rows = n_blocks;
    while rows > 1 {
        let half = rows / 2;
        let either =
            or(s, ("used", rows), &plane.copy_rows(0..half * n), &plane.copy_rows(half * n..2 * half * n))?;
        plane = SharedBits::concat(&[&either, &plane.copy_rows(2 * half * n..rows * n)]);
        rows -= half;
    }
    Ok(if n_blocks == 0 { SharedBits::constant(s, n, 1, 0) } else { plane })
}
