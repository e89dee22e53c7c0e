//! Segments: observations that were kept under a receipt each batch, and the proof of a single one.

use std::ffi::c_char;
use std::ptr;

use knhk_engine::{SegmentQuery, Status};

use crate::buffer::{Buffer, filled};
use crate::call::on_engine;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give};
use crate::list::{self, List};
use crate::text::{Texts, bytes, optional_text, output};

/// A batch of observations of one sector that became durable under one receipt.
#[repr(C)]
pub struct SegmentC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Its number, from 0.
    pub number: u64,
    /// The sector.
    pub sector: *const c_char,
    /// The earliest observation's time, in nanoseconds since the Unix epoch.
    pub first_ns: u64,
    /// The latest observation's time.
    pub last_ns: u64,
    /// How many observations.
    pub count: u64,
    /// The number of its receipt; UINT64_MAX where it has none yet.
    pub receipt: u64,
    /// The Merkle root over them (RFC 9162), which the receipt states.
    pub root: [u8; 32],
}

/// Segments, as of one moment.
pub struct SegmentList {
    items: Vec<SegmentC>,
    _texts: Texts,
}

impl Kind for SegmentList {
    const NAME: &'static str = "list of segments";
    const MAGIC: u64 = 0x6b6e_686b_7365_6701;
}

impl List for SegmentList {
    type Item = SegmentC;

    fn items(&self) -> &[SegmentC] {
        &self.items
    }
}

/// Lists segments in order.
///
/// `sector`: NULL for all. `from`: the first number. `limit`: how many at most; 0 for 1,000. `segments`: receives the list, which the
/// program frees with knhk_segments_free.
/// Returns KNHK_OK; KNHK_NOT_FOUND for an engine without a log; KNHK_IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_segments(
    engine: *const EngineHandle,
    sector: *const c_char,
    from: u64,
    limit: u64,
    segments: *mut *mut SegmentList,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let place = output(segments, "segments")?;
            let query = SegmentQuery {
                from,
                sector: optional_text(sector, "sector")?.map(Into::into),
                limit: (limit != 0).then_some(usize::try_from(limit).unwrap_or(usize::MAX)),
                ..SegmentQuery::default()
            };
            let mut texts = Texts::default();
            let found = engine.segments(&query)?;
            let items = found.iter().map(|segment| SegmentC {
                struct_size: size_of::<SegmentC>() as u32,
                reserved: 0,
                number: segment.number,
                sector: texts.keep(&segment.sector),
                first_ns: segment.first_ns,
                last_ns: segment.last_ns,
                count: segment.count,
                receipt: segment.receipt.unwrap_or(u64::MAX),
                root: segment.root,
            });
            let items = items.collect();
            ptr::write(place, give(SegmentList { items, _texts: texts }));
            Ok(())
        })
    }
}

/// How many segments a list has; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_segments_len(segments: *const SegmentList) -> usize {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::len(segments) }
}

/// A segment of a list; NULL beyond its end. Valid until the list is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_segments_at(segments: *const SegmentList, index: usize) -> *const SegmentC {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::at(segments, index) }
}

/// Frees a list of segments. NULL does nothing. Any thread; its items may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_segments_free(segments: *mut SegmentList) {
    // SAFETY: NULL or a live list, as documented.
    unsafe { free(segments) }
}

/// Proves that an observation was ingested.
///
/// `segment`, `index`: which one. `record`: receives its 64 bytes as they were signed. `proof`: receives the batch's statement, the
/// observation's place in it and the path to its root (CBOR). The program frees both with knhk_buffer_free.
/// Returns KNHK_OK; KNHK_NOT_FOUND also where retention dropped it; KNHK_CORRUPT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_prove_observation(
    engine: *const EngineHandle,
    segment: u64,
    index: u64,
    record: *mut *mut Buffer,
    proof: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let (record, proof) = (output(record, "record")?, output(proof, "proof")?);
            let proven = engine.prove_observation(segment, index)?;
            ptr::write(record, filled(proven.record));
            ptr::write(proof, filled(proven.proof));
            Ok(())
        })
    }
}

/// Checks that an observation was ingested by this engine's log.
///
/// `record`: `record_len` bytes. `proof`: `proof_len` bytes; both as knhk_prove_observation made them.
/// Returns KNHK_OK; KNHK_UNPROVEN where the proof does not show it; KNHK_INVALID_ARGUMENT for what is no proof.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_verify_observation(
    engine: *const EngineHandle,
    record: *const u8,
    record_len: usize,
    proof: *const u8,
    proof_len: usize,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            engine.verify_observation(bytes(record, record_len, "record")?, bytes(proof, proof_len, "proof")?)
        })
    }
}
