//! The engine's cached clock.

use core::sync::atomic::Ordering::Relaxed;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::primitive::AtomicU64;

/// Nanoseconds since the Unix epoch, as of the last [`Clock::advance`]. It never goes back.
#[repr(align(64))]
pub struct Clock {
    now: AtomicU64,
}

impl Clock {
    pub(crate) fn new() -> Clock {
        let clock = Clock { now: AtomicU64::new(0) };
        clock.advance();
        clock
    }

    /// The cached time.
    pub fn now_ns(&self) -> u64 {
        self.now.load(Relaxed)
    }

    /// Takes the time from the system, and returns it.
    pub fn advance(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
        self.now.fetch_max(now, Relaxed).max(now)
    }

    pub(crate) fn as_ptr(&self) -> *const AtomicU64 {
        &self.now
    }
}
