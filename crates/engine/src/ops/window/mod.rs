//! Window functions: one sort, then scans over partitions and peers.

mod extreme;
mod frame;
mod places;

use mpc::SharedBits;
use oblivious::{Running, segmented_scan};
use plan::secure::{BitFunc, Field, FrameEdge, Node, Overflow, SortKey, WindowCall, WindowFunc};

use self::places::Places;
use super::{keys, sort};
use crate::context::{Context, Result};
use crate::kernel;
use crate::number::Number;
use crate::relation::{Column, Data, Parts, Relation};

/// Adds a column for each function.
///
/// - **SQL:** `SELECT *, calls OVER (PARTITION BY partition ORDER BY order) FROM input`
/// - **In:** `n` rows. **Out:** the same rows, in another order.
/// - **Reveals:** nothing; ties come in random order. A sum that leaves its type becomes an error
///   bit.
/// - **Cost:** a shuffle and a sort, two equalities per row; each function a scan or two of
///   `⌈log₂ n⌉` levels, and comparisons of row numbers.
pub(crate) fn run(
    cx: &mut Context,
    node: &Node,
    partition: &[usize],
    order: &[SortKey],
    calls: &[WindowCall],
    input: Relation,
) -> Result<Relation> {
    let mut planes = sort::order_planes(cx, order, &input)?;
    let n_order: usize = planes.iter().map(SharedBits::width).sum();
    for index in partition {
        let column = input.column(cx, *index)?.zeroed(cx)?;
        planes.push(keys::equality(cx, &column)?);
    }
    let (key, sorted) = sort::by_planes(cx, planes, input)?;
    let mut places = Places::new(cx, &key, n_order, partition.is_empty())?;
    let n_input = node.schema.len().saturating_sub(calls.len());
    let mut columns = Vec::with_capacity(calls.len());
    for (index, call) in calls.iter().enumerate() {
        let Some(field) = node.schema.get(n_input + index) else {
            return Err(cx.wrong_plan("a window function without a column"));
        };
        let tested = call.overflow != Overflow::Impossible;
        if !field.needs.any() && !tested {
            columns.push(Column { ty: call.ty, data: Data::Dropped, present: None, zeroed: true });
            continue;
        }
        let bound = node.row_bound;
        let mut window = Window { sorted: &sorted, places: &mut places, call, field, bound };
        columns.push(window.column(cx)?);
    }
    let mut out = sorted;
    out.columns.extend(columns);
    Ok(out)
}

/// One function over sorted rows.
struct Window<'a> {
    sorted: &'a Relation,
    places: &'a mut Places,
    call: &'a WindowCall,
    field: &'a Field,
    bound: u64,
}

impl Window<'_> {
    fn column(&mut self, cx: &mut Context) -> Result<Column> {
        let number = |number| Ok(Column::number(self.call.ty, number));
        match self.call.func {
            WindowFunc::RowNumber => number(self.places.number(cx)?),
            WindowFunc::Rank => number(self.places.rank(cx)?),
            WindowFunc::DenseRank => number(self.places.dense_rank(cx)?),
            WindowFunc::LastPeer => number(self.places.last_peer(cx)?),
            WindowFunc::Rows => number(self.places.rows(cx)?),
            WindowFunc::Lag(by) => self.lag(cx, by),
            WindowFunc::Nth(nth) => self.nth(cx, nth),
            WindowFunc::FirstPresent(edge) => self.present(cx, edge, true),
            WindowFunc::LastPresent(edge) => self.present(cx, edge, false),
            WindowFunc::Bits(func) => self.bits(cx, func),
            WindowFunc::Last(edge) => {
                let (column, bits) = self.planes(cx)?;
                let bits = self.places.at_edge(cx, &bits, edge)?;
                Ok(rebuilt(&column, &bits))
            }
            WindowFunc::Count(frame) => {
                let counted = match self.call.input {
                    Some(_) => self.input(cx)?.present.clone(),
                    None => None,
                };
                number(self.count(cx, counted.as_ref(), frame)?)
            }
            WindowFunc::Sum(frame) => self.sum(cx, frame),
            WindowFunc::Min(frame) => self.extreme(cx, frame, true),
            WindowFunc::Max(frame) => self.extreme(cx, frame, false),
        }
    }

    fn input(&self, cx: &Context) -> Result<&Column> {
        match self.call.input {
            Some(index) => self.sorted.column(cx, index),
            None => Err(cx.wrong_plan("a window function without an input")),
        }
    }

    /// The input and all its planes: what moves with a row.
    fn planes(&self, cx: &mut Context) -> Result<(Column, SharedBits)> {
        let mut column = self.input(cx)?.clone();
        if let Data::Number(number) = &column.data {
            let bits = number.bits(cx)?;
            column.data = Data::Number(Number::from_bits(number.range(), bits));
        }
        let parts = Parts::of(std::slice::from_ref(&column)).bits;
        Ok((column, SharedBits::stack(&parts.iter().collect::<Vec<_>>())))
    }

    fn lag(&mut self, cx: &mut Context, by: i64) -> Result<Column> {
        if by == 0 {
            return Ok(self.input(cx)?.clone());
        }
        let (column, bits) = self.planes(cx)?;
        let moved = places::shifted(cx, &bits, by);
        let inside = self.places.reaches(cx, by)?;
        let mut column = rebuilt(&column, &moved);
        column.present = Some(match &column.present {
            Some(present) => kernel::and(cx, &inside, present)?,
            None => inside,
        });
        column.zeroed = false;
        Ok(column)
    }
}

impl Window<'_> {
    /// The value in the partition's row of a number: brought to its first row, then to all.
    fn nth(&mut self, cx: &mut Context, nth: u64) -> Result<Column> {
        let by = 1i64.saturating_sub(i64::try_from(nth).unwrap_or(i64::MAX));
        let mut column = self.lag(cx, by)?;
        if let Data::Number(number) = &column.data {
            let bits = number.bits(cx)?;
            column.data = Data::Number(Number::from_bits(number.range(), bits));
        }
        let parts = Parts::of(std::slice::from_ref(&column)).bits;
        let bits = SharedBits::stack(&parts.iter().collect::<Vec<_>>());
        let bits = self.places.of_start(cx, &bits)?;
        Ok(rebuilt(&column, &bits))
    }

    /// The last value that is there from the partition's start to the edge, or the first.
    fn present(&mut self, cx: &mut Context, edge: FrameEdge, first: bool) -> Result<Column> {
        let mut column = self.input(cx)?.zeroed(cx)?;
        let Some(mut present) = column.present.clone() else {
            return Err(cx.wrong_plan("NULLs of a column without any"));
        };
        let starts = self.places.starts.clone();
        if first {
            // What has one before it in its partition is none.
            let seen = self.places.seen(cx, &present)?;
            let before = places::shifted(cx, &seen, 1);
            let before = kernel::and(cx, &before, &starts.not(cx.session()))?;
            present = kernel::and(cx, &present, &before.not(cx.session()))?;
            column = column.masked_by(cx, &present)?;
            column.present = Some(present.clone());
        }
        if let Data::Number(number) = &column.data {
            let bits = number.bits(cx)?;
            column.data = Data::Number(Number::from_bits(number.range(), bits));
        }
        let parts = Parts::of(std::slice::from_ref(&column)).bits;
        let bits = SharedBits::stack(&parts.iter().collect::<Vec<_>>());
        // Each value that is there stands for the rows below it that have none.
        let begins = kernel::or_all(cx, vec![starts, present])?;
        let filled = self.places.down(cx, &begins, &bits)?;
        let filled = match edge {
            FrameEdge::Rows(0) => filled,
            FrameEdge::Rows(by) => {
                let inside = self.places.reaches(cx, -by)?;
                kernel::and(cx, &inside, &places::shifted(cx, &filled, -by))?
            }
            edge => self.places.at_edge(cx, &filled, edge)?,
        };
        let mut column = rebuilt(&column, &filled);
        column.zeroed = true;
        Ok(column)
    }

    /// The bits of all values of the partition.
    fn bits(&mut self, cx: &mut Context, func: BitFunc) -> Result<Column> {
        let column = self.input(cx)?.zeroed(cx)?;
        let range = self.field.range.unwrap_or(column.as_number(cx)?.range());
        let number = column.as_number(cx)?.with_range(cx, range);
        let (mut bits, present) = (number.bits(cx)?, column.present.clone());
        if let (BitFunc::And, Some(present)) = (func, &present) {
            // What is not there leaves all bits set.
            let absent = present.not(cx.session());
            bits = bits.xor(&SharedBits::stack(&vec![&absent; bits.width()]));
        }
        let all = match func {
            BitFunc::Xor => self.places.odd(cx, &bits)?,
            _ => {
                let running = if func == BitFunc::And { Running::And } else { Running::Or };
                let starts = self.places.starts.clone();
                let scanned = cx.step("bits", |s| segmented_scan(s, "scan", &starts, &bits, running))?;
                self.places.at_edge(cx, &scanned, FrameEdge::Partition)?
            }
        };
        let any = match present {
            Some(present) => {
                let seen = self.places.seen(cx, &present)?;
                Some(self.places.at_edge(cx, &seen, FrameEdge::Partition)?)
            }
            None => None,
        };
        let zeroed = any.is_none();
        let data = Data::Number(Number::from_bits(range, all));
        Ok(Column { ty: self.call.ty, data, present: any, zeroed })
    }
}

/// The column with other planes in place of its own, of which it consists.
fn rebuilt(column: &Column, bits: &SharedBits) -> Column {
    let mut at = 0;
    let mut next = |old: &SharedBits| {
        at += old.width();
        bits.planes(at - old.width()..at)
    };
    let planes = Parts::of(std::slice::from_ref(column)).bits.iter().map(&mut next).collect();
    let parts = Parts { bits: planes, rings: Vec::new() };
    parts.into_columns(std::slice::from_ref(column), bits.n_rows()).remove(0)
}
