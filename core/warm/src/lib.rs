//! Work beside the hot path: an [`Executor`] of tasks with priorities, deadlines and budgets, [`channel`]s with backpressure, a
//! [`graph`] of components that start and stop in order, a [`Ticker`] that runs a step again and again, and a [`Worker`] that runs jobs
//! in order.
//!
//! None of them takes a lock that a reader takes. A job that blocks delays the jobs behind it and nothing else. Their threads end when
//! they are dropped; dropped on their own thread (a callback that closes its engine) they end without waiting for themselves, and in a
//! forked child, where the thread does not exist, they are left alone.
#![forbid(unsafe_code)]

pub mod channel;
pub mod executor;
pub mod graph;

#[cfg(loom)]
pub mod model;
#[cfg(loom)]
pub mod mutant;
#[cfg(not(loom))]
mod mutant;

mod clock;
mod counters;
mod event_count;
mod primitive;
mod priority;
mod ticker;
mod worker;

pub use clock::{Clock, ManualClock, SystemClock, nanoseconds};
pub use counters::{Counter, Counters};
pub use executor::{Executor, HotBudget, HotMeter, Step, Task};
pub use priority::Priority;
pub use ticker::{Next, Ticker};
pub use worker::{Rejected, Worker};

use std::thread::JoinHandle;

/// Waits for a thread that was told to end, unless that would wait for oneself or for a thread of the parent process.
fn join(handle: JoinHandle<()>, started_in: u32) {
    if handle.thread().id() == std::thread::current().id() || std::process::id() != started_in {
        // Detaching is all that can be done: the thread is this one, or was not inherited by fork.
        std::mem::forget(handle);
        return;
    }
    if handle.join().is_err() {
        tracing::error!(name: "knhk.warm.panicked", "a background thread of the engine panicked");
    }
}
