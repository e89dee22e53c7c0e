//! What a program registers to be called: a context, a function, and how to destroy the context.

use std::ffi::{c_char, c_void};

use knhk_engine::{Engine, Error, Status};

use crate::call::{call, on_engine};
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::text::null;
use crate::versioned::Versioned;

/// Destroys a context.
pub(crate) type Destroy = Option<unsafe extern "C" fn(ctx: *mut c_void)>;

/// A context that is destroyed exactly once: when this is dropped.
pub(crate) struct Context {
    at: *mut c_void,
    destroy: Destroy,
}

// SAFETY: the program said, by registering it, that its functions may be called on another thread with it.
unsafe impl Send for Context {}

impl Context {
    pub(crate) fn new(at: *mut c_void, destroy: Destroy) -> Context {
        Context { at, destroy }
    }

    pub(crate) fn at(&self) -> *mut c_void {
        self.at
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            // SAFETY: registered for this, and called once.
            unsafe { destroy(self.at) }
        }
    }
}

/// A struct of a callback.
pub(crate) trait Callback: Versioned {
    /// What it is called with.
    fn context(&self) -> (*mut c_void, Destroy);
}

/// Takes over a callback: from here on its context is destroyed, whatever happens. One whose `struct_size` is unknown cannot be read, and
/// is left alone.
///
/// # Safety
/// NULL, or as many readable bytes as its `struct_size` says, and at least 4.
pub(crate) unsafe fn taken<C: Callback>(at: *const C) -> Result<(C, Context), Error> {
    if at.is_null() {
        return Err(null("callback"));
    }
    // SAFETY: the caller's promise.
    let callback = unsafe { crate::versioned::input(at)? };
    let (at, destroy) = callback.context();
    Ok((callback, Context::new(at, destroy)))
}

/// A callback whose context goes with it.
pub(crate) struct Kept<C> {
    pub(crate) callback: C,
    context: Context,
}

// SAFETY: the program said, by registering it, that it may be called on any thread: several at once, or one call at a time, as its struct
// documents and the engine does.
unsafe impl<C> Send for Kept<C> {}
// SAFETY: as above.
unsafe impl<C> Sync for Kept<C> {}

impl<C> Kept<C> {
    /// What its functions are called with.
    pub(crate) fn at(&self) -> *mut c_void {
        self.context.at()
    }
}

/// Does something on an engine with a callback, which is taken over whatever is wrong with the engine; none for NULL.
///
/// # Safety
/// As [`taken`] and [`on_engine`].
pub(crate) unsafe fn with_callback<C: Callback>(
    engine: *const EngineHandle,
    callback: *const C,
    err: *mut *mut ErrorHandle,
    body: impl FnOnce(&Engine, Option<Kept<C>>) -> Result<(), Error>,
) -> Status {
    let mut kept = None;
    // SAFETY: the caller's promise.
    unsafe {
        if !callback.is_null() {
            let took = call(err, || {
                let (callback, context) = taken(callback)?;
                kept = Some(Kept { callback, context });
                Ok(())
            });
            if kept.is_none() {
                return took;
            }
        }
        on_engine(engine, err, move |engine| body(engine, kept))
    }
}

/// As [`with_callback`], of one that there has to be.
///
/// # Safety
/// As [`with_callback`].
pub(crate) unsafe fn registered<C: Callback>(
    engine: *const EngineHandle,
    callback: *const C,
    err: *mut *mut ErrorHandle,
    body: impl FnOnce(&Engine, Kept<C>) -> Result<(), Error>,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { with_callback(engine, callback, err, |engine, kept| body(engine, kept.ok_or_else(|| null("callback"))?)) }
}

/// Room for a callback's reason.
const WHY: usize = 512;

/// Calls what returns 0, or another number and why: NUL-terminated UTF-8 where it is told, for which there is so much room.
pub(crate) fn asked(call: impl FnOnce(*mut c_char, usize) -> i32) -> Result<(), String> {
    let mut why = [0u8; WHY];
    // The last byte stays zero, because the size that is told is one less.
    let code = call(why.as_mut_ptr().cast(), WHY - 1);
    if code == 0 {
        return Ok(());
    }
    let len = why.iter().position(|byte| *byte == 0).unwrap_or(WHY);
    let said = String::from_utf8_lossy(&why[..len]);
    Err(if said.is_empty() { format!("the callback returned {code}") } else { said.into_owned() })
}
