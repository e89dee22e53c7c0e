//! Admitted calls, and refused ones.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use knhk_resilience::hedge::Hedged;
use knhk_resilience::pipeline::Permit as Admitted;
use knhk_resilience::{Deadline, Outcome, Policy as Native, Rejected, Scope as Shared};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::error::invalid;

/// The exception for a refusal, of `knhk.resilience`.
pub(super) fn refused(py: Python<'_>, policy: &str, rejected: &Rejected) -> PyErr {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let after = rejected.retry_after().filter(|after| *after != Duration::MAX).map(|after| after.as_secs_f64());
    let made = MAKE
        .import(py, "knhk._errors", "make_refused")
        .and_then(|make| make.call1((format!("{policy}: {rejected}"), policy, rejected.reason(), after)));
    match made {
        Ok(made) => PyErr::from_value(made),
        Err(failure) => failure,
    }
}

pub(super) fn outcome(name: &str) -> PyResult<Outcome> {
    match name {
        "success" => Ok(Outcome::Success),
        "failure" => Ok(Outcome::Failure),
        "ignored" => Ok(Outcome::Ignored),
        other => Err(invalid(
            "policy",
            "outcome",
            format!("outcome is \"success\", \"failure\" or \"ignored\", not {other:?}"),
        )),
    }
}

/// A hedged call's copies.
#[pyclass(frozen, module = "knhk._knhk")]
pub struct HedgedCall(pub(super) Mutex<Hedged>);

impl HedgedCall {
    pub(super) fn lock(&self) -> MutexGuard<'_, Hedged> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An admitted call.
#[pyclass(frozen, module = "knhk.resilience")]
pub struct Permit {
    pub(super) native: Native,
    pub(super) shared: Shared,
    pub(super) held: Mutex<Option<Admitted>>,
    pub(super) deadline: Deadline,
    pub(super) is_to_fail: bool,
}

impl Permit {
    fn end(&self, outcome: Outcome) -> Outcome {
        match self.held.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(admitted) => self.native.finish(admitted, outcome),
            None => outcome,
        }
    }
}

impl Drop for Permit {
    /// A permit that is forgotten says nothing of the callee.
    fn drop(&mut self) {
        self.end(Outcome::Ignored);
    }
}

#[pymethods]
impl Permit {
    #[pyo3(signature = (outcome = "success"))]
    fn finish(&self, outcome: &str) -> PyResult<bool> {
        let told = self::outcome(outcome)?;
        Ok(self.end(told) == told)
    }

    #[getter]
    fn left(&self) -> Option<f64> {
        self.deadline.left(&**self.shared.clock()).map(|left| left.as_secs_f64())
    }

    #[getter]
    fn is_to_fail(&self) -> bool {
        self.is_to_fail
    }
}

/// What a `Retry-After` header asks for, in seconds.
#[pyfunction]
pub fn retry_after(value: &str) -> Option<f64> {
    knhk_resilience::retry::retry_after(value, std::time::SystemTime::now()).map(|pause| pause.as_secs_f64())
}
