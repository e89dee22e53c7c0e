//! A thread's turn: take a run, call its callback for a slice, account for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst, fence};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::context::Context;
use super::hot::HotBudget;
use super::load::{self, Load, Meter};
use super::notice::Notice;
use super::queue::Queues;
use super::slab::{Run, RunState, Slab, Ticket};
use super::task::{self, Late, Registered, Step};
use super::{Observer, Refused};
use crate::Priority;
use crate::clock::{Clock, nanoseconds};
use crate::counters::Counters;

/// How often a thread looks whether the hot path has come back to its budget, or a waiting caller whether its time is over.
const LOOK: Duration = Duration::from_millis(1);

/// What an executor's threads and callers share.
pub(super) struct Shared {
    pub(super) slab: Slab,
    pub(super) queues: Queues,
    pub(super) meter: Meter,
    pub(super) counters: Counters,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) hot: Option<Arc<dyn HotBudget>>,
    pub(super) observer: Option<Observer>,
    pub(super) tasks: Mutex<Vec<Weak<Registered>>>,
    /// Threads, at least one: without any the caller is it.
    pub(super) threads: usize,
    pub(super) paused: AtomicBool,
    /// Nothing is taken any more.
    pub(super) closed: AtomicBool,
    /// What is there is given up.
    pub(super) stopping: AtomicBool,
    /// Runs that are not over.
    pub(super) pending: AtomicUsize,
    /// Runs whose callback is being called.
    pub(super) running: AtomicUsize,
    sleepers: AtomicUsize,
    idle: Mutex<()>,
    wake: Condvar,
    waiters: AtomicUsize,
    over: Mutex<()>,
    ended: Condvar,
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
        let (paused, closed, stopping, pending, running, sleepers, waiters) = Default::default();
        Shared {
            slab: Slab::new(capacity),
            queues: Queues::new(threads),
            meter: Meter::new(capacity, horizon),
            counters: Counters::default(),
            clock,
            hot,
            observer,
            tasks: Mutex::default(),
            threads: threads.max(1),
            paused,
            closed,
            stopping,
            pending,
            running,
            sleepers,
            idle: Mutex::default(),
            wake: Condvar::new(),
            waiters,
            over: Mutex::default(),
            ended: Condvar::new(),
        }
    }

    pub(super) fn submit(
        self: &Arc<Shared>,
        task: &Arc<Registered>,
        argument: u64,
        deadline_ns: u64,
        thread: Option<usize>,
    ) -> Result<Ticket, Refused> {
        let refused = if self.closed.load(SeqCst) { Some(Refused::Ended) } else { None };
        let placed = refused.map_or_else(|| self.slab.place(task, argument, deadline_ns).ok_or(Refused::Full), Err);
        self.meter.arrived();
        let slot = placed.inspect_err(|_| Counters::count(&self.counters.refused))?;
        Counters::count(&self.counters.submitted);
        self.pending.fetch_add(1, SeqCst);
        let ticket = Ticket { slot, shared: self.clone() };
        self.queues.push(thread, task.level(), deadline_ns, slot);
        self.wake_one();
        // Whoever gave up what waits may have looked before this one was there.
        if self.stopping.load(SeqCst) {
            self.cancel(slot);
        }
        self.judge();
        Ok(ticket)
    }

    /// Threads that may begin usual work.
    fn workers(&self) -> usize {
        if self.paused.load(Relaxed) || self.is_held() { 0 } else { self.threads }
    }

    pub(super) fn load(&self) -> Load {
        self.meter.read(self.clock.now_ns(), self.slab.taken(), self.workers())
    }

    fn judge(&self) {
        match self.meter.judge(self.clock.now_ns(), self.slab.taken(), self.workers()) {
            load::Verdict::Same => {}
            load::Verdict::Overload(load) => {
                Counters::count(&self.counters.overloads);
                tracing::warn!(name: "knhk.warm.overload", queued = load.queued, "{load}");
                self.tell(Notice::Overload(load));
            }
            load::Verdict::Over(load) => self.tell(Notice::OverloadOver(load)),
        }
    }

    fn tell(&self, notice: Notice<'_>) {
        tracing::debug!(name: "knhk.warm.notice", "{notice}");
        if let Some(observer) = &self.observer
            && catch_unwind(AssertUnwindSafe(|| observer(&notice))).is_err()
        {
            tracing::error!(name: "knhk.warm.observer_panicked", "an executor's observer panicked; it is told the next notice");
        }
    }

    /// Whether the hot path is over its budget. An executor that gives up asks no more.
    pub(super) fn is_held(&self) -> bool {
        self.hot.as_ref().is_some_and(|hot| hot.exceeded()) && !self.stopping.load(Relaxed)
    }

    /// The turn of a thread.
    pub(super) fn turn(&self, thread: usize) -> Turn {
        if self.paused.load(SeqCst) && !self.stopping.load(SeqCst) {
            return Turn::Idle;
        }
        let held = self.is_held();
        let lowest = if held { Priority::Critical } else { Priority::Background };
        let Some(taken) = self.queues.take(thread, lowest) else {
            if held && self.queues.waiting() > 0 {
                Counters::count(&self.counters.held);
                return Turn::Held;
            }
            return Turn::Idle;
        };
        if taken.stolen {
            Counters::count(&self.counters.stolen);
        }
        self.slice(thread, taken.slot);
        self.judge();
        Turn::Ran
    }

    fn slice(&self, thread: usize, number: u32) {
        let slot = self.slab.slot(number);
        let began = self.clock.now_ns();
        let (task, context) = {
            let mut run = slot.lock();
            // A run that is over was cancelled while it waited.
            let Some(task) = run.task.clone().filter(|_| !run.state.is_over()) else {
                run.used = false;
                return self.slab.release(number, &mut run);
            };
            if run.slices == 0 && task.settings.late == Late::Drop && began > run.deadline_ns {
                let by = Duration::from_nanos(began - run.deadline_ns);
                self.end(number, run, RunState::Expired, true);
                return self.tell(Notice::Late { task: &task.name, by, ran: false });
            }
            run.state = RunState::Running;
            run.slices = run.slices.saturating_add(1);
            (task, (run.argument, run.slices - 1, run.deadline_ns))
        };
        let (argument, slice, deadline_ns) = context;
        let yield_at = began.saturating_add(nanoseconds(task.settings.budget));
        let context = Context { shared: self, slot, thread, task: &task, argument, slice, deadline_ns, yield_at };
        self.running.fetch_add(1, SeqCst);
        let step = catch_unwind(AssertUnwindSafe(|| (task.callback)(&context)));
        self.running.fetch_sub(1, SeqCst);
        let now = self.clock.now_ns();
        let took = now.saturating_sub(began);
        self.account(&task, took);
        let state = match step {
            Err(_) => RunState::Panicked,
            Ok(_) if slot.cancelled.load(SeqCst) => RunState::Cancelled,
            Ok(Step::Done) => RunState::Done,
            Ok(Step::Again) => {
                self.meter.worked(took, false);
                slot.lock().state = RunState::Waiting;
                self.queues.push(Some(thread), task.level(), deadline_ns, number);
                // Whoever gave up what waits may have looked before this one did.
                if self.stopping.load(SeqCst) {
                    self.cancel(number);
                }
                return;
            }
        };
        self.meter.worked(took, true);
        let late = now > deadline_ns;
        self.end(number, slot.lock(), state, late);
        if state == RunState::Panicked {
            tracing::error!(name: "knhk.warm.run_panicked", task = &*task.name, "a task panicked; the others go on");
            self.tell(Notice::Panicked { task: &task.name });
        }
        if late {
            self.tell(Notice::Late { task: &task.name, by: Duration::from_nanos(now - deadline_ns), ran: true });
        }
    }

    fn account(&self, task: &Registered, took_ns: u64) {
        Counters::count(&self.counters.slices);
        let (overran, verdict) = task.account(took_ns);
        let name = &*task.name;
        if overran {
            Counters::count(&self.counters.overruns);
            let (took, budget) = (Duration::from_nanos(took_ns), task.settings.budget);
            self.tell(Notice::Overrun { task: name, took, budget });
        }
        match verdict {
            task::Verdict::Same => {}
            task::Verdict::Demoted(from, to) => {
                Counters::count(&self.counters.demotions);
                tracing::warn!(name: "knhk.warm.demoted", task = name, "{}", Notice::Demoted { task: name, from, to });
                self.tell(Notice::Demoted { task: name, from, to });
            }
            task::Verdict::Restored(from, to) => {
                Counters::count(&self.counters.restorations);
                self.tell(Notice::Restored { task: name, from, to });
            }
        }
    }

    /// A run that a queue or a thread had is over.
    fn end(&self, number: u32, mut run: std::sync::MutexGuard<'_, Run>, state: RunState, late: bool) {
        run.state = state;
        run.used = false;
        if let Some(task) = &run.task {
            task.ended(late);
        }
        self.slab.release(number, &mut run);
        self.count_end(state, late);
        drop(run);
        self.tell_waiters();
    }

    /// Under the run's lock: who sees that it is over sees it counted.
    fn count_end(&self, state: RunState, late: bool) {
        let counters = &self.counters;
        match state {
            RunState::Done => Counters::count(&counters.done),
            RunState::Cancelled => Counters::count(&counters.cancelled),
            RunState::Expired => Counters::count(&counters.expired),
            RunState::Panicked => Counters::count(&counters.panicked),
            RunState::Waiting | RunState::Running => {}
        }
        if late && state != RunState::Expired {
            Counters::count(&counters.late);
        }
        self.pending.fetch_sub(1, SeqCst);
    }

    /// Without a run's lock: who waits takes those while it holds its own.
    fn tell_waiters(&self) {
        fence(SeqCst);
        if self.waiters.load(SeqCst) > 0 {
            drop(self.over.lock().unwrap_or_else(PoisonError::into_inner));
            self.ended.notify_all();
        }
    }

    /// Cancels what is in a place; whether something there was not over. Its queue still has it, and finds it over.
    pub(super) fn cancel(&self, number: u32) -> bool {
        let slot = self.slab.slot(number);
        let mut run = slot.lock();
        if run.task.is_none() || run.state.is_over() {
            return false;
        }
        slot.cancelled.store(true, SeqCst);
        if run.state == RunState::Waiting {
            run.state = RunState::Cancelled;
            if let Some(task) = &run.task {
                task.ended(false);
            }
            self.count_end(RunState::Cancelled, false);
            drop(run);
            self.tell_waiters();
        }
        true
    }

    /// Cancels everything.
    pub(super) fn cancel_all(&self) {
        (0..self.slab.all().len() as u32).for_each(|number| _ = self.cancel(number));
    }

    fn wake_one(&self) {
        if self.sleepers.load(SeqCst) > 0 {
            drop(self.idle.lock().unwrap_or_else(PoisonError::into_inner));
            self.wake.notify_one();
        }
    }

    /// Has each thread look again.
    pub(super) fn wake_all(&self) {
        drop(self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake.notify_all();
    }

    /// Waits until there may be something to do, or, while the hot path holds the executor back, for a moment.
    pub(super) fn sleep(&self, turn: Turn) {
        let guard = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        self.sleepers.fetch_add(1, SeqCst);
        let work = !self.paused.load(SeqCst) && self.queues.has(Priority::Background);
        if turn == Turn::Held {
            drop(self.wake.wait_timeout(guard, LOOK));
        } else if !work && !self.stopping.load(SeqCst) {
            drop(self.wake.wait(guard));
        }
        self.sleepers.fetch_sub(1, SeqCst);
    }

    /// Waits until something holds, at most for `timeout`; it is looked at whenever a run is over.
    pub(super) fn wait_until(&self, timeout: Duration, holds: impl Fn() -> bool) {
        let until = self.clock.now_ns().saturating_add(nanoseconds(timeout));
        self.waiters.fetch_add(1, SeqCst);
        fence(SeqCst);
        let mut guard = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        while !holds() && self.clock.now_ns() < until {
            // The clock may be another than the one that this waits by.
            guard = self.ended.wait_timeout(guard, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
        self.waiters.fetch_sub(1, SeqCst);
    }
}
