//! Why a call was refused, and why a setting was.

use std::time::Duration;

use knhk_warm::Priority;

/// Why a call was refused before it began.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// The breaker is open.
    #[error("the circuit breaker is open; the next probe is admitted in {retry_after:?}")]
    Open {
        /// Until it admits a probe.
        retry_after: Duration,
    },
    /// The breaker was opened by hand.
    #[error("the circuit breaker was opened by hand; it stays open until it is closed by hand")]
    ForcedOpen,
    /// The breaker is half-open and all its probes are under way.
    #[error("the circuit breaker is half-open and its {permits} probes are under way")]
    Probing {
        /// Probes of a half-open period.
        permits: u32,
    },
    /// The rate limit is used up.
    #[error("the rate limit is used up; the next call is admitted in {retry_after:?}")]
    RateLimited {
        /// Until a call of this size is admitted, if nobody else takes its place; the longest duration where it never is.
        retry_after: Duration,
    },
    /// All places of a bulkhead are taken.
    #[error("all {limit} places of the bulkhead are taken")]
    Full {
        /// The places.
        limit: u32,
    },
    /// The adaptive limit is reached.
    #[error("{limit} calls are under way, which is what the callee takes at present")]
    Overloaded {
        /// The limit at present.
        limit: u32,
    },
    /// Calls of this priority are shed at present.
    #[error("calls of {priority} priority are shed at a load of {load:.2}")]
    Shed {
        /// The call's.
        priority: Priority,
        /// The load at present; 1 is the capacity.
        load: f32,
    },
    /// The deadline passed before the call began.
    #[error("the call's deadline passed before it began")]
    DeadlinePassed,
}

impl Rejected {
    /// The reason in a word: "open", "forced_open", "probing", "rate_limited", "full", "overloaded", "shed" or "deadline_passed".
    pub fn reason(&self) -> &'static str {
        match self {
            Rejected::Open { .. } => "open",
            Rejected::ForcedOpen => "forced_open",
            Rejected::Probing { .. } => "probing",
            Rejected::RateLimited { .. } => "rate_limited",
            Rejected::Full { .. } => "full",
            Rejected::Overloaded { .. } => "overloaded",
            Rejected::Shed { .. } => "shed",
            Rejected::DeadlinePassed => "deadline_passed",
        }
    }

    /// How long to wait before another try has a chance, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Rejected::Open { retry_after } | Rejected::RateLimited { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}

/// Why a call through a policy has no result.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum CallError<E> {
    /// It was refused, and never began.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// It failed.
    #[error("{0}")]
    Failed(E),
}

/// A setting that cannot be. Nothing was changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{setting} is {value}, which must be {expected}")]
pub struct InvalidSetting {
    /// Its name.
    pub setting: &'static str,
    /// What it was.
    pub value: String,
    /// What it may be.
    pub expected: &'static str,
}

impl InvalidSetting {
    /// Refuses `value` unless `holds`.
    pub(crate) fn unless(
        holds: bool,
        setting: &'static str,
        value: impl std::fmt::Debug,
        expected: &'static str,
    ) -> Result<(), InvalidSetting> {
        if holds { Ok(()) } else { Err(InvalidSetting { setting, value: format!("{value:?}"), expected }) }
    }
}
