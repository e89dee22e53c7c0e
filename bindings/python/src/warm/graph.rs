//! Component graphs of Python's objects.

use std::sync::Arc;

use knhk_engine::{Error, Status};
use knhk_warm::SystemClock;
use knhk_warm::graph::{Component as Part, Graph, GraphError, Outcome, Patience, Report};
use pyo3::prelude::*;

use super::seconds;
use crate::callbacks;
use crate::error::detached;
use crate::resilience::ScopeBase;

/// A component that is Python's: what it has not has nothing to do. An exception is why it failed.
struct Component {
    start: Option<Py<PyAny>>,
    drain: Option<Py<PyAny>>,
    stop: Option<Py<PyAny>>,
    health: Option<Py<PyAny>>,
}

fn asked(call: &Option<Py<PyAny>>) -> Result<(), String> {
    let Some(call) = call else { return Ok(()) };
    callbacks::ask(|py| call.call0(py).map(drop).map_err(|error| error.to_string()))
        .unwrap_or_else(|| Err("the interpreter is ending".into()))
}

impl Part for Component {
    fn start(&self) -> Result<(), String> {
        asked(&self.start)
    }

    fn drain(&self) -> Result<(), String> {
        asked(&self.drain)
    }

    fn stop(&self) -> Result<(), String> {
        asked(&self.stop)
    }

    fn health(&self) -> f64 {
        let Some(health) = &self.health else { return 1.0 };
        callbacks::ask(|py| health.call0(py).and_then(|health| health.extract(py)).unwrap_or(0.0)).unwrap_or(0.0)
    }
}

/// What `knhk.warm.Graph` stands on.
#[pyclass(frozen, module = "knhk._knhk")]
pub struct GraphBase {
    graph: Graph,
}

/// Each component, what became of it, why, and how long it took; the whole for people; how long it took.
type ReportRow = (Vec<(String, &'static str, String, f64)>, String, f64);

fn row(report: &Report) -> ReportRow {
    let each = |(name, outcome): &(Arc<str>, Outcome)| {
        let (outcome, why, took) = match outcome {
            Outcome::Done { took } => ("done", String::new(), took.as_secs_f64()),
            Outcome::Failed { why } => ("failed", why.clone(), 0.0),
            Outcome::Stuck { phase } => ("stuck", phase.to_string(), 0.0),
            Outcome::Skipped { needs } => ("skipped", needs.to_string(), 0.0),
        };
        (name.to_string(), outcome, why, took)
    };
    (report.all.iter().map(each).collect(), report.to_string(), report.took.as_secs_f64())
}

fn failure(name: &str, error: &GraphError) -> Error {
    let status = match error {
        GraphError::Taken(_) => Status::AlreadyExists,
        GraphError::Unknown(_) => Status::NotFound,
        GraphError::Running(_) => Status::Busy,
        _ => Status::InvalidArgument,
    };
    Error::new(status, "graph", name, error.to_string())
}

#[pymethods]
impl GraphBase {
    #[new]
    fn new(scope: Option<&ScopeBase>) -> GraphBase {
        GraphBase { graph: Graph::new(scope.map_or_else(|| Arc::new(SystemClock) as _, |scope| scope.clock())) }
    }

    #[expect(clippy::too_many_arguments, reason = "the public class gives them names")]
    fn add(
        &self,
        py: Python<'_>,
        name: &str,
        needs: Vec<String>,
        start: Option<Py<PyAny>>,
        drain: Option<Py<PyAny>>,
        stop: Option<Py<PyAny>>,
        health: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let component = Arc::new(Component { start, drain, stop, health });
        let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
        detached(py, || self.graph.add(name, component, &needs).map_err(|error| failure(name, &error)))
    }

    fn depend(&self, py: Python<'_>, name: &str, on: &str) -> PyResult<()> {
        detached(py, || self.graph.depend(name, on).map_err(|error| failure(name, &error)))
    }

    fn components(&self, py: Python<'_>) -> Vec<(String, Vec<String>)> {
        py.detach(|| {
            let each = |(name, needs): (Arc<str>, Vec<Arc<str>>)| {
                (name.to_string(), needs.iter().map(ToString::to_string).collect())
            };
            self.graph.components().into_iter().map(each).collect()
        })
    }

    /// How it went, and why it could not be, where that is so.
    fn start(&self, py: Python<'_>, patience: f64) -> PyResult<(ReportRow, Option<String>)> {
        let patience = seconds("graph", "timeout", patience)?;
        Ok(py.detach(|| match self.graph.start(patience) {
            Ok(report) => (row(&report), None),
            Err(error) => (row(&error.started), Some(error.to_string())),
        }))
    }

    fn shutdown(&self, py: Python<'_>, drain: f64, stop: f64) -> PyResult<ReportRow> {
        let patience = Patience { drain: seconds("graph", "drain", drain)?, stop: seconds("graph", "stop", stop)? };
        Ok(py.detach(|| row(&self.graph.shutdown(patience))))
    }

    /// Each component's name, its own health, the effective one, and who pulls it down.
    fn health(&self, py: Python<'_>) -> Vec<(String, f64, f64, Vec<String>)> {
        py.detach(|| {
            let each = |health: knhk_warm::graph::ComponentHealth| {
                let because_of = health.because_of.iter().map(ToString::to_string).collect();
                (health.name.to_string(), health.own, health.effective, because_of)
            };
            self.graph.health().into_iter().map(each).collect()
        })
    }
}
