//! Products element by element, and inner products: each is a gate of its own.

use std::ops::Range;

use math::Column;
use math::prime::Prime;
use math::subsets::{SubsetSums, SubsetWeights};

use super::operand::Operand;
use super::word::Word;
use crate::check::{Form, ProductStep};
use crate::share::Shared;

/// Gates at a time: what is kept of them stays in the first-level cache.
const TILE: usize = 512;

/// Products of which gate `g` is `Σ_t x_t[g]·y_t[g]`, or one gate `Σ_k x[k]·y[k]`.
pub(super) struct Segment<'a, R> {
    /// Which of the step's products.
    rows: Range<usize>,
    pairs: Vec<[&'a Shared<R>; 2]>,
    is_inner: bool,
}

/// The gates of a step; none for a matrix.
pub(super) fn segments<R: Word>(product: &ProductStep<R>) -> Vec<Segment<'_, R>> {
    match &product.form {
        Form::Rows(segments) => {
            let mut end = 0;
            let segment = |pairs: &'_ Vec<(Shared<R>, Shared<R>)>| {
                let first = end;
                end += pairs.first().map_or(0, |(x, _)| x.len());
                first..end
            };
            let rows: Vec<_> = segments.iter().map(segment).collect();
            let pairs = segments.iter().map(|pairs| pairs.iter().map(|(x, y)| [x, y]).collect());
            rows.into_iter()
                .zip(pairs)
                .map(|(rows, pairs)| Segment { rows, pairs, is_inner: false })
                .collect()
        }
        Form::Inner(x, y) => vec![Segment { rows: 0..1, pairs: vec![[x, y]], is_inner: true }],
        Form::Matrix { .. } => Vec::new(),
    }
}

/// A part of both factors of each pair.
fn parts<'a, R: Word>(segment: &Segment<'a, R>, part: usize) -> Vec<[&'a [R]; 2]> {
    segment.pairs.iter().map(|pair| pair.map(|x| x.parts().as_slice()[part].items())).collect()
}

impl<R: Word> Segment<'_, R> {
    pub(super) fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// `e = z − Σ x·y − mask` of each gate, from one part of the factors: what its holder knows of
    /// the products beside the cross terms.
    pub(super) fn left_terms(&self, part: usize, z: &Column<R>, mask: &Column<R>) -> Vec<R> {
        let mut terms: Vec<R> = (z.items()[self.rows()].iter().zip(&mask.items()[self.rows()]))
            .map(|(z, mask)| z.minus(*mask))
            .collect();
        for [x, y] in parts(self, part) {
            if self.is_inner {
                terms[0] = terms[0].minus(math::kernel::dot(x, y));
            } else {
                for (term, (x, y)) in terms.iter_mut().zip(x.iter().zip(y)) {
                    *term = term.minus(x.times(*y));
                }
            }
        }
        terms
    }

    /// Adds each gate's `(Σ x·y' + y·x' − e − f)/2^k` to its subsets' sums: low words, high words.
    pub(super) fn quotients(&self, e: &[R], f: &[R], selections: &[u64], sums: &mut [SubsetSums; 2]) {
        let pairs: Vec<_> = parts(self, 0).into_iter().zip(parts(self, 1)).collect();
        let mut add = |gate: usize, terms: R::Terms| {
            let [low, high] = R::quotient(terms, e[gate], f[gate]);
            sums[0].add(selections[gate], low);
            if R::BITS > 64 {
                sums[1].add(selections[gate], high);
            }
        };
        if self.is_inner {
            let mut terms = R::Terms::default();
            for ([x, y], [x_next, y_next]) in &pairs {
                for (k, (x, y)) in x.iter().zip(*y).enumerate() {
                    R::add_product(&mut terms, *x, y_next[k]);
                    R::add_product(&mut terms, *y, x_next[k]);
                }
            }
            add(0, terms);
            return;
        }
        let mut terms = [R::Terms::default(); TILE];
        for first in (0..self.rows.len()).step_by(TILE) {
            let rows = first..self.rows.len().min(first + TILE);
            let terms = &mut terms[..rows.len()];
            terms.fill(R::Terms::default());
            for ([x, y], [x_next, y_next]) in &pairs {
                let [x, y, x_next, y_next] = [x, y, x_next, y_next].map(|list| &list[rows.clone()]);
                for (k, terms) in terms.iter_mut().enumerate() {
                    R::add_product(terms, x[k], y_next[k]);
                    R::add_product(terms, y[k], x_next[k]);
                }
            }
            for (gate, terms) in rows.zip(terms) {
                add(gate, *terms);
            }
        }
    }

    /// The weights of the gates.
    pub(super) fn weights(&self, table: &SubsetWeights, selections: &[u64]) -> Vec<u64> {
        let mut weights = vec![0; self.rows.len()];
        table.select(selections, &mut weights);
        weights
    }

    /// Adds `w·x ‖ w·y` of each pair to the left operand.
    pub(super) fn left_operand(&self, part: usize, prime: &Prime, weights: &[u64], out: &mut impl Operand) {
        for list in parts(self, part).as_flattened() {
            if self.is_inner {
                out.extend(list.len(), |k| list[k].weighed(prime, weights[0]));
            } else {
                let (list, weights) = (&list[..weights.len()], weights);
                out.extend(list.len(), |k| list[k].weighed(prime, weights[k]));
            }
        }
    }

    /// Adds `y' ‖ x'` of each pair to the right operand.
    pub(super) fn right_operand(&self, part: usize, prime: &Prime, out: &mut impl Operand) {
        for [x, y] in parts(self, part) {
            for list in [y, x] {
                out.extend(list.len(), |k| list[k].element(prime));
            }
        }
    }
}

/// `Σ weight·term` modulo the prime.
pub(super) fn weighed_sum<R: Word>(prime: &Prime, weights: &[u64], terms: &[R]) -> u64 {
    let elements: Vec<u64> = terms.iter().map(|term| term.element(prime)).collect();
    prime.dot(weights, &elements)
}
