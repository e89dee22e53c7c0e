//! Governance: verbs and JSON in, JSON out; Python's half gives each its keywords and its types.

use knhk_engine::governance::{self, Report};
use knhk_engine::{Error, Status};
use pyo3::prelude::*;

use crate::engine::Engine;
use crate::error::{Raised, detached};

fn read<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|error| {
        Error::new(
            Status::InvalidArgument,
            "govern",
            "request",
            format!("the request is not what it has to be: {error}"),
        )
    })
}

/// Does what a verb of governance asks for.
#[pyfunction]
#[pyo3(signature = (engine, verb, request, /))]
pub fn govern(py: Python<'_>, engine: &Engine, verb: &str, request: &str) -> PyResult<String> {
    detached(py, || Ok(engine.shared.engine().govern(verb, read(request)?)?.to_string()))
}

/// Does what concerns no engine.
#[pyfunction]
#[pyo3(signature = (verb, request, /))]
pub fn govern_offline(py: Python<'_>, verb: &str, request: &str) -> PyResult<String> {
    detached(py, || Ok(governance::offline(verb, read(request)?)?.to_string()))
}

/// A report of the stages, for people.
#[pyfunction]
#[pyo3(signature = (report, /))]
pub fn render_report(report: &str) -> PyResult<String> {
    let report: Report = read(report).map_err(Raised::from)?;
    Ok(governance::render(&report))
}
