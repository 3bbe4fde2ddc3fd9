//! One line on standard error for work that takes more than a second.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Work this short needs no line.
const QUIET: Duration = Duration::from_secs(1);
/// How often the line is written anew.
const BEAT: Duration = Duration::from_millis(250);

/// Shows what goes on until it is dropped.
pub struct Progress {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    over: Condvar,
}

#[derive(Default)]
struct State {
    phase: String,
    sent: Option<(u64, u64)>,
    is_over: bool,
}

impl Progress {
    /// Starts to watch the time.
    pub fn start() -> Progress {
        let shared = Arc::new(Shared::default());
        let to_show = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name("progress".to_owned()).spawn(move || show(&to_show)).ok();
        Progress { shared, thread }
    }

    /// What is worked on now.
    pub fn phase(&self, phase: &str) {
        let mut state = self.state();
        phase.clone_into(&mut state.phase);
    }

    /// How far a party is, in bytes sent of those that the plan predicts.
    pub fn sent(&self, sent: u64, expected: u64) {
        self.state().sent = Some((sent, expected));
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(|poison| poison.into_inner())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.state().is_over = true;
        self.shared.over.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn show(shared: &Shared) {
    let start = Instant::now();
    let is_terminal = std::io::stderr().is_terminal();
    let mut state = shared.state.lock().unwrap_or_else(|poison| poison.into_inner());
    let mut shown = false;
    while !state.is_over {
        let pause = if shown { BEAT } else { QUIET.saturating_sub(start.elapsed()) };
        state = match shared.over.wait_timeout(state, pause.max(Duration::from_millis(1))) {
            Ok((state, _)) => state,
            Err(_) => return,
        };
        if state.is_over || start.elapsed() < QUIET {
            continue;
        }
        // A log gets one line, a terminal the same line again and again.
        if is_terminal {
            eprint!("\r\x1b[K{}", line(&state, start.elapsed()));
            let _ = std::io::stderr().flush();
        } else if !shown {
            eprintln!("{}", line(&state, start.elapsed()));
        }
        shown = true;
    }
    if shown && is_terminal {
        eprint!("\r\x1b[K");
    }
}

fn line(state: &State, elapsed: Duration) -> String {
    let phase = &state.phase;
    let seconds = elapsed.as_secs_f64();
    match state.sent {
        Some((sent, expected)) if expected > 0 => {
            let share = (sent as f64 / expected as f64).min(1.0);
            let rate = sent as f64 / 1e6 / seconds;
            let left = seconds * (1.0 - share) / share.max(0.01);
            let percent = share * 100.0;
            format!(
                "junto: {phase} · {percent:.0} % · {rate:.1} MB/s · {seconds:.0} s, about {left:.0} s left"
            )
        }
        _ => format!("junto: {phase} · {seconds:.0} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_rate_and_time_left() {
        let mut state = State { phase: "computing".to_owned(), ..State::default() };
        assert_eq!(line(&state, Duration::from_secs(2)), "junto: computing · 2 s");
        state.sent = Some((5_000_000, 20_000_000));
        let expected = "junto: computing · 25 % · 2.5 MB/s · 2 s, about 6 s left";
        assert_eq!(line(&state, Duration::from_secs(2)), expected);
    }
}
