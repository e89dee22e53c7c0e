//! Keeps the program's signal handlers off the library's threads.

use std::mem::MaybeUninit;

/// Blocks the signals that a process sends or is sent, for the calling thread and for the threads it starts meanwhile; faults of a thread's
/// own and profiling stay as they are.
pub(crate) struct Blocked {
    before: libc::sigset_t,
}

/// What stays: a blocked fault would kill without a handler, and a profiler wants to see the library, too.
const STAYING: [libc::c_int; 7] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGPROF];

impl Blocked {
    pub(crate) fn new() -> Blocked {
        let mut signals = MaybeUninit::<libc::sigset_t>::zeroed();
        let mut before = MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: both sets are writable, and zeroed ones are sets. The calls fail on invalid numbers only.
        unsafe {
            libc::sigfillset(signals.as_mut_ptr());
            for signal in STAYING {
                libc::sigdelset(signals.as_mut_ptr(), signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, signals.as_ptr(), before.as_mut_ptr());
            Blocked { before: before.assume_init() }
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: the mask that this thread had before.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut()) };
    }
}
