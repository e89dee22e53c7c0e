//! Errors of the engine as exceptions of `knhk._errors`, and the one way to leave the interpreter.

use std::panic::{AssertUnwindSafe, catch_unwind};

use knhk_engine::{Error, Reason, Status};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::knowledge::Report;

/// The exception for `error`; an exception raised while making it, if that fails.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let status = error.status();
    let made = MAKE
        .import(py, "knhk._errors", "make")
        .and_then(|make| make.call1((status.code(), status.as_str(), error.message(), error.stage(), error.item())));
    let told = made.and_then(|made| {
        if let Some(report) = error.report() {
            made.setattr("report", Report(report.clone()))?;
        }
        if !error.reports().is_empty() {
            let text =
                serde_json::to_string(error.reports()).expect("reports have text keys, so they have a form in JSON");
            made.setattr("reports", py.import("knhk._governed")?.call_method1("reports", (text,))?)?;
        }
        Ok(made)
    });
    match told {
        Ok(made) => PyErr::from_value(made),
        Err(failure) => failure,
    }
}

/// An error of the engine on its way to Python. The conversion happens on attached threads only.
#[derive(Debug)]
pub(crate) struct Raised(Error);

impl<E: Into<Error>> From<E> for Raised {
    fn from(error: E) -> Raised {
        Raised(error.into())
    }
}

impl From<Raised> for PyErr {
    fn from(raised: Raised) -> PyErr {
        Python::attach(|py| exception(py, &raised.0))
    }
}

/// Refuses an argument.
pub(crate) fn invalid(stage: &'static str, item: &str, message: impl Into<String>) -> PyErr {
    Raised(Error::new(Status::InvalidArgument, stage, item, message)).into()
}

/// Runs what may take time, or may wait for another thread, detached from the interpreter. A panic becomes an error.
pub(crate) fn detached<T: Send>(py: Python<'_>, f: impl FnOnce() -> Result<T, Error> + Send) -> PyResult<T> {
    let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(f)));
    let outcome = outcome.unwrap_or_else(|_| {
        let message = "the engine panicked: a defect of knhk; reads go on, reopen the engine to change anything";
        Err(Error::new(Status::Panic, "call", "", message))
    });
    outcome.map_err(|error| exception(py, &error))
}

/// Why a read without a default raises.
pub(crate) fn missing(path: &str, reason: Reason, closed: bool) -> PyErr {
    let (status, why) = match reason {
        _ if closed => (Status::Closed, "the engine is closed"),
        Reason::WrongType => (Status::WrongType, "a promotion with a declared major version gave it another type"),
        Reason::NotReady => (Status::NotReady, "nothing was promoted in its sector yet, and no default was declared"),
        Reason::Absent | Reason::Present => (Status::NotFound, "the current version does not have it"),
    };
    let message = format!("{path} has no value: {why}; pass a default to read on");
    Raised(Error::new(status, "read", path, message)).into()
}
