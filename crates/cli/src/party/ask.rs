//! What one party does for a question: meets the others, reads its own tables,
//! exchanges catalogs, plans, computes, and learns the answer if it asked.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use engine::local::{LocalData, LocalError};
use engine::output::{Format, Stats, render, stats_json, stats_line};
use engine::{EngineError, Mark, Opened, ToldStages};
use mpc::{Params, ProtocolError, Session};
use net::{Mesh, Options, PartyId, Tag, TlsMesh};
use plan::PlanError;
use plan::question::{Explain, Question};
use plan::secure::SecurePlan;
use serde::{Deserialize, Serialize};

use super::aborts::Aborts;
use super::budget::{self, Budget, Given, Ledger};
use super::config::Config;
use super::cost;
use super::policy;
use super::rows;
use super::terms::{self, Agreed, Terms};
use super::watch::Watched;
use crate::event::{Event, Failure, Nearness};

/// Where events go.
pub(super) type Tell = Arc<dyn Fn(Event) + Send + Sync>;

/// The message in which everybody tells what the run cost.
const STATS: Tag = Tag { step: u128::from_be_bytes(*b"junto statistics"), chunk: 0 };

/// The most bytes of it.
const STATS_BYTES: usize = 1 << 20;

/// What one party tells of a run.
#[derive(Serialize, Deserialize)]
struct Share {
    rounds: u64,
    bytes_sent: u64,
    recorded_bytes_peak: u64,
    /// After each node, where the question is to be analyzed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    marks: Vec<Told>,
}

/// Where a party stood after a node.
#[derive(Serialize, Deserialize)]
struct Told {
    rounds: u32,
    bytes_sent: u64,
    elapsed_us: u64,
}

impl Told {
    fn mark(&self, party: usize) -> Mark {
        let mut bytes_sent = vec![0; party + 1];
        bytes_sent[party] = self.bytes_sent;
        let elapsed = Duration::from_micros(self.elapsed_us);
        Mark { node: None, rounds: self.rounds, bytes_sent, elapsed }
    }
}

/// A failure here, and what the others are told of it.
struct Stop {
    failure: Failure,
    /// Never anything about a row. `None` where the others know already, or
    /// where only this party may know.
    public: Option<String>,
}

impl Stop {
    fn telling(failure: Failure, public: impl Into<String>) -> Stop {
        Stop { failure, public: Some(public.into()) }
    }

    /// For failures that hold nothing private. What a peer told is passed on too: whoever
    /// sees this party leave before it hears the first one speak knows why.
    fn telling_all(failure: Failure) -> Stop {
        let public = Some(failure.message.clone());
        Stop { failure, public }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop { failure, public: None }
    }
}

/// Takes part in the configured question. The answer is the last event, at the
/// party that asks; nothing of it is told before all of it is there.
pub(super) fn ask(
    config: &Config,
    meet: impl FnOnce(Options) -> Result<(TlsMesh, Vec<String>), Failure>,
    tell: &Tell,
) -> Result<(), Failure> {
    let mut aborts = (!config.makes_key())
        .then(|| Aborts::beside(Path::new(&config.key)))
        .transpose()
        .map_err(Failure::own)?;
    if let Some(aborts) = &aborts {
        wait_after(aborts, tell);
    }
    let start = Instant::now();
    let (mesh, names) = meet(config.options().map_err(Failure::own)?)?;
    let mut mesh: Arc<dyn Mesh> = Arc::new(mesh);
    let watched =
        (config.show_bytes > 0).then(|| Arc::new(Watched::new(Arc::clone(&mesh), config.show_bytes)));
    if let Some(watched) = &watched {
        mesh = Arc::clone(watched) as Arc<dyn Mesh>;
    }
    let party = Party { config, names, mesh, tell, start, has_shared: Cell::new(false) };
    let outcome = party.take_part();
    if let (Err(_), true, Some(aborts)) = (&outcome, party.has_shared.get(), &mut aborts) {
        record_in(aborts, tell);
    }
    match &outcome {
        Err(Stop { public: Some(reason), .. }) => party.mesh.abort(reason),
        // Whoever is gone by now has all that it needs.
        _ => drop(party.mesh.finish()),
    }
    if let Some((from, bytes)) = watched.as_deref().and_then(Watched::seen) {
        let bytes = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        tell(Event::Seen { from: party.names[from.index()].clone(), bytes });
    }
    // Only now, when nobody can see how long it takes or whether it succeeds.
    let last = outcome.map_err(|stop| stop.failure)?;
    last.event(config)?.into_iter().for_each(|event| tell(event));
    Ok(())
}

/// What is left to tell in the end.
enum Last {
    Nothing,
    Plan(String),
    Answer(Box<Ended>),
}

/// A question whose run has ended, at the party that asked.
struct Ended {
    plan: SecurePlan,
    opened: Opened,
    stats: Stats,
    budgets: Vec<Budget>,
    /// Where the question is to be analyzed.
    marks: Option<Vec<Mark>>,
}

impl Last {
    fn event(self, config: &Config) -> Result<Option<Event>, Failure> {
        match self {
            Last::Nothing => Ok(None),
            Last::Plan(text) => Ok(Some(Event::Plan(text))),
            Last::Answer(ended) => ended.event(config).map(Some),
        }
    }
}

impl Ended {
    fn event(self, config: &Config) -> Result<Event, Failure> {
        let Ended { plan, opened, stats, budgets, marks } = self;
        let answer = opened.answer().map_err(|error| Failure::own(error.to_string()))?;
        let stats = Stats { suppressed_groups: answer.suppressed_groups, ..stats };
        let Some(marks) = marks else {
            let format = config.format().map_err(Failure::own)?;
            return Ok(Event::Answer(render(&answer.batch, &stats, format)));
        };
        let plan = cost::explain(&plan, config, &budgets, Some(&marks)).map_err(Failure::own)?;
        Ok(Event::Plan(match config.format() {
            Ok(Format::Json) => {
                format!("{{\"plan\":{},\"stats\":{}}}\n", plan.trim_end(), stats_json(&stats))
            }
            _ => format!("{plan}Measured: {}\n", stats_line(&stats)),
        }))
    }
}

/// Whoever can make runs stop learns a bit from each: it gets fewer of them.
fn wait_after(aborts: &Aborts, tell: &Tell) {
    let now = SystemTime::now();
    let (count, pause) = (aborts.count(now), aborts.pause(now));
    if !pause.is_zero() {
        tell(Event::Phase(format!("{}: waiting {} s", aborted(count), pause.as_secs())));
        std::thread::sleep(pause);
    }
}

fn aborted(count: u32) -> String {
    format!("{count} run{} aborted lately", if count == 1 { "" } else { "s" })
}

fn record_in(aborts: &mut Aborts, tell: &Tell) {
    let now = SystemTime::now();
    let line = match aborts.record(now) {
        Ok(()) => {
            let (count, pause) = (aborts.count(now), aborts.pause(now));
            format!("{}: the next one waits {} s", aborted(count), pause.as_secs())
        }
        Err(error) => error,
    };
    tell(Event::Phase(line));
}

/// A party that finds its own table misspelt says how it is spelt, to its own people.
fn with_unread(error: PlanError, party: &str, unread: &[String]) -> PlanError {
    match error {
        PlanError::UnknownTable { name, at, nearest } if nearest.0.is_none() => {
            let mine: Vec<String> = unread.iter().map(|table| format!("{party}.{table}")).collect();
            let nearest = plan::nearest_table(&name, &mine);
            PlanError::UnknownTable { name, at, nearest }
        }
        other => other,
    }
}

struct Party<'a> {
    config: &'a Config,
    names: Vec<String>,
    mesh: Arc<dyn Mesh>,
    tell: &'a Tell,
    start: Instant,
    /// Whether shares have left: from here on a run that stops is an abort.
    has_shared: Cell<bool>,
}

impl Party<'_> {
    fn phase(&self, phase: &str) {
        (self.tell)(Event::Phase(phase.to_owned()));
    }

    fn take_part(&self) -> Result<Last, Stop> {
        let Config { name, question, asker, .. } = self.config;
        let missing = |what| Stop::telling(Failure::own(what), format!("{name} was not told everything"));
        let text = question.as_ref().ok_or_else(|| missing("there is no question; give --question SQL"))?;
        let asker = asker.as_ref().ok_or_else(|| missing("nobody asks; give --as NAME"))?;
        let compute = match self.config.compute.is_empty() {
            true => self.names.iter().take(3).cloned().collect(),
            false => self.config.compute.clone(),
        };

        let fault = |error: PlanError| Stop::from(Failure::own(error.to_string()));
        // Everybody has the same text, so everybody who finds a fault finds this one.
        let question = Question::parse(text).map_err(fault)?;
        self.phase("reading tables");
        let mut data = self.load(&question)?;
        if !self.config.makes_key() && name != asker {
            policy::close(&mut data.catalog);
        }
        let mine = Terms {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            question: text.clone(),
            asker: asker.clone(),
            compute,
            security: self.config.security,
            catalog: data.catalog.clone(),
            given: self.given(&data)?,
        };
        self.phase("exchanging catalogs");
        let Agreed { catalog, security, given } =
            terms::exchange(&*self.mesh, &self.names, &mine).map_err(|failure| match failure.nearness {
                // Terms reach everybody, so everybody sees for itself that they differ.
                Nearness::Peer => Stop::from(failure),
                _ => Stop::telling_all(failure),
            })?;

        policy::insist(&catalog, &data.catalog).map_err(|error| Stop::telling_all(Failure::own(error)))?;

        self.phase("planning");
        let (sql, compute) = (&question.sql, &mine.compute);
        let request = plan::Request { sql, catalog: &catalog, asker, compute, security };
        let plan = plan::plan(request).map_err(|error| fault(with_unread(error, name, &data.unread)))?;
        let asks = name == asker;
        let budgets = budget::budgets(&plan, &catalog, &given);
        if question.explain == Explain::Plan {
            let text = asks.then(|| cost::explain(&plan, self.config, &budgets, None)).transpose();
            return Ok(text.map_err(Failure::own)?.map_or(Last::Nothing, Last::Plan));
        }
        // Everybody knows the numbers, so everybody stops here, before a session.
        if let Some(budget) = budgets.iter().find(|budget| budget.is_spent()) {
            return Err(Failure::own(budget.spent()).into());
        }
        if self.config.show_bytes > 0 && asks {
            let for_people = Config { format: "table".to_owned(), ..self.config.clone() };
            (self.tell)(Event::Plan(
                cost::explain(&plan, &for_people, &budgets, None).map_err(Failure::own)?,
            ));
        }
        self.run(plan, &data, budgets, question.explain == Explain::Analyze)
    }

    fn load(&self, question: &Question) -> Result<LocalData, Stop> {
        let name = &self.config.name;
        let Some(dir) = &self.config.data else { return Ok(LocalData::none(name)) };
        engine::local::load(name, dir, |table| question.names(name, table)).map_err(|error| {
            let public = format!("its tables cannot be used; {name} itself was told why");
            Stop::telling(Failure::own(error.to_string()), public)
        })
    }

    /// How many answers this party gave of the tables that the question names and that have a limit.
    fn given(&self, data: &LocalData) -> Result<Given, Stop> {
        let mut given = match Ledger::of(self.config) {
            Some(ledger) if budget::limits(&data.catalog).next().is_some() => ledger.given(),
            _ => Ok(Given::default()),
        }
        .map_err(|error| self.stop_counting(error))?;
        given.0.retain(|name, _| budget::limits(&data.catalog).any(|(table, _)| table == name));
        Ok(given)
    }

    /// Counts an answer of each of this party's tables in the plan, before a share leaves.
    fn spend(&self, plan: &SecurePlan, data: &LocalData) -> Result<(), Stop> {
        let name = &self.config.name;
        // Also of those that no stage reads in the end: that they are named is what was allowed.
        let limited = budget::takes(plan, &data.catalog);
        let Some(ledger) = Ledger::of(self.config) else { return Ok(()) };
        ledger.spend(name, &limited).map_err(|spent| match spent.all {
            true => Stop::telling_all(Failure::own(spent.message)),
            false => self.stop_counting(spent.message),
        })
    }

    fn stop_counting(&self, error: String) -> Stop {
        let public = format!("{} cannot count its answers; it was told why", self.config.name);
        Stop::telling(Failure::own(error), public)
    }

    fn run(
        &self,
        plan: SecurePlan,
        data: &LocalData,
        budgets: Vec<Budget>,
        analyze: bool,
    ) -> Result<Last, Stop> {
        let [a, b, c] = plan.compute[..] else {
            let n = plan.compute.len();
            return Err(Failure::own(format!("{n} parties compute; replicated sharing takes three")).into());
        };
        let threads = self.config.threads.unwrap_or(Params::default().threads);
        let link = self.config.link().map_err(Failure::own)?.profile();
        let security = engine::session_security(plan.security);
        let params = Params { security, ..Params::over(link, threads) };
        let compute = [a, b, c].map(PartyId::from_index);

        let tells = !plan.telling_stages().is_empty();
        if tells {
            self.phase("filtering");
            self.spend(&plan, data)?;
        }
        let mut locals = data;
        let me = self.mesh.me().index();
        let mut locals = ToldStages::run(&plan, Some(me), &mut locals).map_err(|error| self.engine(error))?;
        let told = tells.then(|| rows::exchange(&*self.mesh, &self.names, &plan, locals.told()));
        let told = told.transpose().map_err(|failure| match failure.nearness {
            Nearness::Peer => Stop::from(failure),
            _ => Stop::telling_all(failure),
        })?;
        let plan = told.unwrap_or(plan);
        self.phase("computing on shares");
        let session = Session::establish(Arc::clone(&self.mesh), compute, &plan.digest(), params);
        let mut session = session.map_err(|error| self.protocol(error))?;
        if !tells {
            self.spend(&plan, data)?;
        }
        self.has_shared.set(true);
        let progress = (self.mesh.me() == compute[0]).then(|| {
            cost::Progress::start(&plan, self.config, Arc::clone(&self.mesh), Arc::clone(self.tell))
        });
        let outcome = engine::execute_measured(&mut session, &plan, &mut locals);
        drop(progress);
        let (opened, marks) = outcome.map_err(|error| self.engine(error))?;
        self.has_shared.set(false);
        let (stats, marks) = self.stats(&session, if analyze { &marks } else { &[] })?;
        let marks = analyze.then_some(marks);
        let ended = |opened| Last::Answer(Box::new(Ended { plan, opened, stats, budgets, marks }));
        Ok(opened.map_or(Last::Nothing, ended))
    }

    /// Everybody tells what it sent, and where it stood after each node; what they come to is the
    /// same everywhere.
    fn stats(&self, session: &Session, marks: &[Mark]) -> Result<(Stats, Vec<Mark>), Stop> {
        let mine = Share {
            rounds: session.rounds().into(),
            bytes_sent: self.mesh.traffic().payload_bytes_sent(),
            recorded_bytes_peak: session.recorded_bytes_peak() as u64,
            marks: marks.iter().map(|mark| self.told(mark)).collect(),
        };
        let mine = serde_json::to_vec(&mine).map_err(|error| Failure::own(error.to_string()))?;
        let all = net::exchange_documents(&*self.mesh, STATS, &mine, STATS_BYTES)
            .map_err(|error| Stop::telling_all(Failure::net(&error, &self.names)))?;
        let wall_ms = self.start.elapsed().as_millis() as u64;
        let (protocol, security) = ("rep3".to_owned(), session.security().name().to_owned());
        let mut stats = Stats { wall_ms, protocol, security, ..Stats::default() };
        let mut everybody = marks.to_vec();
        for (party, bytes) in all.iter().enumerate() {
            let bad = |_| Failure::own("a party's statistics cannot be read; do all run this version?");
            let share: Share = serde_json::from_slice(bytes.bytes()).map_err(bad)?;
            stats.rounds = stats.rounds.max(share.rounds);
            stats.bytes_sent = stats.bytes_sent.saturating_add(share.bytes_sent);
            stats.recorded_bytes_peak = stats.recorded_bytes_peak.max(share.recorded_bytes_peak);
            if party != self.mesh.me().index() {
                everybody
                    .iter_mut()
                    .zip(share.marks)
                    .for_each(|(mark, told)| *mark = mark.with(&told.mark(party)));
            }
        }
        Ok((stats, everybody))
    }

    fn told(&self, mark: &Mark) -> Told {
        let bytes_sent = mark.bytes_sent.get(self.mesh.me().index()).copied().unwrap_or(0);
        Told { rounds: mark.rounds, bytes_sent, elapsed_us: mark.elapsed.as_micros() as u64 }
    }

    /// A step that stopped.
    fn protocol(&self, error: ProtocolError) -> Stop {
        match &error {
            ProtocolError::Link { source, .. } => Stop::telling_all(Failure::net(source, &self.names)),
            other => {
                let message = net::with_names(&other.to_string(), &self.names);
                let deviated = matches!(other, ProtocolError::PeerDeviated { .. });
                let nearness = if deviated { Nearness::Peer } else { Nearness::Own };
                Stop::telling_all(Failure { message, nearness })
            }
        }
    }

    fn engine(&self, error: EngineError) -> Stop {
        let name = &self.config.name;
        let message = error.to_string();
        match error {
            EngineError::Protocol { source, .. } => self.protocol(source),
            EngineError::Local { source, .. } => {
                // The kind of failure is what the plan says that everybody may learn.
                let public = match source.downcast_ref::<LocalError>() {
                    Some(kind) => kind.to_string(),
                    None => format!("the part that {name} runs on its own rows failed"),
                };
                Stop::telling(Failure::own(source.to_string()), public)
            }
            EngineError::Data { .. } => Stop::telling(
                Failure::own(message),
                format!("the rows of {name} are not what its catalog says"),
            ),
            _ => Stop::telling(Failure::own(message.clone()), message),
        }
    }
}
