//! The executor: work beside the hot path, on few threads, each piece within its budget.
//!
//! A [`Task`] is a callback that is registered once; [`Task::submit`] queues a run of it, which neither waits nor allocates. A run is
//! served in slices: a callback that has more to do than its budget holds looks at [`Context::should_yield`] and returns
//! [`Step::Again`], and one that looks after something now and then returns [`Step::After`]. Levels go strictly by [`Priority`], but for one turn in 64, which is for the lowest; at one level the earliest
//! deadline is first. A task of whose last 16 slices 4 overran their budget loses a level, and gets it back after 64 slices in a row
//! within it.
//!
//! While the hot path is over its budget ([`HotBudget`]) only critical tasks begin, and the others are told to yield. Overload is
//! announced before the queue is full: [`Load`] has the formula.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use knhk_warm::executor::{RunState, Settings, TaskSettings};
//! use knhk_warm::{Executor, Step, SystemClock};
//!
//! let executor = Executor::new(Settings::default(), Arc::new(SystemClock))?;
//! let count = executor.task("count", TaskSettings::default(), |run| {
//!     let mut at = run.progress();
//!     while at < run.argument() {
//!         if run.should_yield() {
//!             run.set_progress(at);
//!             return Step::Again;
//!         }
//!         at += 1;
//!     }
//!     Step::Done
//! });
//! let ticket = count.submit(1000)?;
//! assert_eq!(ticket.wait(Duration::from_secs(10)), RunState::Done);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod context;
mod hot;
mod load;
mod notice;
mod over;
mod queue;
mod rest;
mod run;
mod slab;
mod slice;
mod task;
mod watch;

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

pub use context::Context;
pub use hot::{HotBudget, HotMeter};
pub use load::Load;
pub use notice::Notice;
pub use slab::{RunState, Ticket};
pub use task::{Late, Step, Task, TaskSettings, TaskStats};
pub use watch::Watch;

use self::run::{Shared, Turn};
use self::task::Registered;
#[cfg(loom)]
use crate::Next;
use crate::Ticker;
use crate::clock::Clock;
use crate::counters::Counters;

/// Is told what the executor notices, on the thread that finds it: a thread of the executor, or a submitter's. It must be quick; a
/// panic of it is reported and survived.
pub type Observer = Box<dyn Fn(&Notice<'_>) + Send + Sync>;

/// An executor's settings.
pub struct Settings {
    /// What its threads are called; they get a number each.
    pub name: String,
    /// Threads, 2 by default. 0: none, the caller takes the turns with [`Executor::turn`].
    pub threads: usize,
    /// Runs that may wait, run, or be held by a ticket, at least 1. 1,024.
    pub capacity: usize,
    /// Overload is announced when the queue will be full in so long. 1 s.
    pub horizon: Duration,
    /// Tells when the hot path is over its budget.
    pub hot: Option<Arc<dyn HotBudget>>,
    /// Is told of overruns, demotions, overload and the like.
    pub observer: Option<Observer>,
}

impl Default for Settings {
    fn default() -> Settings {
        let horizon = Duration::from_secs(1);
        Settings { name: "knhk-warm".into(), threads: 2, capacity: 1024, horizon, hot: None, observer: None }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { name, threads, capacity, horizon, .. } = self;
        f.debug_struct("Settings")
            .field("name", name)
            .field("threads", threads)
            .field("capacity", capacity)
            .field("horizon", horizon)
            .finish_non_exhaustive()
    }
}

/// Why a run was not taken. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// All places are taken.
    #[error("the executor's queue is full; submit again when runs have ended, or raise its capacity")]
    Full,
    /// The executor has ended.
    #[error("the executor has ended")]
    Ended,
}

/// What an executor is doing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    /// Runs that wait, by level, the lowest first.
    pub waiting: [usize; 5],
    /// Runs whose callback is being called.
    pub running: usize,
    /// Runs that rest until their time comes or somebody wakes them.
    pub resting: usize,
    /// Whether it is paused.
    pub paused: bool,
    /// Its load.
    pub load: Load,
}

/// How a shutdown went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Runs that were not over when the time to drain was, and were cancelled.
    pub unfinished: usize,
    /// The tasks of runs that did not return; their threads were left to themselves.
    pub stuck: Vec<Arc<str>>,
}

struct Thread {
    ticker: Ticker,
    /// Whether a callback may have it.
    busy: Arc<AtomicBool>,
}

/// Runs tasks on its threads. Dropping it gives up what waits, and waits for the slices under way.
pub struct Executor {
    shared: Arc<Shared>,
    threads: Vec<Thread>,
    process: u32,
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").field("threads", &self.threads.len()).field("stats", &self.stats()).finish()
    }
}

impl Executor {
    /// Starts the threads. All memory that runs need is taken here.
    ///
    /// # Errors
    /// The system's, when it has no more threads.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> std::io::Result<Executor> {
        let (name, threads) = (settings.name.clone(), settings.threads);
        let settings = Settings { capacity: settings.capacity.clamp(1, u32::MAX as usize), ..settings };
        let shared = Arc::new(Shared::new(settings, clock));
        let mut executor = Executor { shared, threads: Vec::with_capacity(threads), process: std::process::id() };
        for number in 0..threads {
            let busy = Arc::new(AtomicBool::new(false));
            let (shared, working) = (executor.shared.clone(), busy.clone());
            let ticker = Ticker::spawn(&format!("{name}-{number}"), move || {
                working.store(true, SeqCst);
                let turn = shared.turn(number);
                working.store(false, SeqCst);
                shared.after(turn)
            })?;
            executor.threads.push(Thread { ticker, busy });
        }
        Ok(executor)
    }

    /// Registers a task. The callback runs on one of the executor's threads, at the same time as other runs of the same task; what it
    /// waits for is lost to the others.
    pub fn task(
        &self,
        name: &str,
        settings: TaskSettings,
        callback: impl Fn(&Context<'_>) -> Step + Send + Sync + 'static,
    ) -> Task {
        self.register(Registered::new(name, settings, Box::new(callback), None))
    }

    /// [`Executor::task`], where `over` hears of each run that is over, whether it ran or not: once, with its argument and how it ended,
    /// after its ticket says so. It is called by whoever ends the run: a thread of the executor, or a caller that cancels.
    pub fn task_told(
        &self,
        name: &str,
        settings: TaskSettings,
        callback: impl Fn(&Context<'_>) -> Step + Send + Sync + 'static,
        over: impl Fn(u64, RunState) + Send + Sync + 'static,
    ) -> Task {
        self.register(Registered::new(name, settings, Box::new(callback), Some(Box::new(over))))
    }

    fn register(&self, registered: Registered) -> Task {
        let registered = Arc::new(registered);
        let mut tasks = self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| task.strong_count() > 0);
        tasks.push(Arc::downgrade(&registered));
        Task { registered, shared: self.shared.clone() }
    }

    /// Gives one slice on the calling thread, which an executor without threads lives by. Whether there was something to do.
    pub fn turn(&self) -> bool {
        self.shared.turn(0) == Turn::Ran
    }

    /// Begins nothing more until [`Executor::resume`]; runs under way are told to yield.
    pub fn pause(&self) {
        self.shared.paused.store(true, Relaxed);
    }

    /// Goes on after [`Executor::pause`].
    pub fn resume(&self) {
        self.shared.paused.store(false, Relaxed);
        self.shared.wake_all();
    }

    /// Has it yield to a hot path from now on, where none was named before: then this changes nothing and says so.
    pub fn yield_to(&self, hot: Arc<dyn HotBudget>) -> bool {
        self.shared.hot.set(hot).is_ok()
    }

    /// What it is doing.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// What is known of each task that somebody still holds.
    pub fn tasks(&self) -> Vec<TaskStats> {
        self.shared.task_stats()
    }

    /// Its counters.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// Takes nothing more, lets what is there end for at most `drain`, cancels the rest, waits for callbacks that run for at most
    /// `cancel`, by the executor's clock, and tells whose did not return.
    pub fn shutdown(mut self, drain: Duration, cancel: Duration) -> Ended {
        self.shared.closed.store(true, Relaxed);
        self.shared.cancel_resting();
        if self.threads.is_empty() {
            let until = self.shared.clock.now_ns().saturating_add(crate::clock::nanoseconds(drain));
            while self.shared.clock.now_ns() < until && self.turn() {}
        } else {
            self.shared.wait_until(drain, || self.shared.pending.load(Relaxed) == 0);
        }
        let unfinished = self.shared.pending.load(Relaxed);
        self.give_up();
        let stuck = self.stuck(cancel);
        for Thread { ticker, busy } in self.threads.drain(..) {
            if !stuck.is_empty() && busy.load(SeqCst) {
                ticker.abandon();
            }
        }
        Ended { unfinished, stuck }
    }

    /// Waits for callbacks that run, at most for `timeout`; the tasks of those that do not return.
    fn stuck(&self, timeout: Duration) -> Vec<Arc<str>> {
        self.shared.wait_until(timeout, || self.shared.running.load(Relaxed) == 0);
        let running = |slot: &slab::Slot| {
            let run = slot.lock();
            run.task.as_ref().filter(|_| run.state == RunState::Running).map(|task| task.name.clone())
        };
        self.shared.slab.all().iter().filter_map(running).collect()
    }

    /// What a thread of the executor does, until the executor gives up.
    #[cfg(loom)]
    pub fn serve(&self, thread: usize) {
        while self.shared.after(self.shared.turn(thread)) == Next::Continue {}
    }

    /// Gives up what is there, as dropping it does, and tells whose callbacks did not return.
    #[cfg(loom)]
    pub fn end(&self) -> Vec<Arc<str>> {
        self.give_up();
        self.stuck(Duration::MAX)
    }

    /// Places that are taken, and runs that count as not over and as running.
    #[cfg(loom)]
    pub fn counted(&self) -> (usize, usize, usize) {
        let Shared { slab, pending, running, .. } = &*self.shared;
        (slab.taken(), pending.load(Relaxed), running.load(Relaxed))
    }

    fn give_up(&self) {
        self.shared.closed.store(true, Relaxed);
        self.shared.stopping.store(true, Relaxed);
        self.shared.cancel_all();
        self.shared.wake_all();
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        // In a forked child the locks may be held by threads that it does not have.
        if std::process::id() == self.process {
            self.give_up();
        }
    }
}
