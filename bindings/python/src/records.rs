//! What an engine tells, as plain immutable objects.

use knhk_engine as engine;
use knhk_hot::layout::Tag;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use crate::shared::Shared;

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

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

/// An entry of a sector's history.
#[pyclass(frozen, get_all, module = "knhk")]
pub struct Version {
    version: u64,
    snapshot_id: String,
    epoch: u64,
    time_ns: u64,
    by: String,
    why: String,
    rollback_of: Option<u64>,
    differences: Vec<Difference>,
    phases: Phases,
}

impl From<&engine::VersionInfo> for Version {
    fn from(version: &engine::VersionInfo) -> Version {
        let phases = &version.phases;
        Version {
            version: version.version,
            snapshot_id: hex(&version.snapshot_id),
            epoch: version.epoch,
            time_ns: version.time_ns,
            by: version.origin.by.clone(),
            why: version.origin.why.clone(),
            rollback_of: version.rollback_of,
            differences: version.differences().iter().map(Difference::from).collect(),
            phases: Phases {
                parse_ns: phases.parse_ns,
                verify_ns: phases.verify_ns,
                compile_ns: phases.compile_ns,
                journal_ns: phases.journal_ns,
                swap_ns: phases.swap_ns,
                total_ns: phases.total_ns(),
            },
        }
    }
}

#[pymethods]
impl Version {
    fn __repr__(&self) -> String {
        format!("<knhk.Version {} ({}) by {:?}>", self.version, &self.snapshot_id[..12], self.by)
    }
}

/// A change that became current.
#[pyclass(frozen, get_all, module = "knhk")]
#[derive(Clone)]
pub struct Change {
    sector: String,
    version: u64,
    snapshot_id: String,
    epoch: u64,
    time_ns: u64,
    by: String,
    why: String,
    rollback_of: Option<u64>,
    differences: Vec<Difference>,
    missed: u64,
    summary: String,
}

impl From<&engine::Change> for Change {
    fn from(change: &engine::Change) -> Change {
        Change {
            sector: change.sector.clone(),
            version: change.version,
            snapshot_id: hex(&change.snapshot_id),
            epoch: change.epoch,
            time_ns: change.time_ns,
            by: change.by.clone(),
            why: change.why.clone(),
            rollback_of: change.rollback_of,
            differences: change.differences().iter().map(Difference::from).collect(),
            missed: change.missed,
            summary: change.summary(),
        }
    }
}

#[pymethods]
impl Change {
    fn _with_missed(&self, missed: u64) -> Change {
        Change { missed, ..self.clone() }
    }

    fn __str__(&self) -> &str {
        &self.summary
    }

    fn __repr__(&self) -> String {
        format!("<knhk.Change {}>", self.summary)
    }
}

/// A key, as enumerated.
#[pyclass(frozen, get_all, module = "knhk")]
pub struct KeyInfo {
    name: String,
    r#type: &'static str,
    unit: Option<String>,
    doc: Option<String>,
    display: String,
}

impl From<&engine::KeyInfo> for KeyInfo {
    fn from(key: &engine::KeyInfo) -> KeyInfo {
        KeyInfo {
            name: key.name.clone(),
            r#type: key.value_type.as_str(),
            unit: key.unit.clone(),
            doc: key.doc.clone(),
            display: key.display.clone(),
        }
    }
}

#[pymethods]
impl KeyInfo {
    fn __repr__(&self) -> String {
        format!("<knhk.KeyInfo {} ({}): {}>", self.name, self.r#type, self.display)
    }
}

/// A sector, as enumerated.
#[pyclass(frozen, get_all, module = "knhk")]
pub struct SectorInfo {
    name: String,
    kind: &'static str,
    ready: bool,
    version: u64,
    snapshot_id: String,
    epoch: u64,
    keys: usize,
}

impl From<&engine::SectorInfo> for SectorInfo {
    fn from(sector: &engine::SectorInfo) -> SectorInfo {
        SectorInfo {
            name: sector.name.clone(),
            kind: sector.kind.as_str(),
            ready: sector.ready,
            version: sector.version,
            snapshot_id: hex(&sector.snapshot_id),
            epoch: sector.epoch,
            keys: sector.keys,
        }
    }
}

#[pymethods]
impl SectorInfo {
    fn __repr__(&self) -> String {
        let state = if self.ready { format!("version {}", self.version) } else { "not ready".into() };
        format!("<knhk.SectorInfo {} ({}), {} keys, {state}>", self.name, self.kind, self.keys)
    }
}

/// An observation, as drained.
#[pyclass(frozen, module = "knhk")]
pub struct Observation {
    #[pyo3(get)]
    key: Option<String>,
    #[pyo3(get)]
    outcome: u32,
    #[pyo3(get)]
    subject: u64,
    #[pyo3(get)]
    detail: u64,
    #[pyo3(get)]
    time_ns: u64,
    #[pyo3(get)]
    epoch: u64,
    #[pyo3(get)]
    reader: u64,
    #[pyo3(get)]
    sequence: u64,
    tag: u32,
    bits: u64,
}

impl Observation {
    pub(crate) fn new(shared: &Shared, reader: u64, observation: &engine::Observation) -> Observation {
        Observation {
            key: shared.names().get(&observation.key).map(|path| path.to_string()),
            outcome: observation.outcome,
            subject: observation.subject,
            detail: observation.detail,
            time_ns: observation.time_ns,
            epoch: observation.epoch,
            reader,
            sequence: observation.sequence,
            tag: observation.tag,
            bits: observation.value,
        }
    }
}

#[pymethods]
impl Observation {
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.tag {
            tag if tag == Tag::Bool as u32 => (self.bits != 0).into_bound_py_any(py),
            tag if tag == Tag::F64 as u32 => f64::from_bits(self.bits).into_bound_py_any(py),
            _ => (self.bits as i64).into_bound_py_any(py),
        }
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let key = self.key.as_deref().unwrap_or("?");
        Ok(format!("<knhk.Observation {key} = {}, outcome {}>", self.value(py)?.repr()?, self.outcome))
    }
}

/// Figures of an engine since it was opened.
#[pyclass(frozen, get_all, module = "knhk")]
pub struct Stats {
    sectors: u64,
    promotions: u64,
    refused: u64,
    missed_changes: u64,
    epoch: u64,
    readers: usize,
    retained_roots: usize,
    retained_bytes: u64,
    cold_reads: u64,
    observed: u64,
    dropped: u64,
    fence_mode: bool,
    reclaim_batches: u64,
    reclaimed_roots: u64,
    reaped: u64,
    pool_bytes: u64,
}

impl From<engine::Stats> for Stats {
    fn from(stats: engine::Stats) -> Stats {
        let hot = stats.hot;
        Stats {
            sectors: stats.sectors,
            promotions: stats.promotions,
            refused: stats.refused,
            missed_changes: stats.missed_changes,
            epoch: hot.epoch,
            readers: hot.readers,
            retained_roots: hot.retained_roots,
            retained_bytes: hot.retained_bytes,
            cold_reads: hot.cold_reads,
            observed: hot.observed,
            dropped: hot.dropped,
            fence_mode: hot.fence_mode,
            reclaim_batches: hot.reclaim_batches,
            reclaimed_roots: hot.reclaimed_roots,
            reaped: hot.reaped,
            pool_bytes: hot.pool_bytes,
        }
    }
}

#[pymethods]
impl Stats {
    fn __repr__(&self) -> String {
        format!(
            "<knhk.Stats: {} sectors, {} promotions, {} refused, {} readers, generation {}>",
            self.sectors, self.promotions, self.refused, self.readers, self.epoch
        )
    }
}
