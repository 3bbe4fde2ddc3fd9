//! One party's side of a pass in a semi-honest session: the messages, and the rows at their ends.

use std::sync::Arc;

use buf::{Buf, Bytes};
use math::{Column, Group};

use super::Cast;
use crate::error::ProtocolError;
use crate::lanes::{Lane, with_lane};
use crate::prss::{Roots, Stream, Use};
use crate::session::{Core, Role, Session};
use crate::share::{Parts, Shared};
use crate::step::Step;

/// Which party this is in one pass, and what it knows of the permutation.
pub(crate) struct Seat {
    pub(crate) core: Arc<Core>,
    pub(crate) step: Step,
    pub(crate) index: usize,
    pub(crate) n: usize,
    pub(crate) cast: &'static Cast,
    /// Where rows come from, for `K_i` and `K_{i+1}`.
    pub(crate) factors: [Arc<[u32]>; 2],
}

impl Seat {
    pub(crate) fn roots(&self) -> &Roots {
        match &self.core.role {
            Role::Rep3 { roots, .. } => roots,
            _ => unreachable!("only compute parties have a seat"),
        }
    }

    /// Which of this party's keys is `K_key`, and which of its shares lies in slot `key`.
    pub(crate) fn slot(&self, key: usize) -> usize {
        if key == self.index { 0 } else { 1 }
    }

    pub(crate) fn factor(&self, key: usize) -> &[u32] {
        &self.factors[self.slot(key)]
    }

    /// The step of a lane's randomness.
    pub(super) fn lane_step(&self, lane: usize) -> Step {
        self.step.child(("lane", lane).into())
    }

    fn stream(&self, lane: usize, key: usize, purpose: Use) -> Stream {
        self.roots().0[self.slot(key)].stream(&self.lane_step(lane), purpose)
    }
}

/// Bytes that a lane takes in a message: each starts on a multiple of 16.
pub(super) fn lane_bytes(n: usize, row_bytes: usize) -> usize {
    (n * row_bytes).next_multiple_of(16)
}

/// Lanes on their way through a pass.
pub(crate) struct Rows {
    seat: Arc<Seat>,
    lanes: Vec<Lane>,
    n_bytes: usize,
    /// This party's second message.
    mine: Option<Bytes>,
}

impl Rows {
    pub(super) fn new(seat: &Arc<Seat>, lanes: Vec<Lane>) -> Self {
        let n_bytes = lanes.iter().map(|lane| lane_bytes(seat.n, lane.row_bytes())).sum();
        Rows { seat: Arc::clone(seat), lanes, n_bytes, mine: None }
    }

    /// The first messages leave: `X2` from u to v, `Y1` from v to w.
    pub(super) fn depart(&self, s: &mut Session) -> Result<(), ProtocolError> {
        let seat = &*self.seat;
        let Cast { u, v, w, first, middle, .. } = *seat.cast;
        let (to, message) = if seat.index == u {
            // u holds all but the share that v and w have: it applies both its factors to the sum.
            let (first, middle) = (seat.factor(first), seat.factor(middle));
            (v, self.write(|lane| lane.first_sum(first, middle)))
        } else if seat.index == v {
            (w, self.write(|lane| lane.first_rest(seat.factor(first))))
        } else {
            return Ok(());
        };
        s.send(&seat.step, 0, seat.core.compute[to], message)
    }

    /// What arrived goes on: `C1` from v to w, `C2` from w to v.
    pub(super) fn relay(&mut self, s: &mut Session) -> Result<(), ProtocolError> {
        let seat = Arc::clone(&self.seat);
        let Cast { u, v, w, middle, last, .. } = *seat.cast;
        let compute = seat.core.compute;
        if seat.index == u {
            return Ok(());
        }
        let (from, to) = if seat.index == v { (u, w) } else { (v, v) };
        let arrived = s.recv(&seat.step, 0, compute[from], self.n_bytes)?.freeze();
        let mine = if seat.index == v {
            self.write(|lane| lane.last_sum(&arrived, seat.factor(last)))
        } else {
            self.write(|lane| lane.last_rest(&arrived, seat.factor(middle), seat.factor(last)))
        };
        #[cfg(feature = "lab")]
        let mine = s.product_of(&seat.step, 1, &mine).map_or(mine, Buf::freeze);
        s.send(&seat.step, 1, compute[to], mine.clone())?;
        self.mine = Some(mine);
        Ok(())
    }

    /// The new shares.
    pub(crate) fn arrive(&self, s: &mut Session) -> Result<Vec<Lane>, ProtocolError> {
        let seat = &*self.seat;
        let Some(mine) = &self.mine else {
            return Ok(self.each(|lane| lane.drawn_shares()));
        };
        let peer = if seat.index == seat.cast.v { seat.cast.w } else { seat.cast.v };
        let theirs = s.recv(&seat.step, 1, seat.core.compute[peer], self.n_bytes)?.freeze();
        Ok(self.each(|lane| lane.met_shares(mine, &theirs)))
    }

    /// A message with one region per lane.
    fn write(&self, f: impl Fn(LaneSeat<'_>) -> Bytes) -> Bytes {
        let mut message = Buf::stale(self.n_bytes);
        let mut rest = message.bytes_mut();
        for (column, lane) in self.each(f).into_iter().zip(&self.lanes) {
            let (region, tail) = rest.split_at_mut(lane_bytes(self.seat.n, lane.row_bytes()));
            region[..column.len()].copy_from_slice(column.bytes());
            region[column.len()..].fill(0);
            rest = tail;
        }
        message.freeze()
    }

    fn each<T>(&self, f: impl Fn(LaneSeat<'_>) -> T) -> Vec<T> {
        let mut start = 0;
        let out = |(at, lane): (usize, &Lane)| {
            let new = f(LaneSeat { seat: &self.seat, at, start, lane });
            start += lane_bytes(self.seat.n, lane.row_bytes());
            new
        };
        self.lanes.iter().enumerate().map(out).collect()
    }
}

/// One lane of one pass at one party: number `at`, from byte `start` of each message.
struct LaneSeat<'a> {
    seat: &'a Seat,
    at: usize,
    start: usize,
    lane: &'a Lane,
}

impl LaneSeat<'_> {
    fn mask<G: Group>(&self, key: usize) -> Column<G> {
        self.seat.stream(self.at, key, Use::ShuffleMask).column(self.seat.n)
    }

    fn region<G: Group>(&self, message: &Bytes) -> Bytes {
        message.slice(self.start..self.start + self.seat.n * G::BYTES)
    }

    /// u: `X2 = middle(first(a + b) + Z_first) + Z_middle`.
    fn first_sum(&self, first: &[u32], middle: &[u32]) -> Bytes {
        fn sum<G: Group>(me: &LaneSeat<'_>, x: &Shared<G>, first: &[u32], middle: &[u32]) -> Bytes {
            let parts = x.parts().as_slice();
            let (own, next) = (parts[0].items(), parts[1].items());
            let cast = me.seat.cast;
            let (mask_first, mask_middle) = (me.mask::<G>(cast.first), me.mask::<G>(cast.middle));
            let (mask_first, mask_middle) = (mask_first.items(), mask_middle.items());
            let x2 = Column::from_fn(me.seat.n, |row| {
                let via = middle[row] as usize;
                let from = first[via] as usize;
                own[from].plus(next[from]).plus(mask_first[via]).plus(mask_middle[row])
            });
            x2.bytes().clone()
        }
        with_lane!(self.lane, x => sum(self, x, first, middle))
    }

    /// v: `Y1 = first(c) − Z_first`, for the share `c` that u lacks.
    fn first_rest(&self, first: &[u32]) -> Bytes {
        fn rest<G: Group>(me: &LaneSeat<'_>, x: &Shared<G>, first: &[u32]) -> Bytes {
            let lacking = (me.seat.cast.u + 2) % 3;
            let c = x.parts().as_slice()[me.seat.slot(lacking)].items();
            let mask = me.mask::<G>(me.seat.cast.first);
            let mask = mask.items();
            Column::from_fn(me.seat.n, |row| c[first[row] as usize].minus(mask[row])).bytes().clone()
        }
        with_lane!(self.lane, x => rest(self, x, first))
    }

    /// v: `C1 = last(X2) − B'`, for the new share `B'` that u and v draw. The paper's mask of this
    /// step is left out: `B'`, which w lacks, hides the rows already, as `A'` does in `C2`.
    fn last_sum(&self, arrived: &Bytes, last: &[u32]) -> Bytes {
        fn sum<G: Group>(me: &LaneSeat<'_>, _: &Shared<G>, arrived: &Bytes, last: &[u32]) -> Bytes {
            let region = me.region::<G>(arrived);
            let x2: &[G] = region.as_slice();
            let drawn: Column<G> = me.drawn(me.seat.cast.first);
            let drawn = drawn.items();
            Column::from_fn(me.seat.n, |row| x2[last[row] as usize].minus(drawn[row])).bytes().clone()
        }
        with_lane!(self.lane, x => sum(self, x, arrived, last))
    }

    /// w: `C2 = last(middle(Y1) − Z_middle) − A'`, for the new share `A'` that u and w draw.
    fn last_rest(&self, arrived: &Bytes, middle: &[u32], last: &[u32]) -> Bytes {
        fn rest<G: Group>(
            me: &LaneSeat<'_>,
            _: &Shared<G>,
            arrived: &Bytes,
            middle: &[u32],
            last: &[u32],
        ) -> Bytes {
            let region = me.region::<G>(arrived);
            let y1: &[G] = region.as_slice();
            let cast = me.seat.cast;
            let mask_middle = me.mask::<G>(cast.middle);
            let drawn: Column<G> = me.drawn(cast.middle);
            let (mask_middle, drawn) = (mask_middle.items(), drawn.items());
            let c2 = Column::from_fn(me.seat.n, |row| {
                let via = last[row] as usize;
                y1[middle[via] as usize].minus(mask_middle[via]).minus(drawn[row])
            });
            c2.bytes().clone()
        }
        with_lane!(self.lane, x => rest(self, x, arrived, middle, last))
    }

    fn drawn<G: Group>(&self, key: usize) -> Column<G> {
        self.seat.stream(self.at, key, Use::ShuffleShare).column(self.seat.n)
    }

    /// u: both its new shares are drawn.
    fn drawn_shares(&self) -> Lane {
        fn shares<G: Group>(me: &LaneSeat<'_>, _: &Shared<G>) -> Shared<G> {
            let index = me.seat.index;
            let parts = [index, (index + 1) % 3].map(|key| me.drawn(key));
            Shared::from_parts(me.seat.n, Parts::Two(parts))
        }
        with_lane!(self.lane, x => shares(self, x).into())
    }

    /// v and w: the share they both lacked is `C1 + C2`; the other one is drawn.
    fn met_shares(&self, mine: &Bytes, theirs: &Bytes) -> Lane {
        fn shares<G: Group>(me: &LaneSeat<'_>, _: &Shared<G>, mine: &Bytes, theirs: &Bytes) -> Shared<G> {
            let (mine, theirs) = (me.region::<G>(mine), me.region::<G>(theirs));
            let (mine, theirs): (&[G], &[G]) = (mine.as_slice(), theirs.as_slice());
            let met = Column::from_fn(me.seat.n, |row| mine[row].plus(theirs[row]));
            let index = me.seat.index;
            let parts = [index, (index + 1) % 3]
                .map(|key| if key == me.seat.cast.last { met.clone() } else { me.drawn(key) });
            Shared::from_parts(me.seat.n, Parts::Two(parts))
        }
        with_lane!(self.lane, x => shares(self, x, mine, theirs).into())
    }
}
