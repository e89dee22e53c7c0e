//! Resilience: circuit breakers, limits, retries, hedges, shedding, degradation, recovery, health and checkpoints, under one clock and
//! without a runtime. Each part works alone; a [`Pipeline`] composes them.
//!
//! Every handle is `Send + Sync`, has no lifetime, and is used through `&self`. What admits a call hands out a plain token, and takes it
//! back with the call's [`Outcome`], so that a foreign language holds no borrow. Admitting a call and taking its outcome neither
//! locks nor allocates where nothing changes. None of it is for signal handlers: one that interrupts its own thread inside a policy may be
//! refused by a limit for no other reason, and an outcome that it tells may not be counted.
//!
//! A [`Scope`] holds what the parts of a program share: the [`Clock`], where [`Event`]s go, and the [`Counters`].
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use knhk_resilience::pipeline::{Call, Pipeline, PipelineError, Policies};
//! use knhk_resilience::{Breaker, Events, Rejected, Scope, breaker};
//!
//! let events = Events::new(64);
//! let scope = Scope::default().with_events(events.clone());
//! let breaker = Arc::new(Breaker::new("orders", breaker::Settings::default(), &scope)?);
//! let timeout = Some(Duration::from_millis(250));
//! let pipeline = Pipeline::new(Policies { breaker: Some(breaker), timeout, ..Policies::default() }, &scope);
//!
//! for _ in 0..5 {
//!     let result = pipeline.call(Call::default(), |_deadline| Err::<(), _>("the database is down"));
//!     assert_eq!(result, Err(PipelineError::Failed("the database is down")));
//! }
//! let result = pipeline.call(Call::default(), |_deadline| Ok::<_, &str>("never called"));
//! assert!(matches!(result, Err(PipelineError::Rejected(Rejected::Open { .. }))));
//! assert_eq!(events.try_next().unwrap().change.to_string(), "circuit breaker closed -> open: 5 failures in a row");
//! # Ok::<(), knhk_resilience::InvalidSetting>(())
//! ```
#![forbid(unsafe_code)]

pub mod breaker;
pub mod chaos;
pub mod checkpoint;
pub mod degrade;
pub mod health;
pub mod hedge;
pub mod limit;
pub mod pipeline;
pub mod policy;
pub mod recover;
pub mod retry;
pub mod shed;

mod bias;
mod clock;
mod counters;
mod deadline;
mod error;
mod event;
mod fallback;
mod latency;
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
pub use chaos::Chaos;
pub use checkpoint::Checkpoints;
pub use clock::{Clock, ManualClock, SystemClock};
pub use counters::{Counter, Counters};
pub use deadline::Deadline;
pub use degrade::Degradation;
pub use error::{CallError, InvalidSetting, Rejected};
pub use event::{Change, Event, Events};
pub use fallback::LastGood;
pub use health::Monitor;
pub use hedge::Hedge;
pub use knhk_warm::Priority;
pub use latency::Latency;
pub use outcome::Outcome;
pub use pipeline::Pipeline;
pub use policy::{Policy, PolicyError};
pub use random::Random;
pub use recover::Recovery;
pub use retry::Retry;
pub use scope::Scope;
pub use shed::Shedder;
