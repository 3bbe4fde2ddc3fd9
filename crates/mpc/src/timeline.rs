//! When things happen in a run that is only counted: what occupies links and processors, and for
//! how long.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use net::{Limits, LinkProfile, PartyId};

use crate::session::MAX_PARTIES;

/// How long a message takes to be noticed where nothing is simulated: TLS on loopback, with both
/// threads to wake.
const WAKE_NS: u64 = 100_000;
/// Bytes that one party masks, encrypts and sends in a second, three parties on two cores, with
/// what it computes around them.
const SENT_PER_S: f64 = 300e6;
/// Products that one party adds up in a second without sending anything, from memory.
const SUMMED_PER_S: f64 = 310e6;
/// The same in matrices, whose elements stay in the cache.
const MATRIX_PER_S: f64 = 3.3e9;

/// The clocks of all parties: in a real session only this party's own runs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// The Lamport clocks: message latencies on the longest chain.
    pub(crate) depth: [u32; MAX_PARTIES],
    /// Nanoseconds since the start, in counting runs.
    pub(crate) ns: [u64; MAX_PARTIES],
}

/// Products that a party makes without talking.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// Element by element, summed.
    Sums(usize),
    /// Of matrices.
    Matrix(usize),
}

/// One message, and when its ends are ready for it.
pub(crate) struct Parcel {
    pub(crate) from: PartyId,
    pub(crate) to: PartyId,
    pub(crate) n_bytes: usize,
    /// When the sender has what it is computed from.
    pub(crate) ready: u64,
    /// When the receiver asks for it.
    pub(crate) asked: u64,
}

/// What the parties' processors and links are busy with.
///
/// A counting run goes through its forks one after another, so that what happens early may be
/// counted late: each resource remembers when it is busy, and work takes the gaps that are left.
pub(crate) struct Timeline {
    link: LinkProfile,
    /// By party.
    processors: Vec<Busy>,
    /// By sender, then receiver.
    links: Vec<Busy>,
}

/// Disjoint stretches of time, by their starts.
#[derive(Default)]
struct Busy(BTreeMap<u64, u64>);

impl Clock {
    /// Waits for all that led to `other` too.
    pub(crate) fn absorb(&mut self, other: &Clock) {
        self.depth.iter_mut().zip(&other.depth).for_each(|(mine, theirs)| *mine = (*mine).max(*theirs));
        self.ns.iter_mut().zip(&other.ns).for_each(|(mine, theirs)| *mine = (*mine).max(*theirs));
    }
}

impl Timeline {
    pub(crate) fn new(n_parties: usize, link: LinkProfile) -> Self {
        let idle = |n| std::iter::repeat_with(Busy::default).take(n).collect();
        Timeline { link, processors: idle(n_parties), links: idle(n_parties * n_parties) }
    }

    /// When the sender is done with a message, and when it has arrived.
    pub(crate) fn message(&mut self, parcel: &Parcel) -> [u64; 2] {
        let Parcel { from, to, n_bytes, ready, asked } = *parcel;
        let sent = self.processors[from.index()].book(ready, ns_for(n_bytes, SENT_PER_S));
        let late = as_ns(self.link.delay + self.link.jitter / 2);
        let n_parties = self.processors.len();
        let line = &mut self.links[from.index() * n_parties + to.index()];
        // What exceeds the first credit waits until word has come that the receiver waits.
        let first = n_bytes.min(Limits::default().initial_credit);
        let mut left = line.book(sent, as_ns(self.link.occupancy(first)));
        if n_bytes > first {
            left = line.book(left.max(asked + late), as_ns(self.link.occupancy(n_bytes - first)));
        }
        [sent, left + late + WAKE_NS]
    }

    /// When a party that starts at `ready` is done with work of its own.
    pub(crate) fn work(&mut self, party: PartyId, ready: u64, work: Work) -> u64 {
        let ns = match work {
            Work::Sums(n) => ns_for(n, SUMMED_PER_S),
            Work::Matrix(n) => ns_for(n, MATRIX_PER_S),
        };
        self.processors[party.index()].book(ready, ns)
    }

    /// When a party is through `rounds` rounds, in which it sends `n_bytes` in all.
    pub(crate) fn rounds(&mut self, party: PartyId, ready: u64, rounds: u32, n_bytes: u64) -> u64 {
        let n_bytes = n_bytes as usize;
        let busy = ns_for(n_bytes, SENT_PER_S).max(as_ns(self.link.occupancy(n_bytes)));
        let round = as_ns(self.link.delay + self.link.jitter / 2) + WAKE_NS;
        self.processors[party.index()].book(ready, busy) + u64::from(rounds) * round
    }
}

impl Busy {
    /// Works for `ns` in the gaps from `ready` on: when it is done.
    fn book(&mut self, ready: u64, mut ns: u64) -> u64 {
        if ns == 0 {
            return ready;
        }
        // The stretch to which what is worked now belongs, with all that it grows together with.
        let mut at = ready;
        let mut start = ready;
        if let Some((&before, &end)) = self.0.range(..=ready).next_back()
            && end >= ready
        {
            (start, at) = (before, end);
        }
        loop {
            let next = self.0.range(at..).next().map(|(next, end)| (*next, *end));
            let gap = next.map_or(u64::MAX, |(next, _)| next - at);
            if ns < gap {
                at += ns;
                self.0.insert(start, at);
                return at;
            }
            let (next, end) = next.expect("the last gap has no end");
            ns -= gap;
            self.0.remove(&next);
            self.0.insert(start, end);
            if ns == 0 {
                return next;
            }
            at = end;
        }
    }
}

/// Forks of which so many are under way: the next one starts when one has ended, at each party.
/// Nothing in runs that are not counted.
pub(crate) struct Pace(Option<Mutex<Starts>>);

struct Starts {
    n_free: usize,
    ended: Vec<BinaryHeap<Reverse<u64>>>,
}

impl Pace {
    pub(crate) fn new(is_count: bool, in_flight: usize) -> Self {
        let starts = || Starts { n_free: in_flight.max(1), ended: vec![BinaryHeap::new(); MAX_PARTIES] };
        Pace(is_count.then(|| Mutex::new(starts())))
    }

    /// Delays the next fork's clock until it may start.
    pub(crate) fn start(&self, clock: &mut Clock) {
        let Some(mut starts) = self.lock() else { return };
        if starts.n_free > 0 {
            starts.n_free -= 1;
            return;
        }
        for (ns, ended) in clock.ns.iter_mut().zip(&mut starts.ended) {
            let first = ended.pop().map_or(0, |Reverse(first)| first);
            *ns = (*ns).max(first);
        }
    }

    /// A fork has ended.
    pub(crate) fn end(&self, clock: &Clock) {
        let Some(mut starts) = self.lock() else { return };
        clock.ns.iter().zip(&mut starts.ended).for_each(|(ns, ended)| ended.push(Reverse(*ns)));
    }

    fn lock(&self) -> Option<MutexGuard<'_, Starts>> {
        self.0.as_ref().map(|starts| starts.lock().unwrap_or_else(|poison| poison.into_inner()))
    }
}

fn as_ns(duration: Duration) -> u64 {
    duration.as_nanos() as u64
}

fn ns_for(n: usize, per_s: f64) -> u64 {
    (n as f64 * 1e9 / per_s) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_the_gaps_that_are_left() {
        let mut busy = Busy::default();
        assert_eq!(busy.book(100, 50), 150);
        assert_eq!(busy.book(300, 50), 350);
        // Counted later, done earlier; then into both gaps, then behind all.
        assert_eq!(busy.book(0, 40), 40);
        assert_eq!(busy.book(20, 100), 190);
        assert_eq!(busy.book(0, 110), 300);
        assert_eq!(busy.book(10, 5), 355);
        assert_eq!(busy.0, BTreeMap::from([(0, 355)]));
        assert_eq!(busy.book(400, 0), 400);
        assert_eq!(busy.book(355, 1), 356);
        assert_eq!(busy.0, BTreeMap::from([(0, 356)]));
    }

    /// Against time in ticks, each busy or not.
    #[test]
    fn gaps_fill_as_ticks_do() {
        let mut state = 1u64;
        let mut random = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        for _ in 0..200 {
            let (mut busy, mut ticks) = (Busy::default(), vec![false; 2000]);
            for _ in 0..30 {
                let (ready, ns) = (random(500), 1 + random(20));
                let mut left = ns;
                let end = (ready..).find(|at| {
                    let free = !std::mem::replace(&mut ticks[*at as usize], true);
                    left -= u64::from(free);
                    left == 0
                });
                assert_eq!(Some(busy.book(ready, ns)), end.map(|last| last + 1));
            }
        }
    }

    #[test]
    fn messages_wait_for_links_and_large_ones_for_word() {
        let link = LinkProfile::wan(100, 8);
        let mut line = Timeline::new(2, link);
        let [a, b] = [0, 1].map(PartyId::from_index);
        let ms = |ns: u64| ns / 1_000_000;
        let mut message = |n_bytes, ready, asked| {
            let parcel = Parcel { from: a, to: b, n_bytes, ready, asked };
            ms(line.message(&parcel)[1])
        };
        // A byte takes a microsecond.
        assert_eq!(message(10_000, 0, 0), 60);
        assert_eq!(message(10_000, 0, 0), 70);
        // The first credit goes at once; word of the receiver, asking late, takes a latency.
        let credit = 1049;
        assert_eq!(message(2_000_000, 1_000_000_000, 0) / 10, (1000 + 6 + 2000 + 50) / 10);
        let asked = 10_000_000_000;
        assert_eq!(message(2_000_000, 5_000_000_000, asked) / 10, (10_000 + 50 + 2000 - credit + 50) / 10);
    }

    #[test]
    fn chunks_start_when_others_have_ended() {
        let pace = Pace::new(true, 2);
        let at = |ns| Clock { ns: [ns; MAX_PARTIES], ..Clock::default() };
        let mut ends = Vec::new();
        for work in [50, 10, 20, 5] {
            let mut clock = at(100);
            pace.start(&mut clock);
            ends.push(clock.ns[0] + work);
            pace.end(&at(clock.ns[0] + work));
        }
        assert_eq!(ends, [150, 110, 130, 135]);
    }
}
