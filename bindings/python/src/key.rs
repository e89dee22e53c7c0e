//! A name of a sector, interned with its type.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use knhk_engine::{Hold, Reason, ValueType};
use knhk_hot::layout::Key;
use knhk_hot::raw;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::error::{Raised, detached, invalid, missing};
use crate::sector::Sector;
use crate::shared::Shared;
use crate::{reader, value};

/// What a key knows. Instances are of the subtype that [`crate::callable`] makes.
#[pyclass(frozen, subclass, module = "knhk._knhk")]
pub struct KeyBase {
    pub(crate) raw: Key,
    pub(crate) value_type: ValueType,
    pub(crate) shared: Arc<Shared>,
    /// "sector/name".
    pub(crate) path: Arc<str>,
}

/// An argument that was given or not: unlike `Option`, it tells `None` given from nothing given.
pub(crate) enum Given<'py> {
    Nothing,
    Value(Bound<'py, PyAny>),
}

impl<'py> FromPyObject<'_, 'py> for Given<'py> {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Given<'py>> {
        Ok(Given::Value(value.to_owned()))
    }
}

impl<'py> Given<'py> {
    pub(crate) fn into_option(self) -> Option<Bound<'py, PyAny>> {
        match self {
            Given::Nothing => None,
            Given::Value(value) => Some(value),
        }
    }
}

/// A value, and the `knhk.Reason` why it is there or not.
pub(crate) type Tried<'py> = (Option<Bound<'py, PyAny>>, Bound<'py, PyAny>);

/// The member of `knhk.Reason`.
fn named(py: Python<'_>, reason: Reason) -> PyResult<Bound<'_, PyAny>> {
    static REASON: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    REASON.import(py, "knhk._enums", "Reason")?.call1((reason as i32,))
}

impl KeyBase {
    /// The value now; without one, the default, or an exception where none was given.
    pub(crate) fn call<'py>(&self, py: Python<'py>, default: Option<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        match (self.hold()?, default) {
            (Some(hold), default) => self.read(py, &hold, default),
            (None, Some(default)) => Ok(default),
            (None, None) => Err(missing(&self.path, Reason::NotReady, true)),
        }
    }

    /// The value in a held generation; without one, the default, or an exception where none was given.
    pub(crate) fn read<'py>(
        &self,
        py: Python<'py>,
        hold: &Hold,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.is_value()?;
        match (value::read(py, hold, self.raw, self.value_type)?, default) {
            (Some(value), _) => Ok(value),
            (None, default) => {
                let reason = value::reason(hold, self.raw, self.value_type);
                default.ok_or_else(|| missing(&self.path, reason, self.shared.is_closed()))
            }
        }
    }

    /// The value in a held generation, and why there is none.
    pub(crate) fn try_read<'py>(&self, py: Python<'py>, hold: &Hold) -> PyResult<Tried<'py>> {
        self.is_value()?;
        let reason = value::reason(hold, self.raw, self.value_type);
        Ok((value::read(py, hold, self.raw, self.value_type)?, named(py, reason)?))
    }

    /// The newest generation; `None` where the engine was closed before this thread read anything.
    pub(crate) fn hold(&self) -> PyResult<Option<Hold>> {
        if self.shared.is_closed() && reader::last(self.shared.id).is_none() && !self.shared.is_forked() {
            return Ok(None);
        }
        Ok(Some(reader::hold(&self.shared).map_err(Raised::from)?))
    }

    /// Refuses a key of another engine, whose offsets would read something else.
    pub(crate) fn belongs(&self, shared: &Arc<Shared>) -> PyResult<()> {
        if self.shared.id == shared.id {
            return Ok(());
        }
        Err(invalid("read", &self.path, format!("the key {} belongs to another engine", self.path)))
    }

    /// Refuses maps and classes, which are no values by themselves.
    fn is_value(&self) -> PyResult<()> {
        match self.value_type {
            ValueType::Map => {
                let message = format!("{} is a map: read an entry by its name, with view.lookup(key, name)", self.path);
                Err(invalid("read", &self.path, message))
            }
            ValueType::Class => {
                let message = format!("{} is a class: ask is_a(ancestor)", self.path);
                Err(invalid("read", &self.path, message))
            }
            _ => Ok(()),
        }
    }
}

/// Whether `value` lies in the range that guards the key; numbers beyond 64 bits lie in none.
pub(crate) fn allows(key: &KeyBase, hold: &Hold, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    match key.value_type {
        ValueType::I64 => match integer(value)? {
            Some(value) => Ok(hold.guard_i64(key.raw, value)),
            None => Ok(false),
        },
        ValueType::F64 => Ok(hold.guard_f64(key.raw, value.extract()?)),
        _ => Err(unguarded(key)),
    }
}

fn unguarded(key: &KeyBase) -> PyErr {
    invalid("read", &key.path, format!("{} is {}: only numbers have a range", key.path, key.value_type))
}

/// An `int`, `None` where it needs more than 64 bits.
fn integer(value: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    match value.extract::<i64>() {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_instance_of::<pyo3::exceptions::PyOverflowError>(value.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

#[pymethods]
impl KeyBase {
    #[new]
    #[pyo3(signature = (sector, name, r#type, /))]
    fn new(py: Python<'_>, sector: &Sector, name: &str, r#type: &Bound<'_, PyAny>) -> PyResult<KeyBase> {
        let value_type = value::value_type(r#type)?;
        let shared = sector.shared.clone();
        let raw = detached(py, || shared.engine().intern(&sector.name, name, value_type))?;
        let path: Arc<str> = format!("{}/{name}", sector.name).into();
        shared.names().insert(raw, path.clone());
        // Now rather than at the first read: a child that is forked from here on can read.
        reader::line(&shared).map_err(Raised::from)?;
        Ok(KeyBase { raw, value_type, shared, path })
    }

    #[pyo3(signature = (default = Given::Nothing))]
    fn __call__<'py>(&self, py: Python<'py>, default: Given<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.call(py, default.into_option())
    }

    fn try_get<'py>(&self, py: Python<'py>) -> PyResult<Tried<'py>> {
        match self.hold()? {
            Some(hold) => self.try_read(py, &hold),
            None => Ok((None, named(py, Reason::NotReady)?)),
        }
    }

    #[pyo3(signature = (value, /))]
    fn allows(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        match self.value_type {
            ValueType::I64 => {
                let Some(value) = integer(value)? else { return Ok(false) };
                // SAFETY: the view is open, and this engine interned the key.
                let check = |_, view| unsafe { raw::guard_i64(view, self.raw, value) };
                Ok(reader::with_view(&self.shared, check).map_err(Raised::from)?)
            }
            ValueType::F64 => {
                let value = value.extract()?;
                // SAFETY: as above.
                let check = |_, view| unsafe { raw::guard_f64(view, self.raw, value) };
                Ok(reader::with_view(&self.shared, check).map_err(Raised::from)?)
            }
            _ => Err(unguarded(self)),
        }
    }

    #[pyo3(signature = (ancestor, /))]
    fn is_a(&self, ancestor: &KeyBase) -> PyResult<bool> {
        ancestor.belongs(&self.shared)?;
        // SAFETY: the view is open, and this engine interned both keys.
        let check = |_, view| unsafe { raw::is_a(view, self.raw, ancestor.raw) };
        Ok(reader::with_view(&self.shared, check).map_err(Raised::from)?)
    }

    #[getter]
    fn path(&self) -> &str {
        &self.path
    }

    #[getter]
    fn sector(&self) -> &str {
        self.path.split_once('/').map_or("", |(sector, _)| sector)
    }

    #[getter]
    fn name(&self) -> &str {
        self.path.split_once('/').map_or("", |(_, name)| name)
    }

    #[getter]
    fn r#type(&self) -> &'static str {
        self.value_type.as_str()
    }

    fn __repr__(&self) -> String {
        format!("<knhk.Key {} ({})>", self.path, self.value_type)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<KeyBase>().is_ok_and(|other| {
            let other = other.get();
            (self.shared.id, self.raw) == (other.shared.id, other.raw)
        })
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.shared.id, self.raw).hash(&mut hasher);
        hasher.finish()
    }

    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(class: &Bound<'py, PyType>, item: &Bound<'py, PyAny>) -> Bound<'py, PyType> {
        _ = item;
        class.clone()
    }

    fn __copy__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "a key belongs to an engine of this process and cannot be pickled: intern it again by its name",
        ))
    }
}
