//! Runs: places that are made once and used again and again, and tickets for those who want to know.

use std::fmt;
use std::sync::atomic::AtomicU64 as Plain;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crossbeam_queue::ArrayQueue;

use super::run::Shared;
use super::task::Registered;
use crate::primitive::{AtomicBool, Mutex, MutexGuard};

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It waits for its turn, or rests between two slices.
    Waiting,
    /// Its callback is being called.
    Running,
    /// It came to its end.
    Done,
    /// It was cancelled, or given up when the executor ended.
    Cancelled,
    /// Its deadline had passed before it began, and its task drops such runs.
    Expired,
    /// Its callback panicked.
    Panicked,
}

impl RunState {
    /// Whether nothing more happens to it.
    pub fn is_over(self) -> bool {
        !matches!(self, RunState::Waiting | RunState::Running)
    }
}

/// What a run is at present.
pub(super) struct Run {
    pub(super) state: RunState,
    /// None: the place is free.
    pub(super) task: Option<Arc<Registered>>,
    pub(super) argument: u64,
    pub(super) slices: u32,
    pub(super) deadline_ns: u64,
    /// Whether there is a ticket.
    pub(super) held: bool,
    /// Whether a queue or a thread has it, or it rests.
    pub(super) used: bool,
    /// Until when it rests, by the executor's clock.
    pub(super) rests_until: Option<u64>,
    /// Whether it was woken while it ran.
    pub(super) woken: bool,
}

pub(super) struct Slot {
    run: Mutex<Run>,
    pub(super) cancelled: AtomicBool,
    /// What the callback keeps from slice to slice.
    pub(super) progress: Plain,
}

impl Slot {
    pub(super) fn lock(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All places of an executor.
pub(super) struct Slab {
    slots: Box<[Slot]>,
    free: ArrayQueue<u32>,
}

impl Slab {
    pub(super) fn new(capacity: usize) -> Slab {
        let free = ArrayQueue::new(capacity);
        let slot = |number: usize| {
            free.push(number as u32).expect("there is a place in it for each slot");
            let state = RunState::Done;
            let run = Run {
                state,
                task: None,
                argument: 0,
                slices: 0,
                deadline_ns: 0,
                held: false,
                used: false,
                rests_until: None,
                woken: false,
            };
            Slot { run: Mutex::new(run), cancelled: AtomicBool::new(false), progress: Plain::new(0) }
        };
        let slots = (0..capacity).map(slot).collect();
        Slab { slots, free }
    }

    pub(super) fn slot(&self, number: u32) -> &Slot {
        &self.slots[number as usize]
    }

    pub(super) fn all(&self) -> &[Slot] {
        &self.slots
    }

    /// Places that are taken.
    pub(super) fn taken(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// A place for a run that has a ticket and is about to be queued; `placed` is called before others can see it.
    pub(super) fn place(
        &self,
        task: &Arc<Registered>,
        argument: u64,
        deadline_ns: u64,
        placed: impl FnOnce(),
    ) -> Option<u32> {
        let number = self.free.pop()?;
        let slot = self.slot(number);
        slot.cancelled.store(false, Relaxed);
        slot.progress.store(0, Relaxed);
        let task = Some(task.clone());
        let state = RunState::Waiting;
        let (held, used, rests_until, woken) = (true, true, None, false);
        let mut run = slot.lock();
        placed();
        *run = Run { state, task, argument, slices: 0, deadline_ns, held, used, rests_until, woken };
        drop(run);
        Some(number)
    }

    /// Frees the place where nobody holds or uses it any more. What is returned may be the last of its task, whose callback may submit
    /// as it goes: it is for the caller to drop, without the lock.
    #[must_use = "to be dropped without the lock"]
    pub(super) fn release(&self, number: u32, run: &mut Run) -> Option<Arc<Registered>> {
        if run.held || run.used {
            return None;
        }
        let task = run.task.take()?;
        self.free.push(number).expect("there is a place in it for each slot");
        Some(task)
    }
}

/// Stands for one run. Dropping it lets the run go on; its place is free again when both are over.
pub struct Ticket {
    pub(super) slot: u32,
    pub(super) shared: Arc<Shared>,
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("state", &self.state()).finish_non_exhaustive()
    }
}

impl Ticket {
    /// Where the run is.
    pub fn state(&self) -> RunState {
        self.shared.slab.slot(self.slot).lock().state
    }

    /// Cancels the run: one that waits never runs, one that runs is told by [`super::Context::cancelled`] and ends when its callback
    /// returns. Returns whether it was not over yet.
    pub fn cancel(&self) -> bool {
        self.shared.cancel(self.slot)
    }

    /// Has a run that rests ([`super::Step::After`]) go on at once, and one that runs go on when it would rest. Returns whether it was not over
    /// yet.
    pub fn wake(&self) -> bool {
        self.shared.wake(self.slot)
    }

    /// Waits until the run is over, at most for `timeout` by the executor's clock; where it is afterwards. Of an executor without
    /// threads somebody else must take the turns.
    pub fn wait(&self, timeout: Duration) -> RunState {
        self.shared.wait_until(timeout, || self.state().is_over());
        self.state()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut run = self.shared.slab.slot(self.slot).lock();
        run.held = false;
        let task = self.shared.slab.release(self.slot, &mut run);
        drop(run);
        drop(task);
    }
}
