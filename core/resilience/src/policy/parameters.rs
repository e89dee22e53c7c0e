//! What can be retuned about a policy, by name: numbers with units and ranges.

use std::time::Duration;

use super::{Policy, PolicyError};
use crate::clock::nanoseconds;
use crate::limit::{Gradient2, Law, Vegas};
use crate::{breaker, degrade, health, hedge, retry};

/// A parameter of a policy, as it stands. Its range is that of the value alone: some must also fit each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name, as in a sector: `failure_rate`, or `brownout/enter` for a level of degradation.
    pub name: String,
    /// Its value at present.
    pub value: f64,
    /// The unit, in the notation of UCUM: `1`, `ms`, `{call}`.
    pub unit: &'static str,
    /// The least value.
    pub low: f64,
    /// The greatest value.
    pub high: f64,
    /// Whether it is a whole number.
    pub is_whole: bool,
    /// What it means.
    pub what: &'static str,
}

/// Name, unit, least, greatest, whole, meaning.
pub(super) type Row = (&'static str, &'static str, f64, f64, bool, &'static str);

const YEAR_MS: f64 = 365.0 * 86_400_000.0;
/// Above zero.
const SOME: f64 = 1e-9;

pub(super) const BREAKER: [Row; 9] = [
    ("consecutive_failures", "{call}", 0.0, 2047.0, true, "failures in a row that open it; 0 for never"),
    ("ema_alpha", "1", 0.0, 1.0, false, "weight of the newest call in the moving average; 0 for none"),
    ("ema_threshold", "1", SOME, 1.0, false, "moving average of failures that opens it"),
    ("minimum_calls", "{call}", 1.0, 1023.0, true, "calls before a rate is judged"),
    ("failure_rate", "1", SOME, 1.0, false, "the window's share of failures that opens it"),
    ("slow_call_ms", "ms", 0.0, YEAR_MS, false, "a call that takes so long is slow; 0 for none"),
    ("slow_call_rate", "1", SOME, 1.0, false, "the window's share of slow calls that opens it"),
    ("recovery_ms", "ms", 1.0, YEAR_MS, false, "from opening to the first probe"),
    ("half_open_permits", "{call}", 1.0, 63.0, true, "probes of a half-open period"),
];

const BULKHEAD: [Row; 1] = [("limit", "{call}", 1.0, u32::MAX as f64, true, "calls at once")];

const ADAPTIVE: [Row; 2] = [
    ("lowest", "{call}", 1.0, 1e6, true, "the lowest limit"),
    ("highest", "{call}", 1.0, 1e6, true, "the highest limit"),
];
const GRADIENT2: [Row; 3] = [
    ("tolerance", "1", 1.0, 10.0, false, "how much slower than unloaded is not yet taken for queueing"),
    ("queue", "1", 0.01, 100.0, false, "calls that may wait, for each square root of the limit"),
    ("smoothing", "1", 0.01, 1.0, false, "how much of a new limit is taken over at once"),
];
const VEGAS: [Row; 2] = [
    ("alpha", "1", 0.01, 100.0, false, "the limit grows below so long a queue, for each square root of the limit"),
    ("beta", "1", 0.01, 100.0, false, "the limit falls above so long a queue, for each square root of the limit"),
];

const TOKEN_BUCKET: [Row; 2] = [
    ("rate", "{call}/s", 1.0 / 36_000.0, 1e8, false, "calls a second"),
    ("burst", "{call}", 1.0, 65_535.0, true, "calls at once"),
];

const SLIDING_WINDOW: [Row; 2] = [
    ("limit", "{call}", 1.0, 65_536.0, true, "calls in any span"),
    ("span_ms", "ms", 0.001, 8_640_000_000.0, false, "the span"),
];

const SHEDDER: [Row; 5] = [
    ("background", "1", SOME, 1e6, false, "load from which background calls are shed"),
    ("low", "1", SOME, 1e6, false, "load from which calls of low priority are shed"),
    ("normal", "1", SOME, 1e6, false, "load from which calls of normal priority are shed"),
    ("high", "1", SOME, 1e6, false, "load from which calls of high priority are shed"),
    ("critical", "1", SOME, 1e6, false, "load from which critical calls are shed"),
];

const PIPELINE: [Row; 1] = [("timeout_ms", "ms", 0.0, YEAR_MS, false, "what bounds each attempt; 0 for nothing")];

pub(super) const RETRY: [Row; 4] = [
    ("attempts", "{attempt}", 1.0, 100.0, true, "attempts in all"),
    ("base_ms", "ms", 1e-6, YEAR_MS, false, "the shortest pause"),
    ("cap_ms", "ms", 1e-6, YEAR_MS, false, "the longest pause that is drawn"),
    ("longest_retry_after_ms", "ms", 0.0, YEAR_MS, false, "a callee that asks for a longer pause is not tried again"),
];

pub(super) const HEDGE: [Row; 4] = [
    ("copies", "{attempt}", 2.0, 8.0, true, "copies in all"),
    ("quantile", "1", 0.0, 1.0, false, "another copy is sent when the last takes longer than this quantile"),
    ("soonest_ms", "ms", 0.0, YEAR_MS, false, "but not sooner than this"),
    ("unknown_ms", "ms", 0.0, YEAR_MS, false, "and at this, while few calls are known"),
];

const DEGRADATION: [Row; 4] = [
    ("enter", "1", SOME, 1e9, false, "load at which the level is entered"),
    ("leave", "1", SOME, 1e9, false, "load below which the level is left"),
    ("enter_after_ms", "ms", 0.0, YEAR_MS, false, "how long the load must have been high"),
    ("leave_after_ms", "ms", 0.0, YEAR_MS, false, "how long the load must have been low"),
];

pub(super) const HEALTH: [Row; 3] = [
    ("running", "1", SOME, 1.0, false, "health from which a component is healthy and the system running"),
    ("critical", "1", SOME, 1.0, false, "health below which a component is unhealthy and the system critical"),
    ("stale_after_ms", "ms", 0.0, YEAR_MS, false, "a component that is silent for so long is stale"),
];

pub(super) fn ms(duration: Duration) -> f64 {
    nanoseconds(duration) as f64 / 1e6
}

/// A parameter in milliseconds, which [`overlay`] has checked.
pub(super) fn duration(ms: f64) -> Duration {
    Duration::from_nanos((ms * 1e6).round() as u64)
}

fn parameter(name: String, row: &Row, value: f64) -> Parameter {
    let (_, unit, low, high, is_whole, what) = *row;
    Parameter { name, value, unit, low, high, is_whole, what }
}

/// Puts what is given over the values; all or nothing.
pub(super) fn overlay(
    kind: &'static str,
    parameters: &mut [Parameter],
    given: &[(&str, f64)],
) -> Result<(), PolicyError> {
    for (name, value) in given {
        let Some(at) = parameters.iter().position(|parameter| parameter.name == *name) else {
            let known = parameters.iter().map(|parameter| parameter.name.clone()).collect();
            return Err(PolicyError::Unknown { kind, name: (*name).into(), known });
        };
        let Parameter { low, high, is_whole, .. } = parameters[at];
        if !(low..=high).contains(value) || is_whole && value.fract() != 0.0 {
            let whole = if is_whole { "a whole number " } else { "" };
            let low = if low == SOME { "above 0".into() } else { format!("from {low}") };
            let expected = format!("{whole}{low} to {high}");
            return Err(PolicyError::Value { name: (*name).into(), value: *value, expected });
        }
        parameters[at].value = *value;
    }
    Ok(())
}

pub(super) fn from_rows(rows: &[Row], values: &[f64]) -> Vec<Parameter> {
    rows.iter().zip(values).map(|(row, value)| parameter(row.0.into(), row, *value)).collect()
}

pub(super) fn breaker_values(settings: &breaker::Settings) -> [f64; 9] {
    [
        settings.consecutive_failures.into(),
        settings.ema_alpha,
        settings.ema_threshold,
        settings.minimum_calls.into(),
        settings.failure_rate,
        settings.slow_call.map_or(0.0, ms),
        settings.slow_call_rate,
        ms(settings.recovery),
        settings.half_open_permits.into(),
    ]
}

pub(super) fn breaker_settings(window: breaker::Window, v: &[f64]) -> breaker::Settings {
    breaker::Settings {
        window,
        consecutive_failures: v[0] as u32,
        ema_alpha: v[1],
        ema_threshold: v[2],
        minimum_calls: v[3] as u32,
        failure_rate: v[4],
        slow_call: (v[5] > 0.0).then(|| duration(v[5])),
        slow_call_rate: v[6],
        recovery: duration(v[7]),
        half_open_permits: v[8] as u32,
    }
}

pub(super) fn retry_values(settings: &retry::Settings) -> [f64; 4] {
    let retry::Settings { attempts, base, cap, longest_retry_after } = *settings;
    [attempts.into(), ms(base), ms(cap), ms(longest_retry_after)]
}

pub(super) fn retry_settings(v: &[f64]) -> retry::Settings {
    retry::Settings {
        attempts: v[0] as u32,
        base: duration(v[1]),
        cap: duration(v[2]),
        longest_retry_after: duration(v[3]),
    }
}

pub(super) fn hedge_values(settings: &hedge::Settings) -> [f64; 4] {
    [settings.copies.into(), settings.quantile, ms(settings.soonest), ms(settings.unknown)]
}

pub(super) fn hedge_settings(v: &[f64]) -> hedge::Settings {
    hedge::Settings { copies: v[0] as u32, quantile: v[1], soonest: duration(v[2]), unknown: duration(v[3]) }
}

pub(super) fn health_values(settings: &health::Settings) -> [f64; 3] {
    [settings.running, settings.critical, ms(settings.stale_after)]
}

pub(super) fn health_settings(v: &[f64]) -> health::Settings {
    health::Settings { running: v[0], critical: v[1], stale_after: duration(v[2]) }
}

pub(super) fn thresholds(v: &[f64]) -> degrade::Thresholds {
    degrade::Thresholds { enter: v[0], leave: v[1], enter_after: duration(v[2]), leave_after: duration(v[3]) }
}

/// The law of the same kind with these values.
pub(super) fn law(kind: &Law, v: &[f64]) -> Law {
    match kind {
        Law::Gradient2(_) => Law::Gradient2(Gradient2 { tolerance: v[0], queue: v[1], smoothing: v[2] }),
        Law::Vegas(_) => Law::Vegas(Vegas { alpha: v[0], beta: v[1] }),
    }
}

pub(super) fn law_parameters(law: &Law) -> Vec<Parameter> {
    match *law {
        Law::Gradient2(law) => from_rows(&GRADIENT2, &[law.tolerance, law.queue, law.smoothing]),
        Law::Vegas(law) => from_rows(&VEGAS, &[law.alpha, law.beta]),
    }
}

impl Policy {
    /// What can be retuned, as it stands. A chaos, a budget and a recovery stay what they were made as.
    pub fn parameters(&self) -> Vec<Parameter> {
        match self {
            Policy::Breaker(breaker) => from_rows(&BREAKER, &breaker_values(&breaker.settings())),
            Policy::Bulkhead(bulkhead) => from_rows(&BULKHEAD, &[bulkhead.limit().into()]),
            Policy::Adaptive(adaptive) => {
                let (law, lowest, highest) = adaptive.settings();
                let mut all = from_rows(&ADAPTIVE, &[lowest.into(), highest.into()]);
                all.extend(law_parameters(&law));
                all
            }
            Policy::TokenBucket(bucket) => {
                let (rate, burst) = bucket.setting();
                from_rows(&TOKEN_BUCKET, &[rate, burst.into()])
            }
            Policy::SlidingWindow(window) => {
                let (limit, span) = window.setting();
                from_rows(&SLIDING_WINDOW, &[limit.into(), ms(span)])
            }
            Policy::Shedder(shedder) => from_rows(&SHEDDER, &shedder.thresholds().map(shown)),
            Policy::Pipeline(pipeline) => from_rows(&PIPELINE, &[pipeline.timeout().map_or(0.0, ms)]),
            Policy::Retry(retry) => from_rows(&RETRY, &retry_values(&retry.settings())),
            Policy::Hedge(hedge) => from_rows(&HEDGE, &hedge_values(&hedge.settings())),
            Policy::Degradation(degradation) => {
                let of = |level: &degrade::Level| {
                    let degrade::Thresholds { enter, leave, enter_after, leave_after } = level.thresholds;
                    let name = level.name.clone();
                    let values = [enter, leave, ms(enter_after), ms(leave_after)];
                    let named = move |(row, value): (&Row, f64)| parameter(format!("{name}/{}", row.0), row, value);
                    DEGRADATION.iter().zip(values).map(named).collect::<Vec<_>>()
                };
                degradation.levels().iter().flat_map(of).collect()
            }
            Policy::Health(monitor) => from_rows(&HEALTH, &health_values(&monitor.settings())),
            Policy::Chaos(_) | Policy::Budget(_) | Policy::Recovery(_) => Vec::new(),
        }
    }

    /// Changes what is named, and leaves the rest; all or nothing. Calls under way go on, by the new values where that can be.
    ///
    /// # Errors
    /// [`PolicyError`] says which value cannot be. Nothing was changed.
    pub fn retune(&self, given: &[(&str, f64)]) -> Result<(), PolicyError> {
        let mut parameters = self.parameters();
        overlay(self.kind(), &mut parameters, given)?;
        let v: Vec<f64> = parameters.iter().map(|parameter| parameter.value).collect();
        match self {
            Policy::Breaker(breaker) => breaker.retune(breaker_settings(breaker.settings().window, &v))?,
            Policy::Bulkhead(bulkhead) => bulkhead.retune(v[0] as u32)?,
            Policy::Adaptive(adaptive) => {
                adaptive.retune(law(&adaptive.settings().0, &v[2..]), v[0] as u32, v[1] as u32)?;
            }
            Policy::TokenBucket(bucket) => bucket.retune(v[0], v[1] as u32)?,
            Policy::SlidingWindow(window) => window.retune(v[0] as u32, duration(v[1]))?,
            Policy::Shedder(shedder) => shedder.retune(std::array::from_fn(|at| v[at] as f32))?,
            Policy::Pipeline(pipeline) => pipeline.retune((v[0] > 0.0).then(|| duration(v[0]))),
            Policy::Retry(retry) => retry.retune(retry_settings(&v))?,
            Policy::Hedge(hedge) => hedge.retune(hedge_settings(&v))?,
            Policy::Degradation(degradation) => {
                let all: Vec<_> = v.chunks_exact(DEGRADATION.len()).map(thresholds).collect();
                degradation.retune(&all)?;
            }
            Policy::Health(monitor) => monitor.retune(health_settings(&v))?,
            Policy::Chaos(_) | Policy::Budget(_) | Policy::Recovery(_) => {}
        }
        Ok(())
    }
}

/// A single's value as the decimal number that it was written as.
fn shown(single: f32) -> f64 {
    single.to_string().parse().unwrap_or(f64::from(single))
}
