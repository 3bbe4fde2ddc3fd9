//! The parties' reports as one set of figures.

use serde::Serialize;

use crate::measure::{PartyReport, rounds};

/// What is published of one workload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// The workload's name.
    pub workload: String,
    /// Rows per run.
    pub rows: usize,
    /// The sharing that ran.
    pub protocol: String,
    /// Against whom it holds.
    pub security: String,
    /// The link between the parties.
    pub link: String,
    /// Computing threads per party.
    pub threads: usize,
    /// Seconds of the slowest party: the median of the runs.
    pub median_s: f64,
    /// What the counting session and the link's profile foretell.
    pub predicted_s: f64,
    /// The fastest run.
    pub min_s: f64,
    /// The slowest run.
    pub max_s: f64,
    /// Processor seconds of all parties: the median of the runs.
    pub cpu_s: f64,
    /// The longest chain of messages.
    pub rounds: u32,
    /// Payload bytes that the busiest party sent.
    pub bytes_per_party: u64,
    /// The largest party's peak memory, in MiB.
    pub peak_rss_mib: f64,
    /// The most that a party kept of products before it had proved them, in MiB.
    pub recorded_mib: f64,
    /// The processor's name.
    pub cpu: String,
    /// The source that was built.
    pub commit: String,
}

/// The circumstances of a measurement.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The workload's name.
    pub workload: String,
    /// Rows per run.
    pub rows: usize,
    /// Against whom the run holds.
    pub security: String,
    /// The link between the parties.
    pub link: String,
    /// Computing threads per party.
    pub threads: usize,
    /// The source that was built.
    pub commit: String,
    /// Foretold seconds.
    pub predicted_s: f64,
}

/// Puts the reports of all parties together. `None` without a party or a run, or if parties
/// report different numbers of runs.
pub fn summary(setting: Setting, reports: &[PartyReport]) -> Option<Figures> {
    let n_runs = reports.first()?.runs.len();
    if n_runs == 0 || reports.iter().any(|report| report.runs.len() != n_runs) {
        return None;
    }
    let each_run = |f: &dyn Fn(usize) -> f64| {
        let mut values: Vec<f64> = (0..n_runs).map(f).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let slowest = |run: usize| reports.iter().map(|report| report.runs[run].wall_s).fold(0.0, f64::max);
    let walls = each_run(&slowest);
    let cpu = each_run(&|run| reports.iter().map(|report| report.runs[run].cpu_s).sum());
    let all = || reports.iter().flat_map(|report| &report.runs);
    let largest =
        |mib: fn(&PartyReport) -> f64| (reports.iter().map(mib).fold(0.0, f64::max) * 10.0).round() / 10.0;
    let round = |seconds: f64| (seconds * 1e6).round() / 1e6;
    Some(Figures {
        workload: setting.workload,
        rows: setting.rows,
        protocol: "rep3".to_owned(),
        security: setting.security,
        link: setting.link,
        threads: setting.threads,
        median_s: round(walls[n_runs / 2]),
        predicted_s: round(setting.predicted_s),
        min_s: round(walls[0]),
        max_s: round(walls[n_runs - 1]),
        cpu_s: round(cpu[n_runs / 2]),
        rounds: (0..n_runs).map(|run| rounds(reports, run)).max()?,
        bytes_per_party: all().map(|run| run.bytes_sent).max()?,
        peak_rss_mib: largest(|report| report.peak_rss_mib),
        recorded_mib: largest(|report| report.recorded_mib),
        cpu: cpu_name(),
        commit: setting.commit,
    })
}

/// The processor's name, as the operating system gives it.
fn cpu_name() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
    format!(
        "{} x {}",
        std::thread::available_parallelism().map_or(1, usize::from),
        name.unwrap_or("unknown").trim()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::RunReport;

    fn setting() -> Setting {
        let text = |text: &str| text.to_owned();
        Setting {
            workload: text("sort"),
            rows: 7,
            security: text("semi-honest"),
            link: text("loopback"),
            threads: 2,
            commit: text("c"),
            predicted_s: 1.0,
        }
    }

    fn report(walls: &[f64], cpu_s: f64, bytes_sent: u64) -> PartyReport {
        let run = |wall_s: &f64| RunReport {
            wall_s: *wall_s,
            cpu_s,
            clock: [2, 2 + bytes_sent as u32 / 10],
            bytes_sent,
        };
        PartyReport { runs: walls.iter().map(run).collect(), peak_rss_mib: cpu_s, recorded_mib: 2.0 * cpu_s }
    }

    #[test]
    fn the_slowest_party_counts_and_the_median_run_is_quoted() {
        let reports = [report(&[1.0, 5.0, 3.0], 0.5, 10), report(&[2.0, 1.0, 1.0], 1.5, 20)];
        let figures = summary(setting(), &reports).expect("both ran three times");
        assert_eq!((figures.min_s, figures.median_s, figures.max_s), (2.0, 3.0, 5.0));
        assert_eq!((figures.cpu_s, figures.rounds, figures.bytes_per_party), (2.0, 2, 20));
        assert_eq!((figures.peak_rss_mib, figures.recorded_mib), (1.5, 3.0));
    }

    #[test]
    fn reports_that_do_not_fit_together_give_nothing() {
        assert_eq!(summary(setting(), &[]), None);
        assert_eq!(summary(setting(), &[report(&[], 1.0, 1)]), None);
        assert_eq!(summary(setting(), &[report(&[1.0], 1.0, 1), report(&[1.0, 2.0], 1.0, 1)]), None);
    }
}
