//! The gates of a batch as lines of 512, equally at all parties.
//!
//! Whole lines of recorded planes stay where they are. The last rows of each
//! plane are packed behind one another, in places that start on a power of two
//! of bits. Bits past a plane's last row mean nothing and are left out.

use std::ops::Range;

use buf::Buf;
use math::Planes;
use math::gf::lines::{LINE_BITS, Line, WeighedSum, Weight, weigh, weigh_rest};
use math::planes::tail_mask;

use super::shape::{MAX_UNIT, Shape};
use crate::check::AndStep;
use crate::prss::{Root, Use};
use crate::rep3;

/// One operand of all gates: the lines of single ANDs, and those of the first and the second terms
/// of sums, each from a block of its own on.
#[derive(Clone)]
pub(super) struct Lines<'a> {
    shape: Shape,
    segments: Vec<(usize, Segment<'a>)>,
    /// All units of all blocks, found once.
    units: Vec<Unit<'a>>,
}

/// Lines of a block that are read together.
#[derive(Clone, Copy)]
enum Unit<'a> {
    /// They lie together.
    InPlace(&'a [Line]),
    /// They are known to be zeros, whatever the shares are.
    Zeros,
    /// They are to be gathered.
    Scattered,
}

/// Some lines of an operand, one behind the other.
#[derive(Clone)]
struct Segment<'a> {
    /// Lines in place, each run with the number of those before it.
    whole: Vec<(usize, Run<'a>)>,
    /// The lines after these.
    packed: Vec<Line>,
    n_whole: usize,
}

/// Gates of one kind.
#[derive(Clone, Copy)]
enum Kind {
    Single,
    FirstTerm,
    SecondTerm,
}

/// Lines that lie together.
#[derive(Clone, Copy)]
enum Run<'a> {
    Lines(&'a [Line]),
    /// So many lines of zeros, which nobody need look at.
    Zeros(usize),
}

impl<'a> Run<'a> {
    fn len(self) -> usize {
        match self {
            Run::Lines(lines) => lines.len(),
            Run::Zeros(n) => n,
        }
    }

    fn unit(self, range: Range<usize>) -> Unit<'a> {
        match self {
            Run::Lines(lines) => lines.get(range).map_or(Unit::Scattered, Unit::InPlace),
            Run::Zeros(n) if range.end <= n => Unit::Zeros,
            Run::Zeros(_) => Unit::Scattered,
        }
    }
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
        let plane = |and: &AndStep, x: Side<'a>, y: Side<'a>| {
            let is_third = (index + part) % 3 == 2;
            let (side, is_zero) = match factor {
                Factor::Left => (x, is_third),
                Factor::Right => (y, !is_third),
            };
            (!(and.is_apart && is_zero)).then(|| side.0.parts().as_slice()[part].plane(side.1))
        };
        let segment = |kind| {
            Segment::gather(products(batch, kind).map(|(and, x, y)| (and.z.n_rows(), plane(and, x, y))))
        };
        Self::placed(shape, &[Kind::Single, Kind::FirstTerm, Kind::SecondTerm], segment)
    }

    /// The second parts of the products.
    pub(super) fn z_next(batch: &[&'a AndStep], shape: Shape) -> Self {
        let planes: Vec<&Planes> = batch.iter().map(|and| &and.z.parts().as_slice()[1]).collect();
        Self::of_products(batch, &planes, shape)
    }

    /// Planes of the products' shapes, such as their masks.
    pub(super) fn of_products(batch: &[&AndStep], planes: &[&'a Planes], shape: Shape) -> Self {
        let segment = |kind| {
            Segment::gather(batch.iter().zip(planes).flat_map(|(and, planes)| {
                let n_single = planes.width() - n_sums(and);
                let range = match kind {
                    Kind::Single => 0..n_single,
                    _ => n_single..planes.width(),
                };
                range.map(|at| (planes.n_rows(), Some(planes.plane(at))))
            }))
        };
        Self::placed(shape, &[Kind::Single, Kind::FirstTerm], segment)
    }

    /// All planes, one behind the other.
    #[cfg(test)]
    pub(super) fn of_planes(planes: &'a [Planes], shape: Shape) -> Self {
        let rows =
            |planes: &'a Planes| (0..planes.width()).map(|at| (planes.n_rows(), Some(planes.plane(at))));
        Self::of_segments(shape, vec![(0, Segment::gather(planes.iter().flat_map(rows)))])
    }

    fn placed(shape: Shape, kinds: &[Kind], segment: impl Fn(Kind) -> Segment<'a>) -> Self {
        let first = |kind| match kind {
            Kind::Single => 0,
            Kind::FirstTerm => shape.first_terms().start,
            Kind::SecondTerm => shape.first_terms().end,
        };
        let kinds = if shape.first_terms().is_empty() { &kinds[..1] } else { kinds };
        let segments = kinds.iter().map(|kind| (first(*kind) * shape.block_lines(), segment(*kind)));
        Self::of_segments(shape, segments.collect())
    }

    fn of_segments(shape: Shape, segments: Vec<(usize, Segment<'a>)>) -> Self {
        let mut lines = Lines { shape, segments, units: Vec::new() };
        let n = shape.unit_lines();
        let unit = |at: usize| {
            let (start, segment) = lines.segment(at * n);
            segment.unit(at * n - start, n)
        };
        lines.units = (0..shape.n_blocks() * shape.block_units()).map(unit).collect();
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
        self.block(block).iter().all(|unit| matches!(unit, Unit::Zeros))
    }

    /// What of a block lies in place, to be fetched before it is read: a hint.
    pub(super) fn ahead(&self, block: usize) -> [&'a [Line]; 2] {
        let mut ahead = [&[][..]; 2];
        for (ahead, unit) in ahead.iter_mut().zip(self.block(block)) {
            *ahead = unit.in_place();
        }
        ahead
    }

    /// The units of a block: of none behind the last.
    fn block(&self, block: usize) -> &[Unit<'a>] {
        let n = self.shape.block_units();
        self.units.get(block * n..(block + 1) * n).unwrap_or_default()
    }

    /// The lines of a unit: in place if they lie together, else in `space`.
    fn unit<'b>(&'b self, at: usize, space: &'b mut [Line]) -> &'b [Line] {
        match self.units[at] {
            Unit::InPlace(lines) => lines,
            Unit::Zeros => &ZEROS[..space.len()],
            Unit::Scattered => {
                let first = at * self.shape.unit_lines();
                let (start, segment) = self.segment(first);
                segment.read(first - start, space);
                space
            }
        }
    }

    fn segment(&self, first: usize) -> &(usize, Segment<'a>) {
        &self.segments[self.segments.partition_point(|(start, _)| *start <= first) - 1]
    }
}

impl<'a> Unit<'a> {
    fn in_place(self) -> &'a [Line] {
        match self {
            Unit::InPlace(lines) => lines,
            Unit::Zeros | Unit::Scattered => &[],
        }
    }
}

impl<'a> Segment<'a> {
    /// Of planes, or of zeros, and so many rows each.
    fn gather(planes: impl Iterator<Item = (usize, Option<&'a [u64]>)>) -> Self {
        let (mut whole, mut n_whole) = (Vec::new(), 0);
        let (mut packed, mut places) = (Vec::new(), Places::default());
        for (n_rows, words) in planes {
            let n_lines = n_rows / LINE_BITS;
            let (words, tail) = words.map(|words| words.split_at(n_lines * 8)).unzip();
            if n_lines > 0 {
                let run = words.map_or(Run::Zeros(n_lines), |words| Run::Lines(words.as_chunks().0));
                whole.push((n_whole, run));
                n_whole += n_lines;
            }
            let rest = n_rows % LINE_BITS;
            let at = places.take(rest);
            packed.resize(places.n_lines() * 8, 0);
            let Some(tail) = tail else { continue };
            for (word, bits) in tail[..rest.div_ceil(64)].iter().enumerate() {
                packed[at / 64 + word] |= (bits & tail_mask(word, rest)) << (at % 64);
            }
        }
        Segment { whole, packed: packed.as_chunks::<8>().0.to_vec(), n_whole }
    }

    /// `n` lines from `first` on.
    fn unit(&self, first: usize, n: usize) -> Unit<'a> {
        let run = self.whole.get(self.run_of(first));
        run.map_or(Unit::Scattered, |(start, run)| run.unit(first - start..first - start + n))
    }

    /// The first run that ends after this line.
    fn run_of(&self, line: usize) -> usize {
        self.whole.partition_point(|(start, run)| start + run.len() <= line)
    }

    /// Writes the lines from `first` on, with zeros past the last.
    fn read(&self, mut first: usize, mut out: &mut [Line]) {
        let runs = &self.whole[self.run_of(first)..];
        let packed = (self.n_whole, Run::Lines(&self.packed));
        for (start, run) in runs.iter().chain([&packed]) {
            let at = run.len().min(first - start);
            let n = (run.len() - at).min(out.len());
            let (here, rest) = out.split_at_mut(n);
            match run {
                Run::Lines(lines) => here.copy_from_slice(&lines[at..at + n]),
                Run::Zeros(_) => here.fill([0; 8]),
            }
            (first, out) = (first + n, rest);
            if out.is_empty() {
                return;
            }
        }
        out.fill([0; 8]);
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
                let ahead = [x, y, z, f]
                    .map(|lines| lines.units.get(unit + 1).map_or(&[][..], |unit| unit.in_place()));
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

/// As many lines as are ever read together.
static ZEROS: [Line; MAX_UNIT] = [[0; 8]; MAX_UNIT];

/// What a party proves of a batch.
pub(super) fn of_prover(batch: &[AndStep], prover: usize) -> Vec<&AndStep> {
    batch.iter().filter(|and| and.provers[prover]).collect()
}

/// The planes of a step that are sums of two ANDs: its last.
fn n_sums(and: &AndStep) -> usize {
    and.second.iter().map(|(x, y)| rep3::plane_pairs(x, y).count()).sum()
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
pub(super) fn masks(batch: &[&AndStep], root: &Root) -> Vec<Planes> {
    let planes = |and: &AndStep| root.stream(&and.step, Use::Mask).planes(and.z.n_rows(), and.z.width());
    batch.iter().copied().map(planes).collect()
}

type Side<'a> = (&'a crate::bits::SharedBits, usize);

/// The planes that meet in each plane of the products of one kind.
fn products<'a>(
    batch: &[&'a AndStep],
    kind: Kind,
) -> impl Iterator<Item = (&'a AndStep, Side<'a>, Side<'a>)> {
    batch.iter().flat_map(move |and| {
        let (single, first) = and.pairs.split_at(and.pairs.len() - and.second.len());
        let pairs = match kind {
            Kind::Single => single,
            Kind::FirstTerm => first,
            Kind::SecondTerm => &and.second,
        };
        pairs.iter().flat_map(move |(x, y)| {
            rep3::plane_pairs(x, y).map(move |(left, right)| (*and, (x, left), (y, right)))
        })
    })
}

/// Gives out places among packed bits.
#[derive(Default)]
struct Places {
    n_bits: usize,
}

impl Places {
    /// The first bit of a place for `n` rows.
    fn take(&mut self, n: usize) -> usize {
        let place = if n > 32 { n.next_multiple_of(64) } else { n.next_power_of_two() };
        if n == 0 {
            return self.n_bits;
        }
        let at = self.n_bits.next_multiple_of(place.min(64));
        self.n_bits = at + place;
        at
    }

    fn n_lines(&self) -> usize {
        self.n_bits.div_ceil(LINE_BITS)
    }
}
