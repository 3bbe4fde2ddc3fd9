//! The run without inputs: what the same steps would cost.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use net::{LinkProfile, PartyId};

use crate::session::{Role, Session};
use crate::timeline::{Parcel, Timeline, Work};

/// What a run costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Message latencies on the longest chain of messages.
    pub rounds: u32,
    /// Payload bytes that each party sends, in party order.
    pub bytes_sent: Vec<u64>,
}

/// The bytes so far, and when links and processors are busy with them.
pub(crate) struct Tally {
    bytes_sent: Vec<u64>,
    timeline: Timeline,
}

impl Tally {
    pub(crate) fn new(n_parties: usize, link: LinkProfile) -> Self {
        Tally { bytes_sent: vec![0; n_parties], timeline: Timeline::new(n_parties, link) }
    }
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(|poison| poison.into_inner())
}

impl Session {
    /// Counts messages that are sent at the same time. Does nothing in other sessions.
    pub(crate) fn count_messages(&mut self, messages: &[(PartyId, PartyId, usize)]) {
        let Role::Count(tally) = &self.core.role else { return };
        let mut tally = lock(tally);
        let before = self.clock;
        for (from, to, n_bytes) in messages {
            let (from, to, n_bytes) = (*from, *to, *n_bytes);
            tally.bytes_sent[from.index()] += n_bytes as u64;
            let (ready, asked) = (before.ns[from.index()], before.ns[to.index()]);
            let [sent, arrived] = tally.timeline.message(&Parcel { from, to, n_bytes, ready, asked });
            let depth = &mut self.clock.depth[to.index()];
            *depth = (*depth).max(before.depth[from.index()] + 1);
            for (party, at) in [(from, sent), (to, arrived)] {
                let ns = &mut self.clock.ns[party.index()];
                *ns = (*ns).max(at);
            }
        }
    }

    /// Counts one message from every compute party to the one before it.
    pub(crate) fn count_left(&mut self, n_bytes: usize) {
        let [a, b, c] = self.core.compute;
        self.count_messages(&[(a, c, n_bytes), (b, a, n_bytes), (c, b, n_bytes)]);
    }

    /// Counts what each compute party does by itself, where that can take longer than what it
    /// sends. Does nothing in other sessions.
    pub(crate) fn count_work(&mut self, work: Work) {
        let Role::Count(tally) = &self.core.role else { return };
        let mut tally = lock(tally);
        for party in self.core.compute {
            let ns = &mut self.clock.ns[party.index()];
            *ns = tally.timeline.work(party, *ns, work);
        }
    }

    /// Adds an estimate of steps whose number follows from random order: `rounds` latencies
    /// and `bytes` from each compute party. Does nothing in other sessions.
    pub fn count_estimate(&mut self, rounds: u32, bytes: u64) {
        let compute = self.core.compute;
        let Role::Count(tally) = &self.core.role else { return };
        let mut tally = lock(tally);
        let mut latest = self.clock;
        for party in compute {
            let (depth, ns) = (self.clock.depth[party.index()], self.clock.ns[party.index()]);
            latest.depth.iter_mut().for_each(|mine| *mine = (*mine).max(depth));
            latest.ns.iter_mut().for_each(|mine| *mine = (*mine).max(ns));
        }
        for party in compute {
            let at = party.index();
            tally.bytes_sent[at] += bytes;
            self.clock.depth[at] = latest.depth[at] + rounds;
            self.clock.ns[at] = tally.timeline.rounds(party, latest.ns[at], rounds, bytes);
        }
    }

    /// What the run cost so far: counted in a counting run, measured by this party otherwise.
    pub fn cost(&self) -> Cost {
        let bytes_sent = match (&self.core.role, &self.core.mesh) {
            (Role::Count(tally), _) => lock(tally).bytes_sent.clone(),
            (_, Some(mesh)) => {
                let mut bytes = vec![0; self.core.n_parties];
                bytes[self.core.me.index()] = mesh.traffic().payload_bytes_sent();
                bytes
            }
            _ => vec![0; self.core.n_parties],
        };
        Cost { rounds: self.rounds(), bytes_sent }
    }

    /// When each party would be where this counting run is, over the links of
    /// [`Params::link`](crate::Params::link): zero in other sessions.
    ///
    /// Messages wait for their link's bandwidth and then for its delay, forks of as many chunks
    /// as are under way at the same time hide the one behind the other, and what a party
    /// computes takes time where it sends faster than it computes, by rates measured on two
    /// cores that three parties share. Within 25 % of what simulated links of 20 and 150 ms
    /// take; on one machine it is nothing but a guess.
    pub fn foretold(&self) -> Vec<Duration> {
        self.clock.ns[..self.core.n_parties].iter().map(|ns| Duration::from_nanos(*ns)).collect()
    }
}
