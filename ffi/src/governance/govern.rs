//! Governance: changes that become current only once seven stages have nothing against them.
//!
//! Each call takes its request as a JSON object, NULL for the empty one, and answers with a buffer of JSON, which the program frees with
//! knhk_buffer_free; `docs/governing.md` has both, field by field. Times are nanoseconds since the Unix epoch, bytes are base64. A field that
//! a request does not know is KNHK_INVALID_ARGUMENT, and names it. Any thread.
//!
//!    knhk_buffer_t *answer;
//!    knhk_propose(eng, "{\"changes\": [{\"sector\": \"orders\", \"content\": {\"values\": [[\"max_qty\", \"1400\"]]}}],"
//!                      " \"by\": \"ops-2\", \"why\": \"desk asked, ticket 881\"}", &answer, &err);
//!    puts(knhk_buffer_data(answer)); // {"id": "p-19", "state": "waiting", "said": "waits for an approval by desk-risk", …}
//!
//! What the calls have in common beside the errors of any call on an engine: KNHK_NOT_FOUND for an id or a sector that there is not;
//! KNHK_INVALID_ARGUMENT for a malformed request; KNHK_UNGOVERNED, KNHK_NOT_ADMITTED and KNHK_WAITING where governance refuses.

use std::ffi::c_char;
use std::ptr;

use knhk_engine::governance::offline;
use knhk_engine::{Error, Status};
use serde_json::Value;

use crate::buffer::{Buffer, filled};
use crate::call::{call, on_engine};
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::text::{optional_text, output, text};

/// # Safety
/// As `optional_text`.
pub(super) unsafe fn asked(request: *const c_char) -> Result<Value, Error> {
    // SAFETY: the caller's promise.
    let Some(request) = (unsafe { optional_text(request, "request")? }) else { return Ok(Value::Null) };
    serde_json::from_str(request).map_err(|error| {
        let message = format!("the request is not JSON: {error}");
        Error::new(Status::InvalidArgument, "govern", "request", message)
    })
}

/// # Safety
/// As the exports document it.
pub(crate) unsafe fn governed(
    engine: *const EngineHandle,
    verb: &str,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe {
        on_engine(engine, err, |engine| {
            let place = output(answer, "answer")?;
            let answer = engine.govern(verb, asked(request)?)?;
            ptr::write(place, filled(answer.to_string()));
            Ok(())
        })
    }
}

/// Does what a verb asks for: the calls below are this one with their verb, and a library that is newer than the header may know more.
///
/// `verb`: such as "propose". `request`, `answer`: those of the verb. Returns KNHK_INVALID_ARGUMENT for a verb that there is not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_govern(
    engine: *const EngineHandle,
    verb: *const c_char,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    let verb = unsafe { text(verb, "verb") };
    match verb {
        // SAFETY: as documented.
        Ok(verb) => unsafe { governed(engine, verb, request, answer, err) },
        // SAFETY: as documented.
        Err(error) => unsafe { call(err, || Err(error)) },
    }
}

/// # Safety
/// As the exports document it.
unsafe fn aside(verb: &str, request: *const c_char, answer: *mut *mut Buffer, err: *mut *mut ErrorHandle) -> Status {
    let body = || {
        let place = output(answer, "answer")?;
        // SAFETY: the caller's promise.
        let answer = offline(verb, unsafe { asked(request)? })?;
        // SAFETY: the caller's promise.
        unsafe { ptr::write(place, filled(answer.to_string())) };
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { call(err, body) }
}

/// Signs what knhk_approval_request made, with the approver's key. It needs no engine, and nothing of the key goes to one.
///
/// `request`: {"payload", "key"}: base64, the key's secret 32 bytes. `answer`: {"approval"}: base64 of the COSE_Sign (RFC 9052), for
/// knhk_approve.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_sign_approval(
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { aside("sign_approval", request, answer, err) }
}

/// Makes a pair of keys for an approver (Ed25519).
///
/// `answer`: {"public", "secret"}: 64 hexadecimal digits for knhk_change_approvers, and base64 for knhk_sign_approval, which the program
/// keeps to itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_approver_key(answer: *mut *mut Buffer, err: *mut *mut ErrorHandle) -> Status {
    // SAFETY: as documented.
    unsafe { aside("approver_key", ptr::null(), answer, err) }
}
