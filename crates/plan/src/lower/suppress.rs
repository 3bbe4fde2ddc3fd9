//! Groups of too few entities, which do not come out.

use datafusion::logical_expr::LogicalPlan;

use super::{Lowering, Relation, typed};
use crate::around::Around;
use crate::error::PlanError;
use crate::policy::{AtLeast, Suppress};
use crate::secure::{Comparison, Op, Place};
use crate::types::Value;

impl Lowering<'_> {
    pub(super) fn suppress(&self, plan: &LogicalPlan) -> Result<Relation, PlanError> {
        let Some(Around { input, kind: Suppress { least, told } }) = Around::of(plan) else {
            return Err(PlanError::unsupported(plan.display().to_string(), "a question is one SELECT"));
        };
        let input = self.relation(input)?;
        let fields = &input.facts.fields;
        let large = least.iter().map(|AtLeast { column, entities, or_none }| {
            let field = &fields[*column];
            let compared = |how, to: u64| {
                typed::compare(
                    how,
                    typed::column(*column, field),
                    typed::literal(Value::Int(to.into()), field.ty),
                )
            };
            let enough = compared(Comparison::Ge, *entities)?;
            Ok(if *or_none { typed::or(vec![enough, compared(Comparison::Eq, 0)?]) } else { enough })
        });
        let large = large.collect::<Result<Vec<_>, PlanError>>()?;
        let predicate = typed::and(large);
        let facts = input.facts.clone();
        let op = Op::Suppress { predicate, told: *told };
        Ok(Relation { op, place: Place::Shared, facts, inputs: vec![input] })
    }
}
