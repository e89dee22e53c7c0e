//! Private anonymous memory: filled once, then protected read-only, so that neither a stray store nor a file that changes
//! behind our back can undo what was verified.

use std::io;
use std::ptr::{self, NonNull};

/// One private mapping; unmapped on drop.
#[derive(Debug)]
pub(super) struct Mapping {
    start: NonNull<u8>,
    len: usize,
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
        Ok(Mapping { start, len })
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
        // SAFETY: the range is this value's own mapping.
        if unsafe { libc::mprotect(self.start.as_ptr().cast(), self.len, libc::PROT_READ) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Protected(self))
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is this value's own mapping, and no borrow of it outlives `self`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

/// A mapping that nobody can write any more.
#[derive(Debug)]
pub(super) struct Protected(Mapping);

impl Protected {
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.bytes()
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
