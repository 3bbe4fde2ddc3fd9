//! The rounds of a recursive fully linear proof over GF(2^128), for the proofs of bits and of shuffled words:
//! transcript, randomness, the prover's halving rounds and what verifiers make of them.
//!
//! `P` proves to `L` and `R` that `⟨u, v⟩ = T_L + T_R`, for vectors of which each verifier knows a summand: `u = u_L + u_R`
//! and `v = v_L + v_R`. Each round halves both vectors: `P` shares the products at 0
//! and at ∞ along each pair's line, `R`'s share from their key, and the hash of `L`'s salted share gives the
//! point. The last round pairs what is left with masks, of which each verifier shares a summand with `P` too.
//! Why each rule is there, [`super::bits`] says.

use buf::Buf;
use bytemuck::{Pod, Zeroable};
use math::gf::vectors::{fold_into, pair_sums};
use math::gf::{Field, Gf128};
use math::{Group, X8};
use subtle::ConstantTimeEq;

use crate::prss::{Root, Use};
use crate::step::Step;

/// A verifier's coin, a salt, a digest, or the state of a transcript.
pub(super) type Seed = [u8; 32];

/// The running hash `S` of one prover's proof.
#[derive(Clone)]
pub(super) struct Transcript(Seed);

impl Transcript {
    /// From `S_0`, which hangs on the statement and both verifiers' coins.
    pub(super) fn starting(state: Seed) -> Self {
        Transcript(state)
    }

    /// Goes on to the next `S`.
    pub(super) fn absorb(&mut self, digest: &Seed) {
        let mut hasher = blake3::Hasher::new_derive_key("junto 2026 proof round v1");
        hasher.update(&self.0);
        hasher.update(digest);
        self.0 = *hasher.finalize().as_bytes();
    }

    /// The state: at the end, what the parties compare.
    pub(super) fn state(&self) -> &Seed {
        &self.0
    }

    /// The next `n` points, none of them 0 or 1.
    pub(super) fn points(&self, n: usize) -> Vec<Gf128> {
        let mut stream = self.point_stream();
        let mut point = || loop {
            let mut bytes = [0; 16];
            stream.fill(&mut bytes);
            let point = Gf128(u128::from_le_bytes(bytes));
            if point.0 > 1 {
                return point;
            }
        };
        (0..n).map(|_| point()).collect()
    }

    /// The next point.
    pub(super) fn point(&self) -> Gf128 {
        self.points(1)[0]
    }

    pub(super) fn point_stream(&self) -> blake3::OutputReader {
        blake3::Hasher::new_derive_key("junto 2026 proof point v1").update(&self.0).finalize_xof()
    }

    /// Goes through the rounds of these digests: a point for each. `None` unless the last state is the
    /// prover's: nothing else of the proof has been looked at by then.
    pub(super) fn follow(mut self, digests: &[Seed], last: &[u8]) -> Option<Vec<Gf128>> {
        let point = |digest: &Seed| {
            self.absorb(digest);
            self.point()
        };
        let points = digests.iter().map(point).collect();
        bool::from(self.0[..].ct_eq(last)).then_some(points)
    }
}

/// The digest of a round's left share. Without a salt the right verifier, which knows its own
/// share of the same values, could test guesses of them.
pub(super) fn digest(salt: &Seed, elements: &[Gf128]) -> Seed {
    let mut hasher = blake3::Hasher::new_derive_key("junto 2026 proof share v1");
    hasher.update(salt);
    hasher.update(bytemuck::cast_slice(elements));
    *hasher.finalize().as_bytes()
}

/// The step below which everything that one prover's proof needs is named. Each key serves a party in
/// all three roles, so no two uses may share a lane: one lane for two of them would show in what a
/// party sees.
pub(super) fn of_prover(step: &Step, prover: usize) -> Step {
    step.child(("prover", prover).into())
}

/// The randomness of the prover. Each verifier knows the half under its key.
pub(super) struct ProverLanes {
    /// The right verifier's shares of the proof, in order: elements.
    pub(super) right: Buf,
    /// The salts of the left shares' digests, in order.
    pub(super) salts: Vec<Seed>,
    /// What hides the left verifier's summands of `u` and `v`.
    pub(super) masks_left: [Gf128; 2],
    /// What hides the right one's.
    pub(super) masks_right: [Gf128; 2],
}

impl ProverLanes {
    /// For a proof of so many elements and rounds. `left` is the key shared with the left verifier,
    /// `right` the one with the right verifier.
    pub(super) fn of(step: &Step, [left, right]: [&Root; 2], n_elements: usize, n_rounds: usize) -> Self {
        ProverLanes {
            right: right_shares(step, right, n_elements),
            salts: salts(step, left, n_rounds),
            masks_left: masks_left(step, left),
            masks_right: masks_right(step, right),
        }
    }
}

/// So many elements.
pub(super) fn right_shares(step: &Step, right: &Root, n_elements: usize) -> Buf {
    let mut shares = Buf::stale(n_elements * size_of::<Gf128>());
    right.stream(step, Use::ProofShare).fill(shares.as_mut_slice::<Gf128>());
    shares
}

pub(super) fn salts(step: &Step, left: &Root, n_rounds: usize) -> Vec<Seed> {
    let bytes = lane::<X8>(step, left, Use::ProofSalt, n_rounds * size_of::<Seed>());
    bytemuck::cast_slice(&bytes).to_vec()
}

pub(super) fn masks_left(step: &Step, left: &Root) -> [Gf128; 2] {
    masks(step, left, Use::ProofMaskLeft)
}

pub(super) fn masks_right(step: &Step, right: &Root) -> [Gf128; 2] {
    masks(step, right, Use::ProofMaskRight)
}

fn masks(step: &Step, root: &Root, purpose: Use) -> [Gf128; 2] {
    lane(step, root, purpose, 2).try_into().expect("two of two")
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

/// What the prover sends.
pub(super) struct Proof {
    /// To the left verifier: its shares, and the last state behind them.
    pub(super) message: Buf,
    /// The last state, to both.
    pub(super) last: Seed,
}

impl Proof {
    /// The left verifier's shares.
    #[cfg(test)]
    pub(super) fn left(&self) -> &[Gf128] {
        let (left, _last) = self.message.as_slice().split_last_chunk::<2>().expect("a state at the end");
        left
    }
}

/// The rounds of a proof: each splits values into two shares and hashes the left one.
pub(super) struct Rounds<'a> {
    transcript: Transcript,
    lanes: &'a ProverLanes,
    message: Buf,
    n_shared: usize,
    n_rounds: usize,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(transcript: Transcript, lanes: &'a ProverLanes) -> Self {
        let message = Buf::stale(lanes.right.len() + size_of::<Seed>());
        Rounds { transcript, lanes, message, n_shared: 0, n_rounds: 0 }
    }

    /// A round of these values. The transcript has its points.
    pub(super) fn share(&mut self, values: &[Gf128]) -> &Transcript {
        let round = self.n_shared..self.n_shared + values.len();
        let right = &self.lanes.right.as_slice::<Gf128>()[round.clone()];
        let left = &mut self.message.as_mut_slice::<Gf128>()[round.clone()];
        for ((left, right), value) in left.iter_mut().zip(right).zip(values) {
            *left = value.minus(*right);
        }
        self.transcript.absorb(&digest(&self.lanes.salts[self.n_rounds], left));
        self.n_rounds += 1;
        self.n_shared = round.end;
        &self.transcript
    }

    /// The rounds that halve both vectors to an element each, and the one that masks these.
    pub(super) fn finish(mut self, mut u: &mut [Gf128], mut v: &mut [Gf128]) -> Proof {
        while u.len() > 1 {
            let ((u_low, u_high), (v_low, v_high)) = (halves(u), halves(v));
            let point = self.share(&pair_sums([u_low, u_high], [v_low, v_high])).point();
            (u, v) = (fold(u, point), fold(v, point));
        }
        // The lines through u, v at 0 and the masks at 1. Their product at 0 is the claim, which both
        // verifiers hold shares of.
        let ProverLanes { masks_left, masks_right, .. } = self.lanes;
        let [u1, v1] = [0, 1].map(|at| masks_left[at].plus(masks_right[at]));
        self.share(&[u1.times(v1), u[0].plus(u1).times(v[0].plus(v1))]);
        let Rounds { transcript: Transcript(last), mut message, n_shared, .. } = self;
        message.bytes_mut()[n_shared * size_of::<Gf128>()..].copy_from_slice(&last);
        Proof { message, last }
    }
}

/// The elements that the left verifier tells the right one, beside digests.
pub(super) const TOLD: usize = 3;

/// What a verifier is left with after the challenges: a summand of the claim, and those of `u` and `v`, masked.
pub(super) struct Outcome {
    pub(super) operands: [Gf128; 2],
    pub(super) claim: Gf128,
}

impl Outcome {
    /// Of this verifier's share of the claim and of the proof, two elements a round, and of its summands of
    /// `u` and `v` after all rounds but the last, which pairs them with its masks.
    pub(super) fn of(
        claim: Gf128,
        shares: &[Gf128],
        points: &[Gf128],
        operands: [Gf128; 2],
        masks: [Gf128; 2],
    ) -> Self {
        let (mask_point, points) = points.split_last().expect("the masking round is one");
        let (mask_share, shares) = shares.as_chunks::<2>().0.split_last().expect("the masking round has two");
        let claim = shares
            .iter()
            .zip(points)
            .fold(claim, |claim, ([zero, infinity], r)| parabola(*zero, claim.minus(*zero), *infinity, *r));
        let claim = parabola(claim, mask_share[0], mask_share[1], *mask_point);
        let masked = |at: usize| operands[at].plus(mask_point.times(operands[at].plus(masks[at])));
        Outcome { operands: [masked(0), masked(1)], claim }
    }

    /// What the left verifier tells the right one: `û_L`, `v̂_L` and `T_L`.
    pub(super) fn told(&self) -> [Gf128; TOLD] {
        [self.operands[0], self.operands[1], self.claim]
    }

    /// Whether `û·v̂ = T_L + T_R`, by what the left verifier told.
    pub(super) fn agrees_with(&self, told: &[Gf128]) -> bool {
        let product = self.operands[0].plus(told[0]).times(self.operands[1].plus(told[1]));
        let sum = self.claim.plus(told[2]);
        bool::from(product.0.to_le_bytes().ct_eq(&sum.0.to_le_bytes()))
    }
}

/// The halves by the top bit. Zeros are meant where the upper one is shorter.
fn halves(w: &[Gf128]) -> (&[Gf128], &[Gf128]) {
    w.split_at(w.len().next_power_of_two() / 2)
}

/// Folds a vector, top bit first.
pub(super) fn fold(w: &mut [Gf128], at: Gf128) -> &mut [Gf128] {
    let (low, high) = w.split_at_mut(w.len().next_power_of_two() / 2);
    fold_into(low, high, at);
    low
}

/// The parabola through `zero` at 0 and `one` at 1 with the leading coefficient `infinity`, at `r`.
fn parabola(zero: Gf128, one: Gf128, infinity: Gf128, r: Gf128) -> Gf128 {
    let line = zero.plus(zero.plus(one).times(r));
    line.plus(infinity.times(r.square().plus(r)))
}
