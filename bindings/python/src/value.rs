//! Types of values as Python names them, and values as Python objects.

use knhk_engine::{Hold, Reason, ValueType};
use knhk_hot::layout::{Descriptor, Key, RawView, Slot, Tag};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyType};

use crate::error::invalid;

/// The descriptor of the key's sector; `None` for the key of all zeros.
///
/// # Safety
/// The view is open.
#[inline(always)]
unsafe fn descriptor<'v>(view: RawView, key: Key) -> Option<&'v Descriptor> {
    // SAFETY: the root is whole while the view is open, and every key's sector lies in every root.
    key.sector()
        .map(|sector| unsafe { &*(&raw const (*view.root).descriptors).cast::<Descriptor>().add(sector as usize) })
}

/// The tag of the value under `key`. Counts nothing.
///
/// # Safety
/// As [`descriptor`].
#[inline(always)]
unsafe fn tag(view: RawView, key: Key) -> u64 {
    // SAFETY: the limit bounds the slots behind the artifact, which the view keeps.
    unsafe {
        match descriptor(view, key) {
            Some(found) if u64::from(key.slot()) * (size_of::<Slot>() as u64) < found.limit => {
                (*found.artifact.add(key.slot() as usize)).tag
            }
            _ => Tag::Absent as u64,
        }
    }
}

/// Whether there is a value of this type under `key`. Counts nothing.
///
/// # Safety
/// As [`descriptor`].
#[inline(always)]
pub(crate) unsafe fn has(view: RawView, key: Key, wanted: Tag) -> bool {
    // SAFETY: the caller's promise.
    unsafe { tag(view, key) == wanted as u64 }
}

/// The type of the value that a held generation has under `key`, if any.
pub(crate) fn type_of(hold: &Hold, key: Key) -> Option<ValueType> {
    // SAFETY: the hold keeps its view open; the binding takes keys from engines only.
    let tag = unsafe { tag(hold.raw(), key) };
    ALL.into_iter().find(|known| known.tag() as u64 == tag)
}

/// Why a held generation has no value of this type under `key`, or whether the one it has is a declared default. Counts the miss.
pub(crate) fn reason(hold: &Hold, key: Key, wanted: ValueType) -> Reason {
    let found = type_of(hold, key);
    if found != Some(wanted) {
        // The key of all zeros is absent everywhere, and reading it is what counts.
        hold.get_bool(Key::default(), false);
    }
    // SAFETY: as `type_of`.
    let epoch = unsafe { descriptor(hold.raw(), key) }.map(|descriptor| descriptor.epoch);
    match epoch {
        Some(0) => Reason::NotReady,
        _ if found == Some(wanted) => Reason::Present,
        _ if found.is_none() => Reason::Absent,
        _ => Reason::WrongType,
    }
}

const ALL: [ValueType; 12] = [
    ValueType::Bool,
    ValueType::I64,
    ValueType::F64,
    ValueType::Str,
    ValueType::Bytes,
    ValueType::ListBool,
    ValueType::ListI64,
    ValueType::ListF64,
    ValueType::ListStr,
    ValueType::ListBytes,
    ValueType::Map,
    ValueType::Class,
];

/// Whether [`read`] runs no Python code for this type, so that a lock may be held meanwhile.
pub(crate) fn is_plain(value_type: ValueType) -> bool {
    matches!(value_type, ValueType::Bool | ValueType::I64 | ValueType::F64 | ValueType::Str | ValueType::Bytes)
}

/// The value of this type under `key` as a Python object: `None` where there is none, and for maps and classes, which are not values
/// by themselves. May run Python code: building a list may collect garbage.
pub(crate) fn read<'py>(
    py: Python<'py>,
    hold: &Hold,
    key: Key,
    value_type: ValueType,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    // SAFETY: as `type_of`.
    if !unsafe { has(hold.raw(), key, value_type.tag()) } {
        return Ok(None);
    }
    let value = match value_type {
        ValueType::Bool => hold.get_bool(key, false).into_bound_py_any(py)?,
        ValueType::I64 => hold.get_i64(key, 0).into_bound_py_any(py)?,
        ValueType::F64 => hold.get_f64(key, 0.0).into_bound_py_any(py)?,
        ValueType::Str => return hold.str(key).map(|text| text.into_bound_py_any(py)).transpose(),
        ValueType::Bytes => return Ok(hold.bytes(key).map(|bytes| PyBytes::new(py, bytes).into_any())),
        ValueType::ListBool => list(py, hold.list_bool(key))?,
        ValueType::ListI64 => list(py, hold.list_i64(key).map(|list| list.iter().copied()))?,
        ValueType::ListF64 => list(py, hold.list_f64(key).map(|list| list.iter().copied()))?,
        ValueType::ListStr => list(py, hold.list_str(key))?,
        ValueType::ListBytes => list(py, hold.list_bytes(key).map(|list| list.map(|bytes| PyBytes::new(py, bytes))))?,
        _ => return Ok(None),
    };
    Ok(Some(value))
}

fn list<'py, T: IntoPyObject<'py>>(
    py: Python<'py>,
    items: Option<impl ExactSizeIterator<Item = T>>,
) -> PyResult<Bound<'py, PyAny>> {
    let items = items.into_iter().flatten().map(|item| item.into_bound_py_any(py)).collect::<PyResult<Vec<_>>>()?;
    Ok(PyList::new(py, items)?.into_any())
}

/// The type that `key(name, type)` asks for: `int`, `float`, `bool`, `str`, `bytes`, `list[…]` of them, `dict` for a map, or a name as
/// documents use it ("i64", "list<string>", "class").
pub(crate) fn value_type(wanted: &Bound<'_, PyAny>) -> PyResult<ValueType> {
    if let Ok(name) = wanted.cast::<PyString>() {
        let name = name.to_cow()?;
        return name.parse().map_err(|_| unknown(&format!("{name:?}")));
    }
    let py = wanted.py();
    let is = |class: Bound<'_, PyType>| wanted.is(&class);
    let listed = |class: Bound<'_, PyType>| -> PyResult<bool> {
        let (Ok(origin), Ok(items)) = (wanted.getattr("__origin__"), wanted.getattr("__args__")) else {
            return Ok(false);
        };
        Ok(origin.is(py.get_type::<PyList>()) && items.len()? == 1 && items.get_item(0)?.is(&class))
    };
    let scalars = [
        (py.get_type::<PyInt>(), ValueType::I64, ValueType::ListI64),
        (py.get_type::<PyFloat>(), ValueType::F64, ValueType::ListF64),
        (py.get_type::<PyBool>(), ValueType::Bool, ValueType::ListBool),
        (py.get_type::<PyString>(), ValueType::Str, ValueType::ListStr),
        (py.get_type::<PyBytes>(), ValueType::Bytes, ValueType::ListBytes),
    ];
    for (class, scalar, list) in scalars {
        if is(class.clone()) {
            return Ok(scalar);
        }
        if listed(class)? {
            return Ok(list);
        }
    }
    if is(py.get_type::<PyDict>()) {
        return Ok(ValueType::Map);
    }
    Err(unknown(&wanted.repr()?.to_cow()?))
}

fn unknown(what: &str) -> PyErr {
    let message = format!(
        "{what} is no type of values: use int, float, bool, str, bytes, list[int] and the like, dict for a map, or a name such as \
         \"i64\", \"list<string>\" or \"class\""
    );
    invalid("intern", what, message)
}
