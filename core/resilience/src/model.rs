//! What the loom models see of the lock-free parts.

use std::time::Duration;

use crate::breaker::{CountWindow, Tally, TimeWindow};

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
