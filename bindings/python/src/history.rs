//! The history of a sector: its log, tags, references. Functions of a sector, which `knhk._versions` makes methods of.

use knhk_engine as engine;
use knhk_engine::{Hold, LogQuery};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;

use crate::callbacks::note_log_level;
use crate::error::detached;
use crate::records::hex;
use crate::sector::Sector;
use crate::view::View;

/// A version, as the log tells it.
#[pyclass(frozen, get_all, eq, hash, module = "knhk")]
#[derive(Clone, PartialEq, Hash)]
pub struct LogEntry {
    version: u64,
    snapshot_id: String,
    parents: Vec<u64>,
    epoch: u64,
    time_ns: u64,
    by: String,
    why: String,
    major: bool,
    rollback_of: Option<u64>,
    receipt: Option<String>,
    tags: Vec<String>,
    retained: bool,
}

impl From<engine::LogEntry> for LogEntry {
    fn from(entry: engine::LogEntry) -> LogEntry {
        LogEntry {
            version: entry.version,
            snapshot_id: hex(&entry.snapshot_id),
            parents: entry.parents,
            epoch: entry.epoch,
            time_ns: entry.time_ns,
            by: entry.by,
            why: entry.why,
            major: entry.major,
            rollback_of: entry.rollback_of,
            receipt: entry.receipt,
            tags: entry.tags,
            retained: entry.retained,
        }
    }
}

#[pymethods]
impl LogEntry {
    fn __repr__(&self) -> String {
        let tags = if self.tags.is_empty() { String::new() } else { format!(" [{}]", self.tags.join(", ")) };
        format!("<knhk.LogEntry {} ({}){tags} by {:?}>", self.version, &self.snapshot_id[..12], self.by)
    }
}

/// A name for a version.
#[pyclass(frozen, get_all, eq, hash, module = "knhk")]
#[derive(Clone, PartialEq, Hash)]
pub struct Tag {
    name: String,
    version: u64,
    time_ns: u64,
    by: String,
}

#[pymethods]
impl Tag {
    fn __repr__(&self) -> String {
        format!("<knhk.Tag {} of version {}>", self.name, self.version)
    }
}

#[pyfunction]
#[pyo3(signature = (sector, before, limit, /))]
pub fn log(py: Python<'_>, sector: &Sector, before: Option<u64>, limit: Option<usize>) -> PyResult<Vec<LogEntry>> {
    let query = LogQuery { before, limit };
    detached(py, || Ok(sector.shared.engine().log(&sector.name, &query)?.into_iter().map(LogEntry::from).collect()))
}

#[pyfunction]
#[pyo3(signature = (sector, reference, /))]
pub fn resolve(py: Python<'_>, sector: &Sector, reference: PyBackedStr) -> PyResult<u64> {
    detached(py, || sector.shared.engine().resolve(&sector.name, &reference))
}

#[pyfunction]
#[pyo3(signature = (sector, name, reference, by, /))]
pub fn tag(
    py: Python<'_>,
    sector: &Sector,
    name: PyBackedStr,
    reference: PyBackedStr,
    by: PyBackedStr,
) -> PyResult<u64> {
    note_log_level(py, &sector.shared.log_level)?;
    detached(py, || sector.shared.engine().tag(&sector.name, &name, &reference, &by))
}

#[pyfunction]
#[pyo3(signature = (sector, name, by, /))]
pub fn untag(py: Python<'_>, sector: &Sector, name: PyBackedStr, by: PyBackedStr) -> PyResult<()> {
    note_log_level(py, &sector.shared.log_level)?;
    detached(py, || sector.shared.engine().untag(&sector.name, &name, &by))
}

#[pyfunction]
#[pyo3(signature = (sector, /))]
pub fn tags(py: Python<'_>, sector: &Sector) -> PyResult<Vec<Tag>> {
    let tags = detached(py, || sector.shared.engine().tags(&sector.name))?;
    let tag = |engine::TagInfo { name, version, time_ns, by }| Tag { name, version, time_ns, by };
    Ok(tags.into_iter().map(tag).collect())
}

#[pyfunction]
#[pyo3(signature = (sector, reference, /))]
pub fn as_of(py: Python<'_>, sector: &Sector, reference: PyBackedStr) -> PyResult<View> {
    let hold: Hold = detached(py, || sector.shared.engine().as_of_reference(&sector.name, &reference))?;
    Ok(View::of(&sector.shared, hold))
}
