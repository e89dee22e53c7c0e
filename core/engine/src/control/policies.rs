//! The requests about a live engine's policies: breakers, limits, degradations, health.

use std::collections::BTreeMap;

use knhk_resilience::Policy;
use knhk_resilience::health::{Monitor, State};
use serde::{Deserialize, Serialize};

use super::Request;
use crate::{Engine, Error, Level, Status};

/// Lists the policies that the program made known. What a pipeline is made of is listed beside it, as `pipeline/kind`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    /// Only those of these kinds (`breaker`, `token_bucket`, …); all of them if left out.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Only the one of this name, which has to be there.
    #[serde(default)]
    pub policy: Option<String>,
}

/// A policy as it stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PolicyEntry {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The sector that retunes it, if one does.
    pub sector: Option<String>,
    /// The version of that sector that retuned it last; 0 for none.
    pub version: u64,
    /// Why the sector's newest version could not, if it could not.
    pub refused: Option<String>,
    /// Its state in a word or two; may be empty.
    pub state: String,
    /// All of it in a line, for people.
    pub summary: String,
    /// What it counts and measures.
    pub figures: BTreeMap<String, f64>,
    /// What can be retuned, and to what it is tuned.
    pub parameters: BTreeMap<String, f64>,
    /// A degradation's levels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<DegradationLevel>,
}

/// A level of a degradation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DegradationLevel {
    /// Its name.
    pub name: String,
    /// The load at which it is entered.
    pub enter: f64,
    /// The load below which it is left.
    pub leave: f64,
    /// The features that it switches off beside those of the levels before.
    pub off: Vec<String>,
}

/// Switches a policy by hand: a breaker, a degradation, or chaos.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// Its name, or `pipeline/breaker` for a part of a pipeline.
    pub policy: String,
    /// Of a breaker `open`, `close` or `disable`; of chaos `on` or `off`; of a degradation a level's name or number, which holds
    /// whatever the load is (0 is full service), or `auto`, which lets the load decide again.
    pub to: String,
    /// Who.
    #[serde(default)]
    pub by: String,
    /// Why.
    #[serde(default)]
    pub why: String,
}

/// Reports the health monitors that the program made known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// Only the monitor of this name.
    #[serde(default)]
    pub monitor: Option<String>,
}

/// What a monitor says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Monitored {
    /// The monitor.
    pub name: String,
    /// The weighted availability, from 0 to 1.
    pub availability: f64,
    /// `running`, `degraded` or `critical`.
    pub system: String,
    /// Its components.
    pub components: Vec<MonitoredComponent>,
}

/// A component of a monitor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MonitoredComponent {
    /// Its name.
    pub name: String,
    /// `healthy`, `degraded`, `unhealthy` or `stale`.
    pub state: String,
    /// Its health, from 0 to 1.
    pub health: f64,
    /// What it counts.
    pub weight: f64,
    /// Seconds since its last report; none when there was none.
    pub age: Option<f64>,
    /// The failing components that explain it.
    pub explained_by: Vec<String>,
    /// All of it in a line, for people.
    pub summary: String,
}

impl Request for Policies {
    const METHOD: &'static str = "policies";
    type Answer = Vec<PolicyEntry>;

    fn serve(self, engine: &Engine) -> Result<Vec<PolicyEntry>, Error> {
        let Policies { kinds, policy } = self;
        let mut all = entries(engine);
        if let Some(policy) = policy {
            all.retain(|entry| entry.name == policy);
            if all.is_empty() {
                return Err(unknown(engine, &policy));
            }
        }
        all.retain(|entry| kinds.is_empty() || kinds.contains(&entry.kind));
        Ok(all)
    }
}

impl Request for Switch {
    const METHOD: &'static str = "switch";
    /// The policy afterwards.
    type Answer = PolicyEntry;

    fn serve(self, engine: &Engine) -> Result<PolicyEntry, Error> {
        let Switch { policy: name, to, by, why } = self;
        let (whole, part) = name.split_once('/').unwrap_or((&name, ""));
        let policy = engine.policy(whole).and_then(|policy| match part {
            "" => Some(policy),
            part => parts(&policy).into_iter().find(|policy| policy.kind() == part),
        });
        let policy = policy.ok_or_else(|| unknown(engine, &name))?;
        switch(&policy, &name, &to)?;
        let told: Vec<String> = [(" by ", &by), (": ", &why)]
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(before, text)| format!("{before}{text}"))
            .collect();
        let message = format!("{} {name} was switched to {to}{}", policy.kind(), told.concat());
        engine.inner.announcer.log(Level::Warning, "resilience", message);
        let found = entries(engine).into_iter().find(|entry| entry.name == name);
        found.ok_or_else(|| unknown(engine, &name))
    }
}

impl Request for Health {
    const METHOD: &'static str = "health";
    type Answer = Vec<Monitored>;

    fn serve(self, engine: &Engine) -> Result<Vec<Monitored>, Error> {
        let monitors = engine.policies().into_iter().filter(|info| info.kind == "health");
        let wanted = monitors.filter(|info| self.monitor.as_ref().is_none_or(|name| *name == info.name));
        let mut found = Vec::new();
        for info in wanted {
            if let Some(Policy::Health(monitor)) = engine.policy(&info.name) {
                found.push(monitored(info.name, &monitor));
            }
        }
        match self.monitor {
            Some(name) if found.is_empty() => Err(unknown(engine, &name)),
            _ => Ok(found),
        }
    }
}

fn monitored(name: String, monitor: &Monitor) -> Monitored {
    let report = monitor.assess();
    let component = |component: &knhk_resilience::health::ComponentReport| MonitoredComponent {
        name: component.name.to_string(),
        state: component.state.to_string(),
        health: component.health,
        weight: component.weight,
        age: component.age.map(|age| age.as_secs_f64()),
        explained_by: component.explained_by.iter().map(|name| name.to_string()).collect(),
        summary: component.to_string(),
    };
    let mut components: Vec<_> = report.components.iter().collect();
    // What explains others stands before what it explains, and what is well last.
    components.sort_by_key(|component| (component.state == State::Healthy, !component.explained_by.is_empty()));
    let components = components.into_iter().map(component).collect();
    Monitored { name, availability: report.availability, system: report.system.to_string(), components }
}

/// What a pipeline is made of; nothing for other policies.
fn parts(policy: &Policy) -> Vec<Policy> {
    let Policy::Pipeline(pipeline) = policy else { return Vec::new() };
    let parts = pipeline.policies();
    let all = [
        parts.shedder.clone().map(Policy::Shedder),
        parts.breaker.clone().map(Policy::Breaker),
        parts.bulkhead.clone().map(Policy::Bulkhead),
        parts.adaptive.clone().map(Policy::Adaptive),
        parts.bucket.clone().map(Policy::TokenBucket),
        parts.window.clone().map(Policy::SlidingWindow),
        parts.chaos.clone().map(Policy::Chaos),
        parts.retry.clone().map(Policy::Retry),
    ];
    all.into_iter().flatten().collect()
}

/// All policies, and the parts of pipelines behind each.
fn entries(engine: &Engine) -> Vec<PolicyEntry> {
    let mut all = Vec::new();
    for info in engine.policies() {
        let Some(policy) = engine.policy(&info.name) else { continue };
        let mut whole = entry(info.name.clone(), &policy);
        (whole.sector, whole.version, whole.refused) = (info.sector, info.version, info.refused);
        let retuned = (whole.sector.clone(), whole.version, whole.refused.clone());
        all.push(whole);
        for part in parts(&policy) {
            let mut part = entry(format!("{}/{}", info.name, part.kind()), &part);
            (part.sector, part.version, part.refused) = retuned.clone();
            all.push(part);
        }
    }
    all
}

fn entry(name: String, policy: &Policy) -> PolicyEntry {
    let levels = match policy {
        Policy::Degradation(degradation) => degradation.levels(),
        _ => Vec::new(),
    };
    let level = |level: knhk_resilience::degrade::Level| DegradationLevel {
        name: level.name,
        enter: level.thresholds.enter,
        leave: level.thresholds.leave,
        off: level.off,
    };
    // JSON has no infinity.
    let figures = policy.figures().into_iter().filter(|(_, value)| value.is_finite());
    let parameters = policy.parameters().into_iter().filter(|parameter| parameter.value.is_finite());
    PolicyEntry {
        name,
        kind: policy.kind().into(),
        sector: None,
        version: 0,
        refused: None,
        state: policy.state(),
        summary: policy.to_string(),
        figures: figures.map(|(name, value)| (name.into(), value)).collect(),
        parameters: parameters.map(|parameter| (parameter.name, parameter.value)).collect(),
        levels: levels.into_iter().map(level).collect(),
    }
}

fn switch(policy: &Policy, name: &str, to: &str) -> Result<(), Error> {
    let refused = |known: String| {
        let message = format!("a {} is not switched to {to:?}: {name} takes {known}", policy.kind());
        Error::new(Status::InvalidArgument, "switch", name, message)
    };
    match (policy, to) {
        (Policy::Breaker(breaker), "open") => breaker.force_open(),
        (Policy::Breaker(breaker), "close") => breaker.close(),
        (Policy::Breaker(breaker), "disable") => breaker.disable(),
        (Policy::Breaker(_), _) => return Err(refused("open, close or disable".into())),
        (Policy::Chaos(chaos), "on" | "off") => chaos.switch(to == "on"),
        (Policy::Chaos(_), _) => return Err(refused("on or off".into())),
        (Policy::Degradation(degradation), "auto") => degradation.pin(None),
        (Policy::Degradation(degradation), level) => {
            let levels = degradation.levels();
            let named = levels.iter().position(|known| known.name == level).map(|at| at + 1);
            let number = || level.parse().ok().filter(|number| *number <= levels.len());
            let Some(level) = named.or_else(number) else {
                let names: Vec<String> =
                    levels.iter().enumerate().map(|(at, level)| format!("{} ({})", level.name, at + 1)).collect();
                return Err(refused(format!("auto, 0 for full service, or a level: {}", names.join(", "))));
            };
            degradation.pin(Some(level));
        }
        _ => {
            let message = format!(
                "{name} is a {}, which is not switched by hand: breakers, degradations and chaos are; retune it by a promotion",
                policy.kind()
            );
            return Err(Error::new(Status::InvalidArgument, "switch", name, message));
        }
    }
    Ok(())
}

fn unknown(engine: &Engine, name: &str) -> Error {
    let known: Vec<String> = entries(engine).into_iter().map(|entry| entry.name).collect();
    let known = match known.is_empty() {
        true => "the program made none known (Engine::add_policy)".into(),
        false => format!("there are {}", known.join(", ")),
    };
    Error::new(Status::NotFound, "lookup", name, format!("there is no policy {name:?}; {known}"))
}
