//! All parties in one process: the same frames, encoded and decoded, without a wire.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use buf::{Buf, Bytes};

use crate::endpoint::Endpoint;
use crate::inbox::Expect;
use crate::outbox::Outgoing;
use crate::{Limits, LinkProfile, Mesh, NetError, PartyId, Received, Tag, Traffic, Wait};

/// Stands between the parties of a [`LocalMesh`]: sees every message, and decides
/// what becomes of it. For tests that cheat, and for those that watch.
pub trait Interceptor: Send + Sync {
    /// Called once for each whole message, in the sender's thread, before it leaves.
    ///
    /// `payload` may be changed or replaced, also by one of another length.
    fn message(&self, from: PartyId, to: PartyId, tag: Tag, payload: &mut Buf) -> Verdict;
}

/// What becomes of an intercepted message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It travels.
    Deliver,
    /// It never comes. Whoever waits for it is told at once that time has run
    /// out, so that tests need not wait.
    Drop,
    /// It comes twice.
    Duplicate,
    /// It leaves this much later.
    Delay(Duration),
}

/// How the parties of a [`LocalMesh`] are connected.
#[derive(Clone, Default)]
pub struct LocalOptions {
    /// The simulated link.
    pub link: LinkProfile,
    /// The limits of every party.
    pub limits: Limits,
    /// Who stands between.
    pub interceptor: Option<Arc<dyn Interceptor>>,
}

/// One party's mesh among parties in the same process.
///
/// Dropped before [`Mesh::finish`], it looks to the others like a crash.
pub struct LocalMesh {
    me: PartyId,
    wire: Arc<Wire>,
}

/// What connects the parties.
struct Wire {
    endpoints: Vec<Endpoint>,
    link: LinkProfile,
    interceptor: Option<Arc<dyn Interceptor>>,
    n_alive: AtomicUsize,
    /// Messages that the interceptor keeps back, by sender.
    n_kept: Vec<AtomicUsize>,
    /// By sender, then receiver.
    lines: Vec<Mutex<Line>>,
    in_flight: Mutex<InFlight>,
    more: Condvar,
}

/// When the link of one ordered pair is free again, and when all it carries has arrived.
#[derive(Clone, Copy)]
struct Line {
    free_at: Instant,
    last_due: Instant,
}

#[derive(Default)]
struct InFlight {
    heap: BinaryHeap<Reverse<Parcel>>,
    n_ever: u64,
    has_thread: bool,
}

/// Something that happens later; ordered by time, then by age.
struct Parcel {
    due: Instant,
    number: u64,
    from: PartyId,
    to: PartyId,
    content: Content,
}

enum Content {
    Frame(Vec<u8>, Bytes),
    Closed,
    /// A message that was kept back before it left.
    Message(Tag, u32, Bytes),
}

impl LocalMesh {
    /// The meshes of `n_parties` over the same simulated link.
    ///
    /// # Panics
    /// If there are none or more than 16 of them.
    pub fn new(n_parties: usize, link: LinkProfile) -> Vec<LocalMesh> {
        LocalMesh::with(n_parties, LocalOptions { link, ..LocalOptions::default() })
    }

    /// The meshes of `n_parties`, with somebody between them if `interceptor` is given.
    ///
    /// # Panics
    /// If there are none or more than 16 of them.
    pub fn with_interceptor(
        n_parties: usize,
        link: LinkProfile,
        interceptor: Option<Arc<dyn Interceptor>>,
    ) -> Vec<LocalMesh> {
        LocalMesh::with(n_parties, LocalOptions { link, interceptor, ..LocalOptions::default() })
    }

    /// The meshes of `n_parties` with limits and an interceptor.
    ///
    /// # Panics
    /// If there are none or more than 16 of them.
    pub fn with(n_parties: usize, options: LocalOptions) -> Vec<LocalMesh> {
        assert!((1..=crate::MAX_PARTIES).contains(&n_parties), "a session has 1 to 16 parties");
        let limits = options.limits.live();
        let all_limits = vec![limits; n_parties];
        let now = Instant::now();
        let line = || Mutex::new(Line { free_at: now, last_due: now });
        let wire = Arc::new(Wire {
            endpoints: PartyId::all(n_parties).map(|me| Endpoint::new(me, limits, &all_limits)).collect(),
            link: options.link,
            interceptor: options.interceptor,
            n_alive: AtomicUsize::new(n_parties),
            n_kept: PartyId::all(n_parties).map(|_| AtomicUsize::new(0)).collect(),
            lines: std::iter::repeat_with(line).take(n_parties * n_parties).collect(),
            in_flight: Mutex::default(),
            more: Condvar::new(),
        });
        PartyId::all(n_parties).map(|me| LocalMesh { me, wire: Arc::clone(&wire) }).collect()
    }

    fn end(&self) -> &Endpoint {
        &self.wire.endpoints[self.me.index()]
    }

    fn post(&self, from: PartyId, tag: Tag, expect: Expect) -> Result<(), NetError> {
        self.end().post(from, tag, expect)?;
        self.wire.carry(self.me, from);
        Ok(())
    }

    fn carry_to_all(&self) {
        self.end().others().for_each(|to| self.wire.carry(self.me, to));
    }
}

impl Mesh for LocalMesh {
    fn me(&self) -> PartyId {
        self.me
    }

    fn n_parties(&self) -> usize {
        self.end().n_parties()
    }

    fn send(&self, to: PartyId, tag: Tag, depth: u32, payload: Bytes) -> Result<(), NetError> {
        let Some(interceptor) = &self.wire.interceptor else {
            return self.wire.send(self.me, to, tag, depth, payload);
        };
        let mut copy = Buf::copy_of(payload.bytes());
        let verdict = interceptor.message(self.me, to, tag, &mut copy);
        let payload = copy.freeze();
        match verdict {
            Verdict::Deliver => self.wire.send(self.me, to, tag, depth, payload),
            Verdict::Drop => {
                if let Some(end) = self.wire.endpoints.get(to.index()) {
                    end.inbox(self.me).lose(tag);
                }
                Ok(())
            }
            Verdict::Duplicate => {
                self.wire.send(self.me, to, tag, depth, payload.clone())?;
                // The receiver may have ended the session over it by now.
                let _ = self.wire.send(self.me, to, tag, depth, payload);
                Ok(())
            }
            Verdict::Delay(delay) => {
                self.wire.n_kept[self.me.index()].fetch_add(1, Ordering::AcqRel);
                let content = Content::Message(tag, depth, payload);
                self.wire.later(Instant::now() + delay, self.me, to, content);
                Ok(())
            }
        }
    }

    fn recv(&self, from: PartyId, tag: Tag, n_bytes: usize) -> Result<Received, NetError> {
        self.post(from, tag, Expect::Exactly(n_bytes))?;
        self.end().wait(from, tag)
    }

    fn try_recv(&self, from: PartyId, tag: Tag, n_bytes: usize) -> Result<Option<Received>, NetError> {
        self.post(from, tag, Expect::Exactly(n_bytes))?;
        self.end().poll(from, tag)
    }

    fn recv_document(&self, from: PartyId, tag: Tag, max_bytes: usize) -> Result<Received, NetError> {
        self.post(from, tag, Expect::AtMost(max_bytes))?;
        self.end().wait(from, tag)
    }

    fn abort(&self, reason: &str) {
        self.end().abort(reason);
        self.carry_to_all();
    }

    fn traffic(&self) -> Traffic {
        self.end().traffic()
    }

    fn finish(&self) -> Result<(), NetError> {
        let n_kept = &self.wire.n_kept[self.me.index()];
        while n_kept.load(Ordering::Acquire) > 0 && self.end().failure().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.end().say_goodbye()?;
        self.carry_to_all();
        Ok(())
    }

    fn waits(&self) -> Vec<Wait> {
        self.end().waits()
    }
}

impl Drop for LocalMesh {
    fn drop(&mut self) {
        for to in self.end().others() {
            // Another thread may be carrying this party's last word: what closes comes after it.
            self.end().outbox(to).wait_until_idle();
            self.wire.close(self.me, to);
        }
        if self.wire.n_alive.fetch_sub(1, Ordering::AcqRel) == 1 {
            let mut in_flight = self.wire.in_flight.lock().expect(POISON);
            in_flight.heap.clear();
            drop(in_flight);
            self.wire.more.notify_all();
        }
    }
}

const POISON: &str = "nothing panics while it holds this lock";

impl Wire {
    fn send(
        self: &Arc<Self>,
        from: PartyId,
        to: PartyId,
        tag: Tag,
        depth: u32,
        payload: Bytes,
    ) -> Result<(), NetError> {
        self.endpoints[from.index()].send(to, tag, depth, payload)?;
        self.carry(from, to);
        Ok(())
    }

    /// Puts on the wire what `from` has ready for `to`, and what `to` answers.
    /// One thread at a time does this for a pair; what others add, it carries too.
    fn carry(self: &Arc<Self>, from: PartyId, to: PartyId) {
        let mut i_am_writing = false;
        while let Some(outgoing) = self.endpoints[from.index()].outbox(to).next_exclusive(&mut i_am_writing) {
            let (tag, head, payload) = match outgoing {
                Outgoing::Data(header, payload) => (Some(header.tag), header.encode().to_vec(), payload),
                Outgoing::Control(control) => (control.tag(), control.encode(), Bytes::empty()),
            };
            if self.link.is_instant() {
                self.deliver(from, to, &head, &payload);
            } else {
                let due = self.due(from, to, tag, head.len() + payload.len());
                self.later(due, from, to, Content::Frame(head, payload));
            }
        }
    }

    fn deliver(self: &Arc<Self>, from: PartyId, to: PartyId, head: &[u8], payload: &Bytes) {
        // A violation has ended the receiver's session; the sender hears of it
        // from there, as it would over a network.
        let _ = self.endpoints[to.index()].feed(from, &[head, payload.bytes()]);
        self.carry(to, from);
    }

    /// When a frame arrives that leaves now.
    fn due(&self, from: PartyId, to: PartyId, tag: Option<Tag>, n_bytes: usize) -> Instant {
        let mut line = self.lines[from.index() * self.endpoints.len() + to.index()].lock().expect(POISON);
        line.free_at = line.free_at.max(Instant::now()) + self.link.occupancy(n_bytes);
        let mut due = line.free_at + self.link.lateness(from, to, tag);
        if tag.is_none() {
            // An abort or a goodbye stays behind everything before it.
            due = due.max(line.last_due);
        }
        line.last_due = line.last_due.max(due);
        due
    }

    fn close(self: &Arc<Self>, from: PartyId, to: PartyId) {
        if self.link.is_instant() {
            self.endpoints[to.index()].closed(from);
        } else {
            self.later(self.due(from, to, None, 0), from, to, Content::Closed);
        }
    }

    /// Lets something happen later, in the wire's own thread.
    fn later(self: &Arc<Self>, due: Instant, from: PartyId, to: PartyId, content: Content) {
        let mut in_flight = self.in_flight.lock().expect(POISON);
        let number = in_flight.n_ever;
        in_flight.n_ever += 1;
        in_flight.heap.push(Reverse(Parcel { due, number, from, to, content }));
        if !in_flight.has_thread {
            in_flight.has_thread = true;
            let wire = Arc::clone(self);
            std::thread::Builder::new()
                .name("local-wire".into())
                .spawn(move || wire.run())
                .expect("the system has a thread to spare");
        }
        drop(in_flight);
        self.more.notify_all();
    }

    fn run(self: Arc<Self>) {
        let mut in_flight = self.in_flight.lock().expect(POISON);
        while self.n_alive.load(Ordering::Acquire) > 0 {
            let now = Instant::now();
            let Some(Reverse(first)) = in_flight.heap.peek() else {
                in_flight = self.more.wait(in_flight).expect(POISON);
                continue;
            };
            if first.due > now {
                let wait = first.due - now;
                in_flight = self.more.wait_timeout(in_flight, wait).expect(POISON).0;
                continue;
            }
            let Some(Reverse(parcel)) = in_flight.heap.pop() else { continue };
            drop(in_flight);
            match parcel.content {
                Content::Frame(head, payload) => self.deliver(parcel.from, parcel.to, &head, &payload),
                Content::Closed => self.endpoints[parcel.to.index()].closed(parcel.from),
                // The sender may have left or failed meanwhile: then nothing comes.
                Content::Message(tag, depth, payload) => {
                    let _ = self.send(parcel.from, parcel.to, tag, depth, payload);
                    self.n_kept[parcel.from.index()].fetch_sub(1, Ordering::AcqRel);
                }
            }
            in_flight = self.in_flight.lock().expect(POISON);
        }
    }
}

impl Parcel {
    fn key(&self) -> (Instant, u64) {
        (self.due, self.number)
    }
}

impl PartialEq for Parcel {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Parcel {}

impl PartialOrd for Parcel {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Parcel {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}
