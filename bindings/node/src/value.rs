//! Values of the engine as JavaScript values.

use std::ptr::null_mut;

use knhk_engine::ValueType;
use knhk_hot::layout::{Key, Range, Slot, Tag};
use knhk_hot::{Reason, Snapshot};
use napi::sys;

use crate::scratch::Outcome;

/// The largest integer that a number holds exactly, as all below it.
const MAX_SAFE: u64 = (1 << 53) - 1;

type Js = sys::napi_value;

pub(crate) fn undefined(env: sys::napi_env) -> Js {
    let mut value = null_mut();
    // SAFETY: here and below: the environment's thread with an open handle scope. A call can fail only when the environment is ending;
    // then the value stays NULL, which Node-API takes for undefined.
    unsafe { sys::napi_get_undefined(env, &mut value) };
    value
}

pub(crate) fn text(env: sys::napi_env, text: &str) -> Js {
    let mut value = null_mut();
    // SAFETY: as `undefined`.
    unsafe { sys::napi_create_string_utf8(env, text.as_ptr().cast(), text.len() as isize, &mut value) };
    value
}

pub(crate) fn number(env: sys::napi_env, number: f64) -> Js {
    let mut value = null_mut();
    // SAFETY: as `undefined`.
    unsafe { sys::napi_create_double(env, number, &mut value) };
    value
}

pub(crate) fn boolean(env: sys::napi_env, boolean: bool) -> Js {
    let mut value = null_mut();
    // SAFETY: as `undefined`.
    unsafe { sys::napi_get_boolean(env, boolean, &mut value) };
    value
}

pub(crate) fn bytes(env: sys::napi_env, bytes: &[u8]) -> Js {
    let (mut data, mut buffer, mut value) = (null_mut(), null_mut(), null_mut());
    // SAFETY: as `undefined`; the new buffer has room for the bytes.
    unsafe {
        if sys::napi_create_arraybuffer(env, bytes.len(), &mut data, &mut buffer) != sys::Status::napi_ok {
            return undefined(env);
        }
        if !bytes.is_empty() {
            data.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
        let kind = sys::TypedarrayType::uint8_array;
        sys::napi_create_typedarray(env, kind, bytes.len(), buffer, 0, &mut value);
    }
    value
}

pub(crate) fn bigint(env: sys::napi_env, integer: i64) -> Js {
    let mut value = null_mut();
    // SAFETY: as `undefined`.
    unsafe { sys::napi_create_bigint_int64(env, integer, &mut value) };
    value
}

/// An integer as a number, if that is exact.
fn integer(env: sys::napi_env, integer: i64) -> Option<Js> {
    let mut value = null_mut();
    // SAFETY: as `undefined`.
    (integer.unsigned_abs() <= MAX_SAFE).then(|| unsafe {
        sys::napi_create_int64(env, integer, &mut value);
        value
    })
}

pub(crate) fn list(env: sys::napi_env, elements: impl ExactSizeIterator<Item = Js>) -> Js {
    let mut array = null_mut();
    // SAFETY: as `undefined`.
    unsafe {
        sys::napi_create_array_with_length(env, elements.len(), &mut array);
        for (index, element) in elements.enumerate() {
            sys::napi_set_element(env, array, index as u32, element);
        }
    }
    array
}

/// Runs `work` with handles of its own.
pub(crate) fn scoped(env: sys::napi_env, work: impl FnOnce()) {
    let mut scope = null_mut();
    // SAFETY: as `undefined`; opened and closed in order.
    unsafe {
        if sys::napi_open_handle_scope(env, &mut scope) == sys::Status::napi_ok {
            work();
            sys::napi_close_handle_scope(env, scope);
        }
    }
}

/// What lies under a key in this generation.
pub(crate) fn tag(snapshot: &Snapshot, key: Key) -> u64 {
    let Some(sector) = key.sector() else { return Tag::Absent as u64 };
    // SAFETY: the snapshot keeps its root; a key's sector is below the capacity, and the limit bounds the slots behind the artifact.
    unsafe {
        let descriptor = &(&(*snapshot.raw().root).descriptors)[sector as usize];
        let offset = key.slot() as usize * size_of::<Slot>();
        if offset as u64 >= descriptor.limit { Tag::Absent as u64 } else { (*descriptor.artifact.byte_add(offset)).tag }
    }
}

/// The guard range of an i64 or f64 in this generation, as numbers.
pub(crate) fn range(snapshot: &Snapshot, key: Key, value_type: ValueType) -> Option<[f64; 2]> {
    let sector = key.sector().filter(|_| type_of(tag(snapshot, key)) == Some(value_type))?;
    // SAFETY: there is such a slot, and the range of slot i lies mirrored at 16 * (i + 1) before the artifact's address.
    let range = unsafe {
        let descriptor = &(&(*snapshot.raw().root).descriptors)[sector as usize];
        *descriptor.artifact.cast::<Range>().sub(key.slot() as usize + 1)
    };
    match value_type {
        ValueType::I64 => Some([range.low, range.high].map(|bound| bound.cast_signed() as f64)),
        ValueType::F64 => Some([range.low, range.high].map(f64::from_bits)),
        _ => None,
    }
}

/// The type of what lies under a tag; `None` where there is nothing.
pub(crate) fn type_of(tag: u64) -> Option<ValueType> {
    const TYPES: [(Tag, ValueType); 12] = [
        (Tag::Bool, ValueType::Bool),
        (Tag::I64, ValueType::I64),
        (Tag::F64, ValueType::F64),
        (Tag::Str, ValueType::Str),
        (Tag::Bytes, ValueType::Bytes),
        (Tag::ListBool, ValueType::ListBool),
        (Tag::ListI64, ValueType::ListI64),
        (Tag::ListF64, ValueType::ListF64),
        (Tag::ListStr, ValueType::ListStr),
        (Tag::ListBytes, ValueType::ListBytes),
        (Tag::Map, ValueType::Map),
        (Tag::Class, ValueType::Class),
    ];
    TYPES.into_iter().find(|(known, _)| *known as u64 == tag).map(|(_, value_type)| value_type)
}

/// Reads a value of a type; as BigInts where integers are concerned and `big` is set.
pub(crate) fn read(
    env: sys::napi_env,
    snapshot: &Snapshot,
    key: Key,
    value_type: ValueType,
    big: bool,
) -> (Option<Js>, Outcome) {
    if type_of(tag(snapshot, key)) != Some(value_type) {
        // Counted, and explained, by the engine: no value of another type is read.
        let (_, reason) = snapshot.try_i64(key, 0);
        let reason = match reason {
            Reason::NotReady => Outcome::NotReady,
            Reason::Present | Reason::WrongType => Outcome::WrongType,
            Reason::Absent => Outcome::Absent,
        };
        return (None, reason);
    }
    let promoted = key.sector().is_some_and(|sector| snapshot.sector_epoch(sector as usize) != 0);
    let reason = if promoted { Outcome::Present } else { Outcome::NotReady };
    let value = match value_type {
        ValueType::Bool => Some(boolean(env, snapshot.get_bool(key, false))),
        ValueType::I64 if big => Some(bigint(env, snapshot.get_i64(key, 0))),
        ValueType::I64 => match integer(env, snapshot.get_i64(key, 0)) {
            Some(value) => Some(value),
            None => return (None, Outcome::Inexact),
        },
        ValueType::F64 => Some(number(env, snapshot.get_f64(key, 0.0))),
        ValueType::Str => snapshot.str(key).map(|found| text(env, found)),
        ValueType::Bytes => snapshot.bytes(key).map(|found| bytes(env, found)),
        ValueType::ListBool => snapshot.list_bool(key).map(|found| list(env, found.map(|b| boolean(env, b)))),
        ValueType::ListI64 if big => {
            snapshot.list_i64(key).map(|found| list(env, found.iter().map(|&i| bigint(env, i))))
        }
        ValueType::ListI64 => match snapshot.list_i64(key) {
            Some(found) if found.iter().any(|i| i.unsigned_abs() > MAX_SAFE) => return (None, Outcome::Inexact),
            found => found
                .map(|found| list(env, found.iter().filter_map(|&i| integer(env, i)).collect::<Vec<_>>().into_iter())),
        },
        ValueType::ListF64 => snapshot.list_f64(key).map(|found| list(env, found.iter().map(|&f| number(env, f)))),
        ValueType::ListStr => snapshot.list_str(key).map(|found| list(env, found.map(|s| text(env, s)))),
        ValueType::ListBytes => snapshot.list_bytes(key).map(|found| list(env, found.map(|b| bytes(env, b)))),
        // Their content is asked for by name.
        ValueType::Map | ValueType::Class => Some(undefined(env)),
        // A type of a newer engine, which `type_of` does not know.
        _ => return (None, Outcome::WrongType),
    };
    (value, reason)
}
