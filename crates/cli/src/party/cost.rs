//! What a plan costs: foretold for `EXPLAIN`, and beside what was sent while it runs.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use engine::output::{Format, human_bytes};
use mpc::{Params, Session};
use net::{Mesh, PartyId};
use plan::explain::{Cost, CostTable};
use plan::secure::SecurePlan;

use super::ask::Tell;
use super::budget::{self, Budget};
use super::config::Config;
use crate::event::Event;

/// How often progress is told, after a first second without.
const BEAT: Duration = Duration::from_millis(500);

/// The plan, each operator with its rounds, bytes and estimated time: as text, or as JSON
/// where that is the answer's form.
pub(super) fn explain(plan: &SecurePlan, config: &Config, budgets: &[Budget]) -> Result<String, String> {
    let link = config.link()?.profile();
    let mut costs = CostTable::new();
    let (mut all_rounds, mut all_bytes, mut all_seconds) = (0, 0, 0.0);
    for (node, cost) in price(plan, config)? {
        let (rounds, bytes_per_party) = (u64::from(cost.rounds), cost.bytes_sent);
        let seconds = bench::seconds(rounds, bytes_per_party.iter().copied().max().unwrap_or(0), &link);
        all_rounds += rounds;
        all_bytes += bytes_per_party.iter().sum::<u64>();
        all_seconds += seconds;
        if let Some(node) = node {
            costs.insert(node, Cost { rounds, bytes_per_party, seconds });
        }
    }
    if config.format()? == Format::Json {
        let mut json = plan.explain_json(&costs);
        json["answers"] = serde_json::json!(budgets);
        return Ok(format!("{json}\n"));
    }
    let (text, sent) = (plan.explain(&costs), human_bytes(all_bytes));
    let link = &config.link;
    let budgets = budget::explain(budgets);
    Ok(format!(
        "{text}{budgets}In all about {all_rounds} rounds, {sent} sent, {all_seconds:.3} s on link {link}\n"
    ))
}

/// Rounds and bytes of each node, and of opening the answer under `None`.
fn price(
    plan: &SecurePlan,
    config: &Config,
) -> Result<std::collections::BTreeMap<Option<usize>, engine::NodeCost>, String> {
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
            let (Ok(costs), Some(me)) = (price(&plan, &config), me) else { return };
            let expected = costs.values().filter_map(|cost| cost.bytes_sent.get(me)).sum();
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
