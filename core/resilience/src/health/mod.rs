//! Health: what of a program works, how much of it, and what explains the rest.

mod graph;
mod report;
mod watch;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use knhk_warm::graph::path;
use knhk_warm::{Next, Ticker};

use crate::clock::{Clock, nanoseconds};
use crate::counters::Counters;
use crate::error::InvalidSetting;
use crate::event::Change;
use crate::scope::Scope;

pub use report::{ComponentReport, Report};

/// A component's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its health is at least the running threshold.
    Healthy,
    /// In between.
    Degraded,
    /// Its health is below the critical threshold.
    Unhealthy,
    /// It has said nothing for too long, or never; it counts as health 0.
    Stale,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Healthy => "healthy",
            State::Degraded => "degraded",
            State::Unhealthy => "unhealthy",
            State::Stale => "stale",
        })
    }
}

/// The whole system's state, by its weighted availability A.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// A is at least the running threshold.
    Running,
    /// In between.
    Degraded,
    /// A is below the critical threshold, or nothing is watched.
    Critical,
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            System::Running => "running",
            System::Degraded => "degraded",
            System::Critical => "critical",
        })
    }
}

/// A monitor's thresholds; the default is row W3 of the requirements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// From here on a component is healthy and the system running. 0.9.
    pub running: f64,
    /// Below this a component is unhealthy and the system critical. 0.5.
    pub critical: f64,
    /// A component that says nothing for so long is stale. 30 s.
    pub stale_after: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { running: 0.9, critical: 0.5, stale_after: Duration::from_secs(30) }
    }
}

impl Settings {
    /// # Errors
    /// [`InvalidSetting`] names the first that is out of its range.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        let Settings { running, critical, .. } = *self;
        InvalidSetting::unless(running > 0.0 && running <= 1.0, "running", running, "above 0 and at most 1")?;
        InvalidSetting::unless(
            critical > 0.0 && critical <= running,
            "critical",
            critical,
            "above 0, at most `running`",
        )
    }
}

/// Why a component or a dependency was refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HealthError {
    /// There is one of that name.
    #[error("there is a component \"{0}\" already")]
    Taken(String),
    /// There is none of that name.
    #[error("there is no component \"{0}\"; add it before what depends on it")]
    Unknown(String),
    /// A component would depend on itself.
    #[error("the dependencies would be a cycle: {}", .0.join(" -> "))]
    Cycle(Vec<String>),
    /// A weight or a threshold that cannot be.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
}

/// A component of a monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Component(usize);

impl Component {
    /// Its number, from 0, for a language that cannot hold a Rust value.
    pub fn into_raw(self) -> usize {
        self.0
    }

    /// The component of that number.
    pub fn from_raw(number: usize) -> Component {
        Component(number)
    }
}

#[derive(Debug)]
struct Node {
    name: Arc<str>,
    weight: f64,
    /// The bits of the last reported health.
    health: AtomicU64,
    /// When, by the clock, plus one; 0 for never.
    reported: AtomicU64,
    /// Components that it depends on.
    needs: Vec<usize>,
}

impl Node {
    /// A component's health and state.
    fn look(&self, settings: &Settings, now: u64) -> (f64, State) {
        let silent = self.reported.load(Relaxed).checked_sub(1).map(|reported| now.saturating_sub(reported));
        if silent.is_none_or(|silent| silent >= nanoseconds(settings.stale_after)) {
            return (0.0, State::Stale);
        }
        let health = f64::from_bits(self.health.load(Relaxed));
        let state = match health {
            h if h >= settings.running => State::Healthy,
            h if h >= settings.critical => State::Degraded,
            _ => State::Unhealthy,
        };
        (health, state)
    }
}

/// Tells a component's health, from 0 to 1.
pub type Check = Box<dyn Fn() -> f64 + Send + Sync>;

/// What was announced last.
#[derive(Debug, Default)]
struct Announced {
    components: Vec<State>,
    system: Option<System>,
}

/// Watches components: A = Σ wᵢ hᵢ / Σ wᵢ over their weights w and healths h in [0, 1].
pub struct Monitor {
    settings: ArcSwap<Settings>,
    nodes: RwLock<Vec<Node>>,
    announced: Mutex<Announced>,
    checks: Mutex<Vec<(Component, Arc<Check>)>>,
    clock: Arc<dyn Clock>,
    scope: Scope,
    name: Arc<str>,
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("name", &self.name).field("nodes", &self.nodes).finish_non_exhaustive()
    }
}

impl Monitor {
    /// A monitor that watches nothing.
    ///
    /// # Errors
    /// [`InvalidSetting`] when the thresholds are not in order.
    pub fn new(name: &str, settings: Settings, scope: &Scope) -> Result<Monitor, InvalidSetting> {
        settings.check()?;
        Ok(Monitor {
            settings: ArcSwap::from_pointee(settings),
            nodes: RwLock::default(),
            announced: Mutex::default(),
            checks: Mutex::default(),
            clock: scope.clock().clone(),
            scope: scope.clone(),
            name: name.into(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its thresholds at present.
    pub fn settings(&self) -> Settings {
        **self.settings.load()
    }

    /// Changes its thresholds; the next report or assessment goes by them.
    ///
    /// # Errors
    /// [`InvalidSetting`] when the thresholds are not in order. Nothing was changed.
    pub fn retune(&self, settings: Settings) -> Result<(), InvalidSetting> {
        settings.check()?;
        self.settings.store(Arc::new(settings));
        Ok(())
    }

    /// Adds a component that depends on others, which were added before. It is stale until it reports.
    ///
    /// # Errors
    /// [`HealthError`]: the name is taken, a dependency is unknown, or the weight is not above zero.
    pub fn add(&self, name: &str, weight: f64, needs: &[&str]) -> Result<Component, HealthError> {
        InvalidSetting::unless(weight > 0.0 && weight.is_finite(), "weight", weight, "above 0")?;
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        if find(&nodes, name).is_ok() {
            return Err(HealthError::Taken(name.into()));
        }
        let mut known = needs.iter().map(|need| find(&nodes, need)).collect::<Result<Vec<usize>, _>>()?;
        known.sort_unstable();
        known.dedup();
        nodes.push(Node {
            name: name.into(),
            weight,
            health: AtomicU64::new(0),
            reported: AtomicU64::new(0),
            needs: known,
        });
        Ok(Component(nodes.len() - 1))
    }

    /// Says that a component depends on another.
    ///
    /// # Errors
    /// [`HealthError`]: one is unknown, or the dependencies would be a cycle, whose path is named.
    pub fn depend(&self, name: &str, on: &str) -> Result<(), HealthError> {
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        let (from, to) = (find(&nodes, name)?, find(&nodes, on)?);
        if let Some(path) = path(nodes.len(), to, from, |at| &nodes[at].needs) {
            let names = std::iter::once(from).chain(path).map(|at| nodes[at].name.to_string());
            return Err(HealthError::Cycle(names.collect()));
        }
        if !nodes[from].needs.contains(&to) {
            nodes[from].needs.push(to);
        }
        Ok(())
    }

    /// A component tells its health, from 0 to 1; what is not a number counts as 0. Where that changes its state, the system is
    /// assessed at once, and events are sent. A component of another monitor is not heard.
    pub fn report(&self, component: Component, health: f64) {
        let (now, settings) = (self.clock.now_ns(), **self.settings.load());
        let changes = {
            let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
            let Some(node) = nodes.get(component.0) else { return };
            let before = node.look(&settings, now).1;
            let health = if health.is_nan() { 0.0 } else { health.clamp(0.0, 1.0) };
            node.health.store(health.to_bits(), Relaxed);
            node.reported.store(now.saturating_add(1), Relaxed);
            before != node.look(&settings, now).1
        };
        if changes {
            self.assess();
        }
    }

    /// Has `check` asked for the component's health at each [`Monitor::poll`].
    pub fn check(&self, component: Component, check: Check) {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).push((component, Arc::new(check)));
    }

    /// Asks all checks, one after the other, and assesses. A check that panics reports health 0; one that blocks delays those after
    /// it, until they are stale.
    pub fn poll(&self) -> Report {
        let checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (component, check) in checks {
            self.report(component, catch_unwind(AssertUnwindSafe(|| check())).unwrap_or(0.0));
        }
        self.assess()
    }

    /// Polls in an interval, usually 100 ms, on a thread of its own, until what this returns is dropped, which waits for the interval
    /// under way.
    ///
    /// # Errors
    /// The system's, when it has no more threads.
    pub fn start(self: &Arc<Monitor>, interval: Duration) -> std::io::Result<Ticker> {
        let monitor = self.clone();
        Ticker::spawn("knhk-health", move || {
            monitor.poll();
            monitor.clock.sleep(interval);
            Next::Continue
        })
    }

    /// Looks at all components, tells what changed since the last time, and reports. To be called in an interval (or by
    /// [`Monitor::start`]), since nothing else finds that a component has fallen silent.
    pub fn assess(&self) -> Report {
        let (now, settings) = (self.clock.now_ns(), **self.settings.load());
        let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
        let looks: Vec<(f64, State)> = nodes.iter().map(|node| node.look(&settings, now)).collect();
        let total: f64 = nodes.iter().map(|node| node.weight).sum();
        let sum: f64 = nodes.iter().zip(&looks).map(|(node, look)| node.weight * look.0).sum();
        let availability = if nodes.is_empty() { 0.0 } else { sum / total };
        let system = match availability {
            a if a >= settings.running => System::Running,
            a if a >= settings.critical => System::Degraded,
            _ => System::Critical,
        };
        self.announce(&nodes, &looks, (system, availability), now);
        let failing = |at: usize| looks[at].1 != State::Healthy;
        let component = |(at, node): (usize, &Node)| {
            let reported = node.reported.load(Relaxed).checked_sub(1);
            ComponentReport {
                name: node.name.clone(),
                weight: node.weight,
                health: looks[at].0,
                state: looks[at].1,
                age: reported.map(|reported| Duration::from_nanos(now.saturating_sub(reported))),
                explained_by: graph::causes(&nodes, at, failing).into_iter().map(|at| nodes[at].name.clone()).collect(),
            }
        };
        Report {
            name: self.name.clone(),
            availability,
            system,
            components: nodes.iter().enumerate().map(component).collect(),
        }
    }

    fn announce(&self, nodes: &[Node], looks: &[(f64, State)], (system, availability): (System, f64), now: u64) {
        let mut announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        announced.components.resize(nodes.len(), State::Stale);
        let tell = |change| {
            Counters::count(&self.scope.counters().health_changes);
            self.scope.announce(&self.name, now, change);
        };
        for ((node, look), last) in nodes.iter().zip(looks).zip(&mut announced.components) {
            let (from, to) = (std::mem::replace(last, look.1), look.1);
            if from != to {
                tell(Change::Health { component: node.name.clone(), from, to, availability });
            }
        }
        // Before anything was watched it was critical.
        let from = announced.system.replace(system).unwrap_or(System::Critical);
        if from != system {
            tell(Change::System { from, to: system, availability });
        }
    }
}

fn find(nodes: &[Node], name: &str) -> Result<usize, HealthError> {
    nodes.iter().position(|node| &*node.name == name).ok_or_else(|| HealthError::Unknown(name.into()))
}
