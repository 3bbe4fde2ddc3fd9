//! A batch from the left and from the right: the operands that a side knows, and its terms of the
//! claim `⟨u, v⟩ = T_L + T_R`.

use buf::Buf;
use math::subsets::{SubsetSums, SubsetWeights};

use super::gates::{Segment, segments, weighed_sum};
use super::integer::Integer;
use super::matrix::{Matrix, left_terms};
use super::moves::Move;
use super::operand::Operand;
use super::shape::Shape;
use super::transcript::{Challenge, Selections};
use super::word::{Word, each_ring};
use crate::check::{Form, ProductStep, RingBatch};
use crate::prss::{Root, Use};

/// A batch and the subsets of one prover's proof.
pub(super) struct Side<'a> {
    pub(super) batch: &'a RingBatch,
    pub(super) shape: Shape,
    pub(super) selections: Selections,
}

/// What comes next of the selections.
#[derive(Default)]
struct Place {
    gate: usize,
    block: u64,
}

/// Where the terms of a side come from, if it has any: the part of the products that it holds, and
/// the key of its masks.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) part: usize,
    pub(super) root: &'a Root,
}

impl Side<'_> {
    /// The selections of a segment's gates.
    fn of_segment<R: Word>(&self, place: &mut Place, segment: &Segment<'_, R>) -> &[u64] {
        self.of_gates(place, segment.rows().len())
    }

    /// The selections of so many gates.
    fn of_gates(&self, place: &mut Place, n: usize) -> &[u64] {
        let first = place.gate;
        place.gate += n;
        &self.selections.gates()[first..place.gate]
    }

    fn matrix<'a, R: Word>(&self, place: &mut Place, product: &'a ProductStep<R>) -> Option<Matrix<'a, R>> {
        let Form::Matrix { x, y, shape } = &product.form else { return None };
        let selections = self.selections.of_matrix(&mut place.block, [shape[0], shape[2]]);
        Some(Matrix { factors: [x, y], shape: *shape, selections })
    }

    /// The quotients of all subsets, from both keys of the prover.
    pub(super) fn quotients(&self, [own, next]: [&Root; 2]) -> Vec<Integer> {
        let (mut place, mut sums) = (Place::default(), <[SubsetSums; 2]>::default());
        let mut totals = vec![Integer::default(); self.shape.n_subsets()];
        each_ring!(self.batch, list => for product in list {
            self.add_quotients(product, [own, next], &mut place, &mut sums, &mut totals);
        });
        for (at, sums) in sums.iter().enumerate() {
            let sums = sums.totals();
            totals
                .iter_mut()
                .zip(sums)
                .for_each(|(total, sum)| *total = total.plus(&Integer::from_word(sum, at)));
        }
        totals
    }

    fn add_quotients<R: Word>(
        &self,
        product: &ProductStep<R>,
        [own, next]: [&Root; 2],
        place: &mut Place,
        sums: &mut [SubsetSums; 2],
        totals: &mut [Integer],
    ) {
        if let Some(moved) = Move::of(product) {
            return moved.quotients(self.of_gates(place, moved.n_gates()), &mut sums[0]);
        }
        let z = &product.z.parts().as_slice()[0];
        let mask = |root: &Root| root.stream(&product.step, Use::Mask).column::<R>(z.len());
        let f = mask(next);
        for segment in segments(product) {
            let selections = self.of_segment(place, &segment);
            segment.quotients(&f.items()[segment.rows()], selections, sums);
        }
        if let Some(matrix) = self.matrix(place, product) {
            let [e, f] = [&left_terms(z, &mask(own)), &f].map(|terms| matrix.of_terms(terms));
            let products = matrix.projected(0).totals(&matrix.projected(1), &e, &f);
            for (total, product) in totals.iter_mut().zip(products) {
                *total = total.plus(&product.shifted_down(R::BITS));
            }
        }
    }

    /// Writes the left operand, from a part of the factors. Gives the left terms of the claim.
    pub(super) fn left(
        &self,
        part: usize,
        challenge: &Challenge,
        terms: Option<Terms<'_>>,
        out: &mut impl Operand,
    ) -> u64 {
        let (mut place, mut claim) = (Place::default(), 0);
        each_ring!(self.batch, list => if !list.is_empty() {
            let more = self.left_of_ring(list, &mut place, part, challenge, terms, out);
            claim = challenge.prime.plus(claim, more);
        });
        claim
    }

    fn left_of_ring<R: Word>(
        &self,
        list: &[ProductStep<R>],
        place: &mut Place,
        part: usize,
        challenge: &Challenge,
        terms: Option<Terms<'_>>,
        out: &mut impl Operand,
    ) -> u64 {
        let prime = &challenge.prime;
        let (table, scaled) = (challenge.of_gates::<R>(), challenge.scaled::<R>());
        let mut claim = 0;
        for product in list {
            if let Some(moved) = Move::of(product) {
                let weights = weights_of(&table, self.of_gates(place, moved.n_gates()));
                if terms.is_some() {
                    claim = prime.plus(claim, moved.left_claim(prime, weights.as_slice()));
                }
                moved.left_operand(part, prime, weights.as_slice(), out);
                continue;
            }
            let mask = |root: &Root| root.stream(&product.step, Use::Mask).column::<R>(product.z.len());
            let held = terms.map(|terms| (&product.z.parts().as_slice()[terms.part], mask(terms.root)));
            for segment in segments(product) {
                let weights = weights_of(&table, self.of_segment(place, &segment));
                if let Some((z, mask)) = &held {
                    let more = segment.left_claim(part, prime, weights.as_slice(), z, mask);
                    claim = prime.plus(claim, more);
                }
                segment.left_operand(part, prime, weights.as_slice(), out);
            }
            if let Some(matrix) = self.matrix(place, product) {
                let projected = matrix.projected(part);
                if let Some((z, mask)) = &held {
                    let terms = matrix.of_terms(&left_terms(z, mask));
                    claim = prime.plus(claim, weighed_integers(challenge, &scaled, &terms));
                    claim = prime.minus(claim, projected.own_product(prime, &scaled));
                }
                projected.left_operand(prime, &scaled, out);
            }
        }
        claim
    }

    /// Writes the right operand, from a part of the factors. Gives the right terms of the claim.
    pub(super) fn right(
        &self,
        part: usize,
        challenge: &Challenge,
        root: Option<&Root>,
        out: &mut impl Operand,
    ) -> u64 {
        let (mut place, mut claim) = (Place::default(), 0);
        each_ring!(self.batch, list => if !list.is_empty() {
            let more = self.right_of_ring(list, &mut place, part, challenge, root, out);
            claim = challenge.prime.plus(claim, more);
        });
        claim
    }

    fn right_of_ring<R: Word>(
        &self,
        list: &[ProductStep<R>],
        place: &mut Place,
        part: usize,
        challenge: &Challenge,
        root: Option<&Root>,
        out: &mut impl Operand,
    ) -> u64 {
        let prime = &challenge.prime;
        let (table, scaled) = (challenge.of_gates::<R>(), challenge.scaled::<R>());
        let mut claim = 0;
        for product in list {
            if let Some(moved) = Move::of(product) {
                let weights = weights_of(&table, self.of_gates(place, moved.n_gates()));
                if root.is_some() {
                    claim = prime.plus(claim, moved.right_claim(prime, weights.as_slice()));
                }
                moved.right_operand(part, prime, weights.as_slice(), out);
                continue;
            }
            let terms = root.map(|root| root.stream(&product.step, Use::Mask).column::<R>(product.z.len()));
            for segment in segments(product) {
                let selections = self.of_segment(place, &segment);
                if let Some(terms) = &terms {
                    let weights = weights_of(&table, selections);
                    let terms = &terms.items()[segment.rows()];
                    claim = prime.plus(claim, weighed_sum(prime, weights.as_slice(), terms));
                }
                segment.right_operand(part, prime, out);
            }
            if let Some(matrix) = self.matrix(place, product) {
                if let Some(terms) = &terms {
                    let terms = matrix.of_terms(terms);
                    claim = prime.plus(claim, weighed_integers(challenge, &scaled, &terms));
                }
                matrix.projected(part).right_operand(prime, out);
            }
        }
        claim
    }
}

/// The weights of gates.
fn weights_of(table: &SubsetWeights, selections: &[u64]) -> Buf {
    let mut weights = Buf::stale(8 * selections.len());
    table.select(selections, weights.as_mut_slice());
    weights
}

/// `Σ weight_t · integer_t` modulo the prime.
pub(super) fn weighed_integers(challenge: &Challenge, weights: &[u64], integers: &[Integer]) -> u64 {
    let elements: Vec<u64> = integers.iter().map(|integer| integer.element(&challenge.prime)).collect();
    challenge.prime.dot(weights, &elements)
}
