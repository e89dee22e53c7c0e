//! Detectors of the program's own: a watch of which the ontology says knhk:detector "callback:NAME" is judged by the one of that name.

use std::ffi::{CString, c_char, c_void};
use std::ptr;
use std::sync::Arc;

use knhk_engine::Status;
use knhk_engine::autonomic::{Custom, Sample, Score};

use super::not_there;
use crate::call::on_engine;
use crate::callback::{Callback, Destroy, Kept, asked, registered};
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::observations::CountsC;
use crate::text::{c_string, null, text};
use crate::versioned::Versioned;

/// What was recorded of the watched kind in one sample's time.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SampleC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// When it begins, in nanoseconds since 1970 (UTC).
    pub from_ns: u64,
    /// When it ends.
    pub to_ns: u64,
    /// How many records, and how they ended.
    pub counts: CountsC,
    /// The watch's measure; NaN where it has none, or there is nothing to compute it of.
    pub value: f64,
}

/// What a detector says of a sample.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ScoreC {
    /// The detector's own figure: the more, the more unusual.
    pub statistic: f64,
    /// 1 - the probability of such a statistic while nothing changed, from 0 to 1. The watch says from which confidence on it is told.
    pub confidence: f64,
    /// What was expected.
    pub expected: f64,
}

/// A kind of detector. Set `struct_size` to sizeof(knhk_detector_t).
///
/// The functions are called on a thread of the loop, one call at a time. They may call the engine back, also to close it. What starts, stops or
/// steps the loop, and what asks for its knowledge, is refused with KNHK_BUSY: a turn waits for them. What comes later than the loop's `deadline_ms`
/// is not used. They must not throw, and not end the thread. What they remember is the program's to keep: they begin anew after a restart.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct DetectorC {
    /// sizeof(knhk_detector_t).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Passed to the functions.
    pub ctx: *mut c_void,
    /// NULL, or makes the state of one detector, for a sector's watch. Valid texts until it returns.
    pub begin:
        Option<unsafe extern "C" fn(ctx: *mut c_void, sector: *const c_char, watch: *const c_char) -> *mut c_void>,
    /// Judges the next sample and returns 0. `state`: what `begin` made, or NULL. `score`: receives what it says; left as it is while there
    /// were too few samples to judge by. Or returns another number and writes why as NUL-terminated UTF-8 to `why`, where there is room
    /// for `why_size` bytes.
    pub observe: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            state: *mut c_void,
            sample: *const SampleC,
            score: *mut ScoreC,
            why: *mut c_char,
            why_size: usize,
        ) -> i32,
    >,
    /// NULL, or called exactly once for each state that `begin` made, on any thread.
    pub end: Option<unsafe extern "C" fn(ctx: *mut c_void, state: *mut c_void)>,
    /// NULL, or called exactly once, when none of the functions will be called any more: also when the call fails, unless `struct_size` is
    /// one that the library does not know. On any thread.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for DetectorC {
    const NAME: &'static str = "knhk_detector_t";
}

impl Callback for DetectorC {
    fn context(&self) -> (*mut c_void, Destroy) {
        (self.ctx, self.destroy)
    }
}

/// One detector at work.
struct AtWork {
    kind: Arc<Kept<DetectorC>>,
    state: *mut c_void,
}

// SAFETY: as for the kind, of which the state is a part.
unsafe impl Send for AtWork {}

impl AtWork {
    fn begin(kind: Arc<Kept<DetectorC>>, sector: &str, watch: &str) -> AtWork {
        let (sector, watch): (CString, CString) = (c_string(sector), c_string(watch));
        let state = kind.callback.begin.map_or(ptr::null_mut(), |begin| {
            // SAFETY: as the program promised; the texts live until it returns.
            unsafe { begin(kind.at(), sector.as_ptr(), watch.as_ptr()) }
        });
        AtWork { kind, state }
    }
}

impl Custom for AtWork {
    fn observe(&mut self, sample: &Sample) -> Result<Option<Score>, String> {
        let kind = &*self.kind;
        let Some(observe) = kind.callback.observe else { return Err("there is no function to observe".into()) };
        let given = SampleC {
            struct_size: size_of::<SampleC>() as u32,
            reserved: 0,
            from_ns: sample.from_ns,
            to_ns: sample.to_ns,
            counts: sample.counts.into(),
            value: sample.value.unwrap_or(f64::NAN),
        };
        let mut score = ScoreC { statistic: f64::NAN, confidence: f64::NAN, expected: f64::NAN };
        asked(|why, room| {
            // SAFETY: as the program promised; what is pointed to lives until it returns.
            unsafe { observe(kind.at(), self.state, &given, &mut score, why, room) }
        })?;
        let ScoreC { statistic, confidence, expected } = score;
        if confidence.is_nan() {
            return Ok(None);
        }
        if !(0.0..=1.0).contains(&confidence) {
            return Err(format!("its confidence is {confidence}, which is not between 0 and 1"));
        }
        Ok(Some(Score { statistic, confidence, expected }))
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        if let (Some(end), Some(_)) = (self.kind.callback.end, self.kind.callback.begin) {
            // SAFETY: made by `begin`, and ended once.
            unsafe { end(self.kind.at(), self.state) }
        }
    }
}

/// Adds a kind of detector to an engine's loop, for the watches that name it.
///
/// `name`: what stands behind callback: in the ontology. `detector`: taken over, whatever is returned.
/// Returns KNHK_OK; KNHK_ALREADY_EXISTS where the name is taken; KNHK_STRUCT_SIZE; KNHK_NULL_ARGUMENT also where `observe` is NULL. Any
/// thread. Until it is added, a watch that names it finds nothing, which knhk_loop_status says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_detector_add(
    engine: *const EngineHandle,
    name: *const c_char,
    detector: *const DetectorC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        registered(engine, detector, err, |engine, kept| {
            let name = text(name, "name")?;
            kept.callback.observe.ok_or_else(|| null("observe"))?;
            let kind = Arc::new(kept);
            let make = move |sector: &str, watch: &str| -> Box<dyn Custom> {
                Box::new(AtWork::begin(kind.clone(), sector, watch))
            };
            engine.add_detector(name, Arc::new(make))
        })
    }
}

/// Removes a kind of detector; watches that name it find nothing from then on.
///
/// Returns KNHK_OK; KNHK_NOT_FOUND. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_detector_remove(
    engine: *const EngineHandle,
    name: *const c_char,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let name = text(name, "name")?;
            if engine.remove_detector(name) { Ok(()) } else { Err(not_there("detector", name)) }
        })
    }
}
