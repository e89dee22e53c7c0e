//! What the loom models see of the lock-free parts.

use std::time::Duration;

use crate::bias::{Bias, Turn};
use crate::breaker::{CountWindow, Tally, TimeWindow};
use crate::mutant::Mutant;
use crate::primitive::AtomicU64;

/// A bias.
#[derive(Debug)]
pub struct ModelBias(Bias);

impl ModelBias {
    /// One that nobody owns.
    pub fn new() -> ModelBias {
        // The light half of the barrier is a full fence too: loom has no threads that a system call could fence.
        knhk_hot::model::readers_fence(true);
        ModelBias(Bias::free())
    }

    /// Takes one off a number that it guards, if there is one.
    pub fn take(&self, number: &AtomicU64) -> bool {
        self.0.update(number, Mutant::TokenStored, |left| left.checked_sub(1)).is_ok()
    }

    /// Has the calling thread's turn, alone or beside others.
    pub fn turn(&self, alone: impl FnOnce(), shared: impl FnOnce()) {
        match self.0.enter() {
            Turn::Alone(_section) => alone(),
            Turn::Shared => shared(),
            Turn::Nested => panic!("there are no signal handlers here"),
        }
    }
}

/// A count window.
#[derive(Debug)]
pub struct ModelCount(CountWindow);

impl ModelCount {
    /// Of the last `size` outcomes.
    pub fn new(size: u32) -> ModelCount {
        ModelCount(CountWindow::new(size))
    }

    /// Takes an outcome of a period.
    pub fn record(&self, tag: u64, failed: bool) -> bool {
        self.0.record(tag, failed, false)
    }

    /// The window.
    pub fn tally(&self, tag: u64) -> Tally {
        self.0.tally(tag)
    }
}

/// A time window.
#[derive(Debug)]
pub struct ModelTime(TimeWindow);

impl ModelTime {
    /// Of so many buckets of 10 ms.
    pub fn new(buckets: u32) -> ModelTime {
        ModelTime(TimeWindow::new(Duration::from_millis(10) * buckets, buckets))
    }

    /// Takes an outcome of a period.
    pub fn record(&self, tag: u64, failed: bool, ms: u64) {
        self.0.record(tag, failed, false, ms * 1_000_000);
    }

    /// The window.
    pub fn tally(&self, tag: u64, ms: u64) -> Tally {
        self.0.tally(tag, ms * 1_000_000)
    }
}
