//! A JavaScript function that native state keeps.

use std::ptr::null_mut;

use napi::sys;

/// Keeps a function alive. It stays on its environment's thread, and is dropped before the environment is gone.
pub(crate) struct Reference {
    env: sys::napi_env,
    raw: sys::napi_ref,
}

impl Reference {
    /// # Safety
    /// `function` is a function of `env`, whose thread this is.
    pub(crate) unsafe fn new(env: sys::napi_env, function: sys::napi_value) -> napi::Result<Reference> {
        let mut raw = null_mut();
        // SAFETY: the caller's promise.
        napi::check_status!(unsafe { sys::napi_create_reference(env, function, 1, &mut raw) })?;
        Ok(Reference { env, raw })
    }

    pub(crate) fn env(&self) -> sys::napi_env {
        self.env
    }

    /// Calls it. An exception becomes the environment's `uncaughtException`; what else there is to deliver goes on.
    pub(crate) fn call(&self, arguments: &[sys::napi_value]) {
        let (mut function, mut this, mut result) = (null_mut(), null_mut(), null_mut());
        // SAFETY: the environment's thread with an open handle scope, inside a threadsafe function's call.
        unsafe {
            sys::napi_get_reference_value(self.env, self.raw, &mut function);
            sys::napi_get_undefined(self.env, &mut this);
            let status =
                sys::napi_call_function(self.env, this, function, arguments.len(), arguments.as_ptr(), &mut result);
            if status == sys::Status::napi_pending_exception {
                let mut exception = null_mut();
                if sys::napi_get_and_clear_last_exception(self.env, &mut exception) == sys::Status::napi_ok {
                    sys::napi_fatal_exception(self.env, exception);
                }
            }
        }
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // SAFETY: made by `new`, dropped once, on the environment's thread.
        unsafe { sys::napi_delete_reference(self.env, self.raw) };
    }
}
