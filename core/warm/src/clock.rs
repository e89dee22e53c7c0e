//! Where time comes from.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::{Next, Ticker};

/// Where time comes from. Its zero is its own affair; only differences are used, and a clock that steps back counts as one that stands
/// still.
pub trait Clock: Debug + Send + Sync {
    /// Nanoseconds since the clock's zero.
    fn now_ns(&self) -> u64;

    /// Waits for `pause` on the calling thread.
    fn sleep(&self, pause: Duration);
}

/// The system's monotonic clock. Its zero is the process's first look at it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ns(&self) -> u64 {
        static ZERO: OnceLock<Instant> = OnceLock::new();
        nanoseconds(ZERO.get_or_init(Instant::now).elapsed())
    }

    fn sleep(&self, pause: Duration) {
        std::thread::sleep(pause);
    }
}

/// A clock that somebody sets: a test, or a thread that keeps it close to another clock, so that a look costs one load.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: AtomicU64,
}

impl ManualClock {
    /// A clock that shows `now_ns`.
    pub fn new(now_ns: u64) -> ManualClock {
        ManualClock { now: AtomicU64::new(now_ns) }
    }

    /// Sets it.
    pub fn set(&self, now_ns: u64) {
        self.now.store(now_ns, Relaxed);
    }

    /// Has a thread set it to what `clock` shows, every so often, until what this returns is dropped: timestamps for the price of a
    /// load, late by at most that interval and the thread's wake-up.
    ///
    /// # Errors
    /// The system's, when it has no more threads.
    pub fn follow(self: &Arc<ManualClock>, clock: Arc<dyn Clock>, every: Duration) -> std::io::Result<Ticker> {
        self.set(clock.now_ns());
        let own = self.clone();
        Ticker::spawn("knhk-clock", move || {
            clock.sleep(every);
            own.set(clock.now_ns());
            Next::Continue
        })
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        self.now.fetch_add(nanoseconds(by), Relaxed);
    }
}

impl Clock for ManualClock {
    #[inline]
    fn now_ns(&self) -> u64 {
        self.now.load(Relaxed)
    }

    /// Moves the clock forward and returns at once.
    fn sleep(&self, pause: Duration) {
        self.advance(pause);
    }
}

/// `duration` in nanoseconds; 584 years are the most.
pub fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_another_clock() {
        let (ours, theirs) = (Arc::new(ManualClock::default()), Arc::new(ManualClock::new(1_000)));
        let ticker = ours.follow(theirs.clone(), Duration::from_nanos(1)).unwrap();
        assert!(ours.now_ns() >= 1_000, "from the beginning");
        while ours.now_ns() < 2_000 {
            std::thread::yield_now();
        }
        drop(ticker);
        assert!(ours.now_ns() <= theirs.now_ns());
    }
}
