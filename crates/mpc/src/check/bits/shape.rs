//! The sizes of one proof: public functions of the number of gates and of the agreed links.

use std::ops::Range;
use std::sync::LazyLock;

use math::gf::lines::LINE_BITS;
use net::LinkProfile;

use crate::check::rounds::TOLD;

/// Rounds that bring two lines down to one element each.
const LINE_ROUNDS: usize = LINE_BITS.ilog2() as usize;

/// The most lines that are read together: half a block of the longest.
pub(super) const MAX_UNIT: usize = 64;

/// The most rounds that run on bits. With one more, a proof's error would be above 2^-60.
const MAX_SKIP: u32 = MAX_UNIT.ilog2() + 1;
const _: () = assert!(MAX_SKIP <= 7);

/// Blocks from which on a kind is worth its own.
const MIN_BLOCKS: usize = 4;

/// Bits per second up to which a link is slow: there, fewer bytes are worth more processor time.
const SLOW: u64 = 1_000_000_000;

/// [`Shape::lines_of_points`] for the longest blocks: shorter ones have the first of these.
static LINES_OF_POINTS: LazyLock<Vec<Option<u8>>> = LazyLock::new(|| {
    let mut lines = vec![Some(0)];
    for t in 0..MAX_SKIP {
        for at in 0..lines.len() {
            lines.push(lines[at].map(|line: u8| line | 1 << t));
        }
        lines.resize(3 * (lines.len() / 2), None);
    }
    lines
});

/// Kinds of gates. Those of a kind fill blocks of their own, one kind after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Single,
    /// The first of two ANDs whose sum is one message; its claim is the sum's.
    FirstTerm,
    /// The first of two ANDs with one left factor.
    FirstTwin,
    SecondTwin,
    SecondTerm,
}

/// Lines of gates of each kind. Both terms, and both twins, have as many.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(super) struct LineCounts {
    pub(super) single: usize,
    pub(super) sums: usize,
    pub(super) twins: usize,
}

impl LineCounts {
    /// All numbers, single gates first.
    pub(super) fn each(self) -> [usize; 3] {
        [self.single, self.sums, self.twins]
    }

    pub(super) fn total(self) -> usize {
        self.single + 2 * self.sums + 2 * self.twins
    }
}

/// Which factors of an AND.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Factor {
    Left,
    Right,
}

/// What a block's operand is multiplied by where the vectors take it up: of the block's weight `β`, for
/// products that have it once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scale {
    One,
    /// `√β`, on both sides.
    Root,
    Whole,
}

/// A block of an operand, as a cell takes it up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) scale: Scale,
    block: u32,
}

impl Entry {
    pub(super) fn block(self) -> usize {
        self.block as usize
    }
}

/// What a cell takes up of one operand: the sum of these blocks, one at least.
pub(super) type Entries = [Option<Entry>; 2];

/// How a batch is cut: 2^k lines of 512 gates to a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    n_lines: LineCounts,
    /// `k`: the rounds that run on bits.
    skip: u32,
    /// The blocks before each kind, in the order of [`Kind`], and all.
    starts: [usize; 6],
}

impl Shape {
    /// For so many lines.
    pub(super) fn of(n_lines: LineCounts) -> Self {
        let skip = match n_lines.total() * LINE_BITS {
            0x18_0000.. => 7,
            0x4_0000.. => 6,
            0x8000.. => 5,
            _ => n_lines.total().next_power_of_two().trailing_zeros().min(4),
        };
        Shape { n_lines, skip: 0, starts: [0; 6] }.cut(skip)
    }

    /// With blocks of 2^k lines.
    fn cut(self, skip: u32) -> Self {
        let LineCounts { single, sums, twins } = self.n_lines;
        let mut starts = [0; 6];
        for (at, lines) in [single, sums, twins, twins, sums].into_iter().enumerate() {
            starts[at + 1] = starts[at] + lines.div_ceil(1 << skip);
        }
        Shape { skip, starts, ..self }
    }

    /// [`Shape::of`] for a proof over such links. The proof is mostly 3^k elements long: a round less
    /// on bits makes it a third as long, and takes up to a third more time.
    pub(super) fn over(n_lines: LineCounts, link: &LinkProfile) -> Self {
        let shape = Shape::of(n_lines);
        let is_slow = link.bits_per_second.is_some_and(|bits| bits <= SLOW);
        if is_slow && shape.skip > 4 { shape.cut(shape.skip - 1) } else { shape }
    }

    /// Whether twins are worth blocks of their own, the last of which is filled with zeros. Otherwise they
    /// count as single.
    pub(super) fn is_worth_twins(self) -> bool {
        self.n_lines.twins >= MIN_BLOCKS * self.block_lines()
    }

    /// Where gates of a kind are.
    pub(super) fn placed(self, kind: Kind) -> Kind {
        match kind {
            Kind::FirstTwin | Kind::SecondTwin if self.n_lines.twins == 0 => Kind::Single,
            kind => kind,
        }
    }

    /// With another `k` than the number of lines gives.
    #[cfg(test)]
    pub(super) fn with_skip(self, skip: u32) -> Self {
        self.cut(skip)
    }

    pub(super) fn n_lines(self) -> LineCounts {
        self.n_lines
    }

    /// `k`: how many rounds run on bits.
    pub(super) fn skip(self) -> usize {
        self.skip as usize
    }

    /// Lines of a block: 2^k.
    pub(super) fn block_lines(self) -> usize {
        1 << self.skip
    }

    /// Lines of a block that are read together: all of them, or half where a block is long, so that
    /// it mostly lies within one plane of a chunk.
    pub(super) fn unit_lines(self) -> usize {
        self.block_lines().min(MAX_UNIT)
    }

    /// Units of a block: one, or two.
    pub(super) fn block_units(self) -> usize {
        self.block_lines() / self.unit_lines()
    }

    /// Points of the extension of a block: 3^k.
    pub(super) fn n_points(self) -> usize {
        3usize.pow(self.skip)
    }

    /// The line of a block at each point of its extension: none at infinity in any digit,
    /// where sums are shared. Digit `t` of a point has the weight 3^t, and is bit `t` of the line.
    pub(super) fn lines_of_points(self) -> &'static [Option<u8>] {
        &LINES_OF_POINTS[..self.n_points()]
    }

    /// The blocks of a kind. Those of sums' second terms are the last: they have no claim of their own.
    pub(super) fn blocks(self, kind: Kind) -> Range<usize> {
        self.starts[kind as usize]..self.starts[kind as usize + 1]
    }

    /// Blocks that hold gates.
    pub(super) fn n_blocks(self) -> usize {
        self.blocks(Kind::SecondTerm).end
    }

    /// Blocks whose gates have a claim of their own: the first ones.
    pub(super) fn n_claims(self) -> usize {
        self.blocks(Kind::SecondTerm).start
    }

    /// Rows of the vectors that the recursion starts from.
    pub(super) fn n_cells(self) -> usize {
        self.n_blocks() - self.blocks(Kind::FirstTwin).len()
    }

    /// What a row of both vectors is: of `u`, blocks of left factors; of `v`, blocks of right ones. The products
    /// of rows add up to `Σ β·x·y` over all blocks.
    pub(super) fn cell(self, at: usize) -> [Entries; 2] {
        let entry = |block: usize, scale| Some(Entry { scale, block: block as u32 });
        let twins = self.blocks(Kind::FirstTwin);
        if twins.contains(&at) {
            let second = at + twins.len();
            return [[entry(at, Scale::One), None], [at, second].map(|block| entry(block, Scale::Whole))];
        }
        // Second terms are behind the second twins.
        let block = if at < twins.start { at } else { at + twins.len() };
        [[entry(block, Scale::Root), None]; 2]
    }

    /// Rounds of the recursion over cells: their number counts as a power of two.
    pub(super) fn cell_rounds(self) -> usize {
        self.n_cells().next_power_of_two().trailing_zeros() as usize
    }

    /// `D`: rounds after the first, without the masking one.
    pub(super) fn rounds(self) -> usize {
        self.cell_rounds() + LINE_ROUNDS
    }

    /// `m`: gates, as many as cells would hold that are a block each, up to a power of two.
    #[cfg(test)]
    pub(super) fn n_gates(self) -> u64 {
        ((self.block_lines() * LINE_BITS) << self.cell_rounds()) as u64
    }

    /// Field elements of each verifier's share of the proof.
    pub(super) fn n_elements(self) -> usize {
        self.n_points() - self.block_lines() + 2 * (self.rounds() + 1)
    }

    /// The share's elements of each round: the first, `D` more, and the masking one.
    pub(super) fn round_lengths(self) -> impl Iterator<Item = usize> {
        let first = self.n_points() - self.block_lines();
        std::iter::once(first).chain(std::iter::repeat_n(2, self.rounds() + 1))
    }

    /// Digests of the left share: one for each round.
    pub(super) fn n_digests(self) -> usize {
        self.rounds() + 2
    }

    /// Bytes of the prover's message to its left verifier, and of the latter's to the right one.
    pub(super) fn message_bytes(self) -> [usize; 2] {
        [16 * self.n_elements() + 32, 32 * self.n_digests() + 16 * TOLD]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(lines: usize) -> Shape {
        Shape::of(LineCounts { single: lines, ..LineCounts::default() })
    }

    #[test]
    fn sizes_follow_from_the_number_of_lines() {
        for n_lines in (1..70).chain([511, 512, 513, 2048, 2049, 8192]) {
            let shape = single(n_lines);
            let filled = shape.n_blocks() * shape.block_lines();
            assert!((n_lines..n_lines + shape.block_lines()).contains(&filled), "{n_lines} lines");
            // D = log2(m) − k, and a share holds 3^k − 2^k + 2(D + 1) elements.
            assert_eq!(shape.n_gates(), 1 << (shape.rounds() + shape.skip()));
            let lines = shape.lines_of_points();
            assert_eq!(lines.len(), shape.n_points());
            assert!(
                lines.iter().flatten().map(|line| usize::from(*line)).eq(0..shape.block_lines()),
                "{lines:?}"
            );
            assert_eq!(shape.round_lengths().sum::<usize>(), shape.n_elements());
            assert_eq!(shape.round_lengths().count(), shape.n_digests());
        }
    }

    #[test]
    fn kinds_lie_in_blocks_of_their_own() {
        let shape = |[single, sums, twins]: [usize; 3]| Shape::of(LineCounts { single, sums, twins });
        let all = shape([5, 9, 3]).with_skip(2);
        let kinds = [Kind::Single, Kind::FirstTerm, Kind::FirstTwin, Kind::SecondTwin, Kind::SecondTerm];
        assert_eq!(kinds.map(|kind| all.blocks(kind)), [0..2, 2..5, 5..6, 6..7, 7..10]);
        assert_eq!((all.n_claims(), all.n_blocks(), all.n_cells()), (7, 10, 9));
        assert_eq!(shape([3, 3, 0]).skip(), single(9).skip());
        assert_eq!(shape([5, 0, 2]).skip(), single(9).skip());
        // From four blocks on.
        let is_worth = |twins| shape([512, 0, twins]).with_skip(3).is_worth_twins();
        assert_eq!([31, 32].map(is_worth), [false, true]);
        assert_eq!(shape([1, 0, 0]).placed(Kind::SecondTwin), Kind::Single);
        assert_eq!(all.placed(Kind::SecondTwin), Kind::SecondTwin);
    }

    /// Every block's product stands in the cells once, under the block's weight.
    #[test]
    fn cells_hold_every_product_once() {
        for counts in [[1, 0, 0], [5, 9, 3], [0, 1, 0], [0, 0, 8], [7, 0, 12], [0, 2, 1]] {
            let [single, sums, twins] = counts;
            let shape = Shape::of(LineCounts { single, sums, twins }).with_skip(1);
            let first_twins = shape.blocks(Kind::FirstTwin);
            let mut found = Vec::new();
            for [left, right] in (0..shape.n_cells()).map(|at| shape.cell(at)) {
                for left in left.iter().flatten() {
                    for right in right.iter().flatten() {
                        match [left.scale, right.scale] {
                            [Scale::Root, Scale::Root] => assert_eq!(left.block(), right.block()),
                            // Twins' left factors are the same.
                            [Scale::One, Scale::Whole] => {
                                assert!(first_twins.contains(&left.block()));
                                let offset = right.block() - left.block();
                                assert!(offset == 0 || offset == first_twins.len());
                            }
                            scales => panic!("{scales:?} are no weight"),
                        }
                        found.push(right.block());
                    }
                }
            }
            found.sort();
            assert_eq!(found, (0..shape.n_blocks()).collect::<Vec<_>>(), "{counts:?}");
        }
    }

    #[test]
    fn more_rounds_run_on_bits_the_larger_the_batch() {
        let skip = |gates: usize| single(gates.div_ceil(LINE_BITS)).skip();
        assert_eq!([1, 1 << 10, 1 << 12, 1 << 14].map(skip), [0, 1, 3, 4]);
        assert_eq!([1 << 15, (1 << 18) - LINE_BITS, 1 << 18, 1 << 22].map(skip), [5, 5, 6, 7]);
    }

    #[test]
    fn slow_links_take_shorter_proofs() {
        let skip = |link| {
            [1usize, 1 << 14, 1 << 15, 1 << 18, 1 << 22].map(|gates| {
                let n_lines = LineCounts { single: gates.div_ceil(LINE_BITS), ..LineCounts::default() };
                Shape::over(n_lines, &link).skip()
            })
        };
        assert_eq!(skip(LinkProfile::INSTANT), [0, 4, 5, 6, 7]);
        assert_eq!(skip(LinkProfile::wan(20, 10_000)), [0, 4, 5, 6, 7]);
        assert_eq!(skip(LinkProfile::wan(150, 100)), [0, 4, 4, 5, 6]);
    }
}
