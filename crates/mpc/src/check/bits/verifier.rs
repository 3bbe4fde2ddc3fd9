//! The two verifiers' sides of a proof.

use buf::Buf;
use math::Group;
use math::gf::lines::{Folded, LINE_BITS, WeighedSum, totals};
use math::gf::vectors::{add_scaled, fold_into, inner_product, multiply_into};
use math::gf::{Field, Gf128};

use super::field::{by_bit, equal_weights};
use super::fold::{Folder, Operands};
use super::gates::{Summand, space};
use super::shape::Shape;
use super::transcript::Weights;
use crate::check::rounds::{Outcome, Seed, Transcript, digest};

/// Which verifier: whose operands the vectors' left or right sides are.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Left,
    Right,
}

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
        let mut space = space(4 * shape.unit_lines());
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
    /// `elements` are this verifier's share of the proof, `lines` its operands.
    pub(super) fn follow(
        mut self,
        digests: &[Seed],
        last: &[u8],
        elements: &[Gf128],
        side: Side,
        lines: Operands<'_>,
        mask: Gf128,
    ) -> Option<Outcome> {
        self.transcript.absorb(&digests[0]);
        let mut skip_points = self.transcript.points(self.shape.skip());
        let points = self.transcript.clone().follow(&digests[1..], last)?;
        let (first, rest) = elements.split_at(self.shape.n_points() - self.shape.block_lines());
        let at_lines = equal_weights(&skip_points, true);
        skip_points.reverse();
        let claim = self.skip(first, &skip_points);
        let operand = self.operand(side, lines, at_lines.as_slice(), &points[..points.len() - 1]);
        Some(Outcome::of(claim, rest, &points, operand, mask))
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

    /// The operand's extension: all rounds of the recursion at once.
    fn operand(&self, side: Side, lines: Operands<'_>, at_lines: &[Gf128], points: &[Gf128]) -> Gf128 {
        let shape = self.shape;
        let (cell_points, line_points) = points.split_at(shape.cell_rounds());
        let at_cells = equal_weights(cell_points, false);
        let at_cells = &at_cells.as_slice::<Gf128>()[..shape.n_cells()];
        let mut sums = [Folded::zero(), Folded::zero()];
        let mut folder = Folder::new(&self.weights, at_lines);
        let entries = |cell: usize| {
            shape.cell(cell).map(|half| match side {
                Side::Left => half.left,
                Side::Right => half.right,
            })
        };
        let mut halves = entries(0);
        for (cell, at_cell) in at_cells.iter().enumerate() {
            let next = if cell + 1 < at_cells.len() { entries(cell + 1) } else { [[None; 2]; 2] };
            let [low, high] = &mut sums;
            folder.add(&halves[0], lines, (cell, *at_cell), (&halves[1], lines), low);
            folder.add(&halves[1], lines, (cell, *at_cell), (&next[0], lines), high);
            halves = next;
        }
        let mut folded = Buf::stale(2 * LINE_BITS * size_of::<Gf128>());
        for (sums, folded) in sums.iter().zip(folded.as_mut_slice().chunks_mut(LINE_BITS)) {
            sums.write(folded);
        }
        let mut folded = by_bit(folded.as_slice());
        multiply_into(folded.as_mut_slice(), &self.weights.roots);
        inner_product(folded.as_slice(), equal_weights(line_points, false).as_slice())
    }
}
