//! The prover's side of a proof.

use buf::Buf;
use math::gf::Gf128;
use math::gf::lines::{GROUP, LINE_BITS, Line, WeighedSum, totals, weigh_products};
use math::gf::vectors::{add_pair_products, fold_pairs, inner_product, multiply_into};

use super::field::{as_folded, by_bit, equal_weights};
use super::fold::Folder;
use super::shape::Shape;
use super::transcript::Weights;
use crate::check::rounds::{Proof, ProverLanes, Rounds, Transcript, fold};

/// Proves `Σ x ∧ y = e ⊕ f` for the operands `x` and `y`.
pub(super) fn prove(
    shape: Shape,
    transcript: Transcript,
    operands: [&[Line]; 2],
    lanes: &ProverLanes,
) -> Proof {
    let weights = Weights::of(&transcript, shape);
    let mut proof = Rounds::new(transcript, lanes);

    let points = proof.share(skipped(shape, &weights, operands).as_slice()).points(shape.skip());
    let at_lines = equal_weights(&points, true);

    let Folded { mut u, mut v, mut products } = folded(shape, &weights, operands, at_lines.as_slice());
    let (mut u, mut v) = (u.as_mut_slice::<Gf128>(), v.as_mut_slice::<Gf128>());
    let (zero, infinity) = products.as_mut_slice::<Gf128>().split_at_mut(LINE_BITS);
    let mut squares = Buf::copy_of(&weights.roots);
    multiply_into(squares.as_mut_slice(), &weights.roots);
    let squares = as_folded(squares.as_slice());
    let squares = squares.as_slice();
    while u.len() > LINE_BITS {
        let sums = [inner_product(squares, zero), inner_product(squares, infinity)];
        let point = proof.share(&sums).point();
        // The next round's products at once: the vectors are longer than what the caches hold.
        let n_low = u.len().next_power_of_two() / 2;
        if n_low > LINE_BITS {
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
fn skipped(shape: Shape, weights: &Weights, operands: [&[Line]; 2]) -> Buf {
    let mut sums = Buf::stale(shape.n_points() * size_of::<WeighedSum>());
    let sums = sums.as_mut_slice::<WeighedSum>();
    sums.fill(WeighedSum::ZERO);
    let n = shape.block_lines();
    let blocks: Vec<_> = operands[0].chunks(n).zip(operands[1].chunks(n)).map(<[_; 2]>::from).collect();
    for (blocks, weights) in blocks.chunks(GROUP).zip(weights.blocks.chunks(GROUP)) {
        weigh_products(sums, shape.skip() as u32, blocks, weights);
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
fn folded(shape: Shape, weights: &Weights, [x, y]: [&[Line]; 2], at_lines: &[Gf128]) -> Folded {
    let n = shape.n_cells();
    let [mut u, mut v] = [(); 2].map(|()| Buf::stale(LINE_BITS * n * size_of::<Gf128>()));
    let mut products = Buf::zeroed(2 * LINE_BITS * size_of::<Gf128>());
    let (zero, infinity) = products.as_mut_slice::<Gf128>().split_at_mut(LINE_BITS);
    // A cell alone is all there is.
    let half = n.next_power_of_two().div_ceil(2);
    let (u_low, u_high) = u.as_mut_slice::<Gf128>().split_at_mut(LINE_BITS * half);
    let (v_low, v_high) = v.as_mut_slice::<Gf128>().split_at_mut(LINE_BITS * half);
    let mut highs = u_high.chunks_mut(LINE_BITS).zip(v_high.chunks_mut(LINE_BITS));
    let mut folder = Folder::new(weights, at_lines);
    let mut fold = |cell: usize, u: &mut [Gf128], v: &mut [Gf128]| {
        let [left, right] = shape.cell(cell);
        folder.fold(&left, x, u);
        folder.fold(&right, y, v);
    };
    for (cell, (u, v)) in u_low.chunks_mut(LINE_BITS).zip(v_low.chunks_mut(LINE_BITS)).enumerate() {
        fold(cell, u, v);
        let (u_high, v_high): (&[Gf128], &[Gf128]) = match highs.next() {
            Some((u, v)) => {
                fold(cell + half, u, v);
                (u, v)
            }
            None => (&[], &[]),
        };
        add_pair_products([u, u_high], [v, v_high], zero, infinity);
    }
    Folded { u, v, products }
}
