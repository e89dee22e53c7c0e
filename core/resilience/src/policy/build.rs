//! Policies out of names and numbers, for languages that pass settings by name.

use std::sync::Arc;

use super::parameters::{self as p, Parameter, duration, from_rows, overlay};
use super::{Policy, PolicyError};
use crate::breaker::{self, Breaker, Window};
use crate::chaos::{self, Chaos};
use crate::degrade::{Degradation, Level};
use crate::health::{self, Monitor};
use crate::hedge::{self, Hedge};
use crate::limit::{Adaptive, Bulkhead, Gradient2, Law, SlidingWindow, TokenBucket, Vegas};
use crate::pipeline::{Pipeline, Policies};
use crate::recover::{Recovery, Strategy};
use crate::retry::{self, Budget, Retry};
use crate::scope::Scope;
use crate::shed::{self, Shedder};

/// Every kind.
pub(super) const KINDS: [&str; 14] = [
    "breaker",
    "bulkhead",
    "adaptive",
    "token_bucket",
    "sliding_window",
    "shedder",
    "chaos",
    "pipeline",
    "retry",
    "budget",
    "hedge",
    "degradation",
    "recovery",
    "health",
];

/// What a policy is made of besides numbers.
#[derive(Default)]
pub struct Parts {
    /// A pipeline's policies, at most one of each kind; a retry's or hedge's budget.
    pub policies: Vec<Policy>,
    /// A degradation's levels.
    pub levels: Vec<Level>,
    /// A recovery's strategies: name, tries, what to do.
    pub strategies: Vec<(String, u32, Strategy)>,
}

/// The numbers given, which must all be asked for.
struct Given<'a> {
    kind: &'static str,
    left: Vec<(&'a str, f64)>,
    asked: Vec<&'static str>,
}

impl Given<'_> {
    fn optional(&mut self, name: &'static str) -> Option<f64> {
        self.asked.push(name);
        let at = self.left.iter().position(|(given, _)| *given == name)?;
        Some(self.left.swap_remove(at).1)
    }

    fn number(&mut self, name: &'static str, otherwise: f64) -> f64 {
        self.optional(name).unwrap_or(otherwise)
    }

    fn needed(&mut self, name: &'static str) -> Result<f64, PolicyError> {
        self.optional(name).ok_or(PolicyError::Missing { kind: self.kind, name })
    }

    /// A whole number that fits.
    fn whole(&mut self, name: &'static str, otherwise: Option<f64>) -> Result<u32, PolicyError> {
        let value = match otherwise {
            Some(otherwise) => self.number(name, otherwise),
            None => self.needed(name)?,
        };
        if value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value) {
            return Ok(value as u32);
        }
        Err(PolicyError::Value { name: name.into(), value, expected: "a whole number from 0".into() })
    }

    /// Milliseconds.
    fn span(&mut self, name: &'static str, otherwise: Option<f64>) -> Result<std::time::Duration, PolicyError> {
        let value = match otherwise {
            Some(otherwise) => self.number(name, otherwise),
            None => self.needed(name)?,
        };
        if (0.0..=1e14).contains(&value) {
            return Ok(duration(value));
        }
        Err(PolicyError::Value { name: name.into(), value, expected: "a number of milliseconds from 0".into() })
    }

    /// The rest, over these parameters; the values.
    fn over(self, mut parameters: Vec<Parameter>) -> Result<Vec<f64>, PolicyError> {
        let known: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        if let Some((name, _)) = self.left.iter().find(|(name, _)| !known.contains(name)) {
            let known = known.iter().chain(&self.asked).map(|name| (*name).to_owned()).collect();
            return Err(PolicyError::Unknown { kind: self.kind, name: (*name).into(), known });
        }
        overlay(self.kind, &mut parameters, &self.left)?;
        Ok(parameters.into_iter().map(|parameter| parameter.value).collect())
    }

    fn done(self) -> Result<(), PolicyError> {
        self.over(Vec::new()).map(drop)
    }
}

impl Policy {
    /// Makes a policy of that kind. `given`: its parameters by their names in [`Policy::parameters`], and what cannot be retuned: a
    /// breaker's `window_calls`, or `window_span_ms` and `window_buckets` (10); an adaptive limit's `initial` (20, or the bound that
    /// is nearer) and `vegas` (0, or 1 for that law); a sliding window's `capacity` (its limit); a retry's and a chaos's `seed` (0); a
    /// chaos's `failures`, `delays`, `shortest_delay_ms` and `longest_delay_ms`; a budget's `share` (0.1), `reserve` (10) and
    /// `span_ms` (10,000); a recovery's `pause_ms` (100) and `relapse_ms` (60,000).
    ///
    /// # Errors
    /// [`PolicyError`] says what cannot be.
    pub fn build(
        kind: &str,
        name: &str,
        given: &[(&str, f64)],
        parts: Parts,
        scope: &Scope,
    ) -> Result<Policy, PolicyError> {
        let kind = KINDS.into_iter().find(|known| *known == kind).ok_or_else(|| PolicyError::Kind(kind.into()))?;
        let mut given = Given { kind, left: given.to_vec(), asked: Vec::new() };
        Ok(match kind {
            "breaker" => {
                let (calls, span) = (given.whole("window_calls", Some(0.0))?, given.span("window_span_ms", Some(0.0))?);
                let buckets = given.whole("window_buckets", Some(10.0))?;
                let window = match calls {
                    0 if span.is_zero() => Window::None,
                    0 => Window::Time { span, buckets },
                    calls => Window::Count(calls),
                };
                let mut defaults = breaker::Settings::default();
                if let Window::Count(calls) = window {
                    defaults.minimum_calls = defaults.minimum_calls.min(calls);
                }
                let values = given.over(from_rows(&p::BREAKER, &p::breaker_values(&defaults)))?;
                Policy::Breaker(Arc::new(Breaker::new(name, p::breaker_settings(window, &values), scope)?))
            }
            "bulkhead" => {
                let limit = given.whole("limit", None)?;
                given.done()?;
                Policy::Bulkhead(Arc::new(Bulkhead::new(limit, scope)?))
            }
            "adaptive" => {
                let (lowest, highest) = (given.whole("lowest", Some(1.0))?, given.whole("highest", Some(1000.0))?);
                let nearest = 20.max(lowest).min(highest.max(lowest));
                let initial = given.whole("initial", Some(nearest.into()))?;
                let vegas = given.number("vegas", 0.0) != 0.0;
                let law = if vegas { Law::Vegas(Vegas::default()) } else { Law::Gradient2(Gradient2::default()) };
                let values = given.over(p::law_parameters(&law))?;
                let law = p::law(&law, &values);
                Policy::Adaptive(Arc::new(Adaptive::new(law, initial, lowest, highest, scope)?))
            }
            "token_bucket" => {
                let rate = given.needed("rate")?;
                let burst = given.whole("burst", Some(rate.ceil().clamp(1.0, 65_535.0)))?;
                given.done()?;
                Policy::TokenBucket(Arc::new(TokenBucket::new(rate, burst, scope)?))
            }
            "sliding_window" => {
                let (limit, span) = (given.whole("limit", None)?, given.span("span_ms", None)?);
                let capacity = given.whole("capacity", Some(limit.into()))?;
                given.done()?;
                Policy::SlidingWindow(Arc::new(SlidingWindow::new(limit, span, capacity, scope)?))
            }
            "shedder" => {
                let shedder = Policy::Shedder(Arc::new(Shedder::new(shed::DEFAULT, scope)?));
                shedder.retune(&given.left)?;
                shedder
            }
            "chaos" => {
                let (failures, delays) = (given.number("failures", 0.0), given.number("delays", 0.0));
                let delay = (given.span("shortest_delay_ms", Some(0.0))?, given.span("longest_delay_ms", Some(0.0))?);
                let seed = given.number("seed", 0.0) as u64;
                given.done()?;
                let settings = chaos::Settings { failures, delays, delay };
                Policy::Chaos(Arc::new(Chaos::new(settings, seed, scope)?))
            }
            "pipeline" => {
                let timeout = given.span("timeout_ms", Some(0.0))?;
                given.done()?;
                let mut policies = composed(parts.policies)?;
                policies.timeout = (!timeout.is_zero()).then_some(timeout);
                Policy::Pipeline(Arc::new(Pipeline::new(policies, scope)))
            }
            "retry" => {
                let seed = given.number("seed", 0.0) as u64;
                let values = given.over(from_rows(&p::RETRY, &p::retry_values(&retry::Settings::default())))?;
                let budget = budget(parts.policies)?;
                Policy::Retry(Arc::new(Retry::new(p::retry_settings(&values), seed, budget, scope)?))
            }
            "budget" => {
                let (share, reserve) = (given.number("share", 0.1), given.whole("reserve", Some(10.0))?);
                let span = given.span("span_ms", Some(10_000.0))?;
                given.done()?;
                Policy::Budget(Arc::new(Budget::new(share, reserve, span, scope)?))
            }
            "hedge" => {
                let values = given.over(from_rows(&p::HEDGE, &p::hedge_values(&hedge::Settings::default())))?;
                let budget = budget(parts.policies)?;
                Policy::Hedge(Arc::new(Hedge::new(p::hedge_settings(&values), budget, scope)?))
            }
            "degradation" => {
                given.done()?;
                Policy::Degradation(Arc::new(Degradation::new(name, parts.levels, scope)?))
            }
            "recovery" => {
                let pause = given.span("pause_ms", Some(100.0))?;
                let relapse = given.span("relapse_ms", Some(60_000.0))?;
                given.done()?;
                let recovery = parts
                    .strategies
                    .into_iter()
                    .fold(Recovery::new(name, pause, relapse, scope), |recovery, (name, tries, strategy)| {
                        recovery.then(&name, tries, strategy)
                    });
                Policy::Recovery(Arc::new(recovery))
            }
            _ => {
                let values = given.over(from_rows(&p::HEALTH, &p::health_values(&health::Settings::default())))?;
                Policy::Health(Arc::new(Monitor::new(name, p::health_settings(&values), scope)?))
            }
        })
    }
}

fn composed(parts: Vec<Policy>) -> Result<Policies, PolicyError> {
    fn put<T>(place: &mut Option<T>, part: T, kind: &str) -> Result<(), PolicyError> {
        if place.is_some() {
            return Err(PolicyError::Part(format!("a pipeline holds one {kind}, and there are two")));
        }
        *place = Some(part);
        Ok(())
    }
    let mut policies = Policies::default();
    for part in parts {
        let kind = part.kind();
        match part {
            Policy::Shedder(shedder) => put(&mut policies.shedder, shedder, kind)?,
            Policy::Breaker(breaker) => put(&mut policies.breaker, breaker, kind)?,
            Policy::Bulkhead(bulkhead) => put(&mut policies.bulkhead, bulkhead, kind)?,
            Policy::Adaptive(adaptive) => put(&mut policies.adaptive, adaptive, kind)?,
            Policy::TokenBucket(bucket) => put(&mut policies.bucket, bucket, kind)?,
            Policy::SlidingWindow(window) => put(&mut policies.window, window, kind)?,
            Policy::Chaos(chaos) => put(&mut policies.chaos, chaos, kind)?,
            Policy::Retry(retry) => put(&mut policies.retry, retry, kind)?,
            other => return Err(PolicyError::Part(format!("a pipeline cannot hold a {}", other.kind()))),
        }
    }
    Ok(policies)
}

fn budget(parts: Vec<Policy>) -> Result<Option<Arc<Budget>>, PolicyError> {
    let mut found = None;
    for part in parts {
        match part {
            Policy::Budget(budget) if found.is_none() => found = Some(budget),
            other => return Err(PolicyError::Part(format!("its budget is one budget, not a {}", other.kind()))),
        }
    }
    Ok(found)
}
