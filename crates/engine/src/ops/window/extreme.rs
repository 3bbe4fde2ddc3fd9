//! The least and the greatest over frames: running extremes, and sliding ones by doubling.

use mpc::SharedBits;
use oblivious::{Running, segmented_scan};
use plan::secure::{Frame, FrameEdge};

use super::places::shifted;
use super::{Places, Window, keys};
use crate::context::{Context, Result};
use crate::kernel;
use crate::relation::Column;

impl Window<'_> {
    /// The greatest in the frame, or the least: values that are NULL are less than any other.
    pub(super) fn extreme(&mut self, cx: &mut Context, frame: Frame, least: bool) -> Result<Column> {
        let column = self.input(cx)?.clone();
        let order = keys::order(cx, &column)?;
        let order = if least { order.not(cx.session()) } else { order };
        let width = order.width();
        // On top, whether there is a value: outside the frame there is none.
        let there = column.present(cx, order.n_rows());
        let values = SharedBits::stack(&[&order, &there]);
        let found = over_frame(cx, self.places, &values, frame)?;
        let best = found.planes(0..width);
        let best = if least { best.not(cx.session()) } else { best };
        let data = keys::from_order(cx, &column, &best);
        let present = self.field.nullable.then(|| found.plane(width));
        Ok(Column { ty: column.ty, data, zeroed: present.is_none(), present })
    }
}

fn over_frame(
    cx: &mut Context,
    places: &mut Places,
    values: &SharedBits,
    frame: Frame,
) -> Result<SharedBits> {
    match (frame.start, frame.end) {
        (FrameEdge::Partition, FrameEdge::Rows(0)) => running(cx, places, values),
        (FrameEdge::Partition, FrameEdge::Rows(end)) => {
            let above = running(cx, places, values)?;
            if end < 0 {
                return moved(cx, places, &above, -end);
            }
            let below = sliding(cx, places, values, end + 1, -1)?;
            greater(cx, &above, &below)
        }
        (FrameEdge::Partition, edge) => {
            let all = running(cx, places, values)?;
            places.at_edge(cx, &all, edge)
        }
        (FrameEdge::Rows(start), FrameEdge::Rows(end)) if start <= end => {
            if end < 0 {
                let above = sliding(cx, places, values, end - start + 1, 1)?;
                return moved(cx, places, &above, -end);
            }
            if start > 0 {
                let below = sliding(cx, places, values, end - start + 1, -1)?;
                return moved(cx, places, &below, -start);
            }
            let above = sliding(cx, places, values, 1 - start, 1)?;
            let below = sliding(cx, places, values, end + 1, -1)?;
            greater(cx, &above, &below)
        }
        _ => Err(cx.wrong_plan("an extreme over such a frame")),
    }
}

/// The greatest from the partition's first row on.
fn running(cx: &mut Context, places: &Places, values: &SharedBits) -> Result<SharedBits> {
    cx.step("extreme", |s| segmented_scan(s, "scan", &places.starts, values, Running::Max))
}

fn greater(cx: &mut Context, x: &SharedBits, y: &SharedBits) -> Result<SharedBits> {
    let less = kernel::less(cx, x, y, false)?;
    kernel::select(cx, &less, y, x)
}

/// The value so many rows above, or below if negative; none outside the partition.
fn moved(cx: &mut Context, places: &mut Places, values: &SharedBits, by: i64) -> Result<SharedBits> {
    let inside = places.reaches(cx, by)?;
    let there = shifted(cx, values, by);
    kernel::and(cx, &inside, &there)
}

/// The greatest of a row and the `length − 1` before it, or after it where `side` is −1.
fn sliding(
    cx: &mut Context,
    places: &mut Places,
    values: &SharedBits,
    length: i64,
    side: i64,
) -> Result<SharedBits> {
    let (mut best, mut covered) = (values.clone(), 1);
    while covered < length {
        // Twice as many rows, or as many more as are missing.
        let by = covered.min(length - covered);
        let further = moved(cx, places, &best, side * by)?;
        best = greater(cx, &best, &further)?;
        covered += by;
    }
    Ok(best)
}
