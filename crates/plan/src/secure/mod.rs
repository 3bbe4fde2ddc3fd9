//! The secure plan: what runs where, on what types, revealing what.
//!
//! `engine` runs it; nothing in it depends on the rows.

mod disclosure;
mod expr;
mod node;
mod security;
mod show;
mod told;
mod window;

pub use disclosure::{Audience, Disclosure, Learns};
pub use expr::{Arith, Comparison, Expr, ExprKind, Numeric, Overflow, Rounding, TextFunc, Writing};
pub use node::{
    Agg, AggFunc, Field, Join, JoinKind, LocalStage, Matching, Needs, Node, NullKeys, Op, Place, Side,
    SortKey, UniqueKey, Uniqueness,
};
pub use security::Security;
pub use window::{BitFunc, Frame, FrameEdge, WindowCall, WindowFunc};

use crate::policy::Permission;
use crate::types::Type;

/// A column of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputColumn {
    /// Its name, as the question gives it.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether it can be NULL.
    pub nullable: bool,
}

/// A question, planned: the same at every party that planned it from the same
/// text, catalog, asker, compute parties and security.
#[derive(Clone, Debug)]
pub struct SecurePlan {
    /// The question as asked.
    pub sql: String,
    /// The parties' names, in the session's order.
    pub parties: Vec<String>,
    /// The index of the party that learns the answer.
    pub asker: usize,
    /// The indices of the parties that compute.
    pub compute: Vec<usize>,
    /// Against whom the run has to hold.
    pub security: Security,
    /// The last operator; its columns are the answer's.
    pub root: Node,
    /// The answer's columns; one for each column of the root.
    pub output: Vec<OutputColumn>,
    /// Whether the answer's order matters: the question ends in ORDER BY.
    pub ordered: bool,
    /// What each party learns.
    pub disclosures: Vec<Disclosure>,
    /// What the owners' policies say of it: which of their words permitted each use.
    pub permissions: Vec<Permission>,
    pub(crate) digest: [u8; 32],
}

impl SecurePlan {
    /// The hash of the question, the catalog and the plan, which every party
    /// computes for itself and compares before it shares anything.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Whether the asker learns how many groups were suppressed; `None` where nothing suppresses.
    /// One number that may not be told hides all of them.
    pub fn tells_suppressed(&self) -> Option<bool> {
        let told = self.root.nodes().into_iter().filter_map(|node| match node.op {
            Op::Suppress { told, .. } => Some(told),
            _ => None,
        });
        told.reduce(|one, other| one && other)
    }

    /// The local stages, in the order of their nodes' ids.
    pub fn local_stages(&self) -> Vec<(&Node, &LocalStage)> {
        let mut stages = Vec::new();
        self.root.visit(&mut |node| {
            if let Op::LocalStage(stage) = &node.op {
                stages.push((node, stage.as_ref()));
            }
        });
        stages
    }
}
