//! Shuffles: rows in an order that nobody knows.

use buf::{Buf, Bytes};
use math::prg::Prg;
use math::{Column, Group};

use crate::error::ProtocolError;
use crate::lanes::{Lane, with_lane};
use crate::prss::{Roots, Stream, Use};
use crate::session::{Role, Session};
use crate::share::{Parts, Shared};
use crate::step::{Label, Step};

/// A secret uniform permutation of `n` rows: a product of three, each known to two parties.
///
/// Rows that are opened after a pass show where known rows went: draw a fresh permutation for
/// each opening.
///
/// - **Cost** of a pass: 2 rounds; four messages of the rows' bytes in all.
/// - **Model:** one passive corruption of three; each party lacks one of the three factors.
/// - **Source:** Araki et al., "Secure Graph Analysis at Scale", CCS 2021, §5.2.
pub struct Shuffler {
    n: usize,
    /// The factors this party knows, as positions to gather from: of `K_i` and `K_{i+1}`.
    factors: Parts<Vec<u32>>,
}

/// Which party plays which part, and which factor comes when. `first` and `middle` are known
/// to `u`, `first` and `last` to `v`, `middle` and `last` to `w`.
struct Cast {
    u: usize,
    v: usize,
    w: usize,
    first: usize,
    middle: usize,
    last: usize,
}

const FORWARD: Cast = Cast { u: 0, v: 1, w: 2, first: 1, middle: 0, last: 2 };
const BACKWARD: Cast = Cast { u: 2, v: 1, w: 0, first: 2, middle: 0, last: 1 };

impl Shuffler {
    /// Draws a fresh permutation of `n` rows. Costs no message.
    ///
    /// # Errors
    /// `StepReused`; `Unsupported` in malicious sessions.
    pub fn new(s: &mut Session, label: impl Into<Label>, n: usize) -> Result<Self, ProtocolError> {
        let step = s.begin(label)?;
        refuse_unchecked(s, &step)?;
        let factors = match &s.core.role {
            Role::Rep3 { roots, .. } => {
                Parts::Two(roots.streams(&step, Use::Permutation).map(|stream| stream.permutation(n)))
            }
            Role::Plain => {
                let key = blake3::derive_key("junto 2026 oracle shuffle v1", &step.key_bytes());
                let key = <[u8; 16]>::try_from(&key[..16]).expect("16 of 32 bytes");
                Parts::One([Prg::new(&key).permutation(n)])
            }
            Role::Observer | Role::Count(_) => Parts::Zero,
        };
        Ok(Shuffler { n, factors })
    }

    /// Moves the rows of all lanes, in the same secret order.
    ///
    /// # Errors
    /// `Shape` if a lane has another number of rows; `Link`.
    pub fn shuffle(
        &self,
        s: &mut Session,
        label: impl Into<Label>,
        lanes: &[Lane],
    ) -> Result<Vec<Lane>, ProtocolError> {
        self.pass(s, label.into(), lanes, &FORWARD)
    }

    /// Moves the rows of all lanes back to where they were before [`Shuffler::shuffle`].
    ///
    /// # Errors
    /// As [`Shuffler::shuffle`].
    pub fn unshuffle(
        &self,
        s: &mut Session,
        label: impl Into<Label>,
        lanes: &[Lane],
    ) -> Result<Vec<Lane>, ProtocolError> {
        self.pass(s, label.into(), lanes, &BACKWARD)
    }

    fn pass(
        &self,
        s: &mut Session,
        label: Label,
        lanes: &[Lane],
        cast: &Cast,
    ) -> Result<Vec<Lane>, ProtocolError> {
        let step = s.begin(label)?;
        for lane in lanes {
            if lane.len() != self.n {
                return Err(ProtocolError::Shape { step, left: self.n, right: lane.len() });
            }
        }
        let n_bytes = lanes.iter().map(|lane| lane_bytes(self.n, lane.row_bytes())).sum::<usize>();
        let core = s.core.clone();
        match (&core.role, &self.factors) {
            (Role::Rep3 { index, roots }, Parts::Two(factors)) => {
                let seat = Seat { step: &step, roots, index: *index, n: self.n, cast };
                let factors = factors.each_ref().map(|factor| cast.positions(factor));
                #[cfg(feature = "lab")]
                let factors = s.factors_of(&step, factors);
                seat.pass(s, lanes, factors, n_bytes)
            }
            (Role::Plain, Parts::One([factor])) => {
                let from = cast.positions(factor);
                Ok(lanes.iter().map(|lane| lane.gather(&from)).collect())
            }
            _ => {
                let [u, v, w] = [cast.u, cast.v, cast.w].map(|seat| core.compute[seat]);
                s.count_messages(&[(u, v, n_bytes), (v, w, n_bytes)]);
                s.count_messages(&[(v, w, n_bytes), (w, v, n_bytes)]);
                Ok(lanes.to_vec())
            }
        }
    }
}

/// The tags that would show a changed row are not there yet: sessions that compute against an
/// active adversary do without shuffles.
fn refuse_unchecked(s: &Session, step: &Step) -> Result<(), ProtocolError> {
    if !s.records() {
        return Ok(());
    }
    let reason = "no check covers shuffles yet: they are for semi-honest sessions";
    Err(ProtocolError::Unsupported { step: step.clone(), reason })
}

impl Cast {
    fn is_backward(&self) -> bool {
        self.u == BACKWARD.u
    }

    /// Where each row comes from: the factor itself, or its inverse on the way back.
    fn positions(&self, factor: &[u32]) -> Vec<u32> {
        if !self.is_backward() {
            return factor.to_vec();
        }
        let mut inverse = vec![0; factor.len()];
        for (row, from) in factor.iter().enumerate() {
            inverse[*from as usize] = row as u32;
        }
        inverse
    }
}

/// Bytes that a lane takes in a message: each starts on a multiple of 16.
fn lane_bytes(n: usize, row_bytes: usize) -> usize {
    (n * row_bytes).next_multiple_of(16)
}

/// One compute party's side of one pass.
struct Seat<'a> {
    step: &'a Step,
    roots: &'a Roots,
    index: usize,
    n: usize,
    cast: &'a Cast,
}

impl Seat<'_> {
    fn pass(
        &self,
        s: &mut Session,
        lanes: &[Lane],
        factors: [Vec<u32>; 2],
        n_bytes: usize,
    ) -> Result<Vec<Lane>, ProtocolError> {
        let Cast { u, v, w, first, middle, last } = *self.cast;
        let compute = s.core.compute;
        let factor = |key: usize| &factors[self.slot(key)];
        if self.index == u {
            // u holds all but the share that v and w have: it applies both its factors to the sum.
            let (first_at, middle_at) = (factor(first), factor(middle));
            let message = self.write(lanes, n_bytes, |out| out.first_sum(first_at, middle_at));
            s.send(self.step, 0, compute[v], message)?;
            return Ok(self.lanes(lanes, |out| out.drawn_shares()));
        }
        let (mine, peer) = if self.index == v {
            let message = self.write(lanes, n_bytes, |out| out.first_rest(factor(first)));
            s.send(self.step, 0, compute[w], message)?;
            let arrived = s.recv(self.step, 0, compute[u], n_bytes)?.freeze();
            (self.write(lanes, n_bytes, |out| out.last_sum(&arrived, factor(last))), w)
        } else {
            let arrived = s.recv(self.step, 0, compute[v], n_bytes)?.freeze();
            let (middle_at, last_at) = (factor(middle), factor(last));
            (self.write(lanes, n_bytes, |out| out.last_rest(&arrived, middle_at, last_at)), v)
        };
        #[cfg(feature = "lab")]
        let mine = s.product_of(self.step, 1, &mine).map_or(mine, Buf::freeze);
        s.send(self.step, 1, compute[peer], mine.clone())?;
        let theirs = s.recv(self.step, 1, compute[peer], n_bytes)?.freeze();
        Ok(self.lanes(lanes, |out| out.met_shares(&mine, &theirs)))
    }

    /// Which of this party's keys is `K_key`.
    fn slot(&self, key: usize) -> usize {
        if key == self.index { 0 } else { 1 }
    }

    fn stream(&self, lane: usize, key: usize, purpose: Use) -> Stream {
        self.roots.0[self.slot(key)].stream(&self.step.child(("lane", lane).into()), purpose)
    }

    /// A message with one region per lane.
    fn write(&self, lanes: &[Lane], n_bytes: usize, f: impl Fn(LaneSeat<'_>) -> Bytes) -> Bytes {
        let mut message = Buf::stale(n_bytes);
        let mut rest = message.bytes_mut();
        let mut start = 0;
        for (at, lane) in lanes.iter().enumerate() {
            let column = f(LaneSeat { seat: self, at, start, lane });
            let (region, tail) = rest.split_at_mut(lane_bytes(self.n, lane.row_bytes()));
            region[..column.len()].copy_from_slice(column.bytes());
            region[column.len()..].fill(0);
            start += region.len();
            rest = tail;
        }
        message.freeze()
    }

    fn lanes(&self, lanes: &[Lane], f: impl Fn(LaneSeat<'_>) -> Lane) -> Vec<Lane> {
        let mut start = 0;
        let out = |(at, lane): (usize, &Lane)| {
            let new = f(LaneSeat { seat: self, at, start, lane });
            start += lane_bytes(self.n, lane.row_bytes());
            new
        };
        lanes.iter().enumerate().map(out).collect()
    }
}

/// One lane of one pass at one party: number `at`, from byte `start` of each message.
struct LaneSeat<'a> {
    seat: &'a Seat<'a>,
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
