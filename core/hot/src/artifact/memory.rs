//! Private anonymous memory: filled once, then protected read-only, so that neither a stray store nor a file that changes
//! behind our back can undo what was verified. Memory of images that are gone is kept for their successors.

use std::io;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, PoisonError};

/// One private mapping; unmapped on drop, unless it goes home.
#[derive(Debug)]
pub(super) struct Mapping {
    start: NonNull<u8>,
    /// Bytes in use, of those that are mapped.
    len: usize,
    mapped: usize,
    home: Option<Arc<Spares>>,
}

/// Mappings that nobody uses any more, kept for the next image of about their size: taking new memory costs more than filling it.
#[derive(Debug, Default)]
pub(super) struct Spares(Mutex<Vec<(NonNull<u8>, usize)>>);

/// Mappings kept for re-use: as many as are freed between two rounds of the reclaimer where they are small, and a few large ones.
const SPARES: usize = 8;
const SMALL_SPARES: usize = 32;
/// Bytes that more than [`SPARES`] may have together.
const SMALL: usize = 4 << 20;

// SAFETY: what is kept there belongs to nobody else.
unsafe impl Send for Spares {}
// SAFETY: as above, and it is reached through the mutex alone.
unsafe impl Sync for Spares {}

impl Spares {
    /// A writable mapping of `len` bytes, whose content is arbitrary; it comes home when it is dropped.
    pub(super) fn take(self: &Arc<Spares>, len: usize) -> io::Result<Mapping> {
        let kept = {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let fitting = kept.iter().position(|&(_, mapped)| len <= mapped && mapped / 2 <= len.max(1 << 16));
            fitting.map(|at| kept.swap_remove(at))
        };
        let mut mapping = match kept {
            Some((start, mapped)) => Mapping { start, len, mapped, home: None },
            None => Mapping::zeroed(len)?,
        };
        mapping.home = Some(self.clone());
        Ok(mapping)
    }

    /// Whether it was kept. It is made writable here, by the thread that frees, so that the promotion that takes it asks nothing of the
    /// system.
    fn keep(&self, mapping: &Mapping) -> bool {
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = {
            let kept = kept();
            let bytes = kept.iter().fold(mapping.mapped, |bytes, &(_, mapped)| bytes.saturating_add(mapped));
            kept.len() >= if bytes <= SMALL { SMALL_SPARES } else { SPARES }
        };
        if full || mapping.allow(libc::PROT_READ | libc::PROT_WRITE).is_err() {
            return false;
        }
        kept().push((mapping.start, mapping.mapped));
        true
    }
}

impl Drop for Spares {
    fn drop(&mut self) {
        for &mut (start, mapped) in self.0.get_mut().unwrap_or_else(PoisonError::into_inner) {
            // SAFETY: nobody else's mapping.
            unsafe { libc::munmap(start.as_ptr().cast(), mapped) };
        }
    }
}

// SAFETY: the mapping is owned by this value, written through `&mut self` only and never re-mapped while it lives.
unsafe impl Send for Mapping {}
// SAFETY: `&self` gives out shared slices only.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `len` zeroed bytes, at least one page; pages are taken at once, since all of them are about to be written.
    pub(super) fn zeroed(len: usize) -> io::Result<Mapping> {
        if len >= LARGE {
            return Mapping::huge(len);
        }
        let start = map(len, populate())?;
        Ok(Mapping { start, len, mapped: len, home: None })
    }

    /// [`Mapping::zeroed`] on huge pages, where the system has them to give: a look-up in a large image goes to places far apart, and then
    /// finding the page costs more than reading it.
    fn huge(len: usize) -> io::Result<Mapping> {
        let mapped = len.checked_next_multiple_of(HUGE).ok_or(io::ErrorKind::OutOfMemory)?;
        let start = map(mapped.checked_add(HUGE).ok_or(io::ErrorKind::OutOfMemory)?, 0)?;
        let before = start.as_ptr().align_offset(HUGE);
        // SAFETY: `before < HUGE`, so both ends and what is between them lie in the mapping just made; nothing points into the ends.
        let aligned = unsafe {
            let aligned = start.as_ptr().add(before);
            if before > 0 {
                libc::munmap(start.as_ptr().cast(), before);
            }
            if before < HUGE {
                libc::munmap(aligned.add(mapped).cast(), HUGE - before);
            }
            advise_huge(aligned, mapped);
            aligned
        };
        let start = NonNull::new(aligned).expect("an address within a mapping");
        Ok(Mapping { start, len, mapped, home: None })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: `start..start + len` is mapped readable and initialised for as long as `self` lives.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// The bytes, to be filled; only before [`Mapping::protect`].
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as `bytes`, and `&mut self` makes it exclusive; callers own the mapping before it is protected.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    /// Takes the right to write away and gives up `bytes_mut`.
    pub(super) fn protect(self) -> io::Result<Protected> {
        self.allow(libc::PROT_READ)?;
        Ok(Protected(self))
    }

    fn allow(&self, protection: libc::c_int) -> io::Result<()> {
        // SAFETY: the range is this value's own mapping.
        if unsafe { libc::mprotect(self.start.as_ptr().cast(), self.mapped, protection) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.home.take().is_some_and(|home| home.keep(self)) {
            return;
        }
        // SAFETY: the range is this value's own mapping, and no borrow of it outlives `self`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.mapped) };
    }
}

/// A mapping that nobody can write any more.
#[derive(Debug)]
pub(super) struct Protected(Mapping);

impl Protected {
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// Where mappings of its kind are kept for re-use.
    pub(super) fn home(&self) -> Arc<Spares> {
        self.0.home.clone().unwrap_or_default()
    }
}

/// Bytes of a huge page, and from how many on an image is laid on them: then at most a third of them is left over.
const HUGE: usize = 2 << 20;
const LARGE: usize = 2 * HUGE;

/// Maps zeroed bytes, readable and writable.
fn map(len: usize, flags: libc::c_int) -> io::Result<NonNull<u8>> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | flags);
    // SAFETY: a fresh private anonymous mapping aliases nothing.
    let start = unsafe { libc::mmap(ptr::null_mut(), len, protection, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(NonNull::new(start.cast::<u8>()).expect("the system maps nothing at address 0 unasked"))
}

/// Asks for huge pages, and for all of them now. A system that has none, or does not know the question, gives pages as they are written.
///
/// # Safety
/// The range is the caller's own mapping.
#[cfg(target_os = "linux")]
unsafe fn advise_huge(start: *mut u8, len: usize) {
    // SAFETY: the caller's promise; neither changes what is there.
    unsafe {
        libc::madvise(start.cast(), len, libc::MADV_HUGEPAGE);
        libc::madvise(start.cast(), len, libc::MADV_POPULATE_WRITE);
    }
}

#[cfg(not(target_os = "linux"))]
unsafe fn advise_huge(_: *mut u8, _: usize) {}

#[cfg(target_os = "linux")]
fn populate() -> libc::c_int {
    libc::MAP_POPULATE
}

#[cfg(not(target_os = "linux"))]
fn populate() -> libc::c_int {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_images_lie_on_whole_huge_pages_and_all_their_bytes_are_there() {
        for len in [LARGE - 1, LARGE, LARGE + 1, 3 * HUGE + 4096] {
            let mut mapping = Mapping::zeroed(len).unwrap();
            assert_eq!(mapping.bytes().len(), len);
            if len >= LARGE {
                assert_eq!((mapping.start.as_ptr().addr() % HUGE, mapping.mapped % HUGE), (0, 0));
            }
            assert!(mapping.bytes().iter().all(|&byte| byte == 0));
            mapping.bytes_mut()[len - 1] = 7;
            let protected = mapping.protect().unwrap();
            assert_eq!(protected.bytes()[len - 1], 7);
        }
    }
}
