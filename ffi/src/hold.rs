//! Holds: one generation kept for longer than a view, across blocking calls and between threads.

use std::ptr;

use knhk_engine::{Hold, Status};
use knhk_hot::layout::{LOWER_BOUND, RawView, ReaderLine};

use crate::call::call;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, required};
use crate::reader::ours;
use crate::text::{null, output};

/// A counted reference to one generation.
pub struct HoldHandle {
    pub(crate) hold: Hold,
}

impl Kind for HoldHandle {
    const NAME: &'static str = "hold";
    const MAGIC: u64 = 0x6b6e_686b_686f_6c01;
}

/// Holds what an open view sees.
///
/// `reader`: the one that the view was begun on. `hold`: receives the hold, which the program gives back with knhk_hold_release. The
/// view may end; what was read from it stays valid while the hold is kept. Memory is kept as long, so hold for as long as needed only.
/// Returns KNHK_OK, or KNHK_INVALID_ARGUMENT for a reader of another copy of the library. Only the reader's thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_snapshot_hold(
    reader: *mut ReaderLine,
    view: RawView,
    hold: *mut *mut HoldHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        unsafe {
            ours(reader)?;
            let place = output(hold, "hold")?;
            if view.root.is_null() {
                return Err(null("view"));
            }
            ptr::write(place, give(HoldHandle { hold: Hold::of(view) }));
        }
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// A view of what is held: any thread may read from it, several at once, while the hold is kept. It is not ended.
///
/// `view`: receives it. Returns KNHK_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_hold_view(
    hold: *const HoldHandle,
    view: *mut RawView,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented. Should someone end this view, a bound of 0 keeps memory and corrupts nothing.
        unsafe {
            let view = output(view, "view")?;
            ptr::write(view, RawView { saved: LOWER_BOUND, ..required(hold)?.hold.raw() });
        }
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// A second hold of the same generation, to be released by itself.
///
/// `copy`: receives it. Returns KNHK_OK. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_hold_clone(
    hold: *const HoldHandle,
    copy: *mut *mut HoldHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        unsafe {
            let copy = output(copy, "copy")?;
            ptr::write(copy, give(HoldHandle { hold: required(hold)?.hold.clone() }));
        }
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Gives a hold back. NULL does nothing. Works after the engine's close. Any thread; nothing read through it may be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_hold_release(hold: *mut HoldHandle) {
    // SAFETY: NULL or a live hold, as documented.
    unsafe { free(hold) }
}
