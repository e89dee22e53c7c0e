//! `Key`, the type whose instances are called on the hot path.
//!
//! PyO3's classes are called through `tp_call`, which takes a tuple and costs as much again as the rest of the read. `Key` is
//! therefore a subtype of [`KeyBase`] made by hand: its instances end in a pointer to a function that is called by the vectorcall
//! protocol (PEP 590), one for each type of value. Whatever is not the plain case goes on to [`KeyBase::call`].
//!
//! The protocol and its flag have been the same since Python 3.9; the limited API names them from 3.12 on, which is why the
//! flag's value stands here. A NULL pointer makes the interpreter fall back to `tp_call`.

use std::ffi::{c_int, c_uint, c_void};
use std::mem::transmute;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use knhk_engine::ValueType;
use knhk_hot::layout::Tag;
use knhk_hot::raw;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use crate::key::KeyBase;
use crate::{reader, value};

/// `Py_TPFLAGS_HAVE_VECTORCALL`.
const HAVE_VECTORCALL: u64 = 1 << 11;

/// `PY_VECTORCALL_ARGUMENTS_OFFSET`: the top bit of the number of arguments.
const ARGUMENTS_OFFSET: usize = 1 << (usize::BITS - 1);

const DOC: &std::ffi::CStr = c"A name of a sector, interned with its type. Calling it reads the current value.";

/// What instances need at their birth.
struct Base {
    new: ffi::newfunc,
    /// Where the function pointer lies in an instance.
    offset: isize,
}

static BASE: OnceLock<Base> = OnceLock::new();

/// Makes the type.
pub(crate) fn key_type(py: Python<'_>) -> PyResult<Bound<'_, PyType>> {
    let base = py.get_type::<KeyBase>();
    let size: isize = base.getattr("__basicsize__")?.extract()?;
    let offset = (size as usize).next_multiple_of(align_of::<ffi::vectorcallfunc>()) as isize;
    // SAFETY: the base is a heap type; its `tp_new` slot holds a `newfunc` or nothing.
    let new = unsafe { ffi::PyType_GetSlot(base.as_type_ptr(), ffi::Py_tp_new) };
    if new.is_null() {
        return Err(PyRuntimeError::new_err("the base of Key cannot be made"));
    }
    // SAFETY: as above.
    let new = unsafe { transmute::<*mut c_void, ffi::newfunc>(new) };
    let Base { offset, .. } = *BASE.get_or_init(|| Base { new, offset });

    let mut members = [
        ffi::PyMemberDef {
            name: c"__vectorcalloffset__".as_ptr(),
            type_code: ffi::Py_T_PYSSIZET,
            offset,
            flags: ffi::Py_READONLY,
            doc: std::ptr::null(),
        },
        ffi::PyMemberDef::default(),
    ];
    let mut slots = [
        ffi::PyType_Slot { slot: ffi::Py_tp_members, pfunc: members.as_mut_ptr().cast() },
        ffi::PyType_Slot { slot: ffi::Py_tp_new, pfunc: new_key as *mut c_void },
        ffi::PyType_Slot { slot: ffi::Py_tp_doc, pfunc: DOC.as_ptr().cast_mut().cast() },
        ffi::PyType_Slot { slot: 0, pfunc: std::ptr::null_mut() },
    ];
    let mut spec = ffi::PyType_Spec {
        name: c"knhk.Key".as_ptr(),
        basicsize: (offset + size_of::<ffi::vectorcallfunc>() as isize) as c_int,
        itemsize: 0,
        flags: (ffi::Py_TPFLAGS_DEFAULT | HAVE_VECTORCALL) as c_uint,
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the specification is whole; the interpreter copies what it keeps of it, the name and the members included.
    unsafe {
        let made = ffi::PyType_FromSpecWithBases(&mut spec, base.as_ptr());
        Ok(Bound::from_owned_ptr_or_err(py, made)?.cast_into_unchecked())
    }
}

/// `Key.__new__`: the base's, and then the pointer.
unsafe extern "C" fn new_key(class: *mut PyTypeObject, args: *mut PyObject, kwargs: *mut PyObject) -> *mut PyObject {
    let Some(base) = BASE.get() else { return std::ptr::null_mut() };
    // SAFETY: called by the interpreter, attached; `class` is our type, which cannot be subclassed, so instances have our size.
    unsafe {
        let made = (base.new)(class, args, kwargs);
        if !made.is_null() {
            let call: ffi::vectorcallfunc = match key(made).value_type {
                ValueType::I64 => call_i64,
                ValueType::F64 => call_f64,
                ValueType::Bool => call_bool,
                ValueType::Str => call_str,
                _ => call_any,
            };
            made.byte_offset(base.offset).cast::<ffi::vectorcallfunc>().write(call);
        }
        made
    }
}

/// The instance behind `callable`.
///
/// # Safety
/// `callable` is a `Key` that outlives the result; the thread is attached.
#[inline(always)]
unsafe fn key<'k>(callable: *mut PyObject) -> &'k KeyBase {
    // SAFETY: the caller's promise; the class is frozen, so a shared reference is always allowed.
    unsafe {
        let callable = Borrowed::from_ptr(Python::assume_attached(), callable);
        let key: *const KeyBase = callable.cast_unchecked::<KeyBase>().get();
        &*key
    }
}

/// Whether the call is `key()` or `key(default)`.
#[inline(always)]
fn is_plain(nargsf: usize, kwnames: *mut PyObject) -> bool {
    nargsf & !ARGUMENTS_OFFSET <= 1 && kwnames.is_null()
}

macro_rules! call {
    ($(#[$doc:meta])* $name:ident, $read:expr) => {
        $(#[$doc])*
        unsafe extern "C" fn $name(
            callable: *mut PyObject,
            args: *const *mut PyObject,
            nargsf: usize,
            kwnames: *mut PyObject,
        ) -> *mut PyObject {
            // SAFETY: called by the interpreter, attached, with a `Key`. The line is the thread's own; the view is the newest one on
            // it and ends before any Python code can run (making a number or a string runs none); this engine interned the key.
            unsafe {
                let key = key(callable);
                if is_plain(nargsf, kwnames)
                    && let Some(line) = reader::last(key.shared.id)
                {
                    let view = raw::begin(line.as_ptr());
                    let made: Option<*mut PyObject> = $read(view, key.raw);
                    raw::end(line.as_ptr(), view);
                    if let Some(made) = made {
                        return made;
                    }
                }
                call_any(callable, args, nargsf, kwnames)
            }
        }
    };
}

call!(call_i64, |view, key| {
    value::has(view, key, Tag::I64).then(|| ffi::PyLong_FromLongLong(raw::get_i64(view, key, 0)))
});

call!(call_f64, |view, key| {
    value::has(view, key, Tag::F64).then(|| ffi::PyFloat_FromDouble(raw::get_f64(view, key, 0.0)))
});

call!(call_bool, |view, key| {
    value::has(view, key, Tag::Bool).then(|| ffi::PyBool_FromLong(raw::get_bool(view, key, false).into()))
});

call!(call_str, |view, key| {
    let text = value::has(view, key, Tag::Str).then(|| raw::get_str(view, key)).flatten();
    text.map(|(at, len)| ffi::PyUnicode_FromStringAndSize(at.cast(), len as ffi::Py_ssize_t))
});

/// Every other case: other types, no value, a default by name, wrong arguments, the thread's first read of this engine.
unsafe extern "C" fn call_any(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    let call = |py: Python<'_>| {
        // SAFETY: called by the interpreter with a `Key` and arguments after the protocol, all alive during the call.
        let called = unsafe {
            let key = key(callable);
            default(py, args, nargsf, kwnames).and_then(|default| key.call(py, default))
        };
        match called {
            Ok(value) => value.into_ptr(),
            Err(error) => {
                error.restore(py);
                std::ptr::null_mut()
            }
        }
    };
    let guarded = |py: Python<'_>| {
        catch_unwind(AssertUnwindSafe(|| call(py))).unwrap_or_else(|_| {
            PanicException::new_err("a read panicked: a defect of knhk").restore(py);
            std::ptr::null_mut()
        })
    };
    // SAFETY: attached already, also while the interpreter ends, when the checked form would panic.
    unsafe { Python::attach_unchecked(guarded) }
}

/// The one argument that a call may have.
///
/// # Safety
/// As a vectorcall function's arguments.
unsafe fn default<'py>(
    py: Python<'py>,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let positional = nargsf & !ARGUMENTS_OFFSET;
    // SAFETY: NULL or a tuple of strings.
    let names = unsafe { Bound::from_borrowed_ptr_or_opt(py, kwnames) };
    let names = names.map_or_else(|| PyTuple::empty(py), |names| unsafe { names.cast_into_unchecked::<PyTuple>() });
    match (positional, names.len()) {
        (0, 0) => Ok(None),
        // SAFETY: there is one argument, be it by position or by name.
        (1, 0) => Ok(Some(unsafe { Bound::from_borrowed_ptr(py, *args) })),
        (0, 1) if names.get_item(0)?.eq("default")? => Ok(Some(unsafe { Bound::from_borrowed_ptr(py, *args) })),
        (0, 1) => {
            let message = format!("a key takes one argument, default; not {}", names.get_item(0)?.repr()?);
            Err(PyTypeError::new_err(message))
        }
        (positional, named) => Err(PyTypeError::new_err(format!(
            "a key takes at most one argument, default; {} were given",
            positional + named
        ))),
    }
}
