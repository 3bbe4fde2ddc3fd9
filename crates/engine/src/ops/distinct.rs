//! DISTINCT.

use plan::secure::Node;

use super::aggregate;
use crate::context::{Context, Result};
use crate::relation::Relation;

/// Keeps one of several equal rows; NULL equals NULL.
///
/// - **SQL:** `SELECT DISTINCT * FROM input`
/// - **In:** `n` rows. **Out:** as many, or the node's bound if that is less.
/// - **Reveals:** nothing.
/// - **Cost:** a sort by all columns and one equality per row.
pub(crate) fn run(cx: &mut Context, node: &Node, input: Relation) -> Result<Relation> {
    let all: Vec<usize> = (0..input.columns.len()).collect();
    aggregate::run(cx, node, &all, &[], input)
}
