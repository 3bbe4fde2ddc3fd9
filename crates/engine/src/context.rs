//! Where an operator runs: its session, its numbered steps, the failures it reports.

use mpc::{ProtocolError, Session, SharedBits};
use plan::secure::Node;

use crate::errors::{EngineError, Failure, FailureKind, Failures};

pub(crate) type Result<T> = std::result::Result<T, EngineError>;

/// One operator at work. Its steps are numbered in the order in which they are
/// taken, which follows from the plan and is the same at every party.
pub(crate) struct Context<'a> {
    session: &'a mut Session,
    failures: &'a mut Failures,
    node: usize,
    name: String,
    next_step: usize,
}

impl<'a> Context<'a> {
    pub(crate) fn new(session: &'a mut Session, failures: &'a mut Failures, node: &Node) -> Self {
        Self::named(session, failures, node.id, node.op.name())
    }

    pub(crate) fn named(
        session: &'a mut Session,
        failures: &'a mut Failures,
        node: usize,
        name: &str,
    ) -> Self {
        Context { session, failures, node, name: name.to_owned(), next_step: 0 }
    }

    /// The session, for what sends nothing.
    pub(crate) fn session(&self) -> &Session {
        self.session
    }

    /// Runs one step, under a number of its own.
    pub(crate) fn step<T>(
        &mut self,
        what: &'static str,
        f: impl FnOnce(&mut Session) -> std::result::Result<T, ProtocolError>,
    ) -> Result<T> {
        let number = self.next_step;
        self.next_step += 1;
        let (node, name) = (self.node, &self.name);
        self.session.scope((what, number), f).map_err(|source| EngineError::Protocol {
            node,
            operator: name.clone(),
            source,
        })
    }

    /// Reports rows that failed, already masked by validity.
    pub(crate) fn report(&mut self, kind: FailureKind, rows: SharedBits) {
        let failure = Failure { kind, node: self.node, operator: self.name.clone() };
        self.failures.push(failure, rows);
    }

    /// Sets groups aside that were suppressed; the asker learns how many.
    pub(crate) fn suppressed(&mut self, rows: SharedBits) {
        self.failures.suppress(rows);
    }

    /// [`Context::report`] with more words on which operator it is.
    pub(crate) fn report_of(&mut self, kind: FailureKind, words: &str, rows: SharedBits) {
        let operator = format!("{} {words}", self.name);
        self.failures.push(Failure { kind, node: self.node, operator }, rows);
    }

    pub(crate) fn too_wide(&self, bits: u32) -> EngineError {
        EngineError::TooWide { node: self.node, operator: self.name.clone(), bits }
    }

    pub(crate) fn wrong_plan(&self, reason: impl Into<String>) -> EngineError {
        EngineError::Plan { node: self.node, operator: self.name.clone(), reason: reason.into() }
    }
}
