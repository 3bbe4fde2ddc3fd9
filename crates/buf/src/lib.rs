//! Aligned, pooled, shared byte buffers: what a column lives in and what a frame carries.
//!
//! Never knows rings, frames or shares.
//!
//! A [`Buf`] is owned by one writer and starts on a cache line. Frozen into
//! [`Bytes`], it is read by any number of owners, and views of it cost nothing.
//! Memory goes back to a process-wide pool of power-of-two classes, since page
//! faults on fresh memory cost more than the arithmetic on it.

mod pages;
mod pool;

use std::ops::Range;
use std::sync::Arc;

use bytemuck::Pod;

use pool::Block;
pub use pool::{ALIGNMENT, pooled_bytes};

/// A writable buffer with one owner, aligned to a cache line.
pub struct Buf {
    block: Block,
    n_bytes: usize,
}

impl Buf {
    /// A buffer of `n_bytes` whose content is unspecified (but initialised):
    /// for callers that write every byte.
    pub fn stale(n_bytes: usize) -> Self {
        Buf { block: Block::take(n_bytes), n_bytes }
    }

    /// A buffer of `n_bytes` zero bytes.
    pub fn zeroed(n_bytes: usize) -> Self {
        let mut buf = Buf::stale(n_bytes);
        buf.bytes_mut().fill(0);
        buf
    }

    /// A buffer that holds a copy of `items`.
    pub fn copy_of<T: Pod>(items: &[T]) -> Self {
        let mut buf = Buf::stale(size_of_val(items));
        buf.bytes_mut().copy_from_slice(bytemuck::cast_slice(items));
        buf
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.n_bytes
    }

    /// Whether the buffer holds no byte.
    pub fn is_empty(&self) -> bool {
        self.n_bytes == 0
    }

    /// The content as bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.block.bytes()[..self.n_bytes]
    }

    /// The content as writable bytes.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.block.bytes_mut()[..self.n_bytes]
    }

    /// The content as elements.
    ///
    /// # Panics
    /// If the length is no multiple of `T`'s size.
    pub fn as_slice<T: Pod>(&self) -> &[T] {
        bytemuck::cast_slice(self.bytes())
    }

    /// The content as writable elements.
    ///
    /// # Panics
    /// If the length is no multiple of `T`'s size.
    pub fn as_mut_slice<T: Pod>(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(self.bytes_mut())
    }

    /// Shortens the buffer to its first `n_bytes`.
    ///
    /// # Panics
    /// If it is shorter already.
    pub fn truncate(&mut self, n_bytes: usize) {
        assert!(n_bytes <= self.n_bytes, "a buffer only gets shorter");
        self.n_bytes = n_bytes;
    }

    /// Gives up writing; the result is shared without copies.
    pub fn freeze(self) -> Bytes {
        let n_bytes = self.n_bytes;
        Bytes { block: Arc::new(self.block), range: 0..n_bytes }
    }
}

/// A shared, read-only view of a buffer. Cloning and slicing copy nothing.
#[derive(Clone)]
pub struct Bytes {
    block: Arc<Block>,
    range: Range<usize>,
}

impl Bytes {
    /// A view of no bytes.
    pub fn empty() -> Self {
        Buf::stale(0).freeze()
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether the view holds no byte.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// The content as bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.block.bytes()[self.range.clone()]
    }

    /// The content as elements.
    ///
    /// # Panics
    /// If the length is no multiple of `T`'s size, or the view starts between
    /// two elements.
    pub fn as_slice<T: Pod>(&self) -> &[T] {
        bytemuck::cast_slice(self.bytes())
    }

    /// A view of part of this view.
    ///
    /// # Panics
    /// If `range` leaves it.
    pub fn slice(&self, range: Range<usize>) -> Bytes {
        assert!(range.start <= range.end && range.end <= self.len(), "a slice leaves its buffer");
        let start = self.range.start + range.start;
        Bytes { block: Arc::clone(&self.block), range: start..start + range.len() }
    }

    /// The content as elements that may be written, if nobody else reads them.
    pub fn as_mut_slice<T: Pod>(&mut self) -> Option<&mut [T]> {
        let range = self.range.clone();
        Arc::get_mut(&mut self.block).map(|block| bytemuck::cast_slice_mut(&mut block.bytes_mut()[range]))
    }
}

// What a buffer holds is nobody's business: shares live here.
impl std::fmt::Debug for Buf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buf(<{} bytes hidden>)", self.n_bytes)
    }
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bytes(<{} bytes hidden>)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_start_on_a_cache_line_and_come_back_from_the_pool() {
        for n in [0, 1, 63, 64, 65, 4096, 1 << 20] {
            let mut buf = Buf::stale(n);
            assert_eq!(buf.len(), n);
            assert_eq!(buf.bytes().as_ptr() as usize % ALIGNMENT, 0);
            buf.bytes_mut().fill(7);
            drop(buf);
            assert!(Buf::zeroed(n).bytes().iter().all(|b| *b == 0));
        }
    }

    /// Larger blocks are pages that nothing has been written to.
    #[test]
    fn fresh_blocks_of_every_size_are_zeros_to_write() {
        for class in 6..24 {
            let n_bytes = 1 << class;
            let start = pages::zeroed(n_bytes);
            // SAFETY: the block was just made with this size, and is given back below.
            let bytes = unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), n_bytes) };
            assert!(bytes.iter().all(|byte| *byte == 0), "{n_bytes}");
            bytes.fill(1);
            // SAFETY: as above; nothing refers to it any more.
            unsafe { pages::give_back(start, n_bytes) };
        }
    }

    #[test]
    fn the_pool_keeps_no_more_than_its_share() {
        let burst: Vec<Buf> = (0..40).map(|_| Buf::stale(1 << 24)).collect();
        drop(burst);
        assert!((1 << 24..=1 << 29).contains(&pooled_bytes()), "{}", pooled_bytes());
    }

    #[test]
    fn views_share_and_slices_nest() {
        let bytes = Buf::copy_of(&[1u64, 2, 3, 4]).freeze();
        let tail = bytes.slice(8..32).slice(8..24);
        assert_eq!(tail.as_slice::<u64>(), [3, 4]);
        assert_eq!(bytes.as_slice::<u64>(), [1, 2, 3, 4]);
    }

    #[test]
    fn only_a_lone_owner_writes() {
        let mut bytes = Buf::copy_of(&[1u32]).freeze();
        let other = bytes.clone();
        assert!(bytes.as_mut_slice::<u32>().is_none());
        drop(other);
        bytes.as_mut_slice::<u32>().expect("one owner")[0] = 5;
        assert_eq!(bytes.as_slice::<u32>(), [5]);
    }

    #[test]
    fn debug_hides_the_content() {
        assert_eq!(format!("{:?}", Buf::copy_of(b"secret")), "Buf(<6 bytes hidden>)");
    }
}
