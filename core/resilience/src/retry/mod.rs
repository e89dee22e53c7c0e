//! Retries: when a failed call is tried again, and when no more.

mod after;
mod budget;

pub use after::retry_after;
pub use budget::Budget;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::clock::{Clock, nanoseconds};
use crate::counters::Counters;
use crate::deadline::Deadline;
use crate::error::InvalidSetting;
use crate::random::Random;
use crate::scope::Scope;

/// When to try again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Attempts in all: 1 to 100. 3.
    pub attempts: u32,
    /// The shortest pause, above zero. 100 ms.
    pub base: Duration,
    /// The longest pause that is drawn, at least the base. 10 s.
    pub cap: Duration,
    /// A callee that asks for a longer pause than this is not tried again. 1 min.
    pub longest_retry_after: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            attempts: 3,
            base: Duration::from_millis(100),
            cap: Duration::from_secs(10),
            longest_retry_after: Duration::from_secs(60),
        }
    }
}

impl Settings {
    /// # Errors
    /// [`InvalidSetting`] names the first that is out of its range.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        let attempts = self.attempts;
        InvalidSetting::unless((1..=100).contains(&attempts), "attempts", attempts, "1 to 100")?;
        InvalidSetting::unless(!self.base.is_zero(), "base", self.base, "above zero")?;
        InvalidSetting::unless(self.cap >= self.base, "cap", self.cap, "at least the base")
    }
}

/// What to do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Try again after this pause.
    After(Duration),
    /// Leave it.
    GiveUp(GiveUp),
}

/// Why a call is not tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GiveUp {
    /// It was the last attempt.
    Attempts,
    /// The budget is spent: too much is being tried again.
    Budget,
    /// The pause would outlast the deadline.
    Deadline,
    /// The callee asks for a pause longer than the settings allow.
    RetryAfter,
    /// The failure is not one that another attempt mends.
    Permanent,
}

impl fmt::Display for GiveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GiveUp::Attempts => "it was the last attempt",
            GiveUp::Budget => "the retry budget is spent",
            GiveUp::Deadline => "the pause would outlast the deadline",
            GiveUp::RetryAfter => "the callee asks for too long a pause",
            GiveUp::Permanent => "another attempt would not mend it",
        })
    }
}

/// What a failure says about another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Another attempt may succeed.
    Transient,
    /// Another attempt may succeed, but not sooner (`Retry-After`).
    TransientAfter(Duration),
    /// No other attempt will succeed.
    Permanent,
}

/// One call's attempts so far.
#[derive(Clone, Copy, Debug)]
pub struct Attempts {
    made: u32,
    pause_ns: u64,
}

impl Attempts {
    /// Two words, for a language that cannot hold a Rust value.
    pub fn into_raw(self) -> [u64; 2] {
        [self.made.into(), self.pause_ns]
    }

    /// The attempts of [`Attempts::into_raw`].
    pub fn from_raw([made, pause_ns]: [u64; 2]) -> Attempts {
        Attempts { made: made as u32, pause_ns }
    }

    /// Attempts that were begun.
    pub fn made(&self) -> u32 {
        self.made
    }
}

/// A call that was given up.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{error} (after {attempts} attempts: {why})")]
pub struct Exhausted<E> {
    /// The last attempt's error.
    pub error: E,
    /// Attempts that were made.
    pub attempts: u32,
    /// Why there was no other.
    pub why: GiveUp,
}

/// A retry policy: pauses with decorrelated jitter, uniform in [base, 3 · the pause before], at most the cap (Brooker: Exponential backoff
/// and jitter, AWS 2015), which spreads callers and still grows exponentially: by 3/2 on average.
#[derive(Debug)]
pub struct Retry {
    settings: ArcSwap<Settings>,
    random: Random,
    budget: Option<Arc<Budget>>,
    clock: Arc<dyn Clock>,
    scope: Scope,
}

impl Retry {
    /// A policy whose pauses are those of the seed; `budget` may be shared by several.
    ///
    /// # Errors
    /// [`InvalidSetting`] when a setting is out of its range.
    pub fn new(
        settings: Settings,
        seed: u64,
        budget: Option<Arc<Budget>>,
        scope: &Scope,
    ) -> Result<Retry, InvalidSetting> {
        settings.check()?;
        let settings = ArcSwap::from_pointee(settings);
        Ok(Retry { settings, random: Random::new(seed), budget, clock: scope.clock().clone(), scope: scope.clone() })
    }

    /// Its settings at present.
    pub fn settings(&self) -> Settings {
        **self.settings.load()
    }

    /// Changes its settings; calls under way go on by the new ones.
    ///
    /// # Errors
    /// [`InvalidSetting`] when a setting is out of its range. Nothing was changed.
    pub fn retune(&self, settings: Settings) -> Result<(), InvalidSetting> {
        settings.check()?;
        self.settings.store(Arc::new(settings));
        Ok(())
    }

    /// Begins a call's first attempt, which adds to the budget.
    pub fn begin(&self) -> Attempts {
        if let Some(budget) = &self.budget {
            budget.deposit();
        }
        Attempts { made: 1, pause_ns: nanoseconds(self.settings.load().base) }
    }

    /// Decides after a failed attempt; one that is to be made again is counted, and taken from the budget.
    pub fn decide(&self, attempts: &mut Attempts, failure: Failure, deadline: Deadline) -> Decision {
        let asked = match failure {
            Failure::Permanent => return Decision::GiveUp(GiveUp::Permanent),
            Failure::Transient => Duration::ZERO,
            Failure::TransientAfter(asked) => asked,
        };
        let settings = **self.settings.load();
        if attempts.made >= settings.attempts {
            return Decision::GiveUp(GiveUp::Attempts);
        }
        if asked > settings.longest_retry_after {
            return Decision::GiveUp(GiveUp::RetryAfter);
        }
        let (base, cap) = (nanoseconds(settings.base), nanoseconds(settings.cap));
        let drawn = self.random.between(base, attempts.pause_ns.saturating_mul(3)).min(cap);
        let pause = Duration::from_nanos(drawn).max(asked);
        if deadline.left(&*self.clock).is_some_and(|left| pause >= left) {
            return Decision::GiveUp(GiveUp::Deadline);
        }
        if self.budget.as_ref().is_some_and(|budget| !budget.withdraw()) {
            Counters::count(&self.scope.counters().retry_budget_spent);
            return Decision::GiveUp(GiveUp::Budget);
        }
        Counters::count(&self.scope.counters().retries);
        attempts.made += 1;
        attempts.pause_ns = drawn;
        Decision::After(pause)
    }

    /// Calls `work` with the attempt's number, from 1, until it succeeds or is given up; `judge` says what an error means. Pauses on
    /// the calling thread, by the scope's clock.
    ///
    /// # Errors
    /// [`Exhausted`]: the last error, and why there was no other attempt.
    pub fn call<T, E>(
        &self,
        deadline: Deadline,
        mut work: impl FnMut(u32) -> Result<T, E>,
        judge: impl Fn(&E) -> Failure,
    ) -> Result<T, Exhausted<E>> {
        let mut attempts = self.begin();
        loop {
            let error = match work(attempts.made) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match self.decide(&mut attempts, judge(&error), deadline) {
                Decision::After(pause) => self.clock.sleep(pause),
                Decision::GiveUp(why) => return Err(Exhausted { error, attempts: attempts.made, why }),
            }
        }
    }
}
