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

/// A number of the calling thread, below 2^62 and not 0. No two threads that run at once have the same, nor has one of the process that this
/// one was forked from. A thread may have that of one that has ended before it began: what that one did comes before all that it does.
///
/// On x86-64 it is the address that the ABI keeps at `fs:0`, the thread's control block (System V ABI for AMD64, 3.4.6), which is read without the
/// call that a thread-local of a shared library costs. The system gives it to a new thread only after it has seen the old one end.
#[inline(always)]
pub fn thread_number() -> u64 {
    of_system::thread() | FORKS.load(Relaxed)
}

/// Forks that this process descends from since they are counted, above the bits of a thread's own number.
static FORKS: AtomicU64 = AtomicU64::new(0);
const FORK: u64 = 1 << 47;
const MOST_FORKS: u64 = (1 << 62) - FORK;

/// [`thread_number`], once forks are counted; 0: the system has no memory to count them by.
#[cold]
pub fn number_thread() -> u64 {
    if of_system::forks_are_counted() { thread_number() } else { 0 }
}

/// Whether the thread of that number belongs, or belonged, to this process, and not to one that it was forked from.
pub fn is_of_this_process(number: u64) -> bool {
    number & MOST_FORKS == FORKS.load(Relaxed)
}

#[cfg(not(loom))]
mod of_system {
    use super::{FORK, FORKS, MOST_FORKS, Relaxed};
    use std::sync::OnceLock;

    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    #[inline(always)]
    pub fn thread() -> u64 {
        let block: u64;
        // SAFETY: the ABI has the block's own address there in every thread.
        unsafe { core::arch::asm!("mov {}, fs:0", out(reg) block, options(pure, readonly, nostack, preserves_flags)) };
        block
    }

    #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
    #[inline(always)]
    pub fn thread() -> u64 {
        std::thread_local!(static HERE: u8 = const { 0 });
        HERE.with(|here| core::ptr::from_ref(here) as u64)
    }

    pub fn forks_are_counted() -> bool {
        unsafe extern "C" fn child() {
            FORKS.store((FORKS.load(Relaxed) + FORK) & MOST_FORKS, Relaxed);
        }
        static COUNTED: OnceLock<bool> = OnceLock::new();
        // SAFETY: the handler touches one atomic.
        *COUNTED.get_or_init(|| unsafe { libc::pthread_atfork(None, None, Some(child)) } == 0)
    }
}

#[cfg(loom)]
mod of_system {
    use super::{AtomicU64, Relaxed};

    static NEXT: AtomicU64 = AtomicU64::new(1);
    loom::thread_local! {
        static NUMBER: u64 = NEXT.fetch_add(1, Relaxed) % super::FORK;
    }

    pub fn thread() -> u64 {
        NUMBER.with(|number| *number)
    }

    pub fn forks_are_counted() -> bool {
        true
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn no_two_threads_have_the_same_number_at_once() {
        let own = number_thread();
        assert!(own != 0 && own < 1 << 62 && own == thread_number() && is_of_this_process(own));
        let all_there = std::sync::Barrier::new(4);
        let mut numbers: Vec<u64> = std::thread::scope(|scope| {
            let number = || {
                all_there.wait();
                let number = number_thread();
                all_there.wait();
                number
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(number)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        numbers.push(own);
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 5);
    }

    #[test]
    fn a_forked_thread_is_another_one() {
        let own = number_thread();
        // SAFETY: the child calls what this crate documents as right there, and ends.
        let child = unsafe { libc::fork() };
        assert!(child >= 0);
        if child == 0 {
            let other = number_thread() != own && thread_number() == number_thread();
            let right = other && !is_of_this_process(own) && is_of_this_process(thread_number());
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(if right { 0 } else { 1 }) };
        }
        let mut status = 0;
        // SAFETY: the child is ours, and the status is a place for its own.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!((status, number_thread()), (0, own));
    }
}
