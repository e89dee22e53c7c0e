//! What an executor's threads and callers share, and how a run comes in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use super::hot::HotBudget;
use super::load::{self, Load, Meter};
use super::notice::Notice;
use super::queue::Queues;
use super::rest::Resting;
use super::slab::{Slab, Ticket};
use super::task::Registered;
use super::{Observer, Refused};
use crate::clock::Clock;
use crate::counters::Counters;
use crate::event_count::EventCount;
use crate::mutant::{Mutant, mutated};
use crate::primitive::{AtomicBool, AtomicUsize};

/// How often a thread looks whether the hot path has come back to its budget, or a waiting caller whether its time is over.
pub(super) const LOOK: Duration = Duration::from_millis(1);

/// What an executor's threads and callers share.
pub(super) struct Shared {
    pub(super) slab: Slab,
    pub(super) queues: Queues,
    pub(super) resting: Resting,
    pub(super) meter: Meter,
    pub(super) counters: Counters,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) hot: OnceLock<Arc<dyn HotBudget>>,
    pub(super) observer: Option<Observer>,
    pub(super) tasks: Mutex<Vec<Weak<Registered>>>,
    /// Threads, at least one: without any the caller is it.
    pub(super) threads: usize,
    pub(super) paused: AtomicBool,
    /// Nothing is taken any more.
    pub(super) closed: AtomicBool,
    /// What is there is given up.
    pub(super) stopping: AtomicBool,
    /// Runs that are not over; like a run's state changed under its lock.
    pub(super) pending: AtomicUsize,
    /// Runs whose callback is being called, likewise.
    pub(super) running: AtomicUsize,
    /// Threads wait for something to do.
    pub(super) idle: EventCount,
    /// Callers wait for the end of runs.
    pub(super) over: EventCount,
}

/// What came of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// A run had a slice, or was found to be over.
    Ran,
    /// There is nothing to run.
    Idle,
    /// There is, but the hot path is over its budget.
    Held,
}

impl Shared {
    pub(super) fn new(settings: super::Settings, clock: Arc<dyn Clock>) -> Shared {
        let super::Settings { threads, capacity, horizon, hot, observer, .. } = settings;
        let (paused, closed, stopping, pending, running, idle, over) = Default::default();
        Shared {
            slab: Slab::new(capacity),
            queues: Queues::new(threads),
            resting: Resting::new(capacity),
            meter: Meter::new(capacity, horizon),
            counters: Counters::default(),
            clock,
            hot: hot.map_or_else(OnceLock::new, OnceLock::from),
            observer,
            tasks: Mutex::default(),
            threads: threads.max(1),
            paused,
            closed,
            stopping,
            pending,
            running,
            idle,
            over,
        }
    }

    pub(super) fn submit(
        self: &Arc<Shared>,
        task: &Arc<Registered>,
        argument: u64,
        deadline_ns: u64,
        thread: Option<usize>,
    ) -> Result<Ticket, Refused> {
        let refused = if self.closed.load(Relaxed) { Some(Refused::Ended) } else { None };
        let placed = || {
            self.pending.fetch_add(1, Relaxed);
            Counters::count(&self.counters.submitted);
        };
        let place = || self.slab.place(task, argument, deadline_ns, placed).ok_or(Refused::Full);
        let placed = refused.map_or_else(place, Err);
        self.meter.arrived();
        let slot = placed.inspect_err(|_| Counters::count(&self.counters.refused))?;
        let ticket = Ticket { slot, shared: self.clone() };
        self.queues.push(thread, task.level(), deadline_ns, slot);
        if !mutated(Mutant::SubmitUntold) {
            self.idle.notify_one();
        }
        // Whoever gave up what waits may have looked before this one was there: then the lock of the place made that known here.
        if self.stopping.load(Relaxed) && !mutated(Mutant::StoppingUnseen) {
            self.cancel(slot);
        }
        self.judge();
        Ok(ticket)
    }

    /// Runs that have a place and do not rest.
    fn queued(&self) -> usize {
        self.slab.taken().saturating_sub(self.resting.count())
    }

    /// Threads that may begin usual work.
    fn workers(&self) -> usize {
        if self.paused.load(Relaxed) || self.is_held() { 0 } else { self.threads }
    }

    pub(super) fn load(&self) -> Load {
        self.meter.read(self.clock.now_ns(), self.queued(), self.workers())
    }

    pub(super) fn judge(&self) {
        match self.meter.judge(self.clock.now_ns(), self.queued(), self.workers()) {
            load::Verdict::Same => {}
            load::Verdict::Overload(load) => {
                Counters::count(&self.counters.overloads);
                tracing::warn!(name: "knhk.warm.overload", queued = load.queued, "{load}");
                self.tell(Notice::Overload(load));
            }
            load::Verdict::Over(load) => self.tell(Notice::OverloadOver(load)),
        }
    }

    pub(super) fn tell(&self, notice: Notice<'_>) {
        tracing::debug!(name: "knhk.warm.notice", "{notice}");
        if let Some(observer) = &self.observer
            && catch_unwind(AssertUnwindSafe(|| observer(&notice))).is_err()
        {
            tracing::error!(name: "knhk.warm.observer_panicked", "an executor's observer panicked; it is told the next notice");
        }
    }

    /// Whether the hot path is over its budget. An executor that gives up asks no more.
    pub(super) fn is_held(&self) -> bool {
        self.hot.get().is_some_and(|hot| hot.exceeded()) && !self.stopping.load(Relaxed)
    }
}
