//! Boolean sharings whose rows lie whole in memory, for steps that read rows here and there.

use std::fmt;

use buf::Buf;
use math::Records;

use crate::bits::SharedBits;
use crate::session::Session;
use crate::share::Parts;

/// Rows that one core moves at a time.
const PIECE_ROWS: usize = 1 << 13;

/// A secret column of `n` rows of `w` bits, as [`SharedBits`], row after row.
///
/// All operations here are local.
pub struct SharedRows {
    n_rows: usize,
    width: usize,
    parts: Parts<Records>,
}

impl SharedRows {
    /// The rows of `chunks`, one column after the other.
    ///
    /// # Panics
    /// If there is no chunk or the widths differ.
    pub fn of(s: &Session, chunks: &[SharedBits]) -> Self {
        let (n_rows, width) = (chunks.iter().map(SharedBits::n_rows).sum(), chunks[0].width());
        assert!(chunks.iter().all(|chunk| chunk.width() == width), "chunks of one width");
        let n_words = Records::words_per_row(width);
        let parts = chunks[0].parts().map(|part, _| {
            let mut words = Buf::stale(n_rows * n_words * 8);
            let mut rest: &mut [u64] = words.as_mut_slice();
            let mut pieces = Vec::new();
            for chunk in chunks {
                let (piece, tail) = rest.split_at_mut(chunk.n_rows() * n_words);
                pieces.push(piece);
                rest = tail;
            }
            s.for_pieces(pieces, |at, piece| {
                Records::write_planes(&chunks[at].parts().as_slice()[part], piece)
            });
            Records::from_buf(words, n_rows, width)
        });
        SharedRows { n_rows, width, parts }
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Bits per row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Puts the rows into a public order: row `i` is what row `order[i]` was.
    ///
    /// # Panics
    /// If there is no such row, or `order` is longer or shorter than the column.
    pub fn reorder(self, s: &Session, order: &[u32]) -> Self {
        let SharedRows { n_rows, width, parts } = self;
        assert_eq!(order.len(), n_rows, "an order of all rows");
        let n_words = Records::words_per_row(width);
        let mut spare = None;
        // The memory that the first part leaves is where the second goes.
        let mut reordered = |part: Records| {
            let mut words = spare.take().unwrap_or_else(|| Buf::stale(n_rows * n_words * 8));
            let pieces = words.as_mut_slice().chunks_mut((PIECE_ROWS * n_words).max(1)).collect();
            s.for_pieces(pieces, |at, out: &mut [u64]| {
                let order = &order[at * PIECE_ROWS..];
                part.gather_into(&order[..order.len().min(PIECE_ROWS)], out);
            });
            spare = Some(part.into_buf());
            Records::from_buf(words, n_rows, width)
        };
        let parts = match parts {
            Parts::Zero => Parts::Zero,
            Parts::One(one) => Parts::One(one.map(&mut reordered)),
            Parts::Two(two) => Parts::Two(two.map(&mut reordered)),
        };
        SharedRows { n_rows, width, parts }
    }

    pub(crate) fn parts(&self) -> &Parts<Records> {
        &self.parts
    }

    /// The rows `index[0]`, `index[1]`, … as planes, for public positions.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn bits_at(&self, index: &[u32]) -> SharedBits {
        SharedBits::from_parts(index.len(), self.width, self.parts.map(|_, part| part.planes_at(index)))
    }
}

// A share is a secret.
impl fmt::Debug for SharedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedRows(<{} x {} hidden>)", self.n_rows, self.width)
    }
}
