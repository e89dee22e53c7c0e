//! Counted references to one root, for views that outlive a critical section.
//!
//! A hold is counted while the root is pinned, and the pin is released after that. The reclaimer acquires the pins first and looks at
//! the counts then: if it no longer sees the pin, it sees the count (relaxed increment before a release store that was acquired). If it
//! looked at the counts first, the hold could be taken and the pin dropped in between. A count that reached 0 stays there: only a pin
//! or another hold of the same root can raise it.

use core::sync::atomic::Ordering::{AcqRel, Relaxed, Release};
use std::ops::Deref;
use std::sync::Arc;

use crate::layout::{RawView, Root};
use crate::mutant::Mutant::ReleaseRelaxed;
use crate::mutant::{mutated, unless};
use crate::pool::RootSlot;
use crate::primitive::AtomicU64;
use crate::snapshot::Snapshot;

/// Keeps one root, and the engine's memory, until it is dropped. Reads through it store nothing.
///
/// It is taken while the root is pinned, so the count is visible to whoever no longer sees the pin.
pub struct Hold {
    snapshot: Snapshot,
}

// SAFETY: the root is immutable, the count atomic.
unsafe impl Send for Hold {}
// SAFETY: as above.
unsafe impl Sync for Hold {}

impl Hold {
    /// Holds the root of an open view, or of another hold.
    ///
    /// # Safety
    /// `view` is open, and of an engine that this copy of the library made.
    pub unsafe fn of(view: RawView) -> Hold {
        let slot: *const RootSlot = view.root.cast();
        // SAFETY: every root of this library is the first field of a slot; its engine lives while the view is open.
        unsafe {
            take(&(*slot).holds);
            Arc::increment_strong_count((*slot).owner);
            Hold { snapshot: Snapshot::new(RawView { root: view.root, saved: 0 }) }
        }
    }

    /// The view that this hold keeps open. It is not ended.
    pub fn raw(&self) -> RawView {
        self.snapshot.raw()
    }

    /// Gives the hold out of Rust's hands; [`Hold::from_raw`] takes it back.
    pub fn into_raw(self) -> *const Root {
        let root = self.snapshot.raw().root;
        core::mem::forget(self);
        root
    }

    /// Takes back what [`Hold::into_raw`] gave.
    ///
    /// # Safety
    /// `root` came from `into_raw`, once.
    pub unsafe fn from_raw(root: *const Root) -> Hold {
        // SAFETY: the count is taken over.
        Hold { snapshot: unsafe { Snapshot::new(RawView { root, saved: 0 }) } }
    }
}

impl Clone for Hold {
    fn clone(&self) -> Hold {
        // SAFETY: this hold keeps its view open.
        unsafe { Hold::of(self.raw()) }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let slot: *const RootSlot = self.raw().root.cast();
        // SAFETY: as `of`; the owner is read before the count goes, which may free the root.
        unsafe {
            let owner = (*slot).owner;
            if (*slot).detached {
                // Nothing but holds reads it: the last one sees what the others did, and frees it.
                if (*slot).holds.fetch_sub(1, AcqRel) == 1 {
                    drop(Box::from_raw(slot.cast_mut()));
                }
            } else {
                release(&(*slot).holds);
            }
            Arc::decrement_strong_count(owner);
        }
    }
}

impl Deref for Hold {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl std::fmt::Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hold").field("epoch", &self.epoch()).finish_non_exhaustive()
    }
}

/// Counts a hold. Relaxed: the pin under which it is taken is released after it, and the reclaimer acquires the pins first.
pub(crate) fn take(holds: &AtomicU64) {
    holds.fetch_add(1, Relaxed);
}

/// Gives a hold back. Release: every read through it comes before; the reclaimer acquires.
pub(crate) fn release(holds: &AtomicU64) {
    holds.fetch_sub(1, unless(mutated(ReleaseRelaxed), Release));
}
