//! Ends a test that hangs, and says where.

use std::fmt::Display;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Ends the process if something takes too long: threads that hang cannot be ended otherwise.
pub(super) struct Watchdog {
    shared: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    watched: Option<(Instant, String)>,
    is_over: bool,
}

impl Watchdog {
    pub(super) fn new(limit: Duration) -> Self {
        let shared = Arc::new((Mutex::new(State::default()), Condvar::new()));
        let watched = Arc::clone(&shared);
        std::thread::spawn(move || {
            let (state, ended) = &*watched;
            let mut state = state.lock().expect("nothing panics under this lock");
            while !state.is_over {
                if let Some((since, what)) = &state.watched
                    && since.elapsed() > limit
                {
                    eprintln!("after {limit:?} still under way: {what}");
                    std::process::exit(101);
                }
                state = ended.wait_timeout(state, limit / 8).expect("nothing panics under this lock").0;
            }
        });
        Watchdog { shared }
    }

    /// Watches over `f`.
    pub(super) fn over<T>(&self, what: &impl Display, f: impl FnOnce() -> T) -> T {
        self.set(Some((Instant::now(), what.to_string())));
        let out = f();
        self.set(None);
        out
    }

    fn set(&self, watched: Option<(Instant, String)>) {
        self.shared.0.lock().expect("nothing panics under this lock").watched = watched;
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.0.lock().expect("nothing panics under this lock").is_over = true;
        self.shared.1.notify_all();
    }
}
