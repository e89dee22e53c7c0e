//! Observations that the engine keeps by itself. Functions, which `knhk._ledger` and `knhk._versions` make methods of.

use std::time::Duration;

use knhk_engine::observation as kept;
use knhk_engine::{Observations, SegmentInfo, SegmentQuery};
use knhk_hot::layout::Tag;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict};

use crate::engine::Engine;
use crate::error::detached;
use crate::options::{positive, refused, seconds};
use crate::records::hex;
use crate::sector::Sector;

/// The setting `observations`: `True`, `False`, or a dict.
pub(crate) fn settings(value: &Bound<'_, PyAny>) -> PyResult<Option<Observations>> {
    if let Ok(wanted) = value.extract::<bool>() {
        return Ok(wanted.then(Observations::default));
    }
    let given = value.cast::<PyDict>().map_err(|_| refused("observations", value, "True, False or a dict"))?;
    let mut settings = Observations::default();
    for (name, value) in given {
        let name: String = name.extract()?;
        let span = |to: &mut Duration| -> PyResult<()> {
            *to = seconds(&name, &value)?;
            Ok(())
        };
        match name.as_str() {
            "segment_records" => settings.segment_records = positive(&name, &value)?,
            "seal_after" => span(&mut settings.seal_after)?,
            "memory_bytes" => settings.memory = positive(&name, &value)? as u64,
            "period" => span(&mut settings.period)?,
            "retain_bytes" => settings.retention.bytes = Some(positive(&name, &value)? as u64),
            "retain_age" => settings.retention.age = Some(seconds(&name, &value)?),
            "window" => span(&mut settings.window)?,
            "series" => settings.series = positive(&name, &value)?,
            "compression" => {
                settings.compression = value.extract().map_err(|_| refused(&name, &value, "a number from -7 to 19"))?
            }
            _ => return Err(PyTypeError::new_err(format!("there is no setting {name:?} of observations"))),
        }
    }
    Ok(Some(settings))
}

/// How many observations, and how they ended.
#[pyclass(frozen, get_all, eq, module = "knhk")]
#[derive(Clone, PartialEq)]
pub struct Counts {
    count: u64,
    unspecified: u64,
    success: u64,
    rejected: u64,
    error: u64,
    timeout: u64,
    own: u64,
    mismatched: u64,
}

impl From<kept::Counts> for Counts {
    fn from(counts: kept::Counts) -> Counts {
        let [unspecified, success, rejected, error, timeout] = counts.outcomes;
        Counts {
            count: counts.count,
            unspecified,
            success,
            rejected,
            error,
            timeout,
            own: counts.own,
            mismatched: counts.mismatched,
        }
    }
}

/// What a window's observations add up to.
#[pyclass(frozen, get_all, eq, module = "knhk")]
#[derive(Clone, PartialEq)]
pub struct Figures {
    seconds: f64,
    counts: Counts,
    rate: f64,
    failure_share: Option<f64>,
    sum: Option<f64>,
    mean: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    p50: Option<f64>,
    p90: Option<f64>,
    p99: Option<f64>,
    p999: Option<f64>,
}

impl From<&kept::Figures> for Figures {
    fn from(figures: &kept::Figures) -> Figures {
        Figures {
            seconds: figures.seconds,
            counts: figures.counts.into(),
            rate: figures.rate,
            failure_share: figures.failure_share,
            sum: figures.sum,
            mean: figures.mean,
            min: figures.min,
            max: figures.max,
            p50: figures.p50,
            p90: figures.p90,
            p99: figures.p99,
            p999: figures.p999,
        }
    }
}

/// What the observations under a key, of a kind, add up to.
#[pyclass(frozen, get_all, module = "knhk")]
pub struct Aggregate {
    key: Option<String>,
    kind: Option<String>,
    unit: Option<String>,
    window: Figures,
    total: Counts,
}

#[pymethods]
impl Aggregate {
    fn __repr__(&self) -> String {
        let key = self.key.as_deref().unwrap_or("others");
        format!("<knhk.Aggregate {key}: {} observations, {} a second>", self.total.count, self.window.rate)
    }
}

/// How a service level objective stands.
#[pyclass(frozen, get_all, module = "knhk")]
pub struct Objective {
    name: String,
    kind: String,
    aggregate: &'static str,
    bound: &'static str,
    parameter: String,
    limit: Option<f64>,
    window: u32,
    value: Option<f64>,
    met: Option<bool>,
    burn: Option<f64>,
    figures: Figures,
}

#[pymethods]
impl Objective {
    fn __repr__(&self) -> String {
        let state = self.met.map_or("no data", |met| if met { "met" } else { "broken" });
        format!("<knhk.Objective {}: {state}>", self.name)
    }
}

/// A batch of observations that became durable under one receipt.
#[pyclass(frozen, get_all, eq, hash, module = "knhk")]
#[derive(Clone, PartialEq, Hash)]
pub struct Segment {
    number: u64,
    sector: String,
    first_ns: u64,
    last_ns: u64,
    count: u64,
    root: String,
    receipt: Option<u64>,
}

impl From<SegmentInfo> for Segment {
    fn from(segment: SegmentInfo) -> Segment {
        let SegmentInfo { number, sector, first_ns, last_ns, count, root, receipt } = segment;
        Segment { number, sector, first_ns, last_ns, count, root: hex(&root), receipt }
    }
}

#[pymethods]
impl Segment {
    fn __repr__(&self) -> String {
        format!("<knhk.Segment {} of {}: {} observations>", self.number, self.sector, self.count)
    }
}

/// An observation that was kept.
#[pyclass(frozen, module = "knhk")]
pub struct KeptObservation(knhk_engine::ObservationInfo);

#[pymethods]
impl KeptObservation {
    #[getter]
    fn sector(&self) -> &str {
        &self.0.sector
    }

    #[getter]
    fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let record = &self.0.record;
        match u64::from(record.tag) {
            tag if tag == Tag::Bool as u64 => (record.value != 0).into_bound_py_any(py),
            tag if tag == Tag::F64 as u64 => f64::from_bits(record.value).into_bound_py_any(py),
            tag if tag == Tag::I64 as u64 => (record.value as i64).into_bound_py_any(py),
            _ => Ok(py.None().into_bound(py)),
        }
    }

    #[getter]
    fn outcome(&self) -> u32 {
        self.0.record.outcome
    }

    #[getter]
    fn subject(&self) -> u64 {
        self.0.record.subject
    }

    #[getter]
    fn detail(&self) -> u64 {
        self.0.record.detail
    }

    #[getter]
    fn time_ns(&self) -> u64 {
        self.0.record.time_ns
    }

    #[getter]
    fn epoch(&self) -> u64 {
        self.0.record.epoch
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let key = self.key().unwrap_or("?");
        Ok(format!("<knhk.KeptObservation {key} = {}, outcome {}>", self.value(py)?.repr()?, self.outcome()))
    }
}

/// Figures of what drains the rings, since the engine was opened.
#[pyclass(frozen, get_all, module = "knhk")]
pub struct ObserveStats {
    drained: u64,
    persisted: u64,
    refused: u64,
    unattributed: u64,
    lost: u64,
    segments: u64,
    stored_bytes: u64,
    pruned: u64,
    held_bytes: u64,
    failing: Option<String>,
}

#[pyfunction]
#[pyo3(signature = (sector, /))]
pub fn aggregates(py: Python<'_>, sector: &Sector) -> PyResult<Vec<Aggregate>> {
    let series = detached(py, || sector.shared.engine().aggregates(&sector.name))?;
    let aggregate = |series: kept::Series| Aggregate {
        key: series.key,
        kind: series.kind,
        unit: series.unit,
        window: (&series.window).into(),
        total: series.total.into(),
    };
    Ok(series.into_iter().map(aggregate).collect())
}

#[pyfunction]
#[pyo3(signature = (sector, /))]
pub fn objectives(py: Python<'_>, sector: &Sector) -> PyResult<Vec<Objective>> {
    let states = detached(py, || sector.shared.engine().objectives(&sector.name))?;
    let objective = |now: kept::ObjectiveState| Objective {
        figures: (&now.figures).into(),
        name: now.objective.name,
        kind: now.objective.kind,
        aggregate: now.objective.aggregate.as_str(),
        bound: match now.objective.bound {
            kept::Bound::AtMost => "at most",
            kept::Bound::AtLeast => "at least",
        },
        parameter: now.objective.parameter,
        limit: now.objective.limit,
        window: now.objective.window_s,
        value: now.value,
        met: now.met,
        burn: now.burn,
    };
    Ok(states.into_iter().map(objective).collect())
}

#[pyfunction]
#[pyo3(signature = (engine, /))]
pub fn flush_observations(py: Python<'_>, engine: &Engine) -> PyResult<()> {
    detached(py, || engine.shared.engine().flush_observations())
}

#[pyfunction]
#[pyo3(signature = (engine, /))]
pub fn observe_stats(py: Python<'_>, engine: &Engine) -> PyResult<ObserveStats> {
    let now = detached(py, || engine.shared.engine().observe_stats())?;
    Ok(ObserveStats {
        drained: now.drained,
        persisted: now.persisted,
        refused: now.refused,
        unattributed: now.unattributed,
        lost: now.lost,
        segments: now.segments,
        stored_bytes: now.stored_bytes,
        pruned: now.pruned,
        held_bytes: now.held_bytes,
        failing: now.failing,
    })
}

#[pyfunction]
#[pyo3(signature = (engine, sector, first, limit, /))]
pub fn segments(
    py: Python<'_>,
    engine: &Engine,
    sector: Option<String>,
    first: u64,
    limit: Option<usize>,
) -> PyResult<Vec<Segment>> {
    let query = SegmentQuery { from: first, sector, limit, ..SegmentQuery::default() };
    detached(py, || Ok(engine.shared.engine().segments(&query)?.into_iter().map(Segment::from).collect()))
}

#[pyfunction]
#[pyo3(signature = (engine, segment, /))]
pub fn observations(py: Python<'_>, engine: &Engine, segment: u64) -> PyResult<Vec<KeptObservation>> {
    detached(py, || Ok(engine.shared.engine().observations(segment)?.into_iter().map(KeptObservation).collect()))
}

#[pyfunction]
#[pyo3(signature = (engine, segment, index, /))]
pub fn prove_observation<'py>(
    py: Python<'py>,
    engine: &Engine,
    segment: u64,
    index: u64,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let proven = detached(py, || engine.shared.engine().prove_observation(segment, index))?;
    Ok((PyBytes::new(py, &proven.record), PyBytes::new(py, &proven.proof)))
}

#[pyfunction]
#[pyo3(signature = (engine, record, proof, /))]
pub fn verify_observation(
    py: Python<'_>,
    engine: &Engine,
    record: PyBackedBytes,
    proof: PyBackedBytes,
) -> PyResult<()> {
    detached(py, || engine.shared.engine().verify_observation(&record, &proof))
}
