//! The gates of a batch as lines of 512, equally at all parties.
//!
//! Whole lines of recorded planes stay where they are. The last rows of each
//! plane are packed behind one another, in places that start on a power of two
//! of bits. Bits past a plane's last row mean nothing and are left out.

use math::gf::lines::{LINE_BITS, Line};
use math::planes::tail_mask;
use math::{Planes, kernel};

use crate::check::AndStep;
use crate::prss::{Root, Use};
use crate::rep3;

/// One operand of all gates: where its lines are.
pub(super) struct Lines<'a> {
    /// Lines in place, each run with the number of those before it.
    whole: Vec<(usize, &'a [Line])>,
    /// The lines after these.
    packed: Vec<Line>,
    n_whole: usize,
}

impl<'a> Lines<'a> {
    /// Part `part` of the left factors.
    pub(super) fn x(batch: &[&'a AndStep], part: usize) -> Self {
        Self::gather(products(batch).map(|(n_rows, x, _)| (n_rows, x.0.parts().as_slice()[part].plane(x.1))))
    }

    /// Part `part` of the right factors.
    pub(super) fn y(batch: &[&'a AndStep], part: usize) -> Self {
        Self::gather(products(batch).map(|(n_rows, _, y)| (n_rows, y.0.parts().as_slice()[part].plane(y.1))))
    }

    /// The second parts of the products.
    pub(super) fn z_next(batch: &[&'a AndStep]) -> Self {
        Self::of_planes(batch.iter().map(|and| &and.z.parts().as_slice()[1]))
    }

    /// All planes of the products' shape, such as their masks.
    pub(super) fn of_planes(planes: impl IntoIterator<Item = &'a Planes>) -> Self {
        let rows = |planes: &'a Planes| (0..planes.width()).map(|at| (planes.n_rows(), planes.plane(at)));
        Self::gather(planes.into_iter().flat_map(rows))
    }

    fn gather(planes: impl Iterator<Item = (usize, &'a [u64])>) -> Self {
        let (mut whole, mut n_whole) = (Vec::new(), 0);
        let (mut packed, mut places) = (Vec::new(), Places::default());
        for (n_rows, words) in planes {
            let (words, tail) = words.split_at(n_rows / LINE_BITS * 8);
            if !words.is_empty() {
                let lines = words.as_chunks::<8>().0;
                whole.push((n_whole, lines));
                n_whole += lines.len();
            }
            let rest = n_rows % LINE_BITS;
            let at = places.take(rest);
            packed.resize(places.n_lines() * 8, 0);
            for (word, bits) in tail[..rest.div_ceil(64)].iter().enumerate() {
                packed[at / 64 + word] |= (bits & tail_mask(word, rest)) << (at % 64);
            }
        }
        Lines { whole, packed: packed.as_chunks::<8>().0.to_vec(), n_whole }
    }

    /// As many lines from `first` on as `scratch` holds: in place if they lie together.
    pub(super) fn block<'b>(&'b self, first: usize, scratch: &'b mut [Line]) -> &'b [Line] {
        let at = self.whole.partition_point(|(start, run)| start + run.len() <= first);
        if let Some((start, run)) = self.whole.get(at)
            && let Some(lines) = run.get(first - start..first - start + scratch.len())
        {
            return lines;
        }
        self.read(first, scratch);
        scratch
    }

    /// Writes the lines from `first` on, with zeros past the last.
    fn read(&self, mut first: usize, mut out: &mut [Line]) {
        let runs = &self.whole[self.whole.partition_point(|(start, run)| start + run.len() <= first)..];
        let packed = (self.n_whole, &self.packed[..]);
        for (start, run) in runs.iter().chain([&packed]) {
            let run = &run[run.len().min(first - start)..];
            let n = run.len().min(out.len());
            let (here, rest) = out.split_at_mut(n);
            here.copy_from_slice(&run[..n]);
            (first, out) = (first + n, rest);
            if out.is_empty() {
                return;
            }
        }
        out.fill([0; 8]);
    }
}

/// A verifier's summand of the products, `e` or `f`.
pub(super) enum Summand<'a> {
    /// As it is.
    Lines(Lines<'a>),
    /// `x ∧ y ⊕ z ⊕ f`, for `[x, y, z, f]`.
    Rest([Lines<'a>; 4]),
}

impl Summand<'_> {
    /// [`Lines::block`].
    pub(super) fn block<'b>(&'b self, first: usize, spaces: &'b mut [Vec<Line>; 5]) -> &'b [Line] {
        let [out, a, b, c, d] = spaces;
        match self {
            Summand::Lines(lines) => lines.block(first, out),
            Summand::Rest([x, y, z, f]) => {
                let factors = [x.block(first, a), y.block(first, b)].map(<[Line]>::as_flattened);
                let summands = [z.block(first, c), f.block(first, d)].map(<[Line]>::as_flattened);
                kernel::and_xor_of(out.as_flattened_mut(), factors, summands);
                out
            }
        }
    }
}

/// What a party proves of a batch.
pub(super) fn of_prover(batch: &[AndStep], prover: usize) -> Vec<&AndStep> {
    batch.iter().filter(|and| and.provers[prover]).collect()
}

/// The number of lines that a batch fills.
pub(super) fn n_lines(batch: &[&AndStep]) -> usize {
    let (mut whole, mut places) = (0, Places::default());
    for and in batch {
        let (n_rows, width) = (and.z.n_rows(), and.z.width());
        whole += n_rows / LINE_BITS * width;
        for _ in 0..width {
            places.take(n_rows % LINE_BITS);
        }
    }
    whole + places.n_lines()
}

/// The masks with which one key hid the products of each step.
pub(super) fn masks(batch: &[&AndStep], root: &Root) -> Vec<Planes> {
    let planes = |and: &AndStep| root.stream(&and.step, Use::Mask).planes(and.z.n_rows(), and.z.width());
    batch.iter().copied().map(planes).collect()
}

type Side<'a> = (&'a crate::bits::SharedBits, usize);

/// The planes that meet in each plane of the products.
fn products<'a>(batch: &[&'a AndStep]) -> impl Iterator<Item = (usize, Side<'a>, Side<'a>)> {
    batch.iter().flat_map(|and| {
        and.pairs.iter().flat_map(move |(x, y)| {
            rep3::plane_pairs(x, y).map(move |(left, right)| (and.z.n_rows(), (x, left), (y, right)))
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
