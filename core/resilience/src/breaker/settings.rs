//! What a breaker is set to.

use std::time::Duration;

use crate::error::InvalidSetting;

/// Which calls the window's rates are taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Window {
    /// No window: the moving average and the consecutive failures alone.
    #[default]
    None,
    /// The last so many calls, at most 65,536.
    Count(u32),
    /// The calls of the last `span`, in steps of `span / buckets`, each at least 10 ms; the step under way counts as whole.
    Time {
        /// How far back.
        span: Duration,
        /// Steps; at least 2, at most 1,000.
        buckets: u32,
    },
}

/// A breaker's settings; the default is row W4 of the requirements. All but the window can change while calls go on.
///
/// A closed breaker opens when one of these holds after a failure (the last one also after a slow success); nothing else opens it:
///
/// 1. `consecutive_failures` in a row, however few calls there were;
/// 2. λ ≥ `ema_threshold` after at least `minimum_calls` since it closed, where λ(t) = α f(t) + (1 − α) λ(t−1), f being 1 for a failure
///    and 0 for a success, and λ = 0 when it closes; kept as a 32-bit float and compared with a tolerance of 1e-6;
/// 3. the window's share of failures ≥ `failure_rate`, when it holds at least `minimum_calls`;
/// 4. the window's share of slow calls ≥ `slow_call_rate`, likewise.
///
/// After `recovery` the next call is admitted as a probe, and the breaker is half-open: it admits `half_open_permits` probes. When so many
/// have succeeded it closes. The first that fails, or is slow, opens it again. A probe that ends as ignored gives its permit back. When a
/// half-open period is undecided `recovery` after it began, because probes never came back, a new one begins.
/// Times are kept in milliseconds since the breaker was made; a recovery is at most 1 ms longer than asked for. They are told apart
/// for 8 years.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The window; fixed when the breaker is made.
    pub window: Window,
    /// α of the moving average: (0, 1], or 0 for none. 0.1.
    pub ema_alpha: f64,
    /// λ that opens: (0, 1]. 0.5.
    pub ema_threshold: f64,
    /// Failures in a row that open, at most 2,047, or 0 for never. 5.
    pub consecutive_failures: u32,
    /// Calls before a rate is judged: 1 to 1,023. 10.
    pub minimum_calls: u32,
    /// The window's share of failures that opens: (0, 1]. 0.5.
    pub failure_rate: f64,
    /// A call that takes at least this long is slow. None: no call is.
    pub slow_call: Option<Duration>,
    /// The window's share of slow calls that opens: (0, 1]. 0.5.
    pub slow_call_rate: f64,
    /// From opening to the first probe: 1 ms to 1 year. 30 s.
    pub recovery: Duration,
    /// Probes of a half-open period: 1 to 63. 3.
    pub half_open_permits: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            window: Window::None,
            ema_alpha: 0.1,
            ema_threshold: 0.5,
            consecutive_failures: 5,
            minimum_calls: 10,
            failure_rate: 0.5,
            slow_call: None,
            slow_call_rate: 0.5,
            recovery: Duration::from_secs(30),
            half_open_permits: 3,
        }
    }
}

impl Settings {
    /// # Errors
    /// [`InvalidSetting`] names the first that is out of its range.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        let rate =
            |name, rate: f64| InvalidSetting::unless(rate > 0.0 && rate <= 1.0, name, rate, "above 0 and at most 1");
        match self.window {
            Window::None => {}
            Window::Count(calls) => {
                InvalidSetting::unless((1..=65_536).contains(&calls), "window", calls, "1 to 65,536 calls")?;
                let holds = self.minimum_calls <= calls;
                InvalidSetting::unless(holds, "minimum_calls", self.minimum_calls, "at most the window's calls")?;
            }
            Window::Time { span, buckets } => {
                InvalidSetting::unless((2..=1000).contains(&buckets), "window", buckets, "2 to 1,000 buckets")?;
                let step = span / buckets;
                let holds = step >= Duration::from_millis(10) && step <= Duration::from_secs(86_400);
                InvalidSetting::unless(holds, "window", step, "buckets of 10 ms to 1 day")?;
            }
        }
        let alpha = self.ema_alpha;
        InvalidSetting::unless((0.0..=1.0).contains(&alpha), "ema_alpha", alpha, "0 (none) to 1")?;
        rate("ema_threshold", self.ema_threshold)?;
        let consecutive = self.consecutive_failures;
        InvalidSetting::unless(consecutive <= 2047, "consecutive_failures", consecutive, "0 (never) to 2,047")?;
        let minimum = self.minimum_calls;
        InvalidSetting::unless((1..=1023).contains(&minimum), "minimum_calls", minimum, "1 to 1,023")?;
        rate("failure_rate", self.failure_rate)?;
        rate("slow_call_rate", self.slow_call_rate)?;
        let recovery = self.recovery;
        let holds = recovery >= Duration::from_millis(1) && recovery <= Duration::from_secs(31_536_000);
        InvalidSetting::unless(holds, "recovery", recovery, "1 ms to 1 year")?;
        let permits = self.half_open_permits;
        InvalidSetting::unless((1..=63).contains(&permits), "half_open_permits", permits, "1 to 63")?;
        let slow = self.slow_call.is_none() || self.window != Window::None;
        InvalidSetting::unless(slow, "slow_call", self.slow_call, "none where there is no window")
    }

    /// The recovery in milliseconds, rounded up.
    pub(super) fn recovery_ms(&self) -> u64 {
        self.recovery.as_nanos().div_ceil(1_000_000) as u64
    }
}
