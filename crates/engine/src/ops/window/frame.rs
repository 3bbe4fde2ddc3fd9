//! Sums and counts over frames: differences of running totals.

use math::Z64;
use mpc::{Shared, SharedBits};
use oblivious::segmented_sum;
use plan::secure::{Frame, FrameEdge, Overflow};
use plan::types::Range;

use super::places::shifted_ring;
use super::{Places, Window};
use crate::context::{Context, Result};
use crate::errors::FailureKind;
use crate::expr::{WIDEST, outside, with_zero};
use crate::kernel;
use crate::number::{Number, Ring, RingKind};
use crate::relation::{Column, Data};

impl Window<'_> {
    /// How many rows of the frame have a value; all, if none is said to lack it.
    pub(super) fn count(
        &mut self,
        cx: &mut Context,
        counted: Option<&SharedBits>,
        frame: Frame,
    ) -> Result<Number> {
        let range = Range { low: 0, high: self.places_rows() };
        let running = match counted {
            Some(counted) => {
                let ones: Shared<Z64> = kernel::bit_to_ring(cx, counted)?;
                let starts = self.places.starts.clone();
                Ring::Z64(cx.step("count", |s| segmented_sum(s, "sum", &starts, &ones))?)
            }
            None => self.places.number(cx)?.ring(cx, RingKind::Z64)?,
        };
        let total = over_frame(cx, self.places, running, range, frame)?;
        Ok(Number::from_ring(range, total))
    }

    /// The sum over the frame, tested.
    pub(super) fn sum(&mut self, cx: &mut Context, frame: Frame) -> Result<Column> {
        let column = self.input(cx)?.zeroed(cx)?;
        let mut number = column.as_number(cx)?.clone();
        let valid = self.sorted.valid.clone();
        if let Overflow::Conservative { left_bits, .. } = self.call.overflow {
            let most = (1i128 << left_bits.min(126)) - 1;
            let limit = Range { low: -most, high: most };
            if let Some(failed) = outside(cx, &number, limit)? {
                let mut rows = kernel::and(cx, &failed, &valid)?;
                if let Some(present) = &column.present {
                    rows = kernel::and(cx, &rows, present)?;
                }
                cx.report(FailureKind::Overflow, rows);
            }
            number = number.with_range(cx, limit);
        }
        let n_rows = i128::from(self.bound);
        let term = with_zero(number.range());
        let total = term.low.checked_mul(n_rows).zip(term.high.checked_mul(n_rows));
        let total = total.map(|(low, high)| Range { low, high });
        let total = total.filter(|range| WIDEST.contains(*range)).unwrap_or(WIDEST);
        let starts = self.places.starts.clone();
        // Rows that do not exist are partitions of their own.
        let running = match number.ring(cx, RingKind::of(total))? {
            Ring::Z64(x) => Ring::Z64(cx.step("sum", |s| segmented_sum(s, "sum", &starts, &x))?),
            Ring::Z128(x) => Ring::Z128(cx.step("sum", |s| segmented_sum(s, "sum", &starts, &x))?),
        };
        let sum = Number::from_ring(total, over_frame(cx, self.places, running, total, frame)?);
        let present = if self.field.nullable {
            let count = self.count(cx, column.present.as_ref(), frame)?.bits(cx)?;
            Some(kernel::is_zero(cx, &count)?.not(cx.session()))
        } else {
            None
        };
        let ty = self.call.ty;
        let allowed = ty.range().ok_or_else(|| cx.wrong_plan(format!("a sum as {ty}")))?;
        if self.call.overflow != Overflow::Impossible
            && let Some(failed) = outside(cx, &sum, allowed)?
        {
            let rows = kernel::and(cx, &failed, &valid)?;
            cx.report(FailureKind::Overflow, rows);
        }
        let range = with_zero(self.field.range.unwrap_or(allowed));
        let data = Data::Number(sum.with_range(cx, range));
        Ok(Column { ty, data, present, zeroed: true })
    }

    fn places_rows(&self) -> i128 {
        self.sorted.n_rows() as i128
    }
}

/// The running total at the frame's end, less that before its start.
fn over_frame(
    cx: &mut Context,
    places: &mut Places,
    running: Ring,
    range: Range,
    frame: Frame,
) -> Result<Ring> {
    let end = match frame.end {
        FrameEdge::Rows(by) => moved(cx, places, &running, range, by)?,
        edge => at_edge(cx, places, &running, range, edge)?,
    };
    match frame.start {
        FrameEdge::Rows(by) => {
            let before = moved(cx, places, &running, range, by.saturating_sub(1))?;
            Ok(end.add(&before.scale(-1)))
        }
        FrameEdge::Partition => Ok(end),
        FrameEdge::Peers => Err(cx.wrong_plan("a frame that begins with the peers")),
    }
}

fn at_edge(
    cx: &mut Context,
    places: &mut Places,
    running: &Ring,
    range: Range,
    edge: FrameEdge,
) -> Result<Ring> {
    let bits = Number::from_ring(range, running.clone()).bits(cx)?;
    let bits = places.at_edge(cx, &bits, edge)?;
    Number::from_bits(range, bits).ring(cx, running.kind())
}

/// The running total so many rows below: nothing before the partition, all of it behind.
fn moved(cx: &mut Context, places: &mut Places, running: &Ring, range: Range, by: i64) -> Result<Ring> {
    if by == 0 {
        return Ok(running.clone());
    }
    let inside = places.reaches(cx, -by)?;
    let there = shifted_ring(cx, running, -by);
    if by < 0 {
        return kernel::inject(cx, &inside, &there);
    }
    let whole = at_edge(cx, places, running, range, FrameEdge::Partition)?;
    let difference = there.add(&whole.scale(-1));
    Ok(kernel::inject(cx, &inside, &difference)?.add(&whole))
}
