//! The mesh over TLS.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use buf::Bytes;

use super::connect::{Link, meet};
use super::pump::{self, DelayLine};
use super::{Identity, Options, Peer};
use crate::endpoint::Endpoint;
use crate::inbox::Expect;
use crate::{Mesh, NetError, PartyId, Received, Tag, Traffic, Wait};

/// Dropping a mesh waits this long for an abort to go out, and for writers to end.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// One party's mesh over mutually authenticated TLS 1.3.
///
/// Dropped before [`Mesh::finish`], it looks to the others like a crash.
pub struct TlsMesh {
    end: Arc<Endpoint>,
    names: Vec<String>,
    outgoing: Vec<TcpStream>,
    incoming: Vec<TcpStream>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl TlsMesh {
    /// Connects `me` with all other `parties`, who are doing the same.
    ///
    /// `parties` lists everybody in the same order at every party, this one
    /// included. `listener` is already bound, where the others expect this party.
    ///
    /// # Errors
    /// `Unreachable` names a party that could not be connected before the
    /// deadline, `NotAuthentic` one whose key or who refused ours, `Misfit` one
    /// that was set up differently, `Local` what is wrong here.
    pub fn connect(
        listener: &TcpListener,
        identity: &Identity,
        me: PartyId,
        parties: &[Peer],
        options: &Options,
    ) -> Result<TlsMesh, NetError> {
        let links = meet(listener, identity, me, parties, options)?;
        let own = options.limits.live();
        let limits: Vec<_> = links.iter().map(|link| link.as_ref().map_or(own, |link| link.limits)).collect();
        let mut mesh = TlsMesh {
            end: Arc::new(Endpoint::new(me, own, &limits)),
            names: parties.iter().map(|party| party.name.clone()).collect(),
            outgoing: Vec::new(),
            incoming: Vec::new(),
            threads: Mutex::default(),
        };
        for (peer, link) in PartyId::all(links.len()).zip(links) {
            if let Some(link) = link {
                mesh.start(peer, link, options).map_err(|error| NetError::Local {
                    cause: format!("no thread or socket left: {error}"),
                })?;
            }
        }
        Ok(mesh)
    }

    /// A party's name.
    pub fn name(&self, party: PartyId) -> &str {
        self.names.get(party.index()).map_or("nobody", String::as_str)
    }

    fn start(&mut self, peer: PartyId, link: Link, options: &Options) -> std::io::Result<()> {
        let Link { mut outgoing, mut incoming, early, limits: _ } = link;
        outgoing.socket().set_write_timeout(Some(options.stall))?;
        self.outgoing.push(outgoing.socket().try_clone()?);
        self.incoming.push(incoming.socket().try_clone()?);

        let (end, settings) = (Arc::clone(&self.end), options.clone());
        self.spawn(format!("write-{}", peer.index()), move || {
            pump::write(&end, peer, &mut outgoing, &settings)
        })?;
        let line = DelayLine::new(options.link);
        if let Some(line) = line.clone() {
            let end = Arc::clone(&self.end);
            self.spawn(format!("delay-{}", peer.index()), move || line.run(&end, peer))?;
        }
        let (end, settings) = (Arc::clone(&self.end), options.clone());
        self.spawn(format!("read-{}", peer.index()), move || {
            pump::read(&end, peer, &mut incoming, &early, &settings, line.as_deref());
        })
    }

    fn spawn(&mut self, name: String, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        // A link whose thread dies would leave receives waiting for ever.
        let end = Arc::clone(&self.end);
        let guarded = move || {
            let _alarm = Alarm(end);
            run();
        };
        let thread = thread::Builder::new().name(name).spawn(guarded)?;
        self.threads.get_mut().expect("no panic holds it").push(thread);
        Ok(())
    }
}

/// Ends the session if the thread that holds it panics.
struct Alarm(Arc<Endpoint>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail(NetError::Local { cause: "a link's thread panicked; this is a bug".into() });
        }
    }
}

impl Mesh for TlsMesh {
    fn me(&self) -> PartyId {
        self.end.me()
    }

    fn n_parties(&self) -> usize {
        self.end.n_parties()
    }

    fn send(&self, to: PartyId, tag: Tag, depth: u32, payload: Bytes) -> Result<(), NetError> {
        self.end.send(to, tag, depth, payload)
    }

    fn recv(&self, from: PartyId, tag: Tag, n_bytes: usize) -> Result<Received, NetError> {
        self.end.post(from, tag, Expect::Exactly(n_bytes))?;
        self.end.wait(from, tag)
    }

    fn try_recv(&self, from: PartyId, tag: Tag, n_bytes: usize) -> Result<Option<Received>, NetError> {
        self.end.post(from, tag, Expect::Exactly(n_bytes))?;
        self.end.poll(from, tag)
    }

    fn recv_document(&self, from: PartyId, tag: Tag, max_bytes: usize) -> Result<Received, NetError> {
        self.end.post(from, tag, Expect::AtMost(max_bytes))?;
        self.end.wait(from, tag)
    }

    fn abort(&self, reason: &str) {
        self.end.abort(reason);
    }

    fn traffic(&self) -> Traffic {
        self.end.traffic()
    }

    fn finish(&self) -> Result<(), NetError> {
        self.end.say_goodbye()?;
        for to in self.end.others() {
            let inbox = self.end.inbox(to);
            let gives_up = || self.end.failure().is_some() || inbox.has_left();
            self.end.outbox(to).wait_until_empty(gives_up);
        }
        Ok(())
    }

    fn waits(&self) -> Vec<Wait> {
        self.end.waits()
    }
}

impl Drop for TlsMesh {
    fn drop(&mut self) {
        if matches!(self.end.failure(), Some(NetError::AbortedHere { .. })) {
            for to in self.end.others() {
                self.end.outbox(to).wait_for_control(LAST_WORDS);
            }
        }
        self.end.others().for_each(|to| self.end.outbox(to).close());
        // Readers wait for bytes: closing their sockets wakes them. Writers close
        // theirs in order, unless the peer does not read.
        let close = |sockets: &[TcpStream]| {
            sockets.iter().for_each(|socket| drop(socket.shutdown(Shutdown::Both)));
        };
        close(&self.incoming);
        let threads = std::mem::take(self.threads.get_mut().unwrap_or_else(|poison| poison.into_inner()));
        let start = Instant::now();
        while start.elapsed() < LAST_WORDS && threads.iter().any(|thread| !thread.is_finished()) {
            thread::sleep(Duration::from_micros(200));
        }
        close(&self.outgoing);
        for thread in threads {
            let _ = thread.join();
        }
    }
}
