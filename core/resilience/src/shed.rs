//! Load shedding: what matters least is refused first.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::counters::Counters;
use crate::error::{InvalidSetting, Rejected};
use crate::scope::Scope;
use knhk_warm::Priority;

/// The load at which calls of each priority are shed, from background to critical; 1 is the capacity.
pub type Thresholds = [f32; 5];

/// Background from 0.6 on, low from 0.75, normal from 0.9, high from 1, critical from 1.5.
pub const DEFAULT: Thresholds = [0.6, 0.75, 0.9, 1.0, 1.5];

/// Refuses calls whose priority is below what the load leaves room for. Whoever measures the load says it: the share of a queue's
/// room, of the processors, of an adaptive limit. A priority that is being shed is admitted again when the load is a tenth below its
/// threshold, so that a load at a threshold does not flutter. Admission is one load.
#[derive(Debug)]
pub struct Shedder {
    /// Floats' bits, read when a load is told.
    thresholds: [AtomicU32; 5],
    /// The load's bits (32), and the number of priorities that are shed, which are the lowest ones (8).
    now: AtomicU64,
    scope: Scope,
}

/// What the load must fall below, relative to a threshold, before a shed priority is admitted again.
const HYSTERESIS: f32 = 0.9;

impl Shedder {
    /// A shedder at load 0. Thresholds must be above zero and must not fall from one priority to the next.
    ///
    /// # Errors
    /// [`InvalidSetting`] when they do.
    pub fn new(thresholds: Thresholds, scope: &Scope) -> Result<Shedder, InvalidSetting> {
        check(&thresholds)?;
        let thresholds = thresholds.map(|threshold| AtomicU32::new(threshold.to_bits()));
        Ok(Shedder { thresholds, now: AtomicU64::new(0), scope: scope.clone() })
    }

    /// Changes the thresholds; the next load is judged by them.
    ///
    /// # Errors
    /// [`InvalidSetting`] when they fall from one priority to the next, or one is not above zero.
    pub fn retune(&self, thresholds: Thresholds) -> Result<(), InvalidSetting> {
        check(&thresholds)?;
        for (at, threshold) in self.thresholds.iter().zip(thresholds) {
            at.store(threshold.to_bits(), Relaxed);
        }
        Ok(())
    }

    /// The thresholds at present.
    pub fn thresholds(&self) -> Thresholds {
        self.thresholds.each_ref().map(|threshold| f32::from_bits(threshold.load(Relaxed)))
    }

    /// The load that was told last.
    pub fn last_load(&self) -> f32 {
        f32::from_bits(self.now.load(Relaxed) as u32)
    }

    /// Tells the load; what is not a number counts as none.
    pub fn load(&self, load: f32) {
        let load = if load.is_nan() { 0.0 } else { load.max(0.0) };
        let _ = self.now.fetch_update(Relaxed, Relaxed, |now| {
            let shed_now = (now >> 32) as usize;
            let sheds = |(priority, at): (usize, &AtomicU32)| {
                let threshold = f32::from_bits(at.load(Relaxed));
                load >= if priority < shed_now { threshold * HYSTERESIS } else { threshold }
            };
            // Counted from the highest that is shed, so that those below it are too, whatever hysteresis says of them.
            let shed = self.thresholds.iter().enumerate().rev().find(|entry| sheds(*entry)).map_or(0, |(at, _)| at + 1);
            Some((shed as u64) << 32 | u64::from(load.to_bits()))
        });
    }

    /// The lowest priority that is admitted; None when none is.
    pub fn admits(&self) -> Option<Priority> {
        Priority::ALL.get((self.now.load(Relaxed) >> 32) as usize).copied()
    }

    /// Admits a call or sheds it.
    ///
    /// # Errors
    /// [`Rejected::Shed`].
    #[inline]
    pub fn try_enter(&self, priority: Priority) -> Result<(), Rejected> {
        let now = self.now.load(Relaxed);
        if priority as u64 >= now >> 32 {
            return Ok(());
        }
        Counters::count(&self.scope.counters().shed);
        Err(Rejected::Shed { priority, load: f32::from_bits(now as u32) })
    }
}

fn check(thresholds: &Thresholds) -> Result<(), InvalidSetting> {
    let holds = thresholds.is_sorted() && thresholds.iter().all(|threshold| *threshold > 0.0);
    InvalidSetting::unless(holds, "thresholds", thresholds, "above 0, and never lower for a higher priority")
}
