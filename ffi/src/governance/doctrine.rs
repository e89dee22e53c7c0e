//! Doctrine: an organisation's rules for changes, with the time in which each holds and the time at which it was decided.

use std::ffi::c_char;

use knhk_engine::Status;

use super::govern::governed;
use crate::buffer::Buffer;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;

/// Adds rules, or replaces those of the same ids. A rule that contradicts another is refused, and both are named.
///
/// `request`: {"rule" or "toml", "by", "why"}. `answer`: {"rules"}: their revisions.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_add_rule(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "add_rule", request, answer, err) }
}

/// Removes a rule; its history stays.
///
/// `request`: {"id", "by", "why"}. `answer`: {"rule"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_remove_rule(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "remove_rule", request, answer, err) }
}

/// The rules in force, now or as of a moment.
///
/// `request`: {"sector", "valid_ns", "decided_ns"}: in force at, as known at. `answer`: {"rules", "hash"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_rules(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "rules", request, answer, err) }
}

/// Every revision of the rules.
///
/// `request`: {"id"}. `answer`: {"revisions"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_doctrine_log(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "doctrine_log", request, answer, err) }
}

/// Brings back the rules as they were known at a moment, as new revisions.
///
/// `request`: {"to_ns", "by", "why"}. `answer`: {"revisions"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_rollback_doctrine(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "rollback_doctrine", request, answer, err) }
}

/// Removes the rules whose time is over.
///
/// `request`: {}. `answer`: {"revisions"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_clean_up_doctrine(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "clean_up_doctrine", request, answer, err) }
}

/// Lists the rules that changes broke: who, when, which rule.
///
/// `request`: {"sector"}. `answer`: {"violations"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_violations(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "violations", request, answer, err) }
}
