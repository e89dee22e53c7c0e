//! What the loom models see of the crate's inside: the same source as the product, without its system calls.

use core::ptr::null;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::layout::{HotLine, ReaderLine};
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

/// A hot line that shows `first`.
pub fn hot_line(first: &Generation) -> HotLine {
    HotLine::new(first)
}

/// Starts a canary on the line.
pub fn choose(hot: &HotLine, limit: u64, salt: u64) {
    hot.choose(limit, salt);
}

/// Closes the gates, as the fallback does.
pub fn shut(hot: &HotLine) {
    hot.shut();
}

/// Takes and releases holds, as [`crate::Hold`] does.
pub fn take_hold(holds: &AtomicU64) {
    crate::hold::take(holds);
}

/// See [`take_hold`].
pub fn release_hold(holds: &AtomicU64) {
    crate::hold::release(holds);
}

/// A reader without an engine.
pub struct ModelReader(Box<ReaderCell>);

// SAFETY: the models share it as the product shares its cells: the line for its owner, `look` for everyone.
unsafe impl Send for ModelReader {}
// SAFETY: as above.
unsafe impl Sync for ModelReader {}

impl ModelReader {
    /// A reader of `hot`, with a ring or without.
    pub fn new(hot: *const HotLine, ring: *mut crate::layout::RingHeader) -> ModelReader {
        let line =
            ReaderLine { pin: AtomicU64::new(0), hot, ring, clock: null(), slow: slow_begin, id: 1, reserved: [0; 2] };
        ModelReader(Box::new(ReaderCell::unowned(line)))
    }

    /// Its line.
    pub fn line(&self) -> *mut ReaderLine {
        (&raw const self.0.line).cast_mut()
    }

    /// What the reclaimer sees of it.
    pub fn look(&self) -> (u64, bool) {
        self.0.look()
    }
}
