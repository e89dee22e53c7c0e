//! What a callback sees of its run.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::Refused;
use super::run::Shared;
use super::slab::{Slot, Ticket};
use super::task::{Registered, Task};
use crate::Priority;

/// What a callback sees of its run.
pub struct Context<'a> {
    pub(super) shared: &'a Shared,
    pub(super) slot: &'a Slot,
    pub(super) thread: usize,
    pub(super) task: &'a Registered,
    pub(super) argument: u64,
    pub(super) slice: u32,
    /// The largest number where there is none.
    pub(super) deadline_ns: u64,
    pub(super) yield_at: u64,
}

impl Context<'_> {
    /// What was submitted.
    pub fn argument(&self) -> u64 {
        self.argument
    }

    /// Which slice of the run this is, from 0.
    pub fn slice(&self) -> u32 {
        self.slice
    }

    /// What the run noted in an earlier slice; 0 in the first one.
    pub fn progress(&self) -> u64 {
        self.slot.progress.load(Relaxed)
    }

    /// Notes how far the run has come, for its next slice.
    pub fn set_progress(&self, progress: u64) {
        self.slot.progress.store(progress, Relaxed);
    }

    /// When the run should be over, by the executor's clock, where it has a deadline.
    pub fn deadline_ns(&self) -> Option<u64> {
        (self.deadline_ns != u64::MAX).then_some(self.deadline_ns)
    }

    /// What is left of the budget.
    pub fn left(&self) -> Duration {
        Duration::from_nanos(self.yield_at.saturating_sub(self.shared.clock.now_ns()))
    }

    /// Whether the run was cancelled, or the executor gives up what runs: the callback should return.
    pub fn cancelled(&self) -> bool {
        self.slot.cancelled.load(Relaxed)
    }

    /// Whether the callback should return, with [`super::Step::Again`] where it has more to do: its budget is used up, it was cancelled, the
    /// executor is paused, or, unless its task is critical, the hot path is over its budget.
    pub fn should_yield(&self) -> bool {
        self.cancelled()
            || self.shared.paused.load(Relaxed)
            || self.shared.clock.now_ns() >= self.yield_at
            || self.task.settings.priority != Priority::Critical && self.shared.is_held()
    }

    /// Queues a run of any task of the same executor where this run's thread looks first; idle threads steal it.
    ///
    /// # Errors
    /// As [`Task::submit`].
    pub fn submit(&self, task: &Task, argument: u64) -> Result<Ticket, Refused> {
        task.shared.submit(&task.registered, argument, u64::MAX, Some(self.thread))
    }
}
