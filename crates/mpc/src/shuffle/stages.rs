//! A pass in three stages, one factor each: how malicious sessions move rows.
//!
//! The factor of a stage is known to the two holders of a key `K_j`, the parties `P_{j-1}` and `P_j`. Each
//! of them moves the share that it has in common with the third party `P_{j+1}`, hides it under a mask of
//! that key, and sends it there; what the two have in common they move alone:
//!
//! | before | after | known to |
//! |---|---|---|
//! | `x_{j+1}` | `f(x_{j+1}) + Z`, which `P_j` sends | `P_j`, `P_{j+1}` |
//! | `x_{j-1}` | `f(x_{j-1}) + Z'`, which `P_{j-1}` sends | `P_{j-1}`, `P_{j+1}` |
//! | `x_j` | `f(x_j) − Z − Z'` | `P_{j-1}`, `P_j` |
//!
//! So each message is the image of something that its receiver knows too, by a map that the other
//! party knows too: what proofs of products are made for ([`crate::check::rows`]). The four messages of
//! a semi-honest pass are not of that kind, since some went through two factors.

use std::sync::Arc;

use buf::{Buf, Bytes};
use math::{Column, Group};

use super::Cast;
use super::rows::{Seat, lane_bytes};
use crate::error::ProtocolError;
use crate::lanes::{Lane, with_lane};
use crate::prss::{Stream, Use};
use crate::session::Session;
use crate::share::{Parts, Shared};
use crate::step::Step;

/// A pass, and what this party knows of it.
pub(crate) struct Pass {
    pub(crate) step: Step,
    pub(crate) n: usize,
    pub(crate) cast: &'static Cast,
    pub(crate) lanes: Vec<Kind>,
    /// Nothing in a run that counts.
    known: Option<Known>,
}

/// What a lane holds.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) row_bytes: usize,
    /// Whether its elements are words under XOR, not numbers.
    pub(crate) is_words: bool,
}

struct Known {
    seat: Arc<Seat>,
    /// Before the first stage, and after each: both shares, a column for each lane.
    shares: [[Vec<Bytes>; 2]; 4],
}

impl Kind {
    fn of(lane: &Lane) -> Self {
        let is_words =
            matches!(lane, Lane::X8(_) | Lane::X16(_) | Lane::X32(_) | Lane::X64(_) | Lane::X128(_));
        Kind { row_bytes: lane.row_bytes(), is_words }
    }
}

impl Cast {
    /// Which stage a key's factor belongs to.
    fn stage(&self, key: usize) -> usize {
        match key {
            key if key == self.first => 0,
            key if key == self.middle => 1,
            _ => 2,
        }
    }
}

impl Pass {
    /// What a run that counts knows of it.
    pub(crate) fn counted(step: Step, n: usize, cast: &'static Cast, lanes: &[Lane]) -> Self {
        Pass { step, n, cast, lanes: lanes.iter().map(Kind::of).collect(), known: None }
    }

    fn known(&self) -> &Known {
        self.known.as_ref().expect("a party that moves rows")
    }

    /// This party's number.
    pub(crate) fn index(&self) -> usize {
        self.known().seat.index
    }

    /// The lanes of words: the numbers of them.
    pub(crate) fn words(&self) -> impl Iterator<Item = usize> {
        self.lanes.iter().enumerate().filter(|(_, kind)| kind.is_words).map(|(at, _)| at)
    }

    /// This party's share of a lane in a slot, before the stage of `K_key`.
    pub(crate) fn before(&self, key: usize, slot: usize, lane: usize) -> &Bytes {
        &self.known().shares[self.cast.stage(key)][slot][lane]
    }

    /// And after it.
    pub(crate) fn after(&self, key: usize, slot: usize, lane: usize) -> &Bytes {
        &self.known().shares[self.cast.stage(key) + 1][slot][lane]
    }

    /// Where rows come from, by the factor of this party's first or second key.
    pub(crate) fn factor(&self, slot: usize) -> &[u32] {
        &self.known().seat.factors[slot]
    }

    /// The masks of a lane under this party's first or second key: those of the message of the party
    /// whose first key that is (`Z`), or of the other holder (`Z'`).
    pub(crate) fn masks<G: Group>(&self, slot: usize, is_first: bool, lane: usize) -> Column<G> {
        stream(&self.known().seat, slot, is_first, lane).column(self.n)
    }
}

fn stream(seat: &Seat, slot: usize, is_first: bool, lane: usize) -> Stream {
    let purpose = if is_first { Use::StageMask } else { Use::StageMaskBack };
    seat.roots().0[slot].stream(&seat.lane_step(lane), purpose)
}

/// Moves the rows of all lanes.
pub(super) fn run(
    s: &mut Session,
    seat: &Arc<Seat>,
    lanes: &[Lane],
) -> Result<(Vec<Lane>, Pass), ProtocolError> {
    let mut walk = Walk::new(seat, lanes);
    let Cast { u, v, w, first, middle, last } = *seat.cast;
    if seat.index == u {
        walk.send(s, first)?;
        walk.keep(first);
        walk.send(s, middle)?;
        walk.keep(middle);
        walk.receive(s, last, v)?;
        walk.receive(s, last, w)?;
    } else if seat.index == v {
        walk.send(s, first)?;
        walk.keep(first);
        // What u sends leaves for it again while w's message is on its way.
        walk.receive(s, middle, u)?;
        walk.send(s, last)?;
        walk.receive(s, middle, w)?;
        walk.keep(last);
    } else {
        walk.receive(s, first, v)?;
        walk.send(s, middle)?;
        walk.receive(s, first, u)?;
        walk.keep(middle);
        walk.send(s, last)?;
        walk.keep(last);
    }
    Ok(walk.ended())
}

/// The messages of the stages, in the flights in which they travel: from, to.
pub(super) fn flights(cast: &Cast) -> [[(usize, usize); 3]; 2] {
    let Cast { u, v, w, .. } = *cast;
    [[(u, w), (v, w), (u, v)], [(w, v), (v, u), (w, u)]]
}

struct Walk<'a> {
    seat: &'a Arc<Seat>,
    lanes: &'a [Lane],
    n_bytes: usize,
    shares: [[Vec<Bytes>; 2]; 4],
}

impl<'a> Walk<'a> {
    fn new(seat: &'a Arc<Seat>, lanes: &'a [Lane]) -> Self {
        let n_bytes = lanes.iter().map(|lane| lane_bytes(seat.n, lane.row_bytes())).sum();
        let mut shares: [[Vec<Bytes>; 2]; 4] = Default::default();
        shares[0] = [0, 1].map(|slot| {
            let column = |lane: &Lane| with_lane!(lane, x => x.parts().as_slice()[slot].bytes().clone());
            lanes.iter().map(column).collect()
        });
        Walk { seat, lanes, n_bytes, shares }
    }

    /// The share that leaves in a stage: its slot, and whether the key is this party's first.
    fn leaving(&self, key: usize) -> (usize, bool) {
        if self.seat.index == key { (1, true) } else { (0, false) }
    }

    fn send(&mut self, s: &mut Session, key: usize) -> Result<(), ProtocolError> {
        let (seat, stage) = (Arc::clone(self.seat), self.seat.cast.stage(key));
        let (slot, is_first) = self.leaving(key);
        let mut message = Buf::stale(self.n_bytes);
        let mut rest = message.bytes_mut();
        for (at, lane) in self.lanes.iter().enumerate() {
            let (region, tail) = rest.split_at_mut(lane_bytes(seat.n, lane.row_bytes()));
            let (out, pad) = region.split_at_mut(seat.n * lane.row_bytes());
            let masks = stream(&seat, seat.slot(key), is_first, at);
            with_lane!(lane, like => moved(like, &self.shares[stage][slot][at], seat.factor(key), &masks, out));
            pad.fill(0);
            rest = tail;
        }
        let message = message.freeze();
        #[cfg(feature = "lab")]
        let message = s.product_of(&seat.step, stage as u8, &message).map_or(message, Buf::freeze);
        s.send(&seat.step, stage as u8, seat.core.compute[(key + 1) % 3], message.clone())?;
        self.shares[stage + 1][slot] = self.regions(&message);
        Ok(())
    }

    /// What both holders of the key move alone.
    fn keep(&mut self, key: usize) {
        let (seat, stage) = (self.seat, self.seat.cast.stage(key));
        let slot = 1 - self.leaving(key).0;
        let lanes = self.lanes.iter().enumerate().map(|(at, lane)| {
            let masks = [true, false].map(|is_first| stream(seat, seat.slot(key), is_first, at));
            with_lane!(lane, like => kept(like, &self.shares[stage][slot][at], seat.factor(key), &masks))
        });
        self.shares[stage + 1][slot] = lanes.collect();
    }

    fn receive(&mut self, s: &mut Session, key: usize, from: usize) -> Result<(), ProtocolError> {
        let stage = self.seat.cast.stage(key);
        let peer = self.seat.core.compute[from];
        let message = s.recv(&self.seat.step, stage as u8, peer, self.n_bytes)?.freeze();
        let slot = if from == key { 0 } else { 1 };
        self.shares[stage + 1][slot] = self.regions(&message);
        Ok(())
    }

    /// The columns of a message.
    fn regions(&self, message: &Bytes) -> Vec<Bytes> {
        let mut start = 0;
        let region = |lane: &Lane| {
            let region = message.slice(start..start + self.seat.n * lane.row_bytes());
            start += lane_bytes(self.seat.n, lane.row_bytes());
            region
        };
        self.lanes.iter().map(region).collect()
    }

    fn ended(self) -> (Vec<Lane>, Pass) {
        let n = self.seat.n;
        let out = self.lanes.iter().enumerate().map(|(at, lane)| {
            let parts = [0, 1].map(|slot| self.shares[3][slot][at].clone());
            with_lane!(lane, like => sharing(like, parts).into())
        });
        let out = out.collect();
        let (step, cast) = (self.seat.step.clone(), self.seat.cast);
        let lanes = self.lanes.iter().map(Kind::of).collect();
        let known = Some(Known { seat: Arc::clone(self.seat), shares: self.shares });
        (out, Pass { step, n, cast, lanes, known })
    }
}

/// Writes `f(x) + Z`.
fn moved<G: Group>(_: &Shared<G>, x: &Bytes, from: &[u32], masks: &Stream, out: &mut [u8]) {
    let out: &mut [G] = bytemuck::cast_slice_mut(out);
    let x: &[G] = x.as_slice();
    masks.fill(out);
    out.iter_mut().zip(from).for_each(|(out, from)| *out = out.plus(x[*from as usize]));
}

/// `f(x) − Z − Z'`.
fn kept<G: Group>(_: &Shared<G>, x: &Bytes, from: &[u32], masks: &[Stream; 2]) -> Bytes {
    let [first, second] = masks.each_ref().map(|masks| masks.column::<G>(from.len()));
    let (x, masks): (&[G], _) = (x.as_slice(), first.items().iter().zip(second.items()));
    let kept = Column::<G>::build(from.len(), |out| {
        for ((out, from), (first, second)) in out.iter_mut().zip(from).zip(masks) {
            *out = x[*from as usize].minus(*first).minus(*second);
        }
    });
    kept.bytes().clone()
}

fn sharing<G: Group>(like: &Shared<G>, parts: [Bytes; 2]) -> Shared<G> {
    Shared::from_parts(like.len(), Parts::Two(parts.map(Column::of_bytes)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use math::{Column, X8};

    use crate::lab::{self, Form, Lab, Script, View};
    use crate::lanes::Lane;
    use crate::shuffle::Shuffler;

    /// What each party sees of one-bit rows that move, over every sequence of coins: its shares, its masks
    /// and the messages it receives.
    fn views(script: &Arc<Script>, secret: u8, is_backward: bool) -> [View; 3] {
        lab::views(
            &Lab::seeded(1),
            script,
            8,
            |_| Form::Elements,
            |s, n| {
                let x = script.deal(s, 1, &Column::filled(n, X8(secret)));
                let lanes: [Lane; 1] = [x.clone().into()];
                Shuffler::new(s, "draw", n)?.staged(s, "move", &lanes, is_backward)?;
                let bits = |part: &Column<X8>| part.items().iter().map(|item| u64::from(item.0)).collect();
                Ok(lab::parts_of(&x).iter().map(bits).collect())
            },
        )
    }

    #[test]
    fn stages_show_masked_rows_only() {
        for is_backward in [false, true] {
            let [zero, one] = [0, 1].map(|secret| views(&Script::new(1), secret, is_backward));
            assert!(zero == one, "views hang on the masks alone");
        }
    }

    /// Who receives rows knew them before, and must not see where they went: without the masks of a
    /// stage's key it does.
    #[test]
    fn receivers_cannot_tell_where_rows_went() {
        for is_backward in [false, true] {
            // Rows stay where they are, in scripted runs.
            let seen = |script: Arc<Script>| {
                let run = Lab::seeded(1).scripted(Arc::clone(&script)).run(|s| {
                    let lanes: [Lane; 1] = [script.deal(s, 1, &Column::filled(256, X8(1))).into()];
                    let shuffler = Shuffler::new(s, "draw", 256)?;
                    Ok(shuffler.staged(s, "move", &lanes, is_backward)?.1)
                });
                let passes = run.all();
                [0, 1, 2].map(|key: usize| {
                    let pass = &passes[(key + 1) % 3];
                    [0, 1].map(|slot| pass.before(key, slot, 0).bytes() == pass.after(key, slot, 0).bytes())
                })
            };
            assert_eq!(seen(Script::new(1)), [[false; 2]; 3]);
            for key in 0..3 {
                let mut shown = [[false; 2]; 3];
                shown[key] = [true; 2];
                assert_eq!(seen(Script::new(1).without_key(key)), shown);
            }
        }
    }
}
