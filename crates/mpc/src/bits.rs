//! Bit-sliced boolean sharings of a column.

use std::fmt;
use std::ops::Range;

use math::{Column, Group, Planes, Ring, X64};

use crate::session::Session;
use crate::share::{Parts, Shared};

/// A secret column of `n` rows of `w` bits: `x = x_0 ⊕ x_1 ⊕ x_2`, one packed
/// plane per bit, plane 0 the least significant.
///
/// All operations here are local.
#[derive(Clone)]
pub struct SharedBits {
    n_rows: usize,
    width: usize,
    parts: Parts<Planes>,
}

impl SharedBits {
    pub(crate) fn from_parts(n_rows: usize, width: usize, parts: Parts<Planes>) -> Self {
        assert!(
            parts.as_slice().iter().all(|part| (part.n_rows(), part.width()) == (n_rows, width)),
            "parts of the column's shape"
        );
        SharedBits { n_rows, width, parts }
    }

    /// The sharing of public planes, without randomness.
    pub fn public(s: &Session, planes: &Planes) -> Self {
        let parts = s.parts_from(|holds| {
            if holds { planes.clone() } else { Planes::zeroed(planes.n_rows(), planes.width()) }
        });
        SharedBits { n_rows: planes.n_rows(), width: planes.width(), parts }
    }

    /// The sharing of `n_rows` copies of the low `width` bits of a public word.
    pub fn constant(s: &Session, n_rows: usize, width: usize, word: u128) -> Self {
        Self::public(s, &constant_planes(n_rows, width, word))
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Bits per row.
    pub fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn parts(&self) -> &Parts<Planes> {
        &self.parts
    }

    /// Applies a map that is linear over bits, as it would be applied to the plaintext.
    /// `f` must commute with XOR and return `n_rows` rows of `width` bits.
    pub fn map_linear(&self, n_rows: usize, width: usize, f: impl Fn(&Planes) -> Planes) -> Self {
        Self::from_parts(n_rows, width, self.parts.map(|_, part| f(part)))
    }

    /// `self ⊕ other`.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn xor(&self, other: &Self) -> Self {
        assert_eq!((self.n_rows, self.width), (other.n_rows, other.width), "planes of one shape");
        let parts = self.parts.zip(&other.parts, Planes::xor);
        SharedBits { n_rows: self.n_rows, width: self.width, parts }
    }

    /// The XOR of at least two columns, in one pass.
    ///
    /// # Panics
    /// If there are fewer, or the shapes differ.
    pub fn xor_of(list: &[&Self]) -> Self {
        let shape = |bits: &Self| (bits.n_rows, bits.width);
        assert!(list.iter().all(|bits| shape(bits) == shape(list[0])), "planes of one shape");
        let parts: Vec<_> = list.iter().map(|bits| &bits.parts).collect();
        Self::from_parts(list[0].n_rows, list[0].width, Parts::collect(&parts, Planes::xor_of))
    }

    /// `¬(self ⊕ other)`: where both are the same.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn xnor(&self, s: &Session, other: &Self) -> Self {
        assert_eq!((self.n_rows, self.width), (other.n_rows, other.width), "planes of one shape");
        let (holds, others) = (s.public_parts(), other.parts.as_slice());
        assert_eq!(self.parts.as_slice().len(), others.len(), "sharings of one protocol");
        let xor = |at: usize, part: &Planes| match holds[at] {
            true => part.xnor(&others[at]),
            false => part.xor(&others[at]),
        };
        SharedBits { n_rows: self.n_rows, width: self.width, parts: self.parts.map(xor) }
    }

    /// `self ⊕ planes`, for public `planes`.
    pub fn xor_public(&self, s: &Session, planes: &Planes) -> Self {
        self.change_where(s, |part| part.xor(planes))
    }

    /// Every row XOR the low bits of a public word.
    pub fn xor_constant(&self, s: &Session, word: u128) -> Self {
        self.xor_public(s, &constant_planes(self.n_rows, self.width, word))
    }

    /// Every bit inverted.
    pub fn not(&self, s: &Session) -> Self {
        self.change_where(s, |part| part.map(|_, word| !word))
    }

    fn change_where(&self, s: &Session, f: impl Fn(&Planes) -> Planes) -> Self {
        let holds = s.public_parts();
        let parts = self.parts.map(|at, part| if holds[at] { f(part) } else { part.clone() });
        SharedBits { n_rows: self.n_rows, width: self.width, parts }
    }

    /// `self ∧ planes`, for public `planes`.
    pub fn and_public(&self, planes: &Planes) -> Self {
        self.map_linear(self.n_rows, self.width, |part| part.zip(planes, |a, b| a & b))
    }

    /// Some planes, without copying.
    pub fn planes(&self, planes: Range<usize>) -> Self {
        self.map_linear(self.n_rows, planes.len(), |part| part.planes(planes.clone()))
    }

    /// One plane, without copying.
    pub fn plane(&self, plane: usize) -> Self {
        self.planes(plane..plane + 1)
    }

    /// The planes `first`, `first + step`, …, without copying.
    ///
    /// # Panics
    /// If `first` is past the last plane or `step` is zero.
    pub fn every(&self, first: usize, step: usize) -> Self {
        let width = (self.width - first).div_ceil(step);
        self.map_linear(self.n_rows, width, |part| part.every(first, step))
    }

    /// The planes of all `list`, the first lowest.
    ///
    /// # Panics
    /// If the list is empty or the numbers of rows differ.
    pub fn stack(list: &[&Self]) -> Self {
        let parts: Vec<_> = list.iter().map(|bits| &bits.parts).collect();
        let width = list.iter().map(|bits| bits.width).sum();
        Self::from_parts(list[0].n_rows, width, Parts::collect(&parts, Planes::stack))
    }

    /// One plane, repeated `width` times.
    pub fn broadcast(&self, width: usize) -> Self {
        self.map_linear(self.n_rows, width, |part| part.broadcast(width))
    }

    /// The bits with zeros above them, or cut, to `width` planes: an unsigned number in another width.
    pub fn resized(&self, s: &Session, width: usize) -> Self {
        match width.cmp(&self.width) {
            std::cmp::Ordering::Less => self.planes(0..width),
            std::cmp::Ordering::Equal => self.clone(),
            std::cmp::Ordering::Greater => {
                Self::stack(&[self, &Self::constant(s, self.n_rows, width - self.width, 0)])
            }
        }
    }

    /// The bits with copies of the top plane above them: a signed number in another width.
    pub fn sign_extended(&self, width: usize) -> Self {
        if width <= self.width {
            return self.planes(0..width);
        }
        Self::stack(&[self, &self.plane(self.width - 1).broadcast(width - self.width)])
    }

    /// Some rows, from a multiple of 512, without copying.
    pub fn rows(&self, rows: Range<usize>) -> Self {
        self.map_linear(rows.len(), self.width, |part| part.rows(rows.clone()))
    }

    /// Any range of rows, copied.
    pub fn copy_rows(&self, rows: Range<usize>) -> Self {
        self.map_linear(rows.len(), self.width, |part| part.copy_rows(rows.clone()))
    }

    /// The rows of all `list`, one column after the other.
    ///
    /// # Panics
    /// If the list is empty or the widths differ.
    pub fn concat(list: &[&Self]) -> Self {
        let parts: Vec<_> = list.iter().map(|bits| &bits.parts).collect();
        let n_rows = list.iter().map(|bits| bits.n_rows).sum();
        Self::from_parts(n_rows, list[0].width, Parts::collect(&parts, Planes::concat))
    }

    /// The bits with row `index[row]` in each row, for public positions.
    pub fn gather(&self, index: &[u32]) -> Self {
        self.map_linear(index.len(), self.width, |part| part.gather(index))
    }

    /// Each row moved down by `by`, zeros at the top.
    pub fn lag(&self, by: usize) -> Self {
        self.map_linear(self.n_rows, self.width, |part| part.lag(by, false))
    }

    /// The rows as XOR-shared words, 64 planes to a word: the form in which rows are permuted.
    pub fn to_words(&self) -> Vec<Shared<X64>> {
        (0..self.width.div_ceil(64))
            .map(|word| self.planes(word * 64..self.width.min(word * 64 + 64)).to_word())
            .collect()
    }

    /// The rows as XOR-shared words, zero-extended: [`SharedBits::to_words`] of a width that fits.
    ///
    /// # Panics
    /// If a word has fewer bits than there are planes.
    pub fn to_word<G: Group>(&self) -> Shared<G> {
        assert!(self.width <= G::BITS as usize, "a word holds {} bits", G::BITS);
        Shared::from_parts(self.n_rows, self.parts.map(|_, part| math::pack::elements(part)))
    }

    /// The low `width` bits of XOR-shared words as planes.
    ///
    /// # Panics
    /// If a word has fewer bits.
    pub fn from_words<G: Group>(words: &Shared<G>, width: usize) -> Self {
        assert!(width <= G::BITS as usize, "a word holds {} bits", G::BITS);
        Self::from_parts(words.len(), width, words.parts().map(|_, part| planes_of(part, width)))
    }

    /// The summands of an arithmetic sharing as three boolean sharings, without a message:
    /// `x = a + b + c` modulo 2^k.
    pub fn split<R: Ring>(s: &Session, x: &Shared<R>, width: usize) -> [SharedBits; 3] {
        let planes = x.parts().map(|_, part| planes_of(part, width));
        let zero = |part: &Planes| Planes::zeroed(part.n_rows(), part.width());
        s.summands(&planes, zero, || x.plain_summands(s).map(|summand| planes_of(&summand, width)))
            .map(|parts| SharedBits::from_parts(x.len(), width, parts))
    }

    /// The XOR summands of one shared bit per row as three arithmetic sharings, without a
    /// message: `b = b_0 ⊕ b_1 ⊕ b_2` with each `b_j` zero or one in the ring.
    ///
    /// # Panics
    /// If there is more than one plane.
    pub fn lift<R: Ring>(&self, s: &Session) -> [Shared<R>; 3] {
        assert_eq!(self.width, 1, "bits are lifted one plane at a time");
        let lifted = self.parts.map(|_, part| items_of::<R>(part));
        s.summands(
            &lifted,
            |part| Column::filled(part.len(), R::ZERO),
            || {
                let masks = s.test_masks(self.n_rows);
                let [a, b] =
                    [0, 1].map(|at| Column::from_fn(self.n_rows, |row| R::from_word(masks[at][row] & 1)));
                let value = items_of::<R>(&self.parts.as_slice()[0]);
                let c = Column::from_fn(self.n_rows, |row| {
                    R::from_word(value.items()[row].word() ^ a.items()[row].word() ^ b.items()[row].word())
                });
                [a, b, c]
            },
        )
        .map(|parts| Shared::from_parts(self.n_rows, parts))
    }
}

/// Planes whose every row is `word`.
pub(crate) fn constant_planes(n_rows: usize, width: usize, word: u128) -> Planes {
    Planes::build(n_rows, width, |plane, out| {
        let bit = plane < 128 && word >> plane & 1 == 1;
        out.fill(if bit { u64::MAX } else { 0 });
    })
}

/// The low `width` bits of each element as planes.
pub(crate) fn planes_of<G: Group>(column: &Column<G>, width: usize) -> Planes {
    math::pack::planes(column, width)
}

/// One plane as zeros and ones of a group.
fn items_of<G: Group>(planes: &Planes) -> Column<G> {
    let words = planes.plane(0);
    Column::from_fn(planes.n_rows(), |row| G::from_word(u128::from(words[row / 64] >> (row % 64) & 1)))
}

// A share is a secret.
impl fmt::Debug for SharedBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedBits(<{} x {} hidden>)", self.n_rows, self.width)
    }
}
