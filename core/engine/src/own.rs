//! The engine's own executor: what it does by itself beside the hot path, which operators see as the executor "engine".
//!
//! A [`Job`] is a task with one run, which rests between its turns ([`Step::After`]) until its time comes or it is woken. Jobs wait for one
//! another's threads, so a job that may take long (the loop, what governance has to do) leaves one for those that must not wait. What has threads
//! of its own still: the clock, whose period is the cached time's; the monitor, which never rests; the callbacks of the
//! program, which may block; the hashing that a promotion waits for; and the control socket.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use knhk_warm::executor::{Context, Settings, TaskSettings, Ticket};
use knhk_warm::{Executor, HotMeter, Priority, Step, SystemClock, Task};

use crate::engine::Inner;
use crate::{Engine, Error, Status};

/// The name under which it is listed; no other executor may have it.
pub(crate) const NAME: &str = "engine";
/// One for the loop, one for governance, and one for what must not wait.
const THREADS: usize = 3;
/// Runs: one a job.
const CAPACITY: usize = 64;

/// What matters most: it makes durable, or takes back, what is current. It goes on while the hot path is over its budget.
pub(crate) const URGENT: TaskSettings = TaskSettings {
    priority: Priority::Critical,
    budget: Duration::from_millis(100),
    late: knhk_warm::executor::Late::Run,
};
/// What waits while the hot path is over its budget.
pub(crate) const PATIENT: TaskSettings =
    TaskSettings { priority: Priority::Normal, budget: Duration::from_secs(1), late: knhk_warm::executor::Late::Run };

/// The executor, started with its first job.
pub(crate) struct Own {
    executor: Mutex<State>,
    pub(crate) hot: Arc<HotMeter>,
}

enum State {
    Idle,
    Runs(Executor),
    Ended,
}

impl Own {
    pub(crate) fn new(hot: Arc<HotMeter>) -> Own {
        Own { executor: Mutex::new(State::Idle), hot }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.executor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a job; its first turn comes at once.
    ///
    /// # Errors
    /// `Closed`; `System` when there are no more threads.
    pub(crate) fn begin(
        &self,
        name: &str,
        settings: TaskSettings,
        turn: impl Fn(&Context<'_>) -> Step + Send + Sync + 'static,
    ) -> Result<Job, Error> {
        let mut state = self.state();
        if let State::Idle = *state {
            let settings = Settings {
                name: "knhk-engine".into(),
                threads: THREADS,
                capacity: CAPACITY,
                hot: Some(self.hot.clone()),
                ..Settings::default()
            };
            let started = Executor::new(settings, Arc::new(SystemClock)).map_err(|error| {
                let message = format!("the engine's executor could not be started: {error}");
                Error::new(Status::System, "executor", NAME, message)
            })?;
            *state = State::Runs(started);
        }
        let State::Runs(executor) = &*state else { return Err(knhk_hot::HotError::Closed.into()) };
        let runner = Arc::new(Mutex::new(None));
        let own = runner.clone();
        let task = executor.task(name, settings, move |run| {
            set(&own, Some(std::thread::current().id()));
            let step = turn(run);
            set(&own, None);
            step
        });
        let ticket = task.submit(0).map_err(|refused| {
            Error::new(Status::Limit, "executor", name, format!("the engine cannot begin {name}: {refused}"))
        })?;
        Ok(Job { ticket: Some(ticket), _task: task, runner, process: std::process::id() })
    }

    /// What the executor and its jobs are doing.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&Executor) -> T) -> Option<T> {
        match &*self.state() {
            State::Runs(executor) => Some(at(executor)),
            State::Idle | State::Ended => None,
        }
    }

    /// Ends the threads, but for one that this is called on, which ends by itself.
    pub(crate) fn close(&self) {
        let ended = std::mem::replace(&mut *self.state(), State::Ended);
        drop(ended);
    }
}

fn set(runner: &Mutex<Option<ThreadId>>, thread: Option<ThreadId>) {
    *runner.lock().unwrap_or_else(PoisonError::into_inner) = thread;
}

/// Something that the engine does again and again. Dropping it ends it: a turn under way is waited for, unless this is that turn.
pub(crate) struct Job {
    ticket: Option<Ticket>,
    // Its statistics are seen for as long.
    _task: Task,
    runner: Arc<Mutex<Option<ThreadId>>>,
    process: u32,
}

impl Job {
    /// Has its next turn come at once.
    pub(crate) fn wake(&self) {
        if let Some(ticket) = &self.ticket {
            ticket.wake();
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take() else { return };
        if std::process::id() != self.process {
            // Its lock may have been held by a thread that fork did not copy.
            std::mem::forget(ticket);
            return;
        }
        ticket.cancel();
        let runner = *self.runner.lock().unwrap_or_else(PoisonError::into_inner);
        if runner != Some(std::thread::current().id()) {
            ticket.wait(Duration::MAX);
        }
    }
}

/// A job that begins when there is first something to do, until the engine closes.
#[derive(Default)]
pub(crate) struct Standing(Mutex<Stand>);

#[derive(Default)]
enum Stand {
    #[default]
    Not,
    Job(Job),
    Closed,
}

impl Standing {
    fn stand(&self) -> MutexGuard<'_, Stand> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the job, or begins it; once closed neither.
    pub(crate) fn wake(&self, begin: impl FnOnce() -> Result<Job, Error>) -> Result<(), Error> {
        let mut stand = self.stand();
        match &*stand {
            Stand::Not => *stand = Stand::Job(begin()?),
            Stand::Job(job) => job.wake(),
            Stand::Closed => {}
        }
        Ok(())
    }

    /// Ends the job, and begins none any more.
    pub(crate) fn close(&self) {
        let ended = std::mem::replace(&mut *self.stand(), Stand::Closed);
        drop(ended);
    }
}

impl Engine {
    /// Begins a job of this engine; `turn` says when the next one is to come, without which the job rests until it is woken.
    pub(crate) fn begin(
        &self,
        name: &str,
        settings: TaskSettings,
        turn: impl Fn(&Engine) -> Option<Duration> + Send + Sync + 'static,
    ) -> Result<Job, Error> {
        let inner: std::sync::Weak<Inner> = Arc::downgrade(&self.inner);
        self.inner.own.begin(name, settings, move |_| match inner.upgrade() {
            Some(inner) => Step::After(turn(&Engine::of(inner)).unwrap_or(Duration::MAX)),
            None => Step::Done,
        })
    }

    /// Tells what an operation of the hot path took, or the mean of a batch of them. While the mean of what was told is beyond
    /// [`crate::Options::hot_budget`], the engine's own work but the most urgent waits, and so do executors that were made known with
    /// [`Engine::add_executor`], for 10 ms after the latest report at most. It costs a few loads and stores, from any thread; a
    /// report in a thousand operations is enough.
    pub fn report_hot(&self, took: Duration) {
        self.inner.own.hot.report(took);
    }

    /// The mean of what [`Engine::report_hot`] was told, the latest weighing an eighth.
    pub fn hot_mean(&self) -> Duration {
        self.inner.own.hot.mean()
    }
}
