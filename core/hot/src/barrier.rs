//! The asymmetric barrier: nothing in the readers, a system call in the reclaimer.
//!
//! `membarrier` with PRIVATE_EXPEDITED returns after each running thread of the process has passed a full memory barrier; one that
//! does not run passed it when it was scheduled out. So each reader's program has a full fence at some place while [`Barrier::heavy`]
//! runs, which is all that the proof in `cell.rs` uses. Several processes that share artifacts need no more: roots and pins are each
//! process's own.
//!
//! Registration may succeed where the call later fails (a filter on system calls that comes later): then [`Barrier::heavy`] registers
//! again, and after that says no, and the engine goes over to fence mode for good.

use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::sync::atomic::{AtomicBool, AtomicU64};

use crate::mutant::Mutant::{FenceOnWriterOnly, NoBarrier};
use crate::mutant::mutated;

/// Which barrier to use between removing a root and looking at the pins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BarrierChoice {
    /// `membarrier` where it works, else full fences in the readers.
    #[default]
    Auto,
    /// Full fences in the readers: where a filter kills on `membarrier`, an emulator lies about it, or a tool must see the order. What
    /// has no engine (`asymmetric.rs`) does without it from then on.
    Fence,
}

/// The fast half: the other side's barrier makes this a full fence when it matters.
#[inline(always)]
pub fn light() {
    #[cfg(not(loom))]
    core::sync::atomic::compiler_fence(SeqCst);
    #[cfg(loom)]
    crate::model::light();
}

/// The barrier in use.
pub(crate) struct Barrier {
    fence: AtomicBool,
    issued: AtomicU64,
}

impl Barrier {
    /// Registers the process and issues the call once for real; any error means fence mode.
    pub fn open(choice: BarrierChoice) -> Barrier {
        if choice == BarrierChoice::Fence {
            crate::asymmetric::forbid();
        }
        let works = choice == BarrierChoice::Auto && system::register() && system::issue();
        Barrier { fence: AtomicBool::new(!works), issued: AtomicU64::new(0) }
    }

    /// Whether readers fence for themselves.
    pub fn is_fence(&self) -> bool {
        self.fence.load(Relaxed)
    }

    /// Barriers issued.
    pub fn issued(&self) -> u64 {
        self.issued.load(Relaxed)
    }

    /// Makes every thread pass a full barrier; false once the system refuses, and then fence mode has to begin.
    pub fn heavy(&self) -> bool {
        self.issued.fetch_add(1, Relaxed);
        if mutated(NoBarrier) {
            return true;
        }
        crate::primitive::fence(SeqCst);
        if mutated(FenceOnWriterOnly) {
            return true;
        }
        self.is_fence() || system::issue() || (system::register() && system::issue())
    }

    /// Goes over to fence mode, for good.
    pub fn fall_back(&self) {
        self.fence.store(true, Relaxed);
        crate::primitive::fence(SeqCst);
    }
}

#[cfg(target_os = "linux")]
mod system {
    const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;

    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: the call takes numbers only.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }

    pub fn register() -> bool {
        membarrier(REGISTER_PRIVATE_EXPEDITED)
    }

    pub fn issue() -> bool {
        membarrier(PRIVATE_EXPEDITED)
    }
}

#[cfg(all(test, not(loom)))]
mod litmus;

#[cfg(not(target_os = "linux"))]
mod system {
    pub fn register() -> bool {
        false
    }

    pub fn issue() -> bool {
        false
    }
}
