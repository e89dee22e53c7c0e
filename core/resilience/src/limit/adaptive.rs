//! A limit on calls at once that finds itself.

use std::sync::atomic::{AtomicU64 as Plain, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use super::law::Law;
use crate::clock::Clock;
use crate::counters::Counters;
use crate::error::{InvalidSetting, Rejected};
use crate::outcome::Outcome;
use crate::primitive::Apart;
use crate::scope::Scope;

/// Batches between two measurements of R₀.
const PROBE_EVERY: u32 = 40;
/// The calls of a batch: so many limits, and at least so many. The halved limit drains within one of it.
const CRUISE: (u64, u64) = (3, 100);
const DRAIN: (u64, u64) = (2, 10);
const MEASURE: (u64, u64) = (12, 300);
/// A measurement moves R₀ by this share, unless they differ so much that the callee has become another one.
const LEARNED: f64 = 0.5;
/// A batch or a measurement is beyond chance when it differs by this factor.
const SIGNIFICANT: f64 = 2.0;
/// Below this share of the limit a batch says nothing about a higher one.
const USED: f64 = 0.5;
/// A batch with drops takes the limit down by this factor.
const BACKOFF: f64 = 0.9;

/// An admitted call.
#[derive(Debug)]
#[must_use = "the ticket must be given back with `Adaptive::leave`"]
pub struct Ticket {
    started_ns: u64,
}

impl Ticket {
    /// One word, for a language that cannot hold a Rust value.
    pub fn into_raw(self) -> u64 {
        self.started_ns
    }

    /// The ticket of [`Ticket::into_raw`].
    pub fn from_raw(started_ns: u64) -> Ticket {
        Ticket { started_ns }
    }
}

/// What one thread at a time knows.
#[derive(Clone, Copy, Debug)]
struct Course {
    law: Law,
    limit: f64,
    lowest: f64,
    highest: f64,
    /// R₀ in nanoseconds; none yet.
    unloaded: Option<f64>,
    slow_start: bool,
    /// Batches until R₀ is measured again.
    until_probe: u32,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Cruising,
    /// The limit is halved and the queue drains.
    Draining,
    /// The limit is halved and R₀ is measured.
    Measuring,
}

/// Admits as many calls at once as the callee takes without queueing, and learns how many those are from what calls take.
///
/// From cold it doubles its limit with each batch until calls queue (slow start), and then follows its [`Law`]. A batch is three times
/// as many calls as the limit, at least 100. A call that ends as [`Outcome::Failure`] counts as a drop (a time-out, a refusal by the
/// callee): a batch with drops takes the limit down by a tenth. Admission is one exchange; the batch's last call does the arithmetic,
/// and nobody waits for it.
#[derive(Debug)]
pub struct Adaptive {
    taken: Apart<Plain>,
    limit: Plain,
    /// Calls that end the batch.
    batch_calls: Plain,
    batch: Apart<Batch>,
    course: Mutex<Course>,
    clock: Arc<dyn Clock>,
    scope: Scope,
}

/// What the calls of a batch took. Its numbers are not taken at one instant: a call that ends while the batch is closed may add its
/// time to one batch and itself to the next, which a hundred calls and more outweigh.
#[derive(Debug, Default)]
struct Batch {
    calls: Plain,
    total_ns: Plain,
    drops: Plain,
    most_taken: Plain,
}

impl Adaptive {
    /// A limit that starts at `initial` and stays within `lowest` and `highest`: 1 ≤ lowest ≤ initial ≤ highest ≤ 1,000,000.
    ///
    /// # Errors
    /// [`InvalidSetting`] when they are not, or the law's parameters are out of their ranges.
    pub fn new(law: Law, initial: u32, lowest: u32, highest: u32, scope: &Scope) -> Result<Adaptive, InvalidSetting> {
        law.check()?;
        check(lowest, highest)?;
        InvalidSetting::unless((lowest..=highest).contains(&initial), "initial", initial, "lowest to highest")?;
        let course = Course {
            law,
            limit: f64::from(initial),
            lowest: f64::from(lowest),
            highest: f64::from(highest),
            unloaded: None,
            slow_start: true,
            until_probe: PROBE_EVERY,
            phase: Phase::Cruising,
        };
        Ok(Adaptive {
            taken: Apart::default(),
            limit: Plain::new(u64::from(initial)),
            batch_calls: Plain::new(course.batch_calls(u64::from(initial))),
            batch: Apart::default(),
            course: Mutex::new(course),
            clock: scope.clock().clone(),
            scope: scope.clone(),
        })
    }

    /// Changes the law and the bounds; the limit moves into them at once and goes on from there.
    ///
    /// # Errors
    /// [`InvalidSetting`] when the bounds are not in order, or the law's parameters out of their ranges. Nothing was changed.
    pub fn retune(&self, law: Law, lowest: u32, highest: u32) -> Result<(), InvalidSetting> {
        law.check()?;
        check(lowest, highest)?;
        let mut course = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = course.limit.clamp(f64::from(lowest), f64::from(highest));
        let until_probe = PROBE_EVERY;
        *course = Course {
            law,
            limit,
            lowest: lowest.into(),
            highest: highest.into(),
            phase: Phase::Cruising,
            until_probe,
            ..*course
        };
        self.batch_calls.store(course.batch_calls(limit.round() as u64), Relaxed);
        self.limit.store(limit.round() as u64, Relaxed);
        Ok(())
    }

    /// The law, and the lowest and the highest limit, at present.
    pub fn settings(&self) -> (Law, u32, u32) {
        let course = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        (course.law, course.lowest as u32, course.highest as u32)
    }

    /// The limit at present; halved while R₀ is measured.
    pub fn limit(&self) -> u32 {
        self.limit.load(Relaxed) as u32
    }

    /// Calls under way.
    pub fn taken(&self) -> u32 {
        self.taken.0.load(Relaxed) as u32
    }

    /// Admits a call, without waiting.
    ///
    /// # Errors
    /// [`Rejected::Overloaded`].
    pub fn try_enter(&self) -> Result<Ticket, Rejected> {
        let limit = self.limit.load(Relaxed);
        match self.taken.0.fetch_update(Relaxed, Relaxed, |taken| (taken < limit).then_some(taken + 1)) {
            Ok(taken) => {
                if taken + 1 > self.batch.0.most_taken.load(Relaxed) {
                    self.batch.0.most_taken.fetch_max(taken + 1, Relaxed);
                }
                Ok(Ticket { started_ns: self.clock.now_ns() })
            }
            Err(_) => {
                Counters::count(&self.scope.counters().adaptive_rejected);
                Err(Rejected::Overloaded { limit: limit as u32 })
            }
        }
    }

    /// Takes the call's outcome, and what it took.
    pub fn leave(&self, ticket: Ticket, outcome: Outcome) {
        let took = self.clock.now_ns().saturating_sub(ticket.started_ns);
        let _ = self.taken.0.fetch_update(Relaxed, Relaxed, |taken| taken.checked_sub(1));
        let batch = &self.batch.0;
        match outcome {
            Outcome::Success => {
                batch.total_ns.fetch_add(took, Relaxed);
            }
            Outcome::Failure => {
                batch.drops.fetch_add(1, Relaxed);
            }
            Outcome::Ignored => return,
        }
        let calls = batch.calls.fetch_add(1, Relaxed) + 1;
        if calls >= self.batch_calls.load(Relaxed) {
            self.close_batch();
        }
    }

    /// Ends the batch, unless somebody else is at it.
    #[cold]
    fn close_batch(&self) {
        let mut course = match self.course.try_lock() {
            Ok(course) => course,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let batch = &self.batch.0;
        if batch.calls.load(Relaxed) < self.batch_calls.load(Relaxed) {
            return; // Somebody else has just ended it.
        }
        let calls = batch.calls.swap(0, Relaxed);
        let drops = batch.drops.swap(0, Relaxed).min(calls);
        let total = batch.total_ns.swap(0, Relaxed);
        let most = batch.most_taken.swap(0, Relaxed);
        let mean = (calls > drops).then(|| total as f64 / (calls - drops) as f64);
        let next = course.after(mean.map(|mean| mean.max(1.0)), drops > 0, most as f64).round() as u64;
        self.batch_calls.store(course.batch_calls(next), Relaxed);
        if self.limit.swap(next, Relaxed) != next {
            Counters::count(&self.scope.counters().adaptive_changes);
        }
    }
}

fn check(lowest: u32, highest: u32) -> Result<(), InvalidSetting> {
    InvalidSetting::unless((1..=highest).contains(&lowest), "lowest", lowest, "at least 1 and at most the highest")?;
    InvalidSetting::unless(highest <= 1_000_000, "highest", highest, "at most 1,000,000")
}

impl Course {
    /// The calls of a batch of this phase at that limit.
    fn batch_calls(&self, limit: u64) -> u64 {
        let (limits, least) = match self.phase {
            Phase::Cruising => CRUISE,
            Phase::Draining => DRAIN,
            Phase::Measuring => MEASURE,
        };
        (limits * limit).max(least)
    }

    /// The limit after a batch whose calls took `mean` nanoseconds, of which some were dropped, and of which at most `most` were under way.
    fn after(&mut self, mean: Option<f64>, dropped: bool, most: f64) -> f64 {
        let halved = (self.limit / 2.0).max(self.lowest);
        match (self.phase, mean) {
            (Phase::Draining, _) => {
                self.phase = Phase::Measuring;
                return halved;
            }
            (Phase::Measuring, mean) => {
                self.unloaded = match (self.unloaded, mean) {
                    (Some(old), Some(new)) if is_another(old, new) => Some(new),
                    (Some(old), Some(new)) => Some(old + LEARNED * (new - old)),
                    (old, new) => new.or(old),
                };
                self.phase = Phase::Cruising;
                self.until_probe = PROBE_EVERY;
                return self.limit;
            }
            (Phase::Cruising, _) => {}
        }
        if dropped {
            self.slow_start = false;
            self.limit = (self.limit * BACKOFF).max(self.lowest);
        } else if let Some(mean) = mean {
            let unloaded = match self.unloaded {
                Some(old) if mean * SIGNIFICANT > old && !(self.slow_start && mean < old) => old,
                _ => mean,
            };
            self.unloaded = Some(unloaded);
            let ratio = unloaded / mean;
            let used = most >= self.limit * USED;
            self.slow_start &= !self.law.queues(self.limit, ratio);
            let next = if self.slow_start { self.limit * 2.0 } else { self.law.next(self.limit, ratio) };
            if used || next < self.limit {
                self.limit = next.clamp(self.lowest, self.highest);
            }
        }
        self.until_probe = self.until_probe.saturating_sub(1);
        if self.until_probe == 0 && !self.slow_start {
            self.phase = Phase::Draining;
            return (self.limit / 2.0).max(self.lowest);
        }
        self.until_probe = self.until_probe.max(1);
        self.limit
    }
}

/// Whether two means differ beyond chance.
fn is_another(old: f64, new: f64) -> bool {
    old.max(new) > SIGNIFICANT * old.min(new)
}
