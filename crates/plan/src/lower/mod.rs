//! DataFusion's plan to a secure plan: places, typed operators, bounds.

mod aggregate;
mod calendar;
mod calls;
mod dependent;
mod existence;
mod facts;
mod failures;
mod float;
mod frames;
mod functions;
mod gather;
mod grouping;
mod inexact;
mod join;
mod local;
mod measure;
mod nearby;
mod needs;
mod numeric;
mod operators;
mod order;
mod over;
mod partial;
mod push;
mod scalar;
mod suppress;
mod textual;
mod told;
mod typed;
mod uncast;
mod window;

use datafusion::logical_expr::LogicalPlan;

pub(crate) use self::grouping::grouping;

use self::facts::Facts;
use crate::around::Around;
use crate::catalog::PublicCatalog;
use crate::copies::Whole;
use crate::error::PlanError;
use crate::locate::Locator;
use crate::secure::{Node, Op, Place};

/// Translates one plan.
pub(crate) struct Lowering<'a> {
    pub(crate) catalog: &'a PublicCatalog,
    pub(crate) locator: &'a Locator,
    /// Whether doubles that their owners compute come as numbers that shares compute with, cut at
    /// 2^-52. Otherwise they keep their bits, and can be compared, grouped and sorted.
    pub(crate) cut_doubles: bool,
}

/// A node whose number and needs are not known yet.
struct Relation {
    op: Op,
    place: Place,
    facts: Facts,
    inputs: Vec<Relation>,
}

/// Whose data a plan reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    Nobody,
    Party(usize),
    Several,
}

impl Lowering<'_> {
    /// The secure plan's nodes, numbered, with the needs of each column.
    pub(crate) fn lower(&self, plan: &LogicalPlan) -> Result<Node, PlanError> {
        let relation = self.relation(plan)?;
        let mut root = number(relation, &mut 0);
        needs::assign(&mut root);
        Ok(root)
    }

    fn relation(&self, plan: &LogicalPlan) -> Result<Relation, PlanError> {
        match self.home(plan)? {
            Home::Party(party) => self.local_stage(plan, party),
            Home::Nobody | Home::Several => self.operator(plan),
        }
    }

    fn operator(&self, plan: &LogicalPlan) -> Result<Relation, PlanError> {
        match plan {
            LogicalPlan::Projection(projection) => self.projection(projection),
            LogicalPlan::Filter(filter) => self.filter(filter),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Sort(sort) => self.sort(sort),
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::Limit(limit) => self.limit(limit),
            LogicalPlan::Distinct(distinct) => self.distinct(distinct),
            LogicalPlan::SubqueryAlias(alias) => self.relation(&alias.input),
            LogicalPlan::EmptyRelation(empty) => self.empty(empty),
            LogicalPlan::Values(values) => self.values(values),
            LogicalPlan::Window(window) => self.window(window),
            LogicalPlan::Extension(_) => match Around::<Whole>::of(plan) {
                Some(whole) => self.relation(&whole.input),
                None => self.suppress(plan),
            },
            LogicalPlan::RecursiveQuery(_) => Err(self.refuse("WITH RECURSIVE", "RECURSIVE")),
            LogicalPlan::Unnest(_) => Err(self.refuse("UNNEST", "UNNEST")),
            LogicalPlan::Subquery(_) => Err(self.refuse("a correlated subquery in this place", "( SELECT")),
            other => {
                let line = other.display().to_string();
                let name = line.split(':').next().unwrap_or("this operator").to_owned();
                Err(PlanError::unsupported(name, "a question is one SELECT"))
            }
        }
    }

    fn refuse(&self, construct: &str, phrase: &str) -> PlanError {
        PlanError::unsupported(construct, "").placed(self.locator.phrase(phrase))
    }
}

fn number(relation: Relation, next: &mut usize) -> Node {
    let id = *next;
    *next += 1;
    let Relation { op, place, facts, inputs } = relation;
    let inputs = inputs.into_iter().map(|input| number(input, next)).collect();
    Node { id, op, place, schema: facts.fields, row_bound: facts.bound, inputs }
}
