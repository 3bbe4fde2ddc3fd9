//! The sizes of one proof: public functions of the number of gates and of the agreed links.

use std::ops::Range;
use std::sync::LazyLock;

use math::gf::lines::LINE_BITS;
use net::LinkProfile;

/// Rounds that bring two lines, one above the other, down to one element each.
const LINE_ROUNDS: usize = 1 + LINE_BITS.ilog2() as usize;

/// The most lines that are read together: half a block of the longest.
pub(super) const MAX_UNIT: usize = 64;

/// The most rounds that run on bits.
const MAX_SKIP: u32 = MAX_UNIT.ilog2() + 1;

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
    /// A gate whose left factor has a part in one slot only of its prover's, and its right factor in the
    /// other: one of the two products of parts is zero.
    Apart,
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
    pub(super) apart: usize,
    pub(super) twins: usize,
}

impl LineCounts {
    /// All numbers, single gates first.
    pub(super) fn each(self) -> [usize; 4] {
        [self.single, self.sums, self.apart, self.twins]
    }

    pub(super) fn total(self) -> usize {
        self.single + 2 * self.sums + self.apart + 2 * self.twins
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

/// A block of an operand, as a half of a cell takes it up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) factor: Factor,
    pub(super) scale: Scale,
    block: u32,
}

impl Entry {
    pub(super) fn block(self) -> usize {
        self.block as usize
    }
}

/// A product of two sums of operands: those of the left verifier, and those of the right one. At least one
/// each, but for a half that is left over.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Half {
    pub(super) left: [Option<Entry>; 2],
    pub(super) right: [Option<Entry>; 2],
}

/// How a batch is cut: 2^k lines of 512 gates to a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    n_lines: LineCounts,
    /// `k`: the rounds that run on bits.
    skip: u32,
    /// The blocks before each kind, in the order of [`Kind`], and all.
    starts: [usize; 7],
    /// The factor that the left verifier has of gates whose factors are apart.
    apart_left: Factor,
}

impl Factor {
    pub(super) fn other(self) -> Self {
        match self {
            Factor::Left => Factor::Right,
            Factor::Right => Factor::Left,
        }
    }
}

impl Shape {
    /// For so many lines, of a prover by its number.
    pub(super) fn of(n_lines: LineCounts, prover: usize) -> Self {
        let skip = match n_lines.total() * LINE_BITS {
            0x18_0000.. => 7,
            0x4_0000.. => 6,
            0x8000.. => 5,
            _ => n_lines.total().next_power_of_two().trailing_zeros().min(4),
        };
        // Of the prover's two slots, P_2's first one is the third.
        let apart_left = if prover == 2 { Factor::Right } else { Factor::Left };
        Shape { n_lines, skip: 0, starts: [0; 7], apart_left }.cut(skip)
    }

    /// With blocks of 2^k lines.
    fn cut(self, skip: u32) -> Self {
        let LineCounts { single, sums, apart, twins } = self.n_lines;
        let mut starts = [0; 7];
        for (at, lines) in [single, sums, apart, twins, twins, sums].into_iter().enumerate() {
            starts[at + 1] = starts[at] + lines.div_ceil(1 << skip);
        }
        Shape { skip, starts, ..self }
    }

    /// [`Shape::of`] for a proof over such links. The proof is mostly 3^k elements long: a round less
    /// on bits makes it a third as long, and takes up to a third more time.
    pub(super) fn over(n_lines: LineCounts, prover: usize, link: &LinkProfile) -> Self {
        let shape = Shape::of(n_lines, prover);
        let is_slow = link.bits_per_second.is_some_and(|bits| bits <= SLOW);
        if is_slow && shape.skip > 4 { shape.cut(shape.skip - 1) } else { shape }
    }

    /// Which kinds are worth blocks of their own, the last of which is filled with zeros: gates that are
    /// apart, and twins. Others count as single.
    pub(super) fn worth(self) -> [bool; 2] {
        let LineCounts { apart, twins, .. } = self.n_lines;
        [apart, twins].map(|lines| lines >= MIN_BLOCKS * self.block_lines())
    }

    /// Where gates of a kind are.
    pub(super) fn placed(self, kind: Kind) -> Kind {
        match kind {
            Kind::Apart if self.n_lines.apart == 0 => Kind::Single,
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
        self.n_blocks() - self.blocks(Kind::FirstTwin).len() - self.blocks(Kind::Apart).len() / 2
    }

    /// What a row of both vectors is, in two halves of a line's bits each. Products of the left and the
    /// right verifier's sums add up to `Σ β·(x·y' + y·x')` over all blocks.
    pub(super) fn cell(self, at: usize) -> [Half; 2] {
        let entry = |factor, block: usize, scale| Some(Entry { factor, scale, block: block as u32 });
        let product = |left: Factor, block: usize| Half {
            left: [entry(left, block, Scale::Root), None],
            right: [entry(left.other(), block, Scale::Root), None],
        };
        let whole = |block| [product(Factor::Left, block), product(Factor::Right, block)];
        let twins = self.blocks(Kind::FirstTwin);
        let apart = self.blocks(Kind::Apart);
        let seconds = self.blocks(Kind::SecondTerm);
        // Single gates and first terms, a block each; pairs of twins; second terms; pairs of what is apart.
        if at < apart.start {
            return whole(at);
        }
        let mut at = at - apart.start;
        if at < twins.len() {
            let (first, second) = (twins.start + at, twins.end + at);
            let shared = [entry(Factor::Left, first, Scale::One), None];
            let both = [first, second].map(|block| entry(Factor::Right, block, Scale::Whole));
            return [Half { left: shared, right: both }, Half { left: both, right: shared }];
        }
        at -= twins.len();
        if at < seconds.len() {
            return whole(seconds.start + at);
        }
        at -= seconds.len();
        let first = apart.start + 2 * at;
        let second = (first + 1 < apart.end).then(|| product(self.apart_left, first + 1));
        [product(self.apart_left, first), second.unwrap_or_default()]
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
        [16 * self.n_elements() + 32, 32 * self.n_digests() + 32]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn single(lines: usize) -> Shape {
        Shape::of(LineCounts { single: lines, ..LineCounts::default() }, 0)
    }

    #[test]
    fn sizes_follow_from_the_number_of_lines() {
        for n_lines in (1..70).chain([511, 512, 513, 2048, 2049, 8192]) {
            let shape = single(n_lines);
            let filled = shape.n_blocks() * shape.block_lines();
            assert!((n_lines..n_lines + shape.block_lines()).contains(&filled), "{n_lines} lines");
            // D = log2(2m) − k, and a share holds 3^k − 2^k + 2(D + 1) elements.
            assert_eq!(2 * shape.n_gates(), 1 << (shape.rounds() + shape.skip()));
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
        let shape = |[single, sums, apart, twins]: [usize; 4], prover| {
            Shape::of(LineCounts { single, sums, apart, twins }, prover)
        };
        let all = shape([5, 9, 6, 3], 1).with_skip(2);
        let kinds =
            [Kind::Single, Kind::FirstTerm, Kind::Apart, Kind::FirstTwin, Kind::SecondTwin, Kind::SecondTerm];
        assert_eq!(kinds.map(|kind| all.blocks(kind)), [0..2, 2..5, 5..7, 7..8, 8..9, 9..12]);
        assert_eq!((all.n_claims(), all.n_blocks(), all.n_cells()), (9, 12, 10));
        assert_eq!(shape([3, 3, 0, 0], 0).skip(), single(9).skip());
        assert_eq!(shape([3, 0, 2, 2], 0).skip(), single(9).skip());
        // From four blocks on.
        assert_eq!(shape([512, 0, 31, 32], 0).with_skip(3).worth(), [false, true]);
        assert_eq!(shape([1, 0, 0, 0], 0).placed(Kind::SecondTwin), Kind::Single);
        assert_eq!(all.placed(Kind::SecondTwin), Kind::SecondTwin);
    }

    /// Every block's products of parts stand in the cells once, under the block's weight: of what is
    /// apart, the one that is not zero.
    #[test]
    fn cells_hold_every_product_once() {
        for prover in 0..3 {
            for counts in
                [[1, 0, 0, 0], [5, 9, 6, 3], [0, 1, 1, 0], [0, 0, 5, 8], [7, 0, 9, 12], [0, 2, 0, 1]]
            {
                let [single, sums, apart, twins] = counts;
                let n_lines = LineCounts { single, sums, apart, twins };
                let shape = Shape::of(n_lines, prover).with_skip(1);
                let first_twins = shape.blocks(Kind::FirstTwin);
                let mut found = BTreeMap::new();
                for half in (0..shape.n_cells()).flat_map(|at| shape.cell(at)) {
                    for left in half.left.iter().flatten() {
                        for right in half.right.iter().flatten() {
                            assert_eq!(left.factor, right.factor.other());
                            // Twins' left factors are the same: the entry with the weight says which is meant.
                            let block = match [left.scale, right.scale] {
                                [Scale::Root, Scale::Root] => {
                                    assert_eq!(left.block(), right.block());
                                    left.block()
                                }
                                [Scale::One, Scale::Whole] => right.block(),
                                [Scale::Whole, Scale::One] => left.block(),
                                scales => panic!("{scales:?} are no weight"),
                            };
                            for shared in [left, right].into_iter().filter(|entry| entry.scale == Scale::One)
                            {
                                assert_eq!(shared.factor, Factor::Left);
                                let offset = if shared.block() == block { 0 } else { first_twins.len() };
                                assert!(
                                    first_twins.contains(&shared.block()) && shared.block() + offset == block
                                );
                            }
                            *found.entry((block, left.factor as usize)).or_insert(0) += 1;
                        }
                    }
                }
                let mut expected = BTreeMap::new();
                for block in 0..shape.n_blocks() {
                    for factor in [Factor::Left, Factor::Right] {
                        let is_zero =
                            prover == 2 && factor == Factor::Left || prover != 2 && factor == Factor::Right;
                        if !(shape.blocks(Kind::Apart).contains(&block) && is_zero) {
                            expected.insert((block, factor as usize), 1);
                        }
                    }
                }
                assert_eq!(found, expected, "{counts:?}, prover {prover}");
            }
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
                Shape::over(n_lines, 0, &link).skip()
            })
        };
        assert_eq!(skip(LinkProfile::INSTANT), [0, 4, 5, 6, 7]);
        assert_eq!(skip(LinkProfile::wan(20, 10_000)), [0, 4, 5, 6, 7]);
        assert_eq!(skip(LinkProfile::wan(150, 100)), [0, 4, 4, 5, 6]);
    }
}
