//! Approvals, relaxations, guards, and who may approve: each approval is signed by the approver's own key.

use std::ffi::c_char;

use knhk_engine::Status;

use super::govern::governed;
use crate::buffer::Buffer;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;

/// Makes what an approver signs.
///
/// `request`: {"kind": "proposal", "relaxation", "approvers" or "guards", "id", "by"}. `answer`: {"payload", "text"}: base64, and what is
/// signed, for people.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_approval_request(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "approval_request", request, answer, err) }
}

/// Takes an approval: verifies it, records it, and carries on with what waited for it.
///
/// `request`: {"approval"}: base64 of knhk_sign_approval's COSE_Sign. `answer`: {"proposal"}, {"relaxation"} or {"change"}, whatever was
/// approved.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_approve(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "approve", request, answer, err) }
}

/// Asks for a relaxation of a guard. It is in force once enough approvers signed it and its review time is over, and until it expires.
///
/// `request`: {"guard", "sector", "proposal", "by", "why", "until_ns"}. `answer`: the relaxation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_relax(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "relax", request, answer, err) }
}

/// Ends a relaxation.
///
/// `request`: {"id", "by", "why"}. `answer`: the relaxation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_revoke(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "revoke", request, answer, err) }
}

/// Lists relaxations.
///
/// `request`: {"open"}. `answer`: {"relaxations"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_relaxations(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "relaxations", request, answer, err) }
}

/// Who may approve: names, public keys, groups.
///
/// `request`: {}. `answer`: {"approvers"}, null before the first set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_approvers(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "approvers", request, answer, err) }
}

/// Asks for another set of approvers, which the old set and the new one sign.
///
/// `request`: {"approvers" or "toml", "by", "why"}. `answer`: the change, which knhk_approve takes approvals of.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_change_approvers(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "change_approvers", request, answer, err) }
}

/// Lists the guards.
///
/// `request`: {"sector"}. `answer`: {"guards"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_guards(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "guards", request, answer, err) }
}

/// Asks for another set of guards.
///
/// `request`: {"guards" or "toml", "by", "why"}. `answer`: the change.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_change_guards(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "change_guards", request, answer, err) }
}

/// Asks for one more guard.
///
/// `request`: {"guard", "by", "why"}. `answer`: the change.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_add_guard(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "add_guard", request, answer, err) }
}

/// Asks for one guard less.
///
/// `request`: {"id", "by", "why"}. `answer`: the change.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_remove_guard(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "remove_guard", request, answer, err) }
}

/// Lists the changes of approvers and guards that are on their way.
///
/// `request`: {}. `answer`: {"changes"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_governance_changes(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "changes", request, answer, err) }
}
