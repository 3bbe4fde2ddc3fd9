//! Where blocks come from: free lists by power-of-two size, shared by all threads.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::Mutex;

/// Every block starts on a multiple of this many bytes: one cache line.
pub const ALIGNMENT: usize = 64;

/// Blocks of up to 2^26 bytes are kept; larger ones go back to the system.
const N_CLASSES: usize = 27;

/// Each class keeps at most this many bytes, so that a burst is not held for ever.
const KEPT_BYTES: usize = 1 << 27;

/// Memory of one power-of-two size. Always initialised, never cleared.
pub(crate) struct Block {
    start: NonNull<u8>,
    class: usize,
}

// SAFETY: a block owns its memory alone, as `Box<[u8]>` does.
unsafe impl Send for Block {}
// SAFETY: shared access only reads.
unsafe impl Sync for Block {}

struct FreeList(Mutex<Vec<Block>>);

static FREE: [FreeList; N_CLASSES] = [const { FreeList(Mutex::new(Vec::new())) }; N_CLASSES];

impl Block {
    /// A block of at least `n_bytes`.
    pub(crate) fn take(n_bytes: usize) -> Block {
        let class = n_bytes.max(ALIGNMENT).next_power_of_two().trailing_zeros() as usize;
        if let Some(list) = FREE.get(class) {
            let mut free = list.0.lock().unwrap_or_else(|poison| poison.into_inner());
            if let Some(block) = free.pop() {
                return block;
            }
        }
        let layout = layout(class);
        // SAFETY: the layout has a size of at least one cache line.
        let start = unsafe { alloc_zeroed(layout) };
        Block { start: NonNull::new(start).unwrap_or_else(|| handle_alloc_error(layout)), class }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the block owns `1 << class` initialised bytes.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), 1 << self.class) }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `&mut self` is the only access.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), 1 << self.class) }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if let Some(list) = FREE.get(self.class) {
            let mut free = list.0.lock().unwrap_or_else(|poison| poison.into_inner());
            if (free.len() + 1) << self.class <= KEPT_BYTES {
                free.push(Block { start: self.start, class: self.class });
                return;
            }
        }
        // SAFETY: `start` came from `alloc_zeroed` with this layout and is given up here.
        unsafe { dealloc(self.start.as_ptr(), layout(self.class)) }
    }
}

fn layout(class: usize) -> Layout {
    Layout::from_size_align(1 << class, ALIGNMENT).expect("a power of two of at least one cache line")
}

/// How many bytes the pool holds for reuse.
pub fn pooled_bytes() -> usize {
    (0..N_CLASSES)
        .map(|class| FREE[class].0.lock().unwrap_or_else(|poison| poison.into_inner()).len() << class)
        .sum()
}
