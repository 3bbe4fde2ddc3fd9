//! The prover's side of a proof.

use buf::Buf;
use math::gf::Gf128;
use math::gf::lines::{Block, Factors, GROUP, LINE_BITS, Line, WeighedSum, totals, weigh_products};
use math::gf::vectors::{add_pair_products, fold_pairs, inner_product, multiply_into};

use super::field::{as_folded, by_bit, equal_weights};
use super::gates::{Lines, space};
use super::shape::Shape;
use super::transcript::Weights;
use crate::check::rounds::{Proof, ProverLanes, Rounds, Transcript, fold};

/// The elements of a vector of one block: two lines, one above the other.
const BLOCK: usize = 2 * LINE_BITS;

/// Proves `Σ x ∧ y' ⊕ y ∧ x' = e ⊕ f` for lines `x`, `y`, `x'`, `y'`.
pub(super) fn prove(
    shape: Shape,
    transcript: Transcript,
    lines: &[Lines<'_>; 4],
    lanes: &ProverLanes,
) -> Proof {
    let weights = Weights::of(&transcript, shape);
    let mut proof = Rounds::new(transcript, lanes);

    let points = proof.share(skipped(shape, &weights, lines).as_slice()).points(shape.skip());
    let at_lines = equal_weights(&points, true);

    let Folded { mut u, mut v, mut products } = folded(shape, &weights, lines, at_lines.as_slice());
    let (mut u, mut v) = (u.as_mut_slice::<Gf128>(), v.as_mut_slice::<Gf128>());
    let (zero, infinity) = products.as_mut_slice::<Gf128>().split_at_mut(BLOCK);
    let mut squares = Buf::copy_of(&weights.roots);
    multiply_into(squares.as_mut_slice(), &weights.roots);
    let squares = as_folded(squares.as_slice());
    let squares = squares.as_slice();
    while u.len() > BLOCK {
        let sums = [inner_product(squares, zero), inner_product(squares, infinity)];
        let point = proof.share(&sums).point();
        // The next round's products at once: the vectors are longer than what the caches hold.
        let n_low = u.len().next_power_of_two() / 2;
        if n_low > BLOCK {
            fold_pairs(u, v, n_low, point, zero, infinity);
            (u, v) = (&mut u[..n_low], &mut v[..n_low]);
        } else {
            (u, v) = (fold(u, point), fold(v, point));
        }
    }

    let (mut u, mut v) = (by_bit(u), by_bit(v));
    let (u, v) = (u.as_mut_slice(), v.as_mut_slice());
    multiply_into(u, &weights.roots);
    multiply_into(v, &weights.roots);
    proof.finish(u, v)
}

/// The sums at the points of the extension that are shared: elements.
fn skipped(shape: Shape, weights: &Weights, lines: &[Lines<'_>; 4]) -> Buf {
    let mut sums = Buf::stale(shape.n_points() * size_of::<WeighedSum>());
    let sums = sums.as_mut_slice::<WeighedSum>();
    sums.fill(WeighedSum::ZERO);
    let mut space = space(4 * GROUP.min(shape.n_blocks()) * shape.block_lines());
    for (group, weights) in weights.blocks.chunks(GROUP).enumerate() {
        let mut spaces = space.as_mut_slice::<Line>().chunks_mut(shape.block_lines());
        let block = |at: usize| {
            Block(
                lines
                    .each_ref()
                    .map(|lines| lines.pieces(group * GROUP + at, spaces.next().expect("room for a group"))),
            )
        };
        let blocks: Vec<_> = (0..weights.len()).map(block).collect();
        let next = (group + 1) * GROUP..(group + 2) * GROUP;
        let ahead: Vec<_> = next.flat_map(|at| lines.iter().flat_map(move |lines| lines.ahead(at))).collect();
        weigh_products(sums, shape.skip() as u32, &blocks, weights, &ahead);
    }
    let mut values = Buf::stale(shape.n_points() * size_of::<Gf128>());
    totals(sums, &weights.elements, values.as_mut_slice());
    let mut n_shared = 0;
    for (at, line) in shape.lines_of_points().iter().enumerate() {
        if line.is_none() {
            values.as_mut_slice::<Gf128>().swap(n_shared, at);
            n_shared += 1;
        }
    }
    values.truncate(n_shared * size_of::<Gf128>());
    values
}

/// The vectors `u = x̃‖ỹ` and `v = ỹ'‖x̃'` of each block, one block after the other, bits in the
/// order in which they are folded, and the first sums over pairs of blocks.
struct Folded {
    u: Buf,
    v: Buf,
    /// At zero, then at infinity.
    products: Buf,
}

/// Folds blocks that pair up one after the other, and multiplies them while the cache has them. Their
/// memory is pooled: fresh pages would cost as much as all else here.
fn folded(shape: Shape, weights: &Weights, lines: &[Lines<'_>; 4], at_lines: &[Gf128]) -> Folded {
    let n = shape.n_blocks();
    let [mut u, mut v] = [(); 2].map(|()| Buf::stale(BLOCK * n * size_of::<Gf128>()));
    let mut products = Buf::zeroed(2 * BLOCK * size_of::<Gf128>());
    let (zero, infinity) = products.as_mut_slice::<Gf128>().split_at_mut(BLOCK);
    // A block alone is all there is.
    let half = n.next_power_of_two().div_ceil(2);
    let (u_low, u_high) = u.as_mut_slice::<Gf128>().split_at_mut(BLOCK * half);
    let (v_low, v_high) = v.as_mut_slice::<Gf128>().split_at_mut(BLOCK * half);
    let mut highs = u_high.chunks_mut(BLOCK).zip(v_high.chunks_mut(BLOCK));
    let mut space = space(shape.block_lines());
    let mut factors = Factors::new(at_lines, weights.block_roots(0));
    let mut fold = |block: usize, next: usize, u: &mut [Gf128], v: &mut [Gf128]| {
        factors.set(at_lines, weights.block_roots(block));
        let [(x, y), (y_next, x_next)] = [u, v].map(|w| w.split_at_mut(LINE_BITS));
        for (at, out) in [x, y, x_next, y_next].into_iter().enumerate() {
            if lines[at].is_zero(block) {
                out.fill(Gf128(0));
                continue;
            }
            let ahead = lines[(at + 1) % 4].ahead(if at < 3 { block } else { next });
            factors.fold(lines[at].pieces(block, space.as_mut_slice()), ahead, out);
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
        add_pair_products([u, u_high], [v, v_high], zero, infinity);
    }
    Folded { u, v, products }
}
