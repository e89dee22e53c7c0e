//! What tells the executor that the hot path is over its budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::clock::{Clock, nanoseconds};

/// Tells whether the hot path is over its budget at present. While it is, the executor begins critical work alone, and every other run
/// is told to yield. Asked before each slice, so it should cost a few loads.
pub trait HotBudget: Send + Sync {
    /// Whether it is.
    fn exceeded(&self) -> bool;
}

impl<F: Fn() -> bool + Send + Sync> HotBudget for F {
    fn exceeded(&self) -> bool {
        self()
    }
}

/// A [`HotBudget`] from what operations of the hot path took: their mean, exponentially weighted, against a limit.
#[derive(Debug)]
pub struct HotMeter {
    limit_ns: u64,
    lasts_ns: u64,
    /// Sixteenths of a nanosecond.
    mean: AtomicU64,
    /// Until when the limit counts as exceeded.
    until: AtomicU64,
    clock: Arc<dyn Clock>,
}

impl HotMeter {
    /// What the newest measurement weighs is one part of so many.
    const WEIGHT: u64 = 8;

    /// No operation yet. Where the mean is above `limit`, the warm path yields for `lasts` after the latest report, so that a hot path
    /// which falls silent does not hold it back for ever.
    pub fn new(limit: Duration, lasts: Duration, clock: Arc<dyn Clock>) -> HotMeter {
        let (mean, until) = (AtomicU64::new(0), AtomicU64::new(0));
        HotMeter { limit_ns: nanoseconds(limit), lasts_ns: nanoseconds(lasts), mean, until, clock }
    }

    /// An operation, or the mean of a batch of them, took so long. Two reports at the same moment may count as one.
    pub fn report(&self, took: Duration) {
        let mean = self.mean.load(Relaxed);
        let sample = nanoseconds(took).min(u64::MAX >> 8) * 16;
        let next = mean - mean / HotMeter::WEIGHT + sample / HotMeter::WEIGHT;
        self.mean.store(next, Relaxed);
        let until =
            if next > self.limit_ns.saturating_mul(16) { self.clock.now_ns().saturating_add(self.lasts_ns) } else { 0 };
        self.until.store(until, Relaxed);
    }

    /// The mean at present.
    pub fn mean(&self) -> Duration {
        Duration::from_nanos(self.mean.load(Relaxed) / 16)
    }
}

impl HotBudget for HotMeter {
    fn exceeded(&self) -> bool {
        let until = self.until.load(Relaxed);
        until != 0 && self.clock.now_ns() < until
    }
}

impl<T: HotBudget + ?Sized> HotBudget for Arc<T> {
    fn exceeded(&self) -> bool {
        (**self).exceeded()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn is_exceeded_while_the_mean_is_and_not_for_ever() {
        let clock = Arc::new(ManualClock::new(1));
        let meter = HotMeter::new(Duration::from_nanos(100), Duration::from_millis(5), clock.clone());
        (0..50).for_each(|_| meter.report(Duration::from_nanos(90)));
        assert!(!meter.exceeded(), "a mean of {:?}", meter.mean());
        (0..50).for_each(|_| meter.report(Duration::from_nanos(200)));
        assert!(meter.exceeded(), "a mean of {:?}", meter.mean());
        clock.advance(Duration::from_millis(5));
        assert!(!meter.exceeded(), "nothing was said for five milliseconds");
        meter.report(Duration::from_nanos(200));
        assert!(meter.exceeded());
        (0..50).for_each(|_| meter.report(Duration::from_nanos(50)));
        assert!(!meter.exceeded(), "it is quick again");
    }
}
