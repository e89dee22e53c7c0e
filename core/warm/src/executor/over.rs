//! What becomes of a run between its slices and at its end, and who is told: rests, wake-ups, cancellations, ends.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::run::{LOOK, Shared, Turn};
use super::slab::{Run, RunState};
use crate::Priority;
use crate::clock::nanoseconds;
use crate::counters::Counters;
use crate::mutant::{Mutant, mutated};
use crate::primitive::MutexGuard;

impl Shared {
    /// Queues a run whose rest is over; whether there was one.
    pub(super) fn rouse_due(&self, now: u64) -> bool {
        let Some((until, number)) = self.resting.due(now) else { return false };
        let run = self.slab.slot(number).lock();
        // Somebody else may have been faster, and the place may be another run's by now.
        if run.rests_until == Some(until) {
            self.rouse(run, number);
        }
        true
    }

    /// A run that rests goes on.
    fn rouse(&self, mut run: MutexGuard<'_, Run>, number: u32) {
        let Some(until) = run.rests_until.take() else { return };
        self.resting.remove(number, until);
        let (level, deadline_ns) = (run.task.as_ref().map(|task| task.level()), run.deadline_ns);
        drop(run);
        self.queues.push(None, level.unwrap_or(Priority::Normal), deadline_ns, number);
        if !mutated(Mutant::RestUntold) {
            self.idle.notify_one();
        }
    }

    /// Has a run go on that rests, or is about to; whether it was not over.
    pub(super) fn wake(&self, number: u32) -> bool {
        let mut run = self.slab.slot(number).lock();
        if run.task.is_none() || run.state.is_over() {
            return false;
        }
        if run.rests_until.is_some() {
            self.rouse(run, number);
        } else if run.state == RunState::Running && !mutated(Mutant::WakeLost) {
            run.woken = true;
        }
        true
    }

    /// A run that a queue or a thread had is over.
    pub(super) fn end(&self, number: u32, mut run: MutexGuard<'_, Run>, state: RunState, late: bool) {
        self.leave(&mut run, state);
        run.used = false;
        if let Some(task) = &run.task {
            task.ended(late);
        }
        let task = self.slab.release(number, &mut run);
        if !mutated(Mutant::CountedLate) {
            self.count_end(state, late);
        }
        drop(run);
        if mutated(Mutant::CountedLate) {
            self.count_end(state, late);
        }
        drop(task);
        if !mutated(Mutant::EndUntold) {
            self.over.notify_all();
        }
    }

    /// Under the run's lock: who sees that it is over sees it counted.
    pub(super) fn count_end(&self, state: RunState, late: bool) {
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
        self.pending.fetch_sub(1, Relaxed);
    }

    /// Cancels what is in a place; whether something there was not over. Its queue, where it is in one, still has it, and finds it over.
    pub(super) fn cancel(&self, number: u32) -> bool {
        self.cancel_if(number, |_| true)
    }

    fn cancel_if(&self, number: u32, which: impl Fn(&Run) -> bool) -> bool {
        let slot = self.slab.slot(number);
        let mut run = slot.lock();
        if run.task.is_none() || run.state.is_over() || !which(&run) {
            return false;
        }
        slot.cancelled.store(true, Relaxed);
        if run.state == RunState::Waiting {
            run.state = RunState::Cancelled;
            let (task, argument) = (run.task.clone(), run.argument);
            if let Some(task) = &task {
                task.ended(false);
            }
            self.count_end(RunState::Cancelled, false);
            let mut released = None;
            if let Some(until) = run.rests_until.take() {
                self.resting.remove(number, until);
                if !mutated(Mutant::RestStays) {
                    run.used = false;
                    released = self.slab.release(number, &mut run);
                }
            }
            drop(run);
            drop(released);
            if !mutated(Mutant::CancelUntold) {
                self.over.notify_all();
            }
            if let Some(task) = task {
                task.tell_over(argument, RunState::Cancelled);
            }
        }
        true
    }

    /// Cancels everything.
    pub(super) fn cancel_all(&self) {
        (0..self.slab.all().len() as u32).for_each(|number| _ = self.cancel(number));
    }

    /// Cancels what rests.
    pub(super) fn cancel_resting(&self) {
        let rests = |run: &Run| run.rests_until.is_some();
        (0..self.slab.all().len() as u32).for_each(|number| _ = self.cancel_if(number, rests));
    }

    /// Has each thread look again.
    pub(super) fn wake_all(&self) {
        self.idle.notify_all();
    }

    /// Waits until there may be something to do, or, while the hot path holds the executor back, for a moment.
    pub(super) fn sleep(&self, turn: Turn) {
        let mut slept = false;
        self.idle.wait(|| {
            if turn == Turn::Held {
                return if std::mem::replace(&mut slept, true) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(Some(LOOK))
                };
            }
            if self.stopping.load(Relaxed) {
                return ControlFlow::Break(());
            }
            if self.paused.load(Relaxed) {
                return ControlFlow::Continue(None);
            }
            if self.queues.has(Priority::Background) {
                return ControlFlow::Break(());
            }
            let Some(next) = self.resting.next() else { return ControlFlow::Continue(None) };
            match next.saturating_sub(self.clock.now_ns()) {
                0 => ControlFlow::Break(()),
                pause => ControlFlow::Continue(Some(Duration::from_nanos(pause))),
            }
        });
    }

    /// Waits until something holds, at most for `timeout`; it is looked at whenever a run is over.
    pub(super) fn wait_until(&self, timeout: Duration, holds: impl Fn() -> bool) {
        let until = self.clock.now_ns().saturating_add(nanoseconds(timeout));
        self.over.wait(|| {
            if holds() || self.clock.now_ns() >= until {
                return ControlFlow::Break(());
            }
            // The clock may be another than the one that this waits by.
            ControlFlow::Continue(Some(LOOK))
        });
    }
}
