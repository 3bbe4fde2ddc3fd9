//! What one party still has to send to one peer, and what it may send now.
//!
//! A message goes out at once up to the peer's initial credit and inside the
//! peer's window; the rest waits here, in memory that the sender owns anyway.
//! [`Outbox::offer`] therefore never waits, and the peer's memory stays bounded.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use buf::Bytes;

use crate::frame::{Control, DATA_HEADER_BYTES, DataHeader, Garbage, MAX_FRAME_PAYLOAD};
use crate::{Limits, Tag};

/// Credits for messages that were not offered yet; a peer that gives more is broken.
pub(crate) const MAX_EARLY_CREDITS: usize = 1 << 16;

/// The next thing to put on the wire.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// One data frame; the header fits the payload.
    Data(DataHeader, Bytes),
    /// One frame without payload.
    Control(Control),
}

/// What the peer did wrong in a frame that concerns this outbox.
#[derive(Debug)]
pub(crate) enum OutboxFault {
    Garbage(Garbage),
    TooManyCredits,
}

pub(crate) struct Outbox {
    state: Mutex<State>,
    /// Signalled when something is there to write, and when all is written.
    changed: Condvar,
    payload_bytes: AtomicU64,
    messages: AtomicU64,
    frames: AtomicU64,
}

struct State {
    control: VecDeque<Control>,
    ready: VecDeque<Part>,
    /// What waits for a credit, or for the window.
    held: HashMap<Tag, Part>,
    /// Those that wait for the window, in order; stale entries are skipped.
    line: VecDeque<Tag>,
    early_credits: HashSet<Tag>,
    limits: Limits,
    sent: Amount,
    claimed: Amount,
    /// A writer is busy with something it took from here.
    writing: bool,
    has_said_goodbye: bool,
    closed: bool,
}

/// What a writer got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Batch {
    Some,
    /// Nothing came in time.
    Nothing,
    /// Nothing is left and nothing will come.
    Closed,
}

impl Outgoing {
    /// How much the frame takes on the wire, before TLS.
    pub(crate) fn n_bytes(&self) -> usize {
        match self {
            Outgoing::Data(_, payload) => DATA_HEADER_BYTES + payload.len(),
            Outgoing::Control(control) => control.encode().len(),
        }
    }
}

/// Messages and their bytes, each message counted up to the initial credit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

/// The part of a message from `offset` to `end` that has not gone out.
struct Part {
    tag: Tag,
    depth: u32,
    payload: Bytes,
    offset: usize,
    end: usize,
}

impl Amount {
    pub(crate) fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
    }
}

impl Outbox {
    /// An empty outbox to a peer that stated `limits`.
    pub(crate) fn new(limits: Limits) -> Self {
        let state = State {
            control: VecDeque::new(),
            ready: VecDeque::new(),
            held: HashMap::new(),
            line: VecDeque::new(),
            early_credits: HashSet::new(),
            limits,
            sent: Amount::default(),
            claimed: Amount::default(),
            writing: false,
            has_said_goodbye: false,
            closed: false,
        };
        Outbox {
            state: Mutex::new(state),
            changed: Condvar::new(),
            payload_bytes: AtomicU64::new(0),
            messages: AtomicU64::new(0),
            frames: AtomicU64::new(0),
        }
    }

    /// Takes a message; what may go now is ready, the rest is held.
    pub(crate) fn offer(&self, tag: Tag, depth: u32, payload: Bytes) {
        self.payload_bytes.fetch_add(payload.len() as u64, Ordering::Relaxed);
        self.messages.fetch_add(1, Ordering::Relaxed);
        let end = payload.len();
        let mut part = Part { tag, depth, payload, offset: 0, end };
        let mut state = self.lock();
        if state.early_credits.remove(&tag) {
            state.charge(&part);
            state.ready.push_back(part);
        } else if state.line.is_empty() && state.window_takes(&part) {
            let now = state.admit(&mut part);
            state.ready.push_back(now);
            if part.offset < part.end {
                state.held.insert(tag, part);
            }
        } else {
            state.line.push_back(tag);
            state.held.insert(tag, part);
            return;
        }
        self.changed.notify_all();
    }

    /// Queues a frame that goes before all waiting data. Nothing follows a goodbye.
    pub(crate) fn control(&self, control: Control) {
        let mut state = self.lock();
        if !state.has_said_goodbye {
            state.has_said_goodbye = control == Control::Goodbye;
            state.control.push_back(control);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// The peer posted its receive for `tag`: all of it may go.
    pub(crate) fn credit(&self, tag: Tag) -> Result<(), OutboxFault> {
        let mut state = self.lock();
        if let Some(part) = state.held.remove(&tag) {
            // A message that waited for the window has not been counted yet.
            if part.offset == 0 {
                state.charge(&part);
            }
            state.ready.push_back(part);
            drop(state);
            self.changed.notify_all();
            return Ok(());
        }
        if !state.early_credits.insert(tag) {
            return Err(OutboxFault::Garbage(Garbage::CreditTwice));
        }
        if state.early_credits.len() > MAX_EARLY_CREDITS {
            return Err(OutboxFault::TooManyCredits);
        }
        Ok(())
    }

    /// The peer has taken this much in all: the window moves.
    pub(crate) fn claimed(&self, claimed: Amount) -> Result<(), OutboxFault> {
        let mut state = self.lock();
        if claimed.messages > state.sent.messages || claimed.bytes > state.sent.bytes {
            return Err(OutboxFault::Garbage(Garbage::Claimed));
        }
        // Two threads of the peer may report in the wrong order: the larger counts.
        state.claimed.messages = state.claimed.messages.max(claimed.messages);
        state.claimed.bytes = state.claimed.bytes.max(claimed.bytes);
        while let Some(tag) = state.line.front().copied() {
            let waits_for_window = state.held.get(&tag).is_some_and(|part| part.offset == 0);
            if waits_for_window {
                if !state.window_takes(&state.held[&tag]) {
                    break;
                }
                let mut part = state.held.remove(&tag).expect("looked up above");
                let now = state.admit(&mut part);
                state.ready.push_back(now);
                if part.offset < part.end {
                    state.held.insert(tag, part);
                }
            }
            state.line.pop_front();
        }
        self.changed.notify_all();
        Ok(())
    }

    /// The next frame, without waiting. Whoever gets one is the only writer until
    /// this returns `None` to it; a second caller gets `None` at once.
    pub(crate) fn next_exclusive(&self, i_am_writing: &mut bool) -> Option<Outgoing> {
        let mut state = self.lock();
        if state.writing && !*i_am_writing {
            return None;
        }
        let next = state.next();
        *i_am_writing = next.is_some();
        state.writing = *i_am_writing;
        match next {
            Some(_) => self.count_frame(),
            None => self.changed.notify_all(),
        }
        next
    }

    /// Waits for things to write, up to `timeout`, and takes about `max_bytes` of
    /// them. For the one thread that owns the connection; it says [`Outbox::written`]
    /// when they are out.
    pub(crate) fn next_batch(&self, batch: &mut Vec<Outgoing>, max_bytes: usize, timeout: Duration) -> Batch {
        let mut state = self.lock();
        if state.control.is_empty() && state.ready.is_empty() && !state.closed {
            state = self.changed.wait_timeout(state, timeout).expect(POISON).0;
        }
        let mut n_bytes = 0;
        while n_bytes < max_bytes
            && let Some(next) = state.next()
        {
            n_bytes += next.n_bytes();
            batch.push(next);
            self.count_frame();
        }
        state.writing = !batch.is_empty();
        match (batch.is_empty(), state.closed) {
            (false, _) => Batch::Some,
            (true, false) => Batch::Nothing,
            (true, true) => Batch::Closed,
        }
    }

    /// What `next_batch` gave is on the wire.
    pub(crate) fn written(&self) {
        self.lock().writing = false;
        self.changed.notify_all();
    }

    /// Waits until all control frames are out, or until `timeout`.
    pub(crate) fn wait_for_control(&self, timeout: Duration) {
        let busy = |state: &mut State| (!state.control.is_empty() || state.writing) && !state.closed;
        let waited = self.changed.wait_timeout_while(self.lock(), timeout, busy);
        drop(waited.expect(POISON));
    }

    /// Waits until everything has gone out, until `gives_up`, or until the outbox closes.
    /// Returns a message that is still held, if any is.
    pub(crate) fn wait_until_empty(&self, gives_up: impl Fn() -> bool) -> Option<Tag> {
        let mut state = self.lock();
        while !(state.is_empty() || state.closed || gives_up()) {
            // The timeout bounds how late a missed reason to give up is seen.
            state = self.changed.wait_timeout(state, Duration::from_millis(50)).expect(POISON).0;
        }
        state.held.keys().next().copied()
    }

    /// Waits until no writer is busy with what it took from here.
    pub(crate) fn wait_until_idle(&self) {
        let mut state = self.lock();
        while state.writing && !state.closed {
            state = self.changed.wait_timeout(state, Duration::from_millis(50)).expect(POISON).0;
        }
    }

    /// Drops what has not gone out; wakes whoever waits.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.ready.clear();
        state.held.clear();
        state.line.clear();
        drop(state);
        self.changed.notify_all();
    }

    /// Wakes whoever waits, to look again.
    pub(crate) fn wake(&self) {
        drop(self.lock());
        self.changed.notify_all();
    }

    /// Payload bytes and messages offered, and frames taken for the wire.
    pub(crate) fn counts(&self) -> [u64; 3] {
        [&self.payload_bytes, &self.messages, &self.frames].map(|count| count.load(Ordering::Relaxed))
    }

    fn count_frame(&self) {
        self.frames.fetch_add(1, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(POISON)
    }
}

const POISON: &str = "nothing panics while it holds this lock";

impl State {
    fn is_empty(&self) -> bool {
        self.control.is_empty() && self.ready.is_empty() && self.held.is_empty() && !self.writing
    }

    fn charge(&mut self, part: &Part) {
        let bytes = part.end.min(self.limits.initial_credit);
        self.sent.add(bytes);
    }

    fn window_takes(&self, part: &Part) -> bool {
        let bytes = part.end.min(self.limits.initial_credit) as u64;
        self.sent.messages - self.claimed.messages < self.limits.window_messages as u64
            && self.sent.bytes - self.claimed.bytes + bytes <= self.limits.window_bytes as u64
    }

    /// Counts a message against the window and splits off what needs no credit.
    fn admit(&mut self, part: &mut Part) -> Part {
        self.charge(part);
        let now = part.end.min(self.limits.initial_credit);
        part.offset = now;
        Part { tag: part.tag, depth: part.depth, payload: part.payload.clone(), offset: 0, end: now }
    }

    fn next(&mut self) -> Option<Outgoing> {
        if let Some(control) = self.control.pop_front() {
            return Some(Outgoing::Control(control));
        }
        let part = self.ready.front_mut()?;
        let n_bytes = (part.end - part.offset).min(MAX_FRAME_PAYLOAD);
        let header = DataHeader {
            tag: part.tag,
            depth: part.depth,
            total: part.payload.len() as u64,
            offset: part.offset as u64,
            n_bytes: n_bytes as u32,
        };
        let payload = part.payload.slice(part.offset..part.offset + n_bytes);
        part.offset += n_bytes;
        if part.offset == part.end {
            self.ready.pop_front();
        }
        Some(Outgoing::Data(header, payload))
    }
}
