//! Why a question has no answer, and the secret bits that say so on shares.
//!
//! What can fail for what the data holds becomes one secret bit per kind of
//! failure and operator: set if any valid row failed. All of them are opened to
//! the asker at once, before any value, and if one is set every value that
//! follows is zero.

use std::error::Error;
use std::fmt;

use mpc::{ProtocolError, SharedBits};

/// How the data can make a question fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// A number left its type.
    Overflow,
    /// A divisor was zero.
    DivisionByZero,
    /// A key that had to be unique was not.
    DuplicateKey,
    /// A function was given what it is not defined for.
    OutOfDomain,
    /// There were more rows than a public bound allows.
    BoundExceeded,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FailureKind::Overflow => "a number overflows its type",
            FailureKind::DivisionByZero => "division by zero",
            FailureKind::DuplicateKey => "a duplicate key on the unique side of a join",
            FailureKind::OutOfDomain => {
                "a function is not defined for its argument, such as text that is not ASCII"
            }
            FailureKind::BoundExceeded => "more rows than the bound",
        })
    }
}

/// One way in which the data made a question fail.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// How.
    pub kind: FailureKind,
    /// The plan node's number.
    pub node: usize,
    /// The operator's name.
    pub operator: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {} (node {})", self.kind, self.operator, self.node)
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The data made the question fail; no value was opened. Known to the asker alone.
    #[error("the question has no answer: {}", all(.failures))]
    Failed {
        /// All that failed, by node.
        failures: Vec<Failure>,
    },

    /// A protocol step stopped.
    #[error("{operator} (node {node}): {source}")]
    Protocol {
        /// The plan node's number.
        node: usize,
        /// The operator's name.
        operator: String,
        /// What went wrong.
        source: ProtocolError,
    },

    /// This party's own stage failed in clear. Stays with the owner of the data.
    #[error("{stage}: {source}")]
    Local {
        /// What the stage does.
        stage: String,
        /// What went wrong.
        source: Box<dyn Error + Send + Sync>,
    },

    /// This party's own rows are not what the catalog says. Stays with the owner of the data.
    #[error("{stage}: {reason}")]
    Data {
        /// The stage whose rows they are.
        stage: String,
        /// What they break.
        reason: String,
    },

    /// A number needs more bits than shares have.
    #[error("{operator} (node {node}): a value needs {bits} bits, more than the 127 that shares hold")]
    TooWide {
        /// The plan node's number.
        node: usize,
        /// The operator's name.
        operator: String,
        /// Bits needed.
        bits: u32,
    },

    /// The session holds against others than the plan says.
    #[error("the plan is for {plan} security, and the session gives {session}")]
    Security {
        /// What the plan asks for.
        plan: &'static str,
        /// What the session gives.
        session: &'static str,
    },

    /// The plan asks for what the engine does not run.
    #[error("{operator} (node {node}): {reason}")]
    Plan {
        /// The plan node's number.
        node: usize,
        /// The operator's name.
        operator: String,
        /// What is wrong.
        reason: String,
    },
}

fn all(failures: &[Failure]) -> String {
    failures.iter().map(Failure::to_string).collect::<Vec<_>>().join("; ")
}

/// The error bits of a run so far.
#[derive(Default)]
pub(crate) struct Failures {
    codes: Vec<(Failure, SharedBits)>,
    suppressed: Vec<SharedBits>,
}

impl Failures {
    /// Adds one plane of rows that failed, already masked by the rows' validity.
    pub(crate) fn push(&mut self, failure: Failure, rows: SharedBits) {
        self.codes.push((failure, rows));
    }

    /// Adds one plane of groups that were suppressed: no failures, but opened at the same place.
    pub(crate) fn suppress(&mut self, rows: SharedBits) {
        self.suppressed.push(rows);
    }

    /// All suppressed groups, as the rows of one plane; `None` if nothing in the plan suppresses.
    pub(crate) fn suppressed(&self) -> Option<SharedBits> {
        let all = self.suppressed.iter().collect::<Vec<_>>();
        (!all.is_empty()).then(|| SharedBits::concat(&all))
    }

    /// Everything reported. Bits of one failure come one after the other, as
    /// the rows of one plane.
    pub(crate) fn into_codes(self) -> Vec<(Failure, SharedBits)> {
        let mut merged: Vec<(Failure, Vec<SharedBits>)> = Vec::new();
        for (failure, rows) in self.codes {
            match merged.iter_mut().find(|(known, _)| *known == failure) {
                Some((_, all)) => all.push(rows),
                None => merged.push((failure, vec![rows])),
            }
        }
        let concat = |rows: Vec<SharedBits>| SharedBits::concat(&rows.iter().collect::<Vec<_>>());
        merged.into_iter().map(|(failure, rows)| (failure, concat(rows))).collect()
    }
}
