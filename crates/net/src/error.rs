//! Why a message did not come, and who has to act.

use crate::frame::Garbage;
use crate::{PartyId, Tag};

/// Why the mesh stopped. Names the peer, the message and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// The connection closed, and the peer had not said goodbye.
    #[error(
        "{peer} vanished: its connection closed in the middle of the session; see its log, then run again"
    )]
    Vanished {
        /// Who.
        peer: PartyId,
    },

    /// Nothing came from the peer, heartbeats included.
    #[error("{peer} is silent since {silent_ms} ms; check the peer and the network between, then run again")]
    Stalled {
        /// Who.
        peer: PartyId,
        /// For how long nothing was heard.
        silent_ms: u64,
    },

    /// The peer is alive but did not send the message in time.
    #[error(
        "{tag}: {peer} is alive but did not send this in {waited_ms} ms; see what it works on, or wait longer"
    )]
    TimedOut {
        /// Who should have sent.
        peer: PartyId,
        /// What.
        tag: Tag,
        /// How long it was waited for.
        waited_ms: u64,
    },

    /// The peer ended the session.
    #[error("{peer} aborted the session: {reason}")]
    Aborted {
        /// Who.
        peer: PartyId,
        /// The check that failed there, in its words.
        reason: String,
    },

    /// This party ended the session itself.
    #[error("this party aborted the session: {reason}")]
    AbortedHere {
        /// The reason given.
        reason: String,
    },

    /// This party has said goodbye and cannot send any more.
    #[error("{tag}: sent to {peer} after this party left the session, which is a bug here")]
    Finished {
        /// To whom.
        peer: PartyId,
        /// What.
        tag: Tag,
    },

    /// The peer said goodbye although this message was still to come or to go.
    #[error("{tag}: {peer} left the session before this message; do both run the same version and plan?")]
    Left {
        /// Who.
        peer: PartyId,
        /// Which message.
        tag: Tag,
    },

    /// The peer sent bytes that are no frame.
    #[error("{peer} sent garbage: {what}; do not trust it before its software is checked")]
    Garbage {
        /// Who.
        peer: PartyId,
        /// What was wrong.
        what: Garbage,
    },

    /// The peer used a tag twice.
    #[error("{tag}: {peer} sent this twice; do not trust it before its software is checked")]
    Twice {
        /// Who.
        peer: PartyId,
        /// The tag.
        tag: Tag,
    },

    /// The peer announced another length than the plan gives.
    #[error(
        "{tag}: {peer} announced {announced} bytes instead of {expected}; do both run the same version and plan?"
    )]
    WrongLength {
        /// Who.
        peer: PartyId,
        /// Which message.
        tag: Tag,
        /// The length that this party computed.
        expected: usize,
        /// The length in the frame.
        announced: u64,
    },

    /// The peer sent more than this party allows.
    #[error("{peer} exceeded {what} of {limit}; do both run the same version and plan?")]
    TooMuch {
        /// Who.
        peer: PartyId,
        /// Which limit.
        what: &'static str,
        /// The limit.
        limit: u64,
    },

    /// The peer holds another value than this party where they must agree.
    #[error("{peer} disagrees on the {label}; compare the {label} on both sides")]
    Disagree {
        /// Who.
        peer: PartyId,
        /// On what.
        label: String,
    },

    /// The caller asked for a message that it has already taken, or in two ways at once.
    #[error("{tag}: received twice from {peer} by this party; a step is used twice, which is a bug here")]
    Reclaimed {
        /// From whom.
        peer: PartyId,
        /// Which message.
        tag: Tag,
    },

    /// The caller named a party that is no peer in this session.
    #[error("{peer} is no peer of this party in a session of {n_parties}")]
    NoSuchPeer {
        /// The party named.
        peer: PartyId,
        /// How many there are.
        n_parties: usize,
    },

    /// No connection came about before the deadline.
    #[error(
        "{peer} ({name} at {addr}) could not be reached: {cause}; is it running, and does the address fit?"
    )]
    Unreachable {
        /// Who.
        peer: PartyId,
        /// Its name.
        name: String,
        /// Where it should be.
        addr: String,
        /// What the last attempt met.
        cause: String,
    },

    /// The other end does not hold the pinned key, or refuses this party's.
    #[error("{peer} ({name}) failed authentication: {cause}; exchange the public keys again")]
    NotAuthentic {
        /// Who should have answered.
        peer: PartyId,
        /// Its name.
        name: String,
        /// What the handshake met.
        cause: String,
    },

    /// The peer is authentic but came with another version, session or list of parties.
    #[error("{peer} ({name}) does not fit: {what} is {theirs} there and {ours} here")]
    Misfit {
        /// Who.
        peer: PartyId,
        /// Its name.
        name: String,
        /// What differs.
        what: &'static str,
        /// This party's value.
        ours: String,
        /// The peer's value.
        theirs: String,
    },

    /// This party's own listener, key or configuration does not work.
    #[error("this party cannot take part: {cause}")]
    Local {
        /// What failed.
        cause: String,
    },
}

/// `text` with the parties' names where it says `party 0` and so on.
///
/// Errors carry a party's place in the list; whoever knows the names puts them in
/// before a person reads the message.
///
/// ```
/// let names = ["bank".to_owned(), "telecom".to_owned()];
/// assert_eq!(net::with_names("party 1 vanished, not party 12", &names), "telecom vanished, not party 12");
/// ```
pub fn with_names(text: &str, names: &[String]) -> String {
    let mut parts = text.split("party ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let n_digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let name = part[..n_digits].parse().ok().and_then(|index: usize| names.get(index));
        match name {
            Some(name) => out.extend([name, &part[n_digits..]]),
            None => out.extend(["party ", part]),
        }
    }
    out
}

/// Who has to act on an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The peer deviated from the protocol.
    Peer(PartyId),
    /// The network or the peer's machine failed; nothing is said about honesty.
    Link(PartyId),
    /// The parties were set up differently.
    Setup(PartyId),
    /// This party's own caller or configuration.
    Here,
}

impl NetError {
    /// The peer that the error names.
    pub fn peer(&self) -> Option<PartyId> {
        match self.blame() {
            Blame::Peer(peer) | Blame::Link(peer) | Blame::Setup(peer) => Some(peer),
            Blame::Here => match self {
                NetError::Reclaimed { peer, .. }
                | NetError::Finished { peer, .. }
                | NetError::NoSuchPeer { peer, .. } => Some(*peer),
                _ => None,
            },
        }
    }

    /// Who has to act.
    pub fn blame(&self) -> Blame {
        match self {
            NetError::Garbage { peer, .. }
            | NetError::Twice { peer, .. }
            | NetError::WrongLength { peer, .. }
            | NetError::TooMuch { peer, .. }
            | NetError::Aborted { peer, .. } => Blame::Peer(*peer),
            NetError::Vanished { peer }
            | NetError::Stalled { peer, .. }
            | NetError::TimedOut { peer, .. }
            | NetError::Left { peer, .. }
            | NetError::Unreachable { peer, .. } => Blame::Link(*peer),
            NetError::Disagree { peer, .. }
            | NetError::NotAuthentic { peer, .. }
            | NetError::Misfit { peer, .. } => Blame::Setup(*peer),
            NetError::AbortedHere { .. }
            | NetError::Reclaimed { .. }
            | NetError::Finished { .. }
            | NetError::NoSuchPeer { .. }
            | NetError::Local { .. } => Blame::Here,
        }
    }

    /// Whether messages that arrived before the failure may still be used: true
    /// where a link failed, false where somebody deviated or stopped the session.
    pub(crate) fn leaves_messages_usable(&self) -> bool {
        matches!(self.blame(), Blame::Link(_))
    }
}
