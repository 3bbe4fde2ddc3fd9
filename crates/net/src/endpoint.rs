//! One party's end of all its links, without the links: what `send`, `recv` and
//! an arriving byte mean, whatever carries them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use buf::Bytes;

use crate::frame::{Control, Decoder, Event, Garbage};
use crate::inbox::{Assembler, Expect, Inbox, Replies};
use crate::outbox::{Amount, Outbox, OutboxFault};
use crate::{Limits, NetError, PartyId, PeerTraffic, Received, Tag, Traffic, Wait};

pub(crate) struct Endpoint {
    me: PartyId,
    peers: Vec<Peer>,
    failure: OnceLock<NetError>,
    has_finished: AtomicBool,
}

struct Peer {
    inbox: Inbox,
    outbox: Outbox,
    stream: Mutex<Stream>,
    frames_received: AtomicU64,
}

/// What has arrived from one peer and is not a message yet.
#[derive(Default)]
struct Stream {
    decoder: Decoder,
    assembler: Assembler,
    has_ended: bool,
}

/// Why feeding stopped: before it is known whose bytes they were, or with the peer named.
enum Fault {
    Garbage(Garbage),
    Net(NetError),
}

impl From<Garbage> for Fault {
    fn from(garbage: Garbage) -> Self {
        Fault::Garbage(garbage)
    }
}

impl From<NetError> for Fault {
    fn from(error: NetError) -> Self {
        Fault::Net(error)
    }
}

impl Endpoint {
    /// The end of `me`, whose own limits are `mine` and whose peers stated `theirs`.
    pub(crate) fn new(me: PartyId, mine: Limits, theirs: &[Limits]) -> Self {
        let peers = PartyId::all(theirs.len()).zip(theirs).map(|(peer, limits)| Peer {
            inbox: Inbox::new(peer, mine),
            outbox: Outbox::new(*limits),
            stream: Mutex::default(),
            frames_received: AtomicU64::new(0),
        });
        Endpoint {
            me,
            peers: peers.collect(),
            failure: OnceLock::new(),
            has_finished: AtomicBool::new(false),
        }
    }

    pub(crate) fn me(&self) -> PartyId {
        self.me
    }

    pub(crate) fn n_parties(&self) -> usize {
        self.peers.len()
    }

    /// Everybody else, in order.
    pub(crate) fn others(&self) -> impl Iterator<Item = PartyId> + use<> {
        let me = self.me;
        PartyId::all(self.peers.len()).filter(move |peer| *peer != me)
    }

    pub(crate) fn outbox(&self, to: PartyId) -> &Outbox {
        &self.peers[to.index()].outbox
    }

    pub(crate) fn inbox(&self, from: PartyId) -> &Inbox {
        &self.peers[from.index()].inbox
    }

    pub(crate) fn failure(&self) -> Option<NetError> {
        self.failure.get().cloned()
    }

    /// Hands a message to the outbox.
    pub(crate) fn send(&self, to: PartyId, tag: Tag, depth: u32, payload: Bytes) -> Result<(), NetError> {
        let peer = self.peer(to)?;
        if let Some(failure) = self.failure.get() {
            return Err(failure.clone());
        }
        if peer.inbox.has_left() {
            return Err(NetError::Left { peer: to, tag });
        }
        if self.has_finished() {
            return Err(NetError::Finished { peer: to, tag });
        }
        peer.outbox.offer(tag, depth, payload);
        Ok(())
    }

    /// Posts a receive; replies for the peer lie in its outbox afterwards.
    pub(crate) fn post(&self, from: PartyId, tag: Tag, expect: Expect) -> Result<(), NetError> {
        let peer = self.peer(from)?;
        self.check_usable()?;
        match peer.inbox.post(tag, expect) {
            Ok(replies) => peer.reply(replies),
            Err(error @ NetError::Reclaimed { .. }) => return Err(error),
            Err(error) => {
                self.fail(error.clone());
                return Err(error);
            }
        }
        Ok(())
    }

    /// Waits for a posted receive.
    pub(crate) fn wait(&self, from: PartyId, tag: Tag) -> Result<Received, NetError> {
        self.check_usable()?;
        self.peer(from)?.inbox.wait(tag, || self.failure())
    }

    /// Takes a posted receive if it is here.
    pub(crate) fn poll(&self, from: PartyId, tag: Tag) -> Result<Option<Received>, NetError> {
        self.check_usable()?;
        match self.peer(from)?.inbox.take(tag)? {
            Some(received) => Ok(Some(received)),
            None => self.failure().map_or(Ok(None), Err),
        }
    }

    /// Takes bytes that arrived from a peer; replies lie in its outbox afterwards.
    ///
    /// # Errors
    /// What the peer did wrong; the session has then failed with it.
    pub(crate) fn feed(&self, from: PartyId, pieces: &[&[u8]]) -> Result<(), NetError> {
        let peer = &self.peers[from.index()];
        let mut stream = peer.stream.lock().expect("feeding does not panic");
        let Stream { decoder, assembler, has_ended } = &mut *stream;
        for piece in pieces {
            let fed = decoder.feed(piece, |event| self.take_event(from, assembler, has_ended, event));
            if let Err(fault) = fed {
                let error = match fault {
                    Fault::Garbage(what) => NetError::Garbage { peer: from, what },
                    Fault::Net(error) => error,
                };
                self.fail(error.clone());
                return Err(error);
            }
        }
        Ok(())
    }

    /// The connection from `from` ended.
    pub(crate) fn closed(&self, from: PartyId) {
        if !self.inbox(from).has_left() {
            self.fail(NetError::Vanished { peer: from });
        }
    }

    /// Ends the session; the first reason stays.
    pub(crate) fn fail(&self, error: NetError) {
        if self.failure.set(error).is_ok() {
            for peer in &self.peers {
                peer.inbox.wake_all();
                peer.outbox.wake();
            }
        }
    }

    /// Ends the session here and queues word of it for everybody.
    pub(crate) fn abort(&self, reason: &str) {
        for to in self.others() {
            self.outbox(to).control(Control::Abort(reason.to_owned()));
        }
        self.fail(NetError::AbortedHere { reason: reason.to_owned() });
    }

    /// Waits until everything is out, and queues goodbyes.
    pub(crate) fn say_goodbye(&self) -> Result<(), NetError> {
        for to in self.others() {
            let peer = &self.peers[to.index()];
            let stuck =
                peer.outbox.wait_until_empty(|| self.failure.get().is_some() || peer.inbox.has_left());
            if let Some(failure) = self.failure.get() {
                return Err(failure.clone());
            }
            if let Some(tag) = stuck {
                return Err(NetError::Left { peer: to, tag });
            }
        }
        if !self.has_finished.swap(true, Ordering::AcqRel) {
            for to in self.others() {
                self.outbox(to).control(Control::Goodbye);
            }
        }
        Ok(())
    }

    /// Whether goodbye has been said from here.
    fn has_finished(&self) -> bool {
        self.has_finished.load(Ordering::Acquire)
    }

    pub(crate) fn traffic(&self) -> Traffic {
        let peers = self.peers.iter().map(|peer| {
            let [payload_bytes_sent, messages_sent, frames_sent] = peer.outbox.counts();
            let [payload_bytes_received, messages_received] = peer.inbox.counts();
            let frames_received = peer.frames_received.load(Ordering::Relaxed);
            PeerTraffic {
                payload_bytes_sent,
                messages_sent,
                frames_sent,
                payload_bytes_received,
                messages_received,
                frames_received,
            }
        });
        Traffic { peers: peers.collect() }
    }

    pub(crate) fn waits(&self) -> Vec<Wait> {
        self.peers.iter().flat_map(|peer| peer.inbox.waits()).collect()
    }

    fn take_event(
        &self,
        from: PartyId,
        assembler: &mut Assembler,
        has_ended: &mut bool,
        event: Event<'_>,
    ) -> Result<(), Fault> {
        let peer = &self.peers[from.index()];
        if *has_ended {
            return Err(Garbage::GoodbyeOutOfPlace.into());
        }
        let control = match event {
            Event::Data { header, at, piece } => {
                if at == 0 {
                    peer.frames_received.fetch_add(1, Ordering::Relaxed);
                }
                peer.reply(assembler.piece(&peer.inbox, &header, at, piece)?);
                return Ok(());
            }
            Event::Control(control) => control,
        };
        peer.frames_received.fetch_add(1, Ordering::Relaxed);
        let outcome = match control {
            Control::Credit(tag) => peer.outbox.credit(tag),
            Control::Claimed { messages, bytes } => peer.outbox.claimed(Amount { messages, bytes }),
            Control::Heartbeat => Ok(()),
            Control::Abort(reason) => return Err(NetError::Aborted { peer: from, reason }.into()),
            Control::Hello(_) => return Err(Garbage::HelloOutOfPlace.into()),
            Control::Goodbye if assembler.is_in_the_middle() => {
                return Err(Garbage::GoodbyeOutOfPlace.into());
            }
            Control::Goodbye => {
                *has_ended = true;
                peer.inbox.leave();
                peer.outbox.wake();
                Ok(())
            }
        };
        outcome.map_err(|fault| match fault {
            OutboxFault::Garbage(what) => what.into(),
            OutboxFault::TooManyCredits => {
                let limit = crate::outbox::MAX_EARLY_CREDITS as u64;
                NetError::TooMuch { peer: from, what: "the number of early credits", limit }.into()
            }
        })
    }

    /// Fails where what arrived may no longer be used.
    fn check_usable(&self) -> Result<(), NetError> {
        match self.failure.get() {
            Some(failure) if !failure.leaves_messages_usable() => Err(failure.clone()),
            _ => Ok(()),
        }
    }

    fn peer(&self, peer: PartyId) -> Result<&Peer, NetError> {
        match self.peers.get(peer.index()) {
            Some(found) if peer != self.me => Ok(found),
            _ => Err(NetError::NoSuchPeer { peer, n_parties: self.peers.len() }),
        }
    }
}

impl Peer {
    fn reply(&self, replies: Replies) {
        replies.into_iter().for_each(|reply| self.outbox.control(reply));
    }
}
