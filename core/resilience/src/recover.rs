//! Recovery: strategies that are tried in order until one mends what is broken.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, nanoseconds};
use crate::counters::Counters;
use crate::event::Change;
use crate::scope::Scope;

/// What is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// The component.
    pub component: String,
    /// What was seen.
    pub what: String,
}

/// Mends an incident, or says why it could not. It runs on the thread that asks for the recovery, and must not ask for another of the
/// same [`Recovery`].
pub type Strategy = Box<dyn Fn(&Incident) -> Result<(), String> + Send + Sync>;

struct Step {
    name: Arc<str>,
    tries: u32,
    strategy: Strategy,
}

/// Strategies in the order in which they are tried, from the mildest (reconnect) to the harshest (restart, fail over).
pub struct Recovery {
    steps: Vec<Step>,
    pause: Duration,
    /// When each component was recovered last, so that a component which breaks again at once escalates instead of starting over.
    recovered: Mutex<Vec<(String, u64, usize)>>,
    relapse: Duration,
    clock: Arc<dyn Clock>,
    scope: Scope,
    name: Arc<str>,
}

impl fmt::Debug for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<&str> = self.steps.iter().map(|step| &*step.name).collect();
        f.debug_struct("Recovery").field("name", &self.name).field("steps", &steps).finish_non_exhaustive()
    }
}

/// How a recovery went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The strategy that mended it; none did where there is none.
    pub mended_by: Option<Arc<str>>,
    /// Each try that failed: the strategy, and why.
    pub failed: Vec<(Arc<str>, String)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.mended_by {
            Some(name) => write!(f, "mended by {name}")?,
            None => f.write_str("not mended")?,
        }
        self.failed.iter().try_for_each(|(name, why)| write!(f, "; {name} failed: {why}"))
    }
}

/// Components whose last recovery is remembered.
const REMEMBERED: usize = 1024;

impl Recovery {
    /// No strategy yet. Between two tries it pauses for `pause`, by the scope's clock. A component that breaks again within `relapse`
    /// of its recovery begins with the strategy after the one that mended it.
    pub fn new(name: &str, pause: Duration, relapse: Duration, scope: &Scope) -> Recovery {
        Recovery {
            steps: Vec::new(),
            pause,
            recovered: Mutex::default(),
            relapse,
            clock: scope.clock().clone(),
            scope: scope.clone(),
            name: name.into(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds a strategy that is tried `tries` times, at least once, before the next one.
    pub fn then(mut self, name: &str, tries: u32, strategy: Strategy) -> Recovery {
        self.steps.push(Step { name: name.into(), tries: tries.max(1), strategy });
        self
    }

    /// Tries the strategies until one succeeds. A strategy that panics has failed.
    pub fn recover(&self, incident: &Incident) -> Report {
        let first = self.first(incident);
        let mut failed = Vec::new();
        for (at, step) in self.steps.iter().enumerate().skip(first) {
            for _ in 0..step.tries {
                if !failed.is_empty() {
                    self.clock.sleep(self.pause);
                }
                let tried = catch_unwind(AssertUnwindSafe(|| (step.strategy)(incident)));
                match tried.unwrap_or_else(|_| Err("it panicked".into())) {
                    Ok(()) => return self.end(incident, Some(at), failed),
                    Err(why) => failed.push((step.name.clone(), why)),
                }
            }
        }
        self.end(incident, None, failed)
    }

    /// The pause between two tries.
    pub fn pause(&self) -> Duration {
        self.pause
    }

    /// Takes the end of a recovery, which strategy number `mended_by` brought about, and tells of it. For who tries the strategies itself,
    /// from number [`Recovery::first`] on.
    pub fn end(&self, incident: &Incident, mended_by: Option<usize>, failed: Vec<(Arc<str>, String)>) -> Report {
        let step = mended_by.and_then(|at| Some((at, self.steps.get(at)?)));
        if let Some((at, _)) = step {
            self.remember(incident, at);
            Counters::count(&self.scope.counters().recoveries);
        } else {
            Counters::count(&self.scope.counters().recoveries_failed);
        }
        self.told(incident, Report { mended_by: step.map(|(_, step)| step.name.clone()), failed })
    }

    fn told(&self, incident: &Incident, report: Report) -> Report {
        let change = Change::Recovery { component: incident.component.as_str().into(), report: report.clone() };
        self.scope.announce(&self.name, self.clock.now_ns(), change);
        report
    }

    /// The number of the strategy to begin with: the last one is tried again rather than none.
    pub fn first(&self, incident: &Incident) -> usize {
        let now = self.clock.now_ns();
        let mut recovered = self.recovered.lock().unwrap_or_else(PoisonError::into_inner);
        recovered.retain(|(_, at, _)| now.saturating_sub(*at) <= nanoseconds(self.relapse));
        let last = recovered.iter().find(|(component, ..)| *component == incident.component);
        last.map_or(0, |(.., step)| (step + 1).min(self.steps.len().saturating_sub(1)))
    }

    fn remember(&self, incident: &Incident, step: usize) {
        let mut recovered = self.recovered.lock().unwrap_or_else(PoisonError::into_inner);
        recovered.retain(|(component, ..)| *component != incident.component);
        if recovered.len() >= REMEMBERED {
            recovered.remove(0);
        }
        recovered.push((incident.component.clone(), self.clock.now_ns(), step));
    }
}
