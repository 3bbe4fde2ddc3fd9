//! The prover's side of a proof.

use buf::Buf;
use math::gf::Gf128;
use math::gf::lines::{Block, GROUP, LINE_BITS, Line, WeighedSum, totals, weigh_products};
use math::gf::vectors::{add_pair_products, fold_pairs, inner_product, multiply_into};

use super::field::{as_folded, by_bit, equal_weights};
use super::fold::Folder;
use super::gates::{Lines, space};
use super::shape::Shape;
use super::transcript::Weights;
use crate::check::rounds::{Proof, ProverLanes, Rounds, Transcript, fold};

/// The elements of a vector of one cell: two lines, one above the other.
const CELL: usize = 2 * LINE_BITS;

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
    let (zero, infinity) = products.as_mut_slice::<Gf128>().split_at_mut(CELL);
    let mut squares = Buf::copy_of(&weights.roots);
    multiply_into(squares.as_mut_slice(), &weights.roots);
    let squares = as_folded(squares.as_slice());
    let squares = squares.as_slice();
    while u.len() > CELL {
        let sums = [inner_product(squares, zero), inner_product(squares, infinity)];
        let point = proof.share(&sums).point();
        // The next round's products at once: the vectors are longer than what the caches hold.
        let n_low = u.len().next_power_of_two() / 2;
        if n_low > CELL {
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

/// The vectors `u` and `v` of each cell, one cell after the other, bits in the order in which they are folded,
/// and the first sums over pairs of cells.
struct Folded {
    u: Buf,
    v: Buf,
    /// At zero, then at infinity.
    products: Buf,
}

/// Folds cells that pair up one after the other, and multiplies them while the cache has them. Their
/// memory is pooled: fresh pages would cost as much as all else here.
fn folded(shape: Shape, weights: &Weights, lines: &[Lines<'_>; 4], at_lines: &[Gf128]) -> Folded {
    let n = shape.n_cells();
    let [mut u, mut v] = [(); 2].map(|()| Buf::stale(CELL * n * size_of::<Gf128>()));
    let mut products = Buf::zeroed(2 * CELL * size_of::<Gf128>());
    let (zero, infinity) = products.as_mut_slice::<Gf128>().split_at_mut(CELL);
    // A cell alone is all there is.
    let half = n.next_power_of_two().div_ceil(2);
    let (u_low, u_high) = u.as_mut_slice::<Gf128>().split_at_mut(CELL * half);
    let (v_low, v_high) = v.as_mut_slice::<Gf128>().split_at_mut(CELL * half);
    let mut highs = u_high.chunks_mut(CELL).zip(v_high.chunks_mut(CELL));
    let [x, y, x_next, y_next] = lines;
    let operands = [[x, y], [x_next, y_next]];
    let mut folder = Folder::new(weights, at_lines);
    let mut fold = |cell: usize, next: usize, u: &mut [Gf128], v: &mut [Gf128]| {
        let [first, second] = shape.cell(cell);
        let next = if next < n { shape.cell(next)[0].left } else { [None; 2] };
        let order = [first.left, first.right, second.left, second.right, next];
        let outs = u.chunks_mut(LINE_BITS).zip(v.chunks_mut(LINE_BITS)).flat_map(|(u, v)| [u, v]);
        for (at, out) in outs.enumerate() {
            let ahead = (&order[at + 1], operands[(at + 1) % 2]);
            folder.fold(&order[at], operands[at % 2], ahead, out);
        }
    };
    for (cell, (u, v)) in u_low.chunks_mut(CELL).zip(v_low.chunks_mut(CELL)).enumerate() {
        let high = highs.next();
        fold(cell, if high.is_some() { cell + half } else { cell + 1 }, u, v);
        let (u_high, v_high): (&[Gf128], &[Gf128]) = match high {
            Some((u, v)) => {
                fold(cell + half, cell + 1, u, v);
                (u, v)
            }
            None => (&[], &[]),
        };
        add_pair_products([u, u_high], [v, v_high], zero, infinity);
    }
    Folded { u, v, products }
}
