//! Errors as JavaScript sees them: an `Error` with `code`, `status`, `stage`, `item` and perhaps `report`, of which the package makes a `KnhkError`.

use std::ptr::null_mut;

use knhk_engine::{Error, Status};
use napi::sys;

use crate::knowledge::report;
use crate::value::text;

/// `NotFound` → `KNHK_NOT_FOUND`.
pub(crate) fn code(status: Status) -> String {
    let mut code = String::from("KNHK");
    for letter in format!("{status:?}").chars() {
        if letter.is_ascii_uppercase() {
            code.push('_');
        }
        code.push(letter.to_ascii_uppercase());
    }
    code
}

/// The error as a JavaScript value; NULL when the environment is ending.
pub(crate) fn to_js(env: sys::napi_env, error: &Error) -> sys::napi_value {
    let mut object = null_mut();
    let mut status = null_mut();
    // SAFETY: called on the environment's thread with an open handle scope; a call that fails leaves NULL, which the next refuses.
    unsafe {
        sys::napi_create_error(env, text(env, &code(error.status())), text(env, error.message()), &mut object);
        sys::napi_create_int32(env, error.status().code(), &mut status);
        sys::napi_set_named_property(env, object, c"status".as_ptr(), status);
        sys::napi_set_named_property(env, object, c"stage".as_ptr(), text(env, error.stage()));
        sys::napi_set_named_property(env, object, c"item".as_ptr(), text(env, error.item()));
        if !error.reports().is_empty() {
            let reports =
                serde_json::to_string(error.reports()).expect("reports have text keys, so they have a form in JSON");
            sys::napi_set_named_property(env, object, c"stages".as_ptr(), text(env, &reports));
        }
        if let Some(found) = error.report() {
            sys::napi_set_named_property(env, object, c"report".as_ptr(), report(env, found.clone()));
        }
    }
    object
}

/// Throws `error`; what is returned tells napi-rs that an exception is pending.
pub(crate) fn throw(env: sys::napi_env, error: &Error) -> napi::Error {
    // SAFETY: as `to_js`.
    unsafe { sys::napi_throw(env, to_js(env, error)) };
    napi::Error::from_status(napi::Status::PendingException)
}

/// The handle is closed, in this thread or for all.
pub(crate) fn closed() -> Error {
    Error::new(Status::Closed, "call", "", "the engine is closed")
}

/// The environment is ending, so nothing can be started any more.
pub(crate) fn ending() -> Error {
    Error::new(Status::Closed, "call", "", "this JavaScript environment is ending")
}
