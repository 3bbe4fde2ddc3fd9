//! A party's side of one run: keys, links, the current step, its clock.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex};

use buf::{Buf, Bytes};
use net::{LinkProfile, Mesh, PartyId};

use crate::check::recorder::{Held, Pending, SharedBatch};
use crate::count::Tally;
use crate::error::ProtocolError;
use crate::fork::Cores;
use crate::prss::Roots;
use crate::share::Parts;
use crate::step::{Label, Step};
use crate::timeline::Clock;

/// A guard's condition. In the lab, a planted mutant lacks the guard that has its name.
macro_rules! guard {
    ($session:expr, $name:ident, $fine:expr) => {{
        let fine: bool = $fine;
        #[cfg(feature = "lab")]
        let fine = fine || $session.core.lab.lacks(crate::lab::Mutant::$name);
        fine
    }};
}
pub(crate) use guard;

/// At most this many parties take part in a session.
pub(crate) const MAX_PARTIES: usize = 16;

/// What a session holds out against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// One party studies what it sees, and follows the protocol.
    #[default]
    SemiHonest,
    /// One party does as it likes; the others notice before anything is released.
    Malicious,
}

impl Security {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Security::SemiHonest => "semi-honest",
            Security::Malicious => "malicious",
        }
    }
}

/// What a session promises, and how it uses its machine. `security`, `chunk_rows` and `link` are
/// the same at all parties; the rest may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// What the session holds out against.
    pub security: Security,
    /// Threads that compute at the same time.
    pub threads: usize,
    /// Chunks of one fork that are under way at the same time, waiting ones included.
    pub in_flight: usize,
    /// Rows per chunk: a multiple of 512.
    pub chunk_rows: usize,
    /// What the parties take the links between them for, in public: choices between ways to do
    /// the same may follow from it, and a counting session foretells time by it.
    pub link: LinkProfile,
}

impl Params {
    /// For links like `link`: long ones have more chunks under way, which wait together.
    pub fn over(link: LinkProfile, threads: usize) -> Self {
        let in_flight = if link.is_instant() { 2 * threads + 2 } else { (2 * threads + 2).max(32) };
        Params { security: Security::default(), threads, in_flight, chunk_rows: 1 << 15, link }
    }
}

impl Default for Params {
    /// For one machine, and all its processors.
    fn default() -> Self {
        Params::over(LinkProfile::INSTANT, std::thread::available_parallelism().map_or(2, usize::from))
    }
}

/// What this process does in the session.
pub(crate) enum Role {
    /// One of the three compute parties, numbered 0 to 2.
    Rep3 { index: usize, roots: Roots },
    /// A party that shares data or learns results without computing.
    Observer,
    /// The oracle: one process, values in clear.
    Plain,
    /// A run without inputs that adds up cost.
    Count(Mutex<Tally>),
}

pub(crate) struct Core {
    pub(crate) role: Role,
    pub(crate) mesh: Option<Arc<dyn Mesh>>,
    pub(crate) compute: [PartyId; 3],
    pub(crate) n_parties: usize,
    pub(crate) me: PartyId,
    pub(crate) session_id: [u8; 32],
    pub(crate) params: Params,
    pub(crate) cores: Cores,
    pub(crate) held: Held,
    used: Mutex<HashSet<[u8; 20]>>,
    #[cfg(feature = "lab")]
    pub(crate) lab: crate::lab::Hooks,
}

/// One run among the parties, at one place of its step tree.
///
/// Forks make further sessions over the same links and keys. No step path is
/// used twice: a second use would repeat masks, and stops the session.
pub struct Session {
    pub(crate) core: Arc<Core>,
    pub(crate) step: Step,
    pub(crate) clock: Clock,
    pub(crate) in_chunk: bool,
    /// Products of this session that nobody has proved.
    pub(crate) pending: Pending,
    /// Those of the sessions that it was forked from, if it may open values.
    pub(crate) inherited: Vec<Arc<SharedBatch>>,
    #[cfg(feature = "lab")]
    pub(crate) place: crate::lab::Place,
}

impl Session {
    pub(crate) fn new(
        role: Role,
        mesh: Option<Arc<dyn Mesh>>,
        compute: [PartyId; 3],
        n_parties: usize,
        me: PartyId,
        session_id: [u8; 32],
        params: Params,
    ) -> Self {
        assert!(
            params.chunk_rows > 0 && params.chunk_rows.is_multiple_of(512),
            "chunks of whole cache lines"
        );
        let core = Core {
            role,
            mesh,
            compute,
            n_parties,
            me,
            session_id,
            params,
            cores: Cores::new(params.threads),
            held: Held::default(),
            used: Mutex::new(HashSet::new()),
            #[cfg(feature = "lab")]
            lab: crate::lab::Hooks::default(),
        };
        Session {
            step: Step::root(&session_id),
            pending: Pending::new(core.mesh.clone()),
            core: Arc::new(core),
            clock: Clock::default(),
            in_chunk: false,
            inherited: Vec::new(),
            #[cfg(feature = "lab")]
            place: crate::lab::Place::default(),
        }
    }

    /// A session that computes in clear, in this process: the oracle.
    pub fn plain(params: Params) -> Self {
        Self::new(Role::Plain, None, [PartyId::FIRST; 3], 1, PartyId::FIRST, [0; 32], params)
    }

    /// The oracle under this session's name: for what a party computes on its own rows, and
    /// which hangs on the name.
    pub fn in_clear(&self) -> Self {
        Self::new(
            Role::Plain,
            None,
            [PartyId::FIRST; 3],
            1,
            PartyId::FIRST,
            *self.session_id(),
            self.core.params,
        )
    }

    /// A session without inputs that adds up what a run among `n_parties` costs.
    /// `compute` are the three that compute.
    pub fn count(params: Params, n_parties: usize, compute: [PartyId; 3]) -> Self {
        let role = Role::Count(Mutex::new(Tally::new(n_parties, params.link)));
        Self::new(role, None, compute, n_parties, PartyId::FIRST, [0; 32], params)
    }

    /// This party.
    pub fn me(&self) -> PartyId {
        self.core.me
    }

    /// How many parties take part, data owners included.
    pub fn n_parties(&self) -> usize {
        self.core.n_parties
    }

    /// The three parties that compute.
    pub fn compute(&self) -> [PartyId; 3] {
        self.core.compute
    }

    /// The name of this run, equal at all parties and never used again.
    pub fn session_id(&self) -> &[u8; 32] {
        &self.core.session_id
    }

    /// What this session holds out against: steps that no check could cover are for
    /// [`Security::SemiHonest`] alone.
    pub fn security(&self) -> Security {
        self.core.params.security
    }

    /// Refuses a step in which one party alone knows something, so that no check covers it.
    ///
    /// # Errors
    /// `Unsupported` unless the session is semi-honest.
    pub(crate) fn semi_honest_only(&self) -> Result<(), ProtocolError> {
        if self.security() == Security::SemiHonest {
            return Ok(());
        }
        let reason = "no check covers what one party alone knows";
        Err(ProtocolError::Unsupported { step: self.step.clone(), reason })
    }

    /// What this session promises, and how it uses its machine.
    pub fn params(&self) -> Params {
        self.core.params
    }

    /// Whether values exist here: not in a counting run, nor at a party that only shares data.
    /// Algorithms that steer by opened values take their shape-only path otherwise.
    pub fn has_data(&self) -> bool {
        matches!(self.core.role, Role::Rep3 { .. } | Role::Plain)
    }

    /// Whether this run only adds up cost.
    pub fn is_count(&self) -> bool {
        matches!(self.core.role, Role::Count(_))
    }

    /// Message latencies on the longest chain of messages that led here.
    pub fn rounds(&self) -> u32 {
        self.clock.depth.iter().copied().max().unwrap_or(0)
    }

    /// Where the session is.
    pub fn step(&self) -> &Step {
        &self.step
    }

    /// Runs `f` one level down the step path.
    pub fn scope<T>(&mut self, label: impl Into<Label>, f: impl FnOnce(&mut Session) -> T) -> T {
        let below = self.step.child(label.into());
        let here = std::mem::replace(&mut self.step, below);
        let out = f(self);
        self.step = here;
        out
    }

    /// Names a step and marks its name as used.
    ///
    /// # Errors
    /// `StepReused` if it was used before.
    pub(crate) fn begin(&self, label: impl Into<Label>) -> Result<Step, ProtocolError> {
        let step = self.step.child(label.into());
        self.claim(&step)?;
        Ok(step)
    }

    /// Marks a step's name as used.
    ///
    /// # Errors
    /// `StepReused` if it was used before.
    pub(crate) fn claim(&self, step: &Step) -> Result<(), ProtocolError> {
        let mut used = self.core.used.lock().unwrap_or_else(|poison| poison.into_inner());
        if used.insert(step.key_bytes()) {
            Ok(())
        } else {
            Err(ProtocolError::StepReused { step: step.clone() })
        }
    }

    /// [`Session::begin`] for a step that opens values.
    pub(crate) fn begin_open(&self, label: impl Into<Label>) -> Result<Step, ProtocolError> {
        let step = self.begin(label)?;
        #[cfg(feature = "lab")]
        self.core.lab.open(&step);
        if self.in_chunk { Err(ProtocolError::OpenInChunk { step }) } else { Ok(step) }
    }

    /// A part for each that this party holds; `f` learns whether it carries public constants.
    pub(crate) fn parts_from<T>(&self, f: impl Fn(bool) -> T) -> Parts<T> {
        match &self.core.role {
            Role::Rep3 { index, .. } => Parts::Two([f(*index == 0), f(*index == 2)]),
            Role::Plain => Parts::One([f(true)]),
            Role::Observer | Role::Count(_) => Parts::Zero,
        }
    }

    /// Which parts carry public constants: x_0, wherever this party holds it.
    pub(crate) fn public_parts(&self) -> [bool; 2] {
        match &self.core.role {
            Role::Rep3 { index, .. } => [*index == 0, *index == 2],
            Role::Plain => [true, false],
            Role::Observer | Role::Count(_) => [false, false],
        }
    }

    /// The summands of a sharing as three sharings: `x_j` alone in slot `j`. The oracle, which
    /// has no summands, takes those that `plain` makes up.
    pub(crate) fn summands<T: Clone>(
        &self,
        parts: &Parts<T>,
        zero: impl Fn(&T) -> T,
        plain: impl FnOnce() -> [T; 3],
    ) -> [Parts<T>; 3] {
        match (&self.core.role, parts) {
            (Role::Rep3 { index, .. }, Parts::Two([own, next])) => [0, 1, 2].map(|slot| {
                let part = |holds: bool, part: &T| if holds { part.clone() } else { zero(part) };
                Parts::Two([part(slot == *index, own), part(slot == (index + 1) % 3, next)])
            }),
            (Role::Plain, _) => plain().map(|summand| Parts::One([summand])),
            _ => [Parts::Zero, Parts::Zero, Parts::Zero],
        }
    }

    /// Two columns of fixed pseudorandom words, from which the oracle makes up summands.
    pub(crate) fn test_masks(&self, n: usize) -> [Vec<u128>; 2] {
        [1u128, 2].map(|stream| {
            (0..n as u128)
                .map(|row| {
                    let word =
                        (row + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835 ^ stream << 77);
                    (word ^ word >> 61).wrapping_mul(0xd6e8_feb8_6659_fd93_0000_0000_0000_0001 ^ stream)
                })
                .collect()
        })
    }

    /// Sends this step's message `part` to a party.
    pub(crate) fn send(
        &mut self,
        step: &Step,
        part: u8,
        to: PartyId,
        payload: Bytes,
    ) -> Result<(), ProtocolError> {
        let mesh = self.core.mesh.as_ref().expect("only sessions over links send");
        #[cfg(feature = "lab")]
        self.core.lab.name(step, part, &self.place);
        let depth = self.clock.depth[self.core.me.index()];
        mesh.send(to, step.tag(part), depth, payload)
            .map_err(|source| ProtocolError::Link { step: step.clone(), source: Box::new(source) })
    }

    /// Waits for this step's message `part` from a party. While it waits, another thread has its core.
    pub(crate) fn recv(
        &mut self,
        step: &Step,
        part: u8,
        from: PartyId,
        n_bytes: usize,
    ) -> Result<Buf, ProtocolError> {
        let core = Arc::clone(&self.core);
        let mesh = core.mesh.as_ref().expect("only sessions over links receive");
        let link = |source| ProtocolError::Link { step: step.clone(), source: Box::new(source) };
        let received = match mesh.try_recv(from, step.tag(part), n_bytes).map_err(link)? {
            Some(received) => received,
            None => core.cores.lend(|| mesh.recv(from, step.tag(part), n_bytes)).map_err(link)?,
        };
        #[cfg(feature = "lab")]
        core.lab.heard(core.me, from, step.tag(part));
        let clock = &mut self.clock.depth[core.me.index()];
        *clock = (*clock).max(received.depth.saturating_add(1));
        Ok(received.payload)
    }

    /// A session for a fork: same links and keys, its own place and clock.
    pub(crate) fn fork(&self, step: Step, in_chunk: bool) -> Session {
        let pending = Pending::new(self.core.mesh.clone());
        let inherited = if in_chunk { Vec::new() } else { self.inherited.clone() };
        Session {
            core: Arc::clone(&self.core),
            step,
            clock: self.clock,
            in_chunk,
            pending,
            inherited,
            #[cfg(feature = "lab")]
            place: self.place.clone(),
        }
    }
}

// Keys stay out of sight.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session(party {:?} at {})", self.core.me, self.step)
    }
}
