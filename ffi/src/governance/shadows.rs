//! Shadows: environments beside the current snapshots in which a change is tried.

use std::ffi::c_char;

use knhk_engine::Status;

use super::govern::governed;
use crate::buffer::Buffer;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;

/// Opens a shadow with changes in it.
///
/// `request`: {"changes", "by"}. `answer`: the shadow, with what differs in each sector.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_shadow(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "shadow", request, answer, err) }
}

/// Tests a shadow.
///
/// `request`: {"id", "sector", "tests": [{"name", "severity", "assertion"}]}. `answer`: {"results": [{"sector", "report"}]}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_shadow_test(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "shadow_test", request, answer, err) }
}

/// Lists the shadows that are open.
///
/// `request`: {}. `answer`: {"shadows"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_shadows(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "shadows", request, answer, err) }
}

/// Drops a shadow.
///
/// `request`: {"id"}. `answer`: {"dropped"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_drop_shadow(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "drop_shadow", request, answer, err) }
}
