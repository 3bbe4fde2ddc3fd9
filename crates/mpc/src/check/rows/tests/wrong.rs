//! Words that go elsewhere in a shuffle, or change on their way: every one is caught.

use net::{PartyId, Tag};

use super::*;
use crate::check::tests;
use crate::error::Deviation;
use crate::lab::{Cheat, Lab, Run};

/// Changes a byte of one of a party's messages, and goes on with it; or swaps two rows.
#[derive(Clone, Copy)]
enum Slip {
    Message { part: u128, at: usize, error: u8 },
    Factor { number: usize },
}

struct Cheater {
    party: PartyId,
    slip: Slip,
}

impl Cheat for Cheater {
    fn product(&self, party: PartyId, tag: Tag, z: &mut [u8]) {
        match self.slip {
            Slip::Message { part, at, error } if (party, tag.step & 0xff) == (self.party, part) => {
                // Of the first pass: the other one's messages are shorter.
                z.get_mut(at).into_iter().for_each(|z| *z ^= error);
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

fn run_with(party: usize, slip: Slip, shapes: &[Shape]) -> Run<()> {
    let cheat = Cheater { party: PartyId::from_index(party), slip };
    Lab::seeded(party as u64).cheating(Arc::new(cheat)).run(|s| run(s, shapes))
}

#[test]
fn every_row_that_changes_or_goes_elsewhere_is_refused() {
    // Who sends in which stage, forward and backward.
    let forward = [(0, 0), (1, 0), (0, 1), (2, 1), (1, 2), (2, 2)];
    let backward = forward.map(|(party, part)| (2 - party, part));
    for (messages, is_backward) in [(forward, false), (backward, true)] {
        for (bits, lane_bytes) in [(8u32, 1), (16, 2), (32, 4), (64, 8), (128, 16)] {
            let widths: &'static [u32] = match bits {
                8 => &[8],
                16 => &[16],
                32 => &[32],
                64 => &[64],
                _ => &[128],
            };
            let shapes: &[Shape] = &[(3, is_backward, widths), (2, false, &[8])];
            for (party, part) in messages {
                // Every byte of a lane of three rows.
                for at in 0..3 * lane_bytes {
                    let error = if at % 2 == 0 { 1 } else { 0x80 };
                    let run = run_with(party, Slip::Message { part, at, error }, shapes);
                    let verdict = &run.outcomes[(party + 1) % 3];
                    assert!(
                        matches!(
                            verdict,
                            Err(ProtocolError::PeerDeviated { deviation: Deviation::RowsChanged, .. })
                        ),
                        "{bits} bits, byte {at} of message {part} of {party}: {:?}",
                        run.outcomes
                    );
                    assert!(run.outcomes.iter().all(Result::is_err), "{:?}", run.outcomes);
                }
            }
        }
        for (party, number) in (0..3).flat_map(|party| [(party, 0), (party, 1)]) {
            let run = run_with(party, Slip::Factor { number }, &[(3, is_backward, &[64])]);
            assert!(run.outcomes.iter().all(Result::is_err), "{:?}", run.outcomes);
        }
    }
}

#[test]
fn parties_with_different_batches_stop() {
    tests::assert_proofs_differ(|s| {
        let mut passes = batch_of(s, &[(4, false, &[64]), (4, false, &[64])])?;
        // As many rows, in another order: other statements.
        if s.me().index() == 1 {
            passes.reverse();
        }
        let step = s.begin("check")?;
        prove(s, &step, &passes)
    });
}

#[test]
fn a_batch_is_proved_once() {
    let run = Lab::seeded(4).run(|s| {
        let passes = batch_of(s, TINY)?;
        let step = s.begin("check")?;
        prove(s, &step, &passes)?;
        Ok(matches!(prove(s, &step, &passes), Err(ProtocolError::StepReused { .. })))
    });
    assert!(run.agreed(), "a second proof under the same masks was made");
}
