//! Matrix products: random subsets of rows and of columns, never a product of matrices.
//!
//! For vectors `a`, `b` of bits, `aᵀ·X·Y·b` is the inner product of `aᵀX` and `Y·b`, which each
//! holder of `X` and `Y` makes by additions alone. Subset `t` of a matrix's products are those in
//! rows that have bit `t` and in columns that have it.

use math::prime::Prime;
use math::subsets::row_subset_sums;
use math::{Column, Group};

use super::integer::Integer;
use super::operand::{Operand, TILE};
use super::shape::MATRIX_SUBSETS;
use super::transcript::LineSelections;
use super::word::Word;
use crate::share::Shared;

/// A recorded matrix product, and the subsets of its rows and columns.
pub(super) struct Matrix<'a, R> {
    pub(super) factors: [&'a Shared<R>; 2],
    /// Rows, inner length, columns.
    pub(super) shape: [usize; 3],
    pub(super) selections: [LineSelections; 2],
}

/// Sums of lines for each subset: of each 32-bit part of their elements, by subset, then by place.
struct LineSums {
    parts: Vec<Vec<u64>>,
}

/// `aᵀX` and `Y·b` of one part of both factors.
pub(super) struct Projected {
    rows: LineSums,
    columns: LineSums,
    n: usize,
}

impl LineSums {
    /// Of the lines of a matrix, each `len` long.
    fn of<R: Word>(at: impl Fn(usize) -> R, len: usize, selections: &LineSelections) -> Self {
        let part = |half| {
            let values: Vec<u32> = (0..len * selections.len()).map(|place| at(place).half(half)).collect();
            row_subset_sums(&values, len, selections, MATRIX_SUBSETS)
        };
        LineSums { parts: (0..R::HALVES).map(part).collect() }
    }

    fn integer(&self, at: usize) -> Integer {
        Integer::from_parts(self.parts.iter().map(|part| part[at]))
    }

    fn element(&self, prime: &Prime, at: usize) -> u64 {
        // A part is worth 2^32 times the one before it.
        let above = prime.weight(1 << 32);
        self.parts
            .iter()
            .rev()
            .fold(0, |sum, part| prime.plus(prime.times(above, sum), prime.reduce(part[at])))
    }
}

impl<R: Word> Matrix<'_, R> {
    /// `aᵀX` and `Y·b` of a part.
    pub(super) fn projected(&self, part: usize) -> Projected {
        let [_, inner, columns] = self.shape;
        let [x, y] = self.factors.map(|factor| factor.parts().as_slice()[part].items());
        let [of_rows, of_columns] = &self.selections;
        let turned = |place: usize| y[place % inner * columns + place / inner];
        Projected {
            rows: LineSums::of(|place| x[place], inner, of_rows),
            columns: LineSums::of(turned, inner, of_columns),
            n: MATRIX_SUBSETS * inner,
        }
    }

    /// `aᵀ·E·b` for each subset, of the canonical integers of a matrix of the product's shape.
    pub(super) fn of_terms(&self, terms: &Column<R>) -> Vec<Integer> {
        let columns = self.shape[2];
        let [of_rows, of_columns] = &self.selections;
        let sums = LineSums::of(|place| terms.items()[place], columns, of_rows);
        let total = |t: usize| {
            let member = |column: &usize| of_columns[*column][t / 64] >> (t % 64) & 1 == 1;
            let parts = sums.parts.iter().enumerate().map(|(at, part)| {
                let sum = (0..columns).filter(member).map(|column| i128::from(part[t * columns + column]));
                Integer::from_word(sum.sum::<i128>() << (32 * (at % 2)), at / 2)
            });
            parts.fold(Integer::default(), |sum, part| sum.plus(&part))
        };
        (0..MATRIX_SUBSETS).map(total).collect()
    }
}

impl Projected {
    /// `2^k` times the quotient of each subset: `(aᵀX)(Yb + Y'b) + (aᵀX')(Yb) − e − f`, of this
    /// part and the next one.
    pub(super) fn totals(&self, next: &Projected, e: &[Integer], f: &[Integer]) -> Vec<Integer> {
        let inner = self.n / MATRIX_SUBSETS;
        let total = |t: usize| {
            (t * inner..(t + 1) * inner).fold(Integer::default().minus(&e[t]).minus(&f[t]), |sum, at| {
                let y = self.columns.integer(at);
                let both = y.plus(&next.columns.integer(at));
                sum.plus(&self.rows.integer(at).times(&both)).plus(&next.rows.integer(at).times(&y))
            })
        };
        (0..MATRIX_SUBSETS).map(total).collect()
    }

    /// `Σ_t w_t·(aᵀX)(Y·b)` modulo the prime: what one holder knows of the products.
    pub(super) fn own_product(&self, prime: &Prime, weights: &[u64]) -> u64 {
        let inner = self.n / MATRIX_SUBSETS;
        (0..self.n).fold(0, |sum, at| {
            let row = prime.times(weights[at / inner], self.rows.element(prime, at));
            prime.plus(sum, prime.times(prime.weight(row), self.columns.element(prime, at)))
        })
    }

    /// Adds `w_t·aᵀX ‖ w_t·Y·b` to the left operand.
    pub(super) fn left_operand(&self, prime: &Prime, weights: &[u64], out: &mut impl Operand) {
        let inner = self.n / MATRIX_SUBSETS;
        for sums in [&self.rows, &self.columns] {
            extend(out, self.n, |at| prime.times(weights[at / inner], sums.element(prime, at)));
        }
    }

    /// Adds `Y'·b ‖ aᵀX'` to the right operand.
    pub(super) fn right_operand(&self, prime: &Prime, out: &mut impl Operand) {
        for sums in [&self.columns, &self.rows] {
            extend(out, self.n, |at| sums.element(prime, at));
        }
    }
}

/// `z − mask`: what the holder of both knows of a matrix product beside the products.
pub(super) fn left_terms<R: Word>(z: &Column<R>, mask: &Column<R>) -> Column<R> {
    z.zip(mask, Group::minus)
}

/// Adds `f` of each number below `n`.
fn extend(out: &mut impl Operand, n: usize, f: impl Fn(usize) -> u64) {
    for first in (0..n).step_by(TILE) {
        let tile = |out: &mut [u64]| out.iter_mut().enumerate().for_each(|(at, out)| *out = f(first + at));
        out.extend(TILE.min(n - first), tile);
    }
}
