//! What a breaker shows of itself.

use std::time::Duration;

use super::state::State;

/// Outcomes of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that ended, ignored ones aside.
    pub calls: u64,
    /// Those that failed.
    pub failures: u64,
    /// Those that were slow.
    pub slow: u64,
}

/// A breaker as it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Status {
    /// Its state.
    pub state: State,
    /// How long it has been in it.
    pub since: Duration,
    /// λ, the moving average of failures.
    pub trend: f32,
    /// Failures in a row.
    pub consecutive: u32,
    /// Calls since it closed, up to 1,023.
    pub calls: u32,
    /// The window, where there is one.
    pub window: Option<Tally>,
}
