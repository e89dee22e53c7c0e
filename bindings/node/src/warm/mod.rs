//! The native half of `knhk/warm`: executors, whose turns are taken on JavaScript's thread; channels between threads; component graphs, whose
//! members are asked on threads of their own and answer from JavaScript's.

mod channel;
mod executor;
mod graph;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use knhk_engine::{Error, Status};
use napi::Env;

use crate::error::throw;

fn bad(env: Env, stage: &'static str, item: &str, message: impl Into<String>) -> napi::Error {
    throw(env.raw(), &Error::new(Status::InvalidArgument, stage, item, message.into()))
}

fn milliseconds(env: Env, stage: &'static str, name: &str, ms: f64) -> napi::Result<Duration> {
    Duration::try_from_secs_f64(ms / 1000.0).map_err(|_| {
        bad(env, stage, name, format!("{name} is a number of milliseconds that is not negative, not {ms}"))
    })
}

fn in_ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Whole after a panic: each of these is changed in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
