//! Whether a closed breaker opens.

use super::settings::{Settings, Window};
use super::state::Why;
use super::status::Tally;
use super::trend::Seen;

impl Settings {
    /// Whether a closed breaker opens, and why, after an outcome that failed or was slow.
    pub(super) fn judge(&self, failed: bool, seen: Seen, tally: impl FnOnce() -> Tally) -> Option<Why> {
        /// λ is kept in 24 bits.
        const TOLERANCE: f64 = 1e-6;
        if failed && self.consecutive_failures != 0 && seen.consecutive >= self.consecutive_failures {
            return Some(Why::ConsecutiveFailures(seen.consecutive));
        }
        let enough = seen.calls >= self.minimum_calls && self.ema_alpha > 0.0;
        if failed && enough && f64::from(seen.rate) >= self.ema_threshold - TOLERANCE {
            return Some(Why::FailureTrend(seen.rate, self.ema_threshold as f32));
        }
        if self.window == Window::None {
            return None;
        }
        let tally = tally();
        if tally.calls < u64::from(self.minimum_calls) {
            return None;
        }
        let calls = tally.calls as f64;
        let (failures, slow) = (tally.failures as f64 / calls, tally.slow as f64 / calls);
        if failed && failures >= self.failure_rate {
            return Some(Why::FailureRate(failures as f32, self.failure_rate as f32));
        }
        let reached = self.slow_call.is_some() && slow >= self.slow_call_rate;
        reached.then_some(Why::SlowCallRate(slow as f32, self.slow_call_rate as f32))
    }
}
