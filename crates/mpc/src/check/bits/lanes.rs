//! The randomness of a proof: a pure function of key, proof, prover and use.
//!
//! Each key serves a party in all three roles, so no two uses may share a lane:
//! one lane for two of them would show in what a party sees.

use bytemuck::{Pod, Zeroable};
use math::gf::Gf128;
use math::{Group, X8};

use super::shape::Shape;
use super::transcript::Seed;
use crate::prss::{Root, Use};
use crate::step::Step;

/// The step below which everything that one prover's proof needs is named.
pub(super) fn of_prover(step: &Step, prover: usize) -> Step {
    step.child(("prover", prover).into())
}

/// The randomness of the prover. Each verifier knows the half under its key.
pub(super) struct ProverLanes {
    /// The right verifier's shares of the proof, in order.
    pub(super) right: Vec<Gf128>,
    /// The salts of the left shares' digests, in order.
    pub(super) salts: Vec<Seed>,
    /// What hides the left operand.
    pub(super) mask_left: Gf128,
    /// What hides the right operand.
    pub(super) mask_right: Gf128,
}

impl ProverLanes {
    /// `left` is the key shared with the left verifier, `right` the one with the right verifier.
    pub(super) fn of(step: &Step, left: &Root, right: &Root, shape: Shape) -> Self {
        ProverLanes {
            right: right_shares(step, right, shape),
            salts: salts(step, left, shape),
            mask_left: mask_left(step, left),
            mask_right: mask_right(step, right),
        }
    }
}

pub(super) fn right_shares(step: &Step, right: &Root, shape: Shape) -> Vec<Gf128> {
    lane(step, right, Use::ProofShare, shape.n_elements())
}

pub(super) fn salts(step: &Step, left: &Root, shape: Shape) -> Vec<Seed> {
    let bytes = lane::<X8>(step, left, Use::ProofSalt, shape.n_digests() * size_of::<Seed>());
    bytemuck::cast_slice(&bytes).to_vec()
}

pub(super) fn mask_left(step: &Step, left: &Root) -> Gf128 {
    lane(step, left, Use::ProofMaskLeft, 1)[0]
}

pub(super) fn mask_right(step: &Step, right: &Root) -> Gf128 {
    lane(step, right, Use::ProofMaskRight, 1)[0]
}

/// The coins of the left and the right verifier, from the key that the prover lacks.
pub(super) fn coins(step: &Step, root: &Root) -> [Seed; 2] {
    [Use::ProofCoinLeft, Use::ProofCoinRight].map(|purpose| {
        let bytes = lane::<X8>(step, root, purpose, size_of::<Seed>());
        bytemuck::cast_slice::<X8, Seed>(&bytes)[0]
    })
}

fn lane<G: Group + Pod + Zeroable>(step: &Step, root: &Root, purpose: Use, n: usize) -> Vec<G> {
    let mut items = vec![G::ZERO; n];
    root.stream(step, purpose).fill(&mut items);
    items
}
