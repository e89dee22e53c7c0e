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
        // SAFETY: a fresh private anonymous mapping aliases nothing.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | populate(),
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast::<u8>()).expect("the system maps nothing at address 0 unasked");
        Ok(Mapping { start, len, mapped: len, home: None })
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

#[cfg(target_os = "linux")]
fn populate() -> libc::c_int {
    libc::MAP_POPULATE
}

#[cfg(not(target_os = "linux"))]
fn populate() -> libc::c_int {
    0
}
