//! One engine's hot line and reader lines, in memory whose address tells the hot line's.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::error::HotError;
use crate::layout::{HotLine, REGION};
use crate::registry::ReaderCell;

/// Where the reader cells begin: behind the hot line and the lines that the processor fetches with it.
const FIRST: usize = 256;

/// Reserved address space; a page of it costs memory when it is first used.
pub(crate) struct Region {
    base: NonNull<u8>,
    used: AtomicUsize,
}

// SAFETY: an address range; what lies in it is atomic or under the registry's lock.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    pub fn new(hot: HotLine) -> Result<Region, HotError> {
        // SAFETY: a fresh private mapping, of which the parts outside the aligned middle are given back.
        unsafe {
            let (protection, flags) =
                (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE);
            let at = libc::mmap(core::ptr::null_mut(), 2 * REGION, protection, flags, -1, 0);
            if at == libc::MAP_FAILED {
                return Err(HotError::os("mmap"));
            }
            let at = at.cast::<u8>();
            let before = at.align_offset(REGION);
            if before != 0 {
                libc::munmap(at.cast(), before);
            }
            libc::munmap(at.add(before + REGION).cast(), REGION - before);
            let base = NonNull::new(at.add(before)).expect("mmap never returns address 0 unasked");
            base.cast::<HotLine>().write(hot);
            Ok(Region { base, used: AtomicUsize::new(FIRST) })
        }
    }

    pub fn hot(&self) -> &HotLine {
        // SAFETY: written in `new`, at the region's aligned beginning.
        unsafe { self.base.cast().as_ref() }
    }

    /// Room for one more reader, never given back before the region.
    pub fn reader(&self) -> Result<NonNull<ReaderCell>, HotError> {
        let at = self.used.load(Relaxed);
        if at + size_of::<ReaderCell>() > REGION {
            return Err(HotError::TooManyReaders((REGION - FIRST) / size_of::<ReaderCell>()));
        }
        self.used.store(at + size_of::<ReaderCell>(), Relaxed);
        // SAFETY: inside the region, and aligned as the cell's size is a multiple of its alignment.
        Ok(unsafe { self.base.add(at) }.cast())
    }
}

const _: () = assert!(FIRST.is_multiple_of(align_of::<ReaderCell>()));

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: our own mapping; the engine is gone.
        unsafe { libc::munmap(self.base.as_ptr().cast(), REGION) };
    }
}
