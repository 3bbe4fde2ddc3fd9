//! Why a question has no plan: each refusal names the construct and its place.

use std::fmt;

/// A place in the SQL text, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

/// Where in the text, if that is known; prints as ` at line L, column C`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct At(pub Option<Place>);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(Place { line, column }) => write!(f, " at line {line}, column {column}"),
            None => Ok(()),
        }
    }
}

/// The nearest known name, if one is near; prints as `; did you mean X?`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nearest(pub Option<String>);

impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(name) => write!(f, "; did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}

/// A use of a table that its owner's policy forbids.
#[derive(Debug, thiserror::Error)]
#[error(
    "{owner} forbids this question{at}: {what} in {operator}: {reason}; the smallest grant that would allow it, in \
     {owner}'s catalog.toml: {grant}"
)]
pub struct Forbidden {
    /// Whose policy.
    pub owner: String,
    /// The column, or the table.
    pub what: String,
    /// Where it is used.
    pub operator: String,
    /// Why that is not allowed.
    pub reason: String,
    /// The smallest grant that would allow it, as it stands in `catalog.toml`.
    pub grant: String,
    /// Where.
    pub at: At,
}

/// Why a question has no plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The text is not SQL.
    #[error("syntax error{at}: {reason}")]
    Syntax {
        /// What the parser expected or found.
        reason: String,
        /// Where.
        at: At,
    },

    /// SQL that Junto does not run.
    #[error("{construct} is not supported{at}{}", because(.reason))]
    Unsupported {
        /// The construct, as a reader of SQL names it.
        construct: String,
        /// Why, or what to write instead; may be empty.
        reason: String,
        /// Where.
        at: At,
    },

    /// No party has this table.
    #[error("unknown table `{name}`{at}{nearest}")]
    UnknownTable {
        /// The name as written.
        name: String,
        /// Where.
        at: At,
        /// A table of nearly this name.
        nearest: Nearest,
    },

    /// No table in scope has this column.
    #[error("unknown column `{name}`{at}{nearest}")]
    UnknownColumn {
        /// The name as written.
        name: String,
        /// Where.
        at: At,
        /// A column of nearly this name.
        nearest: Nearest,
    },

    /// More than one table in scope has this column.
    #[error("column `{name}` is ambiguous{at}; write it as one of {}", .candidates.join(", "))]
    AmbiguousColumn {
        /// The name as written.
        name: String,
        /// Where.
        at: At,
        /// The qualified names it could stand for.
        candidates: Vec<String>,
    },

    /// A join of which neither side is known to be unique, and whose keys may repeat too often.
    #[error(
        "the join on {on} is many-to-many{at}, with up to {pairs} pairs of rows of {limit} possible: declare in \
         catalog.toml a unique key for {left} or for {right}, or `matches_per_key`, which says how often a key \
         repeats at most; or group one side by the key"
    )]
    ManyToMany {
        /// The join condition.
        on: String,
        /// The left keys.
        left: String,
        /// The right keys.
        right: String,
        /// How many pairs the public facts allow.
        pairs: u64,
        /// How many pairs there may be.
        limit: u64,
        /// Where.
        at: At,
    },

    /// A relation that could grow beyond what the engine holds.
    #[error("{operator} can have {rows} rows, more than the {limit} that a shared relation may have")]
    BoundTooLarge {
        /// The operator.
        operator: String,
        /// Its row bound.
        rows: u128,
        /// The most rows.
        limit: u64,
    },

    /// A number that needs more bits than shares have.
    #[error(
        "{expression} can need more than 127 bits; declare narrower ranges in catalog.toml or cast its parts"
    )]
    TooWide {
        /// The expression.
        expression: String,
    },

    /// The types of an expression do not fit.
    #[error("{reason}{at}")]
    Types {
        /// What does not fit.
        reason: String,
        /// Where.
        at: At,
    },

    /// A constant expression that fails whatever the data.
    #[error("{reason}")]
    Constant {
        /// What fails.
        reason: String,
    },

    /// A session that cannot be: parties or roles that contradict one another.
    #[error("{reason}")]
    Parties {
        /// What contradicts.
        reason: String,
    },

    /// A use of a table that its owner's policy forbids.
    #[error(transparent)]
    Forbidden(Box<Forbidden>),

    /// A catalog that contradicts itself.
    #[error("{file}{at}: {reason}")]
    Catalog {
        /// The document.
        file: String,
        /// What is wrong.
        reason: String,
        /// Where.
        at: At,
    },

    /// DataFusion found no plan for another reason.
    #[error("{reason}")]
    Planner {
        /// Its words.
        reason: String,
    },
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

impl From<Forbidden> for PlanError {
    fn from(forbidden: Forbidden) -> PlanError {
        PlanError::Forbidden(Box::new(forbidden))
    }
}

impl PlanError {
    /// An unsupported construct at a known or unknown place.
    pub(crate) fn unsupported(construct: impl Into<String>, reason: impl Into<String>) -> PlanError {
        PlanError::Unsupported { construct: construct.into(), reason: reason.into(), at: At(None) }
    }

    /// The same error, placed, unless it has a place already.
    pub(crate) fn placed(mut self, place: Option<Place>) -> PlanError {
        match &mut self {
            PlanError::Syntax { at, .. }
            | PlanError::Unsupported { at, .. }
            | PlanError::UnknownTable { at, .. }
            | PlanError::UnknownColumn { at, .. }
            | PlanError::AmbiguousColumn { at, .. }
            | PlanError::ManyToMany { at, .. }
            | PlanError::Types { at, .. }
            | PlanError::Catalog { at, .. } => {
                if at.0.is_none() {
                    at.0 = place;
                }
            }
            PlanError::Forbidden(_)
            | PlanError::BoundTooLarge { .. }
            | PlanError::TooWide { .. }
            | PlanError::Constant { .. }
            | PlanError::Parties { .. }
            | PlanError::Planner { .. } => {}
        }
        self
    }

    /// The same error with one more thing to do about it, where it is about types.
    pub(crate) fn with_hint(mut self, hint: &str) -> PlanError {
        if let PlanError::Unsupported { reason, .. } | PlanError::Types { reason, .. } = &mut self {
            let join = if reason.is_empty() { "" } else { "; " };
            *reason = format!("{reason}{join}{hint}");
        }
        self
    }
}
