//! Runs a plan from its leaves up, the same way at every party.

use std::collections::BTreeMap;
use std::error::Error;

use datafusion::arrow::array::RecordBatch;
use mpc::{Cost, Session};
use plan::secure::{LocalStage, Node, Op, SecurePlan, Security};

use crate::answer::Answer;
use crate::context::{Context, Result};
use crate::errors::{EngineError, Failures};
use crate::local::{self, LocalData};
use crate::open;
use crate::ops;
use crate::relation::Relation;
use crate::share::{self, Clear, TextRule};

/// The most rows that a relation may have here: positions have 32 bits, and
/// memory ends before.
const MAX_ROWS: u64 = 1 << 28;

/// Where a party's own rows come from.
pub trait LocalRows {
    /// Runs one of this party's stages in clear. Columns come in the order and
    /// of the types of the node's schema.
    ///
    /// # Errors
    /// Whatever kept the stage from running; it is shown to this party alone.
    fn rows(
        &mut self,
        node: &Node,
        stage: &LocalStage,
    ) -> std::result::Result<Vec<RecordBatch>, Box<dyn Error + Send + Sync>>;
}

impl LocalRows for LocalData {
    fn rows(
        &mut self,
        _node: &Node,
        stage: &LocalStage,
    ) -> std::result::Result<Vec<RecordBatch>, Box<dyn Error + Send + Sync>> {
        Ok(local::run(&stage.logical, self)?)
    }
}

/// The session's security that a plan asks for.
pub fn session_security(security: Security) -> mpc::Security {
    match security {
        Security::SemiHonest => mpc::Security::SemiHonest,
        Security::Malicious => mpc::Security::Malicious,
    }
}

/// Runs `plan` among the session's parties. The answer comes out at the asker
/// alone, and in a plaintext session.
///
/// - **Reveals:** to the asker, which failures there were, and the answer if
///   there was none; to nobody anything else.
///
/// # Errors
/// `Failed` at the asker if the data makes the question fail; `Local` and `Data`
/// at the owner whose stage fails, before anything is shared; `Security` if the
/// session's is not the plan's; `Protocol` if a step stops.
pub fn execute(
    session: &mut Session,
    plan: &SecurePlan,
    locals: &mut dyn LocalRows,
) -> Result<Option<Answer>> {
    let mut run = Run::new(plan);
    run.prepare(session, locals)?;
    let relation = session.scope("plan", |s| run.relation(s, &plan.root))?;
    session.scope("answer", |s| open::open(s, plan, relation, run.failures))
}

/// What one plan node costs by itself, without its inputs.
pub type NodeCost = Cost;

/// Prices each node of `plan`, and opening the answer under `None`, in a
/// session that counts.
///
/// # Errors
/// As [`execute`], for plans that cannot run.
pub fn price(session: &mut Session, plan: &SecurePlan) -> Result<BTreeMap<Option<usize>, NodeCost>> {
    let mut run = Run::new(plan);
    run.check(session)?;
    let relation = session.scope("plan", |s| run.relation(s, &plan.root))?;
    let before = session.cost();
    session.scope("answer", |s| open::open(s, plan, relation, std::mem::take(&mut run.failures)))?;
    run.costs.insert(None, less(&session.cost(), &before));
    Ok(run.costs)
}

/// What came on top of `before`.
fn less(after: &Cost, before: &Cost) -> Cost {
    let bytes = after.bytes_sent.iter().zip(&before.bytes_sent).map(|(after, before)| after - before);
    Cost { rounds: after.rounds - before.rounds, bytes_sent: bytes.collect() }
}

struct Run<'a> {
    plan: &'a SecurePlan,
    rule: TextRule,
    clear: BTreeMap<usize, Clear>,
    failures: Failures,
    costs: BTreeMap<Option<usize>, NodeCost>,
}

impl<'a> Run<'a> {
    fn new(plan: &'a SecurePlan) -> Self {
        Run {
            plan,
            rule: TextRule::of(&plan.root),
            clear: BTreeMap::new(),
            failures: Failures::default(),
            costs: BTreeMap::new(),
        }
    }

    fn check(&self, session: &Session) -> Result<()> {
        let (plan, given) = (session_security(self.plan.security), session.security());
        // The oracle holds against nobody, and is nobody else.
        if plan != given && session.n_parties() > 1 {
            return Err(EngineError::Security { plan: plan.name(), session: given.name() });
        }
        let mut rows = Vec::new();
        self.plan.root.visit(&mut |node| rows.push((node, node.row_bound)));
        match rows.into_iter().find(|(_, rows)| *rows > MAX_ROWS) {
            Some((node, rows)) => Err(EngineError::Plan {
                node: node.id,
                operator: node.op.name().to_owned(),
                reason: format!("it can have {rows} rows, more than the {MAX_ROWS} that fit"),
            }),
            None => Ok(()),
        }
    }

    /// Runs this party's own stages and checks their rows, before anything is shared.
    fn prepare(&mut self, session: &Session, locals: &mut dyn LocalRows) -> Result<()> {
        self.check(session)?;
        if session.is_count() {
            return Ok(());
        }
        // The oracle is every party at once.
        let everybody = session.n_parties() == 1;
        for (node, stage) in self.plan.local_stages() {
            if everybody || stage.party == session.me().index() {
                let batches = locals
                    .rows(node, stage)
                    .map_err(|source| EngineError::Local { stage: stage.name.clone(), source })?;
                self.clear.insert(node.id, Clear::try_new(node, stage, &batches)?);
            }
        }
        Ok(())
    }

    fn relation(&mut self, session: &mut Session, node: &Node) -> Result<Relation> {
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for input in &node.inputs {
            inputs.push(self.relation(session, input)?);
        }
        let before = session.cost();
        let (rule, clear) = (self.rule, &self.clear);
        let failures = &mut self.failures;
        let relation = session.scope(("node", node.id), |s| {
            let mut cx = Context::new(s, failures, node);
            match &node.op {
                Op::LocalStage(stage) => share::share(&mut cx, node, stage, clear.get(&node.id), rule),
                _ => ops::run(&mut cx, node, inputs, rule),
            }
        })?;
        if session.is_count() {
            self.costs.insert(Some(node.id), less(&session.cost(), &before));
        }
        Ok(relation.pruned(&node.schema))
    }
}
