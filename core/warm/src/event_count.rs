//! An event count: threads wait until what they look at has changed, and whoever changes it pays a fence and a load where nobody waits.
//!
//! A waiter counts itself, fences, and looks; who changes something changes it, fences, and looks whether somebody waits. The two
//! fences have an order: where the waiter's is first, the other sees it counted; else the waiter sees the change. So no waiter goes
//! to sleep on a change that is there and that nobody tells it of. It holds the lock from before its look until it sleeps, and
//! whoever notifies takes the lock first, so that no notification falls in between. What is looked at therefore needs no order of its
//! own. The loom models check each step (`tests/loom.rs`).

use std::ops::ControlFlow;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Duration;

use crate::mutant::Mutant::{LookedFirst, NotifiedUnlocked, NotifierUnfenced, WaiterUnfenced};
use crate::mutant::mutated;
use crate::primitive::{AtomicUsize, Condvar, Mutex, fence};

#[derive(Debug, Default)]
pub(crate) struct EventCount {
    waiting: AtomicUsize,
    lock: Mutex<()>,
    changed: Condvar,
}

impl EventCount {
    /// Something has changed that one waiter can deal with.
    pub(crate) fn notify_one(&self) {
        if self.is_awaited() {
            self.changed.notify_one();
        }
    }

    /// Something has changed.
    pub(crate) fn notify_all(&self) {
        if self.is_awaited() {
            self.changed.notify_all();
        }
    }

    fn is_awaited(&self) -> bool {
        if !mutated(NotifierUnfenced) {
            fence(SeqCst);
        }
        let awaited = self.waiting.load(Relaxed) > 0;
        if awaited && !mutated(NotifiedUnlocked) {
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
        }
        awaited
    }

    /// Looks, and again after each notification, until a look breaks. A look that goes on says how long to wait at most before the next
    /// one. It must not notify.
    pub(crate) fn wait<T>(&self, mut look: impl FnMut() -> ControlFlow<T, Option<Duration>>) -> T {
        let mut first = mutated(LookedFirst).then(&mut look);
        self.waiting.fetch_add(1, Relaxed);
        if !mutated(WaiterUnfenced) {
            fence(SeqCst);
        }
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let found = loop {
            guard = match first.take().unwrap_or_else(&mut look) {
                ControlFlow::Break(found) => break found,
                ControlFlow::Continue(None) => self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner),
                ControlFlow::Continue(Some(pause)) => {
                    self.changed.wait_timeout(guard, pause).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        };
        drop(guard);
        self.waiting.fetch_sub(1, Relaxed);
        found
    }
}
