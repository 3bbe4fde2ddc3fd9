//! One party without the others.

use std::sync::Arc;

use buf::{Buf, Bytes};
use net::{Mesh, NetError, PartyId, Received, Tag, Traffic};

use super::Lab;
use crate::session::{Params, Session};

/// Links to nobody: what is sent is lost, and whatever is waited for has come, always with the
/// same bytes.
struct Nobody {
    noise: Bytes,
}

/// The longest message that ever comes.
const MAX_BYTES: usize = 1 << 20;

impl Mesh for Nobody {
    fn me(&self) -> PartyId {
        PartyId::FIRST
    }

    fn n_parties(&self) -> usize {
        3
    }

    fn send(&self, _: PartyId, _: Tag, _: u32, _: Bytes) -> Result<(), NetError> {
        Ok(())
    }

    fn recv(&self, _: PartyId, _: Tag, n_bytes: usize) -> Result<Received, NetError> {
        Ok(Received { payload: Buf::copy_of(&self.noise.bytes()[..n_bytes]), depth: 0 })
    }

    fn try_recv(&self, from: PartyId, tag: Tag, n_bytes: usize) -> Result<Option<Received>, NetError> {
        self.recv(from, tag, n_bytes).map(Some)
    }

    fn recv_document(&self, from: PartyId, tag: Tag, max_bytes: usize) -> Result<Received, NetError> {
        self.recv(from, tag, max_bytes)
    }

    fn abort(&self, _: &str) {}

    fn traffic(&self) -> Traffic {
        Traffic::default()
    }

    fn finish(&self) -> Result<(), NetError> {
        Ok(())
    }
}

impl Lab {
    /// The session of the first party in one thread, with nobody at the other ends: to see how long
    /// its own work takes.
    pub fn alone<T>(&self, f: impl FnOnce(&mut Session) -> T) -> T {
        let words: Vec<u64> = (0..MAX_BYTES as u64 / 8)
            .map(|at| (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ at << 17)
            .collect();
        let noise = Buf::copy_of(&words).freeze();
        let lone = |params: &Params| Params { threads: 1, in_flight: 1, ..*params };
        let params: Vec<Params> = self.params.iter().map(lone).collect();
        f(&mut self.clone().params(&params).session(0, Arc::new(Nobody { noise })))
    }
}
