//! What a changed message may do: stop the session or spoil an answer, and nothing worse.
//!
//! Sessions against passive adversaries promise no more. But what is opened steers a sort, so
//! that parties who see different values go different ways, and they have to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use buf::Buf;
use mpc::lab::{self, Lab};
use mpc::{Params, ProtocolError, Session, SharedBits};
use net::{Interceptor, PartyId, Tag, Verdict};
use oblivious::{Method, Rows, Table, UniqueSide, distinct, lookup, sort};

/// Flips a bit of one party's message number `at`.
struct Flip {
    from: usize,
    at: usize,
    sent: AtomicUsize,
}

impl Interceptor for Flip {
    fn message(&self, from: PartyId, _: PartyId, _: Tag, payload: &mut Buf) -> Verdict {
        let is_it = from.index() == self.from && self.sent.fetch_add(1, Ordering::Relaxed) == self.at;
        if is_it && let Some(byte) = payload.bytes_mut().first_mut() {
            *byte ^= 1;
        }
        Verdict::Deliver
    }
}

fn sweep(f: impl Fn(&mut Session) -> Result<(), ProtocolError> + Sync) {
    let params = [Params { threads: 1, in_flight: 1, chunk_rows: 512, ..Params::default() }];
    for from in 0..3 {
        for at in 0.. {
            let flip = Arc::new(Flip { from, at, sent: AtomicUsize::new(0) });
            let lab = Lab::seeded(1).params(&params).intercepted(Arc::clone(&flip) as Arc<dyn Interceptor>);
            // A panic in a party would come out here, a wait without end would never come out.
            let run = lab.run(&f);
            if flip.sent.load(Ordering::Relaxed) <= at {
                assert!(run.outcomes.iter().all(Result::is_ok), "nothing was changed");
                break;
            }
        }
    }
}

fn numbers(s: &Session, seed: u64, width: usize, n: i128) -> SharedBits {
    lab::deal_numbers(s, seed, width, &(0..n).map(|row| row * 5 % 13).collect::<Vec<_>>())
}

#[test]
fn sorts_end() {
    for method in [Method::Quick, Method::Radix] {
        sweep(|s| {
            let keys = numbers(s, 1, 4, 100);
            sort(s, "sort", &keys, &Table::empty(100), method).map(drop)
        });
    }
}

#[test]
fn joins_and_groups_end() {
    sweep(|s| {
        let (keys, other) = (numbers(s, 1, 4, 12), numbers(s, 2, 4, 20));
        let (valid, other_valid) = (SharedBits::constant(s, 12, 1, 1), SharedBits::constant(s, 20, 1, 1));
        let payload = Table::try_new(s, 12, vec![keys.clone().into()])?;
        let unique = UniqueSide { keys: &keys, valid: &valid, payload: &payload };
        lookup(s, "by pairs", unique, &other, &other_valid, Method::Auto)?;
        lookup(s, "by sorting", unique, &other, &other_valid, Method::Radix)?;
        let rows = Rows { keys: &keys, valid: &valid, along: &payload };
        distinct(s, "distinct", rows, None, Method::Radix).map(drop)
    });
}
