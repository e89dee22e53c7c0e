//! The log: what the engine reports of itself.

use std::ffi::{c_char, c_void};

use knhk_engine::{Level, Status};

use crate::callback::{Callback, Destroy, with_callback};
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::text::{c_string, null};
use crate::versioned::Versioned;

/// For whoever debugs the engine.
pub const KNHK_LOG_DEBUG: u32 = 0;
/// What happened.
pub const KNHK_LOG_INFO: u32 = 1;
/// What someone should look at.
pub const KNHK_LOG_WARNING: u32 = 2;
/// What did not work.
pub const KNHK_LOG_ERROR: u32 = 3;

/// Where log lines go. Set `struct_size` to sizeof(knhk_log_callback_t).
///
/// `line` is called on the engine's warm thread, one line after the other; it may call the engine back. It must not throw, and not end the
/// thread.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct LogCallbackC {
    /// sizeof(knhk_log_callback_t).
    pub struct_size: u32,
    /// Lines below this are left out: KNHK_LOG_DEBUG and so on.
    pub level: u32,
    /// Passed to the functions.
    pub ctx: *mut c_void,
    /// Called with each line: its level, the part of the engine it is from, and the message, valid during the call.
    pub line: Option<unsafe extern "C" fn(ctx: *mut c_void, level: u32, part: *const c_char, message: *const c_char)>,
    /// NULL, or called exactly once, when `line` will not be called any more: also when the registration fails, unless `struct_size` is one
    /// that the library does not know. On any thread.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for LogCallbackC {
    const NAME: &'static str = "knhk_log_callback_t";
}

impl Callback for LogCallbackC {
    fn context(&self) -> (*mut c_void, Destroy) {
        (self.ctx, self.destroy)
    }
}

/// Sends the engine's log lines to a callback, in place of the one before.
///
/// `callback`: NULL sends them to nobody.
/// Returns KNHK_OK; KNHK_STRUCT_SIZE; KNHK_NULL_ARGUMENT also where `line` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_log_set(
    engine: *mut EngineHandle,
    callback: *const LogCallbackC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        with_callback(engine, callback, err, |engine, kept| {
            let Some(kept) = kept else {
                engine.clear_log();
                return Ok(());
            };
            let line = kept.callback.line.ok_or_else(|| null("line"))?;
            engine.set_log(move |level: Level, part: &str, message: &str| {
                let level = number(level);
                if level >= kept.callback.level {
                    line(kept.at(), level, c_string(part).as_ptr(), c_string(message).as_ptr());
                }
            });
            Ok(())
        })
    }
}

fn number(level: Level) -> u32 {
    match level {
        Level::Debug => KNHK_LOG_DEBUG,
        Level::Info => KNHK_LOG_INFO,
        Level::Warning => KNHK_LOG_WARNING,
        Level::Error => KNHK_LOG_ERROR,
    }
}
