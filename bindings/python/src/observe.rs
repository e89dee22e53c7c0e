//! Observations: appended to the calling thread's ring, one cache line each.

use std::sync::Arc;

use knhk_engine::{Hold, ValueType};
use knhk_hot::layout::{Key, RawView, ReaderLine, Tag};
use knhk_hot::raw;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat};

use crate::error::Raised;
use crate::key::KeyBase;
use crate::reader;
use crate::shared::Shared;

/// What a program tells: a record before it is stamped with its generation.
pub(crate) struct Told {
    key: Key,
    tag: Tag,
    bits: u64,
    outcome: u32,
    subject: u64,
    detail: u64,
    time_ns: Option<u64>,
}

impl Told {
    /// A value is recorded as what it is in Python, except that a whole number under a key of doubles is a double.
    pub(crate) fn new(
        key: &KeyBase,
        value: &Bound<'_, PyAny>,
        outcome: u32,
        subject: u64,
        detail: u64,
        time_ns: Option<u64>,
    ) -> PyResult<Told> {
        let (tag, bits) = if let Ok(value) = value.cast::<PyBool>() {
            (Tag::Bool, u64::from(value.is_true()))
        } else if value.is_instance_of::<PyFloat>() || key.value_type == ValueType::F64 {
            (Tag::F64, value.extract::<f64>()?.to_bits())
        } else if let Ok(value) = value.extract::<i64>() {
            (Tag::I64, value as u64)
        } else {
            let class = value.get_type().name()?;
            let message =
                format!("an observation is a bool, a float or an int of 64 bits, not this {class}: {}", value.repr()?);
            return Err(PyTypeError::new_err(message));
        };
        Ok(Told { key: key.raw, tag, bits, outcome, subject, detail, time_ns })
    }

    /// # Safety
    /// The line is the calling thread's, and the view is open.
    unsafe fn append(self, line: *mut ReaderLine, view: RawView) -> bool {
        let Told { key, tag, bits, outcome, subject, detail, time_ns } = self;
        // SAFETY: the caller's promise.
        unsafe { raw::observe(line, view, key, tag as u32, bits, outcome, subject, detail, time_ns) }
    }
}

/// Appends in a view of the newest generation; false, and counted, where the thread's ring is full.
pub(crate) fn append(shared: &Arc<Shared>, told: Told) -> PyResult<bool> {
    // SAFETY: the thread's own line, and its open view.
    Ok(reader::with_view(shared, |line, view| unsafe { told.append(line.as_ptr(), view) }).map_err(Raised::from)?)
}

/// Appends in a held generation.
pub(crate) fn append_in(shared: &Arc<Shared>, hold: &Hold, told: Told) -> PyResult<bool> {
    let line = reader::line(shared).map_err(Raised::from)?;
    // SAFETY: the thread's own line; the hold keeps its view open.
    Ok(unsafe { told.append(line.as_ptr(), hold.raw()) })
}
