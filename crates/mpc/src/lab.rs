//! The lab: every party of a session in one process, from one seed. For tests.
//!
//! Sharings are dealt, keys are derived from the seed, and links are in-process,
//! so a failure repeats. The coins of a protocol can be scripted, to try every one.

use std::sync::Arc;
use std::time::Duration;

use math::{Column, Group, Planes, Ring};
use net::{Interceptor, Limits, LinkProfile, LocalMesh, LocalOptions, PartyId};

use crate::bits::SharedBits;
use crate::count::Cost;
use crate::error::ProtocolError;
use crate::prss::{Root, Roots};
use crate::session::{Params, Role, Security, Session};
use crate::share::{Parts, Shared};

mod alone;
mod cancel;
mod hooks;
mod mutant;
mod mutate;
mod order;
mod place;
mod script;
mod simulated;
mod small;
mod sweep;
pub mod timing;
mod trace;
mod views;
mod watchdog;

pub use cancel::{Slips, cancelling_errors, hidden_products, hidden_words, repaired_quotients};
pub(crate) use hooks::Hooks;
pub use hooks::{Cheat, Names};
pub use mutant::Mutant;
pub use mutate::{Change, Fate, Mutation, Replay};
pub use order::EarlyOpening;
pub(crate) use place::Place;
pub use script::Script;
pub(crate) use script::{ScriptedKey, ScriptedStream};
pub use simulated::{Dealt, Simulated};
pub use small::Small;
pub use sweep::{Case, Ending, Report, Sweep, Tamper};
pub use trace::{Heard, Message, Recorder, Trace};
pub use views::{Form, View, views};

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
            Some(script) => Root::scripted(script.key(key)),
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
