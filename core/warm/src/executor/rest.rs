//! Runs that rest until their time comes or somebody wakes them.

use std::sync::PoisonError;
use std::sync::atomic::AtomicU64 as Plain;
use std::sync::atomic::AtomicUsize as Count;
use std::sync::atomic::Ordering::Relaxed;

use crate::primitive::Mutex;

/// Who rests, and until when. Its lock is taken after a run's, never before one.
#[derive(Debug)]
pub(super) struct Resting {
    /// The latest first.
    due: Mutex<Vec<(u64, u32)>>,
    /// The earliest; the largest number where there is none. Each thread looks at it between its slices, so that an old value does no harm.
    next: Plain,
    /// All that rest.
    count: Count,
}

impl Resting {
    pub(super) fn new(capacity: usize) -> Resting {
        Resting { due: Mutex::new(Vec::with_capacity(capacity)), next: Plain::new(u64::MAX), count: Count::new(0) }
    }

    /// Takes a run in; whether it is the one whose time comes first.
    pub(super) fn add(&self, slot: u32, until: u64) -> bool {
        self.count.fetch_add(1, Relaxed);
        if until == u64::MAX {
            return false;
        }
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let at = due.partition_point(|other| *other > (until, slot));
        due.insert(at, (until, slot));
        let first = at + 1 == due.len();
        if first {
            self.next.store(until, Relaxed);
        }
        first
    }

    /// A run rests no longer, whether its time has come or not.
    pub(super) fn remove(&self, slot: u32, until: u64) {
        self.count.fetch_sub(1, Relaxed);
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(at) = due.binary_search_by(|other| (until, slot).cmp(other)) {
            due.remove(at);
            self.next.store(due.last().map_or(u64::MAX, |first| first.0), Relaxed);
        }
    }

    /// One whose time has come; it stays until it is removed.
    pub(super) fn due(&self, now: u64) -> Option<(u64, u32)> {
        if self.next.load(Relaxed) > now {
            return None;
        }
        let due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.last().copied().filter(|first| first.0 <= now)
    }

    /// When the next one's time comes.
    pub(super) fn next(&self) -> Option<u64> {
        Some(self.next.load(Relaxed)).filter(|next| *next != u64::MAX)
    }

    /// How many rest.
    pub(super) fn count(&self) -> usize {
        self.count.load(Relaxed)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn gives_them_in_the_order_of_their_time() {
        let resting = Resting::new(4);
        assert_eq!((resting.add(1, 30), resting.add(2, 10), resting.add(3, 20)), (true, true, false));
        assert!(!resting.add(4, u64::MAX));
        assert_eq!((resting.next(), resting.count(), resting.due(9)), (Some(10), 4, None));
        assert_eq!(resting.due(25), Some((10, 2)));
        resting.remove(2, 10);
        resting.remove(4, u64::MAX);
        assert_eq!((resting.due(25), resting.next(), resting.count()), (Some((20, 3)), Some(20), 2));
        resting.remove(1, 30);
        resting.remove(3, 20);
        assert_eq!((resting.next(), resting.count(), resting.due(u64::MAX - 1)), (None, 0, None));
    }
}
