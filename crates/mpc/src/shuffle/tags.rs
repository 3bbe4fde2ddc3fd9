//! Tags: what rows carry along, so that a change of them shows.
//!
//! A row's tag is `τ = Σ_c κ_c·word_c` for keys `κ_c` that nobody knows until all rows and tags
//! have arrived. Words under XOR have tags in GF(2^64). Numbers modulo 2^k have theirs, and travel
//! themselves, modulo 2^K for `K ≥ k + 64`: their shares are taken as they are for shares modulo
//! 2^K, of some number that is the right one modulo 2^k. In a ring of `k` bits alone, half the keys
//! would give the error 2^(k−1) away and half would not.

use buf::{Buf, Bytes};
use math::gf::{Gf64, rows};
use math::{Column, Group, Ring, X64, Z128, Z192};

use crate::lanes::Lane;
use crate::prss::{Stream, Use};
use crate::share::{Parts, Shared};
use crate::step::Step;

use super::rows::{Seat, lane_bytes};

/// Lanes that share a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Words under XOR, with tags in GF(2^64).
    Words,
    /// Numbers of up to 64 bits, lifted to `Z128`.
    Sums,
    /// Numbers of 128 bits, lifted to `Z192`.
    WideSums,
}

/// Runs `$body` with `$tag` as the type of the family's tags.
macro_rules! with_tag {
    ($family:expr, $tag:ident => $body:expr) => {
        match $family {
            $crate::shuffle::tags::Family::Words => {
                type $tag = math::gf::Gf64;
                $body
            }
            $crate::shuffle::tags::Family::Sums => {
                type $tag = math::Z128;
                $body
            }
            $crate::shuffle::tags::Family::WideSums => {
                type $tag = math::Z192;
                $body
            }
        }
    };
}
pub(crate) use with_tag;

/// What lanes and tags a pass moves: the same at all parties.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Of each lane: whose tag covers it, and its bytes per row.
    lanes: Vec<(Family, usize)>,
    /// The families that have lanes, in order: each has a tag.
    pub(crate) families: Vec<Family>,
}

impl Layout {
    /// Of lanes as [`lifted`] gives them.
    pub(super) fn of(lanes: &[Lane]) -> Self {
        let lanes: Vec<_> = lanes.iter().map(|lane| (family(lane), lane.row_bytes())).collect();
        let families = [Family::Words, Family::Sums, Family::WideSums]
            .into_iter()
            .filter(|family| lanes.iter().any(|(other, _)| other == family))
            .collect();
        Layout { lanes, families }
    }

    pub(super) fn n_lanes(&self) -> usize {
        self.lanes.len()
    }

    /// Lanes of a family: their numbers, and bytes per row.
    fn lanes_of(&self, family: Family) -> impl Iterator<Item = (usize, usize)> {
        let of =
            move |(at, (other, bytes)): (usize, &(Family, usize))| (*other == family).then_some((at, *bytes));
        self.lanes.iter().enumerate().filter_map(of)
    }

    /// Keys of a family: one for each word or number of its rows.
    fn n_keys(&self, family: Family) -> usize {
        let keys = |(_, bytes): (usize, usize)| if family == Family::Words { bytes.div_ceil(8) } else { 1 };
        self.lanes_of(family).map(keys).sum()
    }

    /// Bytes of a share of all keys.
    pub(crate) fn key_bytes(&self) -> usize {
        self.families.iter().map(|family| self.n_keys(*family) * tag_bytes(*family)).sum()
    }

    /// Bytes of a row's tags.
    pub(crate) fn tag_bytes(&self) -> usize {
        self.families.iter().map(|family| tag_bytes(*family)).sum()
    }

    /// Bytes of a row with its tags.
    pub(crate) fn row_bytes(&self) -> usize {
        self.lanes.iter().map(|(_, bytes)| bytes).sum::<usize>() + self.tag_bytes()
    }

    /// Where a family's keys lie among all.
    pub(crate) fn keys<T: Tag>(&self, all: &[u8]) -> Vec<T> {
        let before = self.families.iter().take_while(|family| **family != T::FAMILY);
        let start: usize = before.map(|family| self.n_keys(*family) * tag_bytes(*family)).sum();
        let keys = &all[start..start + self.n_keys(T::FAMILY) * T::BYTES];
        keys.chunks_exact(T::BYTES).map(bytemuck::pod_read_unaligned).collect()
    }

    /// The step of a family's randomness.
    fn step(&self, seat: &Seat, family: Family) -> Step {
        let at = self.families.iter().position(|other| *other == family).expect("a family of the layout");
        seat.lane_step(self.n_lanes() + at)
    }

    /// This party's shares of the keys, one after the other: nobody sends anything.
    pub(super) fn key_shares(&self, seat: &Seat) -> [Vec<u8>; 2] {
        fn share<T: Tag>(seat: &Seat, step: &Step, part: usize, n: usize) -> Vec<u8> {
            seat.roots().0[part].stream(step, Use::TagKey).column::<T>(n).bytes().bytes().to_vec()
        }
        [0, 1].map(|part| {
            let share = |family: &Family| {
                let (step, n) = (self.step(seat, *family), self.n_keys(*family));
                with_tag!(*family, T => share::<T>(seat, &step, part, n))
            };
            self.families.iter().flat_map(share).collect()
        })
    }

    /// Bytes of a column of tags for each family.
    pub(super) fn tags_bytes(&self, n: usize) -> usize {
        self.families.iter().map(|family| lane_bytes(n, tag_bytes(*family))).sum()
    }

    /// This party's message of the product `τ = Σ κ_c·word_c`.
    pub(super) fn product(&self, seat: &Seat, keys: &[Vec<u8>; 2], lanes: &[Lane]) -> Bytes {
        let shares = [0, 1].map(|part| super::rows::shares(lanes, part));
        let mut message = Buf::zeroed(self.tags_bytes(seat.n));
        let mut rest = message.bytes_mut();
        for family in &self.families {
            let n_bytes = seat.n * tag_bytes(*family);
            let (region, tail) = rest.split_at_mut(lane_bytes(seat.n, tag_bytes(*family)));
            with_tag!(*family, T => {
                let out = bytemuck::cast_slice_mut::<u8, T>(&mut region[..n_bytes]);
                self.products::<T>(seat, keys, &shares, out);
            });
            rest = tail;
        }
        message.freeze()
    }

    /// `z_i = (κ_i + κ_{i+1})·x_i + κ_i·x_{i+1}`, and a share of zero.
    fn products<T: Tag>(&self, seat: &Seat, keys: &[Vec<u8>; 2], shares: &[Vec<Bytes>; 2], out: &mut [T]) {
        let [own, next] = keys.each_ref().map(|keys| self.keys::<T>(keys));
        let both: Vec<T> = own.iter().zip(&next).map(|(a, b)| a.plus(*b)).collect();
        let [mine, theirs] = seat.roots().streams(&self.step(seat, T::FAMILY), Use::TagMask);
        Stream::zero_share(&mine, &theirs, out);
        let terms = shares.iter().zip([&both, &own]).flat_map(|(share, keys)| self.terms(share, keys));
        T::add_products(out, &terms.collect::<Vec<_>>());
    }

    /// The lanes of a family with the keys of their words.
    fn terms<'a, T: Tag>(&self, columns: &'a [Bytes], keys: &'a [T]) -> Vec<Term<'a, T>> {
        let mut rest = keys;
        self.lanes_of(T::FAMILY)
            .map(|(at, row_bytes)| {
                let n_keys = if T::FAMILY == Family::Words { row_bytes.div_ceil(8) } else { 1 };
                let (keys, tail) = rest.split_at(n_keys);
                rest = tail;
                Term { column: &columns[at], row_bytes, keys }
            })
            .collect()
    }

    /// `δ = τ − Σ κ_c·word_c` of summands of rows, each given as its columns and then its tags:
    /// zero for the sum of all summands of rows that are as they were.
    pub(crate) fn deltas<T: Tag>(&self, n: usize, keys: &[T], summands: &[&[Bytes]]) -> Column<T> {
        let at = self.families.iter().position(|other| *other == T::FAMILY).expect("a family of the layout");
        let negated: Vec<T> = keys.iter().map(|key| key.negated()).collect();
        Column::build(n, |out: &mut [T]| {
            out.fill(T::ZERO);
            for summand in summands {
                math::kernel::add_into(out, summand[self.n_lanes() + at].as_slice::<T>());
            }
            let terms: Vec<_> = summands.iter().flat_map(|summand| self.terms(summand, &negated)).collect();
            T::add_products(out, &terms);
        })
    }
}

/// Bytes of a family's tag.
pub(super) fn tag_bytes(family: Family) -> usize {
    with_tag!(family, T => T::BYTES)
}

fn family(lane: &Lane) -> Family {
    match lane {
        Lane::X8(_) | Lane::X16(_) | Lane::X32(_) | Lane::X64(_) | Lane::X128(_) => Family::Words,
        Lane::Z192(_) => Family::WideSums,
        Lane::Z8(_) | Lane::Z16(_) | Lane::Z32(_) | Lane::Z64(_) | Lane::Z128(_) => Family::Sums,
    }
}

/// A lane of a family, its bytes per row, and the keys of its words.
pub(crate) struct Term<'a, T> {
    column: &'a Bytes,
    row_bytes: usize,
    keys: &'a [T],
}

/// What tags of one family are.
pub(crate) trait Tag: Group {
    const FAMILY: Family;

    /// `out[row] += Σ κ_c·word_c` over all words of all terms.
    fn add_products(out: &mut [Self], terms: &[Term<'_, Self>]);

    /// A sharing of tags as a lane.
    fn lane(tags: Shared<Self>) -> Lane;
}

/// Rows whose words are widened at a time.
const TILE_ROWS: usize = 512;

impl Tag for Gf64 {
    const FAMILY: Family = Family::Words;

    fn add_products(out: &mut [Self], terms: &[Term<'_, Self>]) {
        let factors: Vec<Gf64> = terms.iter().flat_map(|term| term.keys).copied().collect();
        let mut wide = vec![[Gf64(0); TILE_ROWS]; factors.len()];
        for (tile, out) in out.chunks_mut(TILE_ROWS).enumerate() {
            let rows = tile * TILE_ROWS..tile * TILE_ROWS + out.len();
            let mut places = wide.iter_mut();
            for term in terms {
                let place = places.next().expect("a place for each key");
                match term.row_bytes {
                    1 => widen(place, &term.column.as_slice::<u8>()[rows.clone()]),
                    2 => widen(place, &term.column.as_slice::<u16>()[rows.clone()]),
                    4 => widen(place, &term.column.as_slice::<u32>()[rows.clone()]),
                    16 => {
                        let high = places.next().expect("a place for each key");
                        let words = &term.column.as_slice::<[u64; 2]>()[rows.clone()];
                        for ((place, high), word) in place.iter_mut().zip(high).zip(words) {
                            (*place, *high) = (Gf64(word[0]), Gf64(word[1]));
                        }
                    }
                    // Words of 64 bits are read where they are.
                    _ => {}
                }
            }
            let mut places = wide.iter();
            let mut columns: Vec<&[Gf64]> = Vec::with_capacity(factors.len());
            for term in terms {
                let own = term.keys.len();
                match term.row_bytes {
                    8 => columns.push(&term.column.as_slice()[rows.clone()]),
                    _ => columns.extend(places.clone().take(own).map(|place| &place[..out.len()])),
                }
                places.by_ref().take(own).for_each(drop);
            }
            rows::add_products(out, &factors, &columns);
        }
    }

    fn lane(tags: Shared<Self>) -> Lane {
        let words = |part: &Column<Gf64>| part.map(|tag| X64(tag.0));
        Lane::X64(tags.map_linear(tags.len(), words))
    }
}

fn widen<T: Copy + Into<u64>>(out: &mut [Gf64], words: &[T]) {
    out.iter_mut().zip(words).for_each(|(out, word)| *out = Gf64((*word).into()));
}

impl Tag for Z128 {
    const FAMILY: Family = Family::Sums;

    fn add_products(out: &mut [Self], terms: &[Term<'_, Self>]) {
        for term in terms {
            let key = term.keys[0];
            for (out, x) in out.iter_mut().zip(term.column.as_slice::<Z128>()) {
                *out = out.plus(key.times(*x));
            }
        }
    }

    fn lane(tags: Shared<Self>) -> Lane {
        tags.into()
    }
}

impl Tag for Z192 {
    const FAMILY: Family = Family::WideSums;

    fn add_products(out: &mut [Self], terms: &[Term<'_, Self>]) {
        for term in terms {
            let key = term.keys[0];
            for (out, x) in out.iter_mut().zip(term.column.as_slice::<Z192>()) {
                *out = out.plus(key.times(*x));
            }
        }
    }

    fn lane(tags: Shared<Self>) -> Lane {
        tags.into()
    }
}

/// The tags as lanes, from both messages of their product.
pub(super) fn tag_lanes(layout: &Layout, n: usize, parts: &[Bytes; 2]) -> Vec<Lane> {
    fn lane<T: Tag>(n: usize, start: usize, parts: &[Bytes; 2]) -> Lane {
        let part = |message: &Bytes| Column::of_bytes(message.slice(start..start + n * T::BYTES));
        T::lane(Shared::from_parts(n, Parts::Two(parts.each_ref().map(part))))
    }
    let mut start = 0;
    let lane = |family: &Family| {
        let lane = with_tag!(*family, T => lane::<T>(n, start, parts));
        start += lane_bytes(n, tag_bytes(*family));
        lane
    };
    layout.families.iter().map(lane).collect()
}

/// A lane in the form in which it travels beside tags: numbers in a ring of 64 bits more at least.
pub(super) fn lifted(lane: &Lane) -> Lane {
    fn lift<R: Group, S: Group>(x: &Shared<R>) -> Shared<S>
    where
        Lane: From<Shared<S>>,
    {
        let lift = |part: &Column<R>| part.map(|item| S::from_word(item.word()));
        Shared::from_parts(x.len(), x.parts().map(|_, part| lift(part)))
    }
    match lane {
        Lane::Z8(x) => lift::<_, Z128>(x).into(),
        Lane::Z16(x) => lift::<_, Z128>(x).into(),
        Lane::Z32(x) => lift::<_, Z128>(x).into(),
        Lane::Z64(x) => lift::<_, Z128>(x).into(),
        Lane::Z128(x) => lift::<_, Z192>(x).into(),
        words => words.clone(),
    }
}

/// What has travelled, as the lane that was [`lifted`].
pub(super) fn lowered(travelled: &Lane, like: &Lane) -> Lane {
    fn lower<R: Group, S: Group>(x: &Shared<S>, _: &Shared<R>) -> Shared<R> {
        x.map_linear(x.len(), |part| part.map(|item| R::from_word(item.word())))
    }
    match (travelled, like) {
        (Lane::Z128(x), Lane::Z8(like)) => lower(x, like).into(),
        (Lane::Z128(x), Lane::Z16(like)) => lower(x, like).into(),
        (Lane::Z128(x), Lane::Z32(like)) => lower(x, like).into(),
        (Lane::Z128(x), Lane::Z64(like)) => lower(x, like).into(),
        (Lane::Z192(x), Lane::Z128(like)) => lower(x, like).into(),
        (words, _) => words.clone(),
    }
}
