//! Governance: verbs and JSON in, JSON out; Python's half gives each its keywords and its types.

use std::sync::{Mutex, PoisonError};

use knhk_engine::governance::{self, Progress, Report, Stop, Watch};
use knhk_engine::{Error, Status};
use pyo3::prelude::*;
use pyo3::types::PyBool;

use crate::callbacks::ask;
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

/// Does what a verb of governance asks for, and tells `progress` of each stage: its sector, its name, and its report as it ends. An exception of
/// that stops the stages and is raised; so does returning `False`, but for the exception.
#[pyfunction]
#[pyo3(signature = (engine, verb, request, progress = None, /))]
pub fn govern(
    py: Python<'_>,
    engine: &Engine,
    verb: &str,
    request: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let (stop, raised) = (Stop::new(), Mutex::new(None));
    let tell = |now: Progress<'_>| {
        let Some(progress) = &progress else { return };
        // One at a time, though stages run on two threads; waited for while the interpreter is not held.
        let mut raised = raised.lock().unwrap_or_else(PoisonError::into_inner);
        let report = now.ended.map(|report| serde_json::to_string(report).unwrap_or_default());
        let told = ask(|py| -> PyResult<bool> {
            let said = progress.call1(py, (now.sector, now.stage.as_str(), report))?;
            Ok(!said.bind(py).is(PyBool::new(py, false)))
        });
        match told {
            Some(Ok(true)) => {}
            Some(Err(error)) => {
                *raised = Some(error);
                stop.ask();
            }
            Some(Ok(false)) | None => stop.ask(),
        }
    };
    let answered = detached(py, || {
        let watch = Watch { progress: &tell, stop: &stop };
        Ok(engine.shared.engine().govern_watched(verb, read(request)?, watch)?.to_string())
    });
    let raised = raised.into_inner().unwrap_or_else(PoisonError::into_inner);
    raised.map_or(answered, Err)
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
