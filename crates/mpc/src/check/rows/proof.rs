//! The rounds of a proof, at the prover and at the verifiers.

use std::sync::Arc;

use math::Group;
use math::gf::vectors::{fold_into, pair_sums};
use math::gf::{Field, Gf128};
use subtle::ConstantTimeEq;

use super::transcript::{Seed, Transcript, digest};
use crate::prss::{Root, Use};
use crate::shuffle::stages::Pass;
use crate::step::Step;

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

    /// `D + 1`: rounds that halve a vector, and the masking one.
    pub(super) fn rounds(self) -> usize {
        self.n_elements.next_power_of_two().trailing_zeros() as usize + 1
    }

    /// Bytes of the prover's message to its left verifier, and of the latter's to the right one.
    pub(super) fn message_bytes(self) -> [usize; 2] {
        [32 * self.rounds() + 32, 32 * self.rounds() + 32]
    }
}

/// The randomness that a prover and one verifier know: named by use, below the step of the prover.
pub(super) struct Lanes<'a> {
    pub(super) step: &'a Step,
    pub(super) root: &'a Root,
}

impl Lanes<'_> {
    /// The right verifier's shares.
    pub(super) fn shares(&self, shape: Shape) -> Vec<[Gf128; 2]> {
        let mut shares = vec![Gf128(0); 2 * shape.rounds()];
        self.root.stream(self.step, Use::ProofShare).fill(&mut shares);
        shares.as_chunks().0.to_vec()
    }

    /// The salts of the left shares' digests.
    pub(super) fn salts(&self, shape: Shape) -> Vec<Seed> {
        let bytes = self.bytes(Use::ProofSalt, shape.rounds() * size_of::<Seed>());
        bytes.as_chunks().0.to_vec()
    }

    /// What hides the left operand in the end, or the right one.
    pub(super) fn mask(&self, purpose: Use) -> Gf128 {
        let mut mask = [Gf128(0)];
        self.root.stream(self.step, purpose).fill(&mut mask);
        mask[0]
    }

    /// The coins of the left and the right verifier, under the key that the prover lacks.
    pub(super) fn coins(&self) -> [Seed; 2] {
        [Use::ProofCoinLeft, Use::ProofCoinRight]
            .map(|purpose| self.bytes(purpose, size_of::<Seed>()).try_into().expect("a coin's size"))
    }

    fn bytes(&self, purpose: Use, n: usize) -> Vec<u8> {
        let mut bytes = vec![math::X8(0); n];
        self.root.stream(self.step, purpose).fill(&mut bytes);
        bytemuck::cast_slice(&bytes).to_vec()
    }
}

/// What the prover sends: the left verifier's shares, and the last state to both.
pub(super) struct Proof {
    pub(super) left: Vec<[Gf128; 2]>,
    pub(super) last: Seed,
}

/// Proves `⟨u, v⟩ = T_L + T_R`.
pub(super) fn prove(
    shape: Shape,
    mut transcript: Transcript,
    [mut u, mut v]: [&mut [Gf128]; 2],
    [to_left, to_right]: [&Lanes<'_>; 2],
) -> Proof {
    let (shares, salts) = (to_right.shares(shape), to_left.salts(shape));
    let mut left = Vec::with_capacity(shape.rounds());
    let mut share = |values: [Gf128; 2]| {
        let at = left.len();
        left.push([0, 1].map(|k| values[k].minus(shares[at][k])));
        transcript.absorb(&digest(&salts[at], &left[at]));
        transcript.point()
    };
    while u.len() > 1 {
        let ((u_low, u_high), (v_low, v_high)) = (halves(u), halves(v));
        let point = share(pair_sums([u_low, u_high], [v_low, v_high]));
        (u, v) = (folded(u, point), folded(v, point));
    }
    // The masking round: the lines through u, v at 0 and the masks at 1. Their product at 0
    // is the claim, which both verifiers hold shares of.
    let (u1, v1) = (to_left.mask(Use::ProofMaskLeft), to_right.mask(Use::ProofMaskRight));
    share([u1.times(v1), u[0].plus(u1).times(v[0].plus(v1))]);
    Proof { left, last: *transcript.state() }
}

/// The points of a proof.
pub(super) struct Points(Vec<Gf128>);

/// What a verifier is left with after the challenges: a share of the claim, and its operand, masked.
pub(super) struct Outcome {
    pub(super) operand: Gf128,
    pub(super) claim: Gf128,
}

/// The digests of the left shares.
pub(super) fn digests(shares: &[[Gf128; 2]], salts: &[Seed]) -> Vec<Seed> {
    salts.iter().zip(shares).map(|(salt, share)| digest(salt, share)).collect()
}

impl Points {
    /// The challenges that the digests give. `None` unless the last state is the prover's: nothing
    /// else of the proof has been looked at by then.
    pub(super) fn of(mut transcript: Transcript, digests: &[Seed], last: &[u8]) -> Option<Self> {
        let point = |digest: &Seed| {
            transcript.absorb(digest);
            transcript.point()
        };
        let points = digests.iter().map(point).collect();
        bool::from(transcript.state()[..].ct_eq(last)).then_some(Points(points))
    }

    /// Goes through all rounds: `claim` is this verifier's share of the sum, `shares` that of the
    /// proof, `operand` its vector and `mask` what hides it.
    pub(super) fn outcome(
        &self,
        mut claim: Gf128,
        shares: &[[Gf128; 2]],
        mut operand: &mut [Gf128],
        mask: Gf128,
    ) -> Outcome {
        let (r_mask, points) = self.0.split_last().expect("the masking round is one");
        let (last, rounds) = shares.split_last().expect("the masking round is one");
        for ([zero, infinity], r) in rounds.iter().zip(points) {
            claim = parabola(*zero, claim.minus(*zero), *infinity, *r);
            operand = folded(operand, *r);
        }
        claim = parabola(claim, last[0], last[1], *r_mask);
        let operand = operand[0].plus(r_mask.times(operand[0].plus(mask)));
        Outcome { operand, claim }
    }
}

impl Outcome {
    /// Whether `û·v̂ = T_L + T_R`, where the left verifier says `û` and `T_L`.
    pub(super) fn agrees_with(&self, left: &[Gf128]) -> bool {
        let product = self.operand.times(left[0]);
        let sum = self.claim.plus(left[1]);
        bool::from(product.0.to_le_bytes().ct_eq(&sum.0.to_le_bytes()))
    }
}

/// The halves by the top bit. Zeros are meant where the upper one is shorter.
fn halves(w: &[Gf128]) -> (&[Gf128], &[Gf128]) {
    w.split_at(w.len().next_power_of_two() / 2)
}

/// Folds a vector, top bit first.
fn folded(w: &mut [Gf128], at: Gf128) -> &mut [Gf128] {
    let (low, high) = w.split_at_mut(w.len().next_power_of_two() / 2);
    fold_into(low, high, at);
    low
}

/// The parabola through `zero` at 0 and `one` at 1 with the leading coefficient `infinity`, at `r`.
fn parabola(zero: Gf128, one: Gf128, infinity: Gf128, r: Gf128) -> Gf128 {
    let line = zero.plus(zero.plus(one).times(r));
    line.plus(infinity.times(r.square().plus(r)))
}
