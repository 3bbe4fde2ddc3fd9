//! One party's side of a measurement.

use std::time::Instant;

use math::Z64;
use mpc::{ProtocolError, Session, Shared};
use serde::{Deserialize, Serialize};

use crate::usage::Usage;
use crate::workloads::{Run, Workload};

/// One repetition at one party.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Seconds from the barrier to this party's last step.
    pub wall_s: f64,
    /// Processor seconds of this party.
    pub cpu_s: f64,
    /// The longest chain of messages that ended here, at the start and at the end.
    pub clock: [u32; 2],
    /// Payload bytes that this party sent.
    pub bytes_sent: u64,
}

/// All repetitions at one party.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartyReport {
    /// The repetitions, in order.
    pub runs: Vec<RunReport>,
    /// The party's peak memory, in MiB.
    pub peak_rss_mib: f64,
    /// The most that it kept of products before it had proved them, in MiB.
    pub recorded_mib: f64,
}

/// Message latencies on the longest chain of one run, from the reports of all parties.
pub fn rounds(reports: &[PartyReport], run: usize) -> u32 {
    let latest = |at: usize| reports.iter().map(|report| report.runs[run].clock[at]).max().unwrap_or(0);
    latest(1) - latest(0)
}

/// Prepares `workload` once and runs it `n_runs` times after one run that does not count.
///
/// Before each run the compute parties meet at a barrier, so that no run is charged for the
/// parties' different starts.
///
/// # Errors
/// Whatever stops the protocol.
pub fn measure(
    s: &mut Session,
    workload: &Workload,
    rows: usize,
    n_runs: usize,
) -> Result<PartyReport, ProtocolError> {
    s.scope(workload.name, |s| {
        let mut run = s.scope("prepare", |s| (workload.prepare)(s, rows))?;
        let mut runs = Vec::with_capacity(n_runs);
        for number in 0..=n_runs {
            let report = s.scope(("run", number), |s| {
                barrier(s)?;
                let (rounds, sent, usage, start) = (s.rounds(), sent(s), Usage::now(), Instant::now());
                complete(s, &mut run)?;
                let wall_s = start.elapsed().as_secs_f64();
                Ok(RunReport {
                    wall_s,
                    cpu_s: Usage::now().cpu_s - usage.cpu_s,
                    clock: [rounds, s.rounds()],
                    bytes_sent: self::sent(s) - sent,
                })
            })?;
            if number > 0 {
                runs.push(report);
            }
        }
        let recorded_mib = s.recorded_bytes_peak() as f64 / f64::from(1 << 20);
        Ok(PartyReport { runs, peak_rss_mib: Usage::now().peak_rss_mib, recorded_mib })
    })
}

/// Runs once, up to the proof of all that was computed: nothing more in semi-honest sessions.
pub(crate) fn complete(s: &mut Session, run: &mut Run) -> Result<(), ProtocolError> {
    run(s)?;
    mpc::verify(s, ()).map(drop)
}

fn sent(s: &Session) -> u64 {
    s.cost().bytes_sent[s.me().index()]
}

/// Everybody has heard from everybody, twice: whoever was ahead before, all clocks are one then,
/// and all parties start within one latency.
pub(crate) fn barrier(s: &mut Session) -> Result<(), ProtocolError> {
    for lap in 0..2 {
        let token = Shared::constant(s, 1, Z64(0));
        let token = mpc::verify(s, token)?;
        mpc::check_zero(s, ("barrier", lap), token)?;
    }
    Ok(())
}
