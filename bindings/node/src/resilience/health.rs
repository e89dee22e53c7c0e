//! Health monitors.

use knhk_resilience::Policy as Native;
use knhk_resilience::health::Component;
use napi::Env;
use napi::bindgen_prelude::External;
use napi_derive::napi;

use super::policy::Policy;
use super::{bad, in_ms};

/// Adds a component.
#[napi(catch_unwind)]
pub fn health_add(
    env: Env,
    policy: &External<Policy>,
    name: String,
    weight: f64,
    needs: Vec<String>,
) -> napi::Result<u32> {
    let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
    let added = of_kind!(env, policy, Health).add(&name, weight, &needs);
    added.map(|component| component.into_raw() as u32).map_err(|error| bad(env, &name, error.to_string()))
}

/// Says that a component depends on another.
#[napi(catch_unwind)]
pub fn health_depend(env: Env, policy: &External<Policy>, name: String, on: String) -> napi::Result<()> {
    of_kind!(env, policy, Health).depend(&name, &on).map_err(|error| bad(env, &name, error.to_string()))
}

/// A component tells its health.
#[napi(catch_unwind)]
pub fn health_report(env: Env, policy: &External<Policy>, component: u32, health: f64) -> napi::Result<()> {
    of_kind!(env, policy, Health).report(Component::from_raw(component as usize), health);
    Ok(())
}

/// A component at one moment.
#[napi(object)]
pub struct ComponentReport {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: String,
    /// Its weight.
    pub weight: f64,
    /// Its health.
    pub health: f64,
    /// Milliseconds since its last report.
    pub age: Option<f64>,
    /// Whom it fails because of.
    pub explained_by: Vec<String>,
}

/// A system at one moment.
#[napi(object)]
pub struct HealthReport {
    /// From 0 to 1.
    pub availability: f64,
    /// "running", "degraded" or "critical".
    pub system: String,
    /// Each component.
    pub components: Vec<ComponentReport>,
    /// For people.
    pub text: String,
}

/// How well the system is.
#[napi(catch_unwind)]
pub fn health_assess(env: Env, policy: &External<Policy>) -> napi::Result<HealthReport> {
    let report = of_kind!(env, policy, Health).assess();
    let text = report.to_string();
    let component = |c: knhk_resilience::health::ComponentReport| ComponentReport {
        name: c.name.to_string(),
        state: c.state.to_string(),
        weight: c.weight,
        health: c.health,
        age: c.age.map(in_ms),
        explained_by: c.explained_by.iter().map(|name| name.to_string()).collect(),
    };
    let components = report.components.into_iter().map(component).collect();
    Ok(HealthReport { availability: report.availability, system: report.system.to_string(), components, text })
}
