//! Parties as child processes on this machine: each makes its own key, all meet over TLS on
//! the loopback interface, and all die with their parent.
//!
//! A child prints its public half, [`Hello`], as one line of JSON. The parent sends everybody
//! the list of all. What a child prints after that is its result. Private keys never leave
//! the process that made them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use net::{Identity, Options, PartyId, Peer, TlsMesh};
use serde::{Deserialize, Serialize};

use crate::event::Failure;

/// The public half of a party: what the others need to meet it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// Its name.
    pub name: String,
    /// Where it listens: `host:port`.
    pub address: String,
    /// Its public key, in hexadecimal digits.
    pub public_key: String,
}

/// What a child process came to.
pub struct Outcome {
    /// The party's name.
    pub name: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Whether it had to be ended because another had failed.
    pub was_ended: bool,
    /// What it printed after its public half.
    pub stdout: String,
    /// What it said to people.
    pub stderr: String,
}

/// The parent's side: running children, one per party.
pub struct Children {
    running: Vec<Running>,
}

struct Running {
    name: String,
    child: Child,
    // Held open: its end tells the child that the parent is gone.
    stdin: ChildStdin,
    stdout: BufReader<std::process::ChildStdout>,
    /// What it said instead of its public half.
    said: String,
    /// Whether it had to be ended.
    was_ended: bool,
    stderr: JoinHandle<String>,
}

impl Children {
    /// Starts this program once per party with the given arguments.
    ///
    /// # Errors
    /// If a process cannot be started; those that were are ended.
    pub fn start(parties: Vec<(String, Vec<String>)>) -> Result<Children, String> {
        let program =
            std::env::current_exe().map_err(|error| format!("cannot find this program's file: {error}"))?;
        let mut running = Vec::with_capacity(parties.len());
        for (name, arguments) in parties {
            let mut child = Command::new(&program)
                .args(&arguments)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .map_err(|error| format!("cannot start a process for {name}: {error}"))?;
            let (Some(stdin), Some(stdout), Some(mut stderr)) =
                (child.stdin.take(), child.stdout.take(), child.stderr.take())
            else {
                return Err(format!("cannot talk to the process of {name}"));
            };
            let stderr = std::thread::spawn(move || {
                let mut text = String::new();
                let _ = stderr.read_to_string(&mut text);
                text
            });
            let (stdout, said) = (BufReader::new(stdout), String::new());
            running.push(Running { name, child, stdin, stdout, said, was_ended: false, stderr });
        }
        Ok(Children { running })
    }

    /// Collects everybody's public half and tells it to all. A child that ends before it says
    /// anything is left for [`Children::finish`] to report.
    pub fn introduce(&mut self) {
        let mut roster = Vec::with_capacity(self.running.len());
        for running in &mut self.running {
            let mut line = String::new();
            let hello = running
                .stdout
                .read_line(&mut line)
                .ok()
                .and_then(|_| serde_json::from_str::<Hello>(&line).ok());
            let Some(hello) = hello else {
                running.said = line;
                return self.end();
            };
            roster.push(hello);
        }
        let Ok(mut line) = serde_json::to_vec(&roster) else { return self.end() };
        line.push(b'\n');
        for running in &mut self.running {
            // A child that is gone by now shows when it is waited for.
            let _ = running.stdin.write_all(&line).and_then(|()| running.stdin.flush());
        }
    }

    fn end(&mut self) {
        for running in &mut self.running {
            // It has to have a chance to say why it stopped, so only those that wait are ended.
            let _ = running.stdin.flush();
            if !matches!(running.child.try_wait(), Ok(Some(_))) {
                std::thread::sleep(std::time::Duration::from_millis(20));
                running.was_ended = running.child.kill().is_ok();
            }
        }
    }

    /// Waits for all children.
    pub fn finish(self) -> Vec<Outcome> {
        self.finish_watching(|_, _| {})
    }

    /// Waits for all children; `see` gets each line that a child prints, with its name. Once
    /// one has failed, the others get [`GRACE`] to stop by themselves.
    pub fn finish_watching(self, see: impl Fn(&str, &str) + Sync) -> Vec<Outcome> {
        let failed = Mutex::new(None);
        let see = &see;
        let wait = |mut running: Running| {
            let failed = &failed;
            let (name, stdout) = (running.name, running.stdout);
            let said = std::mem::take(&mut running.said);
            let reader = move |name: &str| {
                let mut all = String::new();
                let first = said.lines().map(|line| Ok(line.to_owned()));
                for line in first.chain(stdout.lines()).map_while(Result::ok) {
                    see(name, &line);
                    all.push_str(&line);
                    all.push('\n');
                }
                all
            };
            std::thread::scope(|scope| {
                let stdout = scope.spawn(|| reader(&name));
                let status = wait_or_end(&mut running.child, failed);
                drop(running.stdin);
                let stdout = stdout.join().unwrap_or_default();
                let stderr = running.stderr.join().unwrap_or_default();
                status.ok().map(|(status, was_ended)| Outcome {
                    name: name.clone(),
                    status,
                    was_ended: was_ended || running.was_ended,
                    stdout,
                    stderr,
                })
            })
        };
        // All at once: a child that waits for a full pipe would hold up the others.
        std::thread::scope(|scope| {
            let waiting: Vec<_> =
                self.running.into_iter().map(|running| scope.spawn(|| wait(running))).collect();
            waiting.into_iter().filter_map(|thread| thread.join().ok().flatten()).collect()
        })
    }
}

/// How long parties may take to stop after one of them failed.
const GRACE: Duration = Duration::from_secs(3);

/// Waits for a child, and ends it if it outlives another's failure by too much; true if so.
fn wait_or_end(child: &mut Child, failed: &Mutex<Option<Instant>>) -> std::io::Result<(ExitStatus, bool)> {
    let mut pause = Duration::from_micros(200);
    loop {
        let mut since = failed.lock().unwrap_or_else(|poison| poison.into_inner());
        if let Some(status) = child.try_wait()? {
            if !status.success() {
                since.get_or_insert_with(Instant::now);
            }
            return Ok((status, false));
        }
        if since.is_some_and(|since| since.elapsed() > GRACE) {
            child.kill()?;
            return child.wait().map(|status| (status, true));
        }
        drop(since);
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// The child's side: makes a key, meets the others, and returns the links with all parties'
/// names, in order.
///
/// # Errors
/// A sentence that says what went wrong.
pub fn meet(name: &str, options: Options) -> Result<(TlsMesh, Vec<String>), Failure> {
    die_with_parent();
    let (listener, identity, parties) = introduce_myself(name).map_err(Failure::own)?;
    let names: Vec<String> = parties.iter().map(|party| party.name.clone()).collect();
    let me = names
        .iter()
        .position(|known| known == name)
        .ok_or_else(|| Failure::own("this party is not on the list of parties"))?;
    let mesh = TlsMesh::connect(&listener, &identity, PartyId::from_index(me), &parties, &options)
        .map_err(|error| Failure::net(&error, &names))?;
    Ok((mesh, names))
}

/// Tells the parent this party's public half and learns everybody's.
fn introduce_myself(name: &str) -> Result<(TcpListener, Identity, Vec<Peer>), String> {
    let identity = Identity::generate().map_err(|error| format!("cannot make a key: {error}"))?;
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("cannot listen: {error}"))?;
    let address = listener.local_addr().map_err(|error| format!("cannot listen: {error}"))?.to_string();
    let hello = Hello { name: name.to_owned(), address, public_key: identity.public_key().to_string() };
    let line =
        serde_json::to_string(&hello).map_err(|error| format!("cannot write the public half: {error}"))?;
    println!("{line}");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|error| format!("cannot read who takes part: {error}"))?;
    let roster: Vec<Hello> =
        serde_json::from_str(&line).map_err(|_| "the list of parties did not arrive".to_owned())?;
    watch_parent();
    let parties = roster
        .iter()
        .map(|hello| {
            let key = hello.public_key.parse().map_err(|error| format!("{}: {error}", hello.name))?;
            Ok(Peer { name: hello.name.clone(), addr: hello.address.clone(), key })
        })
        .collect::<Result<Vec<_>, String>>()?;
    Ok((listener, identity, parties))
}

/// Asks the system to end this process when its parent ends.
fn die_with_parent() {
    #[cfg(target_os = "linux")]
    // SAFETY: the call takes two numbers and touches no memory of ours.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
}

/// Ends this process when the parent's end of its input closes, wherever signals do not tell.
fn watch_parent() {
    std::thread::spawn(|| {
        let mut rest = [0; 64];
        while !matches!(std::io::stdin().read(&mut rest), Ok(0) | Err(_)) {}
        std::process::exit(1);
    });
}
