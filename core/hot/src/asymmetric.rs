//! The asymmetric barrier for protocols of other crates: nothing on the side that must be fast, a system call on the other.
//!
//! The fast side stores, calls [`light`], and loads; the slow side stores, calls [`heavy`], and loads. At least one of them then sees what
//! the other stored, as if both had a full fence in between: see `barrier.rs`. Whoever relies on it asks [`is_available`] first.

use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::OnceLock;

use crate::barrier::{Barrier, BarrierChoice};

pub use crate::barrier::light;

/// The one of the process, which has no engine.
static BARRIER: OnceLock<Barrier> = OnceLock::new();
static FORBIDDEN: AtomicBool = AtomicBool::new(false);

fn barrier() -> &'static Barrier {
    BARRIER.get_or_init(|| Barrier::open(BarrierChoice::Auto))
}

/// No system call from now on: somebody said [`BarrierChoice::Fence`].
pub(crate) fn forbid() {
    FORBIDDEN.store(true, Relaxed);
}

/// Whether the system has the barrier, and no engine of the process was opened with [`BarrierChoice::Fence`]. The first call registers
/// the process.
pub fn is_available() -> bool {
    cfg!(loom) || !FORBIDDEN.load(Relaxed) && !barrier().is_fence()
}

/// Makes every thread of the process pass a full barrier. False where the system refuses what it granted before (a filter on system
/// calls that came later), or where an engine has forbidden it since: then only the calling thread has passed one.
pub fn heavy() -> bool {
    if cfg!(loom) || FORBIDDEN.load(Relaxed) {
        crate::primitive::fence(SeqCst);
        return cfg!(loom);
    }
    barrier().heavy()
}

/// Numbers of threads that are never used again.
static NEXT: AtomicU64 = AtomicU64::new(1);
/// The first number of this process; those below it were given to threads of the process that it was forked from.
static FIRST: AtomicU64 = AtomicU64::new(1);

#[cfg(not(loom))]
std::thread_local! {
    static NUMBER: core::cell::Cell<u64> = const { core::cell::Cell::new(0) };
}
#[cfg(loom)]
loom::thread_local! {
    static NUMBER: core::cell::Cell<u64> = core::cell::Cell::new(0);
}

/// The calling thread's number; 0: [`number_thread`] was not called on it, or it has been forked since.
#[inline(always)]
pub fn thread_number() -> u64 {
    NUMBER.with(|number| number.get())
}

/// Gives the calling thread a number, below 2^62, unless it has one. None of the process's threads, those that have ended included, and
/// none of the process that it was forked from, has the same. 0: the system has no memory to tell a fork by.
#[cold]
pub fn number_thread() -> u64 {
    if thread_number() == 0 && forks_are_told() {
        NUMBER.with(|number| number.set(NEXT.fetch_add(1, Relaxed)));
    }
    thread_number()
}

/// Whether the thread of that number belongs, or belonged, to this process, and not to one that it was forked from.
pub fn is_of_this_process(number: u64) -> bool {
    number >= FIRST.load(Relaxed)
}

/// Has a forked child forget the number of its one thread.
#[cfg(all(unix, not(loom)))]
fn forks_are_told() -> bool {
    unsafe extern "C" fn child() {
        FIRST.store(NEXT.load(Relaxed), Relaxed);
        NUMBER.with(|number| number.set(0));
    }
    static TOLD: OnceLock<bool> = OnceLock::new();
    // SAFETY: the handler touches two atomics and a thread-local word that has no destructor.
    *TOLD.get_or_init(|| unsafe { libc::pthread_atfork(None, None, Some(child)) } == 0)
}

#[cfg(any(not(unix), loom))]
fn forks_are_told() -> bool {
    true
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_given_once() {
        let own = number_thread();
        assert!(own != 0 && own == number_thread() && own == thread_number() && is_of_this_process(own));
        let mut others: Vec<u64> = (0..4).map(|_| std::thread::spawn(number_thread).join().unwrap()).collect();
        others.push(own);
        others.sort_unstable();
        others.dedup();
        assert_eq!(others.len(), 5);
    }

    #[test]
    fn a_forked_thread_is_another_one() {
        let own = number_thread();
        // SAFETY: the child calls what this crate documents as right there, and ends.
        let child = unsafe { libc::fork() };
        assert!(child >= 0);
        if child == 0 {
            let forgotten = thread_number() == 0 && !is_of_this_process(own);
            let right = forgotten && number_thread() > own && is_of_this_process(number_thread());
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(if right { 0 } else { 1 }) };
        }
        let mut status = 0;
        // SAFETY: the child is ours, and the status is a place for its own.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!((status, number_thread()), (0, own));
    }
}
