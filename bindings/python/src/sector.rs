//! A sector: a namespace with its own knowledge and its own history.

use std::sync::Arc;
use std::time::{Duration, Instant};

use knhk_engine::{Error, Origin, Status};
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::PyBytes;

use crate::callbacks::note_log_level;
use crate::engine::Engine;
use crate::error::{detached, exception};
use crate::knowledge::{self, Report, StatementDiff};
use crate::options::seconds;
use crate::records::KeyInfo;
use crate::shared::Shared;
use crate::versions::Version;

/// How long a wait stays away from the interpreter before it looks for a signal such as Ctrl-C.
const SIGNAL_PERIOD: Duration = Duration::from_millis(100);

/// What `knhk.Sector` is made of.
#[pyclass(frozen, subclass, module = "knhk._knhk")]
pub struct Sector {
    pub(crate) shared: Arc<Shared>,
    pub(crate) name: String,
}

#[pymethods]
impl Sector {
    #[new]
    #[pyo3(signature = (engine, name, /))]
    fn new(py: Python<'_>, engine: &Engine, name: String) -> PyResult<Sector> {
        let shared = engine.shared.clone();
        detached(py, || shared.sector_number(&name))?;
        Ok(Sector { shared, name })
    }

    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    #[pyo3(signature = (json, by, why, major, /))]
    fn _promote_json(
        &self,
        py: Python<'_>,
        json: PyBackedStr,
        by: String,
        why: String,
        major: bool,
    ) -> PyResult<Version> {
        note_log_level(py, &self.shared.log_level)?;
        let origin = Origin { by, why, major, ..Origin::default() };
        let version = detached(py, || self.shared.engine().promote_json(&self.name, &json, origin))?;
        Ok(Version::from(version))
    }

    #[pyo3(signature = (image, by, why, major, /))]
    fn _promote_image(
        &self,
        py: Python<'_>,
        image: PyBackedBytes,
        by: String,
        why: String,
        major: bool,
    ) -> PyResult<Version> {
        note_log_level(py, &self.shared.log_level)?;
        let origin = Origin { by, why, major, ..Origin::default() };
        let version = detached(py, || self.shared.engine().promote_image(&self.name, &image, origin))?;
        Ok(Version::from(version))
    }

    #[pyo3(signature = (text, format, by, why, major, /))]
    fn _promote_rdf(
        &self,
        py: Python<'_>,
        text: PyBackedBytes,
        format: &str,
        by: String,
        why: String,
        major: bool,
    ) -> PyResult<Version> {
        note_log_level(py, &self.shared.log_level)?;
        let (format, origin) = (knowledge::format(format)?, Origin { by, why, major, ..Origin::default() });
        let version = detached(py, || self.shared.engine().promote_rdf(&self.name, &text, format, origin))?;
        Ok(Version::from(version))
    }

    #[pyo3(signature = (remove, add, format, by, why, major, /))]
    #[allow(clippy::too_many_arguments)]
    fn _promote_delta(
        &self,
        py: Python<'_>,
        remove: PyBackedBytes,
        add: PyBackedBytes,
        format: &str,
        by: String,
        why: String,
        major: bool,
    ) -> PyResult<Version> {
        note_log_level(py, &self.shared.log_level)?;
        let (format, origin) = (knowledge::format(format)?, Origin { by, why, major, ..Origin::default() });
        let version = detached(py, || self.shared.engine().promote_delta(&self.name, &remove, &add, format, origin))?;
        Ok(Version::from(version))
    }

    fn validate(&self, py: Python<'_>) -> PyResult<Report> {
        detached(py, || self.shared.engine().validate(&self.name).map(Report))
    }

    #[pyo3(signature = (text, format, /))]
    fn _validate_rdf(&self, py: Python<'_>, text: PyBackedBytes, format: &str) -> PyResult<Report> {
        let format = knowledge::format(format)?;
        detached(py, || self.shared.engine().validate_rdf(&self.name, &text, format).map(Report))
    }

    #[pyo3(signature = (remove, add, format, /))]
    fn _validate_delta(
        &self,
        py: Python<'_>,
        remove: PyBackedBytes,
        add: PyBackedBytes,
        format: &str,
    ) -> PyResult<Report> {
        let format = knowledge::format(format)?;
        detached(py, || self.shared.engine().validate_delta(&self.name, &remove, &add, format).map(Report))
    }

    #[pyo3(signature = (before, after, /))]
    fn diff(&self, py: Python<'_>, before: u64, after: u64) -> PyResult<StatementDiff> {
        detached(py, || self.shared.engine().statement_diff(&self.name, before, after).map(StatementDiff::from))
    }

    #[pyo3(signature = (statement, /))]
    fn prove<'py>(&self, py: Python<'py>, statement: PyBackedStr) -> PyResult<Bound<'py, PyBytes>> {
        let proof = detached(py, || self.shared.engine().prove(&self.name, &statement))?;
        Ok(PyBytes::new(py, &proof.to_bytes()))
    }

    #[pyo3(signature = (json, /))]
    fn _declare_json(&self, py: Python<'_>, json: PyBackedStr) -> PyResult<()> {
        note_log_level(py, &self.shared.log_level)?;
        detached(py, || self.shared.engine().declare_json(&self.name, &json))
    }

    #[pyo3(
        signature = (version, *, by = String::new(), why = String::new()),
        text_signature = "($self, version, *, by='', why='')"
    )]
    fn rollback(&self, py: Python<'_>, version: u64, by: String, why: String) -> PyResult<Version> {
        note_log_level(py, &self.shared.log_level)?;
        let origin = Origin { by, why, ..Origin::default() };
        let version = detached(py, || self.shared.engine().rollback(&self.name, version, origin))?;
        Ok(Version::from(version))
    }

    #[pyo3(
        signature = (version, *, by = String::new(), why = String::new()),
        text_signature = "($self, version, *, by='', why='')"
    )]
    fn emergency_rollback(&self, py: Python<'_>, version: u64, by: String, why: String) -> PyResult<Version> {
        note_log_level(py, &self.shared.log_level)?;
        let origin = Origin { by, why, ..Origin::default() };
        let version = detached(py, || self.shared.engine().emergency_rollback(&self.name, version, origin))?;
        Ok(Version::from(version))
    }

    fn history(&self, py: Python<'_>) -> PyResult<Vec<Version>> {
        detached(py, || Ok(self.shared.engine().history(&self.name)?.into_iter().map(Version::from).collect()))
    }

    #[pyo3(signature = (version = None, *, format = "json"), text_signature = "($self, version=None, *, format='json')")]
    fn export(&self, py: Python<'_>, version: Option<u64>, format: &str) -> PyResult<String> {
        let format = knowledge::format(format)?;
        detached(py, || self.shared.engine().export(&self.name, version, format))
    }

    fn keys(&self, py: Python<'_>) -> PyResult<Vec<KeyInfo>> {
        detached(py, || Ok(self.shared.engine().keys(&self.name)?.iter().map(KeyInfo::from).collect()))
    }

    #[pyo3(signature = (timeout = None))]
    fn wait_ready(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let deadline = match timeout {
            Some(timeout) => Instant::now().checked_add(seconds("timeout", timeout)?),
            None => None,
        };
        loop {
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            let slice = left.map_or(SIGNAL_PERIOD, |left| left.min(SIGNAL_PERIOD));
            let engine = self.shared.engine();
            let waited = py.detach(|| engine.wait_ready(&self.name, slice));
            match waited {
                Ok(()) => return Ok(()),
                Err(error) if error.status() != Status::Timeout => return Err(exception(py, &error)),
                Err(_) if left == Some(slice) => {
                    let seconds = timeout.map_or_else(String::new, ToString::to_string);
                    let message = format!("nothing was promoted in sector {} within {seconds} s", self.name);
                    return Err(exception(py, &Error::new(Status::Timeout, "wait", &*self.name, message)));
                }
                Err(_) => py.check_signals()?,
            }
        }
    }

    fn __repr__(&self) -> String {
        format!("<knhk.Sector {}>", self.name)
    }
}
