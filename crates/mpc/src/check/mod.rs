//! Checks that make shares trustworthy when a party may cheat.

#![allow(dead_code, reason = "the recorder that calls these comes next")]

pub(crate) mod bits;

use crate::bits::SharedBits;
use crate::step::Step;

/// One step's recorded ANDs. Clones are counted references; masks are made again from
/// `(step, Use::Mask)` by the two parties that know each key.
#[derive(Clone)]
pub(crate) struct AndStep {
    pub(crate) step: Step,
    pub(crate) pairs: Vec<(SharedBits, SharedBits)>,
    pub(crate) z: SharedBits,
}
