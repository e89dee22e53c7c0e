//! The wall clock that decisions are dated by.

use std::time::Duration;

use knhk_warm::Clock;

use crate::Engine;
use crate::durable::now_ns;

/// The system's wall clock, in nanoseconds since 1970 (UTC).
#[derive(Debug)]
pub(crate) struct WallClock;

impl Clock for WallClock {
    fn now_ns(&self) -> u64 {
        now_ns()
    }

    fn sleep(&self, pause: Duration) {
        std::thread::sleep(pause);
    }
}

impl Engine {
    /// Now, in nanoseconds since 1970 (UTC), by the clock that decisions are dated by.
    pub(crate) fn now_ns(&self) -> u64 {
        self.inner.time.now_ns()
    }
}
