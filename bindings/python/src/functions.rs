//! Functions of the program that have a say in governance: Python callables that rules, tests and invariants ask, and work that is measured.
//!
//! They are called on the threads that have stages run, which are detached from the interpreter then. An exception says why not.

use std::sync::{Arc, Weak};
use std::time::Instant;

use knhk_engine::governance::{CrossInvariant, Hook, Question, Role, Severity, Workload};
use knhk_engine::{Error, Status};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBool;

use crate::callbacks::ask;
use crate::engine::Engine;
use crate::error::detached;
use crate::shared::Shared;
use crate::view::View;

fn callable(function: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    if !function.is_callable() {
        return Err(PyTypeError::new_err(format!("{} cannot be called", function.repr()?)));
    }
    Ok(function.unbind())
}

fn invalid(item: &str, message: String) -> Error {
    Error::new(Status::InvalidArgument, "govern", item, message)
}

fn severity(name: &str) -> Result<Severity, Error> {
    Severity::from_name(name).ok_or_else(|| {
        invalid("severity", format!("there is no severity {name:?}: \"info\", \"warning\" or \"blocker\""))
    })
}

/// What an exception says, for a report.
fn told(py: Python<'_>, error: &PyErr) -> String {
    let class = error.get_type(py).name().map_or_else(|_| "an exception".into(), |name| name.to_string());
    format!("{class}: {}", error.value(py))
}

fn ending<T>() -> Result<T, String> {
    Err("the interpreter is ending".into())
}

/// Asks a callable: what is wrong is what it raises or returns as a text, or `False`.
fn judged(shared: &Weak<Shared>, function: &Py<PyAny>, question: &Question) -> Result<(), String> {
    let Some(shared) = shared.upgrade() else { return Err("the engine is closed".into()) };
    let asked = ask(|py| {
        let view = View::of(&shared, question.view.clone());
        let said = function.call1(py, (&question.text, view)).map_err(|error| told(py, &error))?;
        let said = said.bind(py);
        if said.is_none() || said.is(PyBool::new(py, true)) {
            Ok(())
        } else if said.is(PyBool::new(py, false)) {
            Err("it is not so".into())
        } else {
            Err(said.extract::<String>().unwrap_or_else(|_| "the function gave neither None nor a text".into()))
        }
    });
    asked.unwrap_or_else(ending)
}

/// Registers a callable that gets the question's text and a view.
#[pyfunction]
#[pyo3(signature = (engine, role, name, function, severity, /))]
pub fn set_function(
    py: Python<'_>,
    engine: &Engine,
    role: &str,
    name: &str,
    function: Bound<'_, PyAny>,
    severity: &str,
) -> PyResult<()> {
    let (function, shared) = (callable(function)?, Arc::downgrade(&engine.shared));
    detached(py, || {
        let role = match role {
            "rule" => Role::Rule,
            "test" => Role::Test,
            "invariant" => Role::Invariant(self::severity(severity)?),
            _ => return Err(invalid("role", format!("nothing of the kind {role:?} is judged by functions"))),
        };
        let judge = move |question: &Question| judged(&shared, &function, question);
        engine.shared.engine().set_function(role, name, Arc::new(judge));
        Ok(())
    })
}

/// Registers an invariant that is a condition.
#[pyfunction]
#[pyo3(signature = (engine, name, condition, severity, /))]
pub fn set_condition(py: Python<'_>, engine: &Engine, name: &str, condition: &str, severity: &str) -> PyResult<()> {
    detached(py, || {
        let invariant = CrossInvariant::of_condition(name, self::severity(severity)?, condition)
            .map_err(|error| Error::new(Status::Document, "govern", name, format!("invariant {name}: {error}")))?;
        engine.shared.engine().set_invariant(invariant);
        Ok(())
    })
}

/// Registers work that is measured: a callable that gets a view.
#[pyfunction]
#[pyo3(signature = (engine, sector, name, work, /))]
pub fn set_workload(py: Python<'_>, engine: &Engine, sector: &str, name: &str, work: Bound<'_, PyAny>) -> PyResult<()> {
    let (work, shared) = (callable(work)?, Arc::downgrade(&engine.shared));
    detached(py, || {
        engine.shared.sector_number(sector)?;
        let workload = Workload::timed(name, move |view, times| {
            let Some(shared) = shared.upgrade() else { return Err("the engine is closed".into()) };
            let measured = ask(|py| {
                let view = Py::new(py, View::of(&shared, view.clone())).map_err(|error| told(py, &error))?;
                // Attached once for all of them: to wait for the interpreter is not part of the work.
                let began = Instant::now();
                for _ in 0..times {
                    work.call1(py, (&view,)).map_err(|error| told(py, &error))?;
                }
                Ok(began.elapsed())
            });
            measured.unwrap_or_else(ending)
        });
        engine.shared.engine().set_workload(sector, workload);
        Ok(())
    })
}

/// Takes back what was registered; whether it was there.
#[pyfunction]
#[pyo3(signature = (engine, role, name, sector, /))]
pub fn unset(py: Python<'_>, engine: &Engine, role: &str, name: &str, sector: &str) -> PyResult<bool> {
    detached(py, || {
        let hook = match role {
            "rule" => Hook::Rule(name),
            "test" => Hook::Test(name),
            "invariant" => Hook::Invariant(name),
            "workload" => Hook::Workload(sector, name),
            _ => return Err(invalid("role", format!("nothing of the kind {role:?} is registered"))),
        };
        Ok(engine.shared.engine().unset(hook))
    })
}
