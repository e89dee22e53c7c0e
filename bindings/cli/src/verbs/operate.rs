//! The verbs about a live program: health, breakers, limits, degrade, tasks, and the checkpoints of its components.

use knhk_engine::Status;
use knhk_engine::control::{
    ComponentCheckpoints, Failure, Health, Policies, PolicyEntry, RestoreCheckpoint, Switch, TakeCheckpoint, Tasks,
};
use serde_json::json;

use super::{Place, watch};
use crate::arguments::{self, Who};
use crate::output::Done;
use crate::render::Render;

/// The kinds that bound something.
const LIMITS: [&str; 6] = ["bulkhead", "adaptive", "token_bucket", "sliding_window", "shedder", "budget"];

pub fn health(place: &Place<'_>, render: &Render, health: arguments::Health) -> Result<Done, Failure> {
    let mut live = place.live()?;
    let arguments::Health { monitor, watch } = health;
    watch::shown(watch.watch, || {
        let monitors = live.ask(&Health { monitor: monitor.clone() })?;
        let success = monitors.iter().all(|monitor| monitor.system != "critical");
        Ok(Done { success, ..Done::new(render.health(&monitors), &json!({ "monitors": monitors })) })
    })
}

pub fn breakers(place: &Place<'_>, render: &Render, breakers: arguments::Breakers) -> Result<Done, Failure> {
    let arguments::Breakers { breaker, open, close, disable, who, watch } = breakers;
    let to = [(open, "open"), (close, "close"), (disable, "disable")];
    match (breaker, to.into_iter().find(|(wanted, _)| *wanted)) {
        (Some(breaker), Some((_, to))) => switch(place, render, breaker, to.into(), &who),
        (breaker, _) => policies(place, render, &["breaker"], breaker, watch.watch),
    }
}

pub fn limits(place: &Place<'_>, render: &Render, limits: arguments::Limits) -> Result<Done, Failure> {
    policies(place, render, &LIMITS, limits.policy, limits.watch.watch)
}

pub fn degrade(place: &Place<'_>, render: &Render, degrade: arguments::Degrade) -> Result<Done, Failure> {
    let arguments::Degrade { policy, level, who, watch } = degrade;
    match (policy, level) {
        (Some(policy), Some(level)) => switch(place, render, policy, level, &who),
        (policy, _) => policies(place, render, &["degradation"], policy, watch.watch),
    }
}

fn switch(place: &Place<'_>, render: &Render, policy: String, to: String, who: &Who) -> Result<Done, Failure> {
    let switched = place.live()?.ask(&Switch { policy, to, by: who.by(), why: who.why.clone() })?;
    Ok(Done::new(render.policies(std::slice::from_ref(&switched)), &switched))
}

fn policies(
    place: &Place<'_>,
    render: &Render,
    kinds: &[&str],
    policy: Option<String>,
    watch: bool,
) -> Result<Done, Failure> {
    let mut live = place.live()?;
    let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).into()).collect();
    watch::shown(watch, || {
        let found: Vec<PolicyEntry> = live.ask(&Policies { kinds: kinds.clone(), policy: policy.clone() })?;
        if let (Some(name), true) = (&policy, found.is_empty()) {
            let message = format!("{name} is no {}", kinds.join(", "));
            return Err(Failure::new(Status::WrongType, "lookup", name, message));
        }
        Ok(Done::new(render.policies(&found), &json!({ "policies": found })))
    })
}

pub fn tasks(place: &Place<'_>, render: &Render, tasks: arguments::Tasks) -> Result<Done, Failure> {
    let mut live = place.live()?;
    watch::shown(tasks.watch.watch, || {
        let executors = live.ask(&Tasks {})?;
        Ok(Done::new(render.executors(&executors), &json!({ "executors": executors })))
    })
}

/// Takes a checkpoint of components.
pub fn take(place: &Place<'_>, render: &Render, name: String, full: bool) -> Result<Done, Failure> {
    let taken = place.live()?.ask(&TakeCheckpoint { name, full })?;
    Ok(Done::new(render.taken(&taken), &taken))
}

/// Lists the checkpoints of components.
pub fn kept(place: &Place<'_>, render: &Render) -> Result<Done, Failure> {
    let kept = place.live()?.ask(&ComponentCheckpoints::default())?;
    Ok(Done::new(render.kept(&kept), &json!({ "checkpoints": kept })))
}

/// Has components take their newest checkpoint.
pub fn go_back(place: &Place<'_>, render: &Render, name: String) -> Result<Done, Failure> {
    let restored = place.live()?.ask(&RestoreCheckpoint { name })?;
    Ok(Done::new(render.restored(&restored), &restored))
}
