//! Resilience: circuit breakers, limits, retries, hedges, shedding, degradation, recovery and health, under one clock and without a
//! runtime. Each part works alone; a [`Pipeline`] composes them.
//!
//! Every handle is `Send + Sync`, has no lifetime, and is used through `&self`. What admits a call hands out a plain token, and takes it
//! back with the call's [`Outcome`], so that a foreign language holds no borrow. Where no transition happens, nothing here locks or allocates.
//!
//! A [`Scope`] holds what the parts of a program share: the [`Clock`], where [`Event`]s go, and the [`Counters`].
#![forbid(unsafe_code)]

pub mod breaker;
pub mod limit;

mod clock;
mod counters;
mod error;
mod event;
#[cfg(loom)]
#[doc(hidden)]
pub mod model;
#[cfg(loom)]
#[doc(hidden)]
pub mod mutant;
#[cfg(not(loom))]
mod mutant;
mod outcome;
mod primitive;
mod random;
mod scope;

pub use breaker::Breaker;
pub use clock::{Clock, ManualClock, SystemClock};
pub use counters::{Counter, Counters};
pub use error::{CallError, InvalidSetting, Rejected};
pub use event::{Change, Event, Events};
pub use outcome::{Outcome, Priority};
pub use random::Random;
pub use scope::Scope;
