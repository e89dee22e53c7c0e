//! What policies show of themselves.

use pyo3::prelude::*;

use crate::engine::Engine;
use crate::error::detached;

/// A parameter of a policy, as it stands.
#[pyclass(frozen, get_all, module = "knhk.resilience")]
pub struct Parameter {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) unit: &'static str,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) is_whole: bool,
    pub(super) what: &'static str,
}

#[pymethods]
impl Parameter {
    fn __repr__(&self) -> String {
        format!("Parameter({} = {} {}, {} to {})", self.name, self.value, self.unit, self.low, self.high)
    }
}

/// A component's health at one moment.
#[pyclass(frozen, get_all, module = "knhk.resilience")]
#[derive(Clone)]
pub struct ComponentReport {
    name: String,
    state: String,
    weight: f64,
    health: f64,
    age: Option<f64>,
    explained_by: Vec<String>,
}

/// A system's health at one moment.
#[pyclass(frozen, get_all, module = "knhk.resilience")]
pub struct HealthReport {
    availability: f64,
    system: String,
    components: Vec<ComponentReport>,
    text: String,
}

#[pymethods]
impl HealthReport {
    fn __str__(&self) -> &str {
        &self.text
    }
}

impl From<knhk_resilience::health::Report> for HealthReport {
    fn from(report: knhk_resilience::health::Report) -> HealthReport {
        let text = report.to_string();
        let component = |c: knhk_resilience::health::ComponentReport| ComponentReport {
            name: c.name.to_string(),
            state: c.state.to_string(),
            weight: c.weight,
            health: c.health,
            age: c.age.map(|age| age.as_secs_f64()),
            explained_by: c.explained_by.iter().map(|name| name.to_string()).collect(),
        };
        let components = report.components.into_iter().map(component).collect();
        HealthReport { availability: report.availability, system: report.system.to_string(), components, text }
    }
}

/// A policy that an engine knows.
#[pyclass(frozen, get_all, module = "knhk.resilience")]
pub struct PolicyInfo {
    name: String,
    kind: &'static str,
    sector: Option<String>,
    version: u64,
    refused: Option<String>,
    state: String,
    text: String,
}

/// The policies that an engine knows.
#[pyfunction]
pub fn policies(py: Python<'_>, engine: &Engine) -> PyResult<Vec<PolicyInfo>> {
    let info = |info: knhk_engine::PolicyInfo| PolicyInfo {
        name: info.name,
        kind: info.kind,
        sector: info.sector,
        version: info.version,
        refused: info.refused,
        state: info.state,
        text: info.summary,
    };
    detached(py, || Ok(engine.shared.engine().policies().into_iter().map(info).collect()))
}

/// Has an engine forget a policy.
#[pyfunction]
pub fn remove_policy(py: Python<'_>, engine: &Engine, name: &str) -> PyResult<bool> {
    detached(py, || Ok(engine.shared.engine().remove_policy(name)))
}
