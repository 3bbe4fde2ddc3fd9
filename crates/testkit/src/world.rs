//! Parties with tables, and the three ways to ask them a question.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::catalog::MemorySchemaProvider;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use engine::{Answer, EngineError, Failure, Mark, Opened};
use mpc::lab::Lab;
use mpc::{Cost, Params, ProtocolError, Session};
use net::LinkProfile;
use plan::catalog::{PartyCatalog, PublicCatalog, Table};
use plan::secure::{SecurePlan, Security};
use plan::types::Value;
use plan::{PlanError, Request};

use crate::facts::describe;
use crate::rows::rows_of;
use crate::stage::StageRows;

/// Parties and what each of them holds.
#[derive(Clone)]
pub struct World {
    catalog: PublicCatalog,
    tables: BTreeMap<String, RecordBatch>,
    params: Params,
}

/// How a run of several parties ended without an answer.
#[derive(Debug)]
pub enum RunError {
    /// The engine's reasons, one or more, by party.
    Engine(Vec<(usize, EngineError)>),
    /// The protocol's reasons, by party.
    Protocol(Vec<(usize, ProtocolError)>),
}

/// What a party comes to.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// The answer, if this party is the one that learns it.
    Rows(Option<Vec<Vec<Value>>>),
    /// The data made the question fail.
    Failed(Vec<Failure>),
}

impl World {
    /// Parties without tables. The first three compute; helpers are added if
    /// there are fewer.
    pub fn new(parties: &[&str]) -> World {
        let mut names: Vec<String> = parties.iter().map(|name| name.to_string()).collect();
        while names.len() < 3 {
            names.push(format!("helper{}", names.len()));
        }
        let party = |name| PartyCatalog { name, tables: Vec::new() };
        let catalog = PublicCatalog { parties: names.into_iter().map(party).collect() };
        World {
            catalog,
            tables: BTreeMap::new(),
            params: Params { threads: 2, in_flight: 4, chunk_rows: 512, ..Params::default() },
        }
    }

    /// Runs with other chunks and threads than small tables need.
    pub fn params(mut self, params: Params) -> World {
        self.params = params;
        self
    }

    /// Runs questions against whom they hold.
    pub fn security(mut self, security: mpc::Security) -> World {
        self.params.security = security;
        self
    }

    /// Runs questions over slower links, which their parties know of.
    pub fn link(mut self, link: LinkProfile) -> World {
        self.params.link = link;
        self
    }

    /// Gives a party a table, described by what its rows show.
    ///
    /// # Panics
    /// If there is no such party.
    pub fn table(self, party: &str, name: &str, batch: RecordBatch) -> World {
        self.table_described(party, name, batch, |_| {})
    }

    /// Gives a party a table, after `change` has changed what is said about it.
    ///
    /// # Panics
    /// If there is no such party.
    pub fn table_described(
        mut self,
        party: &str,
        name: &str,
        batch: RecordBatch,
        change: impl FnOnce(&mut Table),
    ) -> World {
        let mut table = describe(name, &batch);
        change(&mut table);
        let parties = &mut self.catalog.parties;
        let holder = parties.iter_mut().find(|known| known.name == party).expect("a party of this world");
        holder.tables.push(table);
        self.tables.insert(format!("{party}.{name}"), batch);
        self
    }

    /// What is public.
    pub fn catalog(&self) -> &PublicCatalog {
        &self.catalog
    }

    /// Plans a question of the first party's.
    ///
    /// # Errors
    /// The planner's.
    pub fn plan(&self, sql: &str) -> Result<SecurePlan, PlanError> {
        self.plan_for(sql, &self.catalog.parties[0].name)
    }

    /// Plans a question of any party's.
    ///
    /// # Errors
    /// The planner's.
    pub fn plan_for(&self, sql: &str, asker: &str) -> Result<SecurePlan, PlanError> {
        let compute: Vec<String> =
            self.catalog.parties.iter().take(3).map(|party| party.name.clone()).collect();
        let security = match self.params.security {
            mpc::Security::SemiHonest => Security::SemiHonest,
            mpc::Security::Malicious => Security::Malicious,
        };
        plan::plan(Request { sql, catalog: &self.catalog, asker, compute: &compute, security })
    }

    /// The plan after its owners have told how many rows their filters keep, and what they told.
    ///
    /// # Errors
    /// The engine's, of an owner's part.
    pub fn told(&self, plan: &SecurePlan) -> Result<(SecurePlan, BTreeMap<usize, u64>), EngineError> {
        let mut rows = StageRows::new(self.tables.clone());
        let told = engine::ToldStages::run(plan, None, &mut rows)?.told().clone();
        Ok((plan.with_told_rows(&told).expect("owners tell what their catalogs say"), told))
    }

    /// What DataFusion answers over all tables in clear.
    ///
    /// # Errors
    /// DataFusion's words.
    pub fn oracle(&self, sql: &str) -> Result<Vec<Vec<Value>>, String> {
        self.oracle_answer(sql).map(|answer| rows_of(&[answer]))
    }

    /// [`World::oracle`] as DataFusion gives it.
    ///
    /// # Errors
    /// DataFusion's words.
    pub fn oracle_answer(&self, sql: &str) -> Result<RecordBatch, String> {
        let context = plan::context::oracle_context();
        let catalog = context.catalog("junto").ok_or("the oracle has no catalog")?;
        for party in &self.catalog.parties {
            let schema = Arc::new(MemorySchemaProvider::new());
            catalog.register_schema(&party.name, schema).map_err(|error| error.to_string())?;
        }
        for (name, batch) in &self.tables {
            let rows = MemTable::try_new(batch.schema(), vec![vec![batch.clone()]]);
            let rows = rows.map_err(|error| error.to_string())?;
            context.register_table(name.as_str(), Arc::new(rows)).map_err(|error| error.to_string())?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let batches = runtime.map_err(|error| error.to_string())?.block_on(async {
            let question = context.sql(sql).await?;
            let schema = Arc::clone(question.schema().inner());
            Ok((question.collect().await?, schema))
        });
        let (batches, schema) = batches.map_err(|error: DataFusionError| error.strip_backtrace())?;
        let schema = batches.first().map_or(schema, RecordBatch::schema);
        concat_batches(&schema, &batches).map_err(|error| error.to_string())
    }

    /// What a party holds under a table's name.
    pub fn rows(&self, party: &str, table: &str) -> Option<&RecordBatch> {
        self.tables.get(&format!("{party}.{table}"))
    }

    /// The engine's answer in one process on plaintext.
    ///
    /// # Errors
    /// The engine's.
    pub fn plain(&self, plan: &SecurePlan) -> Result<Answer, EngineError> {
        let mut session = Session::plain(Params::default());
        let mut rows = StageRows::new(self.tables.clone());
        let answer = engine::execute(&mut session, plan, &mut rows)?;
        Ok(answer.expect("a plaintext session is the asker too"))
    }

    /// The answer on shares, among all parties, each with its own tables only.
    ///
    /// # Errors
    /// What each party came to, if there is no answer.
    ///
    /// # Panics
    /// If the answer comes out elsewhere than at the asker alone.
    pub fn lab(&self, plan: &SecurePlan, seed: u64) -> Result<Answer, RunError> {
        self.lab_with_cost(plan, seed).0
    }

    /// [`World::lab`], and what the run cost.
    ///
    /// # Panics
    /// As [`World::lab`].
    pub fn lab_with_cost(&self, plan: &SecurePlan, seed: u64) -> (Result<Answer, RunError>, Cost) {
        let engine_errors = Mutex::new(Vec::new());
        let run = self.rig(Lab::seeded(seed)).run(|s| match self.execute(s, plan) {
            Ok(answer) => Ok(answer),
            Err(EngineError::Protocol { source, .. }) => Err(source),
            Err(error) => {
                let step = s.step().clone();
                engine_errors.lock().expect("no party panics").push((s.me().index(), error));
                Err(ProtocolError::Unsupported { step, reason: "the engine stopped" })
            }
        });
        let cost = run.cost();
        let engine_errors = engine_errors.into_inner().expect("no party panics");
        if !engine_errors.is_empty() {
            return (Err(RunError::Engine(engine_errors)), cost);
        }
        let (mut answers, mut errors) = (Vec::new(), Vec::new());
        for (party, outcome) in run.outcomes.into_iter().enumerate() {
            match outcome {
                Ok(answer) => answers.extend(answer.map(|answer| (party, answer))),
                Err(error) => errors.push((party, error)),
            }
        }
        if !errors.is_empty() {
            return (Err(RunError::Protocol(errors)), cost);
        }
        assert_eq!(answers.len(), 1, "one party learns the answer");
        let (party, answer) = answers.remove(0);
        assert_eq!(party, plan.asker, "the asker learns the answer");
        (Ok(answer), cost)
    }

    /// The lab with this world's parties in it.
    pub fn rig(&self, lab: Lab) -> Lab {
        lab.params(&[self.params]).link(self.params.link).parties(self.catalog.parties.len())
    }

    /// What each party comes to in a lab made by [`World::rig`]: the answer's rows at the asker,
    /// and failures of the data, which the asker learns as well.
    pub fn outcomes(&self, lab: &Lab, plan: &SecurePlan) -> Vec<Result<Outcome, ProtocolError>> {
        let run = lab.run(|s| match self.execute(s, plan) {
            Ok(answer) => Ok(Outcome::Rows(answer.map(|answer| rows_of(&[answer.batch])))),
            Err(EngineError::Failed { failures }) => Ok(Outcome::Failed(failures)),
            Err(EngineError::Protocol { source, .. }) => Err(source),
            Err(_) => {
                let step = s.step().clone();
                Err(ProtocolError::Unsupported { step, reason: "the engine stopped" })
            }
        });
        run.outcomes
    }

    /// One party's side of a run, with its own tables only.
    fn execute(&self, s: &mut Session, plan: &SecurePlan) -> Result<Option<Answer>, EngineError> {
        let (opened, _) = self.execute_measured(s, plan)?;
        opened.map(Opened::answer).transpose()
    }

    fn execute_measured(
        &self,
        s: &mut Session,
        plan: &SecurePlan,
    ) -> Result<(Option<Opened>, Vec<Mark>), EngineError> {
        let prefix = format!("{}.", self.catalog.parties[s.me().index()].name);
        let mine = self.tables.iter().filter(|(name, _)| name.starts_with(&prefix));
        let mut rows = StageRows::new(mine.map(|(name, batch)| (name.clone(), batch.clone())).collect());
        engine::execute_measured(s, plan, &mut rows)
    }

    /// What counting says that the run costs.
    ///
    /// # Errors
    /// The engine's.
    pub fn count(&self, plan: &SecurePlan) -> Result<Cost, EngineError> {
        let marks = self.count_marks(plan)?;
        let Mark { rounds, bytes_sent, .. } = marks.last().cloned().unwrap_or_default();
        Ok(Cost { rounds, bytes_sent })
    }

    /// Where counting says that the run stands after each node.
    ///
    /// # Errors
    /// The engine's.
    pub fn count_marks(&self, plan: &SecurePlan) -> Result<Vec<Mark>, EngineError> {
        let compute = [0, 1, 2].map(|index| plan.compute[index]).map(net::PartyId::from_index);
        let mut session = Session::count(self.params, self.catalog.parties.len(), compute);
        engine::price(&mut session, plan)
    }

    /// Where all parties stand after each node of a run on shares.
    ///
    /// # Errors
    /// What each party came to, if there is no answer.
    pub fn lab_marks(&self, plan: &SecurePlan, seed: u64) -> Result<Vec<Mark>, RunError> {
        let run = self.rig(Lab::seeded(seed)).run(|s| {
            let step = s.step().clone();
            let outcome = self.execute_measured(s, plan);
            outcome.map_err(|_| ProtocolError::Unsupported { step, reason: "the engine stopped" })
        });
        let (mut all, mut errors) = (Vec::new(), Vec::new());
        for (party, outcome) in run.outcomes.into_iter().enumerate() {
            match outcome {
                Ok((_, marks)) => all.push(marks),
                Err(error) => errors.push((party, error)),
            }
        }
        if !errors.is_empty() {
            return Err(RunError::Protocol(errors));
        }
        let together = |mut all: Vec<Mark>, one: Vec<Mark>| {
            all.iter_mut().zip(&one).for_each(|(mark, other)| *mark = mark.with(other));
            all
        };
        Ok(all.into_iter().reduce(together).unwrap_or_default())
    }
}
