//! Arithmetic and word-wise XOR sharings of a column.

use std::fmt;
use std::ops::Range;

use math::{Column, Group, Ring};

use crate::session::Session;

/// What this party holds of a sharing: two parts in replicated sharing, one in
/// plaintext, none where it only follows along (a data owner that does not
/// compute, or a run that counts).
#[derive(Clone)]
pub enum Parts<T> {
    /// Shape without content.
    Zero,
    /// The value itself.
    One([T; 1]),
    /// `x_i` and `x_{i+1}` of party `i`.
    Two([T; 2]),
}

impl<T> Parts<T> {
    /// The parts in order.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Parts::Zero => &[],
            Parts::One(one) => one,
            Parts::Two(two) => two,
        }
    }

    /// `f` of each part and its position.
    pub fn map<U>(&self, mut f: impl FnMut(usize, &T) -> U) -> Parts<U> {
        match self {
            Parts::Zero => Parts::Zero,
            Parts::One([a]) => Parts::One([f(0, a)]),
            Parts::Two([a, b]) => Parts::Two([f(0, a), f(1, b)]),
        }
    }

    /// `f` of each pair of parts.
    ///
    /// # Panics
    /// If the sharings come from different protocols.
    pub fn zip<U, V>(&self, other: &Parts<U>, mut f: impl FnMut(&T, &U) -> V) -> Parts<V> {
        let others = other.as_slice();
        assert_eq!(self.as_slice().len(), others.len(), "sharings of one protocol");
        self.map(|at, part| f(part, &others[at]))
    }

    /// The same positions of several sharings, gathered. `list` is not empty.
    pub(crate) fn collect<U>(list: &[&Parts<T>], mut f: impl FnMut(&[&T]) -> U) -> Parts<U> {
        list[0].map(|at, _| f(&list.iter().map(|parts| &parts.as_slice()[at]).collect::<Vec<_>>()))
    }
}

/// A secret column of `n` elements of the group `G`: `x = x_0 + x_1 + x_2`.
///
/// All operations here are local: they cost no message. Operations with a
/// public operand take the session, since not every party adds it.
#[derive(Clone)]
pub struct Shared<G> {
    n: usize,
    parts: Parts<Column<G>>,
}

impl<G: Group> Shared<G> {
    /// A sharing from this party's parts.
    ///
    /// # Panics
    /// If a part has another length than `n`.
    pub(crate) fn from_parts(n: usize, parts: Parts<Column<G>>) -> Self {
        assert!(parts.as_slice().iter().all(|part| part.len() == n), "parts of the column's length");
        Shared { n, parts }
    }

    /// The sharing of a public column, without randomness.
    pub fn public(s: &Session, values: &Column<G>) -> Self {
        let parts =
            s.parts_from(|holds| if holds { values.clone() } else { Column::filled(values.len(), G::ZERO) });
        Shared { n: values.len(), parts }
    }

    /// The sharing of `n` copies of a public value.
    pub fn constant(s: &Session, n: usize, value: G) -> Self {
        Self::public(s, &Column::filled(n, value))
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// What this party holds.
    pub(crate) fn parts(&self) -> &Parts<Column<G>> {
        &self.parts
    }

    /// Applies a linear map to the column, as it would be applied to the plaintext.
    /// `f` must commute with addition and return `n_out` rows.
    pub fn map_linear<H: Group>(&self, n_out: usize, f: impl Fn(&Column<G>) -> Column<H>) -> Shared<H> {
        Shared::from_parts(n_out, self.parts.map(|_, part| f(part)))
    }

    /// `self + other`.
    ///
    /// # Panics
    /// If the lengths differ (here and in the other operations on two columns).
    pub fn add(&self, other: &Self) -> Self {
        assert_eq!(self.n, other.n, "columns of one length");
        Shared { n: self.n, parts: self.parts.zip(&other.parts, |a, b| a.zip(b, Group::plus)) }
    }

    /// `self - other`.
    pub fn sub(&self, other: &Self) -> Self {
        assert_eq!(self.n, other.n, "columns of one length");
        Shared { n: self.n, parts: self.parts.zip(&other.parts, |a, b| a.zip(b, Group::minus)) }
    }

    /// `-self`.
    pub fn neg(&self) -> Self {
        self.map_linear(self.n, |part| part.map(Group::negated))
    }

    /// `self + values`, for public `values`.
    pub fn add_public(&self, s: &Session, values: &Column<G>) -> Self {
        assert_eq!(self.n, values.len(), "columns of one length");
        self.add_where(s, |part| part.zip(values, Group::plus))
    }

    /// `self + value` in every row, for a public `value`.
    pub fn add_constant(&self, s: &Session, value: G) -> Self {
        self.add_where(s, |part| part.map(|item| item.plus(value)))
    }

    fn add_where(&self, s: &Session, f: impl Fn(&Column<G>) -> Column<G>) -> Self {
        let holds = s.public_parts();
        Shared { n: self.n, parts: self.parts.map(|at, part| if holds[at] { f(part) } else { part.clone() }) }
    }

    /// Some rows, without copying.
    pub fn rows(&self, rows: Range<usize>) -> Self {
        Shared { n: rows.len(), parts: self.parts.map(|_, part| part.rows(rows.clone())) }
    }

    /// The rows of all `list`, one column after the other.
    ///
    /// # Panics
    /// If the list is empty.
    pub fn concat(list: &[&Self]) -> Self {
        let parts: Vec<_> = list.iter().map(|column| &column.parts).collect();
        Shared { n: list.iter().map(|column| column.n).sum(), parts: Parts::collect(&parts, Column::concat) }
    }

    /// The column with row `index[row]` in each row, for public positions.
    pub fn gather(&self, index: &[u32]) -> Self {
        self.map_linear(index.len(), |part| part.gather(index))
    }

    /// The column whose row `to[row]` is this one's row `row`, for a public permutation.
    pub fn scatter(&self, to: &[u32]) -> Self {
        self.map_linear(self.n, |part| part.scatter(to))
    }

    /// Running totals: row `i` holds the sum of rows `0..=i`.
    pub fn prefix_sum(&self) -> Self {
        self.map_linear(self.n, Column::prefix_sum)
    }

    /// Each row less the one before it.
    pub fn deltas(&self) -> Self {
        self.map_linear(self.n, Column::deltas)
    }
}

impl<R: Ring> Shared<R> {
    /// Every row times a public factor.
    pub fn scale(&self, factor: R) -> Self {
        self.map_linear(self.n, |part| part.map(|item| item.times(factor)))
    }

    /// Each row times a public factor of its own.
    pub fn mul_public(&self, factors: &Column<R>) -> Self {
        self.map_linear(self.n, |part| part.zip(factors, R::times))
    }

    /// The column modulo 2^k of a narrower ring.
    ///
    /// # Panics
    /// If `S` is wider.
    pub fn narrow<S: Ring>(&self) -> Shared<S> {
        assert!(S::BITS <= R::BITS, "only reduction modulo a smaller power of two is local");
        self.map_linear(self.n, |part| part.map(|item| S::from_word(item.word())))
    }

    /// The sharing of `Σ f(x_j)` over the summands `x_j` of `x = x_0 + x_1 + x_2` (those that
    /// [`crate::SharedBits::split`] gives), for any `f` of public shape: each summand lies with
    /// two parties, who both apply `f` to it.
    pub fn map_summands<S: Ring>(&self, s: &Session, f: impl Fn(&Column<R>) -> Column<S>) -> Shared<S> {
        let parts = match &self.parts {
            Parts::One(_) => {
                let [a, b, c] = self.plain_summands(s).map(|summand| f(&summand));
                Parts::One([a.zip(&b, Group::plus).zip(&c, Group::plus)])
            }
            parts => parts.map(|_, part| f(part)),
        };
        Shared::from_parts(self.n, parts)
    }

    /// The summands that the oracle makes up for a value in clear.
    pub(crate) fn plain_summands(&self, s: &Session) -> [Column<R>; 3] {
        let masks = s.test_masks(self.n);
        let [a, b] = [0, 1].map(|at| Column::from_fn(self.n, |row| R::from_word(masks[at][row])));
        let c = self.parts.as_slice()[0].zip(&a, R::minus).zip(&b, R::minus);
        [a, b, c]
    }

    /// The sum of all rows: a column of length one.
    pub fn total(&self) -> Self {
        self.map_linear(1, |part| {
            Column::new(&[part.items().iter().fold(R::ZERO, |sum, item| sum.plus(*item))])
        })
    }
}

// A share is a secret.
impl<G> fmt::Debug for Shared<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shared(<{} hidden>)", self.n)
    }
}

/// A value whose products have all been checked. Only [`crate::verify`] makes one.
#[derive(Clone, Debug)]
#[must_use]
pub struct Verified<T>(pub(crate) T);

impl<T> Verified<T> {
    /// The value, for further computing.
    pub fn into_inner(self) -> T {
        self.0
    }
}
