//! Progress: how far something long is, and a way to stop it.

use std::ffi::c_void;

use knhk_engine::{Error, Progress, VerifyProgress};

use crate::callback::{Callback, Context, Destroy, taken};
use crate::text::null;
use crate::versioned::Versioned;

/// How far something is. What does not apply is 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ProgressC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Receipts verified, or pages of the store copied.
    pub done: u64,
    /// How many there are, as far as known now.
    pub total: u64,
    /// Observations verified.
    pub observations: u64,
    /// Versions verified.
    pub versions: u64,
}

impl From<VerifyProgress> for ProgressC {
    fn from(now: VerifyProgress) -> ProgressC {
        let VerifyProgress { receipts: done, total, observations, versions } = now;
        ProgressC { struct_size: size_of::<ProgressC>() as u32, reserved: 0, done, total, observations, versions }
    }
}

impl From<Progress> for ProgressC {
    fn from(now: Progress) -> ProgressC {
        VerifyProgress { receipts: now.done, total: now.total, ..VerifyProgress::default() }.into()
    }
}

/// Who hears how far something is. Set `struct_size` to sizeof(knhk_progress_callback_t).
///
/// `progress` is called on the thread that called, during the call; it must not throw, and not end the thread.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ProgressCallbackC {
    /// sizeof(knhk_progress_callback_t).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Passed to the functions.
    pub ctx: *mut c_void,
    /// Called now and then; `now` is valid during the call. Returning anything but 0 stops the operation: KNHK_TIMEOUT.
    pub progress: Option<unsafe extern "C" fn(ctx: *mut c_void, now: *const ProgressC) -> i32>,
    /// NULL, or called exactly once before the call returns, unless `struct_size` is one that the library does not know.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for ProgressCallbackC {
    const NAME: &'static str = "knhk_progress_callback_t";
}

impl Callback for ProgressCallbackC {
    fn context(&self) -> (*mut c_void, Destroy) {
        (self.ctx, self.destroy)
    }
}

/// What tells the program how far something is; to be asked whether to go on.
///
/// # Safety
/// As [`taken`], where the callback is not NULL.
pub(crate) unsafe fn telling(callback: *const ProgressCallbackC) -> Result<impl FnMut(ProgressC) -> bool, Error> {
    let held: Option<(ProgressCallbackC, Context)> = match callback.is_null() {
        true => None,
        // SAFETY: the caller's promise.
        false => Some(unsafe { taken(callback)? }),
    };
    if let Some((callback, _)) = &held {
        callback.progress.ok_or_else(|| null("progress"))?;
    }
    Ok(move |now: ProgressC| match &held {
        Some((ProgressCallbackC { progress: Some(progress), .. }, context)) => {
            // SAFETY: as the program promised.
            unsafe { progress(context.at(), &now) == 0 }
        }
        _ => true,
    })
}
