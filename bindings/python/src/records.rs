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
    damaged_versions: u64,
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
            damaged_versions: stats.damaged_versions,
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
