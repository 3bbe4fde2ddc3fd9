//! Where sorted rows stand in their partition and among their peers.

use math::{Column as Elements, Z64};
use mpc::{Shared, SharedBits};
use oblivious::{Cells, Running, boundaries, segmented_scan, segmented_sum};
use plan::secure::FrameEdge;
use plan::types::Range;

use crate::context::{Context, Result};
use crate::kernel;
use crate::number::{Number, Ring, width_of};

/// The places of sorted rows; each computed when it is first asked for.
pub(super) struct Places {
    n_rows: usize,
    /// Where partitions and peers begin.
    pub(super) starts: SharedBits,
    peer_starts: SharedBits,
    number: Option<Number>,
    rows: Option<Number>,
    first_peer: Option<Number>,
    last_peer: Option<Number>,
}

impl Places {
    /// Of rows sorted by `key`: the order's planes, those of the partition, and on top whether
    /// the row does not exist.
    pub(super) fn new(cx: &mut Context, key: &SharedBits, n_order: usize, one: bool) -> Result<Places> {
        let top = key.width() - 1;
        // Without partition columns the rows that exist are one; where it ends is still a secret.
        let own = if one { key.plane(top) } else { key.planes(n_order..top + 1) };
        let starts = cx.step("starts", |s| boundaries(s, "partitions", &own))?;
        let peer_starts =
            if n_order == 0 { starts.clone() } else { cx.step("starts", |s| boundaries(s, "peers", key))? };
        let n_rows = key.n_rows();
        Ok(Places {
            n_rows,
            starts,
            peer_starts,
            number: None,
            rows: None,
            first_peer: None,
            last_peer: None,
        })
    }

    /// Numbers of rows, from none to all.
    fn range(&self) -> Range {
        Range { low: 0, high: self.n_rows as i128 }
    }

    /// The rows' numbers from 1, in all.
    fn positions(&self, cx: &Context) -> SharedBits {
        let numbers = Elements::from_fn(self.n_rows, |row| Z64(row as u64 + 1));
        SharedBits::public(cx.session(), &math::pack::planes(&numbers, width_of(self.range())))
    }

    /// What stands in the first row of each segment, in all its rows.
    pub(super) fn down(
        &self,
        cx: &mut Context,
        starts: &SharedBits,
        bits: &SharedBits,
    ) -> Result<SharedBits> {
        cx.step("down", |s| segmented_scan(s, "scan", starts, bits, Running::First))
    }

    /// What stands in the last row of each segment, in all its rows.
    fn up(&self, cx: &mut Context, starts: &SharedBits, bits: &SharedBits) -> Result<SharedBits> {
        let n = self.n_rows;
        let last = SharedBits::constant(cx.session(), 1, 1, 1);
        let ends = SharedBits::concat(&[&starts.copy_rows(1..n), &last]);
        let turn: Vec<u32> = (0..n as u32).rev().collect();
        let (ends, bits) = (ends.gather(&turn), bits.gather(&turn));
        let up = cx.step("up", |s| segmented_scan(s, "scan", &ends, &bits, Running::First))?;
        Ok(up.gather(&turn))
    }

    /// Whether a plane has been set in the partition so far.
    pub(super) fn seen(&self, cx: &mut Context, plane: &SharedBits) -> Result<SharedBits> {
        cx.step("seen", |s| segmented_scan(s, "scan", &self.starts, plane, Running::Or))
    }

    /// For each plane, whether it is set in an odd number of the partition's rows: what is odd up to
    /// its last row, but for the rows before its first.
    pub(super) fn odd(&self, cx: &mut Context, bits: &SharedBits) -> Result<SharedBits> {
        let running = Cells::from(bits.clone()).prefix_sum();
        let running = running.bits().ok_or_else(|| cx.wrong_plan("planes that are none"))?;
        let end = self.up(cx, &self.starts, running)?;
        let before = self.down(cx, &self.starts, &running.xor(bits))?;
        Ok(end.xor(&before))
    }

    /// What stands in the partition's first row.
    pub(super) fn of_start(&self, cx: &mut Context, bits: &SharedBits) -> Result<SharedBits> {
        self.down(cx, &self.starts, bits)
    }

    /// What stands in the partition's last row, or the last peer's.
    pub(super) fn at_edge(&self, cx: &mut Context, bits: &SharedBits, edge: FrameEdge) -> Result<SharedBits> {
        match edge {
            FrameEdge::Partition => self.up(cx, &self.starts, bits),
            FrameEdge::Peers => self.up(cx, &self.peer_starts, bits),
            FrameEdge::Rows(_) => Ok(bits.clone()),
        }
    }

    /// The number in the partition.
    pub(super) fn number(&mut self, cx: &mut Context) -> Result<Number> {
        if let Some(number) = &self.number {
            return Ok(number.clone());
        }
        // The position, less that of the row before the partition: a public number at its start.
        let positions = self.positions(cx);
        let before = Elements::from_fn(self.n_rows, |row| Z64(row as u64));
        let before = math::pack::planes(&before, width_of(self.range()));
        let before = SharedBits::public(cx.session(), &before);
        let before = self.down(cx, &self.starts, &before)?;
        let bits = kernel::subtract(cx, &positions, &before)?;
        let number = Number::from_bits(self.range(), bits);
        self.number = Some(number.clone());
        Ok(number)
    }

    /// How many rows the partition has.
    pub(super) fn rows(&mut self, cx: &mut Context) -> Result<Number> {
        if self.rows.is_none() {
            let bits = self.number(cx)?.bits(cx)?;
            let rows = self.up(cx, &self.starts, &bits)?;
            self.rows = Some(Number::from_bits(self.range(), rows));
        }
        Ok(self.rows.clone().expect("it has just been computed"))
    }

    /// The number of the first peer.
    pub(super) fn rank(&mut self, cx: &mut Context) -> Result<Number> {
        if self.first_peer.is_none() {
            let bits = self.number(cx)?.bits(cx)?;
            let rank = self.down(cx, &self.peer_starts, &bits)?;
            self.first_peer = Some(Number::from_bits(self.range(), rank));
        }
        Ok(self.first_peer.clone().expect("it has just been computed"))
    }

    /// The number of the last peer.
    pub(super) fn last_peer(&mut self, cx: &mut Context) -> Result<Number> {
        if self.last_peer.is_none() {
            let bits = self.number(cx)?.bits(cx)?;
            let last = self.up(cx, &self.peer_starts, &bits)?;
            self.last_peer = Some(Number::from_bits(self.range(), last));
        }
        Ok(self.last_peer.clone().expect("it has just been computed"))
    }

    /// How many peers with their first row up to here.
    pub(super) fn dense_rank(&self, cx: &mut Context) -> Result<Number> {
        let ones: Shared<Z64> = kernel::bit_to_ring(cx, &self.peer_starts)?;
        let ranks = cx.step("dense", |s| segmented_sum(s, "sum", &self.starts, &ones))?;
        Ok(Number::from_ring(self.range(), Ring::Z64(ranks)))
    }

    /// Where the row so many rows above, or below if negative, is of the same partition.
    pub(super) fn reaches(&mut self, cx: &mut Context, by: i64) -> Result<SharedBits> {
        let n = self.n_rows as i64;
        if by == 0 || by.unsigned_abs() >= self.n_rows as u64 {
            return Ok(SharedBits::constant(cx.session(), self.n_rows, 1, u128::from(by == 0)));
        }
        if by == 1 {
            return Ok(self.starts.not(cx.session()));
        }
        if by == -1 {
            let last = SharedBits::constant(cx.session(), 1, 1, 0);
            let next = self.starts.copy_rows(1..n as usize).not(cx.session());
            return Ok(SharedBits::concat(&[&next, &last]));
        }
        let number = self.number(cx)?.bits(cx)?;
        if by > 0 {
            return kernel::greater_public(cx, &number, by.into(), false);
        }
        let rows = self.rows(cx)?.bits(cx)?;
        let below = kernel::subtract(cx, &rows, &number)?;
        kernel::greater_public(cx, &below, i128::from(-by) - 1, false)
    }
}

/// Each row moved down by `by`, up if negative; zeros come in.
pub(super) fn shifted(cx: &Context, bits: &SharedBits, by: i64) -> SharedBits {
    let n = bits.n_rows();
    let by_rows = by.unsigned_abs().min(n as u64) as usize;
    let zeros = SharedBits::constant(cx.session(), by_rows, bits.width(), 0);
    match (by_rows, by > 0) {
        (0, _) => bits.clone(),
        (all, _) if all == n => zeros,
        (_, true) => SharedBits::concat(&[&zeros, &bits.copy_rows(0..n - by_rows)]),
        (_, false) => SharedBits::concat(&[&bits.copy_rows(by_rows..n), &zeros]),
    }
}

/// The same for arithmetic shares.
pub(super) fn shifted_ring(cx: &Context, ring: &Ring, by: i64) -> Ring {
    let n = ring.len();
    let by_rows = by.unsigned_abs().min(n as u64) as usize;
    let zeros = Ring::constant(cx, by_rows, ring.kind(), 0);
    match (by_rows, by > 0) {
        (0, _) => ring.clone(),
        (all, _) if all == n => zeros,
        (_, true) => Ring::concat(&[&zeros, &ring.rows(0..n - by_rows)]),
        (_, false) => Ring::concat(&[&ring.rows(by_rows..n), &zeros]),
    }
}

#[cfg(test)]
mod tests {
    use math::Planes;
    use mpc::{Params, Session};

    use super::*;
    use crate::errors::Failures;

    /// Rows move by as many as there are, and by more.
    #[test]
    fn shifts_bring_in_zeros() {
        let mut session = Session::plain(Params::default());
        let mut failures = Failures::default();
        let mut cx = Context::named(&mut session, &mut failures, 0, "test");
        let bits = SharedBits::public(cx.session(), &Planes::from_bools(&[true, true, true]));
        for (by, expected) in [(0, 0b111), (1, 0b110), (-1, 0b011), (2, 0b100), (3, 0), (-9, 0)] {
            let moved = shifted(&cx, &bits, by);
            let expected: Vec<bool> = (0..3).map(|row| expected >> row & 1 == 1).collect();
            let expected = SharedBits::public(cx.session(), &Planes::from_bools(&expected));
            let opened = cx.step("look", |s| {
                let moved = mpc::verify(s, moved.xor(&expected))?;
                mpc::open_bits_to(s, "rows", net::PartyId::FIRST, moved)
            });
            let opened = opened.expect("it opens in clear").expect("there are values in clear");
            assert_eq!([0, 1, 2].map(|row| opened.row(row)), [0; 3], "{by}");
        }
    }
}
