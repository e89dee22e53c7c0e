//! How a change becomes current: to a share of decisions first, at a time, of several sectors at once.

use std::ffi::c_char;

use knhk_engine::Status;

use super::govern::governed;
use crate::buffer::Buffer;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;

/// Has a share of the decisions, chosen by the caller's subject at knhk_read_begin_for, read a proposal's candidate.
///
/// `request`: {"proposal", "share", "by", "why"}. `answer`: the canary.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_canary(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "canary", request, answer, err) }
}

/// Ends a canary: its candidate becomes current, or is gone.
///
/// `request`: {"id", "adopt", "by", "why"}. `answer`: the canary.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_stop_canary(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "stop_canary", request, answer, err) }
}

/// Lists the canaries with their counts.
///
/// `request`: {}. `answer`: {"canaries"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_canaries(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "canaries", request, answer, err) }
}

/// Has a proposal become current at a time; it does so after a restart, too.
///
/// `request`: {"proposal", "at": {"moment" or "window", "time_zone"}, "by", "why"}: 2026-11-28T02:00:00Z, or Sat 02:00-04:00. `answer`: the
/// schedule.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_schedule(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "schedule", request, answer, err) }
}

/// Takes a schedule back.
///
/// `request`: {"id", "by", "why"}. `answer`: the schedule.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_unschedule(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "unschedule", request, answer, err) }
}

/// Lists what is scheduled.
///
/// `request`: {}. `answer`: {"schedules"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_schedules(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "schedules", request, answer, err) }
}

/// Lists the promotions whose objectives are watched.
///
/// `request`: {}. `answer`: {"probations"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_probations(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "probations", request, answer, err) }
}

/// Promotes several sectors at once, with one swap: no reader sees a mix, and all of it happens or nothing. Of direct sectors; governed
/// ones are proposed.
///
/// `request`: {"changes", "by", "why", "major"}. `answer`: {"versions"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_promote_together(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "promote_together", request, answer, err) }
}

/// Rolls several sectors back at once.
///
/// `request`: {"sectors": [{"sector", "version"}], "by", "why", "emergency"}; with "emergency" before anything is written, and also where
/// nothing can be. `answer`: {"versions"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_rollback_together(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "rollback_together", request, answer, err) }
}
