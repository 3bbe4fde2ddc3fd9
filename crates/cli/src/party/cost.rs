//! What a plan costs: foretold for `EXPLAIN`, and beside what was sent while it runs.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use engine::Mark;
use engine::output::{Format, human_bytes};
use mpc::{Params, Session};
use net::{Mesh, PartyId};
use plan::explain::{Cost, Costs, Prices};
use plan::secure::SecurePlan;

use super::ask::Tell;
use super::budget::{self, Budget};
use super::config::Config;
use crate::event::Event;

/// How often progress is told, after a first second without.
const BEAT: Duration = Duration::from_millis(500);

/// The plan, each operator with its rounds, bytes and estimated time, and what `measured` says it
/// took: as text, or as JSON where that is the answer's form.
pub(super) fn explain(
    plan: &SecurePlan,
    config: &Config,
    budgets: &[Budget],
    measured: Option<&[Mark]>,
) -> Result<String, String> {
    let prices = Prices {
        link: config.link.clone(),
        estimated: Some(costs(&price(plan, config)?)),
        measured: measured.map(costs),
    };
    if config.format()? == Format::Json {
        let mut json = plan.explain_json(&prices);
        json["answers"] = serde_json::json!(budgets);
        return Ok(format!("{json}\n"));
    }
    let mut text = plan.explain(&prices) + &budget::explain(budgets);
    let shown = [("about", &prices.estimated), ("measured", &prices.measured)];
    for (how, total) in shown.into_iter().filter_map(|(how, costs)| Some((how, costs.as_ref()?.total()))) {
        let Cost { rounds, bytes_per_party, seconds } = total;
        let (sent, link) = (human_bytes(bytes_per_party.iter().sum()), &prices.link);
        text += &format!("In all {how} {rounds} rounds, {sent} sent, {seconds:.3} s on link {link}\n");
    }
    Ok(text)
}

/// What each node took by itself, of where a run stood after each.
fn costs(marks: &[Mark]) -> Costs {
    let mut costs = Costs::default();
    let mut before = Mark::default();
    for mark in marks {
        let Mark { rounds, bytes_sent, elapsed, .. } = mark.since(&before);
        let cost =
            Cost { rounds: rounds.into(), bytes_per_party: bytes_sent, seconds: elapsed.as_secs_f64() };
        match mark.node {
            Some(node) => drop(costs.nodes.insert(node, cost)),
            None => costs.answer = cost,
        }
        before = mark.clone();
    }
    costs
}

/// Where a session without inputs stands after each node, over the link that all parties agree on.
fn price(plan: &SecurePlan, config: &Config) -> Result<Vec<Mark>, String> {
    let [a, b, c] = plan.compute[..] else {
        return Err(format!("{} parties compute; replicated sharing takes three", plan.compute.len()));
    };
    let compute = [a, b, c].map(PartyId::from_index);
    let link = config.link()?.profile();
    let params = Params {
        security: engine::session_security(plan.security),
        ..Params::over(link, config.threads.unwrap_or(Params::default().threads))
    };
    let mut session = Session::count(params, plan.parties.len(), compute);
    engine::price(&mut session, plan).map_err(|error| error.to_string())
}

/// Tells how far a run is until it is dropped.
pub(super) struct Progress {
    // Dropped first, which ends the thread's wait.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts telling after a second, so that short runs price nothing.
    pub(super) fn start(plan: &SecurePlan, config: &Config, mesh: Arc<dyn Mesh>, tell: Tell) -> Progress {
        let (stop, stopped) = mpsc::channel();
        let (plan, config) = (plan.clone(), config.clone());
        let me = plan.parties.iter().position(|name| *name == config.name);
        let tell_all = move || {
            let waits = |time| stopped.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
            if !waits(Duration::from_secs(1)) {
                return;
            }
            let (Ok(marks), Some(me)) = (price(&plan, &config), me) else { return };
            let all = marks.last().and_then(|mark| mark.bytes_sent.get(me));
            let expected = all.copied().unwrap_or(0);
            while waits(BEAT) {
                tell(Event::Progress { sent: mesh.traffic().payload_bytes_sent(), expected });
            }
        };
        let thread = std::thread::Builder::new().name("progress".to_owned()).spawn(tell_all).ok();
        Progress { stop: Some(stop), thread }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
