//! History grown up: merging versions, finding the bad one, who said what, and code from what is current.

use std::ffi::c_char;

use knhk_engine::Status;

use super::govern::governed;
use crate::buffer::Buffer;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;

/// Merges two versions of a sector over their common base.
///
/// `request`: {"sector", "theirs", "ours", "by", "why", "resolve", "propose"}; "resolve" says by item what becomes of conflicts: "ours", "theirs"
/// or {"value"}, and "*" for those that are not named. `answer`: {"sector", "base", "ours", "theirs", "conflicts", "removed",
/// "added", "text", "proposal"}.
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
/// `request`: {"sector", "good", "bad"} to begin; {"state", "version", "trial": "good", "bad" or "skip"} to go on with what the answer
/// gave; with "where", a condition in CEL over `values` that is true of a bad version, all of it at once. `answer`: {"state", "next",
/// "culprit", "text"}.
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
/// `request`: {"sector", "path" or "statement", "version"}. `answer`: {"entries": [{"statement", "path", "change", "or_earlier"}]}.
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

/// Proposes to carry every sector over to the core that this library ships, where it is another one than theirs.
///
/// `request`: {"by", "why"}. `answer`: {"proposal"}, null where nothing is to be done.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_recompose(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "recompose", request, answer, err) }
}
