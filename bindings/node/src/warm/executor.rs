//! Executors without threads: JavaScript's functions run on its own thread alone, so their turns are taken there, one slice at a time. What is
//! submitted has a number of JavaScript's.

use std::cell::Cell;
use std::collections::HashMap;
use std::ptr::null;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use knhk_engine::{Error, ExecutorInfo, Status};
use knhk_warm::executor::{Context, Late, Notice, Refused, RunState, Settings, Stats, TaskSettings, TaskStats, Ticket};
use knhk_warm::{Clock, Executor as Native, Priority, Step, SystemClock, Task as NativeTask};
use napi::Env;
use napi::bindgen_prelude::{External, Function};
use napi_derive::napi;

use super::{bad, in_ms, lock, milliseconds};
use crate::calls::with;
use crate::error::throw;

/// Does a slice of the work with this number.
type Stepping = *const (dyn Fn(f64) -> bool + 'static);

thread_local! {
    /// What does a slice on this thread, while it is in [`executor_turn`].
    static STEP: Cell<Option<Stepping>> = const { Cell::new(None) };
    /// The run whose slice is being done on this thread.
    static RUN: Cell<*const Context<'static>> = const { Cell::new(null()) };
}

/// Does a slice; whether there is more to do.
fn slice(run: &Context<'_>) -> Step {
    let Some(step) = STEP.get() else { return Step::Done };
    let outer = RUN.replace(std::ptr::from_ref(run).cast());
    // SAFETY: it lives while `executor_turn` is in its turn, which this is in.
    let more = unsafe { (*step)(run.argument() as f64) };
    RUN.set(outer);
    if more { Step::Again } else { Step::Done }
}

/// Asks the run whose slice is being done here.
fn asked<T>(otherwise: T, of: impl FnOnce(&Context<'_>) -> T) -> T {
    // SAFETY: NULL, or a run's context whose slice this thread is in: see `slice`.
    unsafe { RUN.get().as_ref() }.map_or(otherwise, of)
}

/// What has happened since it was last asked for.
#[derive(Default)]
struct News {
    over: Vec<(u64, RunState)>,
    notices: Vec<NoticeNews>,
}

/// An executor.
pub struct Executor {
    name: String,
    native: Option<Native>,
    news: Arc<Mutex<News>>,
    /// Of runs that are not over.
    tickets: HashMap<u64, Ticket>,
}

impl Executor {
    fn open(&self, env: Env) -> napi::Result<&Native> {
        self.native.as_ref().ok_or_else(|| {
            let message = format!("the executor {} was shut down", self.name);
            throw(env.raw(), &Error::new(Status::Closed, "executor", &self.name, message))
        })
    }
}

/// Something that an operator should know.
#[napi(object)]
pub struct NoticeNews {
    /// What it is.
    pub kind: String,
    /// The task; empty of an overload.
    pub task: String,
    /// All of it for people.
    pub text: String,
}

fn noticed(notice: &Notice<'_>) -> NoticeNews {
    let (kind, task) = match notice {
        Notice::Overrun { task, .. } => ("overrun", *task),
        Notice::Demoted { task, .. } => ("demoted", *task),
        Notice::Restored { task, .. } => ("restored", *task),
        Notice::Late { task, .. } => ("late", *task),
        Notice::Panicked { task } => ("panicked", *task),
        Notice::Overload(_) => ("overload", ""),
        Notice::OverloadOver(_) => ("overloadOver", ""),
        _ => ("other", ""),
    };
    NoticeNews { kind: kind.into(), task: task.into(), text: notice.to_string() }
}

/// Makes an executor.
#[napi(catch_unwind)]
pub fn executor_new(env: Env, name: String, capacity: u32, horizon: f64) -> napi::Result<External<Executor>> {
    let news = Arc::new(Mutex::new(News::default()));
    let heard = news.clone();
    let settings = Settings {
        name: name.clone(),
        threads: 0,
        capacity: capacity as usize,
        horizon: milliseconds(env, "executor", "horizon", horizon)?,
        hot: None,
        observer: Some(Box::new(move |notice| lock(&heard).notices.push(noticed(notice)))),
    };
    let made = Native::new(settings, Arc::new(SystemClock))
        .map_err(|error| throw(env.raw(), &Error::new(Status::System, "executor", &name, error.to_string())))?;
    Ok(External::new(Executor { name, native: Some(made), news, tickets: HashMap::new() }))
}

/// Registers a task.
#[napi(catch_unwind)]
pub fn executor_task(
    env: Env,
    executor: &External<Executor>,
    name: String,
    priority: u32,
    budget: f64,
    drop_late: bool,
) -> napi::Result<External<NativeTask>> {
    let priority = *Priority::ALL
        .get(priority as usize)
        .ok_or_else(|| bad(env, "executor", "priority", "there is no such priority"))?;
    let late = if drop_late { Late::Drop } else { Late::Run };
    let settings = TaskSettings { priority, budget: milliseconds(env, "executor", "budget", budget)?, late };
    let heard = executor.news.clone();
    let over = move |of: u64, how: RunState| lock(&heard).over.push((of, how));
    Ok(External::new(executor.open(env)?.task_told(&name, settings, slice, over)))
}

/// Queues a run of a task for work of this number; by a time, in milliseconds from now.
#[napi(catch_unwind)]
pub fn executor_submit(
    env: Env,
    executor: &mut External<Executor>,
    task: &External<NativeTask>,
    work: f64,
    within: Option<f64>,
) -> napi::Result<()> {
    executor.open(env)?;
    let work = work as u64;
    let submitted = match within {
        None => task.submit(work),
        Some(within) => {
            let within = u64::try_from(milliseconds(env, "executor", "within", within)?.as_nanos()).unwrap_or(u64::MAX);
            task.submit_by(work, SystemClock.now_ns().saturating_add(within))
        }
    };
    let ticket = submitted.map_err(|refused| {
        let status = if refused == Refused::Full { Status::Busy } else { Status::Closed };
        throw(env.raw(), &Error::new(status, "executor", &*task.stats().name, refused.to_string()))
    })?;
    executor.tickets.insert(work, ticket);
    Ok(())
}

/// Gives one slice: `step` is called with the number of its work, and says whether there is more to do. Whether there was something to do.
#[napi(catch_unwind)]
pub fn executor_turn(executor: &External<Executor>, step: Function<'_, f64, bool>) -> bool {
    let Some(native) = &executor.native else { return false };
    let call = |work: f64| step.call(work).unwrap_or(false);
    let call: *const (dyn Fn(f64) -> bool + '_) = &call;
    // SAFETY: only its lifetime is forgotten, and it is taken away below, before that ends.
    let outer = STEP.replace(Some(unsafe { std::mem::transmute::<*const (dyn Fn(f64) -> bool + '_), Stepping>(call) }));
    let ran = native.turn();
    STEP.set(outer);
    ran
}

/// A run that is over.
#[napi(object)]
pub struct OverNews {
    /// The number of its work.
    pub work: f64,
    /// How it ended.
    pub state: String,
}

/// What has happened since this was last asked for.
#[napi(object)]
pub struct ExecutorNews {
    /// Runs that are over.
    pub over: Vec<OverNews>,
    /// What was noticed.
    pub notices: Vec<NoticeNews>,
}

/// What has happened since this was last asked for.
#[napi(catch_unwind)]
pub fn executor_news(executor: &mut External<Executor>) -> ExecutorNews {
    let News { over, notices } = std::mem::take(&mut *lock(&executor.news));
    let tickets = &mut executor.tickets;
    let told = |(work, state): (u64, RunState)| {
        // It keeps the run's place.
        tickets.remove(&work);
        OverNews { work: work as f64, state: format!("{state:?}").to_lowercase() }
    };
    ExecutorNews { over: over.into_iter().map(told).collect(), notices }
}

/// Cancels a run; whether it was not over yet.
#[napi(catch_unwind)]
pub fn executor_cancel(executor: &External<Executor>, work: f64) -> bool {
    executor.tickets.get(&(work as u64)).is_some_and(Ticket::cancel)
}

/// Begins nothing more, or goes on.
#[napi(catch_unwind)]
pub fn executor_pause(env: Env, executor: &External<Executor>, paused: bool) -> napi::Result<()> {
    let native = executor.open(env)?;
    if paused {
        native.pause()
    } else {
        native.resume()
    }
    Ok(())
}

/// Cancels what is there, and ends.
#[napi(catch_unwind)]
pub fn executor_end(executor: &mut External<Executor>) {
    if let Some(native) = executor.native.take() {
        native.shutdown(Duration::ZERO, Duration::ZERO);
    }
}

/// Whether the slice under way is to give way.
#[napi(catch_unwind)]
pub fn run_should_yield() -> bool {
    asked(true, |run| run.should_yield())
}

/// Whether the run under way was cancelled.
#[napi(catch_unwind)]
pub fn run_cancelled() -> bool {
    asked(true, |run| run.cancelled())
}

/// Milliseconds of the budget that are left.
#[napi(catch_unwind)]
pub fn run_left() -> f64 {
    asked(0.0, |run| in_ms(run.left()))
}

/// What an executor is doing.
#[napi(object)]
pub struct ExecutorStats {
    /// Runs that wait, by level.
    pub waiting: Vec<u32>,
    /// Whether it is paused.
    pub paused: bool,
    /// Runs that come in a second.
    pub arrivals: f64,
    /// Runs that can end in a second.
    pub services: f64,
    /// Arrivals by services.
    pub utilisation: f64,
    /// Runs that have a place.
    pub queued: u32,
    /// Milliseconds until the queue is full.
    pub full_in: Option<f64>,
    /// Whether overload is announced.
    pub overloaded: bool,
}

impl From<Stats> for ExecutorStats {
    fn from(stats: Stats) -> ExecutorStats {
        ExecutorStats {
            waiting: stats.waiting.iter().map(|waiting| *waiting as u32).collect(),
            paused: stats.paused,
            arrivals: stats.load.arrivals,
            services: stats.load.services,
            utilisation: stats.load.utilisation,
            queued: stats.load.queued as u32,
            full_in: stats.load.full_in.map(in_ms),
            overloaded: stats.load.overloaded,
        }
    }
}

/// What it is doing.
#[napi(catch_unwind)]
pub fn executor_stats(env: Env, executor: &External<Executor>) -> napi::Result<ExecutorStats> {
    Ok(executor.open(env)?.stats().into())
}

/// What is known of a task.
#[napi(object)]
pub struct TaskFigures {
    /// Its name.
    pub name: String,
    /// The level that it was given.
    pub priority: u32,
    /// The level that it is served at.
    pub level: u32,
    /// Runs that ended.
    pub runs: f64,
    /// Slices.
    pub slices: f64,
    /// Slices that took longer than the budget.
    pub overruns: f64,
    /// Runs that were dropped or ended after their deadline.
    pub late: f64,
    /// What a slice may take.
    pub budget: f64,
    /// What the slices took.
    pub busy: f64,
    /// The longest slice.
    pub worst: f64,
}

impl From<TaskStats> for TaskFigures {
    fn from(stats: TaskStats) -> TaskFigures {
        TaskFigures {
            name: stats.name.to_string(),
            priority: stats.priority as u32,
            level: stats.level as u32,
            runs: stats.runs as f64,
            slices: stats.slices as f64,
            overruns: stats.overruns as f64,
            late: stats.late as f64,
            budget: in_ms(stats.budget),
            busy: in_ms(stats.busy),
            worst: in_ms(stats.worst),
        }
    }
}

/// What is known of a task.
#[napi(catch_unwind)]
pub fn task_figures(task: &External<NativeTask>) -> TaskFigures {
    task.stats().into()
}

/// An executor that an engine knows.
#[napi(object)]
pub struct ExecutorListed {
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub stats: ExecutorStats,
    /// Its tasks.
    pub tasks: Vec<TaskFigures>,
}

/// The executors that an engine knows, its own last.
#[napi(catch_unwind)]
pub fn executors(env: Env, engine: u32) -> napi::Result<Vec<ExecutorListed>> {
    with(env, engine, |local| {
        let listed = |of: ExecutorInfo| ExecutorListed {
            name: of.name,
            stats: of.stats.into(),
            tasks: of.tasks.into_iter().map(TaskFigures::from).collect(),
        };
        Ok(local.shared.engine.executors().into_iter().map(listed).collect())
    })
}

/// Has an engine list it for operators.
#[napi(catch_unwind)]
pub fn executor_add_to(env: Env, executor: &External<Executor>, engine: u32) -> napi::Result<()> {
    let native = executor.open(env)?;
    with(env, engine, |local| local.shared.engine.add_executor(&executor.name, native))
}

/// Tells what an operation of an engine's hot path took, in milliseconds.
#[napi(catch_unwind)]
pub fn report_hot(env: Env, engine: u32, took: f64) -> napi::Result<()> {
    let took = milliseconds(env, "hot", "took", took)?;
    with(env, engine, |local| {
        local.shared.engine.report_hot(took);
        Ok(())
    })
}

/// The mean of what was told of an engine's hot path, in milliseconds.
#[napi(catch_unwind)]
pub fn hot_mean(env: Env, engine: u32) -> napi::Result<f64> {
    with(env, engine, |local| Ok(in_ms(local.shared.engine.hot_mean())))
}
