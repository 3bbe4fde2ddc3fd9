//! The run without inputs: what the same steps would cost.

use net::PartyId;

use crate::session::{Clock, Role, Session};

/// What a run costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Message latencies on the longest chain of messages.
    pub rounds: u32,
    /// Payload bytes that each party sends, in party order.
    pub bytes_sent: Vec<u64>,
}

/// The bytes so far.
pub(crate) struct Tally {
    bytes_sent: Vec<u64>,
}

impl Tally {
    pub(crate) fn new(n_parties: usize) -> Self {
        Tally { bytes_sent: vec![0; n_parties] }
    }
}

impl Session {
    /// Counts messages that are sent at the same time. Does nothing in other sessions.
    pub(crate) fn count_messages(&mut self, messages: &[(PartyId, PartyId, usize)]) {
        let Role::Count(tally) = &self.core.role else { return };
        let mut tally = tally.lock().unwrap_or_else(|poison| poison.into_inner());
        let before: Clock = self.clock;
        for (from, to, n_bytes) in messages {
            tally.bytes_sent[from.index()] += *n_bytes as u64;
            let clock = &mut self.clock[to.index()];
            *clock = (*clock).max(before[from.index()] + 1);
        }
    }

    /// Counts one message from every compute party to the one before it.
    pub(crate) fn count_left(&mut self, n_bytes: usize) {
        let [a, b, c] = self.core.compute;
        self.count_messages(&[(a, c, n_bytes), (b, a, n_bytes), (c, b, n_bytes)]);
    }

    /// Adds an estimate of steps whose number follows from random order: `rounds` latencies
    /// and `bytes` from each compute party. Does nothing in other sessions.
    pub fn count_estimate(&mut self, rounds: u32, bytes: u64) {
        let compute = self.core.compute;
        let Role::Count(tally) = &self.core.role else { return };
        let mut tally = tally.lock().unwrap_or_else(|poison| poison.into_inner());
        let latest = compute.iter().map(|party| self.clock[party.index()]).max().unwrap_or(0);
        for party in compute {
            tally.bytes_sent[party.index()] += bytes;
            self.clock[party.index()] = latest + rounds;
        }
    }

    /// What the run cost so far: counted in a counting run, measured by this party otherwise.
    pub fn cost(&self) -> Cost {
        let bytes_sent = match (&self.core.role, &self.core.mesh) {
            (Role::Count(tally), _) => {
                tally.lock().unwrap_or_else(|poison| poison.into_inner()).bytes_sent.clone()
            }
            (_, Some(mesh)) => {
                let mut bytes = vec![0; self.core.n_parties];
                bytes[self.core.me.index()] = mesh.traffic().payload_bytes_sent();
                bytes
            }
            _ => vec![0; self.core.n_parties],
        };
        Cost { rounds: self.rounds(), bytes_sent }
    }
}
