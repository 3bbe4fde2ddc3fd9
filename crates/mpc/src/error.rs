//! Why a protocol stopped.

use net::{NetError, PartyId};

use crate::step::Step;

/// Why a protocol stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The caller handed over columns that do not fit together.
    #[error("{step}: a column of {left} against one of {right}; both sides of a step have one shape")]
    Shape {
        /// Where.
        step: Step,
        /// The size expected: rows, or rows times planes.
        left: usize,
        /// The size found.
        right: usize,
    },

    /// The caller asked for numbers that do not fit in this ring.
    #[error("{step}: numbers of {needed} bits; at most {most} fit here")]
    Width {
        /// Where.
        step: Step,
        /// The bits that the numbers need.
        needed: usize,
        /// The bits that there are.
        most: usize,
    },

    /// A step's name was used twice, which would reuse its randomness.
    #[error(
        "{step}: this step ran before in this session; each message and random draw needs a name of its own"
    )]
    StepReused {
        /// Where.
        step: Step,
    },

    /// A chunk tried to open a value. Opens belong to the session that forked.
    #[error("{step}: values are opened by the session that forked, never inside a chunk")]
    OpenInChunk {
        /// Where.
        step: Step,
    },

    /// A peer left the protocol. `culprit` is known where the check identifies one.
    #[error("{step}: {} deviated ({deviation}); nothing was released", named(.culprit))]
    PeerDeviated {
        /// Where.
        step: Step,
        /// How.
        deviation: Deviation,
        /// Who, if the check can tell.
        culprit: Option<PartyId>,
    },

    /// Two holders of a share of an input hold different ones: its owner sent them different ones,
    /// or one of them says so.
    #[error("{step}: the shares that {owner} gave do not fit together; nothing was computed with them")]
    InputRefused {
        /// Where.
        step: Step,
        /// Whose input it is.
        owner: PartyId,
    },

    /// A link failed.
    #[error("{step}: {source}")]
    Link {
        /// What this party was doing.
        step: Step,
        /// What went wrong.
        source: Box<NetError>,
    },

    /// This step cannot run in this kind of session.
    #[error("{step}: {reason}")]
    Unsupported {
        /// Where.
        step: Step,
        /// Why.
        reason: &'static str,
    },
}

fn named(culprit: &Option<PartyId>) -> String {
    culprit.map_or("a peer".into(), |party| party.to_string())
}

/// How a peer left the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Deviation {
    /// A value that had to be zero is not.
    #[error("a value that must be zero is not")]
    NonZero,
    /// Two copies of one share differ.
    #[error("two copies of one share differ")]
    CopiesDiffer,
    /// Opened positions are no permutation.
    #[error("opened positions are no permutation")]
    NotAPermutation,
    /// Rows that an owner was to give in order do not come in order.
    #[error("rows that were to come in order do not")]
    OutOfOrder,
    /// A proof of products does not hold.
    #[error("a proof of products does not hold")]
    FalseProof,
    /// The parties to a proof of products saw different ones.
    #[error("the parties to a proof of products saw different ones")]
    ProofsDiffer,
    /// A party does not accept the proofs up to here.
    #[error("a party does not accept the proofs")]
    ProofRefused,
    /// Rows did not come out of a shuffle as they went in.
    #[error("rows were changed while they were shuffled")]
    RowsChanged,
    /// The parties do not take part in one session.
    #[error("the parties do not agree on the session")]
    OtherSession,
}

impl ProtocolError {
    /// Whether this is the echo of another failure, of a peer or of another fork here.
    pub(crate) fn is_echo(&self) -> bool {
        let here = |source: &NetError| matches!(source, NetError::AbortedHere { .. });
        self.is_remote_abort() || matches!(self, ProtocolError::Link { source, .. } if here(source))
    }

    /// Whether another party, not this one, stopped the session first.
    pub fn is_remote_abort(&self) -> bool {
        matches!(self, ProtocolError::Link { source, .. } if matches!(**source, NetError::Aborted { .. }))
    }
}
