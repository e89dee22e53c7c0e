//! A policy as people and programs see it at one moment.

use std::fmt;

use super::Policy;
use crate::breaker;

impl Policy {
    /// The state in a word or two: a breaker's state, a degradation's level, a monitor's system state, whether chaos is on; empty for
    /// what has none.
    pub fn state(&self) -> String {
        match self {
            Policy::Breaker(breaker) => breaker.state().to_string(),
            Policy::Degradation(degradation) => degradation.level_name().unwrap_or("full service").into(),
            Policy::Health(monitor) => monitor.assess().system.to_string(),
            Policy::Chaos(chaos) => if chaos.is_on() { "on" } else { "off" }.into(),
            _ => String::new(),
        }
    }

    /// What it counts and measures at present, by name.
    pub fn figures(&self) -> Vec<(&'static str, f64)> {
        match self {
            Policy::Breaker(breaker) => {
                let status = breaker.status();
                let mut figures = vec![
                    ("since_ms", status.since.as_secs_f64() * 1000.0),
                    ("trend", shown(status.trend)),
                    ("consecutive_failures", status.consecutive.into()),
                    ("calls", status.calls.into()),
                ];
                if let Some(breaker::Tally { calls, failures, slow }) = status.window {
                    let window = [("window_calls", calls), ("window_failures", failures), ("window_slow", slow)];
                    figures.extend(window.map(|(name, count)| (name, count as f64)));
                }
                figures
            }
            Policy::Bulkhead(bulkhead) => vec![("taken", bulkhead.taken().into()), ("limit", bulkhead.limit().into())],
            Policy::Adaptive(adaptive) => vec![("taken", adaptive.taken().into()), ("limit", adaptive.limit().into())],
            Policy::TokenBucket(bucket) => vec![("tokens", bucket.tokens().into())],
            Policy::Shedder(shedder) => vec![("load", shown(shedder.last_load()))],
            Policy::Budget(budget) => vec![("left", budget.left() as f64)],
            Policy::Degradation(degradation) => vec![("level", degradation.level() as f64)],
            Policy::Health(monitor) => vec![("availability", monitor.assess().availability)],
            Policy::Pipeline(pipeline) => {
                let parts = pipeline.policies();
                let mut figures = Vec::new();
                let all = [
                    parts.breaker.clone().map(Policy::Breaker),
                    parts.bulkhead.clone().map(Policy::Bulkhead),
                    parts.adaptive.clone().map(Policy::Adaptive),
                    parts.bucket.clone().map(Policy::TokenBucket),
                ];
                for part in all.into_iter().flatten() {
                    figures.extend(part.figures());
                }
                figures
            }
            Policy::SlidingWindow(_) | Policy::Chaos(_) | Policy::Retry(_) | Policy::Hedge(_) | Policy::Recovery(_) => {
                Vec::new()
            }
        }
    }
}

fn shown(single: f32) -> f64 {
    single.to_string().parse().unwrap_or(f64::from(single))
}

impl fmt::Display for Policy {
    /// One line for people; a monitor's report has more.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Policy::Health(monitor) = self {
            return write!(f, "{}", monitor.assess());
        }
        let state = self.state();
        let figures = self.figures().into_iter().map(|(name, value)| format!("{} {value}", name.replace('_', " ")));
        let mut parts: Vec<String> = Some(state).filter(|state| !state.is_empty()).into_iter().chain(figures).collect();
        match self {
            Policy::Degradation(degradation) => {
                let off = degradation.off();
                if !off.is_empty() {
                    parts.push(format!("off: {}", off.join(", ")));
                }
            }
            Policy::Shedder(shedder) => parts.push(match shedder.admits() {
                Some(priority) => format!("admits {priority} and above"),
                None => "admits nothing".into(),
            }),
            _ => {}
        }
        if parts.is_empty() {
            let shown = |p: super::Parameter| format!("{} {}", p.name.replace('_', " "), p.value);
            parts.extend(self.parameters().into_iter().map(shown));
        }
        f.write_str(&parts.join(", "))
    }
}
