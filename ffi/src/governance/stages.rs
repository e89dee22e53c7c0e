//! Who hears how far the stages are, and can stop them.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::{Mutex, PoisonError};

use knhk_engine::Status;
use knhk_engine::governance::{Progress, Stop, Watch};

use super::govern::asked as request_of;
use crate::buffer::{Buffer, filled};
use crate::callback::{Callback, Destroy, Kept, with_callback};
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::text::{Texts, null, output, text};
use crate::versioned::Versioned;

/// A stage that begins or has ended.
#[repr(C)]
pub struct StageC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The sector whose change is judged.
    pub sector: *const c_char,
    /// "schema", "invariants", "doctrine", "guards", "performance", "rollback" or "compatibility".
    pub stage: *const c_char,
    /// NULL where it begins; else "passed", "waiting", "not_judged" or "refused".
    pub verdict: *const c_char,
    /// NULL where it begins; else what it says, as JSON.
    pub report: *const c_char,
}

/// Who hears how far the stages are. Set `struct_size` to sizeof(knhk_stage_callback_t).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct StageCallbackC {
    /// sizeof(knhk_stage_callback_t).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Passed to the functions.
    pub ctx: *mut c_void,
    /// Called as each stage begins and ends, on the threads that work, one call at a time; `now` is valid during the call. Returning anything but
    /// 0 stops the run: what has not begun refuses, and a measurement ends.
    pub stage: Option<unsafe extern "C" fn(ctx: *mut c_void, now: *const StageC) -> i32>,
    /// NULL, or called exactly once before the call returns, unless `struct_size` is one that the library does not know.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for StageCallbackC {
    const NAME: &'static str = "knhk_stage_callback_t";
}

impl Callback for StageCallbackC {
    fn context(&self) -> (*mut c_void, Destroy) {
        (self.ctx, self.destroy)
    }
}

impl Kept<StageCallbackC> {
    /// Tells the program; whether it goes on.
    fn tell(&self, progress: Progress<'_>) -> bool {
        let Some(stage) = self.callback.stage else { return true };
        let mut texts = Texts::default();
        let report = progress.ended.map(|report| serde_json::to_string(report).unwrap_or_default());
        let now = StageC {
            struct_size: size_of::<StageC>() as u32,
            reserved: 0,
            sector: texts.keep(progress.sector),
            stage: texts.keep(progress.stage.as_str()),
            verdict: texts.keep_some(progress.ended.map(|report| report.verdict.as_str())),
            report: texts.keep_some(report.as_deref()),
        };
        // SAFETY: registered for this; what it is told lives until it returns.
        unsafe { stage(self.at(), &now) == 0 }
    }
}

/// knhk_govern that tells how far the stages are, and can be stopped: "propose" and "check".
///
/// `verb`, `request`, `answer`: as of knhk_govern; of other verbs nothing is told. `callback`: taken over, whatever is returned; NULL for nobody.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_govern_watched(
    engine: *const EngineHandle,
    verb: *const c_char,
    request: *const c_char,
    callback: *const StageCallbackC,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        with_callback(engine, callback, err, |engine, held: Option<Kept<StageCallbackC>>| {
            let (place, verb) = (output(answer, "answer")?, text(verb, "verb")?);
            if let Some(kept) = &held {
                kept.callback.stage.ok_or_else(|| null("stage"))?;
            }
            let (stop, held) = (Stop::new(), held.map(Mutex::new));
            let progress = |now: Progress<'_>| {
                let Some(held) = &held else { return };
                if !held.lock().unwrap_or_else(PoisonError::into_inner).tell(now) {
                    stop.ask();
                }
            };
            let answered =
                engine.govern_watched(verb, request_of(request)?, Watch { progress: &progress, stop: &stop })?;
            ptr::write(place, filled(answered.to_string()));
            Ok(())
        })
    }
}
