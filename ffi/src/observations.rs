//! Observations that the engine takes out of the rings by itself, where the option `observations` asks for it: what they add up to, how
//! service level objectives stand, and each one kept under a receipt.

use std::ffi::c_char;
use std::ptr;

use knhk_engine::Status;
use knhk_engine::observation::{Counts, Figures};

use crate::call::on_engine;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give};
use crate::list::{self, List};
use crate::text::{Texts, output, text};
use crate::versioned::{Output, Versioned};

/// How many observations, and how they ended.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CountsC {
    /// All of them.
    pub count: u64,
    /// By KNHK_UNSPECIFIED, KNHK_SUCCESS, KNHK_REJECTED, KNHK_FAILED, KNHK_TIMED_OUT.
    pub outcomes: [u64; 5],
    /// Those with a code of the program's own.
    pub own: u64,
    /// Those whose value is not of the type or range that the ontology declares.
    pub mismatched: u64,
}

impl From<Counts> for CountsC {
    fn from(counts: Counts) -> CountsC {
        let Counts { count, outcomes, own, mismatched, .. } = counts;
        CountsC { count, outcomes, own, mismatched }
    }
}

/// What a window's observations add up to. NaN where there is no data.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FiguresC {
    /// Seconds that they are over: the window, or less while it is not full.
    pub seconds: f64,
    /// How many.
    pub counts: CountsC,
    /// Observations a second.
    pub rate: f64,
    /// The share of those whose outcome is not success, in %.
    pub failure_share: f64,
    /// The values' sum.
    pub sum: f64,
    /// Their mean.
    pub mean: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The median; quantiles are within 1 %.
    pub p50: f64,
    /// The 90th percentile.
    pub p90: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The 99.9th percentile.
    pub p999: f64,
}

impl From<&Figures> for FiguresC {
    fn from(figures: &Figures) -> FiguresC {
        let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
        FiguresC {
            seconds: figures.seconds,
            counts: figures.counts.into(),
            rate: figures.rate,
            failure_share: or_nan(figures.failure_share),
            sum: or_nan(figures.sum),
            mean: or_nan(figures.mean),
            min: or_nan(figures.min),
            max: or_nan(figures.max),
            p50: or_nan(figures.p50),
            p90: or_nan(figures.p90),
            p99: or_nan(figures.p99),
            p999: or_nan(figures.p999),
        }
    }
}

/// What the observations under a key, of a kind, add up to.
#[repr(C)]
pub struct SeriesC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The key's path; NULL for what came beyond the limit of series, which is added up together.
    pub key: *const c_char,
    /// The kind, where the ontology declares one; else NULL.
    pub kind: *const c_char,
    /// What the values are counted in, where it says so; else NULL.
    pub unit: *const c_char,
    /// The window that ends now.
    pub window: FiguresC,
    /// Since the engine was opened.
    pub total: CountsC,
}

/// Aggregates, as of one moment.
pub struct SeriesList {
    items: Vec<SeriesC>,
    _texts: Texts,
}

impl Kind for SeriesList {
    const NAME: &'static str = "list of aggregates";
    const MAGIC: u64 = 0x6b6e_686b_6167_6701;
}

impl List for SeriesList {
    type Item = SeriesC;

    fn items(&self) -> &[SeriesC] {
        &self.items
    }
}

/// Tells what a sector's observations add up to, by key and kind.
///
/// `aggregates`: receives the list, which the program frees with knhk_aggregates_free.
/// Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_NOT_READY for an engine that was opened without the option `observations`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_aggregates(
    engine: *const EngineHandle,
    sector: *const c_char,
    aggregates: *mut *mut SeriesList,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let place = output(aggregates, "aggregates")?;
            let mut texts = Texts::default();
            let series = engine.aggregates(text(sector, "sector")?)?;
            let items = series.iter().map(|series| SeriesC {
                struct_size: size_of::<SeriesC>() as u32,
                reserved: 0,
                key: texts.keep_some(series.key.as_deref()),
                kind: texts.keep_some(series.kind.as_deref()),
                unit: texts.keep_some(series.unit.as_deref()),
                window: (&series.window).into(),
                total: series.total.into(),
            });
            let items = items.collect();
            ptr::write(place, give(SeriesList { items, _texts: texts }));
            Ok(())
        })
    }
}

/// How many aggregates a list has; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_aggregates_len(aggregates: *const SeriesList) -> usize {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::len(aggregates) }
}

/// An aggregate of a list; NULL beyond its end. Valid until the list is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_aggregates_at(aggregates: *const SeriesList, index: usize) -> *const SeriesC {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::at(aggregates, index) }
}

/// Frees a list of aggregates. NULL does nothing. Any thread; its items may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_aggregates_free(aggregates: *mut SeriesList) {
    // SAFETY: NULL or a live list, as documented.
    unsafe { free(aggregates) }
}

/// The objective holds.
pub const KNHK_MET: u32 = 1;
/// The objective is broken.
pub const KNHK_BROKEN: u32 = 2;

/// How a service level objective stands.
#[repr(C)]
pub struct ObjectiveC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// KNHK_MET, KNHK_BROKEN, or 0 where there is no data or no limit.
    pub state: u32,
    /// Its name in the sector.
    pub name: *const c_char,
    /// The kind that it is about.
    pub kind: *const c_char,
    /// What is computed: "failure_share", "p99" and so on.
    pub aggregate: *const c_char,
    /// The parameter that is the limit.
    pub parameter: *const c_char,
    /// "at most" or "at least", as the ontology names it.
    pub bound: *const c_char,
    /// The window, in seconds.
    pub window_s: u32,
    /// 0.
    pub reserved: u32,
    /// The limit as it is now; NaN for none.
    pub limit: f64,
    /// The value now; NaN for none.
    pub value: f64,
    /// How much of what is allowed is used up: above 1 the objective is broken; NaN for none.
    pub burn: f64,
    /// All figures of the kind in the objective's window.
    pub figures: FiguresC,
}

/// Objectives, as of one moment.
pub struct ObjectiveList {
    items: Vec<ObjectiveC>,
    _texts: Texts,
}

impl Kind for ObjectiveList {
    const NAME: &'static str = "list of objectives";
    const MAGIC: u64 = 0x6b6e_686b_6f62_6a01;
}

impl List for ObjectiveList {
    type Item = ObjectiveC;

    fn items(&self) -> &[ObjectiveC] {
        &self.items
    }
}

/// Tells how a sector's service level objectives stand.
///
/// `objectives`: receives the list, which the program frees with knhk_objectives_free. Returns what knhk_aggregates returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_objectives(
    engine: *const EngineHandle,
    sector: *const c_char,
    objectives: *mut *mut ObjectiveList,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let place = output(objectives, "objectives")?;
            let mut texts = Texts::default();
            let states = engine.objectives(text(sector, "sector")?)?;
            let items = states.iter().map(|now| ObjectiveC {
                struct_size: size_of::<ObjectiveC>() as u32,
                state: now.met.map_or(0, |met| if met { KNHK_MET } else { KNHK_BROKEN }),
                name: texts.keep(&now.objective.name),
                kind: texts.keep(&now.objective.kind),
                aggregate: texts.keep(now.objective.aggregate.as_str()),
                parameter: texts.keep(&now.objective.parameter),
                bound: texts.keep(bound(now.objective.bound)),
                window_s: now.objective.window_s,
                reserved: 0,
                limit: now.objective.limit.unwrap_or(f64::NAN),
                value: now.value.unwrap_or(f64::NAN),
                burn: now.burn.unwrap_or(f64::NAN),
                figures: (&now.figures).into(),
            });
            let items = items.collect();
            ptr::write(place, give(ObjectiveList { items, _texts: texts }));
            Ok(())
        })
    }
}

fn bound(bound: knhk_engine::observation::Bound) -> &'static str {
    match bound {
        knhk_engine::observation::Bound::AtMost => "at most",
        knhk_engine::observation::Bound::AtLeast => "at least",
    }
}

/// How many objectives a list has; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_objectives_len(objectives: *const ObjectiveList) -> usize {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::len(objectives) }
}

/// An objective of a list; NULL beyond its end. Valid until the list is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_objectives_at(objectives: *const ObjectiveList, index: usize) -> *const ObjectiveC {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::at(objectives, index) }
}

/// Frees a list of objectives. NULL does nothing. Any thread; its items may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_objectives_free(objectives: *mut ObjectiveList) {
    // SAFETY: NULL or a live list, as documented.
    unsafe { free(objectives) }
}

/// Waits until what the rings hold now is durable under receipts: what was accepted before is not lost in a crash.
///
/// Returns KNHK_OK; KNHK_NOT_READY as knhk_aggregates; KNHK_IO where it cannot be stored now: it is kept, and tried again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_observations_flush(engine: *mut EngineHandle, err: *mut *mut ErrorHandle) -> Status {
    // SAFETY: as documented.
    unsafe { on_engine(engine, err, |engine| engine.flush_observations()) }
}

/// Figures of what drains the rings, since the engine was opened. Set `struct_size` to sizeof(knhk_observe_stats_t) before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ObserveStatsC {
    /// sizeof(knhk_observe_stats_t); on return, how much of this struct the library knows.
    pub struct_size: u32,
    /// 1 while observations cannot be stored.
    pub failing: u32,
    /// Observations taken out of the rings.
    pub drained: u64,
    /// Observations that are durable under a receipt.
    pub persisted: u64,
    /// Observations that were refused, as receipts state it.
    pub refused: u64,
    /// Of those, the ones that belong to no sector.
    pub unattributed: u64,
    /// Observations that could not be stored until the end.
    pub lost: u64,
    /// Segments that are durable under a receipt.
    pub segments: u64,
    /// Bytes of their content as it was stored.
    pub stored_bytes: u64,
    /// Segments whose observations retention dropped.
    pub pruned: u64,
    /// Bytes of observations that are held, 64 each.
    pub held_bytes: u64,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for ObserveStatsC {
    const NAME: &'static str = "knhk_observe_stats_t";
}

/// Tells the figures of what drains the rings.
///
/// `stats`: receives them. Returns KNHK_OK; KNHK_STRUCT_SIZE; KNHK_NOT_READY as knhk_aggregates.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_observe_stats(
    engine: *const EngineHandle,
    stats: *mut ObserveStatsC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let place = Output::new(output(stats, "stats")?)?;
            let now = engine.observe_stats()?;
            place.write(ObserveStatsC {
                struct_size: 0,
                failing: now.failing.is_some().into(),
                drained: now.drained,
                persisted: now.persisted,
                refused: now.refused,
                unattributed: now.unattributed,
                lost: now.lost,
                segments: now.segments,
                stored_bytes: now.stored_bytes,
                pruned: now.pruned,
                held_bytes: now.held_bytes,
            });
            Ok(())
        })
    }
}
