//! The size of a proof, and what verifiers make of one.

use std::sync::Arc;

use math::Group;
use math::gf::Gf128;

use super::sides::Side;
use crate::check::rounds::{Outcome, Seed, TOLD, digest, fold};
use crate::shuffle::stages::Pass;

/// How large a batch is: a public function of it.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// Elements of each of the two vectors, those of zeros that fill up four included.
    pub(super) n_elements: usize,
}

impl Shape {
    pub(super) fn of(passes: &[Arc<Pass>]) -> Self {
        let n_rows: usize = passes.iter().map(|pass| pass.n).sum();
        Shape { n_elements: (2 * n_rows).next_multiple_of(4) }
    }

    /// `D + 1`: rounds that halve a vector, and the masking one. Each shares two elements.
    pub(super) fn rounds(self) -> usize {
        self.n_elements.next_power_of_two().trailing_zeros() as usize + 1
    }

    /// Bytes of the prover's message to its left verifier, and of the latter's to the right one.
    pub(super) fn message_bytes(self) -> [usize; 2] {
        [32 * self.rounds() + 32, 32 * self.rounds() + 16 * TOLD]
    }
}

/// The digests of the left shares.
pub(super) fn digests(shares: &[Gf128], salts: &[Seed]) -> Vec<Seed> {
    salts.iter().zip(shares.chunks(2)).map(|(salt, share)| digest(salt, share)).collect()
}

/// What a verifier is left with: `shares` are its share of the proof, `masks` what hides its vector, and the
/// zeros that it has of the other one.
pub(super) fn outcome(mut side: Side, shares: &[Gf128], points: &[Gf128], masks: [Gf128; 2]) -> Outcome {
    let (claim, vector) = (side.claim, side.vector);
    let rounds = &points[..points.len() - 1];
    let mut operands = [Gf128::ZERO; 2];
    operands[vector as usize] = rounds.iter().fold(side.elements(), |w, point| fold(w, *point))[0];
    Outcome::of(claim, shares, points, operands, masks)
}
