//! The prover's side of a proof.

use buf::Buf;
use math::Group;
use math::gf::lines::{Block, Factors, GROUP, LINE_BITS, Line, WeighedSum, weigh_products};
use math::gf::vectors::{fold_into, multiply_into, pair_products, pair_sums};
use math::gf::{Field, Gf128, inner_product};

use super::field::{as_folded, by_bit, equal_weights, scaled};
use super::gates::{Lines, space};
use super::lanes::ProverLanes;
use super::shape::Shape;
use super::transcript::{Seed, Transcript, Weights, digest};

/// The elements of a vector of one block: two lines, one above the other.
const BLOCK: usize = 2 * LINE_BITS;

/// What the prover sends: the left verifier's shares, and the last state to both.
pub(super) struct Proof {
    pub(super) left: Vec<Gf128>,
    pub(super) last: Seed,
}

/// Proves `Σ x ∧ y' ⊕ y ∧ x' = e ⊕ f` for lines `x`, `y`, `x'`, `y'`.
pub(super) fn prove(
    shape: Shape,
    transcript: Transcript,
    lines: &[Lines<'_>; 4],
    lanes: &ProverLanes,
) -> Proof {
    let weights = Weights::of(&transcript, shape);
    let mut proof = Rounds { transcript, lanes, left: Vec::with_capacity(shape.n_elements()), n_rounds: 0 };

    proof.share(&skipped(shape, &weights, lines));
    let at_lines = equal_weights(&proof.transcript.points(shape.skip()), true);

    let [mut u, mut v] = folded(shape, &weights, lines, &at_lines);
    let (mut u, mut v) = (u.as_mut_slice::<Gf128>(), v.as_mut_slice::<Gf128>());
    let mut squares = weights.roots.clone();
    multiply_into(&mut squares, &weights.roots);
    let squares = as_folded(&squares);
    let (mut zero, mut infinity) = (vec![Gf128(0); BLOCK], vec![Gf128(0); BLOCK]);
    while u.len() > BLOCK {
        let ((u_low, u_high), (v_low, v_high)) = (halves(u), halves(v));
        pair_products([u_low, u_high], [v_low, v_high], &mut zero, &mut infinity);
        proof.share(&[inner_product(&squares, &zero), inner_product(&squares, &infinity)]);
        let point = proof.transcript.point();
        (u, v) = (fold(u, point), fold(v, point));
    }

    let (mut u, mut v) = (by_bit(u), by_bit(v));
    let (mut u, mut v) = (&mut u[..], &mut v[..]);
    multiply_into(u, &weights.roots);
    multiply_into(v, &weights.roots);
    while u.len() > 1 {
        let ((u_low, u_high), (v_low, v_high)) = (halves(u), halves(v));
        proof.share(&pair_sums([u_low, u_high], [v_low, v_high]));
        let point = proof.transcript.point();
        (u, v) = (fold(u, point), fold(v, point));
    }

    // The masking round: the lines through u, v at 0 and the masks at 1. Their product at 0
    // is the claim, which both verifiers hold shares of.
    let (u1, v1) = (lanes.mask_left, lanes.mask_right);
    proof.share(&[u1.times(v1), u[0].plus(u1).times(v[0].plus(v1))]);
    Proof { left: proof.left, last: *proof.transcript.state() }
}

/// The rounds of a proof: each splits values into two shares and hashes the left one.
struct Rounds<'a> {
    transcript: Transcript,
    lanes: &'a ProverLanes,
    left: Vec<Gf128>,
    n_rounds: usize,
}

impl Rounds<'_> {
    fn share(&mut self, values: &[Gf128]) {
        let first = self.left.len();
        let right = &self.lanes.right[first..];
        self.left.extend(values.iter().zip(right).map(|(value, right)| value.minus(*right)));
        self.transcript.absorb(&digest(&self.lanes.salts[self.n_rounds], &self.left[first..]));
        self.n_rounds += 1;
    }
}

/// The sums at the points of the extension that are shared.
fn skipped(shape: Shape, weights: &Weights, lines: &[Lines<'_>; 4]) -> Vec<Gf128> {
    let mut sums = vec![WeighedSum::ZERO; shape.n_points()];
    let mut space = space(4 * GROUP.min(shape.n_blocks()) * shape.block_lines());
    for (group, weights) in weights.blocks.chunks(GROUP).enumerate() {
        let mut spaces = space.as_mut_slice::<Line>().chunks_mut(shape.block_lines());
        let block = |at: usize| {
            Block(lines.each_ref().map(|lines| {
                lines.pieces(shape, group * GROUP + at, spaces.next().expect("room for a group"))
            }))
        };
        let blocks: Vec<_> = (0..weights.len()).map(block).collect();
        let next = (group + 1) * GROUP..(group + 2) * GROUP;
        let ahead: Vec<_> =
            next.map(|at| Block(lines.each_ref().map(|lines| lines.ahead(shape, at)))).collect();
        weigh_products(&mut sums, shape.skip() as u32, &blocks, weights, &ahead);
    }
    let points = sums.iter().zip(shape.lines_of_points());
    points.filter(|(_, line)| line.is_none()).map(|(sum, _)| sum.total(&weights.elements)).collect()
}

/// The vectors `u = x̃‖ỹ` and `v = ỹ'‖x̃'` of each block, one block after the other, bits in the
/// order in which they are folded. Their memory is pooled: fresh pages would cost as much as all else
/// here.
fn folded(shape: Shape, weights: &Weights, lines: &[Lines<'_>; 4], at_lines: &[Gf128]) -> [Buf; 2] {
    let n_bytes = BLOCK * shape.n_blocks() * size_of::<Gf128>();
    let (mut u, mut v) = (Buf::stale(n_bytes), Buf::stale(n_bytes));
    let blocks = u.as_mut_slice::<Gf128>().chunks_mut(BLOCK).zip(v.as_mut_slice().chunks_mut(BLOCK));
    let mut space = space(shape.block_lines());
    for (block, (u, v)) in blocks.enumerate() {
        let factors = Factors::new(&scaled(at_lines, weights.block_root(block)));
        let [(x, y), (y_next, x_next)] = [u, v].map(|w| w.split_at_mut(LINE_BITS));
        for (at, out) in [x, y, x_next, y_next].into_iter().enumerate() {
            let ahead = lines[(at + 1) % 4].ahead(shape, block + (at + 1) / 4);
            factors.fold(lines[at].pieces(shape, block, space.as_mut_slice()), ahead, out);
        }
    }
    [u, v]
}

/// The halves by the top bit. Zeros are meant where the upper one is shorter.
fn halves(w: &mut [Gf128]) -> (&mut [Gf128], &mut [Gf128]) {
    w.split_at_mut(w.len().next_power_of_two() / 2)
}

/// Folds a vector, top bit first.
fn fold(w: &mut [Gf128], at: Gf128) -> &mut [Gf128] {
    let (low, high) = halves(w);
    fold_into(low, high, at);
    low
}
