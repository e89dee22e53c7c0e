//! Backup: a consistent copy of an engine's folder while changes go on, and a folder made of one.

use std::ffi::c_char;
use std::path::Path;

use knhk_engine::{RestoreOptions, Status};

use crate::call::{call, on_engine};
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::options::out_of;
use crate::progress::{ProgressCallbackC, telling};
use crate::text::{optional_text, text};
use crate::verify::VerifiedC;
use crate::versioned::{Output, Versioned, input};

/// Writes a copy of an engine's store as of now to a new file. The signing key is not in it: keep a copy of that elsewhere.
///
/// `path`: a file that is not there. `progress`: NULL, or taken over as its comment says; it counts pages of the store.
/// Returns KNHK_OK; KNHK_ALREADY_EXISTS; KNHK_IO; KNHK_TIMEOUT where `progress` stopped it; KNHK_NOT_FOUND for an engine without a store;
/// KNHK_INVALID_ARGUMENT for one in memory. There is no file then. Blocks the calling thread, and no change.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_backup(
    engine: *const EngineHandle,
    path: *const c_char,
    progress: *const ProgressCallbackC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        let telling = telling(progress);
        on_engine(engine, err, |engine| {
            let mut tell = telling?;
            engine.backup(Path::new(text(path, "path")?), &mut |now| tell(now.into()))
        })
    }
}

/// What a restore trusts. Set `struct_size` to sizeof(knhk_restore_options_t).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RestoreOptionsC {
    /// sizeof(knhk_restore_options_t).
    pub struct_size: u32,
    /// 0.
    pub flags: u32,
    /// The trust root that the backup's log must begin at; NULL believes the one that it states.
    pub trust_root: *const c_char,
    /// A note of knhk_checkpoint that the program held: finds a backup that is older, or forked. NULL for none.
    pub checkpoint: *const c_char,
}

// SAFETY: plain data that begins with its size; zeros are the defaults.
unsafe impl Versioned for RestoreOptionsC {
    const NAME: &'static str = "knhk_restore_options_t";
}

/// Makes a folder of a backup: every receipt, every version and every page of it is verified first, and it gets its place only then.
///
/// `path`: what knhk_backup wrote. `folder`: made where it does not exist; it must have no store. The signing key is put into it, or handed
/// in at open. `options`: NULL for the defaults. `progress`: NULL, or taken over as its comment says. `verified`: NULL, or receives what
/// was found whole.
/// Returns KNHK_OK; KNHK_ALREADY_EXISTS; KNHK_NOT_FOUND; KNHK_TAMPERED or KNHK_CORRUPT with the first finding; KNHK_UNPROVEN for a
/// checkpoint that is not this log's; KNHK_TIMEOUT where `progress` stopped it; KNHK_IO. The folder has no store then. Any thread, which is
/// blocked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_restore(
    path: *const c_char,
    folder: *const c_char,
    options: *const RestoreOptionsC,
    progress: *const ProgressCallbackC,
    verified: *mut VerifiedC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        let telling = telling(progress);
        call(err, || {
            let mut tell = telling?;
            let place = Output::new(verified)?;
            let given = input(options)?;
            if given.flags != 0 {
                return Err(out_of("flags", given.flags.into(), "0"));
            }
            let options = RestoreOptions {
                trust_root: optional_text(given.trust_root, "trust_root")?.map(Into::into),
                checkpoint: optional_text(given.checkpoint, "checkpoint")?.map(Into::into),
            };
            let (from, folder) = (Path::new(text(path, "path")?), Path::new(text(folder, "folder")?));
            place.write(knhk_engine::restore(from, folder, &options, &mut |now| tell(now.into()))?.into());
            Ok(())
        })
    }
}
