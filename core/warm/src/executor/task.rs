//! Tasks: callbacks that are registered once, and what is known of each.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::context::Context;
use super::run::Shared;
use super::{Refused, RunState, Ticket};
use crate::Priority;
use crate::clock::nanoseconds;

/// What a callback wants after a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is done.
    Done,
    /// It has more to do, and gives way: the run goes behind what waits at its level.
    Again,
    /// It has more to do, but not before so long by the executor's clock, or until [`Ticket::wake`]; [`Duration::MAX`]: only then. A run that rests
    /// keeps its place, is no load, and is cancelled at once when the executor shuts down.
    After(Duration),
}

/// What becomes of a run whose deadline has passed before it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Late {
    /// It runs all the same, and counts as late.
    #[default]
    Run,
    /// It is dropped.
    Drop,
}

/// A task's settings; the default is row W1 of the requirements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskSettings {
    /// Its level; one that overruns again and again is served below it.
    pub priority: Priority,
    /// What a slice, one call of the callback, may take. 1 ms.
    pub budget: Duration,
    /// What becomes of runs whose deadline has passed.
    pub late: Late,
}

impl Default for TaskSettings {
    fn default() -> TaskSettings {
        TaskSettings { priority: Priority::Normal, budget: Duration::from_millis(1), late: Late::Run }
    }
}

pub(super) type Callback = Box<dyn Fn(&Context<'_>) -> Step + Send + Sync>;
/// Is told of each run that is over: its argument, and how it ended.
pub(super) type Over = Box<dyn Fn(u64, RunState) + Send + Sync>;

/// Slices that are remembered for demotion.
const RECENT: u64 = 0xffff;
/// Overruns among them that cost a level.
const STRIKES: u32 = 4;
/// Slices in a row within the budget that give a level back.
const PROBATION: u32 = 64;

#[derive(Debug)]
struct Conduct {
    level: Priority,
    /// The latest slices, the newest lowest: a bit is set for an overrun.
    recent: u64,
    /// Slices since the level changed or the last overrun.
    clean: u32,
}

/// A change of level.
pub(super) enum Verdict {
    Same,
    Demoted(Priority, Priority),
    Restored(Priority, Priority),
}

pub(super) struct Registered {
    pub(super) name: Arc<str>,
    pub(super) settings: TaskSettings,
    pub(super) callback: Callback,
    over: Option<Over>,
    conduct: Mutex<Conduct>,
    runs: AtomicU64,
    slices: AtomicU64,
    overruns: AtomicU64,
    late: AtomicU64,
    busy_ns: AtomicU64,
    worst_ns: AtomicU64,
}

/// What is known of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskStats {
    /// Its name.
    pub name: Arc<str>,
    /// The level that it was given.
    pub priority: Priority,
    /// The level that it is served at.
    pub level: Priority,
    /// Runs that ended.
    pub runs: u64,
    /// Calls of its callback.
    pub slices: u64,
    /// Calls that took longer than the budget.
    pub overruns: u64,
    /// Runs that were dropped or ended after their deadline.
    pub late: u64,
    /// What the budget is.
    pub budget: Duration,
    /// What its slices took, all together.
    pub busy: Duration,
    /// The longest slice.
    pub worst: Duration,
}

impl Registered {
    pub(super) fn new(name: &str, settings: TaskSettings, callback: Callback, over: Option<Over>) -> Registered {
        let conduct = Mutex::new(Conduct { level: settings.priority, recent: 0, clean: 0 });
        let (runs, slices, overruns, late, busy_ns, worst_ns) = Default::default();
        Registered {
            name: name.into(),
            settings,
            callback,
            over,
            conduct,
            runs,
            slices,
            overruns,
            late,
            busy_ns,
            worst_ns,
        }
    }

    pub(super) fn level(&self) -> Priority {
        self.conduct.lock().unwrap_or_else(PoisonError::into_inner).level
    }

    /// Takes what a slice took; tells whether it overran, and what that does to its level.
    pub(super) fn account(&self, took_ns: u64) -> (bool, Verdict) {
        let overran = took_ns > nanoseconds(self.settings.budget);
        self.slices.fetch_add(1, Relaxed);
        self.overruns.fetch_add(u64::from(overran), Relaxed);
        self.busy_ns.fetch_add(took_ns, Relaxed);
        self.worst_ns.fetch_max(took_ns, Relaxed);
        let mut conduct = self.conduct.lock().unwrap_or_else(PoisonError::into_inner);
        conduct.recent = conduct.recent << 1 | u64::from(overran);
        conduct.clean = if overran { 0 } else { conduct.clean.saturating_add(1) };
        let level = conduct.level;
        let index = level as usize;
        let next = if (conduct.recent & RECENT).count_ones() >= STRIKES && index > 0 {
            Priority::ALL[index - 1]
        } else if conduct.clean >= PROBATION && level < self.settings.priority {
            Priority::ALL[index + 1]
        } else {
            return (overran, Verdict::Same);
        };
        *conduct = Conduct { level: next, recent: 0, clean: 0 };
        (overran, if next < level { Verdict::Demoted(level, next) } else { Verdict::Restored(level, next) })
    }

    pub(super) fn ended(&self, late: bool) {
        self.runs.fetch_add(1, Relaxed);
        self.late.fetch_add(u64::from(late), Relaxed);
    }

    /// Tells that a run is over, without any lock: whoever hears it may submit, cancel, or drop what it likes.
    pub(super) fn tell_over(&self, argument: u64, state: RunState) {
        if let Some(over) = &self.over
            && catch_unwind(AssertUnwindSafe(|| over(argument, state))).is_err()
        {
            tracing::error!(name: "knhk.warm.over_panicked", task = &*self.name, "what hears that a run is over panicked");
        }
    }

    pub(super) fn stats(&self) -> TaskStats {
        TaskStats {
            name: self.name.clone(),
            priority: self.settings.priority,
            level: self.level(),
            runs: self.runs.load(Relaxed),
            slices: self.slices.load(Relaxed),
            overruns: self.overruns.load(Relaxed),
            late: self.late.load(Relaxed),
            budget: self.settings.budget,
            busy: Duration::from_nanos(self.busy_ns.load(Relaxed)),
            worst: Duration::from_nanos(self.worst_ns.load(Relaxed)),
        }
    }
}

/// A registered task; a clone is the same task. It stays known to its executor's statistics until the last clone is dropped.
#[derive(Clone)]
pub struct Task {
    pub(super) registered: Arc<Registered>,
    pub(super) shared: Arc<Shared>,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").field(&self.registered.name).finish()
    }
}

impl Task {
    /// Queues a run with an argument, which is the callback's own affair. It neither waits nor allocates.
    ///
    /// # Errors
    /// [`Refused`]: there is no place, or the executor has ended.
    pub fn submit(&self, argument: u64) -> Result<Ticket, Refused> {
        self.shared.submit(&self.registered, argument, u64::MAX, None)
    }

    /// [`Task::submit`] with a deadline, by the executor's clock: at one level the earliest deadline is served first.
    ///
    /// # Errors
    /// As [`Task::submit`].
    pub fn submit_by(&self, argument: u64, deadline_ns: u64) -> Result<Ticket, Refused> {
        self.shared.submit(&self.registered, argument, deadline_ns, None)
    }

    /// What is known of it.
    pub fn stats(&self) -> TaskStats {
        self.registered.stats()
    }
}
