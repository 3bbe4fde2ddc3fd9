//! Each party's process opens its own party's files alone, and what goes over
//! the wire is TLS: shown by tracing every system call of a run.
#![cfg(target_os = "linux")]

mod common;
#[path = "common/trace.rs"]
mod trace;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::process::Stdio;

use common::Town;

#[test]
fn a_party_opens_no_other_partys_files_and_the_wire_carries_tls_only() {
    let town = Town::new(&[
        ("bank", &[("accounts.csv", "id,balance\n1,10.50\n2,20.25\n3,-5.00\n"), ("catalog.toml", "")]),
        ("telecom", &[("subscribers.csv", "id,plan\n1,basic\n2,plus\n3,basic\n")]),
        ("retailer", &[("purchases.csv", "id,amount\n1,5\n3,8\n")]),
        ("hospital", &[("patients.csv", "id,age\n1,50\n3,80\n")]),
    ]);
    let question = "SELECT s.plan, SUM(a.balance) AS total FROM bank.accounts a \
                    JOIN telecom.subscribers s ON a.id = s.id GROUP BY s.plan ORDER BY s.plan";
    let mut command = town.sql(&["--format=csv", "--threads=2", question]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let (mut child, trace) = trace::run(command).expect("this system lets a process trace its children");
    let (mut stdout, mut stderr) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(stdout, "plan,total\nbasic,5.50\nplus,20.25\n", "{stderr}");

    // Which directories each process opened, or opened anything of.
    let mut by_process: BTreeMap<i32, BTreeSet<&str>> = BTreeMap::new();
    let parties = ["bank", "telecom", "retailer", "hospital"];
    for (process, path) in &trace.opened {
        for party in parties {
            let home = format!("{}/", town.home(party).display());
            if format!("{path}/").starts_with(&home) {
                by_process.entry(*process).or_default().insert(party);
            }
        }
    }
    let opened: BTreeSet<BTreeSet<&str>> = by_process.values().cloned().collect();
    let alone: BTreeSet<BTreeSet<&str>> = parties.iter().map(|party| BTreeSet::from([*party])).collect();
    assert_eq!((opened, by_process.len()), (alone, parties.len()));
    assert!(!by_process.contains_key(&(child.id() as i32)), "the parent opened a party's files");

    // Four parties, two connections per pair, each written to from one end at least.
    assert_eq!(trace.unfollowed, [0i64; 0]);
    let mut n_encrypted = 0;
    for ((process, socket), bytes) in &trace.sent {
        let records = net::tap::tls_records(bytes)
            .unwrap_or_else(|error| panic!("process {process}, socket {socket}: {error}"));
        n_encrypted += usize::from(records.iter().any(|record| record.kind == 23));
        assert!(!bytes.windows(5).any(|window| window == b"basic"), "a value in clear");
    }
    assert!(n_encrypted >= 12, "{n_encrypted} connections with encrypted records");
}
