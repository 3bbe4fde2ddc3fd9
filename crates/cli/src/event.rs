//! What a party that `junto sql` or `junto demo` started tells its parent: one
//! JSON document per line of its standard output, after its public half.

use serde::{Deserialize, Serialize};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// What it works on now.
    Phase(String),
    /// How far the computation is, in payload bytes sent by this party.
    Progress {
        /// Sent so far.
        sent: u64,
        /// What it will have sent, as the plan predicts.
        expected: u64,
    },
    /// Some of what a compute party received, as it came off the wire's TLS.
    Seen {
        /// From whom.
        from: String,
        /// The first bytes of a message, in hexadecimal digits.
        bytes: String,
    },
    /// The plan, as text.
    Plan(String),
    /// The answer, in the form that was asked for.
    Answer(String),
    /// Why it stopped.
    Failed(Failure),
}

/// How near to the cause of a failure a party was. Less is nearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nearness {
    /// Its own files, question or rows.
    Own,
    /// What a peer did.
    Peer,
    /// A link or peer that went silent.
    Link,
    /// Another party stopped the session and said so.
    Told,
}

/// Why a party stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// One sentence for people.
    pub message: String,
    /// How near it was to the cause.
    pub nearness: Nearness,
}

/// What stands between a party's name and its reason.
const ABORTED: &str = " aborted the session: ";

impl Failure {
    /// A failure of this party's own.
    pub fn own(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), nearness: Nearness::Own }
    }

    /// What the network said, with the parties' names.
    pub fn net(error: &net::NetError, names: &[String]) -> Failure {
        use net::{Blame, NetError};
        let nearness = match (error, error.blame()) {
            (NetError::Aborted { .. }, _) => Nearness::Told,
            (_, Blame::Link(_)) => Nearness::Link,
            (_, Blame::Peer(_) | Blame::Setup(_)) => Nearness::Peer,
            (_, Blame::Here) => Nearness::Own,
        };
        let message = match error {
            // A party that stopped because of another passes on what that one said.
            NetError::Aborted { reason, .. } if reason.contains(ABORTED) => reason.clone(),
            _ => net::with_names(&error.to_string(), names),
        };
        Failure { message, nearness }
    }
}

impl From<Failure> for String {
    fn from(failure: Failure) -> String {
        failure.message
    }
}
