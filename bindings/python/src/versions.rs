//! Versions and changes, as plain immutable objects.

use std::sync::OnceLock;

use knhk_engine as engine;
use pyo3::prelude::*;

use crate::records::hex;

/// What a change did to one path.
#[pyclass(frozen, get_all, eq, hash, module = "knhk")]
#[derive(Clone, PartialEq, Hash)]
pub struct Difference {
    path: String,
    old: Option<String>,
    new: Option<String>,
    text: String,
}

impl From<&engine::Difference> for Difference {
    fn from(difference: &engine::Difference) -> Difference {
        Difference {
            path: difference.path.clone(),
            old: difference.old.clone(),
            new: difference.new.clone(),
            text: difference.to_string(),
        }
    }
}

#[pymethods]
impl Difference {
    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> String {
        format!("<knhk.Difference {}>", self.text)
    }
}

/// What each phase of a promotion took, in nanoseconds.
#[pyclass(frozen, get_all, eq, hash, module = "knhk")]
#[derive(Clone, PartialEq, Hash)]
pub struct Phases {
    parse_ns: u64,
    verify_ns: u64,
    compile_ns: u64,
    journal_ns: u64,
    swap_ns: u64,
    total_ns: u64,
}

#[pymethods]
impl Phases {
    fn __repr__(&self) -> String {
        let Phases { parse_ns, verify_ns, compile_ns, journal_ns, swap_ns, total_ns } = self;
        format!(
            "Phases(parse_ns={parse_ns}, verify_ns={verify_ns}, compile_ns={compile_ns}, journal_ns={journal_ns}, \
             swap_ns={swap_ns}, total_ns={total_ns})"
        )
    }
}

/// Differences, computed when first asked for: that costs more than a promotion.
#[derive(Clone, Default)]
struct Differences(OnceLock<Vec<Difference>>);

impl Differences {
    fn or_compute(&self, py: Python<'_>, compute: impl FnOnce() -> Vec<engine::Difference> + Send) -> Vec<Difference> {
        if self.0.get().is_none() {
            let computed = py.detach(|| compute().iter().map(Difference::from).collect());
            // Whoever was first: both are the same.
            _ = self.0.set(computed);
        }
        self.0.get().cloned().unwrap_or_default()
    }
}

/// An entry of a sector's history.
#[pyclass(frozen, module = "knhk")]
pub struct Version {
    info: engine::VersionInfo,
    differences: Differences,
}

impl From<engine::VersionInfo> for Version {
    fn from(info: engine::VersionInfo) -> Version {
        Version { info, differences: Differences::default() }
    }
}

#[pymethods]
impl Version {
    #[getter]
    fn version(&self) -> u64 {
        self.info.version
    }

    #[getter]
    fn snapshot_id(&self) -> String {
        hex(&self.info.snapshot_id)
    }

    #[getter]
    fn epoch(&self) -> u64 {
        self.info.epoch
    }

    #[getter]
    fn time_ns(&self) -> u64 {
        self.info.time_ns
    }

    #[getter]
    fn by(&self) -> &str {
        &self.info.origin.by
    }

    #[getter]
    fn why(&self) -> &str {
        &self.info.origin.why
    }

    #[getter]
    fn rollback_of(&self) -> Option<u64> {
        self.info.rollback_of
    }

    #[getter]
    fn parent(&self) -> Option<u64> {
        self.info.parent
    }

    #[getter]
    fn receipt(&self) -> Option<&str> {
        self.info.receipt.as_deref()
    }

    #[getter]
    fn differences(&self, py: Python<'_>) -> Vec<Difference> {
        self.differences.or_compute(py, || self.info.differences())
    }

    #[getter]
    fn phases(&self) -> Phases {
        let phases = &self.info.phases;
        Phases {
            parse_ns: phases.parse_ns,
            verify_ns: phases.verify_ns,
            compile_ns: phases.compile_ns,
            journal_ns: phases.journal_ns,
            swap_ns: phases.swap_ns,
            total_ns: phases.total_ns(),
        }
    }

    fn __repr__(&self) -> String {
        let engine::VersionInfo { version, origin, snapshot_id, .. } = &self.info;
        format!("<knhk.Version {version} ({}) by {:?}>", hex(&snapshot_id[..6]), origin.by)
    }
}

/// A change that became current.
#[pyclass(frozen, module = "knhk")]
pub struct Change {
    change: engine::Change,
    differences: Differences,
}

impl From<engine::Change> for Change {
    fn from(change: engine::Change) -> Change {
        Change { change, differences: Differences::default() }
    }
}

#[pymethods]
impl Change {
    #[getter]
    fn sector(&self) -> &str {
        &self.change.sector
    }

    #[getter]
    fn version(&self) -> u64 {
        self.change.version
    }

    #[getter]
    fn snapshot_id(&self) -> String {
        hex(&self.change.snapshot_id)
    }

    #[getter]
    fn epoch(&self) -> u64 {
        self.change.epoch
    }

    #[getter]
    fn time_ns(&self) -> u64 {
        self.change.time_ns
    }

    #[getter]
    fn by(&self) -> &str {
        &self.change.by
    }

    #[getter]
    fn why(&self) -> &str {
        &self.change.why
    }

    #[getter]
    fn rollback_of(&self) -> Option<u64> {
        self.change.rollback_of
    }

    #[getter]
    fn differences(&self, py: Python<'_>) -> Vec<Difference> {
        self.differences.or_compute(py, || self.change.differences())
    }

    #[getter]
    fn missed(&self) -> u64 {
        self.change.missed
    }

    #[getter]
    fn summary(&self, py: Python<'_>) -> String {
        py.detach(|| self.change.summary())
    }

    #[pyo3(signature = (missed, /))]
    fn _with_missed(&self, missed: u64) -> Change {
        let mut change = self.change.clone();
        change.missed = missed;
        Change { change, differences: self.differences.clone() }
    }

    fn __str__(&self, py: Python<'_>) -> String {
        self.summary(py)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<knhk.Change {}>", self.summary(py))
    }
}
