//! What the tests over TLS share; each uses a part of it.

#![allow(dead_code)]

use std::net::TcpListener;
use std::time::Duration;

use buf::{Buf, Bytes};
use net::{Identity, NetError, Options, PartyId, Peer, Tag, TlsMesh};

pub fn party(index: usize) -> PartyId {
    PartyId::from_index(index)
}

pub fn tag(step: u128, chunk: u32) -> Tag {
    Tag { step, chunk }
}

/// `n_bytes` that depend on `seed` and the place.
pub fn content(seed: usize, n_bytes: usize) -> Bytes {
    let bytes: Vec<u8> = (0..n_bytes).map(|k| ((k * 31 + k / 251 + seed * 7) % 256) as u8).collect();
    Buf::copy_of(&bytes).freeze()
}

/// Deadlines that keep a failing test short.
pub fn quick() -> Options {
    Options {
        connect_deadline: Duration::from_secs(4),
        heartbeat: Duration::from_millis(50),
        stall: Duration::from_millis(500),
        ..Options::default()
    }
}

/// The parties of a test: their listeners and keys, before they meet.
pub struct Parties {
    pub listeners: Vec<TcpListener>,
    pub identities: Vec<Identity>,
    pub peers: Vec<Peer>,
}

impl Parties {
    pub fn new(n: usize) -> Self {
        let listeners: Vec<_> = (0..n).map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
        let identities: Vec<_> = (0..n).map(|_| Identity::generate().unwrap()).collect();
        let peers = (0..n).map(|k| Peer {
            name: format!("firm{k}"),
            addr: listeners[k].local_addr().unwrap().to_string(),
            key: identities[k].public_key(),
        });
        let peers = peers.collect();
        Parties { listeners, identities, peers }
    }

    pub fn connect(&self, me: usize, options: &Options) -> Result<TlsMesh, NetError> {
        self.connect_as(me, &self.identities[me], &self.peers, options)
    }

    pub fn connect_as(
        &self,
        me: usize,
        identity: &Identity,
        peers: &[Peer],
        options: &Options,
    ) -> Result<TlsMesh, NetError> {
        TlsMesh::connect(&self.listeners[me], identity, party(me), peers, options)
    }

    /// Connects everybody and runs one closure per party, each in its own thread.
    pub fn each<R: Send>(&self, options: &Options, run: impl Fn(TlsMesh) -> R + Sync) -> Vec<R> {
        std::thread::scope(|scope| {
            let run = &run;
            let spawn = |me| scope.spawn(move || run(self.connect(me, options).unwrap()));
            let threads: Vec<_> = (0..self.peers.len()).map(spawn).collect();
            threads.into_iter().map(|thread| thread.join().expect("no party panics")).collect()
        })
    }

    /// Connects everybody.
    pub fn meshes(&self, options: &Options) -> Vec<TlsMesh> {
        self.each(options, |mesh| mesh)
    }
}
