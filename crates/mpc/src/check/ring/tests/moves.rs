//! Numbers that go elsewhere in a shuffle, or change on their way: every one is caught.

use std::sync::Arc;

use net::{PartyId, Tag};

use super::*;
use crate::error::Deviation;
use crate::lab::{Cheat, Lab, Run};

/// Adds an error to a row of one of a party's messages, and goes on with it; or swaps two rows.
#[derive(Clone, Copy)]
enum Slip<R> {
    Message { part: u128, row: usize, error: R },
    Factor { number: usize },
}

struct Cheater<R> {
    party: PartyId,
    slip: Slip<R>,
    /// Bytes of the lane before.
    start: usize,
}

impl<R: Ring> Cheat for Cheater<R> {
    fn product(&self, party: PartyId, tag: Tag, z: &mut [u8]) {
        match self.slip {
            Slip::Message { part, row, error } if (party, tag.step & 0xff) == (self.party, part) => {
                let place = &mut z[self.start + row * R::BYTES..][..R::BYTES];
                let wrong: R = bytemuck::pod_read_unaligned::<R>(place).plus(error);
                place.copy_from_slice(bytemuck::bytes_of(&wrong));
            }
            _ => {}
        }
    }

    fn factor(&self, party: PartyId, _: Tag, number: usize, from: &mut [u32]) {
        match self.slip {
            Slip::Factor { number: slip } if (party, number) == (self.party, slip) => from.swap(0, 1),
            _ => {}
        }
    }
}

fn run_with<R: Ring>(party: usize, slip: Slip<R>, is_backward: bool) -> Run<()> {
    let n = 3usize;
    let start = (2 * n).next_multiple_of(16);
    let cheat = Cheater { party: PartyId::from_index(party), slip, start };
    let shape = Moved(n, is_backward);
    Lab::seeded(party as u64).cheating(Arc::new(cheat)).run(|s| run(s, &[(R::BITS, shape.clone())]))
}

fn assert_caught<R: Ring>(party: usize, slip: Slip<R>, is_backward: bool) {
    let run = run_with(party, slip, is_backward);
    // The right verifier refuses, whichever of the two messages it is.
    let verdict = &run.outcomes[(party + 1) % 3];
    assert!(
        matches!(verdict, Err(ProtocolError::PeerDeviated { deviation: Deviation::FalseProof, .. })),
        "{:?}",
        run.outcomes
    );
    assert!(run.outcomes.iter().all(Result::is_err), "{:?}", run.outcomes);
}

fn wrong_rows<R: Ring>() {
    // Who sends in which stage, forward and backward.
    let forward = [(0, 0), (1, 0), (0, 1), (2, 1), (1, 2), (2, 2)];
    let backward = forward.map(|(party, part)| (2 - party, part));
    for (messages, is_backward) in [(forward, false), (backward, true)] {
        for (at, (party, part)) in messages.into_iter().enumerate() {
            for error in [R::ONE, R::from_word(1 << (R::BITS - 1)), R::ZERO.minus(R::ONE)] {
                assert_caught(party, Slip::Message { part, row: at % 3, error }, is_backward);
            }
        }
    }
    for party in 0..3 {
        // Elements 0 and 1 of what is dealt here are different ones.
        for number in 0..2 {
            let run = run_with::<R>(party, Slip::Factor { number }, number == 1);
            assert!(run.outcomes.iter().all(Result::is_err), "{:?}", run.outcomes);
        }
    }
}

#[test]
fn every_row_that_changes_or_goes_elsewhere_is_refused() {
    wrong_rows::<Z8>();
    wrong_rows::<Z16>();
    wrong_rows::<Z32>();
    wrong_rows::<Z64>();
    wrong_rows::<Z128>();
}
