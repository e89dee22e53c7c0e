//! The engine's handle.

use std::os::fd::RawFd;
use std::sync::Arc;

use knhk_engine::{self as engine, Error, Log, SectorKind, Status};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBytes, PyDict};

use crate::callbacks::{Subscription, forward_log, note_log_level, subscribe};
use crate::error::{Raised, detached};
use crate::key::KeyBase;
use crate::knowledge::IdentifierConflict;
use crate::observe::{self, Told};
use crate::options::options;
use crate::reader;
use crate::records::{Observation, SectorInfo, Stats};
use crate::shared::Shared;
use crate::versions::Change;
use crate::view::View;

/// What `knhk.Engine` is made of.
#[pyclass(frozen, subclass, weakref, module = "knhk._knhk")]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (location, /, **settings))]
    fn new(py: Python<'_>, location: String, settings: Option<&Bound<'_, PyDict>>) -> PyResult<Engine> {
        let (mut options, read_only) = options(settings)?;
        let wanted = Arc::default();
        note_log_level(py, &wanted)?;
        options.log = Some(Log(Arc::new(forward_log(wanted.clone()))));
        let open = if read_only { engine::Engine::open_read_only } else { engine::Engine::open };
        let opened = detached(py, || open(&location, options))?;
        let shared = Arc::new(Shared::new(opened, location, wanted));
        // The opening thread's reader, so that a child forked by it can read.
        reader::line(&shared).map_err(Raised::from)?;
        Ok(Engine { shared })
    }

    #[pyo3(signature = (name, *, kind = "direct"))]
    fn _create_sector(&self, py: Python<'_>, name: PyBackedStr, kind: &str) -> PyResult<()> {
        note_log_level(py, &self.shared.log_level)?;
        let kind = sector_kind(&name, kind)?;
        detached(py, || self.shared.engine().create_sector(&name, kind))
    }

    #[pyo3(signature = (name, *, kind = "direct"))]
    fn _create_shipped_sector(&self, py: Python<'_>, name: PyBackedStr, kind: &str) -> PyResult<()> {
        note_log_level(py, &self.shared.log_level)?;
        let kind = sector_kind(&name, kind)?;
        detached(py, || self.shared.engine().create_sector_from(&name, kind).map(drop))
    }

    fn conflicts(&self, py: Python<'_>) -> PyResult<Vec<IdentifierConflict>> {
        detached(py, || Ok(self.shared.engine().conflicts()?.iter().map(IdentifierConflict::from).collect()))
    }

    fn sectors(&self, py: Python<'_>) -> PyResult<Vec<SectorInfo>> {
        detached(py, || Ok(self.shared.engine().sectors()?.iter().map(SectorInfo::from).collect()))
    }

    fn dump(&self, py: Python<'_>) -> PyResult<String> {
        detached(py, || self.shared.engine().dump())
    }

    #[pyo3(signature = (json, /))]
    fn _compile_json<'py>(&self, py: Python<'py>, json: PyBackedStr) -> PyResult<Bound<'py, PyBytes>> {
        let image = detached(py, || self.shared.engine().compile_json(&json))?;
        Ok(PyBytes::new(py, &image))
    }

    fn view(&self) -> PyResult<View> {
        View::open(&self.shared)
    }

    #[pyo3(signature = (key, value, outcome = 0, *, subject = 0, detail = 0, time_ns = None))]
    fn observe(
        &self,
        key: &KeyBase,
        value: &Bound<'_, PyAny>,
        outcome: u32,
        subject: u64,
        detail: u64,
        time_ns: Option<u64>,
    ) -> PyResult<bool> {
        key.belongs(&self.shared)?;
        observe::append(&self.shared, Told::new(key, value, outcome, subject, detail, time_ns)?)
    }

    #[pyo3(signature = (max = 65_536))]
    fn drain(&self, py: Python<'_>, max: usize) -> PyResult<Vec<Observation>> {
        let shared = &*self.shared;
        detached(py, || {
            let mut drained = Vec::new();
            shared.engine().drain(max, |reader, observation| drained.push((reader, observation)))?;
            Ok(drained.iter().map(|(reader, observation)| Observation::new(shared, *reader, observation)).collect())
        })
    }

    #[pyo3(signature = (callback, /))]
    fn subscribe(&self, py: Python<'_>, callback: Bound<'_, PyAny>) -> PyResult<Subscription> {
        if !callback.is_callable() {
            return Err(PyTypeError::new_err(format!("{} cannot be called", callback.repr()?)));
        }
        subscribe(py, &self.shared, callback.unbind())
    }

    #[pyo3(signature = (epoch, /))]
    fn changes_since(&self, py: Python<'_>, epoch: u64) -> PyResult<Vec<Change>> {
        detached(py, || Ok(self.shared.engine().changes_since(epoch).into_iter().map(Change::from).collect()))
    }

    fn fileno(&self, py: Python<'_>) -> PyResult<RawFd> {
        detached(py, || self.shared.engine().change_descriptor())
    }

    #[pyo3(signature = (by, /))]
    fn advance_time(&self, py: Python<'_>, by: &Bound<'_, PyAny>) -> PyResult<u64> {
        let by = crate::options::seconds("by", by)?;
        detached(py, || self.shared.engine().advance_time(by))
    }

    #[getter]
    fn version(&self) -> u64 {
        self.shared.engine().version()
    }

    #[pyo3(signature = (took, /))]
    fn report_hot(&self, took: &Bound<'_, PyAny>) -> PyResult<()> {
        self.shared.engine().report_hot(crate::options::seconds("took", took)?);
        Ok(())
    }

    #[getter]
    fn hot_mean(&self) -> f64 {
        self.shared.engine().hot_mean().as_secs_f64()
    }

    fn stats(&self, py: Python<'_>) -> PyResult<Stats> {
        detached(py, || Ok(Stats::from(self.shared.engine().stats())))
    }

    #[getter]
    fn location(&self) -> &str {
        &self.shared.location
    }

    #[getter]
    fn closed(&self) -> bool {
        self.shared.is_closed()
    }

    fn _close(&self, py: Python<'_>) -> PyResult<()> {
        detached(py, || {
            self.shared.close();
            Ok(())
        })
    }

    fn __repr__(&self) -> String {
        let state = if self.shared.is_closed() { ", closed" } else { "" };
        format!("<knhk.Engine on {:?}{state}>", self.shared.location)
    }
}

/// A kind by its name.
fn sector_kind(sector: &str, name: &str) -> PyResult<SectorKind> {
    SectorKind::from_name(name).ok_or_else(|| {
        let message = format!("there is no kind {name:?} of sectors: there are \"direct\" and \"governed\"");
        Raised::from(Error::new(Status::InvalidArgument, "create", sector, message)).into()
    })
}
