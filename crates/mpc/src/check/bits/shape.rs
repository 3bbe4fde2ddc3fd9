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

/// How a batch is cut: 2^k lines of 512 gates to a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Lines of single ANDs, and of sums of two.
    n_lines: [usize; 2],
    /// `k`: the rounds that run on bits.
    skip: u32,
}

impl Shape {
    /// For so many lines of single ANDs, and of sums of two.
    pub(super) fn of(n_lines: [usize; 2]) -> Self {
        let all = n_lines[0] + 2 * n_lines[1];
        let skip = match all * LINE_BITS {
            0x18_0000.. => 7,
            0x4_0000.. => 6,
            0x8000.. => 5,
            _ => all.next_power_of_two().trailing_zeros().min(4),
        };
        Shape { n_lines, skip }
    }

    /// [`Shape::of`] for a proof over such links. The proof is mostly 3^k elements long: a round less
    /// on bits makes it a third as long, and takes up to a third more time.
    pub(super) fn over(n_lines: [usize; 2], link: &LinkProfile) -> Self {
        let Shape { skip, .. } = Shape::of(n_lines);
        let is_slow = link.bits_per_second.is_some_and(|bits| bits <= SLOW);
        Shape { n_lines, skip: if is_slow && skip > 4 { skip - 1 } else { skip } }
    }

    /// With another `k` than the number of lines gives.
    #[cfg(test)]
    pub(super) fn with_skip(n_lines: [usize; 2], skip: u32) -> Self {
        Shape { n_lines, skip }
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

    /// Blocks of single ANDs, and of sums of two.
    fn blocks(self) -> [usize; 2] {
        self.n_lines.map(|n| n.div_ceil(self.block_lines()))
    }

    /// Blocks whose gates have a claim of their own: all but those of sums' second terms.
    pub(super) fn n_claims(self) -> usize {
        let [single, sums] = self.blocks();
        single + sums
    }

    /// The blocks of sums' first terms. Those of their second terms follow, and are the last.
    pub(super) fn first_terms(self) -> Range<usize> {
        self.blocks()[0]..self.n_claims()
    }

    /// The units of these blocks.
    pub(super) fn first_term_units(self) -> Range<usize> {
        let Range { start, end } = self.first_terms();
        start * self.block_units()..end * self.block_units()
    }

    /// Blocks that hold gates.
    pub(super) fn n_blocks(self) -> usize {
        self.n_claims() + self.first_terms().len()
    }

    /// Rounds of the recursion over blocks: their number counts as a power of two.
    pub(super) fn block_rounds(self) -> usize {
        self.n_blocks().next_power_of_two().trailing_zeros() as usize
    }

    /// `D`: rounds after the first, without the masking one.
    pub(super) fn rounds(self) -> usize {
        self.block_rounds() + LINE_ROUNDS
    }

    /// `m`: gates, those of zeros that fill the last blocks included.
    pub(super) fn n_gates(self) -> u64 {
        ((self.block_lines() * LINE_BITS) << self.block_rounds()) as u64
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
    use super::*;

    #[test]
    fn sizes_follow_from_the_number_of_lines() {
        for n_lines in (1..70).chain([511, 512, 513, 2048, 2049, 8192]) {
            let shape = Shape::of([n_lines, 0]);
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
    fn second_terms_lie_in_blocks_of_their_own() {
        let shape = Shape::with_skip([5, 9], 2);
        assert_eq!((shape.n_claims(), shape.first_terms(), shape.n_blocks()), (5, 2..5, 8));
        let shape = Shape::with_skip([0, 1], 0);
        assert_eq!((shape.n_claims(), shape.first_terms(), shape.n_blocks()), (1, 0..1, 2));
        assert_eq!(Shape::of([3, 3]).skip(), Shape::of([9, 0]).skip());
    }

    #[test]
    fn more_rounds_run_on_bits_the_larger_the_batch() {
        let skip = |gates: usize| Shape::of([gates.div_ceil(LINE_BITS), 0]).skip();
        assert_eq!([1, 1 << 10, 1 << 12, 1 << 14].map(skip), [0, 1, 3, 4]);
        assert_eq!([1 << 15, (1 << 18) - LINE_BITS, 1 << 18, 1 << 22].map(skip), [5, 5, 6, 7]);
    }

    #[test]
    fn slow_links_take_shorter_proofs() {
        let skip = |link| {
            [1usize, 1 << 14, 1 << 15, 1 << 18, 1 << 22]
                .map(|gates| Shape::over([gates.div_ceil(LINE_BITS), 0], &link).skip())
        };
        assert_eq!(skip(LinkProfile::INSTANT), [0, 4, 5, 6, 7]);
        assert_eq!(skip(LinkProfile::wan(20, 10_000)), [0, 4, 5, 6, 7]);
        assert_eq!(skip(LinkProfile::wan(150, 100)), [0, 4, 4, 5, 6]);
    }
}
