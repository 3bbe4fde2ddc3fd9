//! Products element by element, and inner products: each is a gate of its own.

use std::ops::Range;

use math::prime::{Prime, Sum, scale_into};
use math::subsets::{LIMB, SubsetSums};
use math::{Column, Group};

use super::operand::{Operand, TILE};
use super::word::Word;
use crate::check::{Form, ProductStep};
use crate::share::Shared;

/// Pairs of a gate whose quotient fits the limbs in which many are added up at a time.
const MAX_SHORT: usize = 1 << 14;

/// Products of which gate `g` is `Σ_t x_t[g]·y_t[g]`, or one gate `Σ_k x[k]·y[k]`.
pub(super) struct Segment<'a, R> {
    /// Which of the step's products.
    rows: Range<usize>,
    pairs: Vec<[&'a Shared<R>; 2]>,
    is_inner: bool,
}

/// The gates of a step; none for a matrix, or rows that moved.
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
        Form::Matrix { .. } | Form::Moved(..) => Vec::new(),
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

    /// `Σ weight·e` modulo the prime, with `e = z − Σ x·y − mask` of each gate, from one part of the
    /// factors: what its holder knows of the products beside the cross terms.
    pub(super) fn left_claim(
        &self,
        part: usize,
        prime: &Prime,
        weights: &[u64],
        z: &Column<R>,
        mask: &Column<R>,
    ) -> u64 {
        let pairs = parts(self, part);
        let [z, mask] = [z, mask].map(|column| &column.items()[self.rows()]);
        if self.is_inner {
            let products = pairs.iter().map(|[x, y]| math::kernel::dot(x, y));
            let term = products.fold(z[0].minus(mask[0]), Group::minus);
            return weighed_sum(prime, weights, &[term]);
        }
        let (mut sum, mut terms) = (0, [R::ZERO; TILE]);
        for first in (0..self.rows.len()).step_by(TILE) {
            let rows = first..self.rows.len().min(first + TILE);
            let terms = &mut terms[..rows.len()];
            for (term, (z, mask)) in terms.iter_mut().zip(z[rows.clone()].iter().zip(&mask[rows.clone()])) {
                *term = z.minus(*mask);
            }
            for [x, y] in &pairs {
                for (term, (x, y)) in terms.iter_mut().zip(x[rows.clone()].iter().zip(&y[rows.clone()])) {
                    *term = term.minus(x.times(*y));
                }
            }
            sum = prime.plus(sum, weighed_sum(prime, &weights[rows], terms));
        }
        sum
    }

    /// Adds each gate's `(Σ x·y' + y·x' − e − f)/2^k` to its subsets' sums: low words, high words.
    ///
    /// What the prover sent makes that a whole number, so that `e`, less than 2^k, is what rounding down
    /// takes off.
    pub(super) fn quotients(&self, f: &[R], selections: &[u64], sums: &mut [SubsetSums; 2]) {
        let pairs: Vec<_> = parts(self, 0).into_iter().zip(parts(self, 1)).collect();
        if self.is_inner || pairs.len() > MAX_SHORT {
            for gate in 0..self.rows.len() {
                let mut terms = R::Terms::default();
                for ([x, y], [x_next, y_next]) in &pairs {
                    let rows = if self.is_inner { 0..x.len() } else { gate..gate + 1 };
                    for k in rows {
                        R::add_product(&mut terms, x[k], y_next[k]);
                        R::add_product(&mut terms, y[k], x_next[k]);
                    }
                }
                let quotient = R::quotient(terms, f[gate]);
                sums.iter_mut().zip(quotient).for_each(|(sums, word)| sums.add(selections[gate], word));
            }
            return;
        }
        let (mut terms, mut limbs) = ([R::Terms::default(); TILE], [[0; TILE]; 4]);
        for first in (0..self.rows.len()).step_by(TILE) {
            let rows = first..self.rows.len().min(first + TILE);
            let n = rows.len();
            for (at, ([x, y], [x_next, y_next])) in pairs.iter().enumerate() {
                let [x, y, x_next, y_next] = [x, y, x_next, y_next].map(|list| &list[rows.clone()]);
                for (k, terms) in terms[..n].iter_mut().enumerate() {
                    let mut sum = if at == 0 { R::Terms::default() } else { *terms };
                    R::add_product(&mut sum, x[k], y_next[k]);
                    R::add_product(&mut sum, y[k], x_next[k]);
                    *terms = sum;
                }
            }
            let [low, low_rest, high, high_rest] = &mut limbs;
            let split = |word: i128| ((word as i64 & ((1 << LIMB) - 1)), (word >> LIMB) as i64);
            for (k, (terms, f)) in terms.iter().zip(&f[rows.clone()]).enumerate() {
                let [first, second] = R::quotient(*terms, *f);
                if R::BITS < 64 {
                    low[k] = first as i64;
                } else {
                    (low[k], low_rest[k]) = split(first);
                    (high[k], high_rest[k]) = split(second);
                }
            }
            let selections = &selections[rows];
            let [low_sums, high_sums] = &mut *sums;
            low_sums.add_all(selections, &low[..n], (R::BITS >= 64).then_some(&low_rest[..n]));
            if R::BITS > 64 {
                high_sums.add_all(selections, &high[..n], Some(&high_rest[..n]));
            }
        }
    }

    /// Adds `w·x ‖ w·y` of each pair to the left operand.
    pub(super) fn left_operand(&self, part: usize, prime: &Prime, weights: &[u64], out: &mut impl Operand) {
        for list in parts(self, part).as_flattened() {
            let (mut words, mut inner) = ([0; TILE], [0; TILE]);
            if self.is_inner {
                inner.fill(weights[0]);
            }
            for first in (0..list.len()).step_by(TILE) {
                let items = &list[first..list.len().min(first + TILE)];
                let words = &mut words[..items.len()];
                R::words(prime, items, words);
                let weights = if self.is_inner { &inner[..] } else { &weights[first..] };
                out.extend(items.len(), |out| scale_into(prime, out, &weights[..items.len()], words));
            }
        }
    }

    /// Adds `y' ‖ x'` of each pair to the right operand.
    pub(super) fn right_operand(&self, part: usize, prime: &Prime, out: &mut impl Operand) {
        for [x, y] in parts(self, part) {
            for list in [y, x] {
                for items in list.chunks(TILE) {
                    out.extend(items.len(), |out| R::elements(prime, items, out));
                }
            }
        }
    }
}

/// `Σ weight·term` modulo the prime.
pub(super) fn weighed_sum<R: Word>(prime: &Prime, weights: &[u64], terms: &[R]) -> u64 {
    let (mut sum, mut words) = (Sum::default(), [0; TILE]);
    for (weights, terms) in weights.chunks(TILE).zip(terms.chunks(TILE)) {
        let words = &mut words[..terms.len()];
        R::words(prime, terms, words);
        sum.add_products(weights, words);
    }
    prime.total(sum)
}
