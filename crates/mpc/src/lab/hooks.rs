//! What the lab watches, spoils and leaves out inside a session.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use buf::{Buf, Bytes};
use net::{PartyId, Tag};

use super::Mutant;
use super::place::Place;
use crate::error::ProtocolError;
use crate::session::Session;
use crate::step::Step;

/// A cheater inside a party: changes what the party computed before it goes on with it and sends
/// it, so that all it says afterwards fits together. An [`net::Interceptor`] changes what it
/// says alone.
pub trait Cheat: Send + Sync {
    /// Called with each product of each party, before anybody has seen it: of its own factors, or
    /// of rows that it moved.
    fn product(&self, party: PartyId, tag: Tag, z: &mut [u8]);

    /// Called with each factor of a shuffle that a party is about to apply, number 0 or 1. The tag
    /// is that of the pass's first message.
    fn factor(&self, party: PartyId, tag: Tag, number: usize, from: &mut [u32]);

    /// Called when a party has taken in a message: what it says from now on may hang on it.
    fn heard(&self, _by: PartyId, _from: PartyId, _tag: Tag) {}
}

/// The step path behind each tag, such as `sort/level2/lt#0.1`: chunk 0, message 1 of the step.
#[derive(Default)]
pub struct Names {
    paths: Mutex<BTreeMap<Tag, (String, Place)>>,
    openings: Mutex<BTreeSet<Tag>>,
    proofs: Mutex<BTreeMap<Tag, BTreeSet<Tag>>>,
}

impl Names {
    /// The path behind a tag.
    pub fn of(&self, tag: Tag) -> String {
        let paths = self.paths.lock().unwrap_or_else(|poison| poison.into_inner());
        paths.get(&tag).map_or_else(|| format!("{tag}"), |(path, _)| path.clone())
    }

    /// Where the session stands that sends under a tag.
    pub(super) fn place_of(&self, tag: Tag) -> Place {
        let paths = self.paths.lock().unwrap_or_else(|poison| poison.into_inner());
        paths.get(&tag).map_or_else(Place::default, |(_, place)| place.clone())
    }

    /// Whether a tag belongs to a step that opens values.
    pub fn opens(&self, tag: Tag) -> bool {
        let openings = self.openings.lock().unwrap_or_else(|poison| poison.into_inner());
        openings.contains(&step_of(tag))
    }

    /// The steps of the proofs that cover a step's products, by the steps' first tags.
    pub fn proofs(&self) -> BTreeMap<Tag, BTreeSet<Tag>> {
        self.proofs.lock().unwrap_or_else(|poison| poison.into_inner()).clone()
    }
}

/// The tag of the first message of the same step.
pub(super) fn step_of(tag: Tag) -> Tag {
    Tag { step: tag.step >> 8 << 8, ..tag }
}

/// What the lab does inside a session.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) names: Option<Arc<Names>>,
    pub(crate) cheat: Option<Arc<dyn Cheat>>,
    pub(crate) mutant: Option<Mutant>,
    pub(crate) max_ands: Option<usize>,
}

impl Hooks {
    /// Whether this is a mutant that lacks a guard.
    pub(crate) fn lacks(&self, guard: Mutant) -> bool {
        self.mutant == Some(guard)
    }

    /// A message of a step leaves.
    pub(crate) fn name(&self, step: &Step, part: u8, place: &Place) {
        if let Some(names) = &self.names {
            let mut paths = names.paths.lock().unwrap_or_else(|poison| poison.into_inner());
            paths.entry(step.tag(part)).or_insert_with(|| (format!("{step}.{part}"), place.clone()));
        }
    }

    /// A step that opens values begins.
    pub(crate) fn open(&self, step: &Step) {
        if let Some(names) = &self.names {
            names.openings.lock().unwrap_or_else(|poison| poison.into_inner()).insert(step.tag(0));
        }
    }

    /// A proof begins that covers these steps.
    pub(crate) fn prove(&self, proof: &Step, steps: &[&Step]) {
        if let Some(names) = &self.names {
            let mut proofs = names.proofs.lock().unwrap_or_else(|poison| poison.into_inner());
            for step in steps {
                proofs.entry(step.tag(0)).or_default().insert(proof.tag(0));
            }
        }
    }

    /// A party took in a message.
    pub(crate) fn heard(&self, by: PartyId, from: PartyId, tag: Tag) {
        if let Some(cheat) = &self.cheat {
            cheat.heard(by, from, tag);
        }
    }
}

impl Session {
    /// A mutant that opens before it verifies does so once all is over.
    pub(super) fn prove_late(&mut self) -> Result<(), ProtocolError> {
        if self.core.lab.lacks(Mutant::VerifiesLate) { self.prove_all() } else { Ok(()) }
    }

    /// What this party takes its product, message `part` of a step, to be: a cheater spoils it here.
    pub(crate) fn product_of(&self, step: &Step, part: u8, z: &Bytes) -> Option<Buf> {
        self.core.lab.cheat.as_ref().map(|cheat| {
            let mut changed = Buf::copy_of(z.bytes());
            cheat.product(self.core.me, step.tag(part), changed.bytes_mut());
            changed
        })
    }

    /// How this party takes the factors of a shuffle to move rows.
    pub(crate) fn factors_of(&self, step: &Step, mut factors: [Arc<[u32]>; 2]) -> [Arc<[u32]>; 2] {
        if let Some(cheat) = &self.core.lab.cheat {
            for (number, factor) in factors.iter_mut().enumerate() {
                let mut changed = factor.to_vec();
                cheat.factor(self.core.me, step.tag(0), number, &mut changed);
                *factor = changed.into();
            }
        }
        factors
    }
}
