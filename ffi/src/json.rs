//! What an answer says, place by place: every request of governance and of the loop is answered with JSON, and these functions read it, so
//! that a program needs no parser.
//!
//!    const char *state;
//!    size_t len;
//!    knhk_json_text(proposal, "/state", &state, &len, &err);                       // "refused"
//!    knhk_json_text(proposal, "/reports/0/stages/1/findings/0/what", &what, &len, &err);
//!
//! A place is written as a JSON pointer (RFC 6901): "" is the whole, "/reports/0" the first element of "reports"; in a member's name "~1"
//! stands for "/" and "~0" for "~". Any thread, several at once.

use std::ffi::c_char;
use std::ptr;

use knhk_engine::{Error, Status};
use serde_json::Value;

use crate::buffer::{Buffer, filled};
use crate::call::call;
use crate::error::ErrorHandle;
use crate::handle::{give, required};
use crate::text::{bytes, null, output, text};

/// There is nothing at the place.
pub const KNHK_JSON_ABSENT: u32 = 0;
/// null.
pub const KNHK_JSON_NULL: u32 = 1;
/// true or false.
pub const KNHK_JSON_BOOL: u32 = 2;
/// A number.
pub const KNHK_JSON_NUMBER: u32 = 3;
/// A text.
pub const KNHK_JSON_TEXT: u32 = 4;
/// A list.
pub const KNHK_JSON_LIST: u32 = 5;
/// An object.
pub const KNHK_JSON_OBJECT: u32 = 6;

fn kind(value: Option<&Value>) -> u32 {
    match value {
        None => KNHK_JSON_ABSENT,
        Some(Value::Null) => KNHK_JSON_NULL,
        Some(Value::Bool(_)) => KNHK_JSON_BOOL,
        Some(Value::Number(_)) => KNHK_JSON_NUMBER,
        Some(Value::String(_)) => KNHK_JSON_TEXT,
        Some(Value::Array(_)) => KNHK_JSON_LIST,
        Some(Value::Object(_)) => KNHK_JSON_OBJECT,
    }
}

/// What stands at a place; none: nothing.
///
/// # Safety
/// As the exports document it.
unsafe fn at<'a>(json: *const Buffer, place: *const c_char) -> Result<(Option<&'a Value>, &'a str), Error> {
    // SAFETY: the caller's promise.
    let (whole, place) = unsafe { (required(json)?.json()?, text(place, "place")?) };
    if !place.is_empty() && !place.starts_with('/') {
        let message =
            format!("{place:?} is no place: it is empty for the whole, or begins with \"/\", such as /{place}");
        return Err(Error::new(Status::InvalidArgument, "call", "place", message));
    }
    Ok((whole.pointer(place), place))
}

/// Writes what `of` makes of the value at a place. It makes nothing of a value of another type than the one that is `wanted`.
///
/// # Safety
/// As the exports document it; `to` is NULL or writable.
unsafe fn read<'a, T>(
    json: *const Buffer,
    place: *const c_char,
    wanted: &str,
    to: *mut T,
    err: *mut *mut ErrorHandle,
    of: impl FnOnce(&'a Value) -> Option<T>,
) -> Status {
    let body = || {
        let to = output(to, "value")?;
        // SAFETY: the caller's promise.
        let (found, place) = unsafe { at(json, place)? };
        let found = found.ok_or_else(|| {
            let message = format!("there is nothing at {place:?}: knhk_json_kind tells what is there");
            Error::new(Status::NotFound, "call", place, message)
        })?;
        let value = of(found).ok_or_else(|| {
            let message = format!("what stands at {place:?} is not {wanted}: knhk_json_kind tells what it is");
            Error::new(Status::WrongType, "call", place, message)
        })?;
        // SAFETY: the caller's promise.
        unsafe { ptr::write(to, value) };
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { call(err, body) }
}

/// Takes JSON that came otherwise than as an answer, to be read like one: what knhk_error_reports gives, what a function is asked.
///
/// `text`, `len`: the JSON, UTF-8. `json`: receives it; knhk_buffer_free frees it. Returns KNHK_OK, or KNHK_INVALID_ARGUMENT for what is no
/// JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_json_parse(
    text: *const c_char,
    len: usize,
    json: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let to = output(json, "json")?;
        // SAFETY: as documented.
        let contents = unsafe { bytes(text.cast(), len, "text")? };
        let parsed = Buffer::of(contents);
        parsed.json()?;
        // SAFETY: as documented.
        unsafe { ptr::write(to, give(parsed)) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// What kind of value stands at a place.
///
/// `json`: an answer. `place`: as this section's comment has it. `kind`: receives KNHK_JSON_ABSENT, which is no error, up to
/// KNHK_JSON_OBJECT. Returns KNHK_OK; KNHK_INVALID_ARGUMENT for a buffer that is no JSON and for what is no place.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_json_kind(
    json: *const Buffer,
    place: *const c_char,
    kind: *mut u32,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let to = output(kind, "kind")?;
        // SAFETY: as documented.
        let (found, _) = unsafe { at(json, place)? };
        // SAFETY: as documented.
        unsafe { ptr::write(to, self::kind(found)) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// How many elements the list, or members the object, at a place has.
///
/// `count`: receives it. Returns KNHK_OK; KNHK_NOT_FOUND where nothing stands there; KNHK_WRONG_TYPE for something else; else as
/// knhk_json_kind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_json_count(
    json: *const Buffer,
    place: *const c_char,
    count: *mut usize,
    err: *mut *mut ErrorHandle,
) -> Status {
    let of = |value: &Value| match value {
        Value::Array(list) => Some(list.len()),
        Value::Object(members) => Some(members.len()),
        _ => None,
    };
    // SAFETY: as documented.
    unsafe { read(json, place, "a list or an object", count, err, of) }
}

/// The text at a place, UTF-8.
///
/// `at`: receives where it begins; no NUL follows it. `len`: receives its length in bytes. Both are valid until `json` is freed. Returns as
/// knhk_json_count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_json_text(
    json: *const Buffer,
    place: *const c_char,
    at: *mut *const c_char,
    len: *mut usize,
    err: *mut *mut ErrorHandle,
) -> Status {
    if at.is_null() || len.is_null() {
        let missing = if at.is_null() { "at" } else { "len" };
        // SAFETY: as documented.
        return unsafe { call(err, || Err(null(missing))) };
    }
    let mut found: &str = "";
    // SAFETY: as documented; `found` is writable.
    let status = unsafe { read(json, place, "a text", &mut found, err, Value::as_str) };
    if status == Status::Ok {
        // SAFETY: as documented; neither is NULL.
        unsafe {
            ptr::write(at, found.as_ptr().cast());
            ptr::write(len, found.len());
        }
    }
    status
}

/// The truth at a place.
///
/// `value`: receives it. Returns as knhk_json_count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_json_bool(
    json: *const Buffer,
    place: *const c_char,
    value: *mut bool,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { read(json, place, "true or false", value, err, Value::as_bool) }
}

/// The whole number at a place.
///
/// `value`: receives it. Returns as knhk_json_count; KNHK_WRONG_TYPE also for a number with a fraction, and for one outside the range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_json_i64(
    json: *const Buffer,
    place: *const c_char,
    value: *mut i64,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { read(json, place, "a whole number of 64 bits with a sign", value, err, Value::as_i64) }
}

/// The whole number at a place that is not negative: versions, counts, moments in nanoseconds since 1970 (UTC), durations in nanoseconds.
///
/// As knhk_json_i64.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_json_u64(
    json: *const Buffer,
    place: *const c_char,
    value: *mut u64,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { read(json, place, "a whole number of 64 bits without a sign", value, err, Value::as_u64) }
}

/// The number at a place.
///
/// `value`: receives it, rounded to the nearest double. Returns as knhk_json_count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_json_f64(
    json: *const Buffer,
    place: *const c_char,
    value: *mut f64,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { read(json, place, "a number", value, err, Value::as_f64) }
}

/// What stands at a place, as JSON of its own: the evidence of a stage, what is to be kept of an answer.
///
/// `part`: receives it; knhk_buffer_free frees it. Returns as knhk_json_count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_json_part(
    json: *const Buffer,
    place: *const c_char,
    part: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { read(json, place, "JSON", part, err, |value| Some(filled(value.to_string()))) }
}
