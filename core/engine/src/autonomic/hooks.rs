//! Functions of the program that hear of the loop's phases.
//!
//! They run in the order of their registration, on a thread of their own, and cannot hold the loop up: what they are to hear waits in a short queue,
//! and what comes while it is full they do not hear at all, which is counted.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use serde::{Deserialize, Serialize};

use super::Cycle;
use super::counters::{CALLBACKS_FAILED, HOOKS_SKIPPED};
use super::within::{Callback, Mark};
use crate::{Engine, Error, Status};

/// A phase of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Observations are made durable and read.
    Monitor,
    /// Detectors look at them.
    Analyze,
    /// Proposers are asked.
    Plan,
    /// A plan goes through the pipeline.
    Execute,
    /// What became of it is taken up: after it, with each cycle that ended.
    Learn,
}

/// Before a phase, or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Before it.
    Before,
    /// After it.
    After,
}

/// What a hook hears.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HookInfo {
    /// The phase.
    pub phase: Phase,
    /// Before it, or after it.
    pub when: When,
    /// The turn, from 1.
    pub turn: u64,
    /// The turn's moment, in nanoseconds since 1970 (UTC).
    pub now_ns: u64,
    /// The sector, where it is about one.
    pub sector: Option<String>,
    /// The cycle, where it is about one.
    pub cycle: Option<Cycle>,
}

/// A registered hook.
pub type HookId = u64;

/// A function that hears of a phase.
pub type HookFn = dyn Fn(&HookInfo) + Send + Sync;

/// What waits to be heard, at most.
const QUEUE: usize = 256;

#[derive(Default)]
pub(super) struct Hooks {
    registered: Arc<Mutex<Registered>>,
    queue: Mutex<Option<SyncSender<HookInfo>>>,
    skipped: AtomicU64,
}

#[derive(Default)]
struct Registered {
    last: HookId,
    hooks: Vec<Hook>,
}

#[derive(Clone)]
struct Hook {
    id: HookId,
    phase: Phase,
    when: When,
    function: Arc<HookFn>,
    /// Held while it runs; whether it may still.
    running: Arc<Mutex<()>>,
    removed: Arc<AtomicBool>,
    /// The thread that runs hooks.
    by: Arc<Mutex<Option<ThreadId>>>,
}

impl Hooks {
    fn registered(&self) -> MutexGuard<'_, Registered> {
        self.registered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> MutexGuard<'_, Option<SyncSender<HookInfo>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody wants to hear of it.
    pub(super) fn wanted(&self, phase: Phase, when: When) -> bool {
        self.registered().hooks.iter().any(|hook| (hook.phase, hook.when) == (phase, when))
    }

    /// Has those hear who want to; nobody is waited for.
    pub(super) fn tell(&self, info: HookInfo) {
        if let Some(queue) = &*self.queue()
            && queue.try_send(info).is_err()
        {
            self.skipped.fetch_add(1, Ordering::Relaxed);
            HOOKS_SKIPPED.add(1);
        }
    }

    pub(super) fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// Starts the thread, where there is none.
    fn start(&self, mark: Mark) -> std::io::Result<()> {
        let mut queue = self.queue();
        if queue.is_none() {
            let (sender, heard) = sync_channel::<HookInfo>(QUEUE);
            let registered = self.registered.clone();
            let run = move || {
                mark.enter(Callback::Hook);
                for info in heard {
                    let hooks = registered.lock().unwrap_or_else(PoisonError::into_inner).hooks.clone();
                    hooks
                        .iter()
                        .filter(|hook| (hook.phase, hook.when) == (info.phase, info.when))
                        .for_each(|hook| hook.run(&info));
                }
            };
            // Not waited for at the end: a hook may never return.
            thread::Builder::new().name("knhk-hooks".into()).spawn(run)?;
            *queue = Some(sender);
        }
        Ok(())
    }

    /// Lets go of all hooks. One that runs is not waited for.
    pub(super) fn close(&self) {
        let hooks = std::mem::take(&mut self.registered().hooks);
        hooks.iter().for_each(|hook| hook.removed.store(true, Ordering::Release));
        *self.queue() = None;
    }
}

impl Hook {
    fn run(&self, info: &HookInfo) {
        let _running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if self.removed.load(Ordering::Acquire) {
            return;
        }
        *self.by.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current().id());
        if catch_unwind(AssertUnwindSafe(|| (self.function)(info))).is_err() {
            CALLBACKS_FAILED.add(1);
            tracing::error!(name: "knhk.loop.hook_panicked", hook = self.id, "a hook of the loop panicked");
        }
        *self.by.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Engine {
    /// Has `function` called before or after each run of a phase, in the order of registration, on a thread of its own. It may call the engine, but for what
    /// starts, stops or steps its loop.
    /// The loop never waits for it: what it is too slow for it does not hear, and [`LoopStatus::hooks_skipped`](super::LoopStatus) counts that.
    ///
    /// # Errors
    /// `Closed`, `Forked`, `System` where there is no thread for it.
    pub fn add_hook(&self, phase: Phase, when: When, function: Arc<HookFn>) -> Result<HookId, Error> {
        self.checked()?;
        let hooks = &self.inner.autonomic.hooks;
        hooks.start(self.inner.autonomic.mark).map_err(|error| {
            let message = format!("the thread for hooks could not be started: {error}");
            Error::new(Status::System, "loop", "knhk-hooks", message)
        })?;
        let mut registered = hooks.registered();
        registered.last += 1;
        let id = registered.last;
        let (running, removed, by) = Default::default();
        registered.hooks.push(Hook { id, phase, when, function, running, removed, by });
        Ok(id)
    }

    /// Removes a hook; `false` when there is none. When it returns, the hook is not running and never runs again, unless it was called from the
    /// hook itself.
    pub fn remove_hook(&self, id: HookId) -> bool {
        let hooks = &self.inner.autonomic.hooks;
        let found = {
            let mut registered = hooks.registered();
            let place = registered.hooks.iter().position(|hook| hook.id == id);
            place.map(|place| registered.hooks.remove(place))
        };
        let Some(hook) = found else { return false };
        hook.removed.store(true, Ordering::Release);
        let by = *hook.by.lock().unwrap_or_else(PoisonError::into_inner);
        if by != Some(thread::current().id()) {
            drop(hook.running.lock());
        }
        true
    }
}
