//! Verification: that nothing was changed, reordered, taken out or cut off, and that every version is what its receipt says.

use std::ffi::c_char;

use knhk_engine::{Status, VerifyOptions};

use crate::call::on_engine;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::options::out_of;
use crate::progress::{ProgressCallbackC, telling};
use crate::text::optional_text;
use crate::versioned::{Output, Versioned, input};

/// Leaves out the observations themselves; the receipts of their batches are verified all the same.
pub const KNHK_WITHOUT_OBSERVATIONS: u32 = 1;

/// What to verify. Set `struct_size` to sizeof(knhk_verify_options_t).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VerifyOptionsC {
    /// sizeof(knhk_verify_options_t).
    pub struct_size: u32,
    /// KNHK_WITHOUT_OBSERVATIONS, or 0.
    pub flags: u32,
    /// A note of knhk_checkpoint that the program held; NULL for none.
    pub checkpoint: *const c_char,
}

// SAFETY: plain data that begins with its size; zeros are the defaults.
unsafe impl Versioned for VerifyOptionsC {
    const NAME: &'static str = "knhk_verify_options_t";
}

/// A log and a history that are whole. Set `struct_size` to sizeof(knhk_verified_t) before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VerifiedC {
    /// sizeof(knhk_verified_t); on return, how much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Receipts.
    pub receipts: u64,
    /// Keys that signed them.
    pub keys: u64,
    /// Checkpoints that were stored.
    pub checkpoints: u64,
    /// Observations whose hashes lead to the roots that were signed.
    pub observations: u64,
    /// Observations that retention dropped; their batches' receipts are there.
    pub dropped: u64,
    /// Versions whose receipts state them and whose content has its address.
    pub versions: u64,
    /// Different snapshots among them.
    pub snapshots: u64,
    /// The first receipt's time, in nanoseconds since the Unix epoch.
    pub first_ns: u64,
    /// The last receipt's time.
    pub last_ns: u64,
    /// The Merkle root over all receipts.
    pub root: [u8; 32],
    /// Versions among them that were made with another core ontology than this library's: they are as they were signed.
    pub other_core: u64,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for VerifiedC {
    const NAME: &'static str = "knhk_verified_t";
}

impl From<knhk_engine::Verified> for VerifiedC {
    fn from(verified: knhk_engine::Verified) -> VerifiedC {
        let knhk_engine::Verified { log, versions, snapshots, other_core } = verified;
        VerifiedC {
            struct_size: 0,
            reserved: 0,
            receipts: log.receipts,
            keys: log.keys,
            checkpoints: log.checkpoints,
            observations: log.observations,
            dropped: log.dropped,
            versions,
            snapshots,
            first_ns: log.first_ns,
            last_ns: log.last_ns,
            root: log.root,
            other_core,
        }
    }
}

/// Verifies everything up to now, while the engine goes on: every receipt with its place and signature, the keys, the log's hashes and
/// checkpoints, the observations that are held, and every version that is kept with its receipt and its content.
///
/// `options`: NULL for everything. `progress`: NULL, or taken over as its comment says. `verified`: NULL, or receives what was found whole.
/// Returns KNHK_OK; KNHK_TAMPERED with the first finding; KNHK_CORRUPT; KNHK_UNPROVEN for a checkpoint that is not this log's;
/// KNHK_TIMEOUT where `progress` stopped it; KNHK_NOT_FOUND for an engine without a log; KNHK_STRUCT_SIZE. Blocks the calling thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_verify(
    engine: *const EngineHandle,
    options: *const VerifyOptionsC,
    progress: *const ProgressCallbackC,
    verified: *mut VerifiedC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        let telling = telling(progress);
        on_engine(engine, err, |engine| {
            let mut tell = telling?;
            let place = Output::new(verified)?;
            let given = input(options)?;
            if given.flags & !KNHK_WITHOUT_OBSERVATIONS != 0 {
                return Err(out_of("flags", given.flags.into(), "KNHK_WITHOUT_OBSERVATIONS or 0"));
            }
            let options = VerifyOptions {
                checkpoint: optional_text(given.checkpoint, "checkpoint")?.map(Into::into),
                without_observations: given.flags & KNHK_WITHOUT_OBSERVATIONS != 0,
            };
            place.write(engine.verify(&options, &mut |now| tell(now.into()))?.into());
            Ok(())
        })
    }
}
