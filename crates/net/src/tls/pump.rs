//! The threads that move frames: one writer and one reader per peer, and one
//! that holds bytes back where a delay is simulated.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;

use super::Options;
use super::channel::{Channel, ChannelError, PIECE_BYTES, ReadOutcome};
use crate::endpoint::Endpoint;
use crate::frame::{Control, Garbage};
use crate::link::unit;
use crate::outbox::{Batch, Outgoing};
use crate::{LinkProfile, NetError, PartyId};

/// Up to this much, a header and its payload share one record.
const SMALL_BYTES: usize = 4096;

/// A writer whose connection breaks waits this long for the reader to learn why.
const GRACE: Duration = Duration::from_secs(1);

/// Writes what the outbox holds until it closes, says goodbye, or breaks.
pub(super) fn write(
    end: &Endpoint,
    to: PartyId,
    channel: &mut Channel<UnbufferedClientConnection>,
    options: &Options,
) {
    let mut writer =
        Writer { channel, options, small: Vec::with_capacity(2 * SMALL_BYTES), free_at: Instant::now() };
    let outbox = end.outbox(to);
    let mut batch = Vec::new();
    // Goodbyes are counted in the batch that holds them: nothing follows one.
    let broken = loop {
        match outbox.next_batch(&mut batch, PIECE_BYTES, options.heartbeat) {
            Batch::Some => {}
            Batch::Nothing => outbox.control(Control::Heartbeat),
            Batch::Closed => break None,
        }
        let is_last = batch.iter().any(|outgoing| matches!(outgoing, Outgoing::Control(Control::Goodbye)));
        if let Err(error) = writer.write(&batch) {
            break Some(error);
        }
        batch.clear();
        outbox.written();
        if is_last {
            break None;
        }
    };
    match broken {
        None => channel.close(),
        Some(error) => explain(end, to, &error, options),
    }
    outbox.close();
}

/// A write failed. The reader of the same peer mostly knows better why.
fn explain(end: &Endpoint, to: PartyId, error: &ChannelError, options: &Options) {
    if matches!(error, ChannelError::TooLate) {
        let silent_ms = options.stall.as_millis() as u64;
        return end.fail(NetError::Stalled { peer: to, silent_ms });
    }
    let start = Instant::now();
    while start.elapsed() < GRACE && end.failure().is_none() && !end.inbox(to).has_left() {
        thread::sleep(Duration::from_millis(10));
    }
    end.closed(to);
}

struct Writer<'a> {
    channel: &'a mut Channel<UnbufferedClientConnection>,
    options: &'a Options,
    /// Plaintext of small frames that share a record.
    small: Vec<u8>,
    /// When the simulated link is free again.
    free_at: Instant,
}

impl Writer<'_> {
    fn write(&mut self, batch: &[Outgoing]) -> Result<(), ChannelError> {
        for outgoing in batch {
            match outgoing {
                Outgoing::Control(control) => self.small.extend_from_slice(&control.encode()),
                Outgoing::Data(header, payload) => {
                    self.small.extend_from_slice(&header.encode());
                    if payload.len() <= SMALL_BYTES {
                        self.small.extend_from_slice(payload.bytes());
                    } else {
                        self.seal_small()?;
                        for piece in payload.bytes().chunks(self.piece_bytes()) {
                            self.channel.seal(piece)?;
                            if self.channel.n_waiting() >= self.piece_bytes() {
                                self.flush()?;
                            }
                        }
                    }
                }
            }
            if self.small.len() >= SMALL_BYTES {
                self.seal_small()?;
            }
        }
        self.seal_small()?;
        self.flush()
    }

    fn seal_small(&mut self) -> Result<(), ChannelError> {
        if !self.small.is_empty() {
            self.channel.seal(&self.small)?;
            self.small.clear();
        }
        if self.channel.n_waiting() >= self.piece_bytes() { self.flush() } else { Ok(()) }
    }

    /// Writes, no faster than the simulated link.
    fn flush(&mut self) -> Result<(), ChannelError> {
        let n_bytes = self.channel.n_waiting();
        let occupancy = self.options.link.occupancy(n_bytes);
        if !occupancy.is_zero() {
            self.free_at = self.free_at.max(Instant::now()) + occupancy;
            thread::sleep(self.free_at.saturating_duration_since(Instant::now()));
        }
        // Every single write has the socket's timeout; all together may take as long as they move.
        self.channel.flush(Instant::now() + Duration::from_secs(3600))
    }

    /// What goes out at a time: a quarter of a second of a slow link at most, so
    /// that the peer hears something.
    fn piece_bytes(&self) -> usize {
        match self.options.link.bits_per_second {
            None => PIECE_BYTES,
            Some(bits) => (bits / 32).clamp(SMALL_BYTES as u64, PIECE_BYTES as u64) as usize,
        }
    }
}

/// Reads frames until the connection ends or the peer breaks the rules.
pub(super) fn read(
    end: &Endpoint,
    from: PartyId,
    channel: &mut Channel<UnbufferedServerConnection>,
    early: &[u8],
    options: &Options,
    delayed: Option<&DelayLine>,
) {
    let deliver = |bytes: &[u8]| match delayed {
        Some(line) => {
            line.push(bytes.to_vec());
            true
        }
        None => end.feed(from, &[bytes]).is_ok(),
    };
    let mut is_fine = early.is_empty() || deliver(early);
    let mut heard = Instant::now();
    // Often enough that a stall is noticed soon after it is one.
    let tick = (options.stall / 8).clamp(Duration::from_millis(5), Duration::from_millis(500));
    if channel.socket().set_read_timeout(Some(tick)).is_err() {
        is_fine = false;
    }
    while is_fine {
        let outcome = channel.read(|bytes| is_fine = is_fine && deliver(bytes));
        match outcome {
            Ok(ReadOutcome::Bytes) => heard = Instant::now(),
            Ok(ReadOutcome::Nothing) if heard.elapsed() >= options.stall => {
                let silent_ms = heard.elapsed().as_millis() as u64;
                end.fail(NetError::Stalled { peer: from, silent_ms });
                is_fine = false;
            }
            Ok(ReadOutcome::Nothing) => {}
            Ok(ReadOutcome::End) => break,
            Err(ChannelError::Tls(_)) => {
                end.fail(NetError::Garbage { peer: from, what: Garbage::Record });
                break;
            }
            Err(_) => break,
        }
    }
    match delayed {
        Some(line) => line.end(),
        None => end.closed(from),
    }
}

/// Bytes on a simulated link: they come out in order, each after its delay.
pub(super) struct DelayLine {
    link: LinkProfile,
    state: Mutex<DelayState>,
    changed: Condvar,
}

#[derive(Default)]
struct DelayState {
    queue: VecDeque<(Instant, Vec<u8>)>,
    last_due: Option<Instant>,
    n_ever: u64,
    has_ended: bool,
}

impl DelayLine {
    /// A line, if the link has a delay.
    pub(super) fn new(link: LinkProfile) -> Option<Arc<Self>> {
        let is_delayed = !(link.delay.is_zero() && link.jitter.is_zero());
        is_delayed.then(|| Arc::new(DelayLine { link, state: Mutex::default(), changed: Condvar::new() }))
    }

    fn push(&self, bytes: Vec<u8>) {
        let mut state = self.state.lock().expect("nothing panics while it holds this lock");
        state.n_ever += 1;
        let jitter = self.link.jitter.mul_f64(unit(state.n_ever));
        // One connection delivers in order, as TCP does: a late byte holds up the next.
        let due = Instant::now() + self.link.delay + jitter;
        let due = state.last_due.map_or(due, |last| last.max(due));
        state.last_due = Some(due);
        state.queue.push_back((due, bytes));
        drop(state);
        self.changed.notify_one();
    }

    fn end(&self) {
        self.state.lock().expect("nothing panics while it holds this lock").has_ended = true;
        self.changed.notify_one();
    }

    /// Feeds what comes out, until the line has ended and is empty.
    pub(super) fn run(&self, end: &Endpoint, from: PartyId) {
        let mut is_fine = true;
        let mut state = self.state.lock().expect("nothing panics while it holds this lock");
        loop {
            let now = Instant::now();
            match state.queue.front() {
                None if state.has_ended => break,
                None => state = self.changed.wait(state).expect("nothing panics while it holds this lock"),
                Some((due, _)) if *due > now => {
                    let left = *due - now;
                    state = self.changed.wait_timeout(state, left).expect("as above").0;
                }
                Some(_) => {
                    let (_, bytes) = state.queue.pop_front().expect("peeked above");
                    drop(state);
                    is_fine = is_fine && end.feed(from, &[&bytes]).is_ok();
                    state = self.state.lock().expect("nothing panics while it holds this lock");
                }
            }
        }
        drop(state);
        end.closed(from);
    }
}
