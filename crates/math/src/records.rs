//! Rows of bits that lie whole in memory, a few words each: what is read together lies together.
//!
//! Planes are for arithmetic on all rows; records are for reading rows here and
//! there, by public positions. A [`Tile`] turns them into planes on their way into
//! the cache.

use buf::Buf;

use crate::group::X64;
use crate::kernel::Line;
use crate::planes::{Planes, PlanesMut};
use crate::transpose::{TILE_ROWS, planes_to_rows, transpose_rows};

/// Rows that are written at a time: a word of each takes 32 kB.
const BLOCK_ROWS: usize = 4096;

/// Tiles that are written to planes together.
const TILES: usize = 4;

/// `n` rows of `w` bits: bit `b` of a row is bit `b % 64` of its word `b / 64`.
pub struct Records {
    words: Buf,
    n_rows: usize,
    width: usize,
}

impl Records {
    /// Words of a record of `width` bits.
    pub fn words_per_row(width: usize) -> usize {
        width.div_ceil(64)
    }

    /// Records whose words are these, row after row.
    ///
    /// # Panics
    /// If the buffer has another length.
    pub fn from_buf(words: Buf, n_rows: usize, width: usize) -> Self {
        assert_eq!(words.len(), n_rows * Self::words_per_row(width) * 8, "a buffer of the records' size");
        Records { words, n_rows, width }
    }

    /// The words, row after row: undoes [`Records::from_buf`].
    pub fn into_buf(self) -> Buf {
        self.words
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Bits per row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Writes the rows of planes as records.
    ///
    /// # Panics
    /// If `out` has another length than their words.
    pub fn write_planes(planes: &Planes, out: &mut [u64]) {
        let (n_rows, width) = (planes.n_rows(), planes.width());
        let n_words = Self::words_per_row(width);
        assert_eq!(out.len(), n_rows * n_words, "room for every row");
        let mut turned = [X64(0); BLOCK_ROWS];
        for start in (0..n_rows).step_by(BLOCK_ROWS) {
            let turned = &mut turned[..BLOCK_ROWS.min(n_rows - start)];
            let out = &mut out[start * n_words..][..turned.len() * n_words];
            for word in 0..n_words {
                let bits = word * 64..width.min(word * 64 + 64);
                let from = &planes.words()[bits.start * planes.stride() + start / 64..];
                planes_to_rows(from, planes.stride(), bits.len(), turned);
                for (record, turned) in out.chunks_exact_mut(n_words).zip(&*turned) {
                    record[word] = turned.0;
                }
            }
        }
    }

    /// Writes the words of row `index[i]` as record `i`.
    ///
    /// # Panics
    /// If there is no such row, or `out` has another length than as many records.
    pub fn gather_into(&self, index: &[u32], out: &mut [u64]) {
        let n_words = Self::words_per_row(self.width);
        assert_eq!(out.len(), index.len() * n_words, "room for every row");
        let words: &[u64] = self.words.as_slice();
        for (out, row) in out.chunks_exact_mut(n_words.max(1)).zip(index) {
            // Word by word: a call to copy so few takes longer than copying them.
            for (out, word) in out.iter_mut().zip(&words[*row as usize * n_words..][..n_words]) {
                *out = *word;
            }
        }
    }

    /// The rows `index[0]`, `index[1]`, … as planes.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn planes_at(&self, index: &[u32]) -> Planes {
        let mut planes = PlanesMut::stale(index.len(), self.width);
        let stride = planes.stride();
        // Planes lie pages apart: some lines of one at a time, before the next.
        let mut tiles = [(); TILES].map(|()| Tile::new(self.width));
        for (at, index) in index.chunks(TILES * TILE_ROWS).enumerate() {
            for (tile, index) in tiles.iter_mut().zip(index.chunks(TILE_ROWS)) {
                tile.read(self, index);
            }
            for (plane, out) in planes.words_mut().chunks_exact_mut(stride.max(1)).enumerate() {
                let out = &mut out[at * TILES * 8..];
                let (whole, rest) = out.as_chunks_mut::<8>();
                let n_whole = whole.len().min(TILES);
                for (out, tile) in whole.iter_mut().zip(&tiles) {
                    *out = tile.lines[plane];
                }
                if n_whole < TILES && !rest.is_empty() {
                    rest.copy_from_slice(&tiles[n_whole].lines[plane][..rest.len()]);
                }
            }
        }
        planes.freeze()
    }
}

/// Up to 512 rows as lines of planes, in memory that stays in the cache.
pub struct Tile {
    lines: Vec<Line>,
    width: usize,
}

impl Tile {
    /// Room for rows of `width` bits.
    pub fn new(width: usize) -> Self {
        Tile { lines: vec![[0; 8]; Records::words_per_row(width) * 64], width }
    }

    /// The rows `index[0]`, `index[1]`, … of `records`: a line for each bit, zeros past the last row.
    ///
    /// # Panics
    /// If there are more than 512, or no such row, or the records have another width.
    pub fn read(&mut self, records: &Records, index: &[u32]) -> &[Line] {
        assert_eq!(records.width, self.width, "records of the tile's width");
        assert!(index.len() <= TILE_ROWS, "no more rows than a tile has");
        let n_words = Records::words_per_row(self.width);
        let words: &[u64] = records.words.as_slice();
        let same = index.len() == TILE_ROWS && index.iter().all(|row| *row == index[0]);
        for (word, lines) in self.lines.as_chunks_mut().0.iter_mut().enumerate() {
            if same {
                // One row many times over: each of its planes is all zeros or all ones.
                let row = words[index[0] as usize * n_words + word];
                for (bit, line) in lines.iter_mut().enumerate() {
                    *line = [(row >> bit & 1).wrapping_neg(); 8];
                }
            } else {
                let of = |from: u32| words[from as usize * n_words + word];
                let rows: [u64; TILE_ROWS] = match index.first_chunk::<TILE_ROWS>() {
                    Some(index) => std::array::from_fn(|row| of(index[row])),
                    None => std::array::from_fn(|row| index.get(row).map_or(0, |from| of(*from))),
                };
                transpose_rows(&rows, lines, (self.width - word * 64).min(64));
            }
        }
        &self.lines[..self.width]
    }
}

// What records hold may be a share.
impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Records(<{} rows x {} bits hidden>)", self.n_rows, self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prg::Prg;

    #[test]
    fn rows_are_found_where_they_are_asked_for() {
        for (n, width) in [(1, 1), (70, 64), (600, 65), (5000, 20), (4097, 315), (3, 0)] {
            let planes =
                Planes::build(n, width, |plane, out| Prg::new(&[plane as u8; 16]).fill_items(0, out));
            let mut words = Buf::stale(n * Records::words_per_row(width) * 8);
            Records::write_planes(&planes, words.as_mut_slice());
            let records = Records::from_buf(words, n, width);
            let mut index = Prg::new(&[77; 16]).permutation(n);
            index.extend(std::iter::repeat_n(n as u32 / 2, 3 * TILE_ROWS));
            let expected = planes.gather(&index);
            let same = |found: &Planes| {
                assert_eq!((found.n_rows(), found.width()), (index.len(), width));
                for plane in 0..width {
                    assert_eq!(found.masked().plane(plane), expected.masked().plane(plane), "{n} x {width}");
                }
            };
            same(&records.planes_at(&index));
            let mut gathered = Buf::stale(index.len() * Records::words_per_row(width) * 8);
            records.gather_into(&index, gathered.as_mut_slice());
            let all: Vec<u32> = (0..index.len() as u32).collect();
            same(&Records::from_buf(gathered, index.len(), width).planes_at(&all));
        }
    }
}
