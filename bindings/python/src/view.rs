//! A view: one generation of all sectors, held for as long as Python code wants.

use std::sync::{Arc, Mutex, PoisonError};

use knhk_engine::{Error, Hold, Reason, Status, ValueType};
use knhk_hot::layout::Key;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::error::{Raised, invalid, missing};
use crate::key::{self, Given, KeyBase, Tried};
use crate::map::Map;
use crate::observe::{self, Told};
use crate::shared::Shared;
use crate::{reader, value};

/// A counted hold, since Python code may keep a view across blocking calls, `await` and threads.
#[pyclass(frozen, module = "knhk")]
pub struct View {
    shared: Arc<Shared>,
    /// `None` once closed. The lock is never held while Python code runs.
    held: Mutex<Option<Hold>>,
}

impl View {
    pub(crate) fn open(shared: &Arc<Shared>) -> PyResult<View> {
        if shared.is_closed() {
            let message = "the engine is closed: there is nothing to view any more";
            return Err(Raised::from(Error::new(Status::Closed, "view", "", message)).into());
        }
        let hold = reader::hold(shared).map_err(Raised::from)?;
        Ok(View { shared: shared.clone(), held: Mutex::new(Some(hold)) })
    }

    /// A view of what is held.
    pub(crate) fn of(shared: &Arc<Shared>, hold: Hold) -> View {
        View { shared: shared.clone(), held: Mutex::new(Some(hold)) }
    }

    /// A reference of its own to the generation, so that closing the view meanwhile, on this thread or another, is harmless.
    pub(crate) fn hold(&self) -> PyResult<Hold> {
        // The lock is let go before the exception is made, which runs Python code.
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        held.ok_or_else(closed)
    }

    /// The value under `key`, where making it runs no Python code: without a reference of its own.
    fn plain<'py>(&self, py: Python<'py>, key: &KeyBase) -> PyResult<Option<Bound<'py, PyAny>>> {
        if !value::is_plain(key.value_type) {
            return Ok(None);
        }
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hold) = held.as_ref() {
            return value::read(py, hold, key.raw, key.value_type);
        }
        drop(held);
        Err(closed())
    }

    fn key<'k>(&self, key: &'k Bound<'_, PyAny>) -> PyResult<&'k KeyBase> {
        let key = key.cast::<KeyBase>().map_err(|_| not_a_key(key))?.get();
        key.belongs(&self.shared)?;
        Ok(key)
    }

    /// What `path` leads to: a value, or a map.
    fn find<'py>(
        slf: &Bound<'py, Self>,
        hold: &Hold,
        path: &Bound<'py, PyString>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let path = path.to_cow()?;
        let Some((sector, name)) = path.split_once('/') else {
            return Err(invalid("read", &path, format!("{path:?} is no path: write \"sector/name\"")));
        };
        let view = slf.get();
        let number = view.shared.sector_number(sector).map_err(Raised::from)?;
        let found = hold.find(number, name).map(|key| at(slf, hold, key, &path)).transpose()?.flatten();
        found.or(default).ok_or_else(|| {
            let ready = hold.sector_epoch(number as usize) != 0;
            missing(&path, if ready { Reason::Absent } else { Reason::NotReady }, false)
        })
    }

    fn read<'py>(
        slf: &Bound<'py, Self>,
        key: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (view, py) = (slf.get(), slf.py());
        if let Ok(path) = key.cast::<PyString>() {
            return View::find(slf, &view.hold()?, path, default);
        }
        let key = view.key(key)?;
        if let Some(value) = view.plain(py, key)? {
            return Ok(value);
        }
        let hold = view.hold()?;
        match key.value_type {
            ValueType::Map => Ok(Map::new(slf, key.raw, &key.path).into_pyobject(py)?.into_any()),
            _ => key.read(py, &hold, default),
        }
    }
}

/// What lies under `key`: a value, a map, or nothing.
pub(crate) fn at<'py>(
    view: &Bound<'py, View>,
    hold: &Hold,
    key: Key,
    path: &str,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = view.py();
    match value::type_of(hold, key) {
        None => Ok(None),
        Some(ValueType::Map) => Ok(Some(Map::new(view, key, path).into_pyobject(py)?.into_any())),
        Some(ValueType::Class) => {
            let message = format!("{path} is a class: intern it as \"class\" and ask is_a(ancestor)");
            Err(invalid("read", path, message))
        }
        Some(value_type) => value::read(py, hold, key, value_type),
    }
}

fn closed() -> PyErr {
    invalid("read", "", "the view is closed: read inside its with block, or open another one")
}

fn not_a_key(key: &Bound<'_, PyAny>) -> PyErr {
    let class = key.get_type().name().map_or_else(|_| "?".into(), |name| name.to_string());
    PyTypeError::new_err(format!("a view is read by a knhk.Key or by a path \"sector/name\", not by a {class}"))
}

#[pymethods]
impl View {
    fn __getitem__<'py>(slf: &Bound<'py, Self>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        View::read(slf, key, None)
    }

    #[pyo3(signature = (key, default = Given::Nothing), text_signature = "($self, key, default=None)")]
    fn get<'py>(slf: &Bound<'py, Self>, key: &Bound<'py, PyAny>, default: Given<'py>) -> PyResult<Bound<'py, PyAny>> {
        let default = default.into_option().unwrap_or_else(|| slf.py().None().into_bound(slf.py()));
        View::read(slf, key, Some(default))
    }

    #[pyo3(signature = (key, /))]
    fn try_get<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Tried<'py>> {
        self.key(key)?.try_read(py, &self.hold()?)
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let hold = self.hold()?;
        if let Ok(path) = key.cast::<PyString>() {
            let path = path.to_cow()?;
            let Some((sector, name)) = path.split_once('/') else { return Ok(false) };
            let Ok(number) = self.shared.sector_number(sector) else { return Ok(false) };
            return Ok(hold.find(number, name).is_some_and(|key| value::type_of(&hold, key).is_some()));
        }
        let key = self.key(key)?;
        Ok(value::type_of(&hold, key.raw) == Some(key.value_type))
    }

    #[pyo3(signature = (map, name, default = Given::Nothing))]
    fn lookup<'py>(
        slf: &Bound<'py, Self>,
        map: &Bound<'py, PyAny>,
        name: &str,
        default: Given<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let key = slf.get().key(map)?;
        if key.value_type != ValueType::Map {
            return Err(invalid("read", &key.path, format!("{} is {}, not a map", key.path, key.value_type)));
        }
        Map::new(slf, key.raw, &key.path).entry(slf.py(), name, default.into_option())
    }

    #[pyo3(signature = (key, value, /))]
    fn allows(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        key::allows(self.key(key)?, &self.hold()?, value)
    }

    #[pyo3(signature = (key, ancestor, /))]
    fn is_a(&self, key: &Bound<'_, PyAny>, ancestor: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.hold()?.is_a(self.key(key)?.raw, self.key(ancestor)?.raw))
    }

    #[pyo3(signature = (key, value, outcome = 0, *, subject = 0, detail = 0, time_ns = None))]
    fn observe(
        &self,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
        outcome: u32,
        subject: u64,
        detail: u64,
        time_ns: Option<u64>,
    ) -> PyResult<bool> {
        let told = Told::new(self.key(key)?, value, outcome, subject, detail, time_ns)?;
        observe::append_in(&self.shared, &self.hold()?, told)
    }

    #[getter]
    fn epoch(&self) -> PyResult<u64> {
        Ok(self.hold()?.epoch())
    }

    #[pyo3(signature = (sector, /))]
    fn snapshot_id(&self, sector: &str) -> PyResult<String> {
        let number = self.shared.sector_number(sector).map_err(Raised::from)?;
        Ok(crate::records::hex(&self.hold()?.snapshot_id(number as usize)))
    }

    #[getter]
    fn closed(&self) -> bool {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn close(&self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(held);
    }

    /// Takes one argument and does nothing: what a call into this module costs.
    #[pyo3(signature = (value, /))]
    fn _empty(&self, value: &Bound<'_, PyAny>) {
        _ = value;
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        drop(slf.get().hold()?);
        Ok(slf)
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, _raised: &Bound<'_, PyTuple>) {
        self.close();
    }

    fn __repr__(&self) -> String {
        match self.hold() {
            Ok(hold) => format!("<knhk.View of generation {}>", hold.epoch()),
            Err(_) => "<knhk.View, closed>".into(),
        }
    }
}
