//! What arrived, who waits for it, and what may still come: the demultiplexer
//! that all transports share.
//!
//! **Limits.** A message may arrive before its receive is posted, up to the
//! initial credit; posting grants the rest. Messages that nobody asked for yet
//! fill a window that the sender knows. `Claimed` frames move it.
//!
//! **Why nobody starves.** A sender that the window holds back sees more than
//! 3/4 of it unclaimed (`Limits::live`). The receiver reports claims at every
//! eighth of the window, so at least half of it really lies unclaimed there, and
//! then the receiver grants credit for everything that it waits for (`crowded`).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use buf::Buf;

use crate::frame::{Control, DataHeader, Garbage};
use crate::outbox::Amount;
use crate::seen::SeenTags;
use crate::{Limits, NetError, PartyId, Received, Tag, Wait};

/// How long a receive may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    Exactly(usize),
    AtMost(usize),
}

/// What one peer has sent to this party.
pub(crate) struct Inbox {
    peer: PartyId,
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    slots: HashMap<Tag, Slot>,
    seen: SeenTags,
    unclaimed: Amount,
    claimed: Amount,
    reported: Amount,
    has_left: bool,
    payload_bytes: u64,
    messages: u64,
}

#[derive(Default)]
struct Slot {
    expect: Option<Expect>,
    arrival: Arrival,
    is_credited: bool,
    waiter: Option<Thread>,
}

#[derive(Default)]
enum Arrival {
    #[default]
    Nothing,
    Announced(u64),
    Here(Received),
    Lost,
}

/// What to tell the peer.
pub(crate) type Replies = Vec<Control>;

impl Inbox {
    pub(crate) fn new(peer: PartyId, limits: Limits) -> Self {
        Inbox { peer, limits, state: Mutex::default() }
    }

    /// The first frame of a message begins to arrive. Says whether all of it may come.
    pub(crate) fn announce(&self, header: &DataHeader) -> Result<Replies, NetError> {
        self.lock().announce(self, header)
    }

    /// A message is complete.
    pub(crate) fn complete(&self, tag: Tag, received: Received) {
        let waiter = self.lock().complete(tag, received);
        if let Some(waiter) = waiter {
            waiter.unpark();
        }
    }

    /// A whole message arrived in one piece: both of the above under one lock.
    pub(crate) fn whole(&self, header: &DataHeader, received: Received) -> Result<Replies, NetError> {
        let mut state = self.lock();
        let replies = state.announce(self, header)?;
        let waiter = state.complete(header.tag, received);
        drop(state);
        if let Some(waiter) = waiter {
            waiter.unpark();
        }
        Ok(replies)
    }

    /// Whether a message may go on beyond the initial credit.
    pub(crate) fn has_credit(&self, tag: Tag) -> bool {
        self.lock().slots.get(&tag).is_some_and(|slot| slot.is_credited)
    }

    /// Somebody wants this message.
    pub(crate) fn post(&self, tag: Tag, expect: Expect) -> Result<Replies, NetError> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let mut replies = Replies::new();
        let crowded = state.crowded(&self.limits);
        if !state.slots.contains_key(&tag) {
            if state.seen.contains(tag) {
                return Err(NetError::Reclaimed { peer: self.peer, tag });
            }
            state.slots.insert(tag, Slot::default());
        }
        let slot = state.slots.get_mut(&tag).expect("inserted above");
        match slot.expect {
            Some(before) if before == expect => return Ok(replies),
            Some(_) => return Err(NetError::Reclaimed { peer: self.peer, tag }),
            None => slot.expect = Some(expect),
        }
        let total = match &slot.arrival {
            Arrival::Nothing | Arrival::Lost => None,
            Arrival::Announced(total) => Some(*total),
            Arrival::Here(received) => Some(received.payload.len() as u64),
        };
        match total {
            Some(total) => {
                self.check_length(tag, expect, total)?;
                let bytes = self.charge(total);
                state.unclaimed.messages -= 1;
                state.unclaimed.bytes -= bytes as u64;
                state.claimed.add(bytes);
                if bytes as u64 != total {
                    slot.grant(tag, &mut replies);
                }
            }
            None => {
                let is_long = matches!(expect, Expect::Exactly(n) if n > self.limits.initial_credit);
                if is_long || crowded {
                    slot.grant(tag, &mut replies);
                }
            }
        }
        state.report(&self.limits, &mut replies);
        Ok(replies)
    }

    /// Takes the message if it is here.
    pub(crate) fn take(&self, tag: Tag) -> Result<Option<Received>, NetError> {
        self.lock().take(self.peer, tag)
    }

    /// Waits for a posted message. `failure` is asked whenever there is nothing yet.
    pub(crate) fn wait(
        &self,
        tag: Tag,
        failure: impl Fn() -> Option<NetError>,
    ) -> Result<Received, NetError> {
        let start = Instant::now();
        loop {
            let mut state = self.lock();
            if let Some(received) = state.take(self.peer, tag)? {
                return Ok(received);
            }
            // Asked under the lock: a failure after this finds the waiter.
            if let Some(failure) = failure() {
                state.forget_waiter(tag);
                return Err(failure);
            }
            let left = match self.limits.patience {
                None => Duration::MAX,
                Some(patience) => match patience.checked_sub(start.elapsed()) {
                    Some(left) => left,
                    None => {
                        state.forget_waiter(tag);
                        return Err(self.timed_out(tag, start.elapsed()));
                    }
                },
            };
            let me = thread::current();
            if let Some(slot) = state.slots.get_mut(&tag) {
                if slot.waiter.as_ref().is_some_and(|other| other.id() != me.id()) {
                    return Err(NetError::Reclaimed { peer: self.peer, tag });
                }
                slot.waiter = Some(me);
            }
            drop(state);
            if left == Duration::MAX { thread::park() } else { thread::park_timeout(left) }
        }
    }

    /// The peer said goodbye.
    pub(crate) fn leave(&self) {
        self.lock().has_left = true;
        self.wake_all();
    }

    /// Whether the peer said goodbye.
    pub(crate) fn has_left(&self) -> bool {
        self.lock().has_left
    }

    /// Wakes every blocked receive, to look again.
    pub(crate) fn wake_all(&self) {
        let waiters: Vec<Thread> =
            self.lock().slots.values_mut().filter_map(|slot| slot.waiter.take()).collect();
        waiters.into_iter().for_each(|waiter| waiter.unpark());
    }

    /// A simulated loss: whoever asks for `tag` is told that time has run out.
    pub(crate) fn lose(&self, tag: Tag) {
        let mut state = self.lock();
        let slot = state.slots.entry(tag).or_default();
        slot.arrival = Arrival::Lost;
        let waiter = slot.waiter.take();
        drop(state);
        if let Some(waiter) = waiter {
            waiter.unpark();
        }
    }

    /// The receives that are posted and empty-handed.
    pub(crate) fn waits(&self) -> Vec<Wait> {
        let state = self.lock();
        let blocked = state.slots.iter().filter(|(_, slot)| slot.waiter.is_some());
        let mut waits: Vec<Wait> = blocked.map(|(tag, _)| Wait { from: self.peer, tag: *tag }).collect();
        waits.sort_by_key(|wait| wait.tag);
        waits
    }

    /// Payload bytes and messages that arrived.
    pub(crate) fn counts(&self) -> [u64; 2] {
        let state = self.lock();
        [state.payload_bytes, state.messages]
    }

    /// What a message counts for in the window.
    fn charge(&self, total: u64) -> usize {
        total.min(self.limits.initial_credit as u64) as usize
    }

    fn check_length(&self, tag: Tag, expect: Expect, announced: u64) -> Result<(), NetError> {
        match expect {
            Expect::Exactly(expected) if announced != expected as u64 => {
                Err(NetError::WrongLength { peer: self.peer, tag, expected, announced })
            }
            Expect::AtMost(limit) if announced > limit as u64 => Err(NetError::TooMuch {
                peer: self.peer,
                what: "the length of a document",
                limit: limit as u64,
            }),
            _ => Ok(()),
        }
    }

    fn timed_out(&self, tag: Tag, waited: Duration) -> NetError {
        NetError::TimedOut { peer: self.peer, tag, waited_ms: waited.as_millis() as u64 }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds this lock")
    }
}

impl State {
    fn announce(&mut self, inbox: &Inbox, header: &DataHeader) -> Result<Replies, NetError> {
        let (tag, total) = (header.tag, header.total);
        let mut replies = Replies::new();
        if !self.seen.insert(tag) {
            return Err(NetError::Twice { peer: inbox.peer, tag });
        }
        let bytes = inbox.charge(total);
        let slot = self.slots.entry(tag).or_default();
        slot.arrival = Arrival::Announced(total);
        if let Some(expect) = slot.expect {
            inbox.check_length(tag, expect, total)?;
            self.claimed.add(bytes);
            if bytes as u64 != total {
                slot.grant(tag, &mut replies);
            }
            self.report(&inbox.limits, &mut replies);
            return Ok(replies);
        }
        let was_crowded = self.crowded(&inbox.limits);
        self.unclaimed.add(bytes);
        let limits = &inbox.limits;
        let over = |what, limit: usize| NetError::TooMuch { peer: inbox.peer, what, limit: limit as u64 };
        if self.unclaimed.messages > limits.window_messages as u64 {
            return Err(over("the window of unclaimed messages", limits.window_messages));
        }
        if self.unclaimed.bytes > limits.window_bytes as u64 {
            return Err(over("the window of unclaimed bytes", limits.window_bytes));
        }
        if !was_crowded && self.crowded(limits) {
            for (tag, slot) in &mut self.slots {
                if slot.expect.is_some() && matches!(slot.arrival, Arrival::Nothing) {
                    slot.grant(*tag, &mut replies);
                }
            }
        }
        Ok(replies)
    }

    fn complete(&mut self, tag: Tag, received: Received) -> Option<Thread> {
        self.payload_bytes += received.payload.len() as u64;
        self.messages += 1;
        let slot = self.slots.get_mut(&tag).expect("announced before, and only taken when here");
        slot.arrival = Arrival::Here(received);
        slot.waiter.take()
    }

    fn take(&mut self, peer: PartyId, tag: Tag) -> Result<Option<Received>, NetError> {
        let Some(slot) = self.slots.get_mut(&tag) else {
            // Somebody else posted the same receive and took it.
            return Err(NetError::Reclaimed { peer, tag });
        };
        match slot.arrival {
            Arrival::Here(_) => {}
            Arrival::Lost => return Err(NetError::TimedOut { peer, tag, waited_ms: 0 }),
            _ if self.has_left => return Err(NetError::Left { peer, tag }),
            _ => return Ok(None),
        }
        match self.slots.remove(&tag).map(|slot| slot.arrival) {
            Some(Arrival::Here(received)) => Ok(Some(received)),
            _ => unreachable!("matched above, under the same lock"),
        }
    }

    fn forget_waiter(&mut self, tag: Tag) {
        if let Some(slot) = self.slots.get_mut(&tag) {
            slot.waiter = None;
        }
    }

    /// Whether so much lies unclaimed that the sender may be held back.
    fn crowded(&self, limits: &Limits) -> bool {
        self.unclaimed.bytes >= limits.window_bytes as u64 / 2
            || self.unclaimed.messages >= limits.window_messages as u64 / 2
    }

    /// Tells the sender how far its window has moved, every eighth of it.
    fn report(&mut self, limits: &Limits, replies: &mut Replies) {
        let bytes = self.claimed.bytes - self.reported.bytes;
        let messages = self.claimed.messages - self.reported.messages;
        if bytes >= limits.window_bytes as u64 / 8 || messages >= limits.window_messages as u64 / 8 {
            self.reported = self.claimed;
            replies.push(Control::Claimed { messages: self.claimed.messages, bytes: self.claimed.bytes });
        }
    }
}

impl Slot {
    fn grant(&mut self, tag: Tag, replies: &mut Replies) {
        if !self.is_credited {
            self.is_credited = true;
            replies.push(Control::Credit(tag));
        }
    }
}

/// Puts the pieces of one peer's messages together. Owned by whoever reads from it.
#[derive(Default)]
pub(crate) struct Assembler {
    partial: HashMap<Tag, Partial>,
}

struct Partial {
    total: u64,
    depth: u32,
    n_filled: usize,
    payload: Buf,
}

impl Assembler {
    /// Takes a piece of a data frame's payload that starts `at` in that frame.
    pub(crate) fn piece(
        &mut self,
        inbox: &Inbox,
        header: &DataHeader,
        at: u32,
        piece: &[u8],
    ) -> Result<Replies, NetError> {
        let garbage = |what| NetError::Garbage { peer: inbox.peer, what };
        let is_first = header.offset == 0 && at == 0;
        if is_first && header.total == piece.len() as u64 {
            let received = Received { payload: Buf::copy_of(piece), depth: header.depth };
            return inbox.whole(header, received);
        }
        let mut replies = Replies::new();
        if is_first {
            replies = inbox.announce(header)?;
            let payload = Buf::stale(self.room(inbox, header));
            let partial = Partial { total: header.total, depth: header.depth, n_filled: 0, payload };
            self.partial.insert(header.tag, partial);
        }
        let Some(partial) = self.partial.get_mut(&header.tag) else { return Err(garbage(Garbage::Gap)) };
        let start = header.offset + u64::from(at);
        if start != partial.n_filled as u64 || header.total != partial.total || header.depth != partial.depth
        {
            return Err(garbage(Garbage::Gap));
        }
        let end = partial.n_filled + piece.len();
        if end > partial.payload.len() {
            if !inbox.has_credit(header.tag) {
                return Err(garbage(Garbage::NoCredit));
            }
            let mut whole = Buf::stale(partial.total as usize);
            whole.bytes_mut()[..partial.n_filled]
                .copy_from_slice(&partial.payload.bytes()[..partial.n_filled]);
            partial.payload = whole;
        }
        partial.payload.bytes_mut()[partial.n_filled..end].copy_from_slice(piece);
        partial.n_filled = end;
        if end as u64 == partial.total {
            let done = self.partial.remove(&header.tag).expect("filled just now");
            inbox.complete(header.tag, Received { payload: done.payload, depth: done.depth });
        }
        Ok(replies)
    }

    /// Whether a message has begun and not ended.
    pub(crate) fn is_in_the_middle(&self) -> bool {
        !self.partial.is_empty()
    }

    /// How much memory a message gets before it has come: all of it where its
    /// receive has fixed the length, the initial credit where only the peer says so.
    fn room(&self, inbox: &Inbox, header: &DataHeader) -> usize {
        if inbox.has_credit(header.tag) { header.total as usize } else { inbox.charge(header.total) }
    }
}
