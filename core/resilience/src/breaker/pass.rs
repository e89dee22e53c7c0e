//! What an admitted call holds.

use super::state::{State, Word};

/// When a call began that is not timed.
pub(super) const UNTIMED: u64 = u64::MAX;

/// An admitted call. It must come back to its breaker with the call's outcome; a probe that never does holds its permit until the
/// half-open period is over.
#[derive(Debug)]
#[must_use = "the outcome must be told to `Breaker::finish`"]
pub struct Pass {
    /// The period it was admitted in; a closed period's state word, exactly.
    pub(super) period: u64,
    /// When it began, or [`UNTIMED`].
    pub(super) started_ns: u64,
}

impl Pass {
    /// Two words, for a language that cannot hold a Rust value.
    pub fn into_raw(self) -> [u64; 2] {
        [self.period, self.started_ns]
    }

    /// The pass of [`Pass::into_raw`]; words that are none are a pass of another period.
    pub fn from_raw([period, started_ns]: [u64; 2]) -> Pass {
        Pass { period, started_ns }
    }

    /// Whether the call is one of a half-open period's probes.
    pub fn is_probe(&self) -> bool {
        Word(self.period).state() == State::HalfOpen
    }
}
