//! The prover's side of a proof.

use buf::Buf;
use math::Group;
use math::gf::lines::{Block, Factors, GROUP, LINE_BITS, Line, WeighedSum, weigh_products};
use math::gf::vectors::{add_pair_products, fold_into, fold_pairs, inner_product, multiply_into, pair_sums};
use math::gf::{Field, Gf128};

use super::field::{as_folded, by_bit, equal_weights};
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

    let Folded { mut u, mut v, mut zero, mut infinity } = folded(shape, &weights, lines, &at_lines);
    let (mut u, mut v) = (u.as_mut_slice::<Gf128>(), v.as_mut_slice::<Gf128>());
    let mut squares = weights.roots.clone();
    multiply_into(&mut squares, &weights.roots);
    let squares = as_folded(&squares);
    while u.len() > BLOCK {
        proof.share(&[inner_product(&squares, &zero), inner_product(&squares, &infinity)]);
        let point = proof.transcript.point();
        // The next round's products at once: the vectors are longer than what the caches hold.
        let n_low = u.len().next_power_of_two() / 2;
        if n_low > BLOCK {
            fold_pairs(u, v, n_low, point, &mut zero, &mut infinity);
            (u, v) = (&mut u[..n_low], &mut v[..n_low]);
        } else {
            (u, v) = (fold(u, point), fold(v, point));
        }
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
            next.flat_map(|at| lines.iter().flat_map(move |lines| lines.ahead(shape, at))).collect();
        weigh_products(&mut sums, shape.skip() as u32, &blocks, weights, &ahead);
    }
    let points = sums.iter().zip(shape.lines_of_points());
    points.filter(|(_, line)| line.is_none()).map(|(sum, _)| sum.total(&weights.elements)).collect()
}

/// The vectors `u = x̃‖ỹ` and `v = ỹ'‖x̃'` of each block, one block after the other, bits in the
/// order in which they are folded, and the first sums over pairs of blocks.
struct Folded {
    u: Buf,
    v: Buf,
    zero: Vec<Gf128>,
    infinity: Vec<Gf128>,
}

/// Folds blocks that pair up one after the other, and multiplies them while the cache has them. Their
/// memory is pooled: fresh pages would cost as much as all else here.
fn folded(shape: Shape, weights: &Weights, lines: &[Lines<'_>; 4], at_lines: &[Gf128]) -> Folded {
    let n = shape.n_blocks();
    let [mut u, mut v] = [(); 2].map(|()| Buf::stale(BLOCK * n * size_of::<Gf128>()));
    let (mut zero, mut infinity) = (vec![Gf128(0); BLOCK], vec![Gf128(0); BLOCK]);
    // A block alone is all there is.
    let half = n.next_power_of_two().div_ceil(2);
    let (u_low, u_high) = u.as_mut_slice::<Gf128>().split_at_mut(BLOCK * half);
    let (v_low, v_high) = v.as_mut_slice::<Gf128>().split_at_mut(BLOCK * half);
    let mut highs = u_high.chunks_mut(BLOCK).zip(v_high.chunks_mut(BLOCK));
    let mut space = space(shape.block_lines());
    let mut fold = |block: usize, next: usize, u: &mut [Gf128], v: &mut [Gf128]| {
        let factors = Factors::new(at_lines, weights.block_roots(block));
        let [(x, y), (y_next, x_next)] = [u, v].map(|w| w.split_at_mut(LINE_BITS));
        for (at, out) in [x, y, x_next, y_next].into_iter().enumerate() {
            let ahead = lines[(at + 1) % 4].ahead(shape, if at < 3 { block } else { next });
            factors.fold(lines[at].pieces(shape, block, space.as_mut_slice()), ahead, out);
        }
    };
    for (block, (u, v)) in u_low.chunks_mut(BLOCK).zip(v_low.chunks_mut(BLOCK)).enumerate() {
        let high = highs.next();
        fold(block, if high.is_some() { block + half } else { block + 1 }, u, v);
        let (u_high, v_high): (&[Gf128], &[Gf128]) = match high {
            Some((u, v)) => {
                fold(block + half, block + 1, u, v);
                (u, v)
            }
            None => (&[], &[]),
        };
        add_pair_products([u, u_high], [v, v_high], &mut zero, &mut infinity);
    }
    Folded { u, v, zero, infinity }
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
