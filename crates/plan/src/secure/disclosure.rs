//! What parties learn beyond what is public, as data.

use std::fmt;

use serde::Serialize;

use crate::policy::RowCount;

/// Who learns something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// All parties.
    Everyone,
    /// The party that asked.
    Asker {
        /// Its name.
        party: String,
    },
    /// Each compute party on its own.
    EachComputeParty {
        /// Their names.
        parties: Vec<String>,
    },
    /// Two compute parties that put together what they hold.
    AnyTwoComputeParties {
        /// The names of all compute parties.
        parties: Vec<String>,
    },
    /// Whoever owns a machine on which more than one compute party runs.
    OwnerOfSharedMachine,
}

/// What is learned.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Learns {
    /// The rows of the answer.
    Answer {
        /// The answer's columns.
        columns: Vec<String>,
        /// The most rows it can have.
        row_bound: u64,
    },
    /// That the question failed, and how, where the data can make it fail.
    ErrorCode {
        /// The operators that can fail, by node id and name.
        operators: Vec<String>,
    },
    /// How many groups were suppressed for being about too few.
    SuppressedGroups,
    /// That groups may have been suppressed, not how many.
    SmallGroups,
    /// A fact of the catalog that was derived from the rows.
    InferredFact {
        /// Whose rows.
        party: String,
        /// Which table.
        table: String,
        /// The fact, in words.
        fact: String,
    },
    /// A fact of the catalog that its owner declared.
    DeclaredFact {
        /// Whose table.
        party: String,
        /// Which table.
        table: String,
        /// The fact, in words.
        fact: String,
    },
    /// How many rows an owner's filter keeps.
    FilteredRows {
        /// The owner.
        party: String,
        /// Its table.
        table: String,
        /// How the number is told.
        told: RowCount,
    },
    /// How long an owner takes to run its part in clear, and whether it failed
    /// and how, without row and line.
    LocalRun {
        /// The owner.
        party: String,
        /// Its stage.
        stage: String,
    },
    /// The plan: operators, types, bounds, and message sizes that follow from them.
    PlanAndShapes,
    /// Every shared value.
    AllSharedValues,
}

/// One thing that someone learns.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Disclosure {
    /// Who learns.
    pub to: Audience,
    /// What.
    pub learns: Learns,
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Audience::Everyone => f.write_str("every party learns"),
            Audience::Asker { party } => write!(f, "{party} (asks) learns"),
            Audience::EachComputeParty { parties } => {
                write!(f, "each of {} (compute) learns", parties.join(", "))
            }
            Audience::AnyTwoComputeParties { parties } => {
                write!(f, "any two of {} together can learn", parties.join(", "))
            }
            Audience::OwnerOfSharedMachine => {
                f.write_str("the owner of a machine that runs two of them can learn")
            }
        }
    }
}

impl fmt::Display for Learns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Learns::Answer { columns, row_bound } => {
                write!(f, "the answer: columns {}, at most {row_bound} rows", columns.join(", "))
            }
            Learns::ErrorCode { operators } => {
                write!(
                    f,
                    "whether the question failed and how, with no value then (can fail: {})",
                    operators.join(", ")
                )
            }
            Learns::SuppressedGroups => {
                f.write_str("how many groups were suppressed for being about too few; not which")
            }
            Learns::SmallGroups => f.write_str(
                "that groups about too few may be missing; how many is not told, since the question chooses their rows",
            ),
            Learns::InferredFact { party, table, fact } => {
                write!(f, "{party}.{table}: {fact} (inferred from its rows)")
            }
            Learns::DeclaredFact { party, table, fact } => write!(f, "{party}.{table}: {fact} (declared)"),
            Learns::FilteredRows { party, table, told } => {
                write!(f, "{party}.{table}: the number of rows after its filter, {told}")
            }
            Learns::LocalRun { party, stage } => {
                write!(f, "how long {party} takes for its part in clear and whether it failed: {stage}")
            }
            Learns::PlanAndShapes => {
                f.write_str("the plan and message sizes, which follow from it; nothing about any row")
            }
            Learns::AllSharedValues => {
                f.write_str("every shared value: all that the owners shared and all in between")
            }
        }
    }
}

impl fmt::Display for Disclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to, self.learns)
    }
}
