//! History grown up: merging versions, finding the bad one, who said what, and code from what is current.

use std::ffi::c_char;

use knhk_engine::Status;

use super::govern::governed;
use crate::buffer::Buffer;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;

/// Merges two versions of a sector over their common base.
///
/// `request`: {"sector", "ours", "theirs", "base", "by", "why", "propose", "resolve"}. `answer`: {"conflicts", "removed", "added",
/// "proposal"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_merge(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "merge", request, answer, err) }
}

/// The next version to look at between a good one and a bad one. It keeps nothing: repeat it with one verdict more.
///
/// `request`: {"sector", "good", "bad", "verdicts": [{"version", "good"}], "where"}. `answer`: {"next", "left", "first_bad", "steps"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_bisect(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "bisect", request, answer, err) }
}

/// Which version said a statement, or gave a path its value.
///
/// `request`: {"sector", "path" or "statement", "version"}. `answer`: {"entries"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_blame(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "blame", request, answer, err) }
}

/// Typed keys and their documentation as source text.
///
/// `request`: {"sector", "language": "c", "cpp", "rust", "python" or "typescript", "version"}. `answer`: {"language", "file", "text",
/// "version", "receipt"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_codegen(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "codegen", request, answer, err) }
}
