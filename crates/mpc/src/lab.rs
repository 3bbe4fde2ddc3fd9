//! The lab: every party of a session in one process, from one seed. For tests.
//!
//! Sharings are dealt, keys are derived from the seed, and links are in-process,
//! so a failure repeats. The coins of a protocol can be scripted, to try every one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use math::{Column, Group, Planes, Ring};
use net::{Interceptor, Limits, LinkProfile, LocalMesh, LocalOptions, PartyId};

use crate::bits::SharedBits;
use crate::count::Cost;
use crate::error::ProtocolError;
use crate::prss::{Root, Roots};
use crate::session::{Params, Role, Security, Session};
use crate::share::{Parts, Shared};
use crate::step::Step;

mod cancel;
mod hooks;
mod mutant;
mod mutate;
mod order;
mod sweep;
mod trace;
mod watchdog;

pub use cancel::cancelling_errors;
pub(crate) use hooks::Hooks;
pub use hooks::{Cheat, Names};
pub use mutant::Mutant;
pub use mutate::{Change, Fate, Mutation, Replay};
pub use order::EarlyOpening;
pub use sweep::{Case, Ending, Report, Sweep, Tamper};
pub use trace::{Heard, Message, Recorder, Trace};

/// A run of all parties, about to start.
#[derive(Clone)]
pub struct Lab {
    seed: u64,
    n_parties: usize,
    params: Vec<Params>,
    link: LinkProfile,
    limits: Limits,
    interceptor: Option<Arc<dyn Interceptor>>,
    script: Option<Arc<Script>>,
    hooks: Hooks,
}

/// What each party came to.
pub struct Run<T> {
    /// Each party's result, in party order.
    pub outcomes: Vec<Result<T, ProtocolError>>,
    /// Payload bytes that each party sent.
    pub bytes_sent: Vec<u64>,
    /// The longest chain of messages.
    pub rounds: u32,
}

impl<T> Run<T> {
    /// Every party's result.
    ///
    /// # Panics
    /// If a party failed.
    pub fn all(self) -> Vec<T> {
        self.outcomes.into_iter().map(|outcome| outcome.expect("an honest run succeeds")).collect()
    }

    /// What the run cost.
    pub fn cost(&self) -> Cost {
        Cost { rounds: self.rounds, bytes_sent: self.bytes_sent.clone() }
    }
}

impl<T: PartialEq + std::fmt::Debug> Run<T> {
    /// The result, the same at the three compute parties.
    ///
    /// # Panics
    /// If a party failed or two differ.
    pub fn agreed(self) -> T {
        let mut all = self.all();
        all.truncate(3);
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "parties disagree: {all:?}");
        all.pop().expect("three parties")
    }
}

impl Lab {
    /// Three parties, small chunks, links without delay.
    pub fn seeded(seed: u64) -> Self {
        let params = Params { threads: 2, in_flight: 4, chunk_rows: 512, ..Params::default() };
        Lab {
            seed,
            n_parties: 3,
            params: vec![params],
            link: LinkProfile::default(),
            limits: Limits::default(),
            interceptor: None,
            script: None,
            hooks: Hooks::default(),
        }
    }

    /// The same lab with other keys and masks, as a session of its own.
    pub fn reseeded(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// With data owners beside the three that compute, who come first.
    pub fn parties(mut self, n: usize) -> Self {
        self.n_parties = n;
        self
    }

    /// With these parameters, their security included, cyclically: the first for party 0, and so on.
    pub fn params(mut self, params: &[Params]) -> Self {
        self.params = params.to_vec();
        self
    }

    /// With sessions that hold out against this.
    pub fn security(mut self, security: Security) -> Self {
        self.params.iter_mut().for_each(|params| params.security = security);
        self
    }

    /// Over slower links.
    pub fn link(mut self, link: LinkProfile) -> Self {
        self.link = link;
        self
    }

    /// With receives that give up after a while.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.limits.patience = Some(patience);
        self
    }

    /// With somebody inside the parties, who may change what they compute.
    pub fn cheating(mut self, cheat: Arc<dyn Cheat>) -> Self {
        self.hooks.cheat = Some(cheat);
        self
    }

    /// With batches of about so many ANDs, a step counting as 2048 at least: the bound that a
    /// session proves at is too large for tests.
    pub fn batches(mut self, max_ands: usize) -> Self {
        self.hooks.max_ands = Some(max_ands);
        self
    }

    /// With a protocol that lacks a guard.
    pub fn mutant(mut self, mutant: Mutant) -> Self {
        self.hooks.mutant = Some(mutant);
        self
    }

    /// With the steps of all messages written down.
    pub fn named(mut self, names: Arc<Names>) -> Self {
        self.hooks.names = Some(names);
        self
    }

    /// With somebody who sees, and may change, every message.
    pub fn intercepted(mut self, interceptor: Arc<dyn Interceptor>) -> Self {
        self.interceptor = Some(interceptor);
        self
    }

    /// With scripted coins: row `r` of every random draw takes its bits from the number `r`.
    pub fn scripted(mut self, script: Arc<Script>) -> Self {
        self.script = Some(script);
        self
    }

    /// Runs the same code at every party.
    pub fn run<T: Send>(&self, f: impl Fn(&mut Session) -> Result<T, ProtocolError> + Sync) -> Run<T> {
        let options =
            LocalOptions { link: self.link, limits: self.limits, interceptor: self.interceptor.clone() };
        let meshes = LocalMesh::with(self.n_parties, options);
        let results: Vec<_> = std::thread::scope(|threads| {
            let spawned: Vec<_> = meshes
                .into_iter()
                .enumerate()
                .map(|(party, mesh)| {
                    let f = &f;
                    threads.spawn(move || {
                        let mesh: Arc<dyn net::Mesh> = Arc::new(mesh);
                        let mut session = self.session(party, Arc::clone(&mesh));
                        let outcome = f(&mut session).and_then(|out| session.prove_late().map(|()| out));
                        let outcome = outcome.inspect_err(|error| mesh.abort(&error.to_string()));
                        let cost = session.cost();
                        drop(session);
                        if outcome.is_ok() {
                            drop(mesh.finish());
                        }
                        (outcome, cost.rounds, cost.bytes_sent[party])
                    })
                })
                .collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            spawned.into_iter().map(join).collect()
        });
        let rounds = results.iter().map(|(_, rounds, _)| *rounds).max().unwrap_or(0);
        let bytes_sent = results.iter().map(|(_, _, bytes)| *bytes).collect();
        Run { outcomes: results.into_iter().map(|(outcome, _, _)| outcome).collect(), bytes_sent, rounds }
    }

    /// Runs the same code on plaintext.
    pub fn plain<T>(
        &self,
        f: impl FnOnce(&mut Session) -> Result<T, ProtocolError>,
    ) -> Result<T, ProtocolError> {
        f(&mut Session::plain(self.params[0]))
    }

    /// What the same code costs, by counting.
    pub fn count<T>(
        &self,
        f: impl FnOnce(&mut Session) -> Result<T, ProtocolError>,
    ) -> Result<Cost, ProtocolError> {
        let mut session = self.hooked(Session::count(self.params[0], self.n_parties, compute()));
        f(&mut session)?;
        Ok(session.cost())
    }

    fn session(&self, party: usize, mesh: Arc<dyn net::Mesh>) -> Session {
        let root = |key: usize| match &self.script {
            Some(script) => Root::scripted(ScriptedKey { key, script: Arc::clone(script) }),
            None => Root::new(&blake3::derive_key(
                "junto 2026 lab key v1",
                &[&self.seed.to_le_bytes()[..], &[key as u8]].concat(),
            )),
        };
        let role = match party {
            0..3 => Role::Rep3 { index: party, roots: Roots([root(party), root((party + 1) % 3)]) },
            _ => Role::Observer,
        };
        let params = self.params[party % self.params.len()];
        let session_id = blake3::derive_key("junto 2026 lab session v1", &self.seed.to_le_bytes());
        let session = Session::new(
            role,
            Some(mesh),
            compute(),
            self.n_parties,
            PartyId::from_index(party),
            session_id,
            params,
        );
        self.hooked(session)
    }

    fn hooked(&self, mut session: Session) -> Session {
        Arc::get_mut(&mut session.core).expect("nobody else has it yet").lab = self.hooks.clone();
        session
    }
}

fn compute() -> [PartyId; 3] {
    [0, 1, 2].map(PartyId::from_index)
}

/// A sharing of `values` that a trusted dealer made: costs no message. `seed` chooses it.
pub fn deal<G: Group>(s: &Session, seed: u64, values: &Column<G>) -> Shared<G> {
    let n = values.len();
    let [a, b] = [0, 1].map(|at| Column::from_fn(n, |row| G::from_word(noise(seed, at, row))));
    let c = values.zip(&a, G::minus).zip(&b, G::minus);
    Shared::from_parts(n, dealt(s, values, [a, b, c]))
}

/// [`deal`] for boolean columns.
pub fn deal_bits(s: &Session, seed: u64, values: &Planes) -> SharedBits {
    let (n, width) = (values.n_rows(), values.width());
    let [a, b] = [0, 1].map(|at| {
        Planes::build(n, width, |plane, out| {
            out.iter_mut()
                .enumerate()
                .for_each(|(word, out)| *out = noise(seed, at, plane << 32 | word) as u64);
        })
    });
    let c = values.zip(&a, |x, y| x ^ y).zip(&b, |x, y| x ^ y);
    SharedBits::from_parts(n, width, dealt(s, values, [a, b, c]))
}

/// A dealt sharing of numbers as two's complement planes.
pub fn deal_numbers(s: &Session, seed: u64, width: usize, values: &[i128]) -> SharedBits {
    deal_bits(s, seed, &number_planes(width, values))
}

/// Numbers as two's complement planes.
pub fn number_planes(width: usize, values: &[i128]) -> Planes {
    Planes::build(values.len(), width, |plane, out| {
        out.fill(0);
        for (row, value) in values.iter().enumerate() {
            out[row / 64] |= u64::from(value >> plane.min(127) & 1 == 1) << (row % 64);
        }
    })
}

/// The rows of planes as signed numbers.
pub fn signed_rows(planes: &Planes) -> Vec<i128> {
    let shift = 128 - planes.width().min(128);
    (0..planes.n_rows()).map(|row| ((planes.row(row) << shift) as i128) >> shift).collect()
}

/// The elements of a column as signed numbers.
pub fn signed<R: Ring>(column: &Column<R>) -> Vec<i128> {
    column.items().iter().map(|item| item.signed()).collect()
}

fn dealt<T: Clone>(s: &Session, value: &T, shares: [T; 3]) -> Parts<T> {
    match (&s.core.role, shares) {
        (Role::Rep3 { index, .. }, shares) => {
            Parts::Two([shares[*index].clone(), shares[(index + 1) % 3].clone()])
        }
        (Role::Plain, _) => Parts::One([value.clone()]),
        _ => Parts::Zero,
    }
}

/// What this party holds of a sharing.
pub fn parts_of<G: Group>(x: &Shared<G>) -> Vec<Column<G>> {
    x.parts().as_slice().to_vec()
}

/// What this party holds of a boolean sharing.
pub fn parts_of_bits(x: &SharedBits) -> Vec<Planes> {
    x.parts().as_slice().to_vec()
}

fn noise(seed: u64, stream: usize, at: usize) -> u128 {
    let mut input = [0; 24];
    input[..8].copy_from_slice(&seed.to_le_bytes());
    input[8..16].copy_from_slice(&(stream as u64).to_le_bytes());
    input[16..].copy_from_slice(&(at as u64).to_le_bytes());
    let hash = blake3::derive_key("junto 2026 dealer v1", &input);
    u128::from_le_bytes(hash[..16].try_into().expect("16 of 32 bytes"))
}

/// Coins that are tried, every one: row `r` of each random draw takes its bits from the
/// number `r`, the same ones at both holders of a key.
///
/// With `n` rows for `n = 2^coins`, every sequence of coins has a row of its own, so that
/// counting what a party sees over all rows gives its view's exact distribution.
pub struct Script {
    element_bits: u32,
    muted: Option<usize>,
    taken: Mutex<(u32, BTreeMap<Draw, u32>)>,
}

/// A key, a step and a use.
type Draw = (usize, [u8; 20], u8);

/// The key of the draws with which inputs are dealt: nobody's.
const DEALER: usize = 3;

impl Script {
    /// Coins for elements of `element_bits` random low bits, and for planes.
    pub fn new(element_bits: u32) -> Arc<Self> {
        Arc::new(Script { element_bits, muted: None, taken: Mutex::default() })
    }

    /// A mutant: the draws of one key are zeros. Its views must give it away.
    pub fn without_key(element_bits: u32, key: usize) -> Arc<Self> {
        Arc::new(Script { element_bits, muted: Some(key), taken: Mutex::default() })
    }

    /// Coins given out so far.
    pub fn coins(&self) -> u32 {
        self.taken.lock().unwrap_or_else(|poison| poison.into_inner()).0
    }

    /// Streams that were drawn from so far, each under a key, a step and a use of its own.
    pub fn draws(&self) -> usize {
        self.taken.lock().unwrap_or_else(|poison| poison.into_inner()).1.len()
    }

    /// The coins of `row` that the keys of `party` gave: part of its view.
    pub fn coins_of(&self, party: usize, row: usize) -> Vec<u64> {
        let taken = self.taken.lock().unwrap_or_else(|poison| poison.into_inner());
        let firsts: Vec<u32> = taken.1.values().copied().chain([taken.0]).collect();
        let held = taken.1.iter().filter(|(draw, _)| draw.0 == party || draw.0 == (party + 1) % 3);
        held.map(|(_, first)| {
            let end = firsts.iter().copied().filter(|other| other > first).min().expect("the end is later");
            (row as u64 >> first) & ((1 << (end - first)) - 1)
        })
        .collect()
    }

    /// What the first draw from a key gave at `row`: zero if the key is muted.
    pub fn drawn(&self, key: usize, row: usize) -> u64 {
        let taken = self.taken.lock().unwrap_or_else(|poison| poison.into_inner());
        let first = taken.1.iter().find(|(draw, _)| draw.0 == key).map(|(_, first)| *first);
        match first {
            Some(first) if self.muted != Some(key) => row as u64 >> first & ((1 << self.element_bits) - 1),
            _ => 0,
        }
    }

    /// A sharing of public values with every pair of summands tried.
    pub fn deal<G: Group>(self: &Arc<Self>, s: &Session, seed: u8, values: &Column<G>) -> Shared<G> {
        let draw =
            |at| Column::build(values.len(), |out: &mut [G]| self.stream((DEALER, [seed; 20], at)).fill(out));
        let (a, b) = (draw(0), draw(1));
        let c = values.zip(&a, G::minus).zip(&b, G::minus);
        Shared::from_parts(values.len(), dealt(s, values, [a, b, c]))
    }

    /// [`Script::deal`] for boolean columns.
    pub fn deal_bits(self: &Arc<Self>, s: &Session, seed: u8, values: &Planes) -> SharedBits {
        let (n, width) = (values.n_rows(), values.width());
        let draw = |at| {
            let mut planes = math::PlanesMut::stale(n, width);
            self.stream((DEALER, [seed; 20], at)).fill_planes(n, width, planes.words_mut());
            planes.freeze()
        };
        let (a, b) = (draw(0), draw(1));
        let c = values.zip(&a, |x, y| x ^ y).zip(&b, |x, y| x ^ y);
        SharedBits::from_parts(n, width, dealt(s, values, [a, b, c]))
    }

    fn stream(self: &Arc<Self>, draw: Draw) -> ScriptedStream {
        ScriptedStream { draw, script: Arc::clone(self) }
    }

    /// The first row bit of a draw, unless its key is muted.
    fn first_bit(&self, draw: Draw, n_bits: u32) -> Option<u32> {
        let mut taken = self.taken.lock().unwrap_or_else(|poison| poison.into_inner());
        let next = taken.0;
        let first = *taken.1.entry(draw).or_insert(next);
        if first == next {
            taken.0 += n_bits;
        }
        (self.muted != Some(draw.0)).then_some(first)
    }
}

/// The bits of a row's number from `first` on: zeros where a run draws more coins than it has.
fn from_bit(row: usize, first: u32) -> usize {
    row.checked_shr(first).unwrap_or(0)
}

/// A key whose streams are scripted.
pub(crate) struct ScriptedKey {
    key: usize,
    script: Arc<Script>,
}

/// One scripted stream.
pub(crate) struct ScriptedStream {
    draw: Draw,
    script: Arc<Script>,
}

impl ScriptedKey {
    pub(crate) fn stream(&self, step: &Step, purpose: u8) -> ScriptedStream {
        self.script.stream((self.key, step.key_bytes(), purpose))
    }
}

impl ScriptedStream {
    pub(crate) fn fill<G: Group>(&self, out: &mut [G]) {
        let bits = self.script.element_bits.min(G::BITS);
        let first = self.script.first_bit(self.draw, bits);
        out.iter_mut().enumerate().for_each(|(row, out)| {
            *out =
                first.map_or(G::ZERO, |first| G::from_word(from_bit(row, first) as u128 & ((1 << bits) - 1)));
        });
    }

    pub(crate) fn fill_planes(&self, n_rows: usize, width: usize, out: &mut [u64]) {
        let first = self.script.first_bit(self.draw, width as u32);
        out.fill(0);
        let Some(first) = first else { return };
        let stride = out.len() / width.max(1);
        for plane in 0..width {
            for row in 0..n_rows {
                out[plane * stride + row / 64] |=
                    (from_bit(row, first + plane as u32) as u64 & 1) << (row % 64);
            }
        }
    }

    /// Scripted runs try masks, not orders: rows stay where they are.
    pub(crate) fn permutation(&self, n: usize) -> Vec<u32> {
        (0..n as u32).collect()
    }
}
