//! The closed loop's callbacks: proposers, detectors and hooks that are Python's. What they are asked and answer travels as JSON; Python's half
//! makes types of it. Each is called on a thread of the loop, attached for as long as it runs.

use std::sync::Arc;

use knhk_engine::autonomic::{Custom, HookInfo, Phase, Plan, PlanError, Proposer, Question, Sample, Score, When};
use pyo3::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::callbacks;
use crate::engine::Engine;
use crate::error::{detached, invalid};
use crate::signer::reason;

/// Why nothing is asked any more.
const ENDING: &str = "the interpreter is ending, and runs no callable any more";

/// What a callable answers to a question, as JSON both ways.
fn asked<T: DeserializeOwned>(callable: &Py<PyAny>, question: &impl Serialize) -> Result<Option<T>, String> {
    let question = serde_json::to_string(question).map_err(|error| error.to_string())?;
    let asked = callbacks::ask(|py| {
        let answer = callable.call1(py, (question,)).map_err(|error| reason(py, &error))?;
        answer.extract::<Option<String>>(py).map_err(|error| reason(py, &error))
    });
    let Some(answer) = asked.unwrap_or_else(|| Err(ENDING.into()))? else { return Ok(None) };
    serde_json::from_str(&answer)
        .map(Some)
        .map_err(|error| format!("what it answered is not what it has to be: {error}"))
}

/// A proposer that is Python's.
struct Asking {
    name: String,
    callable: Py<PyAny>,
}

impl Proposer for Asking {
    fn name(&self) -> &str {
        &self.name
    }

    fn propose(&self, question: &Question) -> Result<Option<Plan>, PlanError> {
        asked(&self.callable, question).map_err(|why| PlanError { proposer: self.name.clone(), why })
    }
}

/// A detector that is Python's; or why none was made.
struct AtWork(Result<Py<PyAny>, String>);

impl Custom for AtWork {
    fn observe(&mut self, sample: &Sample) -> Result<Option<Score>, String> {
        let callable = self.0.as_ref().map_err(String::clone)?;
        asked(callable, sample)
    }
}

/// Adds a proposer: called with a question as JSON, it answers with a plan as JSON, or `None`.
#[pyfunction]
#[pyo3(signature = (engine, name, callable, /))]
pub fn add_proposer(py: Python<'_>, engine: &Engine, name: String, callable: Py<PyAny>) -> PyResult<()> {
    detached(py, || engine.shared.engine().add_proposer(Arc::new(Asking { name, callable })))
}

/// Removes a proposer; whether it was there.
#[pyfunction]
#[pyo3(signature = (engine, name, /))]
pub fn remove_proposer(py: Python<'_>, engine: &Engine, name: &str) -> PyResult<bool> {
    detached(py, || Ok(engine.shared.engine().remove_proposer(name)))
}

/// Adds a kind of detector: called with a sector and a watch, it gives a callable that takes samples and gives scores, as JSON.
#[pyfunction]
#[pyo3(signature = (engine, name, factory, /))]
pub fn add_detector(py: Python<'_>, engine: &Engine, name: &str, factory: Py<PyAny>) -> PyResult<()> {
    let make = move |sector: &str, watch: &str| -> Box<dyn Custom> {
        let made = callbacks::ask(|py| factory.call1(py, (sector, watch)).map_err(|error| reason(py, &error)));
        Box::new(AtWork(made.unwrap_or_else(|| Err(ENDING.into()))))
    };
    detached(py, || engine.shared.engine().add_detector(name, Arc::new(make)))
}

/// Removes a kind of detector; whether it was there.
#[pyfunction]
#[pyo3(signature = (engine, name, /))]
pub fn remove_detector(py: Python<'_>, engine: &Engine, name: &str) -> PyResult<bool> {
    detached(py, || Ok(engine.shared.engine().remove_detector(name)))
}

/// A word of Python's as the engine's own.
fn word<T: DeserializeOwned>(what: &'static str, given: &str, known: &str) -> PyResult<T> {
    serde_json::from_value(given.into())
        .map_err(|_| invalid("loop", what, format!("there is no {what} {given:?}: use {known}")))
}

/// Adds a hook, which is called with what it hears as JSON; gives its number.
#[pyfunction]
#[pyo3(signature = (engine, phase, when, callable, /))]
pub fn add_hook(py: Python<'_>, engine: &Engine, phase: &str, when: &str, callable: Py<PyAny>) -> PyResult<u64> {
    let phase: Phase = word("phase", phase, "monitor, analyze, plan, execute or learn")?;
    let when: When = word("when", when, "before or after")?;
    let hears = move |info: &HookInfo| {
        let Ok(info) = serde_json::to_string(info) else { return };
        callbacks::call(|py| callable.call1(py, (info,)).map(drop));
    };
    detached(py, || engine.shared.engine().add_hook(phase, when, Arc::new(hears)))
}

/// Removes a hook; whether it was there.
#[pyfunction]
#[pyo3(signature = (engine, number, /))]
pub fn remove_hook(py: Python<'_>, engine: &Engine, number: u64) -> PyResult<bool> {
    detached(py, || Ok(engine.shared.engine().remove_hook(number)))
}
