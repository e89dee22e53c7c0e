//! Degradation: features that are switched off in steps as the load rises, and on again, later, as it falls.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, nanoseconds};
use crate::counters::Counters;
use crate::error::InvalidSetting;
use crate::event::Change;
use crate::scope::Scope;

/// When a level is entered and left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// It is entered when the load has been at least this for `enter_after`.
    pub enter: f64,
    /// It is left when the load has been below this for `leave_after`; at most `enter`.
    pub leave: f64,
    /// How long the load must have been high.
    pub enter_after: Duration,
    /// How long the load must have been low.
    pub leave_after: Duration,
}

/// One step of degradation.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// What people call it.
    pub name: String,
    /// When it is entered and left.
    pub thresholds: Thresholds,
    /// The features that are off in this level and all further ones, by their name.
    pub off: Vec<String>,
}

/// A feature of a program, as [`Degradation::feature`] finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Feature(u8);

/// What one thread at a time knows.
#[derive(Debug)]
struct Course {
    /// Of each level.
    thresholds: Vec<Thresholds>,
    /// 0 is full service.
    level: usize,
    /// The level that holds whatever the load is.
    pinned: Option<usize>,
    /// Since when the load has been high enough for the next level, or low enough for the one before.
    rising_since: Option<u64>,
    falling_since: Option<u64>,
}

/// Degradation levels, for any number of threads; whether a feature is on is one load.
#[derive(Debug)]
pub struct Degradation {
    levels: Vec<Level>,
    features: Vec<String>,
    /// For each level from full service on, a bit for each feature that is off.
    masks: Vec<u64>,
    off: AtomicU64,
    level: AtomicU64,
    course: Mutex<Course>,
    clock: Arc<dyn Clock>,
    scope: Scope,
    name: Arc<str>,
}

impl Feature {
    /// Its number in its degradation, for a language that cannot hold a Rust value.
    pub fn into_raw(self) -> u32 {
        self.0.into()
    }

    /// The feature of [`Feature::into_raw`]; a number that is none is a feature that is always on.
    pub fn from_raw(number: u32) -> Feature {
        Feature(number.min(64) as u8)
    }
}

impl Degradation {
    /// Full service, and the levels in the order in which they are entered: thresholds must not fall from one to the next. At most 64
    /// features.
    ///
    /// # Errors
    /// [`InvalidSetting`] names what is out of order.
    pub fn new(name: &str, levels: Vec<Level>, scope: &Scope) -> Result<Degradation, InvalidSetting> {
        let (mut features, mut masks): (Vec<String>, _) = (Vec::new(), vec![0]);
        let thresholds: Vec<Thresholds> = levels.iter().map(|level| level.thresholds).collect();
        check(&thresholds)?;
        for level in &levels {
            let mut mask = masks.last().copied().unwrap_or(0);
            for off in &level.off {
                let known = features.iter().position(|feature| feature == off);
                let at = known.unwrap_or(features.len());
                if known.is_none() {
                    features.push(off.clone());
                }
                InvalidSetting::unless(at < 64, "off", off, "one of at most 64 features")?;
                mask |= 1 << at;
            }
            masks.push(mask);
        }
        let course = Course { thresholds, level: 0, pinned: None, rising_since: None, falling_since: None };
        Ok(Degradation {
            levels,
            features,
            masks,
            off: AtomicU64::new(0),
            level: AtomicU64::new(0),
            course: Mutex::new(course),
            clock: scope.clock().clone(),
            scope: scope.clone(),
            name: name.into(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The levels, with their thresholds at present.
    pub fn levels(&self) -> Vec<Level> {
        let course = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        let with = |(level, thresholds): (&Level, &Thresholds)| Level { thresholds: *thresholds, ..level.clone() };
        self.levels.iter().zip(&course.thresholds).map(with).collect()
    }

    /// The features that are off at present.
    pub fn off(&self) -> Vec<String> {
        let off = self.off.load(Relaxed);
        self.features.iter().enumerate().filter(|(at, _)| off & 1 << at != 0).map(|(_, name)| name.clone()).collect()
    }

    /// Changes the thresholds of the levels, in their order; what has lasted so far counts on.
    ///
    /// # Errors
    /// [`InvalidSetting`] when they are out of order, or not as many as there are levels. Nothing was changed.
    pub fn retune(&self, thresholds: &[Thresholds]) -> Result<(), InvalidSetting> {
        check(thresholds)?;
        let (given, levels) = (thresholds.len(), self.levels.len());
        InvalidSetting::unless(given == levels, "thresholds", given, "as many as there are levels")?;
        self.course.lock().unwrap_or_else(PoisonError::into_inner).thresholds = thresholds.to_vec();
        Ok(())
    }

    /// The feature of that name; None when no level switches it.
    pub fn feature(&self, name: &str) -> Option<Feature> {
        self.features.iter().position(|feature| feature == name).map(|at| Feature(at as u8))
    }

    /// Whether the feature is on: one load.
    #[inline]
    pub fn is_on(&self, feature: Feature) -> bool {
        self.off.load(Relaxed).checked_shr(feature.0.into()).unwrap_or(0) & 1 == 0
    }

    /// The level at present: 0 is full service, n is the n-th level.
    pub fn level(&self) -> usize {
        self.level.load(Relaxed) as usize
    }

    /// Its name; None in full service.
    pub fn level_name(&self) -> Option<&str> {
        let level = self.levels.get(self.level().checked_sub(1)?)?;
        Some(&level.name)
    }

    /// Tells the load. The level moves by at most one step, up or down; the thresholds' durations run anew for the step after.
    pub fn load(&self, load: f64) {
        let now = self.clock.now_ns();
        let mut guard = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        let course = &mut *guard;
        let reached = |since: &mut Option<u64>, holds: bool, after: Duration| {
            *since = holds.then(|| since.unwrap_or(now));
            since.is_some_and(|since| now.saturating_sub(since) >= nanoseconds(after))
        };
        let next = course.thresholds.get(course.level);
        let up = next.is_some_and(|next| reached(&mut course.rising_since, load >= next.enter, next.enter_after));
        let this = course.level.checked_sub(1).and_then(|at| course.thresholds.get(at));
        let down = this.is_some_and(|this| reached(&mut course.falling_since, load < this.leave, this.leave_after));
        let level = if up { course.level + 1 } else { course.level - usize::from(down) };
        if level != course.level && course.pinned.is_none() {
            self.enter(course, level, now);
        }
    }

    /// Holds a level whatever the load is, or lets go: then the load decides again from that level on. One beyond the last is the last.
    pub fn pin(&self, level: Option<usize>) {
        let now = self.clock.now_ns();
        let mut course = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        course.pinned = level.map(|level| level.min(self.levels.len()));
        if let Some(level) = course.pinned.filter(|level| *level != course.level) {
            self.enter(&mut course, level, now);
        }
    }

    fn enter(&self, course: &mut Course, level: usize, now: u64) {
        let from = std::mem::replace(&mut course.level, level);
        (course.rising_since, course.falling_since) = (None, None);
        self.off.store(self.masks[level], Relaxed);
        self.level.store(level as u64, Relaxed);
        Counters::count(&self.scope.counters().degradation_changes);
        let name = |level: usize| match level.checked_sub(1).and_then(|at| self.levels.get(at)) {
            Some(level) => level.name.as_str().into(),
            None => Arc::from("full service"),
        };
        self.scope.announce(
            &self.name,
            now,
            Change::Degradation { from: name(from), to: name(level), off: self.off() },
        );
    }
}

fn check(thresholds: &[Thresholds]) -> Result<(), InvalidSetting> {
    for Thresholds { enter, leave, .. } in thresholds {
        let holds = *leave > 0.0 && leave <= enter;
        InvalidSetting::unless(holds, "leave", leave, "above 0 and at most the load at which the level is entered")?;
    }
    let rises = thresholds.is_sorted_by(|level, next| level.enter <= next.enter && level.leave <= next.leave);
    InvalidSetting::unless(rises, "thresholds", thresholds, "never lower than those of the level before")
}
