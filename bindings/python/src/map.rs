//! A map of a view: an object of values, looked up by names known only at run time.

use knhk_engine::Reason;
use knhk_hot::layout::Key;
use pyo3::prelude::*;

use crate::error::missing;
use crate::key::Given;
use crate::view::{View, at};

/// A map, readable while its view is open.
#[pyclass(frozen, module = "knhk")]
pub struct Map {
    view: Py<View>,
    key: Key,
    path: String,
}

impl Map {
    pub(crate) fn new(view: &Bound<'_, View>, key: Key, path: &str) -> Map {
        Map { view: view.clone().unbind(), key, path: path.into() }
    }

    /// The entry called `name`; without one, the default, or an exception where none was given.
    pub(crate) fn entry<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let view = self.view.bind(py);
        let hold = view.get().hold()?;
        let path = || format!("{}/{name}", self.path);
        let found = match hold.lookup(self.key, name) {
            Some(key) => at(view, &hold, key, &path())?,
            None => None,
        };
        found.or(default).ok_or_else(|| missing(&path(), Reason::Absent, false))
    }
}

#[pymethods]
impl Map {
    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        self.entry(py, name, None)
    }

    #[pyo3(signature = (name, default = Given::Nothing), text_signature = "($self, name, default=None)")]
    fn get<'py>(&self, py: Python<'py>, name: &str, default: Given<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.entry(py, name, Some(default.into_option().unwrap_or_else(|| py.None().into_bound(py))))
    }

    fn __contains__(&self, name: &str) -> PyResult<bool> {
        Ok(self.view.get().hold()?.lookup(self.key, name).is_some())
    }

    #[getter]
    fn path(&self) -> &str {
        &self.path
    }

    fn __repr__(&self) -> String {
        format!("<knhk.Map {}>", self.path)
    }
}
