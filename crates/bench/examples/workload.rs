//! One workload between three parties over TLS, each a thread of this process: for work on the
//! crates below `plan`, whose cycle need not wait for the command line to link.
//!
//! ```sh
//! cargo run --release -p bench --example workload -- sort 100000
//! ```
//!
//! `junto bench` runs processes and is what gets published; times agree with it to a few percent.

use std::error::Error;
use std::net::TcpListener;
use std::sync::Arc;

use bench::{PartyReport, by_name, measure, rounds};
use mpc::{Params, Security, Session};
use net::{Identity, LinkProfile, Mesh, Options, PartyId, Peer, TlsMesh};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let name = args.next().ok_or("usage: workload NAME [ROWS [RUNS [THREADS [CHUNK_ROWS [SECURITY]]]]]")?;
    let workload = by_name(&name).ok_or("no such workload")?;
    let mut number = |default: usize| args.next().map_or(Ok(default), |arg| arg.parse::<usize>());
    let (rows, runs, threads) = (number(workload.default_rows)?, number(5)?, number(0)?);
    let threads = if threads == 0 { Params::default().threads } else { threads };
    let chunk_rows = number(Params::default().chunk_rows)?;
    let security = match args.next().as_deref() {
        None | Some("semi-honest") => Security::SemiHonest,
        Some("malicious") => Security::Malicious,
        Some(_) => return Err("security is semi-honest or malicious".into()),
    };
    let params = Params { chunk_rows, security, ..Params::over(LinkProfile::INSTANT, threads) };

    let listeners = (0..3).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<Result<Vec<_>, _>>()?;
    let identities = (0..3).map(|_| Identity::generate()).collect::<Result<Vec<_>, _>>()?;
    let mut peers = Vec::new();
    for (listener, identity) in listeners.iter().zip(&identities) {
        let addr = listener.local_addr()?.to_string();
        peers.push(Peer { name: format!("p{}", peers.len()), addr, key: identity.public_key() });
    }
    let party = |me: usize| -> Result<PartyReport, Box<dyn Error + Send + Sync>> {
        let id = PartyId::from_index(me);
        let mesh = TlsMesh::connect(&listeners[me], &identities[me], id, &peers, &Options::default())?;
        let mesh: Arc<dyn Mesh> = Arc::new(mesh);
        let compute = [0, 1, 2].map(PartyId::from_index);
        let mut session = Session::establish(Arc::clone(&mesh), compute, &[0; 32], params)?;
        let report = measure(&mut session, workload, rows, runs)?;
        mesh.finish()?;
        Ok(report)
    };
    let reports = std::thread::scope(|scope| {
        let party = &party;
        let spawn = |me| scope.spawn(move || party(me));
        let threads: Vec<_> = (0..3).map(spawn).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no party panics"))
            .collect::<Result<Vec<_>, _>>()
    })
    .map_err(|error| error.to_string())?;

    let walls = (0..runs).map(|run| reports.iter().map(|report| report.runs[run].wall_s).fold(0.0, f64::max));
    let mut walls: Vec<f64> = walls.collect();
    walls.sort_by(f64::total_cmp);
    // Processor time is that of the process, and so of all parties.
    let mut cpus: Vec<f64> = reports[0].runs.iter().map(|run| run.cpu_s).collect();
    cpus.sort_by(f64::total_cmp);
    let last = &reports[0].runs[runs - 1];
    println!(
        "{name} {rows}: {:.4} s ({:.4} to {:.4}), {:.3} CPU-s, {} rounds, {:.2} MB sent, {:.0} MiB in all, {:.1} MiB recorded",
        walls[runs / 2],
        walls[0],
        walls[runs - 1],
        cpus[runs / 2],
        rounds(&reports, runs - 1),
        last.bytes_sent as f64 / 1e6,
        reports[0].peak_rss_mib,
        reports.iter().map(|report| report.recorded_mib).fold(0.0, f64::max),
    );
    Ok(())
}
