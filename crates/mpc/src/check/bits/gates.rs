//! The gates of a batch as lines of 512, equally at all parties.
//!
//! Whole lines of recorded planes stay where they are. The last rows of each
//! plane are packed behind one another, in places that start on a power of two
//! of bits. Bits past a plane's last row mean nothing and are left out.

use std::ops::Range;

use buf::Buf;
use math::gf::lines::{LINE_BITS, Line, WeighedSum, Weight, weigh, weigh_rest};

use super::segment::{Piece, Places, Segment, Source, Unit, ZEROS};
use super::shape::Shape;
use crate::bits::SharedBits;
use crate::check::AndStep;
use crate::prss::{Masks, Root, Use};
use crate::rep3;

/// One operand of all gates: the lines of single ANDs, and those of the first and the second terms
/// of sums, each from a block of its own on.
#[derive(Clone)]
pub(super) struct Lines<'a> {
    shape: Shape,
    segments: Vec<(usize, Segment<'a>)>,
    /// Where each unit is: they are read several times.
    units: Vec<Unit<'a>>,
}

/// Gates of one kind.
#[derive(Clone, Copy)]
enum Kind {
    Single,
    FirstTerm,
    SecondTerm,
}

/// Which factors of an AND.
#[derive(Clone, Copy)]
pub(super) enum Factor {
    Left,
    Right,
}

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
        let segment = |kind| Segment::gather(products(batch, kind).map(piece));
        Self::placed(shape, &[Kind::Single, Kind::FirstTerm, Kind::SecondTerm], segment)
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
        let segment = |kind| {
            Segment::gather(batch.iter().zip(sources.clone()).map(|(and, source)| {
                let n_single = and.z.width() - n_sums(and);
                let range = match kind {
                    Kind::Single => 0..n_single,
                    _ => n_single..and.z.width(),
                };
                Piece::of(source, and.z.n_rows(), range)
            }))
        };
        Self::placed(shape, &[Kind::Single, Kind::FirstTerm], segment)
    }

    /// All planes, one behind the other.
    #[cfg(test)]
    pub(super) fn of_planes(planes: &'a [math::Planes], shape: Shape) -> Self {
        let piece =
            |planes: &'a math::Planes| Piece::of(Source::Planes(planes), planes.n_rows(), 0..planes.width());
        Self::found(shape, vec![(0, Segment::gather(planes.iter().map(piece)))])
    }

    fn placed(shape: Shape, kinds: &[Kind], segment: impl Fn(Kind) -> Segment<'a>) -> Self {
        let first = |kind| match kind {
            Kind::Single => 0,
            Kind::FirstTerm => shape.first_terms().start,
            Kind::SecondTerm => shape.first_terms().end,
        };
        let kinds = if shape.first_terms().is_empty() { &kinds[..1] } else { kinds };
        let segments = kinds.iter().map(|kind| (first(*kind) * shape.block_lines(), segment(*kind)));
        Self::found(shape, segments.collect())
    }

    fn found(shape: Shape, segments: Vec<(usize, Segment<'a>)>) -> Self {
        let mut lines = Lines { shape, segments, units: Vec::new() };
        let units = 0..shape.n_blocks() * shape.block_units();
        lines.units = units.map(|at| lines.find(at)).collect();
        lines
    }

    /// The lines of a block, in one piece or in two halves: each in place if it lies together, else
    /// in `space`.
    pub(super) fn pieces<'b>(&'b self, block: usize, space: &'b mut [Line]) -> [&'b [Line]; 2] {
        let (first, n) = (block * self.shape.block_units(), self.shape.block_units());
        let (low, high) = space.split_at_mut(self.shape.unit_lines());
        [self.unit(first, low), if n == 1 { &[] } else { self.unit(first + 1, high) }]
    }

    /// Whether a block is known to be zeros, whatever the shares are.
    pub(super) fn is_zero(&self, block: usize) -> bool {
        self.units_of(block).iter().all(|unit| matches!(unit, Unit::Zeros))
    }

    /// What of a block lies in place, to be fetched before it is read: a hint.
    pub(super) fn ahead(&self, block: usize) -> [&'a [Line]; 2] {
        let mut ahead = [&[][..]; 2];
        if block < self.shape.n_blocks() {
            ahead.iter_mut().zip(self.units_of(block)).for_each(|(ahead, unit)| *ahead = unit.in_place());
        }
        ahead
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
            Unit::Drawn(masks, first) => {
                masks.read(first, space.as_flattened_mut());
                space
            }
            Unit::Scattered => {
                let (first, segment) = self.segment(at);
                segment.read(first, space);
                space
            }
        }
    }

    /// The lines of a unit to be read next, if they lie together.
    fn next(&self, at: usize) -> &'a [Line] {
        self.units.get(at).map_or(&[], |unit| unit.in_place())
    }

    fn find(&self, at: usize) -> Unit<'a> {
        let (first, segment) = self.segment(at);
        segment.unit(first, self.shape.unit_lines())
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

/// A verifier's summand of the products, `e` or `f`.
pub(super) enum Summand<'a> {
    /// As it is.
    Lines(Lines<'a>),
    /// `x ∧ y ⊕ z ⊕ f`, for `[x, y, z, f]`, and `x ∧ y` of the second terms for units of first
    /// terms, as many units further on as there are of those.
    Rest(Box<[Lines<'a>; 4]>, Range<usize>),
}

impl Summand<'_> {
    /// Adds the lines of a unit times `weight`. `space` holds four times as many.
    pub(super) fn weigh(&self, unit: usize, weight: Weight, sums: &mut [WeighedSum], space: &mut [Line]) {
        let n = sums.len();
        let mut quarters = space.chunks_exact_mut(n);
        let [a, b, c, d] = std::array::from_fn(|_| quarters.next().expect("four of them"));
        match self {
            Summand::Lines(lines) => weigh(sums, lines.unit(unit, a), weight),
            Summand::Rest(rest, first_terms) => {
                let [x, y, z, f] = &**rest;
                let lines = [x.unit(unit, a), y.unit(unit, b), z.unit(unit, c), f.unit(unit, d)];
                let ahead = [x, y, z, f].map(|lines| lines.next(unit + 1));
                weigh_rest(sums, lines, weight, ahead);
                if first_terms.contains(&unit) {
                    let second = unit + first_terms.len();
                    let (x, y) = (x.unit(second, a), y.unit(second, b));
                    let zeros = &ZEROS[..n];
                    weigh_rest(sums, [x, y, zeros, zeros], weight, [&[]; 4]);
                }
            }
        }
    }
}

/// What a party proves of a batch.
pub(super) fn of_prover(batch: &[AndStep], prover: usize) -> Vec<&AndStep> {
    batch.iter().filter(|and| and.provers[prover]).collect()
}

/// The planes of a step that are sums of two ANDs: its last.
fn n_sums(and: &AndStep) -> usize {
    and.second.iter().map(|(x, y)| rep3::n_pairs(x, y)).sum()
}

/// The number of lines that a batch fills with single ANDs, and with sums.
pub(super) fn n_lines(batch: &[&AndStep]) -> [usize; 2] {
    let (mut whole, mut places) = ([0; 2], [(); 2].map(|()| Places::default()));
    for and in batch {
        let n_rows = and.z.n_rows();
        let n_sums = n_sums(and);
        for (kind, width) in [and.z.width() - n_sums, n_sums].into_iter().enumerate() {
            whole[kind] += n_rows / LINE_BITS * width;
            for _ in 0..width {
                places[kind].take(n_rows % LINE_BITS);
            }
        }
    }
    [0, 1].map(|kind| whole[kind] + places[kind].n_lines())
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
) -> impl Iterator<Item = (&'a AndStep, &'a SharedBits, &'a SharedBits)> {
    batch.iter().flat_map(move |and| {
        let (single, first) = and.pairs.split_at(and.pairs.len() - and.second.len());
        let pairs = match kind {
            Kind::Single => single,
            Kind::FirstTerm => first,
            Kind::SecondTerm => &and.second,
        };
        pairs.iter().map(move |(x, y)| (*and, x, y))
    })
}
