//! Checkpoints: restoring them, listing what is kept, and taking them in the background.

use std::ffi::c_char;
use std::ptr;
use std::sync::PoisonError;
use std::time::Duration;

use knhk_engine::{Error, Status};
use knhk_resilience::checkpoint::Restored;

use super::checkpoints::CheckpointsHandle;
use crate::call::call;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, required};
use crate::list::{self, List};
use crate::signals::Blocked;
use crate::text::{Texts, output};
use crate::versioned::{Output, Versioned};

/// A checkpoint that was restored. Set `struct_size` to sizeof(knhk_checkpoint_restored_t) before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RestoredC {
    /// sizeof(knhk_checkpoint_restored_t); on return, how much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Its number.
    pub number: u64,
    /// When it was taken, in nanoseconds since the Unix epoch by that system's clock.
    pub time_ns: u64,
    /// How many newer ones were passed over, damaged or refused by a component: knhk_checkpoints_kept says of each what is wrong with it.
    pub skipped: u64,
    /// How many components it has no state of; they are as they were.
    pub absent: u64,
    /// How many components it has a state of that are not there.
    pub unknown: u64,
    /// Its SHA-256.
    pub digest: [u8; 32],
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for RestoredC {
    const NAME: &'static str = "knhk_checkpoint_restored_t";
}

/// Restores the newest checkpoint that is whole. The components hold still while they load.
///
/// `restored`: NULL, or receives which one it was. Returns KNHK_OK; KNHK_NOT_FOUND where there is none, and no component was touched;
/// KNHK_CORRUPT where none is whole, with the reason of each.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_checkpoint_restore(
    checkpoints: *mut CheckpointsHandle,
    restored: *mut RestoredC,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let (handle, place) = unsafe { (required(checkpoints)?, Output::new(restored)?) };
        let found = handle.checkpoints.restore().map_err(|error| handle.failed(&error))?;
        let Restored { number, digest, time_ns, skipped, absent, unknown } = found;
        place.write(RestoredC {
            struct_size: 0,
            reserved: 0,
            number,
            time_ns,
            skipped: skipped.len() as u64,
            absent: absent.len() as u64,
            unknown: unknown.len() as u64,
            digest,
        });
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// A checkpoint that is kept.
#[repr(C)]
pub struct CheckpointC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// 1 where it stands alone.
    pub full: u32,
    /// Its number.
    pub number: u64,
    /// Its bytes.
    pub bytes: u64,
    /// When it was taken, in nanoseconds since the Unix epoch; 0 where it cannot be read.
    pub time_ns: u64,
    /// 1 where it is encrypted.
    pub encrypted: u32,
    /// 0.
    pub reserved: u32,
    /// Why it cannot be restored, as far as can be told without its key; NULL where it can.
    pub damage: *const c_char,
}

/// What is kept, as of one moment.
pub struct CheckpointList {
    items: Vec<CheckpointC>,
    _texts: Texts,
}

impl Kind for CheckpointList {
    const NAME: &'static str = "list of checkpoints";
    const MAGIC: u64 = 0x6b6e_686b_636b_6c01;
}

impl List for CheckpointList {
    type Item = CheckpointC;

    fn items(&self) -> &[CheckpointC] {
        &self.items
    }
}

/// Lists what is kept, oldest first. Each is read and checked.
///
/// `kept`: receives the list, which the program frees with knhk_checkpoint_list_free. Returns KNHK_OK; KNHK_IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_checkpoints_kept(
    checkpoints: *mut CheckpointsHandle,
    kept: *mut *mut CheckpointList,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let place = output(kept, "kept")?;
        // SAFETY: as documented.
        let handle = unsafe { required(checkpoints)? };
        let mut texts = Texts::default();
        let found = handle.checkpoints.list().map_err(|error| handle.failed(&error))?;
        let items = found.into_iter().map(|info| CheckpointC {
            struct_size: size_of::<CheckpointC>() as u32,
            full: u32::from(info.full),
            number: info.number,
            bytes: info.bytes,
            time_ns: info.time_ns,
            encrypted: u32::from(info.encrypted),
            reserved: 0,
            damage: texts.keep_some(info.damage.as_deref()),
        });
        let items = items.collect();
        // SAFETY: as documented.
        unsafe { ptr::write(place, give(CheckpointList { items, _texts: texts })) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// How many checkpoints a list has; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_checkpoint_list_len(kept: *const CheckpointList) -> usize {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::len(kept) }
}

/// A checkpoint of a list; NULL beyond its end. Valid until the list is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_checkpoint_list_at(kept: *const CheckpointList, index: usize) -> *const CheckpointC {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::at(kept, index) }
}

/// Frees a list of checkpoints. NULL does nothing. Any thread; its items may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_checkpoint_list_free(kept: *mut CheckpointList) {
    // SAFETY: NULL or a live list, as documented.
    unsafe { free(kept) }
}

/// Takes a checkpoint in an interval, on a thread of its own until knhk_checkpoints_stop, for at most a share of the time: with 0.05 one
/// that took 100 ms is followed by a pause of 1.9 s at least. One that fails is told as an event, and the next one is tried in time.
///
/// `interval_ns`: above 0. `share`: above 0, at most 1. Returns KNHK_OK; KNHK_BUSY where it does so already; KNHK_IO when there are no more
/// threads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_checkpoints_start(
    checkpoints: *mut CheckpointsHandle,
    interval_ns: u64,
    share: f64,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let handle = unsafe { required(checkpoints)? };
        let mut background = handle.background.lock().unwrap_or_else(PoisonError::into_inner);
        if background.is_some() {
            let message = "checkpoints are taken in the background already: end that with knhk_checkpoints_stop";
            return Err(Error::new(Status::Busy, "checkpoint", handle.checkpoints.name().to_string(), message));
        }
        if interval_ns == 0 {
            let message = "interval_ns is 0: say how far apart checkpoints are to be";
            return Err(Error::new(Status::InvalidArgument, "checkpoint", "interval_ns", message));
        }
        let blocked = Blocked::new();
        let started = handle.checkpoints.start(Duration::from_nanos(interval_ns), share);
        drop(blocked);
        *background = Some(started.map_err(|error| handle.failed(&error))?);
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Ends what knhk_checkpoints_start began, once the one that is under way has ended. Does nothing where it was not begun.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_checkpoints_stop(
    checkpoints: *mut CheckpointsHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let handle = unsafe { required(checkpoints)? };
        // Taken out first: the thread's end is waited for without the lock.
        let background = handle.background.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(background);
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}
