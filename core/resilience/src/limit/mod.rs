//! Limits on calls: how many at once ([`Bulkhead`], [`Adaptive`]), and how many in a time ([`TokenBucket`], [`SlidingWindow`]).

mod adaptive;
mod bucket;
mod bulkhead;
mod law;
mod lease;
mod sliding;

pub use adaptive::{Adaptive, Ticket};
pub use bucket::TokenBucket;
pub use bulkhead::{Bulkhead, Place};
pub use law::{Gradient2, Law, Vegas};
pub use lease::Lease;
pub use sliding::SlidingWindow;

use std::time::Duration;

/// Nanoseconds as a duration, rounded up to what a wait of that long can be.
fn wait(ns: u64) -> Duration {
    Duration::from_nanos(ns)
}
