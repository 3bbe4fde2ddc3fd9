//! Where the lines of an operand are: runs of recorded planes, which stay where they are, and the last
//! rows of each plane, packed.

use std::ops::Range;

use math::Planes;
use math::gf::lines::{LINE_BITS, Line};
use math::planes::tail_mask;

use super::shape::MAX_UNIT;

/// As many lines as are ever read together.
pub(super) static ZEROS: [Line; MAX_UNIT] = [[0; 8]; MAX_UNIT];

/// Planes of one column: some that follow each other, or one that is repeated.
pub(super) struct Piece<'a> {
    pub(super) n_rows: usize,
    /// How many planes it stands for.
    pub(super) width: usize,
    /// None where all are known to be zeros.
    pub(super) planes: Option<&'a Planes>,
    /// The first of them.
    pub(super) first: usize,
    pub(super) is_repeated: bool,
}

impl<'a> Piece<'a> {
    /// Planes of a column.
    pub(super) fn of(planes: &'a Planes, range: Range<usize>) -> Self {
        let (n_rows, width) = (planes.n_rows(), range.len());
        Piece { n_rows, width, planes: Some(planes), first: range.start, is_repeated: false }
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
    /// The planes' words, none of zeros, which nobody need look at.
    words: Option<&'a [u64]>,
    /// Words from one plane to the next.
    stride: usize,
    /// Lines of each plane.
    plane_lines: usize,
    n_lines: usize,
}

/// Where lines are that are read together.
pub(super) enum Unit<'a> {
    /// They lie together.
    InPlace(&'a [Line]),
    /// They are known to be zeros, whatever the shares are.
    Zeros,
    /// They are to be gathered.
    Scattered,
}

impl<'a> Run<'a> {
    fn unit(&self, lines: Range<usize>) -> Unit<'a> {
        if lines.end > self.n_lines {
            return Unit::Scattered;
        }
        let Some(words) = self.words else { return Unit::Zeros };
        let (plane, at) = (lines.start / self.plane_lines, lines.start % self.plane_lines);
        if at + lines.len() > self.plane_lines && self.stride != 8 * self.plane_lines {
            return Unit::Scattered;
        }
        let start = plane * self.stride + 8 * at;
        Unit::InPlace(words[start..start + 8 * lines.len()].as_chunks().0)
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
                _ => out.fill([0; 8]),
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
        for Piece { n_rows, width, planes, first, is_repeated } in pieces {
            let plane_lines = n_rows / LINE_BITS;
            if plane_lines * width > 0 {
                let words = planes.map(|planes| &planes.words()[first * planes.stride()..]);
                let stride = planes.filter(|_| !is_repeated).map_or(0, Planes::stride);
                let run = Run { words, stride, plane_lines, n_lines: plane_lines * width };
                whole.push((n_whole, run));
                n_whole += run.n_lines;
            }
            let rest = n_rows % LINE_BITS;
            if rest == 0 {
                continue;
            }
            for plane in 0..width {
                let at = places.take(rest);
                packed.resize(places.n_lines() * 8, 0);
                let Some(planes) = planes else { continue };
                let words = planes.plane(first + if is_repeated { 0 } else { plane });
                for (word, bits) in words[8 * plane_lines..][..rest.div_ceil(64)].iter().enumerate() {
                    packed[at / 64 + word] |= (bits & tail_mask(word, rest)) << (at % 64);
                }
            }
        }
        Segment { whole, packed: packed.as_chunks::<8>().0.to_vec(), n_whole }
    }

    /// Where the `n` lines from `first` on are.
    pub(super) fn unit(&self, first: usize, n: usize) -> Unit<'a> {
        let run = self.whole.get(self.run_of(first));
        run.map_or(Unit::Scattered, |(start, run)| run.unit(first - start..first - start + n))
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

    /// Planes of which each bit says where it is.
    fn planes(seed: u64, n_rows: usize, width: usize) -> Planes {
        Planes::build(n_rows, width, |plane, out| {
            let word =
                |at: usize| (seed << 32 | (plane << 16 | at) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            out.iter_mut().enumerate().for_each(|(at, out)| *out = word(at));
        })
    }

    #[test]
    fn lines_are_found_wherever_planes_lie() {
        let dense = planes(1, 2048, 3);
        let strided = planes(2, 2048, 5).every(1, 2);
        let rows = planes(3, 4096, 2).rows(1024..3072);
        let tails = planes(4, 1100, 3);
        let other = planes(5, 512, 4);
        let repeated = |planes, width| Piece { is_repeated: true, width, ..Piece::of(planes, 1..2) };
        let pieces = || {
            [
                Piece::of(&dense, 0..3),
                Piece::of(&strided, 0..2),
                repeated(&strided, 3),
                Piece { planes: None, ..Piece::of(&dense, 0..2) },
                Piece::of(&rows, 0..2),
                Piece::of(&tails, 0..3),
                Piece { planes: None, ..Piece::of(&tails, 0..2) },
                Piece::of(&other, 1..4),
            ]
        };
        // Whole lines one after the other; then 76 rows of each plane that has them, in two words.
        let (mut lines, mut tail): (Vec<Line>, Vec<u64>) = (Vec::new(), Vec::new());
        for Piece { n_rows, width, planes, first, is_repeated } in pieces() {
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

        let segment = Segment::gather(pieces().into_iter());
        let n_lines = lines.len();
        lines.resize(n_lines + 8, [0; 8]);
        for n in [1, 2, 4, 8] {
            for first in 0..n_lines {
                let expected = &lines[first..first + n];
                let mut read = vec![[u64::MAX; 8]; n];
                segment.read(first, &mut read);
                assert_eq!(read, expected, "{n} lines from {first} on");
                match segment.unit(first, n) {
                    Unit::InPlace(found) => assert_eq!(found, expected, "{n} lines from {first} on"),
                    Unit::Zeros => assert_eq!(vec![[0; 8]; n], expected, "{n} lines from {first} on"),
                    Unit::Scattered => {}
                }
            }
        }
        let lies = |first, n| matches!(segment.unit(first, n), Unit::InPlace(_));
        assert!(lies(2, 8) && lies(12, 4) && !lies(14, 4), "dense planes run on, others end");
        assert!(matches!(segment.unit(32, 8), Unit::Zeros));
    }
}
