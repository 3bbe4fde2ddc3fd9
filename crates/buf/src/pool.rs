//! Where blocks come from: free lists by power-of-two size, shared by all threads.

use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::pages;

/// Every block starts on a multiple of this many bytes: one cache line.
pub const ALIGNMENT: usize = 64;

/// Blocks of up to 2^26 bytes are kept; larger ones go back to the system.
const N_CLASSES: usize = 27;

/// All classes together keep at most this many bytes, so that a burst is not held for ever: what
/// 10^7 products of 64 bits take, and three times as much.
const KEPT_BYTES: usize = 1 << 29;

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

static KEPT: AtomicUsize = AtomicUsize::new(0);

impl Block {
    /// A block of at least `n_bytes`.
    pub(crate) fn take(n_bytes: usize) -> Block {
        let class = n_bytes.max(ALIGNMENT).next_power_of_two().trailing_zeros() as usize;
        if let Some(list) = FREE.get(class) {
            let mut free = list.0.lock().unwrap_or_else(|poison| poison.into_inner());
            if let Some(block) = free.pop() {
                KEPT.fetch_sub(1 << class, Ordering::Relaxed);
                return block;
            }
        }
        Block { start: pages::zeroed(1 << class), class }
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
            let n_bytes = 1 << self.class;
            if KEPT.fetch_add(n_bytes, Ordering::Relaxed) + n_bytes <= KEPT_BYTES {
                let mut free = list.0.lock().unwrap_or_else(|poison| poison.into_inner());
                free.push(Block { start: self.start, class: self.class });
                return;
            }
            KEPT.fetch_sub(n_bytes, Ordering::Relaxed);
        }
        // SAFETY: `start` came from `zeroed` with this size and is given up here.
        unsafe { pages::give_back(self.start, 1 << self.class) }
    }
}

/// How many bytes the pool holds for reuse.
pub fn pooled_bytes() -> usize {
    KEPT.load(Ordering::Relaxed)
}
