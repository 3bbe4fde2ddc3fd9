//! The two vectors whose inner product a proof is about, as they are made: kept, or folded at once.

use math::prime::{Pair, PairVec, Prime, Sum};

use super::shape::{ROWS, Shape};

/// Elements made at a time.
const TILE: usize = 512;

/// A vector that grows at its end.
pub(super) trait Operand {
    fn push(&mut self, elements: &[u64]);

    /// Adds `f` of each number below `n`.
    #[inline(always)]
    fn extend(&mut self, n: usize, f: impl Fn(usize) -> u64) {
        let mut tile = [0; TILE];
        for first in (0..n).step_by(TILE) {
            let tile = &mut tile[..TILE.min(n - first)];
            tile.iter_mut().enumerate().for_each(|(at, out)| *out = f(first + at));
            self.push(tile);
        }
    }
}

impl Operand for Vec<u64> {
    fn push(&mut self, elements: &[u64]) {
        self.extend_from_slice(elements);
    }
}

/// A vector of which nothing is kept but its fold at all points.
pub(super) struct Folded<'a> {
    prime: &'a Prime,
    /// With what the elements of a row are multiplied.
    weights: PairVec,
    sums: [[Sum; 2]; ROWS],
    row: usize,
    at: usize,
}

impl<'a> Folded<'a> {
    /// `points` are those of the rounds after the first, as weights.
    pub(super) fn new(prime: &'a Prime, shape: Shape, points: &[Pair]) -> Self {
        let weights = PairVec::fold_weights(prime, shape.row_len(), points);
        Folded { prime, weights, sums: Default::default(), row: 0, at: 0 }
    }

    /// The fold, for the first round's weights of rows.
    pub(super) fn total(&self, of_rows: &[Pair; ROWS]) -> Pair {
        let prime = self.prime;
        self.sums.iter().zip(of_rows).fold(Pair::default(), |total, (sums, weight)| {
            let [re, im] = sums.map(|sum| prime.total(sum));
            total.plus(prime, weight.times(prime, Pair { re, im }))
        })
    }
}

impl Operand for Folded<'_> {
    fn push(&mut self, mut elements: &[u64]) {
        while !elements.is_empty() {
            if self.at == self.weights.len() {
                (self.row, self.at) = (self.row + 1, 0);
            }
            let n = elements.len().min(self.weights.len() - self.at);
            let (now, later) = elements.split_at(n);
            self.weights.as_slice().part(self.at, n).add_products(now, &mut self.sums[self.row]);
            self.at += n;
            elements = later;
        }
    }
}

/// The weights of eight rows in a fold at three points, themselves weights: the first point
/// belongs to the lowest bit of a row's number.
pub(super) fn row_weights(prime: &Prime, points: &[Pair]) -> [Pair; ROWS] {
    let one = Pair::from(prime.weight(1));
    std::array::from_fn(|row| {
        points.iter().enumerate().fold(one, |weight, (bit, point)| {
            let factor = if row >> bit & 1 == 1 { *point } else { one.minus(prime, *point) };
            weight.times(prime, factor)
        })
    })
}
