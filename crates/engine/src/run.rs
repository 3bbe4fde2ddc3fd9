//! Runs a plan from its leaves up, the same way at every party.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use datafusion::arrow::array::RecordBatch;
use mpc::Session;
use plan::secure::{LocalStage, Node, Op, SecurePlan, Security};
use plan::types::Type;

use crate::answer::Answer;
use crate::context::{Context, Result};
use crate::errors::{EngineError, Failures};
use crate::local::{self, LocalData};
use crate::open::{self, Opened};
use crate::ops;
use crate::relation::{FLOAT_BITS, Relation};
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

/// A party's stages of which it tells how many rows they keep, run before there is a session.
///
/// It stands in for the party's rows in [`execute`]: what has run here does not run again.
pub struct ToldStages<'a> {
    rest: &'a mut dyn LocalRows,
    ran: BTreeMap<usize, Vec<RecordBatch>>,
    told: BTreeMap<usize, u64>,
}

impl<'a> ToldStages<'a> {
    /// Runs the stages of `party`, or of everybody in a test of one process.
    ///
    /// # Errors
    /// `Local` if a stage fails, or the system has no random numbers for noise.
    pub fn run(plan: &SecurePlan, party: Option<usize>, locals: &'a mut dyn LocalRows) -> Result<Self> {
        let mut stages = ToldStages { rest: locals, ran: BTreeMap::new(), told: BTreeMap::new() };
        for (node, stage) in plan.telling_stages() {
            if party.is_none_or(|party| party == stage.party) {
                let batches = stages
                    .rest
                    .rows(node, stage)
                    .map_err(|source| EngineError::Local { stage: stage.name.clone(), source })?;
                let n_rows = batches.iter().map(RecordBatch::num_rows).sum::<usize>() as u64;
                let told = stage.told.told(n_rows, node.row_bound, || random(&stage.name))?;
                stages.told.insert(node.id, told);
                stages.ran.insert(node.id, batches);
            }
        }
        Ok(stages)
    }

    /// How many rows each of them keeps, as it is told, by the nodes' ids.
    pub fn told(&self) -> &BTreeMap<usize, u64> {
        &self.told
    }
}

impl LocalRows for ToldStages<'_> {
    fn rows(
        &mut self,
        node: &Node,
        stage: &LocalStage,
    ) -> std::result::Result<Vec<RecordBatch>, Box<dyn Error + Send + Sync>> {
        match self.ran.remove(&node.id) {
            Some(batches) => Ok(batches),
            None => self.rest.rows(node, stage),
        }
    }
}

/// A uniform number of the operating system's.
fn random(stage: &str) -> Result<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| EngineError::Local { stage: stage.to_owned(), source: error.into() })?;
    Ok(u128::from_le_bytes(bytes))
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
    let (opened, _) = execute_measured(session, plan, locals)?;
    opened.map(Opened::answer).transpose()
}

/// [`execute`], but for the asker's looking at what was opened to it, and where this party stood
/// after each node.
///
/// # Errors
/// As [`execute`], but for `Failed`.
pub fn execute_measured(
    session: &mut Session,
    plan: &SecurePlan,
    locals: &mut dyn LocalRows,
) -> Result<(Option<Opened>, Vec<Mark>)> {
    let mut run = Run::new(session, plan);
    run.prepare(session, locals)?;
    run.whole(session)
}

/// Where each node of `plan` would stand, in a session that counts.
///
/// # Errors
/// As [`execute`], for plans that cannot run.
pub fn price(session: &mut Session, plan: &SecurePlan) -> Result<Vec<Mark>> {
    let run = Run::new(session, plan);
    run.check(session)?;
    run.whole(session).map(|(_, marks)| marks)
}

/// Where a run stands when a node is done: all that came before is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The node; `None` when the answer is open.
    pub node: Option<usize>,
    /// Message latencies on the longest chain of messages.
    pub rounds: u32,
    /// Payload bytes sent, in party order: all parties' if they are counted, and otherwise this
    /// party's alone.
    pub bytes_sent: Vec<u64>,
    /// Since the start: at the slowest party if it is counted, and otherwise here.
    pub elapsed: Duration,
}

impl Mark {
    /// What came on top of `before`.
    #[must_use]
    pub fn since(&self, before: &Mark) -> Mark {
        let bytes = self.bytes_sent.iter().enumerate();
        let before_at = |party| before.bytes_sent.get(party).copied().unwrap_or(0);
        Mark {
            node: self.node,
            rounds: self.rounds.saturating_sub(before.rounds),
            bytes_sent: bytes.map(|(party, bytes)| bytes.saturating_sub(before_at(party))).collect(),
            elapsed: self.elapsed.saturating_sub(before.elapsed),
        }
    }

    /// The mark of all parties, of those that each of them took: the longest chain, the last to be
    /// there, and the bytes of everybody.
    #[must_use]
    pub fn with(&self, other: &Mark) -> Mark {
        let n_parties = self.bytes_sent.len().max(other.bytes_sent.len());
        let sent = |mark: &Mark, party| mark.bytes_sent.get(party).copied().unwrap_or(0);
        Mark {
            node: self.node,
            rounds: self.rounds.max(other.rounds),
            bytes_sent: (0..n_parties).map(|at| sent(self, at).saturating_add(sent(other, at))).collect(),
            elapsed: self.elapsed.max(other.elapsed),
        }
    }
}

/// Since when a run's time and bytes are counted.
struct Start {
    at: Instant,
    mark: Mark,
}

impl Start {
    fn now(session: &Session) -> Self {
        let at = Instant::now();
        Start { at, mark: mark(session, None, at) }
    }
}

fn mark(session: &Session, node: Option<usize>, start: Instant) -> Mark {
    let cost = session.cost();
    let elapsed = match session.is_count() {
        true => session.foretold().into_iter().max().unwrap_or_default(),
        false => start.elapsed(),
    };
    Mark { node, rounds: cost.rounds, bytes_sent: cost.bytes_sent, elapsed }
}

struct Run<'a> {
    plan: &'a SecurePlan,
    rule: TextRule,
    clear: BTreeMap<usize, Clear>,
    failures: Failures,
    /// Rows that come out again, and how often yet.
    again: BTreeMap<usize, (usize, Option<Relation>)>,
    start: Start,
    marks: Vec<Mark>,
}

impl<'a> Run<'a> {
    fn new(session: &Session, plan: &'a SecurePlan) -> Self {
        let mut again = BTreeMap::new();
        plan.root.visit(&mut |node| {
            if let Op::Again { of, .. } = node.op {
                again.entry(of).or_insert((0, None)).0 += 1;
            }
        });
        Run {
            plan,
            rule: TextRule::of(&plan.root),
            clear: BTreeMap::new(),
            failures: Failures::default(),
            again,
            start: Start::now(session),
            marks: Vec::new(),
        }
    }

    fn check(&self, session: &Session) -> Result<()> {
        let (plan, given) = (session_security(self.plan.security), session.security());
        // The oracle holds against nobody, and is nobody else.
        if plan != given && session.n_parties() > 1 {
            return Err(EngineError::Security { plan: plan.name(), session: given.name() });
        }
        // An owner would find only those of its doubles too large that are there.
        for (node, _) in self.plan.local_stages() {
            let needed = node.schema.iter().filter(|field| field.ty == Type::Float64 && field.needs.any());
            let bits = needed.filter_map(|field| field.range.map(|range| range.width_bits() + FLOAT_BITS));
            if let Some(bits) = bits.max().filter(|bits| *bits > 127) {
                return Err(EngineError::TooWide {
                    node: node.id,
                    operator: node.op.name().to_owned(),
                    bits,
                });
            }
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
        share::in_order(session, &self.plan.root, &mut self.clear, self.rule)
    }

    /// All nodes, and then the answer.
    fn whole(mut self, session: &mut Session) -> Result<(Option<Opened>, Vec<Mark>)> {
        let relation = session.scope("plan", |s| self.relation(s, &self.plan.root))?;
        let failures = std::mem::take(&mut self.failures);
        let opened = session.scope("answer", |s| open::open(s, self.plan, relation, failures))?;
        self.mark(session, None);
        Ok((opened, self.marks))
    }

    fn mark(&mut self, session: &Session, node: Option<usize>) {
        self.marks.push(mark(session, node, self.start.at).since(&self.start.mark));
    }

    fn relation(&mut self, session: &mut Session, node: &Node) -> Result<Relation> {
        if let Op::Again { of, .. } = node.op
            && let Some((times, known)) = self.again.get_mut(&of)
        {
            *times -= 1;
            let relation = if *times == 0 { known.take() } else { known.clone() };
            if let Some(relation) = relation {
                self.mark(session, Some(node.id));
                return Ok(relation);
            }
        }
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for input in &node.inputs {
            inputs.push(self.relation(session, input)?);
        }
        if share::come_in_order(node) {
            // Padding is anywhere.
            inputs.iter_mut().for_each(|input| input.compact = false);
        }
        let (rule, clear) = (self.rule, &self.clear);
        let failures = &mut self.failures;
        let relation = session.scope(("node", node.id), |s| {
            let mut cx = Context::new(s, failures, node);
            match &node.op {
                Op::LocalStage(stage) => share::share(&mut cx, node, stage, clear.get(&node.id), rule),
                _ => ops::run(&mut cx, node, inputs, rule),
            }
        })?;
        self.mark(session, Some(node.id));
        let relation = relation.pruned(&node.schema);
        if let Some((_, known)) = self.again.get_mut(&node.id) {
            *known = Some(relation.clone());
        }
        Ok(relation)
    }
}
