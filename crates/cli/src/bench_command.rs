//! `junto bench`: workloads between three processes over TLS.

use std::sync::Arc;

use bench::{PartyReport, Setting};
use clap::Args;
use mpc::{Params, Session};
use net::{LinkProfile, Options, PartyId};
use plan::secure::Security;

use crate::link::Link;
use crate::security::security;
use crate::spawn::{self, Children};

/// Measures workloads between three processes over TLS.
#[derive(Args)]
pub struct Bench {
    /// Which workloads; all of them if none is named.
    workloads: Vec<String>,
    /// Rows per run, instead of each workload's own number.
    #[arg(long)]
    rows: Option<usize>,
    /// The link between the parties: loopback, lan, or wan:RTT_MS,MBIT_PER_S.
    #[arg(long, default_value = "loopback")]
    link: Link,
    /// Computing threads per party.
    #[arg(long)]
    threads: Option<usize>,
    /// Rows per chunk.
    #[arg(long)]
    chunk_rows: Option<usize>,
    /// Runs that count.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Against whom the run holds; of several, separated by commas, each after the other.
    #[arg(long, default_values_t = [Security::DEFAULT], value_delimiter = ',', value_parser = security())]
    security: Vec<Security>,
    /// How to print: for people, or one JSON object per line.
    #[arg(long, default_value = "table", value_parser = ["table", "json"])]
    format: String,
}

/// One process of `junto bench`.
#[derive(Args)]
pub struct BenchParty {
    #[arg(long)]
    name: String,
    #[arg(long)]
    workload: String,
    #[arg(long)]
    rows: usize,
    #[arg(long)]
    runs: usize,
    #[arg(long)]
    link: Link,
    #[arg(long)]
    threads: usize,
    #[arg(long)]
    chunk_rows: usize,
    #[arg(long, value_parser = security())]
    security: Security,
}

const PARTIES: [&str; 3] = ["p0", "p1", "p2"];

impl Bench {
    /// Runs every workload and prints its figures.
    ///
    /// # Errors
    /// What stopped a party, in a sentence.
    pub fn run(self) -> Result<(), String> {
        let names: Vec<&str> = match self.workloads.as_slice() {
            [] => bench::names().collect(),
            some => some.iter().map(String::as_str).collect(),
        };
        if let Some(unknown) = names.iter().find(|name| bench::by_name(name).is_none()) {
            let known: Vec<_> = bench::names().collect();
            return Err(format!("there is no workload {unknown:?}; there are {}", known.join(", ")));
        }
        let mut table = comfy_table::Table::new();
        table.set_header([
            "workload",
            "rows",
            "security",
            "median s",
            "foretold s",
            "min s",
            "max s",
            "cpu s",
            "rounds",
            "MB/party",
            "peak MiB",
            "recorded MiB",
        ]);
        let runs = names.iter().flat_map(|name| self.security.iter().map(move |security| (name, *security)));
        let mut last = None;
        for (name, security) in runs {
            let figures = self.measure(name, security)?;
            if self.format == "json" {
                println!("{}", serde_json::to_string(&figures).map_err(|error| error.to_string())?);
                continue;
            }
            table.add_row([
                figures.workload,
                figures.rows.to_string(),
                figures.security,
                format!("{:.4}", figures.median_s),
                format!("{:.4}", figures.predicted_s),
                format!("{:.4}", figures.min_s),
                format!("{:.4}", figures.max_s),
                format!("{:.3}", figures.cpu_s),
                figures.rounds.to_string(),
                format!("{:.3}", figures.bytes_per_party as f64 / 1e6),
                format!("{:.0}", figures.peak_rss_mib),
                format!("{:.1}", figures.recorded_mib),
            ]);
            let bench::Figures { cpu, link, threads, commit, .. } = figures;
            last = Some(format!("{cpu} · link {link} · {threads} threads · commit {commit}"));
        }
        if let Some(setting) = last {
            eprintln!("{setting}");
        }
        if self.format != "json" {
            println!("{table}");
        }
        Ok(())
    }

    fn measure(&self, name: &str, security: Security) -> Result<bench::Figures, String> {
        let workload = bench::by_name(name).ok_or("a workload that exists")?;
        let rows = self.rows.unwrap_or(workload.default_rows);
        let defaults = Params::default();
        let threads = self.threads.unwrap_or(defaults.threads).max(1);
        let chunk_rows = self.chunk_rows.unwrap_or(defaults.chunk_rows);
        let party = |party: &&str| {
            let arguments = [
                "bench-party".to_owned(),
                format!("--name={party}"),
                format!("--workload={name}"),
                format!("--rows={rows}"),
                format!("--runs={}", self.runs),
                format!("--link={}", self.link),
                format!("--threads={threads}"),
                format!("--chunk-rows={chunk_rows}"),
                format!("--security={security}"),
            ];
            ((*party).to_owned(), arguments.to_vec())
        };
        let mut children = Children::start(PARTIES.iter().map(party).collect())?;
        children.introduce();
        let mut reports = Vec::with_capacity(PARTIES.len());
        for outcome in children.finish() {
            let report = serde_json::from_str::<PartyReport>(outcome.stdout.trim());
            match report {
                Ok(report) if outcome.status.success() => reports.push(report),
                _ => return Err(format!("{name}: {}: {}", outcome.name, outcome.stderr.trim())),
            }
        }
        let link = self.link.profile();
        let security_level = engine::session_security(security);
        let params = Params { security: security_level, chunk_rows, ..Params::over(link, threads) };
        let cost = bench::count(workload, rows, params).map_err(|error| error.to_string())?;
        let busiest = cost.bytes_sent.iter().copied().max().unwrap_or(0);
        let setting = Setting {
            workload: name.to_owned(),
            rows,
            security: security.to_string(),
            link: self.link.to_string(),
            threads,
            commit: env!("JUNTO_COMMIT").to_owned(),
            predicted_s: bench::seconds(cost.rounds.into(), busiest, &link),
        };
        bench::summary(setting, &reports).ok_or_else(|| format!("{name}: no run was reported"))
    }
}

impl BenchParty {
    /// One party's side: prints its report as JSON.
    ///
    /// # Errors
    /// What stopped it, in a sentence.
    pub fn run(self) -> Result<(), String> {
        let workload = bench::by_name(&self.workload)
            .ok_or_else(|| format!("there is no workload {:?}", self.workload))?;
        if self.chunk_rows == 0 || !self.chunk_rows.is_multiple_of(512) {
            return Err(format!("--chunk-rows {} is no multiple of 512", self.chunk_rows));
        }
        let link: LinkProfile = self.link.profile();
        let (mesh, _) = spawn::meet(&self.name, Options { link, ..Options::default() })?;
        let mesh: Arc<dyn net::Mesh> = Arc::new(mesh);
        let (security, chunk_rows) = (engine::session_security(self.security), self.chunk_rows);
        let params = Params { security, chunk_rows, ..Params::over(link, self.threads) };
        let compute = [0, 1, 2].map(PartyId::from_index);
        let report = Session::establish(Arc::clone(&mesh), compute, &[0; 32], params)
            .and_then(|mut session| bench::measure(&mut session, workload, self.rows, self.runs))
            .map_err(|error| {
                mesh.abort("the measurement failed");
                error.to_string()
            })?;
        mesh.finish().map_err(|error| error.to_string())?;
        println!("{}", serde_json::to_string(&report).map_err(|error| error.to_string())?);
        Ok(())
    }
}
