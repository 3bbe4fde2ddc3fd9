//! What a run will take, from what the counting session says of it.

use mpc::{Cost, Params, ProtocolError, Session};
use net::{LinkProfile, PartyId};

use crate::measure::{barrier, complete};
use crate::workloads::Workload;

/// How long a round takes where nothing is simulated: measured on loopback with TLS.
const ROUND_S: f64 = 100e-6;
/// Bytes that one party masks, encrypts and sends in a second, three parties on two cores.
const BYTES_PER_S: f64 = 250e6;

/// Seconds that a computation of `rounds` rounds takes, in which the busiest party sends `bytes`.
///
/// Rounds wait for the link's delay and then for its bandwidth: chunks in flight hide the one
/// behind the other only within a step. So this is an upper estimate of waiting; local work
/// counts where the link is faster than the processor.
pub fn seconds(rounds: u64, bytes: u64, link: &LinkProfile) -> f64 {
    let per_round = (link.delay + link.jitter / 2).as_secs_f64() + ROUND_S;
    let per_s = link.bits_per_second.map_or(BYTES_PER_S, |bits| (bits as f64 / 8.0).min(BYTES_PER_S));
    rounds as f64 * per_round + bytes as f64 / per_s
}

/// What one run of `workload` costs, as a session without inputs counts it: a second one, since
/// [`crate::measure`] does not measure the first either, and parties whose clocks differ at the
/// start may take a round less.
///
/// # Errors
/// Whatever stops the protocol.
pub fn count(workload: &Workload, rows: usize, params: Params) -> Result<Cost, ProtocolError> {
    let compute = [0, 1, 2].map(PartyId::from_index);
    let mut s = Session::count(params, 3, compute);
    let mut run = s.scope("prepare", |s| (workload.prepare)(s, rows))?;
    s.scope("first", |s| barrier(s).and_then(|()| complete(s, &mut run)))?;
    s.scope("barrier", barrier)?;
    let before = s.cost();
    s.scope("run", |s| complete(s, &mut run))?;
    let after = s.cost();
    let bytes = after.bytes_sent.iter().zip(&before.bytes_sent).map(|(after, before)| after - before);
    Ok(Cost { rounds: after.rounds - before.rounds, bytes_sent: bytes.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn latency_and_bandwidth_add_up() {
        let link = LinkProfile::wan(150, 100);
        assert!((seconds(10, 0, &link) - 0.75).abs() < 0.002);
        assert!((seconds(0, 12_500_000, &link) - 1.0).abs() < 0.001);
        let jittery = LinkProfile { jitter: Duration::from_millis(20), ..link };
        assert!((seconds(10, 0, &jittery) - 0.85).abs() < 0.002);
    }

    #[test]
    fn what_is_counted_is_what_runs() {
        use mpc::Security::{self, Malicious, SemiHonest};
        use mpc::lab::Lab;
        // Few enough rows that sorts compare all pairs, which no random order changes.
        const ROWS: usize = 40;
        let semi_honest = ["multiply", "dot", "less-than", "equality", "shuffle", "join", "group-by"];
        let checked = ["less-than", "equality"];
        let all = semi_honest.map(|name| (name, SemiHonest)).into_iter();
        for (name, security) in all.chain(checked.map(|name| (name, Malicious))) {
            let workload = crate::by_name(name).expect("a listed name");
            let params = Params { security, chunk_rows: 512, ..Params::default() };
            let counted = count(workload, ROWS, params).expect("counting succeeds");
            let lab = Lab::seeded(1).security(security);
            let reports = lab.run(|s| crate::measure(s, workload, ROWS, 1)).all();
            let rounds = crate::rounds(&reports, 0);
            let bytes: Vec<u64> = reports.iter().map(|report| report.runs[0].bytes_sent).collect();
            assert_eq!(
                (rounds, bytes),
                (counted.rounds, counted.bytes_sent),
                "{name}, {}",
                Security::name(security)
            );
        }
    }

    /// On a long link waiting is most of the time, so that a loaded machine does not show.
    #[test]
    fn a_slow_link_takes_the_time_foretold() {
        use mpc::lab::Lab;
        let link = LinkProfile::wan(100, 20);
        let params = Params { threads: 1, in_flight: 32, chunk_rows: 512, ..Params::default() };
        for (name, rows) in [("less-than", 4000), ("sort", 60), ("shuffle", 20_000)] {
            let workload = crate::by_name(name).expect("a listed name");
            let cost = count(workload, rows, params).expect("counting succeeds");
            let busiest = cost.bytes_sent.iter().max().expect("three");
            let foretold = seconds(cost.rounds.into(), *busiest, &link);
            let lab = Lab::seeded(1).params(&[params]).link(link);
            let reports = lab.run(|s| crate::measure(s, workload, rows, 1)).all();
            let took = reports.iter().map(|report| report.runs[0].wall_s).fold(0.0, f64::max);
            assert!((took / foretold - 1.0).abs() < 0.25, "{name}: {took:.3} s instead of {foretold:.3} s");
        }
    }
}
