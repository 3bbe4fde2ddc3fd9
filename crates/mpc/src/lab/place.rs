//! Where a session stands in the tree of forks.

use crate::session::Session;

/// Which fork of the session before it a session is a part of, and which part of it: equal at all parties.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    path: Vec<Part>,
    /// Forks that this session made and that have ended.
    n_forks: u32,
}

/// One part of a fork: a branch, or a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    fork: u32,
    number: usize,
}

impl Place {
    /// Whether two sessions run beside each other, so that what happens in one has nothing to do with
    /// the other. Forks of one session follow each other.
    pub(super) fn is_apart_from(&self, other: &Place) -> bool {
        let parts = self.path.iter().zip(&other.path).find(|(one, other)| one != other);
        parts.is_some_and(|(one, other)| one.fork == other.fork)
    }
}

impl Session {
    /// This session becomes part `number` of the fork that another one makes.
    pub(crate) fn becomes_part_of(&mut self, parent: &Session, number: usize) {
        let mut path = parent.place.path.clone();
        path.push(Part { fork: parent.place.n_forks, number });
        self.place = Place { path, n_forks: 0 };
    }

    /// A fork has ended: what comes now comes after it.
    pub(crate) fn has_forked(&mut self) {
        self.place.n_forks += 1;
    }
}
