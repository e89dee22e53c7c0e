//! A thread's turn: take a run, call its callback for a slice, account for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::context::Context;
use super::notice::Notice;
use super::run::{Shared, Turn};
use super::slab::{Run, RunState};
use super::task::{self, Late, Registered, Step};
use crate::clock::nanoseconds;
use crate::counters::Counters;
use crate::mutant::{Mutant, mutated};
use crate::primitive::MutexGuard;
use crate::{Next, Priority};

impl Shared {
    /// The turn of a thread.
    pub(super) fn turn(&self, thread: usize) -> Turn {
        let open = || !self.paused.load(Relaxed) || self.stopping.load(Relaxed);
        if !open() {
            return Turn::Idle;
        }
        if let Some(next) = self.resting.next() {
            let now = self.clock.now_ns();
            while next <= now && self.rouse_due(now) {}
        }
        let held = self.is_held();
        let lowest = if held { Priority::Critical } else { Priority::Background };
        let Some(taken) = self.queues.take(thread, lowest, open) else {
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

    /// What a thread of the executor does after its turn.
    pub(crate) fn after(&self, turn: Turn) -> Next {
        match turn {
            Turn::Ran => {}
            Turn::Idle if self.stopping.load(Relaxed) => return Next::Stop,
            Turn::Idle | Turn::Held => self.sleep(turn),
        }
        Next::Continue
    }

    fn slice(&self, thread: usize, number: u32) {
        let slot = self.slab.slot(number);
        let began = self.clock.now_ns();
        let (task, context) = {
            let mut run = slot.lock();
            // A run that is over was cancelled while it waited.
            let Some(task) = run.task.clone().filter(|_| !run.state.is_over()) else {
                run.used = false;
                let task = self.slab.release(number, &mut run);
                drop(run);
                return drop(task);
            };
            run.state = RunState::Running;
            // Under the lock, as each change of the state is: who sees none running sees each run where it is then.
            if !mutated(Mutant::RunningLate) {
                self.running.fetch_add(1, Relaxed);
            }
            let (argument, deadline_ns) = (run.argument, run.deadline_ns);
            if run.slices == 0 && task.settings.late == Late::Drop && began > deadline_ns {
                drop(run);
                self.tell(Notice::Late { task: &task.name, by: Duration::from_nanos(began - deadline_ns), ran: false });
                self.end(number, slot.lock(), RunState::Expired, true);
                return task.tell_over(argument, RunState::Expired);
            }
            run.slices = run.slices.saturating_add(1);
            (task, (argument, run.slices - 1, deadline_ns))
        };
        if mutated(Mutant::RunningLate) {
            self.running.fetch_add(1, Relaxed);
        }
        let (argument, slice, deadline_ns) = context;
        let yield_at = began.saturating_add(nanoseconds(task.settings.budget));
        let context = Context { shared: self, slot, thread, task: &task, argument, slice, deadline_ns, yield_at };
        let step = catch_unwind(AssertUnwindSafe(|| (task.callback)(&context)));
        let now = self.clock.now_ns();
        let took = now.saturating_sub(began);
        self.account(&task, took);
        if mutated(Mutant::RunningEarly) {
            self.running.fetch_sub(1, Relaxed);
        }
        let late = now > deadline_ns;
        let goes_on = matches!(step, Ok(Step::Again | Step::After(_))) && {
            let run = slot.lock();
            // Under the lock: whoever cancels later finds it waiting, and a shutdown that gives up what rests finds it at rest.
            let rests = matches!(step, Ok(Step::After(_)));
            let ends = slot.cancelled.load(Relaxed) || rests && self.closed.load(Relaxed);
            if !ends {
                self.meter.worked(took, false);
                match step {
                    Ok(Step::After(pause)) if !run.woken => {
                        self.rest(run, number, now.saturating_add(nanoseconds(pause)))
                    }
                    _ => self.go_on(run, thread, number, &task),
                }
            }
            !ends
        };
        if goes_on {
            return;
        }
        let state = match step {
            Err(_) => RunState::Panicked,
            Ok(Step::Done) if !slot.cancelled.load(Relaxed) => RunState::Done,
            Ok(_) => RunState::Cancelled,
        };
        self.meter.worked(took, true);
        // First, so that whoever sees that it is over can have heard what there is to say of it.
        if state == RunState::Panicked {
            tracing::error!(name: "knhk.warm.run_panicked", task = &*task.name, "a task panicked; the others go on");
            self.tell(Notice::Panicked { task: &task.name });
        }
        if late {
            self.tell(Notice::Late { task: &task.name, by: Duration::from_nanos(now - deadline_ns), ran: true });
        }
        self.end(number, slot.lock(), state, late);
        task.tell_over(argument, state);
    }

    /// Under the run's lock: its callback has returned, if it was called.
    pub(super) fn leave(&self, run: &mut Run, to: RunState) {
        if run.state == RunState::Running && !mutated(Mutant::RunningEarly) {
            self.running.fetch_sub(1, Relaxed);
        }
        run.state = to;
    }

    /// A run rests until then.
    fn rest(&self, mut run: MutexGuard<'_, Run>, number: u32, until: u64) {
        self.leave(&mut run, RunState::Waiting);
        run.rests_until = Some(until);
        let is_next = self.resting.add(number, until);
        drop(run);
        // Another thread may have to wake up earlier than it meant to.
        if is_next {
            self.idle.notify_one();
        }
    }

    /// A run goes behind what waits at its level.
    fn go_on(&self, mut run: MutexGuard<'_, Run>, thread: usize, number: u32, task: &Registered) {
        self.leave(&mut run, RunState::Waiting);
        run.woken = false;
        let deadline_ns = run.deadline_ns;
        drop(run);
        self.queues.push(Some(thread), task.level(), deadline_ns, number);
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
}
