//! What all policies have.

use knhk_engine::policy_document;
use knhk_resilience::degrade::{Level, Thresholds};
use knhk_resilience::policy::Parts;
use knhk_resilience::{Policy as Native, Scope as Shared};
use napi::Env;
use napi::bindgen_prelude::External;
use napi_derive::napi;

use super::milliseconds;
use super::scope::{Figure, Scope};
use crate::calls::with;
use crate::error::throw;

/// A policy.
pub struct Policy {
    pub(super) native: Native,
    pub(super) name: String,
    pub(super) shared: Shared,
}

/// A level of degradation; times in milliseconds.
#[napi(object)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Load at which it is entered.
    pub enter: f64,
    /// Load below which it is left.
    pub leave: f64,
    /// How long the load must have been high.
    pub enter_after: f64,
    /// How long the load must have been low.
    pub leave_after: f64,
    /// Features that are off.
    pub off: Vec<String>,
}

/// A strategy, which JavaScript tries.
#[napi(object)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// How often it is tried.
    pub tries: u32,
}

fn named(settings: &[Figure]) -> Vec<(&str, f64)> {
    settings.iter().map(|setting| (setting.name.as_str(), setting.value)).collect()
}

/// A policy.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments)]
pub fn policy_new(
    env: Env,
    kind: String,
    name: String,
    settings: Vec<Figure>,
    scope: &External<Scope>,
    policies: Vec<&External<Policy>>,
    levels: Vec<Step>,
    strategies: Vec<Named>,
) -> napi::Result<External<Policy>> {
    let level = |step: Step| {
        let enter_after = milliseconds(env, "enterAfter", step.enter_after)?;
        let leave_after = milliseconds(env, "leaveAfter", step.leave_after)?;
        let thresholds = Thresholds { enter: step.enter, leave: step.leave, enter_after, leave_after };
        Ok(Level { name: step.name, thresholds, off: step.off })
    };
    // JavaScript tries them, and tells how that ended.
    let strategy = |Named { name, tries }| -> (String, u32, knhk_resilience::recover::Strategy) {
        (name, tries, Box::new(|_| Err("it is JavaScript's".into())))
    };
    let parts = Parts {
        policies: policies.iter().map(|policy| policy.native.clone()).collect(),
        levels: levels.into_iter().map(level).collect::<napi::Result<_>>()?,
        strategies: strategies.into_iter().map(strategy).collect(),
    };
    let made = Native::build(&kind, &name, &named(&settings), parts, &scope.shared);
    let native = made.map_err(|error| throw(env.raw(), &error.into()))?;
    Ok(External::new(Policy { native, name, shared: scope.shared.clone() }))
}

/// Its state in a word or two.
#[napi(catch_unwind)]
pub fn policy_state(policy: &External<Policy>) -> String {
    policy.native.state()
}

/// A line for people.
#[napi(catch_unwind)]
pub fn policy_text(policy: &External<Policy>) -> String {
    format!("{}: {}", policy.name, policy.native)
}

/// What it counts and measures.
#[napi(catch_unwind)]
pub fn policy_figures(policy: &External<Policy>) -> Vec<Figure> {
    policy.native.figures().into_iter().map(|(name, value)| Figure { name: name.into(), value }).collect()
}

/// A parameter, as it stands.
#[napi(object)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// The least value.
    pub low: f64,
    /// The greatest value.
    pub high: f64,
    /// Whether it is a whole number.
    pub is_whole: bool,
    /// What it means.
    pub what: String,
}

/// What can be retuned.
#[napi(catch_unwind)]
pub fn policy_parameters(policy: &External<Policy>) -> Vec<Parameter> {
    let parameter = |p: knhk_resilience::policy::Parameter| Parameter {
        name: p.name,
        value: p.value,
        unit: p.unit.into(),
        low: p.low,
        high: p.high,
        is_whole: p.is_whole,
        what: p.what.into(),
    };
    policy.native.parameters().into_iter().map(parameter).collect()
}

/// Changes parameters, all or none.
#[napi(catch_unwind)]
pub fn policy_retune(env: Env, policy: &External<Policy>, settings: Vec<Figure>) -> napi::Result<()> {
    policy.native.retune(&named(&settings)).map_err(|error| throw(env.raw(), &error.into()))
}

/// The parameters as a document, in JSON.
#[napi(catch_unwind)]
pub fn policy_document_json(policy: &External<Policy>) -> String {
    policy_document(&policy.name, &policy.native)
}

/// Has an engine know it.
#[napi(catch_unwind)]
pub fn policy_add(env: Env, policy: &External<Policy>, engine: u32, sector: Option<String>) -> napi::Result<()> {
    with(env, engine, |local| local.shared.engine.add_policy(&policy.name, policy.native.clone(), sector.as_deref()))
}

/// Has an engine forget one.
#[napi(catch_unwind)]
pub fn policy_remove(env: Env, engine: u32, name: String) -> napi::Result<bool> {
    with(env, engine, |local| Ok(local.shared.engine.remove_policy(&name)))
}

/// A policy that an engine knows.
#[napi(object)]
pub struct PolicyInfo {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The sector that it follows.
    pub sector: Option<String>,
    /// The version that was looked at last.
    pub version: f64,
    /// Why that could not retune it.
    pub refused: Option<String>,
    /// Its state.
    pub state: String,
    /// For people.
    pub text: String,
}

/// The policies that an engine knows.
#[napi(catch_unwind)]
pub fn policies(env: Env, engine: u32) -> napi::Result<Vec<PolicyInfo>> {
    let info = |info: knhk_engine::PolicyInfo| PolicyInfo {
        name: info.name,
        kind: info.kind.into(),
        sector: info.sector,
        version: info.version as f64,
        refused: info.refused,
        state: info.state,
        text: info.summary,
    };
    with(env, engine, |local| Ok(local.shared.engine.policies().into_iter().map(info).collect()))
}
