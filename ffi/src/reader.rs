//! Readers: a thread registers once, and from then on opens views by inline code.
//!
//! A reader belongs to the thread that registered it, unless it is migratable. Its memory stays until the engine, its readers and its
//! holds are gone, so that unregistering after the engine's close is fine.

use std::ptr::{self, NonNull};

use knhk_engine::{Error, Status};
use knhk_hot::layout::ReaderLine;
use knhk_hot::{Hot, ReaderOptions};

use crate::abi::{AbiInfo, check};
use crate::call::{call, on_engine};
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::handle::not_a;
use crate::options::{MOST_RECORDS, out_of};
use crate::text::output;
use crate::versioned::{Versioned, input};

/// The reader may be used by different threads, one after the other, between views; the synchronisation is the
/// program's. It is not reaped when a thread ends.
pub const KNHK_MIGRATABLE: u32 = 1;
/// The reader observes nothing: every append is refused.
pub const KNHK_NO_RING: u32 = 2;

/// Settings of a reader. Set `struct_size` to sizeof(knhk_reader_options_t) and what you do not care about to 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ReaderOptionsC {
    /// sizeof(knhk_reader_options_t).
    pub struct_size: u32,
    /// KNHK_MIGRATABLE and KNHK_NO_RING, or'ed.
    pub flags: u32,
    /// Observations that its ring holds, rounded up to a power of two; 0 takes the engine's.
    pub ring_records: u64,
}

// SAFETY: plain data that begins with its size; zeros are the defaults.
unsafe impl Versioned for ReaderOptionsC {
    const NAME: &'static str = "knhk_reader_options_t";
}

/// Registers the calling thread as a reader; called through the macros knhk_reader_register(engine, reader, err) and
/// knhk_reader_register_with(engine, options, reader, err), which add what the header was made for.
///
/// `options`: NULL for the defaults. `reader`: receives the reader, which the program gives back with knhk_reader_unregister. A thread
/// may have several. Where a thread ends without unregistering, also inside a view, the engine finds out and takes the reader back.
/// Returns KNHK_OK; KNHK_ABI_MISMATCH; KNHK_STRUCT_SIZE; KNHK_INVALID_ARGUMENT; KNHK_SYSTEM when there is no memory for it.
/// Not in a signal handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_reader_register_abi(
    engine: *mut EngineHandle,
    options: *const ReaderOptionsC,
    abi: *const AbiInfo,
    reader: *mut *mut ReaderLine,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            check(abi)?;
            let reader = output(reader, "reader")?;
            let given = input(options)?;
            if given.flags & !(KNHK_MIGRATABLE | KNHK_NO_RING) != 0 {
                return Err(out_of("flags", given.flags.into(), "KNHK_MIGRATABLE and KNHK_NO_RING, or'ed"));
            }
            if given.ring_records > MOST_RECORDS {
                return Err(out_of("ring_records", given.ring_records, &format!("at most {MOST_RECORDS}")));
            }
            let ring_records = match (given.flags & KNHK_NO_RING, given.ring_records) {
                (0, 0) => None,
                (0, records) => Some(records as usize),
                _ => Some(0),
            };
            let options = ReaderOptions { ring_records, migratable: given.flags & KNHK_MIGRATABLE != 0 };
            ptr::write(reader, engine.hot().register_raw(options)?.as_ptr());
            Ok(())
        })
    }
}

/// Gives a reader back. NULL does nothing. Works after the engine's close.
///
/// The observations in its ring stay to be drained. Only the reader's thread may do this, or any thread once that has ended.
/// Returns KNHK_OK; KNHK_WRONG_THREAD; KNHK_INVALID_ARGUMENT while a view is open, when it was given back before, and for a reader of
/// another copy of the library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_reader_unregister(reader: *mut ReaderLine, err: *mut *mut ErrorHandle) -> Status {
    if reader.is_null() {
        return Status::Ok;
    }
    // SAFETY: as documented.
    unsafe { call(err, || Ok(Hot::unregister_raw(ours(reader)?)?)) }
}

/// Repairs a reader whose views were not ended, as after a longjmp: none of them may be used any more. It leaves the quiescent mode, too.
///
/// Only the reader's thread may do this. Returns KNHK_OK or KNHK_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_reader_reset(reader: *mut ReaderLine, err: *mut *mut ErrorHandle) -> Status {
    let body = || {
        // SAFETY: as documented.
        unsafe { Hot::reset_raw(ours(reader)?) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// A reader that this copy of the library made.
///
/// # Safety
/// NULL, or a reader's line of any copy of the library, whose engine is still there.
pub(crate) unsafe fn ours(reader: *mut ReaderLine) -> Result<NonNull<ReaderLine>, Error> {
    let line = NonNull::new(reader).filter(|line| line.is_aligned());
    let line = line.ok_or_else(|| not_a(reader.is_null(), "reader"))?;
    // SAFETY: the caller's promise; the first 64 bytes are the same in every copy.
    if unsafe { Hot::made(line) } {
        return Ok(line);
    }
    let message = "the reader was made by another copy of the library, or by none: reading and observing work, this call does not";
    Err(Error::new(Status::InvalidArgument, "call", "reader", message))
}
