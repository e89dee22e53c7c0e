//! The native half of `knhk.resilience`: policies under one class, permits, scopes. Python's half gives each kind its own class.

mod checkpoints;
mod permit;
mod policy;
mod report;
mod scope;

use std::time::Duration;

use pyo3::prelude::*;

use crate::error::invalid;

pub use checkpoints::{CheckpointsBase, KeptCheckpoint, RestoredCheckpoint, TakenCheckpoint};
pub use permit::{HedgedCall, Permit, retry_after};
pub use policy::PolicyBase;
pub use report::{ComponentReport, HealthReport, Parameter, PolicyInfo, policies, remove_policy};
pub use scope::{Listener, ScopeBase};

fn seconds(name: &str, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        invalid("policy", name, format!("{name} is a number of seconds that is not negative, not {seconds}"))
    })
}
