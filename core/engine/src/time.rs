//! The wall clock that decisions are dated by.

use std::sync::Arc;
use std::time::Duration;

use knhk_warm::{Clock, ManualClock};

use crate::durable::now_ns;
use crate::{Engine, Error, Options, Status};

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

/// The clock that options ask for, and the same where it is moved by hand.
pub(crate) fn chosen(options: &Options) -> (Arc<dyn Clock>, Option<Arc<ManualClock>>) {
    match (options.manual_time, &options.time) {
        (Some(now_ns), _) => {
            let manual = Arc::new(ManualClock::new(now_ns));
            (manual.clone(), Some(manual))
        }
        (None, Some(time)) => (time.clone(), None),
        (None, None) => (Arc::new(WallClock), None),
    }
}

impl Engine {
    /// Now, in nanoseconds since 1970 (UTC), by the clock that decisions are dated by.
    pub(crate) fn now_ns(&self) -> u64 {
        self.inner.time.now_ns()
    }

    /// Moves the clock that decisions are dated by, and gives the moment that it shows then, in nanoseconds since 1970 (UTC).
    ///
    /// # Errors
    /// `InvalidArgument` unless the engine was opened with [`Options::manual_time`]; `Closed`, `Forked`.
    pub fn advance_time(&self, by: Duration) -> Result<u64, Error> {
        self.checked()?;
        let manual = self.inner.manual.as_ref().ok_or_else(|| {
            let message =
                "the engine goes by the system's clock, which nobody moves: open it with the option manual_time";
            Error::new(Status::InvalidArgument, "time", "manual_time", message)
        })?;
        manual.advance(by);
        Ok(manual.now_ns())
    }
}
