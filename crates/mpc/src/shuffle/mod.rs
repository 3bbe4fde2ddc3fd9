//! Shuffles: rows in an order that nobody knows.
//!
//! Malicious sessions apply one factor at a time ([`stages`]): six messages in two rounds instead of
//! four, no party sending more than before. What they say is proved before anything is opened
//! ([`crate::check::rows`]).

pub(crate) mod rows;
pub(crate) mod stages;

use std::sync::Arc;

use math::prg::Prg;

use crate::error::ProtocolError;
use crate::lanes::Lane;
use crate::prss::Use;
use crate::session::{Role, Session};
use crate::share::Parts;
use crate::step::{Label, Step};
use rows::{Rows, Seat, lane_bytes};
use stages::Pass;

/// A secret uniform permutation of `n` rows: a product of three, each known to two parties.
///
/// Rows that are opened after a pass show where known rows went: draw a fresh permutation for
/// each opening.
///
/// - **Cost** of a pass: 2 rounds; four messages of the rows' bytes in all, two from the party that
///   sends most. In malicious sessions six, two from each party, and later a proof beside those of
///   products.
/// - **Model:** each party lacks one of the three factors. One active corruption of three, with
///   abort, in malicious sessions; one passive one in semi-honest sessions.
/// - **Source:** Araki et al., "Secure Graph Analysis at Scale", CCS 2021, §5.2; in malicious sessions
///   three resharings after Laur, Willemson, Zhang, "Round-Efficient Oblivious Database
///   Manipulation", ISC 2011.
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

pub(crate) static FORWARD: Cast = Cast { u: 0, v: 1, w: 2, first: 1, middle: 0, last: 2 };
static BACKWARD: Cast = Cast { u: 2, v: 1, w: 0, first: 2, middle: 0, last: 1 };

impl Shuffler {
    /// Draws a fresh permutation of `n` rows. Costs no message.
    ///
    /// # Errors
    /// `StepReused`; `Unsupported` for 2^32 rows or more.
    pub fn new(s: &mut Session, label: impl Into<Label>, n: usize) -> Result<Self, ProtocolError> {
        let step = s.begin(label)?;
        if u32::try_from(n).is_err() {
            return Err(ProtocolError::Unsupported { step, reason: "a shuffle takes fewer than 2^32 rows" });
        }
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

    /// A pass in stages whatever the session's security, and what a recorder would keep.
    #[cfg(test)]
    pub(crate) fn staged(
        &self,
        s: &mut Session,
        label: impl Into<Label>,
        lanes: &[Lane],
        is_backward: bool,
    ) -> Result<(Vec<Lane>, Pass), ProtocolError> {
        let (step, core) = (s.begin(label)?, Arc::clone(&s.core));
        let cast = if is_backward { &BACKWARD } else { &FORWARD };
        match (&core.role, &self.factors) {
            (Role::Rep3 { index, .. }, Parts::Two(factors)) => {
                let factors = factors.each_ref().map(|factor| cast.positions(factor));
                let factors = s.factors_of(&step, factors);
                let (core, index, n) = (Arc::clone(&core), *index, self.n);
                stages::run(s, &Arc::new(Seat { core, step, index, n, cast, factors }), lanes)
            }
            _ => {
                let n_bytes = lanes.iter().map(|lane| lane_bytes(self.n, lane.row_bytes())).sum();
                for messages in stages::flights(cast) {
                    s.count_messages(
                        &messages.map(|(from, to)| (core.compute[from], core.compute[to], n_bytes)),
                    );
                }
                Ok((lanes.to_vec(), Pass::counted(step, self.n, cast, lanes)))
            }
        }
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
                if s.records() { proved(s, &seat, lanes) } else { unchecked(s, &seat, lanes) }
            }
            (Role::Plain, Parts::One([factor])) => {
                let from = cast.positions(factor);
                Ok(lanes.iter().map(|lane| lane.gather(&from)).collect())
            }
            _ => {
                count(s, &step, self.n, lanes, cast)?;
                Ok(lanes.to_vec())
            }
        }
    }
}

fn unchecked(s: &mut Session, seat: &Arc<Seat>, lanes: &[Lane]) -> Result<Vec<Lane>, ProtocolError> {
    let mut rows = Rows::new(seat, lanes.to_vec());
    rows.depart(s)?;
    rows.relay(s)?;
    rows.arrive(s)
}

/// A pass that is proved before anything is opened.
fn proved(s: &mut Session, seat: &Arc<Seat>, lanes: &[Lane]) -> Result<Vec<Lane>, ProtocolError> {
    let (out, pass) = stages::run(s, seat, lanes)?;
    s.record_pass(pass, &out)?;
    Ok(out)
}

/// The messages of a pass, in the flights in which they travel.
fn count(
    s: &mut Session,
    step: &Step,
    n: usize,
    lanes: &[Lane],
    cast: &'static Cast,
) -> Result<(), ProtocolError> {
    let (compute, records) = (s.core.compute, s.records());
    let n_bytes: usize = lanes.iter().map(|lane| lane_bytes(n, lane.row_bytes())).sum();
    let mut flight = |messages: &[(usize, usize)]| {
        let message = |(from, to): &(usize, usize)| (compute[*from], compute[*to], n_bytes);
        s.count_messages(&messages.iter().map(message).collect::<Vec<_>>());
    };
    if !records {
        let Cast { u, v, w, .. } = *cast;
        flight(&[(u, v), (v, w)]);
        flight(&[(v, w), (w, v)]);
        return Ok(());
    }
    stages::flights(cast).iter().for_each(|messages| flight(messages));
    s.record_pass(Pass::counted(step.clone(), n, cast, lanes), lanes)
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
