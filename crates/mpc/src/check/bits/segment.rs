//! Where the lines of an operand are: runs of recorded planes, which stay where they are, and the last
//! rows of each plane, packed.

use std::ops::Range;

use math::Planes;
use math::gf::lines::{LINE_BITS, Line};
use math::planes::{tail_mask, words_per_plane};

use super::shape::MAX_UNIT;
use crate::prss::Drawn;

/// As many lines as are ever read together.
pub(super) static ZEROS: [Line; MAX_UNIT] = [[0; 8]; MAX_UNIT];

/// Planes of one column: some that follow each other, or one that is repeated.
pub(super) struct Piece<'a> {
    pub(super) n_rows: usize,
    /// How many planes it stands for.
    pub(super) width: usize,
    pub(super) source: Source<'a>,
    /// The first of them.
    pub(super) first: usize,
    pub(super) is_repeated: bool,
}

/// What planes are read from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// All are known to be zeros.
    Zeros,
    Planes(&'a Planes),
    /// They are drawn where they are read, since nobody keeps them.
    Drawn(&'a Drawn),
}

impl<'a> Piece<'a> {
    /// Planes that follow each other.
    pub(super) fn of(source: Source<'a>, n_rows: usize, range: Range<usize>) -> Self {
        Piece { n_rows, width: range.len(), source, first: range.start, is_repeated: false }
    }

    fn words(&self) -> Words<'a> {
        match self.source {
            Source::Zeros => Words::Zeros,
            Source::Planes(planes) => Words::There(&planes.words()[self.first * planes.stride()..]),
            Source::Drawn(masks) => Words::Drawn(masks, self.first * words_per_plane(self.n_rows)),
        }
    }

    /// Words from one plane to the next.
    fn stride(&self) -> usize {
        match self.source {
            Source::Planes(planes) if !self.is_repeated => planes.stride(),
            Source::Drawn(_) => words_per_plane(self.n_rows),
            Source::Planes(_) | Source::Zeros => 0,
        }
    }
}

/// Some lines of an operand, one behind the other.
#[derive(Clone)]
pub(super) struct Segment<'a> {
    /// Whole lines, each run with the number of lines before it.
    whole: Vec<(usize, Run<'a>)>,
    /// The lines after these.
    packed: Vec<Line>,
    n_whole: usize,
}

/// The whole lines of planes, one plane behind the other.
#[derive(Clone, Copy)]
struct Run<'a> {
    words: Words<'a>,
    /// Words from one plane to the next.
    stride: usize,
    /// Lines of each plane.
    plane_lines: usize,
    n_lines: usize,
}

/// The words of planes.
#[derive(Clone, Copy)]
enum Words<'a> {
    Zeros,
    There(&'a [u64]),
    /// From this word of the masks on.
    Drawn(&'a Drawn, usize),
}

/// Where lines are that are read together.
#[derive(Clone, Copy)]
pub(super) enum Unit<'a> {
    /// They lie together.
    InPlace(&'a [Line]),
    /// They are known to be zeros, whatever the shares are.
    Zeros,
    /// They are masks, from this word of them on.
    Drawn(&'a Drawn, usize),
    /// They are to be gathered.
    Scattered,
}

impl<'a> Unit<'a> {
    /// The lines, if they lie together.
    pub(super) fn in_place(&self) -> &'a [Line] {
        match self {
            Unit::InPlace(lines) => lines,
            Unit::Zeros | Unit::Drawn(..) | Unit::Scattered => &[],
        }
    }
}

impl<'a> Run<'a> {
    fn unit(&self, lines: Range<usize>) -> Unit<'a> {
        if lines.end > self.n_lines {
            return Unit::Scattered;
        }
        let (plane, at) = (lines.start / self.plane_lines, lines.start % self.plane_lines);
        let is_one = at + lines.len() <= self.plane_lines || self.stride == 8 * self.plane_lines;
        let start = plane * self.stride + 8 * at;
        match self.words {
            Words::Zeros => Unit::Zeros,
            _ if !is_one => Unit::Scattered,
            Words::There(words) => Unit::InPlace(words[start..start + 8 * lines.len()].as_chunks().0),
            Words::Drawn(masks, first) => Unit::Drawn(masks, first + start),
        }
    }

    /// Writes the lines from `first` on, as many as there are or places for them. Gives that number.
    fn read(&self, first: usize, out: &mut [Line]) -> usize {
        let n = (self.n_lines - first).min(out.len());
        let mut done = 0;
        while done < n {
            let at = first + done;
            let of_plane = (self.plane_lines - at % self.plane_lines).min(n - done);
            let out = &mut out[done..done + of_plane];
            match self.unit(at..at + of_plane) {
                Unit::InPlace(lines) => out.copy_from_slice(lines),
                Unit::Drawn(masks, first) => masks.read(first, out.as_flattened_mut()),
                Unit::Zeros => out.fill([0; 8]),
                Unit::Scattered => unreachable!("lines of one plane lie together"),
            }
            done += of_plane;
        }
        n
    }
}

impl<'a> Segment<'a> {
    pub(super) fn gather(pieces: impl Iterator<Item = Piece<'a>>) -> Self {
        let (mut whole, mut n_whole) = (Vec::new(), 0);
        let (mut packed, mut places) = (Vec::new(), Places::default());
        for piece in pieces {
            let Piece { n_rows, width, .. } = piece;
            let plane_lines = n_rows / LINE_BITS;
            let (words, stride) = (piece.words(), piece.stride());
            if plane_lines * width > 0 {
                let run = Run { words, stride, plane_lines, n_lines: plane_lines * width };
                whole.push((n_whole, run));
                n_whole += run.n_lines;
            }
            let rest = n_rows % LINE_BITS;
            if rest == 0 {
                continue;
            }
            let mut drawn = [0; 8];
            for plane in 0..width {
                let at = places.take(rest);
                packed.resize(places.n_lines() * 8, 0);
                let (first, n) = (plane * stride + 8 * plane_lines, rest.div_ceil(64));
                let words = match words {
                    Words::Zeros => continue,
                    Words::There(words) => &words[first..first + n],
                    Words::Drawn(masks, start) => {
                        masks.read(start + first, &mut drawn[..n]);
                        &drawn[..n]
                    }
                };
                for (word, bits) in words.iter().enumerate() {
                    packed[at / 64 + word] |= (bits & tail_mask(word, rest)) << (at % 64);
                }
            }
        }
        Segment { whole, packed: packed.as_chunks::<8>().0.to_vec(), n_whole }
    }

    /// Where the lines from `first` on are, each `n` after the other, without an end.
    pub(super) fn units(&self, first: usize, n: usize) -> impl Iterator<Item = Unit<'a>> {
        let mut runs = self.whole.iter().peekable();
        (first..).step_by(n).map(move |first| {
            while runs.next_if(|(start, run)| start + run.n_lines <= first).is_some() {}
            runs.peek().map_or(Unit::Scattered, |(start, run)| run.unit(first - start..first - start + n))
        })
    }

    /// The first run that ends after this line.
    fn run_of(&self, line: usize) -> usize {
        self.whole.partition_point(|(start, run)| start + run.n_lines <= line)
    }

    /// Writes the lines from `first` on, with zeros past the last.
    pub(super) fn read(&self, mut first: usize, mut out: &mut [Line]) {
        for (start, run) in &self.whole[self.run_of(first)..] {
            let n = run.read(first - start, out);
            (first, out) = (first + n, &mut out[n..]);
            if out.is_empty() {
                return;
            }
        }
        let packed = &self.packed[(first - self.n_whole).min(self.packed.len())..];
        let n = packed.len().min(out.len());
        out[..n].copy_from_slice(&packed[..n]);
        out[n..].fill([0; 8]);
    }
}

/// Gives out places among packed bits.
#[derive(Default)]
pub(super) struct Places {
    n_bits: usize,
}

impl Places {
    /// The first bit of a place for `n` rows.
    pub(super) fn take(&mut self, n: usize) -> usize {
        let place = if n > 32 { n.next_multiple_of(64) } else { n.next_power_of_two() };
        if n == 0 {
            return self.n_bits;
        }
        let at = self.n_bits.next_multiple_of(place.min(64));
        self.n_bits = at + place;
        at
    }

    pub(super) fn n_lines(&self) -> usize {
        self.n_bits.div_ceil(LINE_BITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prss::{Masks, Root, Use};
    use crate::step::Step;

    /// Planes of which each bit says where it is.
    fn planes(seed: u64, n_rows: usize, width: usize) -> Planes {
        Planes::build(n_rows, width, |plane, out| {
            let word =
                |at: usize| (seed << 32 | (plane << 16 | at) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            out.iter_mut().enumerate().for_each(|(at, out)| *out = word(at));
        })
    }

    fn drawn<'a>(
        (masks, planes): &'a (Masks, Planes),
        range: Range<usize>,
    ) -> (Piece<'a>, Option<&'a Planes>) {
        let Masks::Drawn(masks) = masks else { panic!("an even number of words") };
        (Piece::of(Source::Drawn(masks), planes.n_rows(), range), Some(planes))
    }

    #[test]
    fn lines_are_found_wherever_planes_lie() {
        let dense = planes(1, 2048, 3);
        let strided = planes(2, 2048, 5).every(1, 2);
        let rows = planes(3, 4096, 2).rows(1024..3072);
        let tails = planes(4, 1100, 3);
        let other = planes(5, 512, 4);
        let [masks, mask_tails] = [2048, 1100].map(|n_rows| {
            let stream = || Root::new(&[1; 32]).stream(&Step::root(&[n_rows as u8; 32]), Use::Mask);
            (stream().masks(n_rows, 3), stream().planes(n_rows, 3))
        });
        let of = |planes, range| (Piece::of(Source::Planes(planes), planes.n_rows(), range), Some(planes));
        let repeated = |planes, width| {
            let (piece, planes) = of(planes, 1..2);
            (Piece { is_repeated: true, width, ..piece }, planes)
        };
        let zeros = |planes: &Planes| (Piece::of(Source::Zeros, planes.n_rows(), 0..2), None);
        let pieces = || {
            [
                of(&dense, 0..3),
                of(&strided, 0..2),
                repeated(&strided, 3),
                zeros(&dense),
                of(&rows, 0..2),
                of(&tails, 0..3),
                zeros(&tails),
                of(&other, 1..4),
                drawn(&masks, 1..3),
                drawn(&mask_tails, 0..2),
            ]
        };
        // Whole lines one after the other; then 76 rows of each plane that has them, in two words.
        let (mut lines, mut tail): (Vec<Line>, Vec<u64>) = (Vec::new(), Vec::new());
        for (Piece { n_rows, width, first, is_repeated, .. }, planes) in pieces() {
            for at in 0..width {
                let plane = planes.map(|planes| planes.plane(first + if is_repeated { 0 } else { at }));
                for line in 0..n_rows / LINE_BITS {
                    lines.push(plane.map_or([0; 8], |plane| plane.as_chunks::<8>().0[line]));
                }
                if n_rows % LINE_BITS > 0 {
                    tail.extend(plane.map_or([0; 2], |plane| [plane[16], plane[17] & ((1 << 12) - 1)]));
                }
            }
        }
        tail.resize(tail.len().next_multiple_of(8), 0);
        lines.extend_from_slice(tail.as_chunks().0);

        let segment = Segment::gather(pieces().into_iter().map(|(piece, _)| piece));
        let unit = |first, n| segment.units(first, n).next().expect("units without an end");
        let n_lines = lines.len();
        lines.resize(n_lines + 8, [0; 8]);
        for n in [1, 2, 4, 8] {
            for first in 0..n_lines {
                let expected = &lines[first..first + n];
                let mut read = vec![[u64::MAX; 8]; n];
                segment.read(first, &mut read);
                assert_eq!(read, expected, "{n} lines from {first} on");
                match unit(first, n) {
                    Unit::InPlace(found) => assert_eq!(found, expected, "{n} lines from {first} on"),
                    Unit::Zeros => assert_eq!(vec![[0; 8]; n], expected, "{n} lines from {first} on"),
                    Unit::Drawn(masks, at) => {
                        masks.read(at, read.as_flattened_mut());
                        assert_eq!(read, expected, "{n} lines from {first} on");
                    }
                    Unit::Scattered => {}
                }
            }
        }
        let lies = |first, n| matches!(unit(first, n), Unit::InPlace(_));
        assert!(lies(2, 8) && lies(12, 4) && !lies(14, 4), "dense planes run on, others end");
        assert!(matches!(unit(32, 8), Unit::Zeros));
        // Dense masks run on from plane to plane; those of 1100 rows do not.
        let is_drawn = |first, n| matches!(unit(first, n), Unit::Drawn(..));
        assert!(is_drawn(61, 8) && is_drawn(69, 2) && !is_drawn(70, 2), "two lines of each, then others");
    }
}
