//! Errors: what failed, at which stage, on what item, in words to act on.
//!
//! A failing call makes one if it was given a place for it, and the program frees it. A successful call leaves the place alone, and no
//! call reads what is in it.

use std::ffi::{CString, c_char};
use std::ptr;

use knhk_engine::{Error, Status};

use crate::handle::{Kind, free, given};
use crate::report::ReportHandle;
use crate::text::c_string;

/// An error.
pub struct ErrorHandle {
    status: Status,
    message: CString,
    stage: CString,
    item: CString,
    /// What the stages of governance said, as JSON.
    reports: Option<CString>,
    /// Ours to free; NULL where there is none.
    report: *mut ReportHandle,
}

impl Drop for ErrorHandle {
    fn drop(&mut self) {
        // SAFETY: NULL, or what `give` made in `from` and nobody else frees.
        unsafe { free(self.report) }
    }
}

impl Kind for ErrorHandle {
    const NAME: &'static str = "error";
    const MAGIC: u64 = 0x6b6e_686b_6572_7201;
}

impl From<&Error> for ErrorHandle {
    fn from(error: &Error) -> ErrorHandle {
        ErrorHandle {
            status: error.status(),
            message: c_string(error.message()),
            stage: c_string(error.stage()),
            item: c_string(error.item()),
            reports: reports(error),
            report: error.report().map_or(ptr::null_mut(), |report| ReportHandle::give(report.clone())),
        }
    }
}

fn reports(error: &Error) -> Option<CString> {
    if error.reports().is_empty() {
        return None;
    }
    let text = serde_json::to_string(error.reports()).expect("reports have text keys, so they have a form in JSON");
    Some(c_string(&text))
}

/// The sentence to show: what was wrong, where, and what to do. "no error" for NULL.
///
/// Returns NUL-terminated UTF-8, never NULL, valid until the error is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_error_message(error: *const ErrorHandle) -> *const c_char {
    // SAFETY: NULL or a live error, as documented.
    unsafe { given(error) }.map_or(c"no error".as_ptr(), |error| error.message.as_ptr())
}

/// The status that the failing call returned. KNHK_OK for NULL.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_error_status(error: *const ErrorHandle) -> Status {
    // SAFETY: NULL or a live error, as documented.
    unsafe { given(error) }.map_or(Status::Ok, |error| error.status)
}

/// The stage in which it happened: "call", "open", "parse", "verify", "compile", "journal", "swap", "intern" and so on.
///
/// Returns NUL-terminated UTF-8, never NULL, "" for NULL, valid until the error is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_error_stage(error: *const ErrorHandle) -> *const c_char {
    // SAFETY: NULL or a live error, as documented.
    unsafe { given(error) }.map_or(c"".as_ptr(), |error| error.stage.as_ptr())
}

/// What it is about: an argument, a sector, a path, a file. "" if nothing in particular, and for NULL.
///
/// Returns NUL-terminated UTF-8, never NULL, valid until the error is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_error_item(error: *const ErrorHandle) -> *const c_char {
    // SAFETY: NULL or a live error, as documented.
    unsafe { given(error) }.map_or(c"".as_ptr(), |error| error.item.as_ptr())
}

/// The report of KNHK_NONCONFORMING: what was broken, result by result. NULL for other errors, and for NULL.
///
/// It belongs to the error, and is valid until that is freed; the program does not free it. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_error_report(error: *const ErrorHandle) -> *const ReportHandle {
    // SAFETY: NULL or a live error, as documented.
    unsafe { given(error) }.map_or(ptr::null(), |error| error.report.cast_const())
}

/// The reports of KNHK_NOT_ADMITTED and KNHK_WAITING: what each stage said of the change, as a JSON array. NULL for other errors, and for
/// NULL.
///
/// Returns NUL-terminated UTF-8, valid until the error is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_error_reports(error: *const ErrorHandle) -> *const c_char {
    // SAFETY: NULL or a live error, as documented.
    unsafe { given(error) }.and_then(|error| error.reports.as_ref()).map_or(ptr::null(), |reports| reports.as_ptr())
}

/// Frees an error. NULL does nothing.
///
/// Any thread; its texts may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_error_free(error: *mut ErrorHandle) {
    // SAFETY: NULL or a live error, as documented.
    unsafe { free(error) }
}

/// Hands an error to the program, if it wants one.
///
/// # Safety
/// `place` is NULL or writable.
pub(crate) unsafe fn hand_out(error: &Error, place: *mut *mut ErrorHandle) {
    if !place.is_null() {
        // SAFETY: the caller's promise.
        unsafe { ptr::write(place, crate::handle::give(ErrorHandle::from(error))) }
    }
}
