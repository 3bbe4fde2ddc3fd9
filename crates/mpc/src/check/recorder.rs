//! What a malicious session has computed and nobody has vouched for yet.
//!
//! Every session of the fork tree records its own products, in the order in which it computes
//! them; a fork that ends hands the rest to the session that forked, chunk after chunk. Where a
//! batch ends follows from the tree of steps and public sizes alone: equal at all parties,
//! whatever their threads. A batch is named after the last step in it.
//!
//! **When it is proved.** As soon as a session holds [`MAX_ANDS`] or [`MAX_RING_BYTES`], right
//! there, between two of its steps; before a value is opened ([`crate::verify`]); and the `n`
//! chunks of a fork keep at most an `n`th of the bounds each when they end, so that most of it is proved
//! beside other chunks' work. What a session holds when it joins two branches is shared with
//! them: the first one that opens proves it, the other one waits for that, and if neither does,
//! the session takes it back.
//!
//! **Who accepts it.** A verifier that refuses a proof ends the session for everybody. One that accepts it goes
//! on, and says so to both others with all that it has accepted since, once for each opening: nothing is
//! opened before both others have. So a proof of a chunk costs no flight for its verdict.
//!
//! **Why that covers every opening.** A value comes from steps of the session that opens it, of
//! forks that it collected, or of sessions that it was forked from, before the fork. All of
//! these are proved and accepted in [`Session::prove_all`]. (A value that a closure hands to a fork beside it
//! by a lock of its own would escape; no protocol code does that.)
//!
//! **Memory.** Nothing is put aside on disk: at the bounds it is proved. A session keeps less than these
//! and one step more: 6 MiB of bits, 16 MiB of ring elements, 64 MiB of shuffled rows. At most three times
//! that comes together when it collects its forks, and as many sessions hold something as forks are under way. Records are counted references: what they keep alive of a
//! larger column is at most that column. [`Session::recorded_bytes_peak`] tells what a run needed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, TryLockError};

use math::Ring;
use net::{Mesh, NetError};

use super::{AndStep, Form, ProductStep, RingBatch, bits, flights, ring, rows};
use crate::error::ProtocolError;
use crate::lanes::Lane;
use crate::session::{Role, Security, Session, guard};
use crate::share::Shared;
use crate::shuffle::stages::Pass;
use crate::step::Step;
use crate::timeline::Clock;

/// ANDs that a session records before it proves them.
const MAX_ANDS: usize = 1 << 23;

/// Bytes of ring products and their factors that a session records before it proves them.
const MAX_RING_BYTES: usize = 1 << 24;

/// Bytes of shuffled words, before, between and after, that a session records before it checks them.
const MAX_ROW_BYTES: usize = 1 << 26;

/// A step counts as this many ANDs at least, or twice as many bytes: what its record takes itself.
const MIN_ANDS: usize = 1 << 11;

/// Unproved products, and how much they are.
#[derive(Default)]
pub(crate) struct Records {
    ands: Vec<AndStep>,
    n_ands: usize,
    and_bytes: usize,
    ring: RingBatch,
    ring_bytes: usize,
    last_product: Option<Step>,
    passes: Vec<Arc<Pass>>,
    row_bytes: usize,
    /// The last proof that the others have not said they accept.
    unconfirmed: Option<Step>,
}

/// [`Records`] of a session over links: whoever drops them ends the session.
pub(crate) struct Pending {
    records: Records,
    mesh: Option<Arc<dyn Mesh>>,
}

/// Records of a session that two of its forks share.
pub(crate) struct SharedBatch {
    /// When the session forked: the proof waits for nothing that came later.
    clock: Clock,
    state: Mutex<State>,
}

enum State {
    Pending(Box<Pending>),
    Proved(Clock),
    Failed,
}

/// What a fork leaves.
pub(crate) struct Ended {
    pub(crate) clock: Clock,
    pub(crate) records: Records,
}

/// Bytes recorded at one party, and the most there ever were.
#[derive(Default)]
pub(crate) struct Held {
    now: AtomicUsize,
    peak: AtomicUsize,
}

/// One proof.
enum Batch {
    Bits(Vec<AndStep>),
    Ring(Step, Box<RingBatch>),
    Rows(Vec<Arc<Pass>>),
}

impl Records {
    fn is_proved(&self) -> bool {
        self.ands.is_empty() && self.last_product.is_none() && self.passes.is_empty()
    }

    fn bytes(&self) -> usize {
        self.and_bytes + self.ring_bytes + self.row_bytes
    }

    fn append(&mut self, other: Records) {
        self.ands.extend(other.ands);
        self.n_ands += other.n_ands;
        self.and_bytes += other.and_bytes;
        self.ring.append(other.ring);
        self.ring_bytes += other.ring_bytes;
        self.last_product = other.last_product.or(self.last_product.take());
        self.passes.extend(other.passes);
        self.row_bytes += other.row_bytes;
        self.unconfirmed = other.unconfirmed.or(self.unconfirmed.take());
    }

    /// Whether this is more than one of `n` may keep.
    fn exceeds(&self, max_ands: usize, n: usize) -> bool {
        self.n_ands >= max_ands / n
            || self.ring_bytes >= MAX_RING_BYTES / n
            || self.row_bytes >= MAX_ROW_BYTES / n
    }

    /// ANDs in batches that end where the bound is met; ring products in one, and shuffled words.
    fn batches(&mut self, max_ands: usize) -> Vec<Batch> {
        let (mut batches, mut list, mut n_ands) = (Vec::new(), Vec::new(), 0);
        for and in self.ands.drain(..) {
            n_ands += weight(&and);
            list.push(and);
            if n_ands >= max_ands {
                batches.push(Batch::Bits(std::mem::take(&mut list)));
                n_ands = 0;
            }
        }
        if !list.is_empty() {
            batches.push(Batch::Bits(list));
        }
        let ring = Box::new(std::mem::take(&mut self.ring));
        batches.extend(self.last_product.take().map(|step| Batch::Ring(step, ring)));
        if !self.passes.is_empty() {
            batches.push(Batch::Rows(std::mem::take(&mut self.passes)));
        }
        batches
    }
}

impl Batch {
    /// The step of its proof.
    fn step(&self) -> Step {
        match self {
            Batch::Bits(list) => list.last().expect("batches are not empty").step.child("check bits".into()),
            Batch::Ring(step, _) => step.child("check ring".into()),
            Batch::Rows(passes) => passes.last().expect("nor are these").step.child("check rows".into()),
        }
    }

    /// The steps whose products it covers.
    #[cfg(feature = "lab")]
    fn steps(&self) -> Vec<&Step> {
        match self {
            Batch::Bits(list) => list.iter().map(|and| &and.step).collect(),
            Batch::Ring(_, list) => list.steps(),
            Batch::Rows(passes) => passes.iter().map(|pass| &pass.step).collect(),
        }
    }
}

/// ANDs of a step, or as many as its record takes the space of.
fn weight(and: &AndStep) -> usize {
    let n_second: usize = and.second.iter().map(|(x, _)| x.width()).sum();
    (and.z.n_rows() * (and.z.width() + n_second)).max(MIN_ANDS)
}

impl Pending {
    pub(crate) fn new(mesh: Option<Arc<dyn Mesh>>) -> Self {
        Pending { records: Records::default(), mesh }
    }

    pub(crate) fn take(&mut self) -> Records {
        std::mem::take(&mut self.records)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let is_verified = self.records.is_proved() && self.records.unconfirmed.is_none();
        if let (Some(mesh), false) = (&self.mesh, is_verified) {
            mesh.abort("products were dropped before they were verified");
        }
    }
}

impl SharedBatch {
    /// Proves what is recorded here, unless another fork has.
    fn prove(&self, s: &mut Session) -> Result<(), ProtocolError> {
        let mut state = match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poison)) => poison.into_inner(),
            // Whoever holds it waits for peers, and needs a core when they have answered.
            Err(TryLockError::WouldBlock) => {
                let core = Arc::clone(&s.core);
                core.cores.lend(|| self.state.lock().unwrap_or_else(|poison| poison.into_inner()))
            }
        };
        if let State::Pending(_) = *state {
            let State::Pending(mut pending) = std::mem::replace(&mut *state, State::Failed) else {
                unreachable!("looked at above");
            };
            let mut fork = s.fork(s.step.clone(), true);
            fork.clock.depth = self.clock.depth;
            fork.prove(pending.take())?;
            fork.confirm()?;
            *state = State::Proved(fork.clock);
        }
        match &*state {
            State::Proved(clock) => s.clock.absorb(clock),
            _ => {
                let reason = "a check failed in another part of the computation".to_owned();
                let source = Box::new(NetError::AbortedHere { reason });
                return Err(ProtocolError::Link { step: s.step.clone(), source });
            }
        }
        Ok(())
    }

    /// What nobody has proved.
    fn untouched(&self) -> Records {
        let mut state = self.state.lock().unwrap_or_else(|poison| poison.into_inner());
        match &mut *state {
            State::Pending(pending) => pending.take(),
            State::Proved(_) | State::Failed => Records::default(),
        }
    }
}

impl Held {
    fn more(&self, bytes: usize) {
        let now = self.now.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.peak.fetch_max(now, Ordering::Relaxed);
    }

    fn less(&self, bytes: usize) {
        self.now.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Session {
    /// Whether products are recorded here: the oracle makes no mistakes, and a party that does
    /// not compute makes no products.
    pub(crate) fn records(&self) -> bool {
        self.security() == Security::Malicious && matches!(self.core.role, Role::Rep3 { .. } | Role::Count(_))
    }

    fn max_ands(&self) -> usize {
        #[cfg(feature = "lab")]
        if let Some(n) = self.core.lab.max_ands {
            return n;
        }
        MAX_ANDS
    }

    /// The most bytes that this party kept of unproved products, by their sizes. Zero in
    /// semi-honest sessions.
    pub fn recorded_bytes_peak(&self) -> usize {
        self.core.held.peak.load(Ordering::Relaxed)
    }

    /// Records ANDs whose products have all arrived, and proves what is here if that is enough.
    pub(crate) fn record_ands(&mut self, and: AndStep) -> Result<(), ProtocolError> {
        if and.z.n_rows() * and.z.width() == 0 {
            return Ok(());
        }
        assert!(and.fits_together(), "the proof of {} would leave gates out", and.step);
        // Six bits each.
        let (n_ands, bytes) = (weight(&and), weight(&and) * 6 / 8);
        self.core.held.more(bytes);
        self.pending.records.n_ands += n_ands;
        self.pending.records.and_bytes += bytes;
        self.pending.records.ands.push(and);
        self.prove_beyond(1)
    }

    /// [`Session::record_ands`] for ring products.
    ///
    /// # Errors
    /// `Unsupported` for a ring that no proof knows.
    pub(crate) fn record_products<R: Ring>(&mut self, product: ProductStep<R>) -> Result<(), ProtocolError> {
        self.push_products(product)?;
        self.prove_beyond(1)
    }

    fn push_products<R: Ring>(&mut self, product: ProductStep<R>) -> Result<(), ProtocolError> {
        if product.z.is_empty() {
            return Ok(());
        }
        let step = product.step.clone();
        // Both parts of factors and products.
        let bytes = 2 * R::BYTES * (product.form.n_factors() + product.z.len());
        let bytes = bytes.max(2 * MIN_ANDS);
        if !self.pending.records.ring.push(product) {
            let reason = "no check covers products in this ring";
            return Err(ProtocolError::Unsupported { step, reason });
        }
        self.core.held.more(bytes);
        self.pending.records.ring_bytes += bytes;
        self.pending.records.last_product = Some(step);
        Ok(())
    }

    /// Records a pass of a shuffle whose messages have all arrived, and what came out. Numbers are
    /// proved among the ring products, words by themselves.
    pub(crate) fn record_pass(&mut self, pass: Pass, out: &[Lane]) -> Result<(), ProtocolError> {
        #[cfg(feature = "lab")]
        if self.core.lab.lacks(crate::lab::Mutant::ShuffleUnchecked) {
            return Ok(());
        }
        if pass.n == 0 {
            return Ok(());
        }
        let pass = Arc::new(pass);
        for (at, lane) in out.iter().enumerate() {
            match lane {
                Lane::Z8(z) => self.push_moved(&pass, at, z)?,
                Lane::Z16(z) => self.push_moved(&pass, at, z)?,
                Lane::Z32(z) => self.push_moved(&pass, at, z)?,
                Lane::Z64(z) => self.push_moved(&pass, at, z)?,
                Lane::Z128(z) => self.push_moved(&pass, at, z)?,
                Lane::X8(_) | Lane::X16(_) | Lane::X32(_) | Lane::X64(_) | Lane::X128(_) => {}
            }
        }
        let row_bytes: usize = pass.words().map(|lane| pass.lanes[lane].row_bytes).sum();
        if row_bytes > 0 {
            // Both shares before the first stage and after each.
            let bytes = 8 * pass.n * row_bytes;
            self.core.held.more(bytes);
            self.pending.records.row_bytes += bytes;
            self.pending.records.passes.push(pass);
        }
        self.prove_beyond(1)
    }

    fn push_moved<R: Ring>(
        &mut self,
        pass: &Arc<Pass>,
        lane: usize,
        z: &Shared<R>,
    ) -> Result<(), ProtocolError> {
        let form = Form::Moved(Arc::clone(pass), lane);
        self.push_products(ProductStep { step: pass.step.clone(), form, z: z.clone() })
    }

    /// Proves what this session holds, if it is more than one of `n` may keep.
    fn prove_beyond(&mut self, n: usize) -> Result<(), ProtocolError> {
        if self.pending.records.is_proved() || !self.pending.records.exceeds(self.max_ands(), n) {
            return Ok(());
        }
        let records = self.pending.take();
        self.prove(records)
    }

    /// Proves all that a value of this session can depend on.
    pub(crate) fn prove_all(&mut self) -> Result<(), ProtocolError> {
        for batch in self.inherited.clone() {
            #[cfg(feature = "lab")]
            if self.core.lab.lacks(crate::lab::Mutant::ForksOpenUnverified) {
                continue;
            }
            batch.prove(self)?;
        }
        let records = self.pending.take();
        self.prove(records)?;
        self.confirm()
    }

    /// Hears that the others accept what they have verified. All that this session holds is proved.
    fn confirm(&mut self) -> Result<(), ProtocolError> {
        if let Some(step) = self.pending.records.unconfirmed.clone() {
            flights::confirm(self, &step).inspect_err(|error| self.give_up(error))?;
            self.pending.records.unconfirmed = None;
        }
        Ok(())
    }

    /// Proves batches side by side. A proof that fails ends the session for everybody.
    fn prove(&mut self, mut records: Records) -> Result<(), ProtocolError> {
        let bytes = records.bytes();
        let batches = records.batches(self.max_ands());
        let pace = self.pace();
        let run = |at: usize| {
            let step = batches[at].step();
            #[cfg(feature = "lab")]
            self.core.lab.prove(&step, &batches[at].steps());
            let mut fork = self.fork(step.clone(), true);
            pace.start(&mut fork.clock);
            let out = match &batches[at] {
                Batch::Bits(list) => bits::prove(&mut fork, &step, list),
                Batch::Rows(passes) => rows::prove(&mut fork, &step, passes),
                Batch::Ring(_, list) => ring::prove(&mut fork, &step, list),
            };
            fork.ended(out).inspect(|(_, ended)| pace.end(&ended.clock))
        };
        let results = self.run_forks(batches.len(), &run);
        self.core.held.less(bytes);
        self.collect(results)?;
        self.pending.records.unconfirmed = batches.last().map(Batch::step).or(records.unconfirmed);
        Ok(())
    }

    /// Ends a fork, one of `n` beside each other: `out` and what it leaves to the session that
    /// forked. An error ends the session for everybody, since what was recorded is lost.
    pub(crate) fn ended_of<T>(
        mut self,
        n: usize,
        out: Result<T, ProtocolError>,
    ) -> Result<(T, Ended), ProtocolError> {
        let out = out.and_then(|out| self.prove_beyond(n).map(|()| out));
        self.ended(out)
    }

    fn ended<T>(mut self, out: Result<T, ProtocolError>) -> Result<(T, Ended), ProtocolError> {
        let records = self.pending.take();
        let out = out.inspect_err(|error| self.give_up(error))?;
        Ok((out, Ended { clock: self.clock, records }))
    }

    /// Tells everybody why this malicious session ends, unless they know.
    pub(crate) fn give_up(&self, error: &ProtocolError) {
        if let (Some(mesh), Security::Malicious, false) = (&self.core.mesh, self.security(), error.is_echo())
        {
            mesh.abort(&error.to_string());
        }
    }

    /// Takes over what a fork leaves.
    pub(crate) fn inherit(&mut self, ended: Ended) {
        self.clock.absorb(&ended.clock);
        #[cfg(feature = "lab")]
        if self.core.lab.lacks(crate::lab::Mutant::ForksForgotten) {
            return;
        }
        #[cfg(feature = "lab")]
        let ended = match self.core.lab.lacks(crate::lab::Mutant::ForksAcceptNothing) {
            true => Ended { records: Records { unconfirmed: None, ..ended.records }, ..ended },
            false => ended,
        };
        self.pending.records.append(ended.records);
    }

    /// Once all forks have ended: proves what has come together, if that is enough.
    pub(crate) fn settle(&mut self) -> Result<(), ProtocolError> {
        self.prove_beyond(1)
    }

    /// Shares what is recorded here with forks that may open values.
    pub(crate) fn share_records(&mut self) -> Option<Arc<SharedBatch>> {
        let records = &self.pending.records;
        let is_accepted = guard!(self, ForksOpenUnaccepted, records.unconfirmed.is_none());
        if self.in_chunk || records.is_proved() && is_accepted {
            return None;
        }
        let mut pending = Pending::new(self.core.mesh.clone());
        pending.records = self.pending.take();
        Some(Arc::new(SharedBatch {
            clock: self.clock,
            state: Mutex::new(State::Pending(Box::new(pending))),
        }))
    }

    /// Takes back what the forks have not proved. Theirs comes after it.
    pub(crate) fn take_back(&mut self, batch: Option<Arc<SharedBatch>>) {
        if let Some(batch) = batch {
            #[cfg(feature = "lab")]
            if self.core.lab.lacks(crate::lab::Mutant::ForksTakeAcceptance) {
                drop(batch.untouched());
                return;
            }
            self.pending.records.append(batch.untouched());
        }
    }
}
