//! The native half of `knhk.warm`: executors, channels, component graphs. What threads of the executor or of a graph call attaches them, and
//! whatever waits for such threads is detached.

mod channel;
mod executor;
mod graph;

use std::time::Duration;

use pyo3::prelude::*;

use crate::error::invalid;

pub use channel::{ChannelBase, ChannelWaker};
pub use executor::{ExecutorBase, Run, TaskBase, Ticket, executors};
pub use graph::GraphBase;

/// A number of seconds that is not negative.
fn seconds(stage: &'static str, name: &str, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| invalid(stage, name, format!("{name} is a number of seconds that is not negative, not {seconds}")))
}
