//! The parties' processes: they die with their parent, and the death of one is
//! told by name.
#![cfg(target_os = "linux")]

mod common;

use std::io::Read;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::Town;

/// Long enough a link that the run is under way for as long as a test needs.
const SLOW: &str = "--link=wan:3000,1";
const QUESTION: &str = "SELECT s.plan, SUM(a.balance) FROM bank.accounts a JOIN telecom.subscribers s ON a.id = s.id GROUP BY s.plan";

/// The processes whose parent is `parent`, with their command lines.
fn children(parent: u32) -> Vec<(u32, String)> {
    let processes = std::fs::read_dir("/proc").expect("a proc file system").flatten();
    let child = |entry: std::fs::DirEntry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let ppid: u32 = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        let command = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
        (ppid == parent).then_some((pid, command))
    };
    processes.filter_map(child).collect()
}

fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim().starts_with('Z')))
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A run with three processes that have met and compute.
fn under_way(town: &Town) -> (Child, Vec<(u32, String)>) {
    let mut command = town.sql(&[SLOW, QUESTION]);
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    wait_until("three parties run", || children(run.id()).len() == 3);
    let parties = children(run.id());
    // Each talks with two others, in a connection per direction, besides its listener.
    let has_met = |pid: u32| {
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let is_socket = |file: &std::fs::DirEntry| {
            std::fs::read_link(file.path()).is_ok_and(|link| link.to_string_lossy().starts_with("socket:"))
        };
        files.filter(is_socket).count() >= 5
    };
    wait_until("all have met", || parties.iter().all(|(pid, _)| has_met(*pid)));
    std::thread::sleep(Duration::from_millis(300));
    (run, parties)
}

fn kill(pid: u32) {
    // SAFETY: the call takes two numbers; the process is a child of the test's own child.
    unsafe { libc::kill(pid as i32, libc::SIGKILL) };
}

#[test]
fn parties_die_with_their_parent() {
    let town = Town::small();
    let (mut run, parties) = under_way(&town);
    run.kill().unwrap();
    run.wait().unwrap();
    wait_until("no party runs any more", || parties.iter().all(|(pid, _)| !is_running(*pid)));
}

#[test]
fn a_killed_party_is_named_and_ends_the_run() {
    let town = Town::small();
    let (mut run, parties) = under_way(&town);
    let start = Instant::now();
    kill(nth_started(&parties, 0));
    let (mut stdout, mut stderr) = (String::new(), String::new());
    run.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    run.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let status = run.wait().unwrap();
    assert_eq!((status.code(), stdout.as_str()), (Some(1), ""));
    let message = stderr.lines().last().unwrap_or_default();
    assert_eq!(message, "junto: the process of bank ended (signal: 9 (SIGKILL)) and gave no reason");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    wait_until("no party runs any more", || parties.iter().all(|(pid, _)| !is_running(*pid)));
}

/// A party that is stopped, not dead, is noticed by its silence.
#[test]
fn a_silent_party_is_named_and_ends_the_run() {
    let town = Town::small();
    let (mut run, parties) = under_way(&town);
    let telecom = nth_started(&parties, 1);
    // SAFETY: the call takes two numbers; the process is a child of the test's own child.
    unsafe { libc::kill(telecom as i32, libc::SIGSTOP) };
    let (mut stdout, mut stderr) = (String::new(), String::new());
    run.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    run.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let status = run.wait().unwrap();
    assert_eq!((status.code(), stdout.as_str()), (Some(1), ""));
    let message = stderr.lines().last().unwrap_or_default();
    // On a busy machine a handshake may still have been under way.
    let expected = ["junto: telecom is silent since ", "junto: telecom (telecom at "];
    assert!(expected.iter().any(|expected| message.starts_with(expected)), "{message}");
    wait_until("no party runs any more", || parties.iter().all(|(pid, _)| !is_running(*pid)));
}

/// The party that was started as the nth, from 0; parties are started in order.
fn nth_started(parties: &[(u32, String)], nth: usize) -> u32 {
    let mut pids: Vec<u32> = parties.iter().map(|(pid, _)| *pid).collect();
    pids.sort_by_key(|pid| start_time(*pid));
    pids[nth]
}

/// When a process was started, in ticks since the machine was.
fn start_time(pid: u32) -> (u64, u32) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let ticks = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(19)?.parse().ok());
    (ticks.unwrap_or(u64::MAX), pid)
}

/// Without a signal, the end of its input tells a party that nobody waits for it.
#[test]
fn a_party_whose_parent_is_silent_stops() {
    let town = Town::small();
    let config = town.path().join("party.toml");
    let text = "name = \"bank\"\nlisten = \"127.0.0.1:0\"\nkey = \"generate\"\nquestion = \"SELECT 1\"\nasker = \"bank\"\n";
    std::fs::write(&config, text).unwrap();
    let config = format!("--config={}", config.display());
    let mut command = common::junto(&["party", "--spawned", &config]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut party = command.spawn().unwrap();
    drop(party.stdin.take());
    let mut stdout = String::new();
    party.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert!(!party.wait().unwrap().success());
    let hello: serde_json::Value = stdout
        .lines()
        .find_map(|line| {
            serde_json::from_str(line).ok().filter(|v: &serde_json::Value| v["public_key"].is_string())
        })
        .unwrap();
    assert_eq!(hello["name"], "bank");
    assert_eq!(hello["public_key"].as_str().map(str::len), Some(64));
}
