//! Groups of too few entities, which do not come out.

use datafusion::logical_expr::Extension;

use super::{Lowering, Relation, typed};
use crate::error::PlanError;
use crate::policy::Suppress;
use crate::secure::{Comparison, Op, Place};
use crate::types::Value;

impl Lowering<'_> {
    pub(super) fn suppress(&self, extension: &Extension) -> Result<Relation, PlanError> {
        let Some(Suppress { input, least }) = extension.node.as_any().downcast_ref::<Suppress>() else {
            return Err(PlanError::unsupported(extension.node.name(), "a question is one SELECT"));
        };
        let input = self.relation(input)?;
        let fields = &input.facts.fields;
        let large = least.iter().map(|(column, at_least)| {
            let number = typed::literal(Value::Int((*at_least).into()), fields[*column].ty);
            typed::compare(Comparison::Ge, typed::column(*column, &fields[*column]), number)
        });
        let large = large.collect::<Result<Vec<_>, _>>()?;
        let predicate = typed::and(large);
        let facts = input.facts.clone();
        Ok(Relation { op: Op::Suppress { predicate }, place: Place::Shared, facts, inputs: vec![input] })
    }
}
