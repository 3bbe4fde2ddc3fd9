//! What every transport offers: parties, tags, messages, and the [`Mesh`] trait.

use std::fmt;
use std::time::Duration;

use buf::{Buf, Bytes};

use crate::NetError;

/// A session has at most this many parties.
pub const MAX_PARTIES: usize = 16;

/// A party's place in the session's ordered list of parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId(u8);

/// An index that names no party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("party {0} does not exist: a session has parties 0 to {max}", max = MAX_PARTIES - 1)]
pub struct NoSuchParty(pub usize);

impl PartyId {
    /// The first party of the list.
    pub const FIRST: PartyId = PartyId(0);

    /// The party at `index`, for indices that the code itself counted.
    ///
    /// # Panics
    /// If `index` is 16 or more; indices from outside go through `try_from`.
    pub const fn from_index(index: usize) -> Self {
        assert!(index < MAX_PARTIES, "a session has at most 16 parties");
        PartyId(index as u8)
    }

    /// The place in the list.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// All parties of a session of `n_parties`, in order.
    pub fn all(n_parties: usize) -> impl DoubleEndedIterator<Item = PartyId> + ExactSizeIterator {
        (0..n_parties).map(PartyId::from_index)
    }
}

impl TryFrom<usize> for PartyId {
    type Error = NoSuchParty;

    fn try_from(index: usize) -> Result<Self, NoSuchParty> {
        if index < MAX_PARTIES { Ok(PartyId::from_index(index)) } else { Err(NoSuchParty(index)) }
    }
}

impl fmt::Display for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "party {}", self.0)
    }
}

/// The name of one message between one ordered pair of parties. Used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// The digest of the step's path.
    pub step: u128,
    /// Which part of the step's column.
    pub chunk: u32,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {:032x} chunk {}", self.step, self.chunk)
    }
}

/// A message that has arrived.
#[derive(Debug)]
pub struct Received {
    /// What the peer sent.
    pub payload: Buf,
    /// The peer's Lamport clock when it sent.
    pub depth: u32,
}

/// What travelled so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// By party; one's own entry stays zero.
    pub peers: Vec<PeerTraffic>,
}

/// What travelled between this party and one peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerTraffic {
    /// Bytes of messages handed to `send`.
    pub payload_bytes_sent: u64,
    /// Messages handed to `send`.
    pub messages_sent: u64,
    /// Frames put on the wire, of every kind; heartbeats make this depend on time.
    pub frames_sent: u64,
    /// Bytes of messages that arrived.
    pub payload_bytes_received: u64,
    /// Messages that arrived.
    pub messages_received: u64,
    /// Frames that arrived, of every kind.
    pub frames_received: u64,
}

impl Traffic {
    /// Bytes of messages sent to all peers.
    pub fn payload_bytes_sent(&self) -> u64 {
        self.peers.iter().map(|peer| peer.payload_bytes_sent).sum()
    }

    /// Bytes of messages that arrived from all peers.
    pub fn payload_bytes_received(&self) -> u64 {
        self.peers.iter().map(|peer| peer.payload_bytes_received).sum()
    }

    /// Messages sent to all peers.
    pub fn messages_sent(&self) -> u64 {
        self.peers.iter().map(|peer| peer.messages_sent).sum()
    }
}

/// A receive that is blocked right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Who has not sent yet.
    pub from: PartyId,
    /// What it has not sent.
    pub tag: Tag,
}

/// How much may be under way. Each party states its own limits; its peers keep to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message that may arrive before anybody asked for it.
    pub initial_credit: usize,
    /// Bytes of all messages of one peer that nobody asked for yet.
    pub window_bytes: usize,
    /// Messages of one peer that nobody asked for yet.
    pub window_messages: usize,
    /// How long one receive waits on a peer that is alive; `None` waits as long as it lives.
    pub patience: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { initial_credit: 1 << 20, window_bytes: 1 << 26, window_messages: 8192, patience: None }
    }
}

impl Limits {
    /// The same limits with windows wide enough to be live: a sender that is held
    /// back must imply a receiver that notices (see `inbox`).
    pub(crate) fn live(mut self) -> Self {
        self.initial_credit = self.initial_credit.max(64);
        self.window_bytes = self.window_bytes.max(4 * self.initial_credit);
        self.window_messages = self.window_messages.max(64);
        self
    }
}

/// Messages between the parties of one session.
///
/// All methods may be called from many threads at once.
pub trait Mesh: Send + Sync {
    /// Which party this is.
    fn me(&self) -> PartyId;

    /// How many parties the session has.
    fn n_parties(&self) -> usize;

    /// Hands `payload` to the link. Never waits for the peer.
    ///
    /// `depth` is the sender's Lamport clock; it arrives beside the payload.
    ///
    /// # Errors
    /// The failure that ended the session, if one did.
    fn send(&self, to: PartyId, tag: Tag, depth: u32, payload: Bytes) -> Result<(), NetError>;

    /// Waits for the message `tag` of `from`, which has exactly `n_bytes`.
    ///
    /// # Errors
    /// What the peer did wrong, or the failure that ended the session.
    fn recv(&self, from: PartyId, tag: Tag, n_bytes: usize) -> Result<Received, NetError>;

    /// The same without waiting. The receive stays posted, so the message comes.
    ///
    /// # Errors
    /// As [`Mesh::recv`].
    fn try_recv(&self, from: PartyId, tag: Tag, n_bytes: usize) -> Result<Option<Received>, NetError>;

    /// Waits for a message whose length only its sender knows, up to `max_bytes`.
    ///
    /// # Errors
    /// As [`Mesh::recv`]; a longer message is `TooMuch`.
    fn recv_document(&self, from: PartyId, tag: Tag, max_bytes: usize) -> Result<Received, NetError>;

    /// Ends the session for everybody. The reason reaches all peers: it names the
    /// check that failed, never a value.
    fn abort(&self, reason: &str);

    /// What travelled so far.
    fn traffic(&self) -> Traffic;

    /// Leaves in order: everything sent goes out, then the peers hear goodbye.
    ///
    /// A mesh that is dropped without this looks to its peers like a crash.
    ///
    /// # Errors
    /// The failure that ended the session, if one did.
    fn finish(&self) -> Result<(), NetError>;

    /// The receives that are blocked right now.
    fn waits(&self) -> Vec<Wait> {
        Vec::new()
    }
}

impl<M: Mesh + ?Sized> Mesh for std::sync::Arc<M> {
    fn me(&self) -> PartyId {
        (**self).me()
    }
    fn n_parties(&self) -> usize {
        (**self).n_parties()
    }
    fn send(&self, to: PartyId, tag: Tag, depth: u32, payload: Bytes) -> Result<(), NetError> {
        (**self).send(to, tag, depth, payload)
    }
    fn recv(&self, from: PartyId, tag: Tag, n_bytes: usize) -> Result<Received, NetError> {
        (**self).recv(from, tag, n_bytes)
    }
    fn try_recv(&self, from: PartyId, tag: Tag, n_bytes: usize) -> Result<Option<Received>, NetError> {
        (**self).try_recv(from, tag, n_bytes)
    }
    fn recv_document(&self, from: PartyId, tag: Tag, max_bytes: usize) -> Result<Received, NetError> {
        (**self).recv_document(from, tag, max_bytes)
    }
    fn abort(&self, reason: &str) {
        (**self).abort(reason);
    }
    fn traffic(&self) -> Traffic {
        (**self).traffic()
    }
    fn finish(&self) -> Result<(), NetError> {
        (**self).finish()
    }
    fn waits(&self) -> Vec<Wait> {
        (**self).waits()
    }
}
