//! Proposals: changes on their way through the seven stages, and what each said of them.

use std::ffi::c_char;

use knhk_engine::Status;

use super::govern::governed;
use crate::buffer::Buffer;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;

/// Files a proposal, runs it through the stages, and makes it current once nothing speaks against it and nothing is missing. Whoever asks
/// is no approver.
///
/// `request`: {"changes": [{"sector", "content"}], "by", "why", "major", "confidence", "at_ns", "enact"}. `answer`: the proposal; one that
/// a stage refused is filed as "refused", with its reports, and is no error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_propose(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "propose", request, answer, err) }
}

/// Runs a change through the stages without filing it: what would become of it.
///
/// `request`: as knhk_propose. `answer`: {"reports", "text"}, the text for people.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_check(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "check", request, answer, err) }
}

/// Lists proposals, the newest first.
///
/// `request`: {"sector", "open", "before", "limit"}, each of which may be left out. `answer`: {"proposals"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_proposals(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "proposals", request, answer, err) }
}

/// Looks a proposal up.
///
/// `request`: {"id"}. `answer`: the proposal.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_proposal(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "proposal", request, answer, err) }
}

/// Runs a proposal again and makes it current.
///
/// `request`: {"id", "by"}. `answer`: the proposal. KNHK_NOT_ADMITTED where a stage refuses it, KNHK_WAITING where something is missing:
/// knhk_error_reports has the reports.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_enact(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "enact", request, answer, err) }
}

/// Takes a proposal back.
///
/// `request`: {"id", "by", "why"}. `answer`: the proposal.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_withdraw(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "withdraw", request, answer, err) }
}
