//! A batch from the left and from the right: the vectors that a side knows, and its terms of the
//! claim `⟨u, v⟩ = T_L + T_R`.

use std::sync::Arc;

use buf::{Buf, Bytes};
use math::gf::{Gf64, Gf128, inner_product, rows};
use math::{Group, X8};

use super::proof::Shape;
use super::transcript::Weights;
use crate::check::rounds::Transcript;
use crate::shuffle::stages::Pass;

/// Rows whose words are widened at a time.
const TILE: usize = 512;

/// The two vectors of the claim: the left verifier knows `u`, the right one `v`.
#[derive(Clone, Copy)]
pub(super) enum Vector {
    U,
    V,
}

/// A vector and the terms beside it.
pub(super) struct Side {
    pub(super) vector: Vector,
    elements: Buf,
    pub(super) claim: Gf128,
}

/// What a side is made of.
struct Part<'a> {
    pass: &'a Pass,
    weights: &'a Weights,
    /// `κ`, one for each word.
    keys: Vec<Gf64>,
    /// The number of the first weight: rows to the right come first.
    first: usize,
}

/// Rows of one of a prover's two messages of a pass.
#[derive(Clone, Copy)]
enum Way {
    Right,
    Left,
}

impl Side {
    /// What `P` and `L` know of the proof of the party that is `part` further than this one. A verifier
    /// has terms of the claim.
    pub(super) fn left(passes: &[Arc<Pass>], shape: Shape, transcript: &Transcript, part: usize) -> Self {
        Self::of(Vector::U, passes, shape, transcript, |batch, [first, second]| {
            // K_i, its factor and masks; K_{i+1}.
            let (own, next) = (part, batch.key(part + 1));
            batch.move_weights(own, Way::Right, first);
            batch.hash(|lane| batch.pass.before(next, part, lane).clone(), second);
            if part == 0 {
                return Gf128::ZERO;
            }
            let masks = batch.claim(Way::Right, |lane| batch.masks(own, true, lane));
            masks.plus(batch.claim(Way::Left, |lane| batch.pass.after(next, part, lane).clone()))
        })
    }

    /// What `P` and `R` know of the proof of the party before the one that is `part` further than this
    /// one.
    pub(super) fn right(passes: &[Arc<Pass>], shape: Shape, transcript: &Transcript, part: usize) -> Self {
        Self::of(Vector::V, passes, shape, transcript, |batch, [first, second]| {
            // K_i; K_{i+1}, its factor and masks.
            let (own, next) = (batch.key(part + 2), part);
            batch.hash(|lane| batch.pass.before(own, part, lane).clone(), first);
            batch.move_weights(next, Way::Left, second);
            if part == 1 {
                return Gf128::ZERO;
            }
            let masks = batch.claim(Way::Left, |lane| batch.masks(next, false, lane));
            masks.plus(batch.claim(Way::Right, |lane| batch.pass.after(own, part, lane).clone()))
        })
    }

    /// For each pass, the elements of the rows that go right and of those that go left.
    fn of(
        vector: Vector,
        passes: &[Arc<Pass>],
        shape: Shape,
        transcript: &Transcript,
        write: impl Fn(&Part<'_>, [&mut [Gf128]; 2]) -> Gf128,
    ) -> Self {
        let weights = &Weights::of(transcript);
        let mut elements = Buf::stale(shape.n_elements * size_of::<Gf128>());
        let (mut rest, mut claim) = (elements.as_mut_slice::<Gf128>(), Gf128::ZERO);
        let (mut first, mut first_word) = (0, 0);
        for pass in passes {
            let n_words: usize = pass.words().map(|lane| pass.lanes[lane].row_bytes.div_ceil(8)).sum();
            let part = Part { pass, weights, keys: weights.of_words(first_word, n_words), first };
            let (out, others) = rest.split_at_mut(2 * pass.n);
            claim = claim.plus(write(&part, out.split_at_mut(pass.n).into()));
            (first, first_word) = (first + 2 * pass.n, first_word + n_words.next_multiple_of(2));
            rest = others;
        }
        rest.fill(Gf128::ZERO);
        Side { vector, elements, claim }
    }

    pub(super) fn elements(&mut self) -> &mut [Gf128] {
        self.elements.as_mut_slice()
    }
}

impl Part<'_> {
    fn key(&self, slot: usize) -> usize {
        (self.pass.index() + slot) % 3
    }

    /// The masks of a lane, as they lie in memory.
    fn masks(&self, slot: usize, is_first: bool, lane: usize) -> Bytes {
        fn of<G: Group>(part: &Part<'_>, slot: usize, is_first: bool, lane: usize) -> Bytes {
            part.pass.masks::<G>(slot, is_first, lane).bytes().clone()
        }
        match self.pass.lanes[lane].row_bytes {
            1 => of::<X8>(self, slot, is_first, lane),
            2 => of::<math::X16>(self, slot, is_first, lane),
            4 => of::<math::X32>(self, slot, is_first, lane),
            8 => of::<math::X64>(self, slot, is_first, lane),
            _ => of::<math::X128>(self, slot, is_first, lane),
        }
    }

    /// The weights of some rows of a message.
    fn of_rows(&self, way: Way, first: usize, out: &mut [Gf128]) {
        let before = match way {
            Way::Right => 0,
            Way::Left => self.pass.n,
        };
        self.weights.of_rows(self.first + before + first, out);
    }

    /// The weight of each row before a stage: that of the row to which the factor of the key in a slot
    /// brings it.
    fn move_weights(&self, slot: usize, way: Way, out: &mut [Gf128]) {
        let mut weights = [Gf128(0); TILE];
        for (tile, from) in self.pass.factor(slot).chunks(TILE).enumerate() {
            let weights = &mut weights[..from.len()];
            self.of_rows(way, tile * TILE, weights);
            weights.iter().zip(from).for_each(|(weight, from)| out[*from as usize] = *weight);
        }
    }

    /// `Σ γ·h(row)`.
    fn claim(&self, way: Way, column: impl Fn(usize) -> Bytes) -> Gf128 {
        let (mut weights, mut claim) = ([Gf128(0); TILE], Gf128::ZERO);
        self.hashed(column, |first, sums| {
            let weights = &mut weights[..sums.len()];
            self.of_rows(way, first, weights);
            claim = claim.plus(inner_product(weights, sums));
        });
        claim
    }

    /// `h` of each row.
    fn hash(&self, column: impl Fn(usize) -> Bytes, out: &mut [Gf128]) {
        self.hashed(column, |first, sums| out[first..first + sums.len()].copy_from_slice(sums));
    }

    /// Gives `h` of the rows of the lanes of words to `use_them`, some at a time, from a first one on.
    fn hashed(&self, column: impl Fn(usize) -> Bytes, mut use_them: impl FnMut(usize, &[Gf128])) {
        let columns: Vec<(Bytes, usize)> =
            self.pass.words().map(|lane| (column(lane), self.pass.lanes[lane].row_bytes)).collect();
        let mut wide = vec![[Gf64(0); TILE]; self.keys.len()];
        let (mut sums, mut elements) = ([Gf64(0); TILE], [Gf128(0); TILE]);
        for first in (0..self.pass.n).step_by(TILE) {
            let rows = first..self.pass.n.min(first + TILE);
            let n = rows.len();
            let mut places = wide.iter_mut();
            for (column, row_bytes) in &columns {
                let place = places.next().expect("a place for each word");
                match row_bytes {
                    1 => widen(place, &column.as_slice::<u8>()[rows.clone()]),
                    2 => widen(place, &column.as_slice::<u16>()[rows.clone()]),
                    4 => widen(place, &column.as_slice::<u32>()[rows.clone()]),
                    8 => widen(place, &column.as_slice::<u64>()[rows.clone()]),
                    _ => {
                        let high = places.next().expect("a place for each word");
                        let words = &column.as_slice::<[u64; 2]>()[rows.clone()];
                        for ((place, high), word) in place.iter_mut().zip(high).zip(words) {
                            (*place, *high) = (Gf64(word[0]), Gf64(word[1]));
                        }
                    }
                }
            }
            let columns: Vec<&[Gf64]> = wide.iter().map(|place| &place[..n]).collect();
            sums[..n].fill(Gf64(0));
            rows::add_products(&mut sums[..n], &self.keys, &columns);
            elements.iter_mut().zip(sums).for_each(|(out, sum)| *out = Gf128(sum.0.into()));
            use_them(first, &elements[..n]);
        }
    }
}

fn widen<T: Copy + Into<u64>>(out: &mut [Gf64], words: &[T]) {
    out.iter_mut().zip(words).for_each(|(out, word)| *out = Gf64((*word).into()));
}
