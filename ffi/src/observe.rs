//! Observations: what a decision saw and what became of it, appended to the reader's own ring, drained elsewhere.
//!
//! Appending is inline and writes one cache line. It returns false when the ring is full: nothing blocks, the drop is counted
//! (knhk_stats_t.dropped), and the program decides. Only the reader's thread appends, and not in a signal handler.

use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

use knhk_engine::Status;
use knhk_hot::layout::{Key, RawView, ReaderLine, Tag};
use knhk_hot::raw;

use crate::call::on_engine;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::text::output;

/// The value of an observation, after its type.
#[repr(C)]
#[derive(Clone, Copy)]
pub union ValueC {
    /// KNHK_I64.
    pub as_i64: i64,
    /// KNHK_F64.
    pub as_f64: f64,
    /// KNHK_BOOL, as 0 or 1; and the bits of any other.
    pub bits: u64,
}

/// An observation, as drained.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ObservationC {
    /// The reader that appended it: see knhk_reader_id.
    pub reader: u64,
    /// Its number in its reader's ring, from 0, without gaps.
    pub sequence: u64,
    /// Nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// The generation of the view that it was made in.
    pub epoch: u64,
    /// What was observed.
    pub key: Key,
    /// The value.
    pub value: ValueC,
    /// The value's type: KNHK_BOOL, KNHK_I64 or KNHK_F64.
    pub value_type: u32,
    /// KNHK_SUCCESS and so on, or the program's own code from KNHK_OUTCOME_CUSTOM on.
    pub outcome: u32,
    /// Whom it concerns, or 0.
    pub subject: u64,
    /// The program's own word.
    pub detail: u64,
}

/// Appends an observation with all that can be said of it.
///
/// `view`: the open view that the decision was made in. `type` and `bits`: the value, KNHK_BOOL, KNHK_I64 or KNHK_F64. `subject`: a hash
/// of whom it concerns, or 0. `detail`: the program's own word. `time_ns`: nanoseconds since the Unix epoch.
/// Returns false where the ring is full.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_observe(
    reader: *mut ReaderLine,
    view: RawView,
    key: Key,
    r#type: u32,
    bits: u64,
    outcome: u32,
    subject: u64,
    detail: u64,
    time_ns: u64,
) -> bool {
    // SAFETY: as documented.
    unsafe { raw::observe(reader, view, key, r#type, bits, outcome, subject, detail, Some(time_ns)) }
}

/// Appends an integer under a key, stamped with the engine's cached clock. Returns false where the ring is full.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_observe_i64(
    reader: *mut ReaderLine,
    view: RawView,
    key: Key,
    value: i64,
    outcome: u32,
) -> bool {
    // SAFETY: as documented.
    unsafe { raw::observe(reader, view, key, Tag::I64 as u32, value as u64, outcome, 0, 0, None) }
}

/// Appends a double under a key, stamped with the engine's cached clock. Returns false where the ring is full.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_observe_f64(
    reader: *mut ReaderLine,
    view: RawView,
    key: Key,
    value: f64,
    outcome: u32,
) -> bool {
    // SAFETY: as documented.
    unsafe { raw::observe(reader, view, key, Tag::F64 as u32, value.to_bits(), outcome, 0, 0, None) }
}

/// Appends a boolean under a key, stamped with the engine's cached clock. Returns false where the ring is full.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_observe_bool(
    reader: *mut ReaderLine,
    view: RawView,
    key: Key,
    value: bool,
    outcome: u32,
) -> bool {
    // SAFETY: as documented.
    unsafe { raw::observe(reader, view, key, Tag::Bool as u32, value.into(), outcome, 0, 0, None) }
}

/// knhk_observe_i64 with the caller's time: nanoseconds since the Unix epoch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_observe_i64_at(
    reader: *mut ReaderLine,
    view: RawView,
    key: Key,
    value: i64,
    outcome: u32,
    time_ns: u64,
) -> bool {
    // SAFETY: as documented.
    unsafe { raw::observe(reader, view, key, Tag::I64 as u32, value as u64, outcome, 0, 0, Some(time_ns)) }
}

/// knhk_observe_f64 with the caller's time: nanoseconds since the Unix epoch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_observe_f64_at(
    reader: *mut ReaderLine,
    view: RawView,
    key: Key,
    value: f64,
    outcome: u32,
    time_ns: u64,
) -> bool {
    // SAFETY: as documented.
    unsafe { raw::observe(reader, view, key, Tag::F64 as u32, value.to_bits(), outcome, 0, 0, Some(time_ns)) }
}

/// knhk_observe_bool with the caller's time: nanoseconds since the Unix epoch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_observe_bool_at(
    reader: *mut ReaderLine,
    view: RawView,
    key: Key,
    value: bool,
    outcome: u32,
    time_ns: u64,
) -> bool {
    // SAFETY: as documented.
    unsafe { raw::observe(reader, view, key, Tag::Bool as u32, value.into(), outcome, 0, 0, Some(time_ns)) }
}

/// The engine's cached clock: nanoseconds since the Unix epoch, at most a clock period old, and never going back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_reader_clock(reader: *const ReaderLine) -> u64 {
    // SAFETY: as documented.
    unsafe { (*(*reader).clock).load(Relaxed) }
}

/// Takes observations out of all readers' rings, each reader's in its order, those of past readers first.
///
/// `observations`: room for `capacity` of them. `drained`: receives how many were taken; less than `capacity` means that no more were
/// there. One thread drains at a time, another waits for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_observations_drain(
    engine: *mut EngineHandle,
    observations: *mut ObservationC,
    capacity: usize,
    drained: *mut usize,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let drained = output(drained, "drained")?;
            if capacity != 0 {
                output(observations, "observations")?;
            }
            let mut next = observations;
            let taken = engine.drain(capacity, |reader, observation| {
                let drained = ObservationC {
                    reader,
                    sequence: observation.sequence,
                    time_ns: observation.time_ns,
                    epoch: observation.epoch,
                    key: observation.key,
                    value: ValueC { bits: observation.value },
                    value_type: observation.tag,
                    outcome: observation.outcome,
                    subject: observation.subject,
                    detail: observation.detail,
                };
                // At most `capacity` come.
                ptr::write(next, drained);
                next = next.add(1);
            })?;
            ptr::write(drained, taken);
            Ok(())
        })
    }
}
