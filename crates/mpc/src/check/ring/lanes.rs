//! The randomness of a proof: a pure function of key, proof, prover and use.
//!
//! Each key serves a party in all three roles, so no two uses may share a lane:
//! one lane for two of them would show in what a party sees.

use math::prime::{Pair, Prime};
use math::{X8, X64};

use super::integer::Integer;
use super::shape::{QUOTIENT_BYTES, Shape};
use crate::check::rounds::{Seed, salts};
use crate::prss::{Root, Use};
use crate::step::Step;

/// Bits of the right verifier's share of a quotient: 80 more than a quotient has.
pub(super) const QUOTIENT_BITS: u32 = 250;

/// The randomness of the prover once the prime is known. Each verifier knows the half under its
/// key.
pub(super) struct ProverLanes {
    /// The right verifier's shares of the proof, in order.
    pub(super) right: Vec<u64>,
    /// The salts of the left shares' digests, in order.
    pub(super) salts: Vec<Seed>,
    /// What hides the left operand.
    pub(super) mask_left: Pair,
    /// What hides the right operand.
    pub(super) mask_right: Pair,
}

impl ProverLanes {
    /// `left` is the key shared with the left verifier, `right` the one with the right verifier.
    pub(super) fn of(step: &Step, [left, right]: [&Root; 2], shape: Shape, prime: &Prime) -> Self {
        ProverLanes {
            right: right_shares(step, right, shape, prime),
            salts: salts(step, left, shape.n_digests()),
            mask_left: mask_left(step, left, prime),
            mask_right: mask_right(step, right, prime),
        }
    }
}

/// The right verifier's shares of quotients.
pub(super) fn right_quotients(step: &Step, right: &Root, shape: Shape) -> Vec<Integer> {
    let bytes = bytes(step, right, Use::ProofQuotient, QUOTIENT_BYTES * shape.n_subsets());
    let share = |bytes: &[u8; QUOTIENT_BYTES]| {
        let mut bytes = *bytes;
        bytes[QUOTIENT_BYTES - 1] &= 0xff >> (256 - QUOTIENT_BITS);
        Integer::from_bytes(&bytes)
    };
    bytes.as_chunks().0.iter().map(share).collect()
}

pub(super) fn right_shares(step: &Step, right: &Root, shape: Shape, prime: &Prime) -> Vec<u64> {
    elements(step, right, Use::ProofShare, shape.n_words(), prime)
}

pub(super) fn mask_left(step: &Step, left: &Root, prime: &Prime) -> Pair {
    pair(&elements(step, left, Use::ProofMaskLeft, 2, prime))
}

pub(super) fn mask_right(step: &Step, right: &Root, prime: &Prime) -> Pair {
    pair(&elements(step, right, Use::ProofMaskRight, 2, prime))
}

/// The coins of the left and the right verifier, and the left one's second, from the key that the
/// prover lacks.
pub(super) fn coins(step: &Step, root: &Root) -> [Seed; 3] {
    [Use::ProofCoinLeft, Use::ProofCoinRight, Use::ProofCoinPrime]
        .map(|purpose| bytes(step, root, purpose, size_of::<Seed>()).try_into().expect("a coin's size"))
}

fn pair(words: &[u64]) -> Pair {
    Pair { re: words[0], im: words[1] }
}

/// Elements from 128 bits each: uniform but for 2^-64.
fn elements(step: &Step, root: &Root, purpose: Use, n: usize, prime: &Prime) -> Vec<u64> {
    let mut words = vec![X64(0); 2 * n];
    root.stream(step, purpose).fill(&mut words);
    words.as_chunks().0.iter().map(|[low, high]| prime.reduce_two(low.0, high.0)).collect()
}

fn bytes(step: &Step, root: &Root, purpose: Use, n: usize) -> Vec<u8> {
    let mut items = vec![X8(0); n];
    root.stream(step, purpose).fill(&mut items);
    bytemuck::cast_slice(&items).to_vec()
}
