//! Figures of an engine since it was opened.

use std::mem::offset_of;
use std::ptr;
use std::time::Duration;

use knhk_engine::Status;

use crate::call::on_engine;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::text::output;
use crate::versioned::{Output, Versioned};

/// Figures, as of one moment. Set `struct_size` to sizeof(knhk_stats_t) before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct StatsC {
    /// sizeof(knhk_stats_t); on return, how much of this struct the library knows.
    pub struct_size: u32,
    /// 1 where readers fence for themselves, else 0.
    pub fence_mode: u32,
    /// Sectors.
    pub sectors: u64,
    /// Promotions that became current, rollbacks included.
    pub promotions: u64,
    /// Promotions and rollbacks that were refused.
    pub refused: u64,
    /// Changes that subscribers missed because they fell behind.
    pub missed_changes: u64,
    /// The newest generation.
    pub epoch: u64,
    /// Readers registered.
    pub readers: u64,
    /// Readers whose thread ended without unregistering them.
    pub reaped: u64,
    /// Generations retired and not yet freed.
    pub retained_roots: u64,
    /// Bytes that only those keep.
    pub retained_bytes: u64,
    /// Reads that found nothing of their type.
    pub cold_reads: u64,
    /// Observations drained.
    pub observed: u64,
    /// Observations refused because a ring was full.
    pub dropped: u64,
    /// Heavy barriers issued.
    pub reclaim_batches: u64,
    /// Generations freed.
    pub reclaimed_roots: u64,
    /// Bytes of the pool of roots.
    pub pool_bytes: u64,
    /// Stored versions that were damaged and passed over when the engine was opened.
    pub damaged_versions: u64,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for StatsC {
    const NAME: &'static str = "knhk_stats_t";
    const SIZES: &'static [usize] = &[offset_of!(StatsC, damaged_versions), size_of::<StatsC>()];
}

/// Tells the figures of an engine.
///
/// `stats`: receives them. Returns KNHK_OK or KNHK_STRUCT_SIZE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_stats(
    engine: *const EngineHandle,
    stats: *mut StatsC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let place = Output::new(output(stats, "stats")?)?;
            let stats = engine.stats();
            place.write(StatsC {
                struct_size: 0,
                fence_mode: stats.hot.fence_mode.into(),
                sectors: stats.sectors,
                promotions: stats.promotions,
                refused: stats.refused,
                missed_changes: stats.missed_changes,
                epoch: stats.hot.epoch,
                readers: stats.hot.readers as u64,
                reaped: stats.hot.reaped,
                retained_roots: stats.hot.retained_roots as u64,
                retained_bytes: stats.hot.retained_bytes,
                cold_reads: stats.hot.cold_reads,
                observed: stats.hot.observed,
                dropped: stats.hot.dropped,
                reclaim_batches: stats.hot.reclaim_batches,
                reclaimed_roots: stats.hot.reclaimed_roots,
                pool_bytes: stats.hot.pool_bytes,
                damaged_versions: stats.damaged_versions,
            });
            Ok(())
        })
    }
}

/// Tells what an operation of the hot path took, or the mean of a batch of them. While the mean of what was told is beyond
/// `hot_budget_ns` of the engine's options, its own work but the most urgent waits, and so do executors that were made known with
/// knhk_engine_add_executor and have no `hot` of their own; for 10 ms after the latest report at most. A few loads and stores; a report in a
/// thousand operations is enough.
///
/// `took_ns`: in nanoseconds. Returns KNHK_OK. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_hot_report(
    engine: *const EngineHandle,
    took_ns: u64,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            engine.report_hot(Duration::from_nanos(took_ns));
            Ok(())
        })
    }
}

/// Tells the mean of what knhk_hot_report was told, the latest weighing an eighth.
///
/// `mean_ns`: receives it, in nanoseconds; 0 where nothing was told. Returns KNHK_OK. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_hot_mean(
    engine: *const EngineHandle,
    mean_ns: *mut u64,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let place = output(mean_ns, "mean_ns")?;
            ptr::write(place, u64::try_from(engine.hot_mean().as_nanos()).unwrap_or(u64::MAX));
            Ok(())
        })
    }
}
