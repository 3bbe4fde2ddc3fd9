//! What a cheater makes of coins that it knows too early.

use crate::bits::SharedBits;
use crate::check::{AndStep, bits};
use crate::session::Session;
use crate::step::Label;

/// What a compute party may add to the first and the second 128 bits of its product in an AND of
/// one plane of up to 512 rows, alone in its batch, so that the proof passes all the same: if it
/// knows the coins of the left and the right verifier before.
pub fn cancelling_errors(
    s: &Session,
    label: impl Into<Label>,
    x: &SharedBits,
    y: &SharedBits,
    coins: &[[u8; 32]; 2],
) -> [u128; 2] {
    let prover = s.seat().expect("a compute party").index;
    let step = s.step().child(label.into());
    let check = step.child("check bits".into());
    // Of the product itself, a statement holds the shape alone.
    let and = AndStep { step, pairs: vec![(x.clone(), y.clone())], z: x.clone(), provers: [true; 3] };
    bits::cancelling(s, &check, &[and], prover, coins)
}
