//! Memory that a forked child finds wiped, and what it is for.
//!
//! A child has the one thread that forked; whatever lock another thread held stays locked, and whatever it was changing is half changed.
//! So a child decides by a word in wiped memory, before any lock: reads go on, on its private copy of lines, roots and artifacts, none
//! of which anyone frees; everything else is refused, and dropping leaks. The current root is whole in the copy, because a fork copies one
//! state of memory and a root is complete before it is published.

use core::ptr::NonNull;

use crate::error::HotError;

/// Anonymous memory, zero at first and zero again in a forked child.
pub(crate) struct Wiped {
    at: NonNull<u8>,
    len: usize,
    wiped: bool,
}

// SAFETY: an address range; whoever uses it keeps the order.
unsafe impl Send for Wiped {}
// SAFETY: as above.
unsafe impl Sync for Wiped {}

impl Wiped {
    pub fn new(len: usize) -> Result<Wiped, HotError> {
        // SAFETY: a fresh private mapping.
        let at = unsafe {
            libc::mmap(
                core::ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if at == libc::MAP_FAILED {
            return Err(HotError::os("mmap"));
        }
        #[cfg(target_os = "linux")]
        // SAFETY: our own mapping.
        let wiped = unsafe { libc::madvise(at, len, libc::MADV_WIPEONFORK) } == 0;
        #[cfg(not(target_os = "linux"))]
        let wiped = false;
        Ok(Wiped { at: NonNull::new(at.cast()).expect("mmap never returns address 0 unasked"), len, wiped })
    }

    pub fn at(&self) -> NonNull<u8> {
        self.at
    }

    /// Whether the kernel took the advice.
    pub fn is_wiped_on_fork(&self) -> bool {
        self.wiped
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        // SAFETY: our own mapping, no longer used.
        unsafe { libc::munmap(self.at.as_ptr().cast(), self.len) };
    }
}

/// Tells whether this process is a child of the one that opened the engine, without a system call where the kernel helps.
pub(crate) struct ForkWord {
    page: Wiped,
    process: libc::pid_t,
}

impl ForkWord {
    pub fn new() -> Result<ForkWord, HotError> {
        let page = Wiped::new(4096)?;
        // SAFETY: the page is ours and writable.
        unsafe { page.at().cast::<u64>().write(1) };
        // SAFETY: no precondition.
        Ok(ForkWord { page, process: unsafe { libc::getpid() } })
    }

    pub fn is_forked(&self) -> bool {
        if self.page.is_wiped_on_fork() {
            // SAFETY: the page is ours; nobody writes it after `new`, except the kernel before the child runs.
            unsafe { self.page.at().cast::<u64>().read_volatile() == 0 }
        } else {
            // SAFETY: no precondition.
            unsafe { libc::getpid() != self.process }
        }
    }
}
