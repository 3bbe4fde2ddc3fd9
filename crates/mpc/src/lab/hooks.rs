//! What the lab watches, spoils and leaves out inside a session.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use buf::{Buf, Bytes};
use net::{PartyId, Tag};

use super::Mutant;
use crate::session::Session;
use crate::step::Step;

/// A cheater inside a party: changes what the party computed before it goes on with it and sends
/// it, so that all it says afterwards fits together. An [`net::Interceptor`] changes what it
/// says alone.
pub trait Cheat: Send + Sync {
    /// Called with each product of each party, before anybody has seen it.
    fn product(&self, party: PartyId, tag: Tag, z: &mut [u8]);
}

/// The step path behind each tag, such as `sort/level2/lt#0.1`: chunk 0, message 1 of the step.
#[derive(Default)]
pub struct Names(Mutex<BTreeMap<Tag, String>>);

impl Names {
    /// The path behind a tag.
    pub fn of(&self, tag: Tag) -> String {
        let names = self.0.lock().unwrap_or_else(|poison| poison.into_inner());
        names.get(&tag).cloned().unwrap_or_else(|| format!("{tag}"))
    }
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
    pub(crate) fn name(&self, step: &Step, part: u8) {
        if let Some(names) = &self.names {
            let mut names = names.0.lock().unwrap_or_else(|poison| poison.into_inner());
            names.entry(step.tag(part)).or_insert_with(|| format!("{step}.{part}"));
        }
    }
}

impl Session {
    /// What this party takes its product of a step to be: a cheater spoils it here.
    pub(crate) fn product_of(&self, step: &Step, z: &Bytes) -> Option<Buf> {
        self.core.lab.cheat.as_ref().map(|cheat| {
            let mut changed = Buf::copy_of(z.bytes());
            cheat.product(self.core.me, step.tag(0), changed.bytes_mut());
            changed
        })
    }
}
