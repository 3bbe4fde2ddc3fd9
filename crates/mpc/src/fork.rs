//! Forks of a session: chunks of rows, and independent computations side by side.
//!
//! Why nothing deadlocks: every party claims the chunks of a fork in increasing
//! order and holds each to its end, the caller claims along with its helpers,
//! and a thread waits for messages only. So the first unfinished leaf of the
//! fork tree is under way at every party, whatever their thread counts.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};

use crate::check::recorder::Ended;
use crate::error::ProtocolError;
use crate::session::{Role, Session};
use crate::step::Label;
use crate::timeline::Pace;

/// Threads of one session beyond which forks run inline.
const MAX_THREADS: usize = 128;

/// The processors that a session may keep busy, lent out while their holder waits for a peer.
pub(crate) struct Cores {
    free: Mutex<usize>,
    freed: Condvar,
    n_threads: AtomicUsize,
}

impl Cores {
    /// The calling thread holds the first core.
    pub(crate) fn new(n: usize) -> Self {
        Cores { free: Mutex::new(n.max(1) - 1), freed: Condvar::new(), n_threads: AtomicUsize::new(1) }
    }

    fn take(&self) {
        let mut free = self.free.lock().unwrap_or_else(|poison| poison.into_inner());
        while *free == 0 {
            free = self.freed.wait(free).unwrap_or_else(|poison| poison.into_inner());
        }
        *free -= 1;
    }

    fn give(&self) {
        *self.free.lock().unwrap_or_else(|poison| poison.into_inner()) += 1;
        self.freed.notify_one();
    }

    /// Runs `wait` without a core.
    pub(crate) fn lend<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.give();
        let out = wait();
        self.take();
        out
    }

    /// Reserves up to `wanted` threads.
    fn reserve(&self, wanted: usize) -> usize {
        let mut got = 0;
        let _ = self.n_threads.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| {
            got = wanted.min(MAX_THREADS.saturating_sub(n));
            Some(n + got)
        });
        got
    }

    fn release(&self, n: usize) {
        self.n_threads.fetch_sub(n, Ordering::Relaxed);
    }
}

/// Holds a core for as long as a helper thread lives.
struct Core<'a>(&'a Cores);

impl<'a> Core<'a> {
    fn take(cores: &'a Cores) -> Self {
        cores.take();
        Core(cores)
    }
}

impl Drop for Core<'_> {
    fn drop(&mut self) {
        self.0.give();
    }
}

/// Where a thread panics, a bug, the others must not wait for it for ever: they are stopped,
/// and its core goes to those that have yet to notice.
struct Panicking<'a>(&'a Session, Option<&'a Cores>);

impl Drop for Panicking<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
            if let Some(cores) = self.1 {
                cores.give();
            }
        }
    }
}

impl Session {
    /// Cuts `n_rows` rows into chunks and runs `f` on each, several at a time.
    ///
    /// `f` gets a session of its own and the chunk's rows, which start on a
    /// multiple of 512. It must not open values. Results come in row order.
    /// No rows make no chunk, except that one empty chunk runs if `n_rows` is 0,
    /// so that shapes come out right.
    ///
    /// # Errors
    /// The error of the first chunk that failed.
    pub fn chunks<T: Send>(
        &mut self,
        label: impl Into<Label>,
        n_rows: usize,
        f: impl Fn(&mut Session, Range<usize>) -> Result<T, ProtocolError> + Sync,
    ) -> Result<Vec<T>, ProtocolError> {
        let chunk_rows = self.core.params.chunk_rows;
        let n_chunks = n_rows.div_ceil(chunk_rows).max(1);
        let step = self.step.child(label.into());
        let rows = |chunk: usize| chunk * chunk_rows..n_rows.min((chunk + 1) * chunk_rows);
        let pace = self.pace();
        let run = |chunk: usize| {
            let mut fork = self.fork(step.in_chunk(chunk as u32), true);
            #[cfg(feature = "lab")]
            fork.becomes_part_of(self, chunk);
            pace.start(&mut fork.clock);
            let out = f(&mut fork, rows(chunk));
            fork.ended_of(n_chunks, out).inspect(|(_, ended)| pace.end(&ended.clock))
        };
        let results = self.run_forks(n_chunks, &run);
        #[cfg(feature = "lab")]
        self.has_forked();
        self.collect(results)
    }

    /// `f(0)`, …, `f(n − 1)` on this session's cores: arithmetic of this party alone, such as the
    /// pieces of one large product, between two messages.
    pub(crate) fn pieces<T: Send>(&self, n: usize, f: impl Fn(usize) -> T + Sync) -> Vec<T> {
        let done = self.run_forks(n, &|at| Ok(f(at)));
        done.into_iter().map(|piece| piece.expect("pieces do not fail")).collect()
    }

    /// [`Session::pieces`] that write, each into memory of its own: `f(at, pieces[at])`.
    pub(crate) fn for_pieces<T: Send>(&self, pieces: Vec<T>, f: impl Fn(usize, T) + Sync) {
        let pieces: Vec<_> = pieces.into_iter().map(|piece| Mutex::new(Some(piece))).collect();
        self.pieces(pieces.len(), |at| {
            let piece = pieces[at].lock().unwrap_or_else(|poison| poison.into_inner()).take();
            f(at, piece.expect("each piece runs once"));
        });
    }

    /// Runs two independent computations side by side.
    ///
    /// # Errors
    /// The first one's error, else the second one's.
    pub fn join<A: Send, B: Send>(
        &mut self,
        a: impl FnOnce(&mut Session) -> Result<A, ProtocolError> + Send,
        b: impl FnOnce(&mut Session) -> Result<B, ProtocolError> + Send,
    ) -> Result<(A, B), ProtocolError> {
        let mut left = self.fork(self.step.child("left".into()), self.in_chunk);
        let mut right = self.fork(self.step.child("right".into()), self.in_chunk);
        #[cfg(feature = "lab")]
        [&mut left, &mut right].into_iter().enumerate().for_each(|(at, fork)| fork.becomes_part_of(self, at));
        let shared = self.share_records();
        left.inherited.extend(shared.clone());
        right.inherited.extend(shared.clone());
        let run_left = move || {
            let out = a(&mut left);
            left.ended_of(1, out)
        };
        let run_right = move || {
            let out = b(&mut right);
            right.ended_of(1, out)
        };
        let cores = &self.core.cores;
        let reserved = if self.runs_alone() { 0 } else { cores.reserve(1) };
        let (out_left, out_right) = if reserved == 0 {
            let out_left = run_left()?;
            (Ok(out_left), run_right())
        } else {
            std::thread::scope(|threads| {
                let _caller = Panicking(self, Some(cores));
                let beside = threads.spawn(|| {
                    let _core = Core::take(cores);
                    let _helper = Panicking(self, None);
                    run_right().inspect_err(|_| self.stop())
                });
                let out_left = run_left().inspect_err(|_| self.stop());
                let out_right = cores.lend(|| beside.join());
                (out_left, out_right.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            })
        };
        cores.release(reserved);
        let ((out_left, left), (out_right, right)) = first_cause(out_left, out_right)?;
        #[cfg(feature = "lab")]
        self.has_forked();
        self.take_back(shared);
        self.inherit(left);
        self.inherit(right);
        self.settle()?;
        Ok((out_left, out_right))
    }

    /// When the forks of this session start, in a counting run.
    pub(crate) fn pace(&self) -> Pace {
        Pace::new(self.is_count(), self.core.params.in_flight)
    }

    /// Whether forks gain nothing: there is no peer to wait for.
    fn runs_alone(&self) -> bool {
        !matches!(self.core.role, Role::Rep3 { .. }) && self.core.mesh.is_none()
    }

    /// Wakes the other forks of this party, which would wait for ever otherwise.
    fn stop(&self) {
        if let Some(mesh) = &self.core.mesh {
            mesh.abort("another part of the computation failed");
        }
    }

    pub(crate) fn run_forks<T: Send>(
        &self,
        n: usize,
        run: &(impl Fn(usize) -> Result<T, ProtocolError> + Sync),
    ) -> Vec<Result<T, ProtocolError>> {
        let cores = &self.core.cores;
        let helpers = if self.runs_alone() || n < 2 { 0 } else { self.core.params.in_flight.min(n) - 1 };
        let helpers = cores.reserve(helpers);
        let next = AtomicUsize::new(0);
        let failed = AtomicBool::new(false);
        let claim = || {
            let mut done = Vec::new();
            while !failed.load(Ordering::Relaxed) {
                let chunk = next.fetch_add(1, Ordering::Relaxed);
                if chunk >= n {
                    break;
                }
                let result = run(chunk);
                if result.is_err() {
                    failed.store(true, Ordering::Relaxed);
                    if helpers > 0 {
                        self.stop();
                    }
                }
                done.push((chunk, result));
            }
            done
        };
        let mut done = if helpers == 0 {
            claim()
        } else {
            std::thread::scope(|threads| {
                let _caller = Panicking(self, Some(cores));
                let spawned: Vec<_> = (0..helpers)
                    .map(|_| {
                        threads.spawn(|| {
                            let _core = Core::take(cores);
                            let _helper = Panicking(self, None);
                            claim()
                        })
                    })
                    .collect();
                let mut done = claim();
                cores.lend(|| {
                    for thread in spawned {
                        done.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
                    }
                });
                done
            })
        };
        cores.release(helpers);
        done.sort_by_key(|(chunk, _)| *chunk);
        done.into_iter().map(|(_, result)| result).collect()
    }

    pub(crate) fn collect<T>(
        &mut self,
        results: Vec<Result<(T, Ended), ProtocolError>>,
    ) -> Result<Vec<T>, ProtocolError> {
        let mut out = Vec::with_capacity(results.len());
        let mut error: Option<ProtocolError> = None;
        for result in results {
            match result {
                Ok((value, ended)) => {
                    self.inherit(ended);
                    out.push(value);
                }
                // A chunk that another one's failure stopped is not the cause.
                Err(next) if error.as_ref().is_none_or(ProtocolError::is_echo) => error = Some(next),
                Err(_) => {}
            }
        }
        error.map_or(Ok(()), Err)?;
        self.settle()?;
        Ok(out)
    }
}

/// Both results, or the error that came first in cause.
fn first_cause<A, B>(
    a: Result<A, ProtocolError>,
    b: Result<B, ProtocolError>,
) -> Result<(A, B), ProtocolError> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(a), Err(b)) => Err(if a.is_echo() { b } else { a }),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}
