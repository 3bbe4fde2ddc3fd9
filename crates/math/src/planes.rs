//! Bit-sliced columns: `n` rows of `w` bits as `w` planes of `n` packed bits.

use std::ops::Range;
use std::sync::LazyLock;

use buf::{Buf, Bytes};

use crate::kernel;

/// Rows that views are cut at: 512 bits, one cache line of every plane.
pub const ROW_ALIGNMENT: usize = 512;

/// Bytes of zeros that are kept: a chunk of comparisons needs no more.
const SHARED_ZEROS: usize = 1 << 18;

/// The number of words a plane of `n_rows` takes: whole cache lines as soon as it exceeds one.
pub fn words_per_plane(n_rows: usize) -> usize {
    if n_rows <= ROW_ALIGNMENT { n_rows.div_ceil(64) } else { n_rows.div_ceil(ROW_ALIGNMENT) * 8 }
}

/// The bits of plane word `word` that belong to the first `n_rows` rows.
pub fn tail_mask(word: usize, n_rows: usize) -> u64 {
    match n_rows.saturating_sub(word * 64) {
        0 => 0,
        bits @ 1..64 => (1 << bits) - 1,
        _ => u64::MAX,
    }
}

/// A bit-sliced column, read by any number of owners.
///
/// Bit `row % 64` of word `row / 64` of plane `p` is bit `p` of that row; plane
/// 0 is the least significant. Bits past the last row are unspecified: whoever
/// shows planes to somebody masks them first (see [`Planes::masked`]).
#[derive(Clone)]
pub struct Planes {
    bytes: Bytes,
    n_rows: usize,
    width: usize,
    stride: usize,
}

/// Planes under construction, dense.
pub struct PlanesMut {
    buf: Buf,
    n_rows: usize,
    width: usize,
    stride: usize,
}

impl PlanesMut {
    /// Planes with unspecified content, for callers that write every word.
    pub fn stale(n_rows: usize, width: usize) -> Self {
        let stride = words_per_plane(n_rows);
        Self { buf: Buf::stale(width * stride * 8), n_rows, width, stride }
    }

    /// Planes of zeros.
    pub fn zeroed(n_rows: usize, width: usize) -> Self {
        let stride = words_per_plane(n_rows);
        Self { buf: Buf::zeroed(width * stride * 8), n_rows, width, stride }
    }

    /// The words of one plane.
    pub fn plane_mut(&mut self, plane: usize) -> &mut [u64] {
        &mut self.buf.as_mut_slice()[plane * self.stride..(plane + 1) * self.stride]
    }

    /// All words, plane after plane, [`PlanesMut::stride`] words each.
    pub fn words_mut(&mut self) -> &mut [u64] {
        self.buf.as_mut_slice()
    }

    /// Words from one plane to the next.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The number of planes.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Gives up writing.
    pub fn freeze(self) -> Planes {
        Planes { bytes: self.buf.freeze(), n_rows: self.n_rows, width: self.width, stride: self.stride }
    }
}

impl Planes {
    /// Planes of zeros. All that are small share one memory, which stays in the cache.
    pub fn zeroed(n_rows: usize, width: usize) -> Self {
        static ZEROS: LazyLock<Bytes> = LazyLock::new(|| Buf::zeroed(SHARED_ZEROS).freeze());
        let stride = words_per_plane(n_rows);
        match width * stride * 8 {
            n_bytes @ ..=SHARED_ZEROS => Self { bytes: ZEROS.slice(0..n_bytes), n_rows, width, stride },
            _ => PlanesMut::zeroed(n_rows, width).freeze(),
        }
    }

    /// Planes whose words `write` writes, plane by plane. What it finds there is unspecified.
    pub fn build(n_rows: usize, width: usize, mut write: impl FnMut(usize, &mut [u64])) -> Self {
        let mut planes = PlanesMut::stale(n_rows, width);
        for plane in 0..width {
            write(plane, planes.plane_mut(plane));
        }
        planes.freeze()
    }

    /// Dense planes from the memory of a frame.
    ///
    /// # Panics
    /// If the buffer has another length than such planes.
    pub fn from_buf(buf: Buf, n_rows: usize, width: usize) -> Self {
        let stride = words_per_plane(n_rows);
        assert_eq!(buf.len(), width * stride * 8, "a buffer of the planes' size");
        Self { bytes: buf.freeze(), n_rows, width, stride }
    }

    /// One plane with these bits.
    pub fn from_bools(bits: &[bool]) -> Self {
        let mut planes = PlanesMut::zeroed(bits.len(), 1);
        let words = planes.plane_mut(0);
        for (row, bit) in bits.iter().enumerate() {
            words[row / 64] |= u64::from(*bit) << (row % 64);
        }
        planes.freeze()
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The number of planes: bits per row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Words from one plane to the next.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// The words of one plane; the last may hold bits past the last row.
    pub fn plane(&self, plane: usize) -> &[u64] {
        assert!(plane < self.width, "plane {plane} of {}", self.width);
        let start = plane * self.stride;
        &self.words()[start..start + words_per_plane(self.n_rows).min(self.stride)]
    }

    /// All words, plane after plane, [`Planes::stride`] words apart.
    pub fn words(&self) -> &[u64] {
        self.bytes.as_slice()
    }

    /// Bit `plane` of `row`.
    pub fn bit(&self, row: usize, plane: usize) -> bool {
        assert!(row < self.n_rows, "row {row} of {}", self.n_rows);
        self.plane(plane)[row / 64] >> (row % 64) & 1 == 1
    }

    /// The low 128 bits of `row`, zero-extended. Slow: for tests and single values.
    pub fn row(&self, row: usize) -> u128 {
        (0..self.width.min(128)).map(|plane| u128::from(self.bit(row, plane)) << plane).sum()
    }

    /// Whether the planes lie one after the other without gaps, as on the wire.
    pub fn is_dense(&self) -> bool {
        self.stride == words_per_plane(self.n_rows)
    }

    /// Dense memory for the wire: shared if these planes are dense already, else a copy.
    pub fn dense_bytes(&self) -> Bytes {
        if self.is_dense() { self.bytes.clone() } else { self.copied(|_, word| word).bytes }
    }

    /// Dense planes with zeros past the last row: what may be shown to others.
    pub fn masked(&self) -> Self {
        self.copied(|word, bits| bits & tail_mask(word, self.n_rows))
    }

    fn copied(&self, f: impl Fn(usize, u64) -> u64) -> Self {
        self.map(f)
    }

    /// Planes with `f(word index, word)` of each word.
    pub fn map(&self, f: impl Fn(usize, u64) -> u64) -> Self {
        Self::build(self.n_rows, self.width, |plane, out| {
            for (word, (out, bits)) in out.iter_mut().zip(self.plane(plane)).enumerate() {
                *out = f(word, *bits);
            }
        })
    }

    /// Planes with `f` of each pair of words.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn zip(&self, other: &Self, f: impl Fn(u64, u64) -> u64) -> Self {
        assert_eq!((self.n_rows, self.width), (other.n_rows, other.width), "planes of one shape");
        Self::build(self.n_rows, self.width, |plane, out| {
            for ((out, left), right) in out.iter_mut().zip(self.plane(plane)).zip(other.plane(plane)) {
                *out = f(*left, *right);
            }
        })
    }

    /// `self ⊕ other`.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn xor(&self, other: &Self) -> Self {
        self.xor_with(other, 0)
    }

    /// The XOR of at least two columns, in one pass.
    ///
    /// # Panics
    /// If there are fewer, or the shapes differ.
    pub fn xor_of(list: &[&Self]) -> Self {
        let [first, second, rest @ ..] = list else { panic!("a sum of two columns or more") };
        let shape = |planes: &Self| (planes.n_rows, planes.width);
        assert!(list.iter().all(|planes| shape(planes) == shape(first)), "planes of one shape");
        Self::build(first.n_rows, first.width, |plane, out| {
            kernel::xor_of(out, first.plane(plane), second.plane(plane), 0);
            rest.iter().for_each(|planes| kernel::xor_words(out, planes.plane(plane)));
        })
    }

    /// `¬(self ⊕ other)`.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn xnor(&self, other: &Self) -> Self {
        self.xor_with(other, u64::MAX)
    }

    fn xor_with(&self, other: &Self, flip: u64) -> Self {
        assert_eq!((self.n_rows, self.width), (other.n_rows, other.width), "planes of one shape");
        Self::build(self.n_rows, self.width, |plane, out| {
            kernel::xor_of(out, self.plane(plane), other.plane(plane), flip);
        })
    }

    /// A view of some planes.
    pub fn planes(&self, planes: Range<usize>) -> Self {
        assert!(planes.end <= self.width, "planes {planes:?} of {}", self.width);
        // The last plane of a view of rows ends before the stride does, and no plane comes after it.
        let [start, end] =
            [planes.start, planes.end].map(|plane| (plane * self.stride * 8).min(self.bytes.len()));
        Self {
            bytes: self.bytes.slice(start..end.max(start)),
            n_rows: self.n_rows,
            width: planes.len(),
            stride: self.stride,
        }
    }

    /// A view of the planes `first`, `first + step`, `first + 2·step`, …
    ///
    /// # Panics
    /// If `first` is past the last plane or `step` is zero.
    pub fn every(&self, first: usize, step: usize) -> Self {
        assert!(first <= self.width, "plane {first} of {}", self.width);
        let start = (first * self.stride * 8).min(self.bytes.len());
        Self {
            bytes: self.bytes.slice(start..self.bytes.len()),
            n_rows: self.n_rows,
            width: (self.width - first).div_ceil(step),
            stride: self.stride * step,
        }
    }

    /// A view of some rows, which start on a multiple of [`ROW_ALIGNMENT`].
    ///
    /// # Panics
    /// If they start elsewhere or leave the column.
    pub fn rows(&self, rows: Range<usize>) -> Self {
        assert!(rows.start.is_multiple_of(ROW_ALIGNMENT), "views start on multiples of {ROW_ALIGNMENT} rows");
        assert!(rows.end <= self.n_rows, "rows {rows:?} of {}", self.n_rows);
        let start = (rows.start / 64 * 8).min(self.bytes.len());
        Self {
            bytes: self.bytes.slice(start..self.bytes.len()),
            n_rows: rows.len(),
            width: self.width,
            stride: self.stride,
        }
    }

    /// The planes of all `parts`, one above the other: the first holds the low bits.
    ///
    /// # Panics
    /// If the numbers of rows differ, or there is no part.
    pub fn stack(parts: &[&Self]) -> Self {
        if let [one] = parts {
            return (*one).clone();
        }
        let n_rows = parts[0].n_rows;
        let width = parts.iter().map(|part| part.width).sum();
        let mut out = PlanesMut::stale(n_rows, width);
        let mut at = 0;
        for part in parts {
            assert_eq!(part.n_rows, n_rows, "stacked planes have the same rows");
            for plane in 0..part.width {
                out.plane_mut(at).copy_from_slice(part.plane(plane));
                at += 1;
            }
        }
        out.freeze()
    }

    /// One plane, repeated `width` times.
    ///
    /// # Panics
    /// If there is more than one plane already.
    pub fn broadcast(&self, width: usize) -> Self {
        assert_eq!(self.width, 1, "one plane to repeat");
        Self::build(self.n_rows, width, |_, out| out.copy_from_slice(self.plane(0)))
    }

    /// The rows of all `parts`, one after the other.
    ///
    /// # Panics
    /// If the widths differ, or there is no part.
    pub fn concat(parts: &[&Self]) -> Self {
        if let [one] = parts {
            return (*one).clone();
        }
        let width = parts[0].width;
        let n_rows = parts.iter().map(|part| part.n_rows).sum();
        let mut out = PlanesMut::zeroed(n_rows, width);
        let mut at = 0;
        for part in parts {
            assert_eq!(part.width, width, "joined rows have the same width");
            for plane in 0..width {
                append_bits(out.plane_mut(plane), at, part.plane(plane), part.n_rows);
            }
            at += part.n_rows;
        }
        out.freeze()
    }

    /// Any range of rows, copied into dense planes of their own.
    pub fn copy_rows(&self, rows: Range<usize>) -> Self {
        assert!(rows.start <= rows.end && rows.end <= self.n_rows, "rows {rows:?} of {}", self.n_rows);
        let (skip, shift) = (rows.start / 64, rows.start % 64);
        Self::build(rows.len(), self.width, |plane, out| {
            let words = self.plane(plane);
            for (word, out) in out.iter_mut().enumerate() {
                let low = words.get(skip + word).copied().unwrap_or(0);
                let high = words.get(skip + word + 1).copied().unwrap_or(0);
                *out = if shift == 0 { low } else { low >> shift | high << (64 - shift) };
                *out &= tail_mask(word, rows.len());
            }
        })
    }

    /// Each row moved down by `by`; `first` fills the rows that come free at the top.
    pub fn lag(&self, by: usize, first: bool) -> Self {
        let by = by.min(self.n_rows);
        let (skip, shift) = (by / 64, by % 64);
        Self::build(self.n_rows, self.width, |plane, out| {
            let words = self.plane(plane);
            for (word, out) in out.iter_mut().enumerate() {
                let here = word.checked_sub(skip).map_or(0, |at| words[at]);
                let below = word.checked_sub(skip + 1).map_or(0, |at| words[at]);
                let moved = if shift == 0 { here } else { here << shift | below >> (64 - shift) };
                let free = tail_mask(word, by);
                *out = if first { moved & !free | free } else { moved & !free };
            }
        })
    }

    /// The planes with row `index[row]` in each row.
    pub fn gather(&self, index: &[u32]) -> Self {
        Self::build(index.len(), self.width, |plane, out| {
            let words = self.plane(plane);
            out.fill(0);
            for (row, from) in index.iter().enumerate() {
                let bit = words[*from as usize / 64] >> (from % 64) & 1;
                out[row / 64] |= bit << (row % 64);
            }
        })
    }
}

/// Appends `n` bits to a plane that holds `at` bits and zeros after them.
fn append_bits(out: &mut [u64], at: usize, bits: &[u64], n: usize) {
    let (skip, shift) = (at / 64, at % 64);
    if shift == 0 {
        let n_words = n.div_ceil(64);
        out[skip..skip + n_words].copy_from_slice(&bits[..n_words]);
        if let Some(last) = n_words.checked_sub(1) {
            out[skip + last] &= tail_mask(last, n);
        }
        return;
    }
    // Every word is carried over alike: what the bits are, which may be a share's, steers nothing.
    for (word, bits) in bits[..n.div_ceil(64)].iter().enumerate() {
        let bits = bits & tail_mask(word, n);
        out[skip + word] |= bits << shift;
        if let Some(next) = out.get_mut(skip + word + 1) {
            *next |= bits >> (64 - shift);
        }
    }
}

// What planes hold may be a share.
impl std::fmt::Debug for Planes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Planes(<{} rows x {} bits hidden>)", self.n_rows, self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(n_rows: usize, width: usize, seed: u64) -> Planes {
        Planes::build(n_rows, width, |plane, out| {
            for (word, out) in out.iter_mut().enumerate() {
                let mixed =
                    (seed + plane as u64 * 977 + word as u64 * 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                *out = mixed ^ mixed >> 29;
            }
        })
    }

    fn rows(planes: &Planes) -> Vec<u128> {
        (0..planes.n_rows()).map(|row| planes.row(row)).collect()
    }

    #[test]
    fn rearranging_planes_is_rearranging_rows() {
        for n in [0, 1, 5, 63, 64, 65, 511, 512, 513, 1100] {
            let (a, b) = (sample(n, 7, 1), sample(n, 3, 2));
            let (va, vb) = (rows(&a), rows(&b));
            let stacked: Vec<u128> = va.iter().zip(&vb).map(|(a, b)| a | b << 7).collect();
            assert_eq!(rows(&Planes::stack(&[&a, &b])), stacked);
            assert_eq!(rows(&a.planes(2..5)), va.iter().map(|a| a >> 2 & 7).collect::<Vec<_>>());
            assert_eq!(rows(&a.masked()), va);
            let odd = |a: &u128| (0..3).map(|bit| (a >> (2 * bit + 1) & 1) << bit).sum::<u128>();
            assert_eq!(rows(&a.every(1, 2)), va.iter().map(odd).collect::<Vec<_>>());
            assert_eq!(a.every(7, 3).width(), 0);
            for m in [0, 1, 64, 700] {
                let c = sample(m, 7, 3);
                assert_eq!(rows(&Planes::concat(&[&a, &c])), [va.clone(), rows(&c)].concat());
            }
            for by in [0, 1, 63, 64, 65, 600] {
                for first in [false, true] {
                    let fill = if first { 127 } else { 0 };
                    let moved =
                        (0..n).map(|row| if row < by { fill } else { va[row - by] }).collect::<Vec<_>>();
                    assert_eq!(rows(&a.lag(by, first)), moved);
                }
            }
            let from = n / 3;
            assert_eq!(rows(&a.copy_rows(from..n)), va[from..]);
            let back: Vec<u32> = (0..n as u32).rev().collect();
            assert_eq!(rows(&a.gather(&back)), va.iter().rev().copied().collect::<Vec<_>>());
        }
    }

    #[test]
    fn row_views_share_memory_and_become_dense_on_request() {
        let a = sample(2000, 5, 9);
        let view = a.rows(1024..1500);
        assert!(!view.is_dense());
        assert_eq!(rows(&view), rows(&a)[1024..1500]);
        let dense = Planes::from_buf(Buf::copy_of(view.dense_bytes().bytes()), 476, 5);
        assert_eq!(rows(&dense), rows(&view));
        assert_eq!(rows(&view.planes(4..5)), rows(&view).iter().map(|r| r >> 4).collect::<Vec<_>>());
        assert_eq!(rows(&view.planes(1..1)), vec![0; 476]);
        assert_eq!(rows(&view.planes(5..5)), vec![0; 476], "behind the last plane");
    }

    #[test]
    fn bits_past_the_last_row_do_not_show() {
        let a = sample(70, 2, 4).masked();
        assert_eq!(a.plane(0)[1] >> 6, 0);
        assert_eq!(a.plane(1)[1] >> 6, 0);
    }
}
