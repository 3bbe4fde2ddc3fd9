//! One proof without parties: its three roles one after the other.

use buf::Buf;
use math::Planes;
use math::gf::Gf128;

use super::planes;
use crate::check::bits::gates::{self, Lines, Summand};
use crate::check::bits::prover;
use crate::check::bits::shape::{Kind, LineCounts, Shape};
use crate::check::bits::transcript::Statement;
use crate::check::bits::verifier::Claim;
use crate::check::rounds::{Outcome, Proof, ProverLanes, Seed, Transcript};
use crate::step::Step;

/// What the three know of `n` gates with `(x ⊕ x') ∧ (y ⊕ y') = e ⊕ f`, in the order `x, y, x', y', e, f`.
pub(super) struct Alone {
    pub(super) shape: Shape,
    pub(super) statement: Statement,
    pub(super) coins: [Seed; 2],
    pub(super) lanes: ProverLanes,
    pub(super) gates: [Planes; 6],
}

/// `(x ⊕ x') ∧ (y ⊕ y')`.
pub(super) fn product([x, y, x_next, y_next]: [&Planes; 4]) -> Planes {
    let sum = |part: &Planes, next| part.zip(next, |a, b| a ^ b);
    sum(x, x_next).zip(&sum(y, y_next), |a, b| a & b)
}

/// The sizes of so many lines of single gates.
pub(super) fn singles(n: usize) -> Shape {
    Shape::of(LineCounts { single: n, ..LineCounts::default() })
}

impl Alone {
    pub(super) fn new(seed: u64, n: usize) -> Self {
        Self::with_shape(seed, n, singles(n.div_ceil(512)))
    }

    pub(super) fn with_shape(seed: u64, n: usize, shape: Shape) -> Self {
        let [x, y, x_next, y_next, f] = [1, 2, 3, 4, 5].map(|at| planes(100 * seed + at, n, 1));
        let words = |kind| {
            let blocks = shape.blocks(kind);
            8 * blocks.start * shape.block_lines()..8 * blocks.end * shape.block_lines()
        };
        // Twins have one left factor.
        let [x, x_next] = [x, x_next].map(|factor| {
            let twins = words(Kind::SecondTwin);
            factor.map(|at, word| if twins.contains(&at) { factor.words()[at - twins.len()] } else { word })
        });
        let products = product([&x, &y, &x_next, &y_next]);
        let (first, second) = (words(Kind::FirstTerm), words(Kind::SecondTerm));
        let terms = products.map(|at, word| match first.contains(&at) {
            true => word ^ products.words()[at - first.start + second.start],
            false => word,
        });
        let e = terms.zip(&f, |a, b| a ^ b);
        let noise = planes(100 * seed + 6, 64 * (2 * shape.n_elements() + 4 * shape.n_digests() + 8), 1);
        let (elements, rest) = noise.words().split_at(2 * shape.n_elements());
        let (salts, rest) = rest.split_at(4 * shape.n_digests());
        let masks =
            |words: &[u64]| [0, 2].map(|at| Gf128(u128::from(words[at]) | u128::from(words[at + 1]) << 64));
        let lanes = ProverLanes {
            right: Buf::copy_of(elements),
            salts: bytemuck::cast_slice(salts).to_vec(),
            masks_left: masks(rest),
            masks_right: masks(&rest[4..]),
        };
        let step = Step::root(&[seed as u8; 32]);
        let statement = Statement::of([seed as u8; 32], &step, &[], [shape; 3]);
        let coins = [[1; 32], [2; 32]];
        Alone { shape, statement, coins, lanes, gates: [x, y, x_next, y_next, e, f] }
    }

    /// Operand `at` of the gates.
    pub(super) fn lines(&self, at: usize) -> Lines<'_> {
        Lines::of_planes(&self.gates[at..at + 1], self.shape)
    }

    /// The prover's, of left and of right factors.
    pub(super) fn operands(&self) -> [Buf; 2] {
        [0, 1].map(|at| gates::operand([self.lines(at), self.lines(at + 2)]))
    }

    pub(super) fn transcript(&self) -> Transcript {
        self.statement.transcript(0, &self.coins)
    }

    pub(super) fn prove(&self) -> Proof {
        let operands = self.operands();
        let [x, y] = operands.each_ref().map(|operand| operand.as_slice());
        prover::prove(self.shape, self.transcript(), [x, y], &self.lanes)
    }

    pub(super) fn left_claim(&self) -> Claim {
        // As a left verifier reads it: a product and a mask, here none.
        let zeros = Lines::zeros(self.shape);
        Claim::new(self.shape, self.transcript(), &Summand::Sums([self.lines(4), zeros]))
    }

    pub(super) fn right_claim(&self) -> Claim {
        // As a right verifier reads it: both factors, here f∧f = f, and a mask, here none. Second terms have no such
        // factors.
        let factors = [5, 5].map(|at| self.lines(at));
        let zeros = Lines::zeros(self.shape);
        let summand = match self.shape.blocks(Kind::FirstTerm).is_empty() {
            true => Summand::Rest(&factors, zeros),
            false => Summand::Sums([self.lines(5), zeros]),
        };
        Claim::new(self.shape, self.transcript(), &summand)
    }

    pub(super) fn left(&self, claim: Claim, proof: &Proof) -> Option<(Vec<Seed>, Outcome)> {
        let digests = claim.digests(proof.left(), &self.lanes.salts);
        let outcome = self.left_under(claim, &digests, &proof.last, proof.left(), self.lanes.masks_left)?;
        Some((digests, outcome))
    }

    /// The left side under these digests, shares and masks.
    pub(super) fn left_under(
        &self,
        claim: Claim,
        digests: &[Seed],
        last: &Seed,
        shares: &[Gf128],
        masks: [Gf128; 2],
    ) -> Option<Outcome> {
        claim.follow(digests, last, shares, [&self.lines(0), &self.lines(1)], masks)
    }

    pub(super) fn right(&self, claim: Claim, digests: &[Seed], last: &Seed) -> Option<Outcome> {
        let (shares, masks) = (self.lanes.right.as_slice(), self.lanes.masks_right);
        claim.follow(digests, last, shares, [&self.lines(2), &self.lines(3)], masks)
    }

    /// Whether the right verifier accepts.
    pub(super) fn accepted(&self) -> bool {
        let proof = self.prove();
        let Some((digests, left)) = self.left(self.left_claim(), &proof) else { return false };
        let right = self.right(self.right_claim(), &digests, &proof.last);
        right.is_some_and(|right| right.agrees_with(&left.told()))
    }
}
