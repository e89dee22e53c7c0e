//! Any policy under one type: what another language holds, what a program lists, and what named parameters retune.

mod build;
mod parameters;
mod show;

use std::sync::Arc;

pub use build::Parts;
pub use parameters::Parameter;

use crate::breaker::Breaker;
use crate::chaos::Chaos;
use crate::degrade::Degradation;
use crate::error::{InvalidSetting, Rejected};
use crate::health::Monitor;
use crate::hedge::Hedge;
use crate::limit::{Adaptive, Bulkhead, SlidingWindow, TokenBucket};
use crate::outcome::Outcome;
use crate::pipeline::{Call, Permit, Pipeline};
use crate::recover::Recovery;
use crate::retry::{Budget, Retry};
use crate::shed::Shedder;

/// A policy. A clone is the same policy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Policy {
    /// Stops calling what fails.
    Breaker(Arc<Breaker>),
    /// Bounds the calls at once.
    Bulkhead(Arc<Bulkhead>),
    /// Bounds the calls at once to what the callee takes.
    Adaptive(Arc<Adaptive>),
    /// Bounds the rate of calls.
    TokenBucket(Arc<TokenBucket>),
    /// Bounds the calls of a span.
    SlidingWindow(Arc<SlidingWindow>),
    /// Sheds by priority.
    Shedder(Arc<Shedder>),
    /// Injects faults.
    Chaos(Arc<Chaos>),
    /// Several of these around one callee.
    Pipeline(Arc<Pipeline>),
    /// Tries again.
    Retry(Arc<Retry>),
    /// Keeps retries and hedges a share of the calls.
    Budget(Arc<Budget>),
    /// Sends another copy of a slow call.
    Hedge(Arc<Hedge>),
    /// Switches features off in steps.
    Degradation(Arc<Degradation>),
    /// Mends what is broken.
    Recovery(Arc<Recovery>),
    /// Watches components.
    Health(Arc<Monitor>),
}

/// Why a policy cannot be made or retuned. Nothing was changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// There is no such kind.
    #[error("there is no kind {0:?} of policies; there are {list}", list = build::KINDS.join(", "))]
    Kind(String),
    /// The policy has no such parameter.
    #[error("a {kind} has no parameter {name:?}; it has {list}", list = .known.join(", "))]
    Unknown {
        /// The policy's kind.
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A parameter without a default was not given.
    #[error("a {kind} needs {name}")]
    Missing {
        /// The policy's kind.
        kind: &'static str,
        /// The parameter.
        name: &'static str,
    },
    /// The value is not a whole number, or none that the parameter's type holds.
    #[error("{name} is {value}, which must be {expected}")]
    Value {
        /// The parameter.
        name: String,
        /// What it was.
        value: f64,
        /// What it may be.
        expected: String,
    },
    /// A policy that a composed one cannot hold, or holds already.
    #[error("{0}")]
    Part(String),
    /// A setting out of its range.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
}

impl PolicyError {
    /// The parameter or kind that it is about; empty for none.
    pub fn item(&self) -> &str {
        match self {
            PolicyError::Unknown { name, .. } | PolicyError::Value { name, .. } => name,
            PolicyError::Missing { name, .. } => name,
            PolicyError::Setting(setting) => setting.setting,
            PolicyError::Kind(kind) => kind,
            PolicyError::Part(_) => "",
        }
    }
}

impl Policy {
    /// Its kind: "breaker", "bulkhead", "adaptive", "token_bucket", "sliding_window", "shedder", "chaos", "pipeline", "retry",
    /// "budget", "hedge", "degradation", "recovery" or "health".
    pub fn kind(&self) -> &'static str {
        match self {
            Policy::Breaker(_) => "breaker",
            Policy::Bulkhead(_) => "bulkhead",
            Policy::Adaptive(_) => "adaptive",
            Policy::TokenBucket(_) => "token_bucket",
            Policy::SlidingWindow(_) => "sliding_window",
            Policy::Shedder(_) => "shedder",
            Policy::Chaos(_) => "chaos",
            Policy::Pipeline(_) => "pipeline",
            Policy::Retry(_) => "retry",
            Policy::Budget(_) => "budget",
            Policy::Hedge(_) => "hedge",
            Policy::Degradation(_) => "degradation",
            Policy::Recovery(_) => "recovery",
            Policy::Health(_) => "health",
        }
    }

    /// Whether it admits calls, one by one: the first eight kinds.
    #[inline]
    pub fn admits_calls(&self) -> bool {
        use Policy::{Adaptive, Breaker, Bulkhead, Chaos, Pipeline, Shedder, SlidingWindow, TokenBucket};
        matches!(
            self,
            Breaker(_)
                | Bulkhead(_)
                | Adaptive(_)
                | TokenBucket(_)
                | SlidingWindow(_)
                | Shedder(_)
                | Chaos(_)
                | Pipeline(_)
        )
    }

    /// Admits a call or refuses it, without waiting, save for a delay that chaos injects. What admits no calls lets all pass.
    ///
    /// # Errors
    /// [`Rejected`]; nothing is held then.
    #[inline]
    pub fn try_enter(&self, call: Call) -> Result<Permit, Rejected> {
        let mut permit = Permit::empty();
        match self {
            Policy::Breaker(breaker) => permit.pass = Some(breaker.try_enter()?),
            Policy::Bulkhead(bulkhead) => permit.place = Some(bulkhead.try_enter()?),
            Policy::Adaptive(adaptive) => permit.ticket = Some(adaptive.try_enter()?),
            Policy::TokenBucket(bucket) => bucket.try_take(call.tokens)?,
            Policy::SlidingWindow(window) => window.try_take()?,
            Policy::Shedder(shedder) => shedder.try_enter(call.priority)?,
            Policy::Chaos(chaos) => permit.fails = chaos.strike(),
            Policy::Pipeline(pipeline) => return pipeline.try_enter(call),
            _ => {}
        }
        permit.deadline = call.deadline;
        Ok(permit)
    }

    /// Takes the outcome of a call that it admitted, and says what it was taken for: a pipeline takes a success beyond its deadline,
    /// and whatever chaos made fail, for a failure.
    #[inline]
    pub fn finish(&self, permit: Permit, outcome: Outcome) -> Outcome {
        let outcome = if permit.fails { Outcome::Failure } else { outcome };
        match self {
            Policy::Breaker(breaker) => {
                if let Some(pass) = permit.pass {
                    breaker.finish(pass, outcome);
                }
            }
            Policy::Bulkhead(bulkhead) => {
                if let Some(place) = permit.place {
                    bulkhead.leave(place);
                }
            }
            Policy::Adaptive(adaptive) => {
                if let Some(ticket) = permit.ticket {
                    adaptive.leave(ticket, outcome);
                }
            }
            Policy::Pipeline(pipeline) => return pipeline.finish(permit, outcome),
            _ => {}
        }
        outcome
    }
}
