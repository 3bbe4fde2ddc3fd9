//! The gates of a batch as lines of 512, equally at all parties.
//!
//! Whole lines of recorded planes stay where they are. The last rows of each
//! plane are packed behind one another, in places that start on a power of two
//! of bits. Bits past a plane's last row mean nothing and are left out.

use std::ops::Range;

use buf::Buf;
use math::gf::lines::{LINE_BITS, Line, WeighedSum, Weight, weigh_rest, weigh_sums};
use math::kernel::{xor_of, xor_words};
use net::LinkProfile;

use super::segment::{Piece, Places, Segment, Source, Unit, ZEROS};
use super::shape::{Factor, Kind, LineCounts, MAX_UNIT, Shape};
use crate::bits::SharedBits;
use crate::check::AndStep;
use crate::prss::{Masks, Root, Use};
use crate::rep3;

/// One operand of all gates: the lines of each kind, from a block of its own on.
pub(super) struct Lines<'a> {
    shape: Shape,
    segments: Vec<(usize, Segment<'a>)>,
    /// Where each unit is: they are read several times.
    units: Vec<Unit<'a>>,
}

/// All of them, in the order of their blocks.
const KINDS: [Kind; 5] = [Kind::Single, Kind::FirstTerm, Kind::FirstTwin, Kind::SecondTwin, Kind::SecondTerm];

impl<'a> Lines<'a> {
    /// Part `part` of factors, as the party with the share `index` holds them.
    pub(super) fn factors(
        batch: &[&'a AndStep],
        factor: Factor,
        index: usize,
        part: usize,
        shape: Shape,
    ) -> Self {
        let is_third = (index + part) % 3 == 2;
        let piece = |(and, x, y): (&'a AndStep, &'a SharedBits, &'a SharedBits)| {
            let (side, is_zero) = match factor {
                Factor::Left => (x, is_third),
                Factor::Right => (y, !is_third),
            };
            Piece {
                n_rows: and.z.n_rows(),
                width: rep3::n_pairs(x, y),
                source: match and.is_apart && is_zero {
                    true => Source::Zeros,
                    false => Source::Planes(&side.parts().as_slice()[part]),
                },
                first: 0,
                is_repeated: side.width() == 1,
            }
        };
        Self::placed(shape, |kind| Segment::gather(products(batch, kind, shape).map(piece)))
    }

    /// The second parts of the products.
    pub(super) fn z_next(batch: &[&'a AndStep], shape: Shape) -> Self {
        Self::of_products(batch, batch.iter().map(|and| Source::Planes(&and.z.parts().as_slice()[1])), shape)
    }

    /// The masks of the products.
    pub(super) fn masks(batch: &[&AndStep], masks: &'a [Masks], shape: Shape) -> Self {
        let source = |masks: &'a Masks| match masks {
            Masks::Drawn(masks) => Source::Drawn(masks),
            Masks::There(planes) => Source::Planes(planes),
        };
        Self::of_products(batch, masks.iter().map(source), shape)
    }

    /// Planes of the products' shapes.
    fn of_products(
        batch: &[&AndStep],
        sources: impl Iterator<Item = Source<'a>> + Clone,
        shape: Shape,
    ) -> Self {
        Self::placed(shape, |kind| {
            let steps = batch.iter().copied().zip(sources.clone());
            Segment::gather(steps.flat_map(|(and, source)| {
                let n_rows = and.z.n_rows();
                ranges(and, kind, shape).into_iter().map(move |range| Piece::of(source, n_rows, range))
            }))
        })
    }

    /// All planes, one behind the other.
    #[cfg(test)]
    pub(super) fn of_planes(planes: &'a [math::Planes], shape: Shape) -> Self {
        let piece =
            |planes: &'a math::Planes| Piece::of(Source::Planes(planes), planes.n_rows(), 0..planes.width());
        Self::found(shape, vec![(0, Segment::gather(planes.iter().map(piece)))])
    }

    /// No planes.
    #[cfg(test)]
    pub(super) fn zeros(shape: Shape) -> Self {
        Self::found(shape, vec![(0, Segment::gather(std::iter::empty()))])
    }

    fn placed(shape: Shape, segment: impl Fn(Kind) -> Segment<'a>) -> Self {
        let kinds = KINDS.into_iter().filter(|kind| !shape.blocks(*kind).is_empty());
        let segments =
            kinds.map(|kind| (shape.blocks(kind).start * shape.block_lines(), segment(kind))).collect();
        Self::found(shape, segments)
    }

    fn found(shape: Shape, segments: Vec<(usize, Segment<'a>)>) -> Self {
        let n_units = shape.n_blocks() * shape.block_units();
        let mut units = Vec::with_capacity(n_units);
        let ends = segments.iter().skip(1).map(|(start, _)| start / shape.unit_lines()).chain([n_units]);
        for ((_, segment), end) in segments.iter().zip(ends) {
            let n = end - units.len();
            units.extend(segment.units(0, shape.unit_lines()).take(n));
        }
        Lines { shape, segments, units }
    }

    /// The lines of a block, in one piece or in two halves: each in place if it lies together, else
    /// in `space`.
    pub(super) fn pieces<'b>(&'b self, block: usize, space: &'b mut [Line]) -> [&'b [Line]; 2] {
        let (first, n) = (block * self.shape.block_units(), self.shape.block_units());
        let (low, high) = space.split_at_mut(self.shape.unit_lines());
        [self.unit(first, low), if n == 1 { &[] } else { self.unit(first + 1, high) }]
    }

    /// What of a block lies in place, to be fetched before it is read: a hint.
    pub(super) fn ahead(&self, block: usize) -> [&'a [Line]; 2] {
        let mut ahead = [&[][..]; 2];
        if block < self.shape.n_blocks() {
            ahead.iter_mut().zip(self.units_of(block)).for_each(|(ahead, unit)| *ahead = unit.in_place());
        }
        ahead
    }

    /// Whether a block is known to be zeros, whatever the shares are.
    pub(super) fn are_zeros(&self, block: usize) -> bool {
        self.units_of(block).iter().all(|unit| matches!(unit, Unit::Zeros))
    }

    fn units_of(&self, block: usize) -> &[Unit<'a>] {
        let n = self.shape.block_units();
        &self.units[block * n..(block + 1) * n]
    }

    /// The lines of a unit: in place if they lie together, else in `space`.
    fn unit<'b>(&'b self, at: usize, space: &'b mut [Line]) -> &'b [Line] {
        match self.units[at] {
            Unit::InPlace(lines) => lines,
            Unit::Zeros => &ZEROS[..space.len()],
            Unit::Drawn(..) | Unit::Scattered => {
                self.read(at, space);
                space
            }
        }
    }

    /// Writes the lines of a unit.
    fn read(&self, at: usize, out: &mut [Line]) {
        match self.units[at] {
            Unit::InPlace(lines) => out.copy_from_slice(lines),
            Unit::Zeros => out.fill([0; 8]),
            Unit::Drawn(masks, first) => masks.read(first, out.as_flattened_mut()),
            Unit::Scattered => {
                let (first, segment) = self.segment(at);
                segment.read(first, out);
            }
        }
    }

    /// The lines of a unit to be read next, if they lie together.
    fn next(&self, at: usize) -> &'a [Line] {
        self.units.get(at).map_or(&[], |unit| unit.in_place())
    }

    /// The segment that a unit lies in, and its first line there.
    fn segment(&self, unit: usize) -> (usize, &Segment<'a>) {
        let first = unit * self.shape.unit_lines();
        let at = self.segments.partition_point(|(start, _)| *start <= first) - 1;
        let (start, segment) = &self.segments[at];
        (first - start, segment)
    }
}

/// Room for so many lines, aligned as recorded ones are.
pub(super) fn space(n_lines: usize) -> Buf {
    Buf::stale(n_lines * size_of::<Line>())
}

/// A prover's operand, the sum of both parts of factors: the lines of all blocks.
pub(super) fn operand([left, right]: [Lines<'_>; 2]) -> Buf {
    let mut lines = space(left.shape.n_blocks() * left.shape.block_lines());
    let units = lines.as_mut_slice::<Line>().chunks_mut(left.shape.unit_lines());
    for (at, out) in units.enumerate() {
        match (left.units[at], right.units[at]) {
            (Unit::InPlace(left), Unit::InPlace(right)) => {
                xor_of(out.as_flattened_mut(), left.as_flattened(), right.as_flattened(), 0);
            }
            (Unit::Zeros, _) => right.read(at, out),
            (_, Unit::Zeros) => left.read(at, out),
            _ => {
                left.read(at, out);
                let mut space = [[0; 8]; MAX_UNIT];
                let right = right.unit(at, &mut space[..out.len()]);
                xor_words(out.as_flattened_mut(), right.as_flattened());
            }
        }
    }
    lines
}

/// A verifier's summand of the products, `e` or `f`.
pub(super) enum Summand<'a> {
    /// `z ⊕ f`, for `[z, f]`.
    Sums([Lines<'a>; 2]),
    /// `x ∧ y ⊕ f`, for `[x, y]` and `f`, and `x ∧ y` of second terms where first ones are.
    Rest(&'a [Lines<'a>; 2], Lines<'a>),
}

impl Summand<'_> {
    /// Adds the lines of a unit times `weight`. `space` holds three times as many.
    pub(super) fn weigh(&self, unit: usize, weight: Weight, sums: &mut [WeighedSum], space: &mut [Line]) {
        let n = sums.len();
        let mut thirds = space.chunks_exact_mut(n);
        let [a, b, c] = std::array::from_fn(|_| thirds.next().expect("three of them"));
        match self {
            Summand::Sums(lines) => {
                let ahead = lines.each_ref().map(|lines| lines.next(unit + 1));
                let [z, f] = lines;
                weigh_sums(sums, [z.unit(unit, a), f.unit(unit, b)], weight, ahead);
            }
            Summand::Rest([x, y], f) => {
                let ahead = [x, y, f].map(|lines| lines.next(unit + 1));
                weigh_rest(sums, [x.unit(unit, a), y.unit(unit, b), f.unit(unit, c)], weight, ahead);
                let units = |kind| {
                    let Range { start, end } = x.shape.blocks(kind);
                    start * x.shape.block_units()..end * x.shape.block_units()
                };
                let first_terms = units(Kind::FirstTerm);
                if first_terms.contains(&unit) {
                    let second = units(Kind::SecondTerm).start + unit - first_terms.start;
                    let (x, y) = (x.unit(second, a), y.unit(second, b));
                    weigh_rest(sums, [x, y, &ZEROS[..n]], weight, [&[]; 3]);
                }
            }
        }
    }
}

/// What a party proves of a batch.
pub(super) fn of_prover(batch: &[AndStep], prover: usize) -> Vec<&AndStep> {
    batch.iter().filter(|and| and.provers[prover]).collect()
}

/// The sizes of a prover's proof of these steps.
pub(super) fn shape(batch: &[&AndStep], link: &LinkProfile) -> Shape {
    let over = |splits_twins| {
        let n_lines = n_lines(batch, splits_twins);
        // Who has nothing to prove proves a line of zeros.
        let single = if n_lines.total() == 0 { 1 } else { n_lines.single };
        Shape::over(LineCounts { single, ..n_lines }, link)
    };
    let shape = over(true);
    if shape.is_worth_twins() { shape } else { over(false) }
}

/// The number of lines that a batch fills with each kind: with twins, if they count as such.
fn n_lines(batch: &[&AndStep], splits_twins: bool) -> LineCounts {
    let (mut whole, mut places) = ([0; KINDS.len()], [(); KINDS.len()].map(|()| Places::default()));
    for and in batch {
        let n_rows = and.z.n_rows();
        for (at, (x, y)) in and.pairs.iter().enumerate() {
            let kind = match kind_of(and, at) {
                Kind::FirstTwin | Kind::SecondTwin if !splits_twins => Kind::Single,
                kind => kind,
            } as usize;
            let width = rep3::n_pairs(x, y);
            whole[kind] += n_rows / LINE_BITS * width;
            for _ in 0..width {
                places[kind].take(n_rows % LINE_BITS);
            }
        }
    }
    let lines = |kind: Kind| whole[kind as usize] + places[kind as usize].n_lines();
    LineCounts { single: lines(Kind::Single), sums: lines(Kind::FirstTerm), twins: lines(Kind::FirstTwin) }
}

/// What kind of gates a pair's are.
fn kind_of(and: &AndStep, pair: usize) -> Kind {
    match pair {
        _ if pair + and.second.len() >= and.pairs.len() => Kind::FirstTerm,
        _ if and.twins.contains(&pair) => Kind::SecondTwin,
        _ if and.twins.contains(&(pair + 1)) => Kind::FirstTwin,
        _ => Kind::Single,
    }
}

/// The planes of a step's products of one kind.
fn ranges(and: &AndStep, kind: Kind, shape: Shape) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for (at, (x, y)) in and.pairs.iter().enumerate() {
        let end = start + rep3::n_pairs(x, y);
        if shape.placed(kind_of(and, at)) == kind {
            match ranges.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ => ranges.push(start..end),
            }
        }
        start = end;
    }
    ranges
}

/// The masks with which one key hid the products of each step.
pub(super) fn masks(batch: &[&AndStep], root: &Root) -> Vec<Masks> {
    let masks = |and: &AndStep| root.stream(&and.step, Use::Mask).masks(and.z.n_rows(), and.z.width());
    batch.iter().copied().map(masks).collect()
}

/// The columns whose planes meet in the products of one kind.
fn products<'a>(
    batch: &[&'a AndStep],
    kind: Kind,
    shape: Shape,
) -> impl Iterator<Item = (&'a AndStep, &'a SharedBits, &'a SharedBits)> {
    batch.iter().flat_map(move |and| {
        let first = and.pairs.iter().enumerate();
        let first =
            first.filter(move |(at, _)| shape.placed(kind_of(and, *at)) == kind).map(|(_, pair)| pair);
        let second = if kind == Kind::SecondTerm { &and.second[..] } else { &[] };
        first.chain(second).map(move |(x, y)| (*and, x, y))
    })
}
