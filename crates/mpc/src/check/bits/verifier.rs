//! The two verifiers' sides of a proof.

use buf::Buf;
use math::Group;
use math::gf::lines::{Folded, LINE_BITS, WeighedSum, totals};
use math::gf::vectors::{add_scaled, fold_into, inner_product, multiply_into};
use math::gf::{Field, Gf128};

use super::field::{by_bit, equal_weights};
use super::fold::Folder;
use super::gates::{Lines, Summand, space};
use super::shape::Shape;
use super::transcript::Weights;
use crate::check::rounds::{Outcome, Seed, Transcript, digest};

/// One verifier's view of a proof whose challenges are still to come.
pub(super) struct Claim {
    shape: Shape,
    transcript: Transcript,
    weights: Weights,
    /// `T[row] = Σ w·e`, or `Σ w·f`: this verifier's share of the sum at each line of a block.
    rows: Vec<Gf128>,
}

impl Claim {
    /// From the verifier's summand of the products.
    pub(super) fn new(shape: Shape, transcript: Transcript, summand: &Summand<'_>) -> Self {
        let weights = Weights::of(&transcript, shape);
        let mut sums = vec![WeighedSum::ZERO; shape.block_lines()];
        let mut space = space(3 * shape.unit_lines());
        for (block, weight) in weights.blocks[..shape.n_claims()].iter().enumerate() {
            for (unit, sums) in sums.chunks_mut(shape.unit_lines()).enumerate() {
                summand.weigh(block * shape.block_units() + unit, *weight, sums, space.as_mut_slice());
            }
        }
        let mut rows = vec![Gf128(0); sums.len()];
        totals(&sums, &weights.elements, &mut rows);
        Claim { shape, transcript, weights, rows }
    }

    /// The digests of the left shares.
    pub(super) fn digests(&self, elements: &[Gf128], salts: &[Seed]) -> Vec<Seed> {
        let mut rest = elements;
        let rounds = self.shape.round_lengths().zip(salts);
        rounds
            .map(|(n, salt)| digest(salt, rest.split_off(..n).expect("a share of the proof's size")))
            .collect()
    }

    /// Follows the challenges that the digests give. `None` unless the last state is the
    /// prover's: nothing else of the proof has been looked at by then.
    ///
    /// `elements` are this verifier's share of the proof, `operands` its parts of the left and of the right factors,
    /// `masks` what hides them.
    pub(super) fn follow(
        mut self,
        digests: &[Seed],
        last: &[u8],
        elements: &[Gf128],
        operands: [&Lines<'_>; 2],
        masks: [Gf128; 2],
    ) -> Option<Outcome> {
        self.transcript.absorb(&digests[0]);
        let mut skip_points = self.transcript.points(self.shape.skip());
        let points = self.transcript.clone().follow(&digests[1..], last)?;
        let (first, rest) = elements.split_at(self.shape.n_points() - self.shape.block_lines());
        let at_lines = equal_weights(&skip_points, true);
        skip_points.reverse();
        let claim = self.skip(first, &skip_points);
        let operands = self.extended(operands, at_lines.as_slice(), &points[..points.len() - 1]);
        Some(Outcome::of(claim, rest, &points, operands, masks))
    }

    /// This verifier's share of the sum at the points of the skipped rounds, the top digit's first.
    fn skip(&self, shared: &[Gf128], points: &[Gf128]) -> Gf128 {
        let mut shared = shared.iter();
        let mut space = Buf::stale(self.shape.n_points() * size_of::<Gf128>());
        let mut sums = space.as_mut_slice::<Gf128>();
        for (sum, line) in sums.iter_mut().zip(self.shape.lines_of_points()) {
            *sum = match line {
                Some(line) => self.rows[usize::from(*line)],
                None => *shared.next().expect("a share for each other point"),
            };
        }
        for r in points {
            let third = sums.len() / 3;
            let (zero, rest) = sums.split_at_mut(third);
            let (one, infinity) = rest.split_at(third);
            fold_into(zero, one, *r);
            add_scaled(zero, infinity, r.square().plus(*r));
            sums = zero;
        }
        sums[0]
    }

    /// The operands' extensions: all rounds of the recursion at once.
    fn extended(&self, operands: [&Lines<'_>; 2], at_lines: &[Gf128], points: &[Gf128]) -> [Gf128; 2] {
        let shape = self.shape;
        let (cell_points, line_points) = points.split_at(shape.cell_rounds());
        let at_cells = equal_weights(cell_points, false);
        let at_cells = &at_cells.as_slice::<Gf128>()[..shape.n_cells()];
        let mut sums = [Folded::zero(), Folded::zero()];
        let mut folder = Folder::new(&self.weights, at_lines);
        let [x, y] = operands;
        let mut entries = shape.cell(0);
        for (cell, at_cell) in at_cells.iter().enumerate() {
            let next = if cell + 1 < at_cells.len() { shape.cell(cell + 1) } else { [[None; 2]; 2] };
            let ([left, right], [u, v]) = (&entries, &mut sums);
            folder.add(left, x, (cell, *at_cell), (right, y), u);
            folder.add(right, y, (cell, *at_cell), (&next[0], x), v);
            entries = next;
        }
        let at_bits = equal_weights(line_points, false);
        let mut folded = Buf::stale(LINE_BITS * size_of::<Gf128>());
        sums.map(|sums| {
            sums.write(folded.as_mut_slice());
            let mut elements = by_bit(folded.as_slice());
            multiply_into(elements.as_mut_slice(), &self.weights.roots);
            inner_product(elements.as_slice(), at_bits.as_slice())
        })
    }
}
