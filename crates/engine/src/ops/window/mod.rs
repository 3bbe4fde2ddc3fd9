//! Window functions: one sort, then scans over partitions and peers.

mod extreme;
mod frame;
mod places;

use mpc::SharedBits;
use plan::secure::{Field, Node, Overflow, SortKey, WindowCall, WindowFunc};

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
            WindowFunc::First => {
                let (column, bits) = self.planes(cx)?;
                let bits = self.places.of_start(cx, &bits)?;
                Ok(rebuilt(&column, &bits))
            }
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
