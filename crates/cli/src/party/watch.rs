//! Shows a few bytes of what a party receives, for people who want to see that
//! there is nothing to see.

use std::sync::{Arc, OnceLock};

use buf::Bytes;
use net::{Mesh, NetError, PartyId, Received, Tag, Traffic, Wait};

/// A mesh that keeps the beginning of one message of rows.
pub(super) struct Watched {
    mesh: Arc<dyn Mesh>,
    n_bytes: usize,
    seen: OnceLock<(PartyId, Vec<u8>)>,
}

impl Watched {
    pub(super) fn new(mesh: Arc<dyn Mesh>, n_bytes: usize) -> Watched {
        Watched { mesh, n_bytes, seen: OnceLock::new() }
    }

    /// The first message that was long enough, and who sent it.
    pub(super) fn seen(&self) -> Option<&(PartyId, Vec<u8>)> {
        self.seen.get()
    }

    fn look(&self, from: PartyId, received: &Received) {
        // Keys and digests of the session's start are shorter than rows.
        if self.seen.get().is_none() && received.payload.bytes().len() >= self.n_bytes.max(256) {
            let _ = self.seen.set((from, received.payload.bytes()[..self.n_bytes].to_vec()));
        }
    }
}

impl Mesh for Watched {
    fn me(&self) -> PartyId {
        self.mesh.me()
    }
    fn n_parties(&self) -> usize {
        self.mesh.n_parties()
    }
    fn send(&self, to: PartyId, tag: Tag, depth: u32, payload: Bytes) -> Result<(), NetError> {
        self.mesh.send(to, tag, depth, payload)
    }
    fn recv(&self, from: PartyId, tag: Tag, n_bytes: usize) -> Result<Received, NetError> {
        let received = self.mesh.recv(from, tag, n_bytes)?;
        self.look(from, &received);
        Ok(received)
    }
    fn try_recv(&self, from: PartyId, tag: Tag, n_bytes: usize) -> Result<Option<Received>, NetError> {
        let received = self.mesh.try_recv(from, tag, n_bytes)?;
        received.iter().for_each(|received| self.look(from, received));
        Ok(received)
    }
    fn recv_document(&self, from: PartyId, tag: Tag, max_bytes: usize) -> Result<Received, NetError> {
        self.mesh.recv_document(from, tag, max_bytes)
    }
    fn abort(&self, reason: &str) {
        self.mesh.abort(reason);
    }
    fn traffic(&self) -> Traffic {
        self.mesh.traffic()
    }
    fn finish(&self) -> Result<(), NetError> {
        self.mesh.finish()
    }
    fn waits(&self) -> Vec<Wait> {
        self.mesh.waits()
    }
}
