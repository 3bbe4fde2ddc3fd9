//! Nodes of our own in DataFusion's plans: each stands around one input and keeps its columns.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, DataFusionError, Result};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

/// What a node does with its input's rows.
pub(crate) trait Kind: Clone + fmt::Debug + Eq + Hash + PartialOrd + Send + Sync + 'static {
    const NAME: &'static str;
}

/// A node of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd)]
pub(crate) struct Around<K> {
    pub(crate) kind: K,
    pub(crate) input: LogicalPlan,
}

impl<K: Kind> Around<K> {
    pub(crate) fn node(kind: K, input: LogicalPlan) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(Around { kind, input }) })
    }

    /// The node, if it is of this kind.
    pub(crate) fn of(plan: &LogicalPlan) -> Option<&Around<K>> {
        let LogicalPlan::Extension(extension) = plan else { return None };
        extension.node.as_any().downcast_ref()
    }
}

impl<K: Kind> UserDefinedLogicalNodeCore for Around<K> {
    fn name(&self) -> &str {
        K::NAME
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = inputs.pop().filter(|_| inputs.is_empty());
        let input = input.ok_or_else(|| DataFusionError::Internal(format!("{} takes one input", K::NAME)))?;
        Ok(Around { input, kind: self.kind.clone() })
    }
}
