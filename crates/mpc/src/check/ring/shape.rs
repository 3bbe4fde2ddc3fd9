//! The sizes of one proof: public functions of the batch.

use math::Ring;

use super::word::each_ring;
use crate::check::{Form, ProductStep, RingBatch};

/// Rows of the first round: its polynomial has three variables.
pub(super) const ROWS: usize = 8;

/// Points of {0, 1, ∞}^3 whose sums are shared: all but that of zeros, which the claim gives.
pub(super) const SHARED_POINTS: usize = 26;

/// Random subsets of products whose quotients are shared. A wrong product stays hidden in one with
/// probability 1/2.
const SUBSETS: usize = 64;

/// The same where there are matrices: a wrong one stays hidden with probability 3/4.
pub(super) const MATRIX_SUBSETS: usize = 155;

/// Bytes of a verifier's share of a quotient.
pub(super) const QUOTIENT_BYTES: usize = 32;

/// Multiplications of a batch that the widths of quotients suffice for.
pub(super) const MAX_TERMS: u64 = 1 << 40;

/// How large a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Shape {
    /// Products outside matrices, and rows that moved: each belongs to random subsets of its own.
    pub(super) n_gates: usize,
    /// Matrix products.
    pub(super) n_matrices: usize,
    /// Elements of each of the two vectors whose inner product the proof is about.
    pub(super) n_elements: usize,
    /// Multiplications of ring elements that the products stand for.
    pub(super) n_terms: u64,
}

impl Shape {
    pub(super) fn of(batch: &RingBatch) -> Self {
        let mut shape = Shape::default();
        each_ring!(batch, list => list.iter().for_each(|product| shape.add(product)));
        shape
    }

    fn add<R: Ring>(&mut self, product: &ProductStep<R>) {
        let mut terms = |n: usize| self.n_terms = self.n_terms.saturating_add(n as u64);
        match &product.form {
            Form::Rows(segments) => {
                let n: usize = segments.iter().flatten().map(|(x, _)| x.len()).sum();
                terms(n);
                self.n_gates += product.z.len();
                self.n_elements += 2 * n;
            }
            Form::Inner(x, _) => {
                terms(x.len());
                self.n_gates += 1;
                self.n_elements += 2 * x.len();
            }
            Form::Matrix { shape: [rows, inner, columns], .. } => {
                terms(rows.saturating_mul(*inner).saturating_mul(*columns));
                self.n_matrices += 1;
                self.n_elements += 2 * MATRIX_SUBSETS * inner;
            }
            // Two messages of each prover.
            Form::Moved(pass, _) => {
                terms(2 * pass.n);
                self.n_gates += 2 * pass.n;
                self.n_elements += 2 * pass.n;
            }
        }
    }

    /// κ: quotients that are shared.
    pub(super) fn n_subsets(self) -> usize {
        if self.n_matrices == 0 { SUBSETS } else { MATRIX_SUBSETS }
    }

    /// Elements of each of the eight rows of a vector, those of zeros that fill the last included.
    pub(super) fn row_len(self) -> usize {
        self.n_elements.div_ceil(ROWS).max(1)
    }

    /// `D`: rounds that halve a vector, from one row down to one element.
    pub(super) fn rounds(self) -> usize {
        self.row_len().next_power_of_two().trailing_zeros() as usize
    }

    /// The share's words of each round: the first, `D` more, and the masking one.
    pub(super) fn round_lengths(self) -> impl Iterator<Item = usize> {
        std::iter::once(SHARED_POINTS).chain(std::iter::repeat_n(4, self.rounds() + 1))
    }

    /// Words of each verifier's share of the proof.
    pub(super) fn n_words(self) -> usize {
        SHARED_POINTS + 4 * (self.rounds() + 1)
    }

    /// Digests of the left share: one for each round.
    pub(super) fn n_digests(self) -> usize {
        self.rounds() + 2
    }

    /// Bytes of the prover's messages to its left verifier, the quotients and the proof, and of the
    /// latter's to the right one.
    pub(super) fn message_bytes(self) -> [usize; 3] {
        [QUOTIENT_BYTES * self.n_subsets(), 8 * self.n_words() + 32, 32 * self.n_digests() + 32]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_from_the_number_of_elements() {
        for n_elements in (0..70).chain([4096, 4097, 1 << 20]) {
            let shape = Shape { n_elements, ..Shape::default() };
            assert!(ROWS * shape.row_len() >= n_elements);
            assert!(ROWS << shape.rounds() >= n_elements, "{n_elements} elements");
            assert_eq!(shape.round_lengths().sum::<usize>(), shape.n_words());
            assert_eq!(shape.round_lengths().count(), shape.n_digests());
        }
        assert_eq!(Shape { n_elements: 1 << 20, ..Shape::default() }.rounds(), 17);
    }
}
