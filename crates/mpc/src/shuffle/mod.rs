//! Shuffles: rows in an order that nobody knows.
//!
//! In malicious sessions rows carry tags ([`tags`]), made in the first flight of a pass and moved one
//! flight behind the rows, so that a pass takes its two rounds as ever. Whether all rows are what
//! they were is checked before anything is opened ([`crate::check::rows`]).

pub(crate) mod rows;
pub(crate) mod tags;

use std::sync::Arc;

use math::prg::Prg;

use crate::check::copies::DIGEST_BYTES;
use crate::check::rows::{Pass, commit_keys};
use crate::error::ProtocolError;
use crate::lanes::Lane;
use crate::prss::Use;
use crate::session::{Core, Role, Session};
use crate::share::Parts;
use crate::step::{Label, Step};
use rows::{Rows, Seat, lane_bytes};
use tags::Layout;

/// The messages of a pass: rows, tags, and what comes with their making.
const ROWS: [u8; 2] = [0, 1];
const TAG_PRODUCT: u8 = 2;
const TAGS: [u8; 2] = [3, 4];
pub(crate) const KEY_COMMITMENT: u8 = 5;

/// A secret uniform permutation of `n` rows: a product of three, each known to two parties.
///
/// Rows that are opened after a pass show where known rows went: draw a fresh permutation for
/// each opening.
///
/// - **Cost** of a pass: 2 rounds; four messages of the rows' bytes in all. In malicious sessions
///   seven messages of 8 bytes per row besides, and later the check, 5 rounds beside the proofs of
///   products. Lanes of numbers weigh more there: 16 bytes a number, 24 for `Z128`, and for either
///   size present as much again for its tag.
/// - **Model:** each party lacks one of the three factors. One active corruption of three, with
///   abort: see [`crate::check::rows`]; one passive one in semi-honest sessions.
/// - **Source:** Araki et al., "Secure Graph Analysis at Scale", CCS 2021, §5.2.
pub struct Shuffler {
    n: usize,
    /// The factors this party knows, as positions to gather from: of `K_i` and `K_{i+1}`.
    factors: Parts<Arc<[u32]>>,
}

/// Which party plays which part, and which factor comes when. `first` and `middle` are known
/// to `u`, `first` and `last` to `v`, `middle` and `last` to `w`.
pub(crate) struct Cast {
    pub(crate) u: usize,
    pub(crate) v: usize,
    pub(crate) w: usize,
    pub(crate) first: usize,
    pub(crate) middle: usize,
    pub(crate) last: usize,
}

static FORWARD: Cast = Cast { u: 0, v: 1, w: 2, first: 1, middle: 0, last: 2 };
static BACKWARD: Cast = Cast { u: 2, v: 1, w: 0, first: 2, middle: 0, last: 1 };

impl Shuffler {
    /// Draws a fresh permutation of `n` rows. Costs no message.
    ///
    /// # Errors
    /// `StepReused`.
    pub fn new(s: &mut Session, label: impl Into<Label>, n: usize) -> Result<Self, ProtocolError> {
        let step = s.begin(label)?;
        let factors = match &s.core.role {
            Role::Rep3 { roots, .. } => {
                Parts::Two(roots.streams(&step, Use::Permutation).map(|stream| stream.permutation(n).into()))
            }
            Role::Plain => {
                let key = blake3::derive_key("junto 2026 oracle shuffle v1", &step.key_bytes());
                let key = <[u8; 16]>::try_from(&key[..16]).expect("16 of 32 bytes");
                Parts::One([Prg::new(&key).permutation(n).into()])
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
        cast: &'static Cast,
    ) -> Result<Vec<Lane>, ProtocolError> {
        let step = s.begin(label)?;
        for lane in lanes {
            if lane.len() != self.n {
                return Err(ProtocolError::Shape { step, left: self.n, right: lane.len() });
            }
        }
        let core = Arc::clone(&s.core);
        match (&core.role, &self.factors) {
            (Role::Rep3 { index, .. }, Parts::Two(factors)) => {
                let factors = factors.each_ref().map(|factor| cast.positions(factor));
                #[cfg(feature = "lab")]
                let factors = s.factors_of(&step, factors);
                let seat =
                    Arc::new(Seat { core: Arc::clone(&core), step, index: *index, n: self.n, cast, factors });
                if s.records() { checked(s, &seat, lanes) } else { unchecked(s, &seat, lanes) }
            }
            (Role::Plain, Parts::One([factor])) => {
                let from = cast.positions(factor);
                Ok(lanes.iter().map(|lane| lane.gather(&from)).collect())
            }
            _ => {
                count(s, &core, &step, self.n, lanes, cast)?;
                Ok(lanes.to_vec())
            }
        }
    }
}

fn unchecked(s: &mut Session, seat: &Arc<Seat>, lanes: &[Lane]) -> Result<Vec<Lane>, ProtocolError> {
    let mut rows = Rows::new(seat, lanes.to_vec(), 0, ROWS);
    rows.depart(s)?;
    rows.relay(s)?;
    rows.arrive(s)
}

/// A pass with tags. Theirs are messages of their own, one flight behind the rows, and the last
/// ones are for the check to receive.
fn checked(s: &mut Session, seat: &Arc<Seat>, lanes: &[Lane]) -> Result<Vec<Lane>, ProtocolError> {
    let mut rows = Rows::new(seat, lanes.iter().map(tags::lifted).collect(), 0, ROWS);
    let layout = Layout::of(&rows.lanes);
    if seat.n == 0 || layout.families.is_empty() {
        return unchecked(s, seat, lanes);
    }
    let keys = layout.key_shares(seat);
    commit_keys(s, seat, &keys)?;
    #[cfg(feature = "lab")]
    let early = crate::check::rows::open_keys_early(s, seat, &layout, &keys)?;

    let mine = layout.product(seat, &keys, &rows.lanes);
    #[cfg(feature = "lab")]
    let mine = s.product_of(&seat.step, TAG_PRODUCT, &mine).map_or(mine, buf::Buf::freeze);
    let [prev, next] = [2, 1].map(|by| seat.core.compute[(seat.index + by) % 3]);
    s.send(&seat.step, TAG_PRODUCT, prev, mine.clone())?;
    rows.depart(s)?;
    let theirs = s.recv(&seat.step, TAG_PRODUCT, next, mine.len())?.freeze();

    let products = tags::tag_lanes(&layout, seat.n, &[mine, theirs]);
    let mut tags = Rows::new(seat, products, layout.n_lanes(), TAGS);
    tags.depart(s)?;
    rows.relay(s)?;
    tags.relay(s)?;
    let moved = rows.arrive(s)?;
    let out = moved.iter().zip(lanes).map(|(moved, like)| tags::lowered(moved, like)).collect();
    s.record_pass(Pass::Made {
        layout,
        keys,
        rows,
        tags,
        moved,
        #[cfg(feature = "lab")]
        early,
    })?;
    Ok(out)
}

/// The messages of a pass, in the flights in which they travel.
fn count(
    s: &mut Session,
    core: &Core,
    step: &Step,
    n: usize,
    lanes: &[Lane],
    cast: &'static Cast,
) -> Result<(), ProtocolError> {
    let [u, v, w] = [cast.u, cast.v, cast.w].map(|seat| core.compute[seat]);
    let message = |lanes: &[Lane]| lanes.iter().map(|lane| lane_bytes(n, lane.row_bytes())).sum();
    let lifted: Vec<Lane> = lanes.iter().map(tags::lifted).collect();
    let layout = Layout::of(&lifted);
    if !s.records() || n == 0 || layout.families.is_empty() {
        let n_bytes = message(lanes);
        s.count_messages(&[(u, v, n_bytes), (v, w, n_bytes)]);
        s.count_messages(&[(v, w, n_bytes), (w, v, n_bytes)]);
        return Ok(());
    }
    let rows: usize = message(&lifted);
    let tags = layout.tags_bytes(n);
    let [a, b, c] = core.compute;
    let commitments = [v, w].map(|to| (u, to, DIGEST_BYTES));
    let products = [(a, c, tags), (b, a, tags), (c, b, tags)];
    s.count_messages(&[&commitments[..], &products[..], &[(u, v, rows), (v, w, rows)]].concat());
    s.count_messages(&[(u, v, tags), (v, w, tags), (v, w, rows), (w, v, rows)]);
    let n_bytes = 6 * n * layout.row_bytes();
    s.record_pass(Pass::Counted { step: step.clone(), layout, cast, clock: s.clock, tags, n_bytes })
}

impl Cast {
    fn is_backward(&self) -> bool {
        self.u == BACKWARD.u
    }

    /// Where each row comes from: the factor itself, or its inverse on the way back.
    fn positions(&self, factor: &Arc<[u32]>) -> Arc<[u32]> {
        if !self.is_backward() {
            return Arc::clone(factor);
        }
        let mut inverse = vec![0; factor.len()];
        for (row, from) in factor.iter().enumerate() {
            inverse[*from as usize] = row as u32;
        }
        inverse.into()
    }
}
