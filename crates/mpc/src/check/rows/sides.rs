//! A batch from the left and from the right: the vectors that a side knows, and its terms of the
//! claim `⟨u, v⟩ = T_L + T_R`.

use std::sync::Arc;

use buf::{Buf, Bytes};
use math::gf::vectors::pair_sums;
use math::gf::{Gf64, Gf128, rows};
use math::{Group, X8};

use super::proof::Shape;
use super::transcript::{Transcript, Weights};
use crate::shuffle::stages::Pass;

/// Rows whose words are widened at a time.
const TILE: usize = 512;

/// A vector and the terms beside it.
pub(super) struct Side {
    elements: Buf,
    pub(super) claim: Gf128,
}

/// What a side is made of.
struct Part<'a> {
    pass: &'a Pass,
    /// `κ`, one for each word.
    keys: Vec<Gf64>,
}

impl Side {
    /// What `P` and `L` know of the proof of the party that is `part` further than this one. A verifier
    /// has terms of the claim.
    pub(super) fn left(passes: &[Arc<Pass>], shape: Shape, transcript: &Transcript, part: usize) -> Self {
        Self::of(passes, shape, transcript, |batch, [to_right, to_left], [first, second]| {
            // K_i, its factor and masks; K_{i+1}.
            let (own, next) = (part, batch.key(part + 1));
            batch.move_weights(own, to_right, first);
            batch.hash(|lane| batch.pass.before(next, part, lane).clone(), second);
            if part == 0 {
                return Gf128::ZERO;
            }
            let masks = |lane| batch.masks(own, true, lane);
            let message = |lane| batch.pass.after(next, part, lane).clone();
            batch.claim(to_right, masks).plus(batch.claim(to_left, message))
        })
    }

    /// What `P` and `R` know of the proof of the party before the one that is `part` further than this
    /// one.
    pub(super) fn right(passes: &[Arc<Pass>], shape: Shape, transcript: &Transcript, part: usize) -> Self {
        Self::of(passes, shape, transcript, |batch, [to_right, to_left], [first, second]| {
            // K_i; K_{i+1}, its factor and masks.
            let (own, next) = (batch.key(part + 2), part);
            batch.hash(|lane| batch.pass.before(own, part, lane).clone(), first);
            batch.move_weights(next, to_left, second);
            if part == 1 {
                return Gf128::ZERO;
            }
            let message = |lane| batch.pass.after(own, part, lane).clone();
            let masks = |lane| batch.masks(next, false, lane);
            batch.claim(to_right, message).plus(batch.claim(to_left, masks))
        })
    }

    /// For each pass: weights of the rows to the right and to the left, and the elements of both.
    fn of(
        passes: &[Arc<Pass>],
        shape: Shape,
        transcript: &Transcript,
        write: impl Fn(&Part<'_>, [&[Gf128]; 2], [&mut [Gf128]; 2]) -> Gf128,
    ) -> Self {
        let mut weights = Weights::of(transcript);
        let mut elements = Buf::stale(shape.n_elements * size_of::<Gf128>());
        let (mut rest, mut claim) = (elements.as_mut_slice::<Gf128>(), Gf128::ZERO);
        for pass in passes {
            let n_words = pass.words().map(|lane| pass.lanes[lane].row_bytes.div_ceil(8)).sum();
            let part = Part { pass, keys: weights.of_words(n_words) };
            let mut of_rows = Buf::stale(2 * pass.n * size_of::<Gf128>());
            weights.of_rows(of_rows.as_mut_slice());
            let (to_right, to_left) = of_rows.as_slice::<Gf128>().split_at(pass.n);
            let (out, others) = rest.split_at_mut(2 * pass.n);
            let (first, second) = out.split_at_mut(pass.n);
            claim = claim.plus(write(&part, [to_right, to_left], [first, second]));
            rest = others;
        }
        rest.fill(Gf128::ZERO);
        Side { elements, claim }
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

    /// The weight of each row before a stage: that of the row to which the factor of the key in a slot
    /// brings it.
    fn move_weights(&self, slot: usize, weights: &[Gf128], out: &mut [Gf128]) {
        for (weight, from) in weights.iter().zip(self.pass.factor(slot)) {
            out[*from as usize] = *weight;
        }
    }

    /// `Σ γ·h(row)`.
    fn claim(&self, weights: &[Gf128], column: impl Fn(usize) -> Bytes) -> Gf128 {
        let mut hashed = Buf::stale(weights.len() * size_of::<Gf128>());
        self.hash(column, hashed.as_mut_slice());
        pair_sums([weights, &[]], [hashed.as_slice(), &[]])[0]
    }

    /// `h` of each row of the lanes of words.
    fn hash(&self, column: impl Fn(usize) -> Bytes, out: &mut [Gf128]) {
        let columns: Vec<(Bytes, usize)> =
            self.pass.words().map(|lane| (column(lane), self.pass.lanes[lane].row_bytes)).collect();
        let mut wide = vec![[Gf64(0); TILE]; self.keys.len()];
        let mut sums = [Gf64(0); TILE];
        for (tile, out) in out.chunks_mut(TILE).enumerate() {
            let rows = tile * TILE..tile * TILE + out.len();
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
            let columns: Vec<&[Gf64]> = wide.iter().map(|place| &place[..out.len()]).collect();
            let sums = &mut sums[..out.len()];
            sums.fill(Gf64(0));
            rows::add_products(sums, &self.keys, &columns);
            out.iter_mut().zip(sums).for_each(|(out, sum)| *out = Gf128(sum.0.into()));
        }
    }
}

fn widen<T: Copy + Into<u64>>(out: &mut [Gf64], words: &[T]) {
    out.iter_mut().zip(words).for_each(|(out, word)| *out = Gf64((*word).into()));
}
