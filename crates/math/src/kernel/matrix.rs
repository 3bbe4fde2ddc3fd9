//! Products of matrices that this machine holds, row-major.

use buf::Buf;

use crate::group::Ring;
use crate::simd::multiversioned;

#[cfg(target_arch = "x86_64")]
mod ifma;

/// Inner indices per panel: a panel of 16 64-bit columns then takes 32 kB.
const PANEL_DEPTH: usize = 256;

/// Rows of `x` per pass: their part of 256 columns stays in the second-level cache.
const PASS_ROWS: usize = 128;

/// Up to this many columns, each is a dot product.
const NARROW: usize = 4;

/// `out += x · y` for `x` of `rows × inner` and `y` of `inner × columns` elements.
///
/// # Panics
/// If a slice does not have its shape's length.
pub fn matmul_into<R: Ring>(out: &mut [R], x: &[R], y: &[R], [rows, inner, columns]: [usize; 3]) {
    assert_eq!(out.len(), rows * columns, "a result of {rows} rows and {columns} columns");
    assert_eq!(x.len(), rows * inner, "a left side of {rows} rows and {inner} columns");
    assert_eq!(y.len(), inner * columns, "a right side of {inner} rows and {columns} columns");
    if columns <= NARROW {
        narrow(out, x, y, inner, columns);
    } else if rows < NARROW {
        flat(out, x, y, inner, columns);
    } else if !multiply_accumulate(out, x, y, inner, columns) {
        blocked(out, x, y, inner, columns);
    }
}

/// Takes 64-bit products through the processor's multiply-accumulate instructions. Says whether
/// it has those.
fn multiply_accumulate<R: Ring>(out: &mut [R], x: &[R], y: &[R], inner: usize, columns: usize) -> bool {
    #[cfg(target_arch = "x86_64")]
    if R::BITS == 64 && inner > 0 && ifma::available() {
        let (x, y) = (bytemuck::cast_slice(x), bytemuck::cast_slice(y));
        // SAFETY: the instructions are there.
        unsafe { ifma::matmul(bytemuck::cast_slice_mut(out), x, y, inner, columns) };
        return true;
    }
    let _ = (out, x, y, inner, columns);
    false
}

/// Few columns: each is made contiguous, then every element is one dot product.
fn narrow<R: Ring>(out: &mut [R], x: &[R], y: &[R], inner: usize, columns: usize) {
    if inner == 0 || columns == 0 {
        return;
    }
    let mut turned = Buf::stale(inner * columns * R::BYTES);
    let turned: &mut [R] = turned.as_mut_slice();
    for (column, turned) in turned.chunks_exact_mut(inner).enumerate() {
        for (item, line) in turned.iter_mut().zip(y.chunks_exact(columns)) {
            *item = line[column];
        }
    }
    for (out, x) in out.chunks_exact_mut(columns).zip(x.chunks_exact(inner)) {
        for (out, column) in out.iter_mut().zip(turned.chunks_exact(inner)) {
            *out = out.plus(super::dot(x, column));
        }
    }
}

multiversioned! {
    /// Few rows: the lines of `y` are added up, scaled, without packing them.
    fn flat<R: Ring>(out: &mut [R], x: &[R], y: &[R], inner: usize, columns: usize) {
        if inner == 0 {
            return;
        }
        for (out, x) in out.chunks_exact_mut(columns).zip(x.chunks_exact(inner)) {
            for (x, line) in x.iter().zip(y.chunks_exact(columns)) {
                for (out, y) in out.iter_mut().zip(line) {
                    *out = out.plus(x.times(*y));
                }
            }
        }
    }

    /// Panels of columns are packed, and a block of accumulators stays in registers.
    fn blocked<R: Ring>(out: &mut [R], x: &[R], y: &[R], inner: usize, columns: usize) {
        match R::BYTES {
            16 => by_panels::<R, 2, 4>(out, x, y, inner, columns),
            8 => by_panels::<R, 4, 16>(out, x, y, inner, columns),
            _ => by_panels::<R, 4, 32>(out, x, y, inner, columns),
        }
    }
}

#[inline(always)]
fn by_panels<R: Ring, const ROWS: usize, const COLUMNS: usize>(
    out: &mut [R],
    x: &[R],
    y: &[R],
    inner: usize,
    columns: usize,
) {
    let mut panel = Buf::stale(PANEL_DEPTH * COLUMNS * R::BYTES);
    let (panel, _) = panel.as_mut_slice::<R>().as_chunks_mut::<COLUMNS>();
    for depth in (0..inner).step_by(PANEL_DEPTH) {
        let n_depth = PANEL_DEPTH.min(inner - depth);
        let passes = out.chunks_mut(PASS_ROWS * columns).zip(x.chunks(PASS_ROWS * inner));
        for (out, x) in passes {
            for column in (0..columns).step_by(COLUMNS) {
                let n_columns = COLUMNS.min(columns - column);
                for (k, line) in panel[..n_depth].iter_mut().enumerate() {
                    let from = (depth + k) * columns + column;
                    line[..n_columns].copy_from_slice(&y[from..from + n_columns]);
                    line[n_columns..].fill(R::ZERO);
                }
                let groups = out.chunks_mut(ROWS * columns).zip(x.chunks(ROWS * inner));
                for (out, x) in groups {
                    // A last group with fewer rows repeats its last one and drops the repetitions.
                    let n_rows = out.len() / columns;
                    let lines: [&[R]; ROWS] =
                        std::array::from_fn(|row| &x[row.min(n_rows - 1) * inner + depth..][..n_depth]);
                    let block = block_product(lines, &panel[..n_depth]);
                    for (out, block) in out.chunks_exact_mut(columns).zip(block) {
                        for (out, item) in out[column..column + n_columns].iter_mut().zip(block) {
                            *out = out.plus(item);
                        }
                    }
                }
            }
        }
    }
}

/// Some rows of `x` times a panel.
#[inline(always)]
fn block_product<R: Ring, const ROWS: usize, const COLUMNS: usize>(
    lines: [&[R]; ROWS],
    panel: &[[R; COLUMNS]],
) -> [[R; COLUMNS]; ROWS] {
    let lines = lines.map(|line| &line[..panel.len()]);
    let mut block = [[R::ZERO; COLUMNS]; ROWS];
    for (k, y) in panel.iter().enumerate() {
        for (block, line) in block.iter_mut().zip(lines) {
            let x = line[k];
            for (item, y) in block.iter_mut().zip(y) {
                *item = item.plus(x.times(*y));
            }
        }
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::{Z8, Z32, Z64, Z128};
    use crate::prg::Prg;
    use crate::simd::at_every_level;
    use proptest::prelude::*;

    fn matrix<R: Ring>(n: usize, seed: u8) -> Vec<R> {
        let mut items = vec![R::ZERO; n];
        Prg::new(&[seed; 16]).fill_items(0, &mut items);
        items
    }

    fn plain<R: Ring>(x: &[R], y: &[R], [rows, inner, columns]: [usize; 3]) -> Vec<R> {
        let item = |row: usize, column: usize| {
            (0..inner).fold(R::ZERO, |sum, k| sum.plus(x[row * inner + k].times(y[k * columns + column])))
        };
        (0..rows * columns).map(|at| item(at / columns, at % columns)).collect()
    }

    fn agrees<R: Ring>(shape: [usize; 3]) {
        let [rows, inner, columns] = shape;
        let (x, y) = (matrix::<R>(rows * inner, 1), matrix::<R>(inner * columns, 2));
        let start = matrix::<R>(rows * columns, 3);
        let mut product = start.clone();
        super::super::add_into(&mut product, &plain(&x, &y, shape));
        at_every_level(|level| {
            let mut out = start.clone();
            matmul_into(&mut out, &x, &y, shape);
            assert!(out == product, "{level:?} {shape:?}");
        });
    }

    #[test]
    fn shapes_around_the_block_sizes() {
        for shape in [
            [0, 3, 5],
            [3, 0, 5],
            [5, 0, 5],
            [3, 5, 0],
            [1, 1, 1],
            [7, 300, 1],
            [2, 300, 40],
            [4, 256, 16],
            [5, 257, 17],
            [129, 10, 33],
            [130, 513, 7],
        ] {
            agrees::<Z64>(shape);
            agrees::<Z128>(shape);
            agrees::<Z32>(shape);
        }
    }

    proptest! {
        #[test]
        fn any_shape(rows in 0usize..20, inner in 0usize..20, columns in 0usize..70) {
            agrees::<Z64>([rows, inner, columns]);
            agrees::<Z8>([rows, inner, columns]);
            agrees::<Z128>([rows, inner, columns]);
        }
    }
}
