//! What the loom models see of the crate's inside: the same source as the product, without its system calls.

use core::ptr::null;
use std::alloc::{Layout, alloc};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use crate::layout::{HotLine, REGION, ReaderLine};
use crate::primitive::AtomicU64;
use crate::registry::{ReaderCell, slow_begin};

pub use crate::cell::Generation;
pub use crate::reclaim::{Protected, is_held};

static READER_FENCES: AtomicBool = AtomicBool::new(false);

/// Whether the fast path's compiler barrier is a full fence, as in the model of seq_cst fences.
pub fn readers_fence(fence: bool) {
    READER_FENCES.store(fence, Relaxed);
}

pub(crate) fn light() {
    if READER_FENCES.load(Relaxed) {
        loom::sync::atomic::fence(loom::sync::atomic::Ordering::SeqCst);
    }
}

/// Publishes.
pub fn publish(hot: &HotLine, next: &Generation) {
    hot.publish(next);
}

/// Starts a canary on the line.
pub fn choose(hot: &HotLine, limit: u64, salt: u64) {
    hot.choose(limit, salt);
}

/// Closes the gates, as the fallback does.
pub fn shut(hot: &HotLine) {
    hot.shut();
}

/// A place in a reader's program where the barrier can be forced.
pub fn reading() {
    crate::mutant::step(crate::mutant::Step::Reading);
}

/// Takes and releases holds, as [`crate::Hold`] does.
pub fn take_hold(holds: &AtomicU64) {
    crate::hold::take(holds);
}

/// See [`take_hold`].
pub fn release_hold(holds: &AtomicU64) {
    crate::hold::release(holds);
}

/// A reader without an engine, and its hot line, in the one region that all executions use one after the other.
pub struct ModelReader {
    /// The hot line.
    pub hot: &'static HotLine,
    cell: &'static ReaderCell,
}

// SAFETY: the models share it as the product shares its cells: the line for its owner, `look` for everyone.
unsafe impl Send for ModelReader {}
// SAFETY: as above.
unsafe impl Sync for ModelReader {}

/// Where the region is; 0 until it is there.
static REGION_AT: AtomicUsize = AtomicUsize::new(0);

impl ModelReader {
    /// A hot line that shows `first`, and a reader of it, with a ring or without. The one before must not be used any more.
    pub fn new(first: &Generation, ring: *mut crate::layout::RingHeader) -> ModelReader {
        if REGION_AT.load(Relaxed) == 0 {
            let layout = Layout::from_size_align(1 << 16, REGION).expect("a power of two");
            // SAFETY: the layout is not empty. The region stays for good.
            REGION_AT.store(unsafe { alloc(layout) }.expose_provenance(), Relaxed);
        }
        let base: *mut u8 = core::ptr::with_exposed_provenance_mut(REGION_AT.load(Relaxed));
        // SAFETY: room and alignment for both, which the caller says nobody else uses.
        unsafe {
            let (hot, cell) = (base.cast::<HotLine>(), base.add(4096).cast::<ReaderCell>());
            hot.write(HotLine::new(first));
            let line = ReaderLine {
                pin: AtomicU64::new(0),
                hot,
                ring,
                clock: null(),
                slow: slow_begin,
                id: 1,
                reserved: [0; 2],
            };
            cell.write(ReaderCell::unowned(line));
            ModelReader { hot: &*hot, cell: &*cell }
        }
    }

    /// Its line.
    pub fn line(&self) -> *mut ReaderLine {
        (&raw const self.cell.line).cast_mut()
    }

    /// What the reclaimer sees of it.
    pub fn look(&self) -> (u64, bool) {
        self.cell.look()
    }
}

/// A ring in ordinary memory.
pub struct ModelRing(crate::ring::Ring);

impl ModelRing {
    /// One for `records` records.
    pub fn new(records: usize) -> ModelRing {
        let ring = crate::ring::Ring::new(records).expect("memory for a small ring");
        // SAFETY: fresh memory, used by nobody yet: loom's atomics are made, not zeroed.
        unsafe {
            let header = ring.header();
            (&raw mut (*header).dropped).write(AtomicU64::new(0));
            (&raw mut (*header).head).write(AtomicU64::new(0));
            for number in 0..records {
                (&raw mut (*(*header).records.add(number)).sequence).write(AtomicU64::new(0));
            }
        }
        ModelRing(ring)
    }

    /// Its header.
    pub fn header(&self) -> *mut crate::layout::RingHeader {
        self.0.header()
    }

    /// Its first record.
    pub fn records(&self) -> *const crate::layout::Record {
        // SAFETY: the header lives.
        unsafe { (*self.0.header()).records }
    }

    /// See [`crate::Hot::drain`].
    pub fn drain(&self, max: usize, f: &mut impl FnMut(crate::Observation)) -> usize {
        self.0.drain(max, f)
    }
}
