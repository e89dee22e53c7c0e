//! The one clock of a scope.

use std::fmt::Debug;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Where time comes from. Its zero is its own affair; only differences are used, and a clock that steps back counts as one that stands still.
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
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
