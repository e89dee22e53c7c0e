//! Hooks: the program hears when the loop begins and ends a phase of a turn. They cannot hold it up: each is called on a thread of its own, and what
//! a slow one misses is counted (`hooks_skipped` of knhk_loop_status).

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Arc;

use knhk_engine::autonomic::{HookInfo, Phase, When};
use knhk_engine::{Error, Status};

use super::not_there;
use crate::call::on_engine;
use crate::callback::{Callback, Destroy, Kept, registered};
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::options::out_of;
use crate::text::{c_string, null};
use crate::versioned::Versioned;

/// Observations become samples.
pub const KNHK_PHASE_MONITOR: u32 = 1;
/// Samples are judged.
pub const KNHK_PHASE_ANALYZE: u32 = 2;
/// Proposers are asked about a pattern.
pub const KNHK_PHASE_PLAN: u32 = 3;
/// A plan is filed, and runs through the pipeline.
pub const KNHK_PHASE_EXECUTE: u32 = 4;
/// A cycle is closed, and what became of it is learned.
pub const KNHK_PHASE_LEARN: u32 = 5;

/// A hook. Set `struct_size` to sizeof(knhk_hook_t).
///
/// `run` is called on a thread of the hooks, one call at a time, in the order in which hooks were added. It may call the engine back, also to
/// close it. What starts, stops or steps the loop is refused with KNHK_BUSY. It must not throw, and not end the thread.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct HookC {
    /// sizeof(knhk_hook_t).
    pub struct_size: u32,
    /// A KNHK_PHASE_ constant.
    pub phase: u32,
    /// 0 for before the phase, 1 for after it.
    pub after: u32,
    /// 0.
    pub reserved: u32,
    /// Passed to the functions.
    pub ctx: *mut c_void,
    /// Hears of it: {"phase", "when", "turn", "now_ns", "sector", "cycle"}, `len` bytes of JSON with a NUL behind them, valid until it returns.
    /// After learning, `cycle` is the one that was closed.
    pub run: Option<unsafe extern "C" fn(ctx: *mut c_void, info: *const c_char, len: usize)>,
    /// NULL, or called exactly once, when `run` will not be called any more: also when the call fails, unless `struct_size` is one that the
    /// library does not know. On any thread.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for HookC {
    const NAME: &'static str = "knhk_hook_t";
}

impl Callback for HookC {
    fn context(&self) -> (*mut c_void, Destroy) {
        (self.ctx, self.destroy)
    }
}

impl Kept<HookC> {
    fn tell(&self, info: &HookInfo) {
        let (Some(run), Ok(info)) = (self.callback.run, serde_json::to_string(info)) else { return };
        let info = c_string(&info);
        // SAFETY: as the program promised; the text lives until it returns.
        unsafe { run(self.at(), info.as_ptr(), info.as_bytes().len()) }
    }
}

fn place(callback: &HookC) -> Result<(Phase, When), Error> {
    let phase = match callback.phase {
        KNHK_PHASE_MONITOR => Phase::Monitor,
        KNHK_PHASE_ANALYZE => Phase::Analyze,
        KNHK_PHASE_PLAN => Phase::Plan,
        KNHK_PHASE_EXECUTE => Phase::Execute,
        KNHK_PHASE_LEARN => Phase::Learn,
        _ => return Err(out_of("phase", callback.phase.into(), "a KNHK_PHASE_ constant")),
    };
    match callback.after {
        0 => Ok((phase, When::Before)),
        1 => Ok((phase, When::After)),
        _ => Err(out_of("after", callback.after.into(), "0 or 1")),
    }
}

/// Adds a hook to an engine's loop.
///
/// `hook`: taken over, whatever is returned. `id`: NULL, or receives what knhk_hook_remove takes.
/// Returns KNHK_OK; KNHK_STRUCT_SIZE; KNHK_INVALID_ARGUMENT for a phase that there is not; KNHK_NULL_ARGUMENT also where `run` is NULL. Any
/// thread; before or after the loop is started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_hook_add(
    engine: *const EngineHandle,
    hook: *const HookC,
    id: *mut u64,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        registered(engine, hook, err, |engine, kept| {
            kept.callback.run.ok_or_else(|| null("run"))?;
            let (phase, when) = place(&kept.callback)?;
            let number = engine.add_hook(phase, when, Arc::new(move |info: &HookInfo| kept.tell(info)))?;
            if !id.is_null() {
                ptr::write(id, number);
            }
            Ok(())
        })
    }
}

/// Removes a hook. A call of it that is under way is waited for, unless this is made from it.
///
/// Returns KNHK_OK; KNHK_NOT_FOUND. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_hook_remove(engine: *const EngineHandle, id: u64, err: *mut *mut ErrorHandle) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(
            engine,
            err,
            |engine| {
                if engine.remove_hook(id) { Ok(()) } else { Err(not_there("hook", &id.to_string())) }
            },
        )
    }
}
