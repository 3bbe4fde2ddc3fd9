//! A column of group elements: shared memory, cheap to clone and to slice.

use std::marker::PhantomData;
use std::ops::Range;

use buf::{Buf, Bytes};

use crate::group::Group;

/// `n` elements of `G`, read by any number of owners.
#[derive(Clone)]
pub struct Column<G> {
    bytes: Bytes,
    element: PhantomData<G>,
}

impl<G: Group> Column<G> {
    /// The column with these elements.
    pub fn new(items: &[G]) -> Self {
        Buf::copy_of(items).into()
    }

    /// A column of `n` copies of `value`.
    pub fn filled(n: usize, value: G) -> Self {
        Self::build(n, |out| out.fill(value))
    }

    /// A column of `n` elements, all of which `write` writes. What it finds there is unspecified.
    pub fn build(n: usize, write: impl FnOnce(&mut [G])) -> Self {
        let mut buf = Buf::stale(n * G::BYTES);
        write(buf.as_mut_slice());
        buf.into()
    }

    /// The column with element `f(row)` in each of `n` rows.
    pub fn from_fn(n: usize, mut f: impl FnMut(usize) -> G) -> Self {
        Self::build(n, |out| out.iter_mut().enumerate().for_each(|(row, out)| *out = f(row)))
    }

    /// The column whose elements lie in `bytes`, without copying.
    ///
    /// # Panics
    /// If the length is no multiple of an element's.
    pub fn of_bytes(bytes: Bytes) -> Self {
        assert!(bytes.len().is_multiple_of(G::BYTES), "a whole number of elements");
        Self { bytes, element: PhantomData }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.bytes.len() / G::BYTES
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The elements.
    pub fn items(&self) -> &[G] {
        self.bytes.as_slice()
    }

    /// The memory behind the column, for the wire.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// A view of some rows.
    pub fn rows(&self, rows: Range<usize>) -> Self {
        Self { bytes: self.bytes.slice(rows.start * G::BYTES..rows.end * G::BYTES), element: PhantomData }
    }

    /// The rows of all `parts`, one after the other.
    pub fn concat(parts: &[&Self]) -> Self {
        if let [one] = parts {
            return (*one).clone();
        }
        Self::build(parts.iter().map(|part| part.len()).sum(), |mut out| {
            for part in parts {
                let (head, tail) = out.split_at_mut(part.len());
                head.copy_from_slice(part.items());
                out = tail;
            }
        })
    }

    /// The column with `self[index[row]]` in each row.
    pub fn gather(&self, index: &[u32]) -> Self {
        let items = self.items();
        Self::build(index.len(), |out| {
            for (out, from) in out.iter_mut().zip(index) {
                *out = items[*from as usize];
            }
        })
    }

    /// The column whose row `to[row]` is `self[row]`, for a permutation `to`.
    pub fn scatter(&self, to: &[u32]) -> Self {
        assert_eq!(to.len(), self.len(), "a permutation as long as the column");
        let items = self.items();
        Self::build(to.len(), |out| {
            for (item, to) in items.iter().zip(to) {
                out[*to as usize] = *item;
            }
        })
    }

    /// The column with `f` of each element.
    pub fn map<H: Group>(&self, mut f: impl FnMut(G) -> H) -> Column<H> {
        let items = self.items();
        Column::build(items.len(), |out: &mut [H]| {
            for (out, item) in out.iter_mut().zip(items) {
                *out = f(*item);
            }
        })
    }

    /// The column with `f` of each pair of elements.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn zip<H: Group, K: Group>(&self, other: &Column<H>, mut f: impl FnMut(G, H) -> K) -> Column<K> {
        let (left, right) = (self.items(), other.items());
        assert_eq!(left.len(), right.len(), "columns of one length");
        Column::build(left.len(), |out: &mut [K]| {
            for ((out, left), right) in out.iter_mut().zip(left).zip(right) {
                *out = f(*left, *right);
            }
        })
    }

    /// Running totals: row `i` holds the sum of rows `0..=i`.
    pub fn prefix_sum(&self) -> Self {
        let mut total = G::ZERO;
        self.map(|item| {
            total = total.plus(item);
            total
        })
    }

    /// Each row less the one before it; the first row stays. Undoes [`Column::prefix_sum`].
    pub fn deltas(&self) -> Self {
        let mut before = G::ZERO;
        self.map(|item| {
            let delta = item.minus(before);
            before = item;
            delta
        })
    }
}

impl<G: Group> From<Buf> for Column<G> {
    /// The column whose elements the buffer holds.
    ///
    /// # Panics
    /// If the buffer's length is no multiple of an element's.
    fn from(buf: Buf) -> Self {
        Self::of_bytes(buf.freeze())
    }
}

// What a column holds may be a share.
impl<G> std::fmt::Debug for Column<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Column(<{} bytes hidden>)", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::{X8, Z32};

    #[test]
    fn views_and_rearrangements() {
        let c = Column::from_fn(6, |row| Z32(row as u32 * 10));
        assert_eq!(c.rows(2..4).items(), [Z32(20), Z32(30)]);
        assert_eq!(c.gather(&[5, 0]).items(), [Z32(50), Z32(0)]);
        assert_eq!(c.rows(0..3).scatter(&[2, 0, 1]).items(), [Z32(10), Z32(20), Z32(0)]);
        assert_eq!(Column::concat(&[&c.rows(0..1), &c.rows(5..6)]).items(), [Z32(0), Z32(50)]);
        assert_eq!(c.rows(3..3).len(), 0);
    }

    #[test]
    fn deltas_undo_prefix_sums() {
        let c = Column::new(&[Z32(3), Z32(u32::MAX), Z32(7)]);
        assert_eq!(c.prefix_sum().items(), [Z32(3), Z32(2), Z32(9)]);
        assert_eq!(c.prefix_sum().deltas().items(), c.items());
        let bits = Column::new(&[X8(1), X8(3), X8(1)]);
        assert_eq!(bits.prefix_sum().items(), [X8(1), X8(2), X8(3)]);
    }
}
