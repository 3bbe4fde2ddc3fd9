//! Fresh memory of zeros. Larger blocks come straight from the system, whose pages are zeros
//! already and take no room before they are touched: of a block, no more than what a column uses.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

use crate::pool::ALIGNMENT;

/// Blocks from this size on are pages of their own.
#[cfg(target_os = "linux")]
const MAPPED_BYTES: usize = 1 << 17;

/// Blocks from this size on ask for huge pages, of which a fault each is 512 times fewer.
#[cfg(target_os = "linux")]
const HUGE_BYTES: usize = 1 << 21;

/// `n_bytes` zeros on a cache line.
pub(crate) fn zeroed(n_bytes: usize) -> NonNull<u8> {
    #[cfg(target_os = "linux")]
    if n_bytes >= MAPPED_BYTES {
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: new private pages, wherever the system puts them, touch no memory of ours.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), n_bytes, access, kind, -1, 0) };
        if start == libc::MAP_FAILED {
            handle_alloc_error(layout(n_bytes));
        }
        if n_bytes >= HUGE_BYTES {
            // SAFETY: the pages are ours. It is only advice: whether it is taken does not matter.
            unsafe { libc::madvise(start, n_bytes, libc::MADV_HUGEPAGE) };
        }
        return NonNull::new(start.cast()).expect("the system maps nothing at zero");
    }
    let layout = layout(n_bytes);
    // SAFETY: the layout has a size of at least one cache line.
    NonNull::new(unsafe { alloc_zeroed(layout) }).unwrap_or_else(|| handle_alloc_error(layout))
}

/// Frees memory.
///
/// # Safety
/// `start` came from [`zeroed`] with this size, and nothing refers to it any more.
pub(crate) unsafe fn give_back(start: NonNull<u8>, n_bytes: usize) {
    #[cfg(target_os = "linux")]
    if n_bytes >= MAPPED_BYTES {
        // SAFETY: the caller gives up pages that were mapped with this size.
        unsafe { libc::munmap(start.as_ptr().cast(), n_bytes) };
        return;
    }
    // SAFETY: the caller gives up what was allocated with this layout.
    unsafe { dealloc(start.as_ptr(), layout(n_bytes)) }
}

fn layout(n_bytes: usize) -> Layout {
    Layout::from_size_align(n_bytes, ALIGNMENT).expect("a power of two of at least one cache line")
}
