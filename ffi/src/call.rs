//! The boundary that every call from C passes: a panic stops here, an error becomes a status and, if wanted, an object.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use knhk_engine::{Engine, Error, Status};

use crate::engine::EngineHandle;
use crate::error::{ErrorHandle, hand_out};

/// Runs what a call does.
///
/// # Safety
/// `err` is NULL or writable.
pub(crate) unsafe fn call(err: *mut *mut ErrorHandle, body: impl FnOnce() -> Result<(), Error>) -> Status {
    let failed = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return Status::Ok,
        Ok(Err(error)) => error,
        Err(payload) => panicked(payload),
    };
    // SAFETY: the caller's promise.
    unsafe { hand_out(&failed, err) };
    failed.status()
}

/// Runs what a call does on an engine; a panic makes the handle refuse further work.
///
/// # Safety
/// `engine` is NULL or a live handle; `err` is NULL or writable.
pub(crate) unsafe fn on_engine(
    engine: *const EngineHandle,
    err: *mut *mut ErrorHandle,
    body: impl FnOnce(&Engine) -> Result<(), Error>,
) -> Status {
    let body = || {
        // SAFETY: the caller's promise.
        let handle = unsafe { EngineHandle::shared(engine)? };
        // Dropped before the handle, which lives in what it keeps.
        let engine = handle.engine()?;
        // What the engine shares is behind its own locks, which know that a holder panicked; the rest is not looked at again.
        catch_unwind(AssertUnwindSafe(|| body(&engine))).unwrap_or_else(|payload| {
            handle.poison();
            Err(panicked(payload))
        })
    };
    // SAFETY: the caller's promise.
    unsafe { call(err, body) }
}

/// Runs what cannot fail but might panic.
pub(crate) fn total<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        std::mem::forget(payload);
        otherwise
    })
}

fn panicked(payload: Box<dyn Any + Send>) -> Error {
    let said = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "no message".to_owned(),
    };
    // Its drop is foreign code that may panic again.
    std::mem::forget(payload);
    let message =
        format!("a defect of the library: it panicked ({said}); reads go on, open the engine anew for the rest");
    Error::new(Status::Panic, "call", "", message)
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;
    use crate::engine::opened;
    use crate::error::{knhk_error_free, knhk_error_status};

    #[test]
    fn a_panic_stops_at_the_boundary_and_poisons_the_handle() {
        let engine = opened();
        let mut err = ptr::null_mut();
        // SAFETY: live until closed below.
        unsafe {
            let mut reader = ptr::null_mut();
            let register = |engine: &Engine| {
                reader = engine.hot().register_raw(Default::default())?.as_ptr();
                Ok(())
            };
            assert_eq!(on_engine(engine, ptr::null_mut(), register), Status::Ok);
            let hook = std::panic::take_hook();
            std::panic::set_hook(Box::new(|_| {}));
            assert_eq!(on_engine(engine, &mut err, |_| panic!("planted")), Status::Panic);
            assert_eq!(total(7, || panic!("planted")), 7);
            std::panic::set_hook(hook);
            assert_eq!(knhk_error_status(err), Status::Panic);
            knhk_error_free(err);
            assert_eq!(on_engine(engine, ptr::null_mut(), |_| Ok(())), Status::Panic);
            let view = crate::read::knhk_read_begin(reader);
            assert_eq!(crate::value::knhk_get_i64(view, Default::default(), 7), 7);
            crate::read::knhk_read_end(reader, view);
            crate::engine::knhk_engine_close(engine);
            assert_eq!(crate::reader::knhk_reader_unregister(reader, ptr::null_mut()), Status::Ok);
        }
    }
}
