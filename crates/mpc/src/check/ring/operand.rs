//! The two vectors whose inner product a proof is about, as they are made: kept, or folded at once.

use buf::Buf;
use math::prime::{Pair, PairVec, Prime, Sum};

use super::shape::{ROWS, Shape};

/// The most elements made at a time.
pub(super) const TILE: usize = 512;

/// Rounds after the first whose points are left out of the weights that a vector is folded with: the
/// weights stay in cache, and cost little.
const LATE: usize = 4;

/// A vector that grows at its end.
pub(super) trait Operand {
    fn push(&mut self, elements: &[u64]);

    /// Adds the `n` elements that `write` writes.
    fn extend(&mut self, n: usize, write: impl FnOnce(&mut [u64])) {
        let mut tile = [0; TILE];
        write(&mut tile[..n]);
        self.push(&tile[..n]);
    }
}

/// A vector that is kept, in pooled memory.
pub(super) struct Kept {
    words: Buf,
    n: usize,
}

impl Kept {
    pub(super) fn new(shape: Shape) -> Self {
        Kept { words: Buf::stale(8 * ROWS * shape.row_len()), n: 0 }
    }

    /// All of it, zeros after the last element.
    pub(super) fn ended(mut self) -> Buf {
        self.words.as_mut_slice::<u64>()[self.n..].fill(0);
        self.words
    }
}

impl Operand for Kept {
    fn push(&mut self, elements: &[u64]) {
        self.words.as_mut_slice()[self.n..][..elements.len()].copy_from_slice(elements);
        self.n += elements.len();
    }

    fn extend(&mut self, n: usize, write: impl FnOnce(&mut [u64])) {
        write(&mut self.words.as_mut_slice()[self.n..][..n]);
        self.n += n;
    }
}

/// A vector of which nothing is kept but its fold at all points.
pub(super) struct Folded<'a> {
    prime: &'a Prime,
    /// With what the elements of a stretch are multiplied: the stretch's own weight comes last.
    weights: PairVec,
    /// A row's stretches, which the first rounds fold together: where each ends, and its weight.
    stretches: Vec<(usize, Pair)>,
    /// By row and stretch.
    sums: Vec<[Sum; 2]>,
    row: usize,
    stretch: usize,
    at: usize,
}

impl<'a> Folded<'a> {
    /// `points` are those of the rounds after the first, as weights.
    pub(super) fn new(prime: &'a Prime, shape: Shape, points: &[Pair]) -> Self {
        let (late, early) = points.split_at(points.len().min(LATE));
        let mut stretches = vec![(shape.row_len(), Pair::from(prime.weight(1)))];
        for point in late {
            // The first half, the longer if they differ, and the second.
            let half = stretches[0].0.div_ceil(2);
            let one = Pair::from(prime.weight(1));
            let split = stretches.iter().flat_map(|(n, weight)| {
                let [first, second] = [one.minus(prime, *point), *point].map(|x| x.times(prime, *weight));
                [((*n).min(half), first), (n.saturating_sub(half), second)]
            });
            stretches = split.collect();
        }
        let weights = PairVec::fold_weights(prime, stretches[0].0, early);
        let sums = vec![Default::default(); ROWS * stretches.len()];
        Folded { prime, weights, stretches, sums, row: 0, stretch: 0, at: 0 }
    }

    /// The fold, for the first round's weights of rows.
    pub(super) fn total(&self, of_rows: &[Pair; ROWS]) -> Pair {
        let prime = self.prime;
        let of_row = |sums: &[[Sum; 2]]| {
            self.stretches.iter().zip(sums).fold(Pair::default(), |total, ((_, weight), sums)| {
                let [re, im] = sums.map(|sum| prime.total(sum));
                total.plus(prime, weight.times(prime, Pair { re, im }))
            })
        };
        let rows = self.sums.chunks(self.stretches.len()).zip(of_rows);
        rows.fold(Pair::default(), |total, (sums, weight)| {
            total.plus(prime, weight.times(prime, of_row(sums)))
        })
    }
}

impl Operand for Folded<'_> {
    fn push(&mut self, mut elements: &[u64]) {
        while !elements.is_empty() {
            while self.at == self.stretches[self.stretch].0 {
                (self.stretch, self.at) = (self.stretch + 1, 0);
                if self.stretch == self.stretches.len() {
                    (self.row, self.stretch) = (self.row + 1, 0);
                }
            }
            let n = elements.len().min(self.stretches[self.stretch].0 - self.at);
            let (now, later) = elements.split_at(n);
            let sums = &mut self.sums[self.row * self.stretches.len() + self.stretch];
            self.weights.as_slice().part(self.at, n).add_products(now, sums);
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
