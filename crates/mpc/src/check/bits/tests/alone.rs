//! One proof without parties: its three roles one after the other.

use buf::Buf;
use math::Planes;
use math::gf::Gf128;

use super::planes;
use crate::check::bits::gates::{Lines, Summand};
use crate::check::bits::prover;
use crate::check::bits::shape::{Kind, LineCounts, Shape};
use crate::check::bits::transcript::Statement;
use crate::check::bits::verifier::{Claim, Side};
use crate::check::rounds::{Outcome, Proof, ProverLanes, Seed, Transcript};
use crate::step::Step;

/// What the three know of `n` gates with `x ∧ y' ⊕ y ∧ x' = e ⊕ f`, in this order.
pub(super) struct Alone {
    pub(super) shape: Shape,
    pub(super) statement: Statement,
    pub(super) coins: [Seed; 2],
    pub(super) lanes: ProverLanes,
    pub(super) gates: [Planes; 6],
}

/// The sizes of so many lines of single gates.
pub(super) fn singles(n: usize) -> Shape {
    Shape::of(LineCounts { single: n, ..LineCounts::default() }, 0)
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
        // Twins have one left factor; of what is apart, the left verifier has nothing but left factors.
        let [x, x_next] = [x, x_next].map(|factor| {
            let twins = words(Kind::SecondTwin);
            factor.map(|at, word| if twins.contains(&at) { factor.words()[at - twins.len()] } else { word })
        });
        let apart = words(Kind::Apart);
        let [y, x_next] =
            [y, x_next].map(|factor| factor.map(|at, word| if apart.contains(&at) { 0 } else { word }));
        let products = x.zip(&y_next, |a, b| a & b).zip(&y.zip(&x_next, |a, b| a & b), |a, b| a ^ b);
        let (first, second) = (words(Kind::FirstTerm), words(Kind::SecondTerm));
        let terms = products.map(|at, word| match first.contains(&at) {
            true => word ^ products.words()[at - first.start + second.start],
            false => word,
        });
        let e = terms.zip(&f, |a, b| a ^ b);
        let noise = planes(100 * seed + 6, 64 * (2 * shape.n_elements() + 4 * shape.n_digests() + 4), 1);
        let (elements, rest) = noise.words().split_at(2 * shape.n_elements());
        let (salts, rest) = rest.split_at(4 * shape.n_digests());
        let element = |words: &[u64]| Gf128(u128::from(words[0]) | u128::from(words[1]) << 64);
        let lanes = ProverLanes {
            right: Buf::copy_of(elements),
            salts: bytemuck::cast_slice(salts).to_vec(),
            mask_left: element(rest),
            mask_right: element(&rest[2..]),
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

    pub(super) fn operands(&self) -> [Lines<'_>; 4] {
        [0, 1, 2, 3].map(|at| self.lines(at))
    }

    pub(super) fn transcript(&self) -> Transcript {
        self.statement.transcript(0, &self.coins)
    }

    pub(super) fn prove(&self) -> Proof {
        prover::prove(self.shape, self.transcript(), &self.operands(), &self.lanes)
    }

    pub(super) fn left_claim(&self) -> Claim {
        // As a left verifier reads them: both factors, the product and a mask, here x∧x = x.
        let rest = [0, 0, 4, 0].map(|at| self.lines(at));
        // Second terms have no such mask.
        let summand = match self.shape.blocks(Kind::FirstTerm).is_empty() {
            true => Summand::Rest(Box::new(rest)),
            false => Summand::Lines(self.lines(4)),
        };
        Claim::new(self.shape, self.transcript(), &summand)
    }

    pub(super) fn right_claim(&self) -> Claim {
        Claim::new(self.shape, self.transcript(), &Summand::Lines(self.lines(5)))
    }

    pub(super) fn left(&self, claim: Claim, proof: &Proof) -> Option<(Vec<Seed>, Outcome)> {
        let digests = claim.digests(proof.left(), &self.lanes.salts);
        let lines = [&self.lines(0), &self.lines(1)];
        let mask = self.lanes.mask_left;
        let outcome = claim.follow(&digests, &proof.last, proof.left(), Side::Left, lines, mask)?;
        Some((digests, outcome))
    }

    pub(super) fn right(&self, claim: Claim, digests: &[Seed], last: &Seed) -> Option<Outcome> {
        let lines = [&self.lines(2), &self.lines(3)];
        let mask = self.lanes.mask_right;
        claim.follow(digests, last, self.lanes.right.as_slice(), Side::Right, lines, mask)
    }

    /// Whether the right verifier accepts.
    pub(super) fn accepted(&self) -> bool {
        let proof = self.prove();
        let Some((digests, left)) = self.left(self.left_claim(), &proof) else { return false };
        let right = self.right(self.right_claim(), &digests, &proof.last);
        right.is_some_and(|right| right.agrees_with(&[left.operand, left.claim]))
    }
}
