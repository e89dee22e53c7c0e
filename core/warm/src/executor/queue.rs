//! What waits: a queue for each thread, from which the others steal.
//!
//! A queue has a lane for each [`Priority`], and in a lane the earliest deadline is first, among equals the earliest submission. A thread
//! serves the highest level that any queue has, its own queue first, so that priorities hold across threads; every [`FAIR`]-th time it
//! serves the lowest instead, so that nothing starves. Lanes have memory for [`READY`] runs and keep what they take beyond: once they have
//! been as long as they become, nothing is allocated.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use crate::Priority;
use crate::primitive::{AtomicU8, Mutex};

const LEVELS: usize = Priority::ALL.len();
/// One time of so many the lowest level is served.
pub(super) const FAIR: u64 = 64;
/// Runs that a lane has memory for from the beginning.
const READY: usize = 64;

/// A run that waits; the least is first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    deadline_ns: u64,
    order: u64,
    slot: u32,
}

#[derive(Debug)]
struct Queue {
    lanes: Mutex<[BinaryHeap<Reverse<Entry>>; LEVELS]>,
    /// A bit for each lane that has something, written under the lock; relaxed, because who finds one takes the lock.
    levels: AtomicU8,
}

/// The queues of an executor.
#[derive(Debug)]
pub(super) struct Queues {
    queues: Box<[Queue]>,
    order: AtomicU64,
    turns: AtomicU64,
    /// A statistic, but for a thread that is held back.
    waiting: AtomicUsize,
}

/// What a thread was given.
pub(super) struct Taken {
    pub(super) slot: u32,
    pub(super) stolen: bool,
}

impl Queues {
    pub(super) fn new(threads: usize) -> Queues {
        let lanes = || Mutex::new(Priority::ALL.map(|_| BinaryHeap::with_capacity(READY)));
        let queues = (0..threads.max(1)).map(|_| Queue { lanes: lanes(), levels: AtomicU8::new(0) }).collect();
        Queues { queues, order: AtomicU64::new(0), turns: AtomicU64::new(0), waiting: AtomicUsize::new(0) }
    }

    /// Queues a run, in the queue of a thread or, without one, in turn.
    pub(super) fn push(&self, thread: Option<usize>, level: Priority, deadline_ns: u64, slot: u32) {
        let order = self.order.fetch_add(1, Relaxed);
        let queue = &self.queues[thread.unwrap_or(order as usize) % self.queues.len()];
        self.waiting.fetch_add(1, Relaxed);
        let mut lanes = queue.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes[level as usize].push(Reverse(Entry { deadline_ns, order, slot }));
        queue.levels.fetch_or(1 << level as u8, Relaxed);
    }

    /// The next run for a thread among the levels from `lowest` on, while `open`. That is asked under the queue's lock: what was queued after it
    /// was shut is not taken.
    pub(super) fn take(&self, thread: usize, lowest: Priority, open: impl Fn() -> bool) -> Option<Taken> {
        let fair = self.turns.fetch_add(1, Relaxed) % FAIR == FAIR - 1;
        let allowed = u8::MAX << lowest as u8;
        loop {
            let all = self.queues.iter().fold(0, |all, queue| all | queue.levels.load(Relaxed)) & allowed;
            if all == 0 || !open() {
                return None;
            }
            let level = if fair { all.trailing_zeros() } else { u8::BITS - 1 - all.leading_zeros() } as usize;
            let queues = self.queues.len();
            for at in (0..queues).map(|step| (thread + step) % queues) {
                if let Some(slot) = self.queues[at].pop(level, &open) {
                    self.waiting.fetch_sub(1, Relaxed);
                    return Some(Taken { slot, stolen: at != thread % queues });
                }
            }
            // Others were faster; what they left is looked at again.
        }
    }

    /// Runs that wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    /// Runs that wait, by level.
    pub(super) fn by_level(&self) -> [usize; LEVELS] {
        let mut by_level = [0; LEVELS];
        for queue in &self.queues {
            let lanes = queue.lanes.lock().unwrap_or_else(PoisonError::into_inner);
            by_level.iter_mut().zip(lanes.iter()).for_each(|(count, lane)| *count += lane.len());
        }
        by_level
    }

    /// Whether a level from `lowest` on has something.
    pub(super) fn has(&self, lowest: Priority) -> bool {
        self.queues.iter().any(|queue| queue.levels.load(Relaxed) & (u8::MAX << lowest as u8) != 0)
    }
}

impl Queue {
    fn pop(&self, level: usize, open: impl Fn() -> bool) -> Option<u32> {
        if self.levels.load(Relaxed) & 1 << level == 0 {
            return None;
        }
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if !open() {
            return None;
        }
        let entry = lanes[level].pop();
        if lanes[level].is_empty() {
            self.levels.fetch_and(!(1 << level), Relaxed);
        }
        entry.map(|Reverse(entry)| entry.slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highest_level_earliest_deadline_and_submission_first_across_threads() {
        let queues = Queues::new(2);
        queues.push(Some(0), Priority::Low, 1, 1);
        queues.push(Some(0), Priority::Normal, u64::MAX, 2);
        queues.push(Some(0), Priority::Normal, 50, 3);
        queues.push(Some(0), Priority::Normal, 50, 4);
        queues.push(Some(1), Priority::Critical, u64::MAX, 5);
        assert_eq!(queues.by_level(), [0, 1, 3, 0, 1]);
        let taken: Vec<(u32, bool)> = std::iter::from_fn(|| queues.take(0, Priority::Background, || true))
            .map(|taken| (taken.slot, taken.stolen))
            .collect();
        assert_eq!(taken, [(5, true), (3, false), (4, false), (2, false), (1, false)]);
        assert_eq!(queues.waiting(), 0);
    }

    #[test]
    fn nothing_starves_and_levels_below_the_lowest_wait() {
        let queues = Queues::new(1);
        queues.push(None, Priority::Background, 0, 7);
        for slot in 0..FAIR as u32 * 2 {
            queues.push(None, Priority::High, 0, 100 + slot);
        }
        assert!(!queues.has(Priority::Critical) && queues.take(0, Priority::Critical, || true).is_none());
        let turn = (0..FAIR).position(|_| queues.take(0, Priority::Background, || true).unwrap().slot == 7);
        assert!(turn.is_some(), "a turn of {FAIR} is for the lowest level");
    }
}
