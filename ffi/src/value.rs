//! Typed reads from a view: two dependent loads, a bounds check and a check of the type.
//!
//! Inline, as views are. Where the snapshot has no value of the type under the key, a read returns the fallback that the caller
//! chose (or NULL), and counts in knhk_stats_t.cold_reads; the try forms also say why. Keys are of the same engine as the view: one of
//! another engine reads as absent, or as what that place holds here, never out of bounds. Async-signal-safe.

use knhk_hot::Reason;
use knhk_hot::layout::{Key, RawView, Span};
use knhk_hot::raw;

use crate::read::descriptor;

/// Text.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    data: *const u8,
    len: usize,
}

/// Bytes, or a list whose elements follow each other.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Run<T> {
    data: *const T,
    len: usize,
}

/// A list of strings or of byte strings.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Spans {
    base: *const u8,
    spans: *const Span,
    len: usize,
}

/// A value, and why it is what was asked for or not.
#[repr(C)]
pub struct Try<T> {
    value: T,
    reason: Reason,
}

/// Bytes.
pub type Bytes = Run<u8>;
/// A list of booleans, a byte of 0 or 1 each.
pub type ListBool = Run<u8>;
/// A list of integers.
pub type ListI64 = Run<i64>;
/// A list of doubles.
pub type ListF64 = Run<f64>;
/// An integer with the reason.
pub type TryI64 = Try<i64>;
/// A double with the reason.
pub type TryF64 = Try<f64>;
/// A boolean with the reason.
pub type TryBool = Try<bool>;
/// Text with the reason.
pub type TryStr = Try<Str>;
/// Bytes with the reason.
pub type TryBytes = Try<Run<u8>>;

impl<T> From<(T, Reason)> for Try<T> {
    fn from((value, reason): (T, Reason)) -> Try<T> {
        Try { value, reason }
    }
}

fn string(found: Option<(*const u8, usize)>) -> Str {
    let Run { data, len } = run(found);
    Str { data, len }
}

fn run<T>(found: Option<(*const T, usize)>) -> Run<T> {
    let (data, len) = found.unwrap_or((std::ptr::null(), 0));
    Run { data, len }
}

/// The integer under a key, or `fallback`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_get_i64(view: RawView, key: Key, fallback: i64) -> i64 {
    // SAFETY: the view is open and the key an engine's, as documented.
    unsafe { raw::get_i64(view, key, fallback) }
}

/// The double under a key, or `fallback`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_get_f64(view: RawView, key: Key, fallback: f64) -> f64 {
    // SAFETY: the view is open and the key an engine's, as documented.
    unsafe { raw::get_f64(view, key, fallback) }
}

/// The boolean under a key, or `fallback`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_get_bool(view: RawView, key: Key, fallback: bool) -> bool {
    // SAFETY: the view is open and the key an engine's, as documented.
    unsafe { raw::get_bool(view, key, fallback) }
}

/// The text under a key, NUL-terminated UTF-8, valid until the view ends; {NULL, 0} where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_get_str(view: RawView, key: Key) -> Str {
    // SAFETY: the view is open and the key an engine's, as documented.
    string(unsafe { raw::get_str(view, key) })
}

/// The bytes under a key, valid until the view ends; {NULL, 0} where there are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_get_bytes(view: RawView, key: Key) -> Bytes {
    // SAFETY: the view is open and the key an engine's, as documented.
    run(unsafe { raw::get_bytes(view, key) })
}

/// The integer under a key, or `fallback`, and the reason. A declared default comes with KNHK_READ_NOT_READY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_try_get_i64(view: RawView, key: Key, fallback: i64) -> TryI64 {
    // SAFETY: the view is open and the key an engine's, as documented.
    unsafe { raw::try_i64(view, key, fallback) }.into()
}

/// The double under a key, or `fallback`, and the reason. A declared default comes with KNHK_READ_NOT_READY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_try_get_f64(view: RawView, key: Key, fallback: f64) -> TryF64 {
    // SAFETY: the view is open and the key an engine's, as documented.
    unsafe { raw::try_f64(view, key, fallback) }.into()
}

/// The boolean under a key, or `fallback`, and the reason. A declared default comes with KNHK_READ_NOT_READY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_try_get_bool(view: RawView, key: Key, fallback: bool) -> TryBool {
    // SAFETY: the view is open and the key an engine's, as documented.
    unsafe { raw::try_bool(view, key, fallback) }.into()
}

/// The text under a key and the reason; as knhk_get_str.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_try_get_str(view: RawView, key: Key) -> TryStr {
    // SAFETY: the view is open and the key an engine's, as documented.
    let (found, reason) = unsafe { raw::try_str(view, key) };
    Try { value: string(found), reason }
}

/// The bytes under a key and the reason; as knhk_get_bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_try_get_bytes(view: RawView, key: Key) -> TryBytes {
    // SAFETY: the view is open and the key an engine's, as documented.
    let (found, reason) = unsafe { raw::try_bytes(view, key) };
    Try { value: run(found), reason }
}

/// The list of booleans under a key, a byte of 0 or 1 each, valid until the view ends; {NULL, 0} where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_get_list_bool(view: RawView, key: Key) -> ListBool {
    // SAFETY: the view is open and the key an engine's, as documented.
    run(unsafe { raw::list_bool(view, key) })
}

/// The list of integers under a key, valid until the view ends; {NULL, 0} where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_get_list_i64(view: RawView, key: Key) -> ListI64 {
    // SAFETY: the view is open and the key an engine's, as documented.
    run(unsafe { raw::list_i64(view, key) })
}

/// The list of doubles under a key, valid until the view ends; {NULL, 0} where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_get_list_f64(view: RawView, key: Key) -> ListF64 {
    // SAFETY: the view is open and the key an engine's, as documented.
    run(unsafe { raw::list_f64(view, key) })
}

/// The list of strings under a key, valid until the view ends: see knhk_list_str_at. `spans` is NULL where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_get_list_str(view: RawView, key: Key) -> Spans {
    // SAFETY: the view is open and the key an engine's, as documented.
    unsafe { spans(view, key, raw::list_str(view, key)) }
}

/// The list of byte strings under a key, valid until the view ends: see knhk_list_bytes_at. `spans` is NULL where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_get_list_bytes(view: RawView, key: Key) -> Spans {
    // SAFETY: the view is open and the key an engine's, as documented.
    unsafe { spans(view, key, raw::list_bytes(view, key)) }
}

/// A string of a list, NUL-terminated; {NULL, 0} beyond its end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_list_str_at(list: Spans, index: usize) -> Str {
    // SAFETY: as documented.
    string(unsafe { element(list, index) })
}

/// A byte string of a list; {NULL, 0} beyond its end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_list_bytes_at(list: Spans, index: usize) -> Bytes {
    // SAFETY: as documented.
    run(unsafe { element(list, index) })
}

/// Whether `value` lies in the range that the document gives the integer under a key; false, and counted, where there is no integer.
/// Where the document gives no range, every value does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_guard_i64(view: RawView, key: Key, value: i64) -> bool {
    // SAFETY: the view is open and the key an engine's, as documented.
    unsafe { raw::guard_i64(view, key, value) }
}

/// Whether `value` lies in the range that the document gives the double under a key; false, and counted, where there is no double, and
/// false for a NaN.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_guard_f64(view: RawView, key: Key, value: f64) -> bool {
    // SAFETY: the view is open and the key an engine's, as documented.
    unsafe { raw::guard_f64(view, key, value) }
}

/// Whether the class under `cls` is the one under `ancestor` or descends from it: one bit. Both are keys of one sector; false, and counted,
/// where one of them is no class.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_is_a(view: RawView, cls: Key, ancestor: Key) -> bool {
    // SAFETY: the view is open and the keys an engine's, as documented.
    unsafe { raw::is_a(view, cls, ancestor) }
}

unsafe fn spans(view: RawView, key: Key, found: Option<(*const Span, usize)>) -> Spans {
    // SAFETY: the caller's promise.
    match found.zip(unsafe { descriptor(view, key) }) {
        None => Spans { base: std::ptr::null(), spans: std::ptr::null(), len: 0 },
        // SAFETY: as above.
        Some(((spans, len), at)) => Spans { base: unsafe { (*at).artifact }.cast(), spans, len },
    }
}

unsafe fn element(list: Spans, index: usize) -> Option<(*const u8, usize)> {
    (index < list.len).then(|| {
        // SAFETY: the index is checked, and the verifier checked the spans.
        let span = unsafe { *list.spans.add(index) };
        (list.base.wrapping_add(span.offset as usize), span.len as usize)
    })
}
