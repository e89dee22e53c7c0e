//! Executors. What is submitted is an object of Python's with `step(run)`, which does a slice and says whether there is more to do, and
//! `over(state)`, which hears how its run ended.

use std::collections::HashMap;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use knhk_engine::{Error, ExecutorInfo, Status};
use knhk_warm::executor::{
    Context, Late, Load, Notice, Refused, RunState, Settings, Stats, TaskSettings, TaskStats, Ticket as Native,
};
use knhk_warm::{Clock, Executor, Priority, Step, SystemClock, Task};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::seconds;
use crate::callbacks;
use crate::engine::Engine;
use crate::error::{Raised, detached, invalid};

/// What was submitted and is not over, by the argument of its run.
#[derive(Default)]
struct Works {
    next: AtomicU64,
    all: Mutex<HashMap<u64, Py<PyAny>>>,
}

impl Works {
    fn all(&self) -> MutexGuard<'_, HashMap<u64, Py<PyAny>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, work: Py<PyAny>) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.all().insert(number, work);
        number
    }

    fn step(&self, run: &Context<'_>) -> Step {
        let stepped = callbacks::ask(|py| {
            let Some(work) = self.all().get(&run.argument()).map(|work| work.clone_ref(py)) else { return Step::Done };
            let at = Bound::new(py, Run::new(run));
            let more = at.and_then(|at| {
                let more = work.call_method1(py, "step", (&at,)).and_then(|more| more.extract::<bool>(py));
                at.get().end();
                more
            });
            match more {
                Ok(true) => Step::Again,
                Ok(false) => Step::Done,
                Err(error) => {
                    error.write_unraisable(py, None);
                    Step::Done
                }
            }
        });
        stepped.unwrap_or(Step::Done)
    }

    fn over(&self, argument: u64, state: RunState) {
        callbacks::call(|py| {
            let work = self.all().remove(&argument);
            work.map_or(Ok(()), |work| work.call_method1(py, "over", (name_of(state),)).map(drop))
        });
    }
}

fn name_of(state: RunState) -> &'static str {
    match state {
        RunState::Waiting => "waiting",
        RunState::Running => "running",
        RunState::Done => "done",
        RunState::Cancelled => "cancelled",
        RunState::Expired => "expired",
        RunState::Panicked => "panicked",
    }
}

/// A run's context, while its slice lasts.
struct Lent(Option<NonNull<Context<'static>>>);

// SAFETY: what it points to is shared between threads by design, and is read under the lock around this alone.
unsafe impl Send for Lent {}

/// A run, as the work that is being done sees it.
#[pyclass(frozen, module = "knhk.warm")]
pub struct Run {
    lent: Mutex<Lent>,
}

impl Run {
    fn new(of: &Context<'_>) -> Run {
        Run { lent: Mutex::new(Lent(Some(NonNull::from(of).cast()))) }
    }

    fn end(&self) {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner).0 = None;
    }

    fn with<T>(&self, over: T, of: impl FnOnce(&Context<'_>) -> T) -> T {
        let lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: `end` takes it away, under this lock, before the slice is over.
        lent.0.map_or(over, |context| of(unsafe { context.as_ref() }))
    }
}

#[pymethods]
impl Run {
    /// Whether to give way.
    fn should_yield(&self) -> bool {
        self.with(true, |context| context.should_yield())
    }

    #[getter]
    fn cancelled(&self) -> bool {
        self.with(true, |context| context.cancelled())
    }

    /// Seconds of the budget that are left.
    #[getter]
    fn left(&self) -> f64 {
        self.with(0.0, |context| context.left().as_secs_f64())
    }

    /// Which slice of the run this is, from 0.
    #[getter]
    fn slice(&self) -> u32 {
        self.with(0, |context| context.slice())
    }
}

/// What `knhk.warm.Executor` stands on.
#[pyclass(frozen, module = "knhk._knhk")]
pub struct ExecutorBase {
    name: String,
    native: Mutex<Option<Executor>>,
    works: Arc<Works>,
}

type StatsRow = ([usize; 5], usize, bool, (f64, f64, f64, usize, Option<f64>, bool));
type TaskRow = (String, usize, usize, (u64, u64, u64, u64), (f64, f64, f64));

fn stats_row(stats: &Stats) -> StatsRow {
    let Load { arrivals, services, utilisation, queued, full_in, overloaded } = stats.load;
    let load = (arrivals, services, utilisation, queued, full_in.map(|full_in| full_in.as_secs_f64()), overloaded);
    (stats.waiting, stats.running, stats.paused, load)
}

fn task_row(stats: &TaskStats) -> TaskRow {
    let counts = (stats.runs, stats.slices, stats.overruns, stats.late);
    let times = (stats.budget.as_secs_f64(), stats.busy.as_secs_f64(), stats.worst.as_secs_f64());
    (stats.name.to_string(), stats.priority as usize, stats.level as usize, counts, times)
}

fn told(notice: &Notice<'_>) -> (&'static str, String) {
    let (kind, task) = match notice {
        Notice::Overrun { task, .. } => ("overrun", *task),
        Notice::Demoted { task, .. } => ("demoted", *task),
        Notice::Restored { task, .. } => ("restored", *task),
        Notice::Late { task, .. } => ("late", *task),
        Notice::Panicked { task } => ("panicked", *task),
        Notice::Overload(_) => ("overload", ""),
        Notice::OverloadOver(_) => ("overload_over", ""),
        _ => ("other", ""),
    };
    (kind, task.to_owned())
}

impl ExecutorBase {
    fn with<T>(&self, of: impl FnOnce(&Executor) -> T) -> Result<T, Error> {
        let native = self.native.lock().unwrap_or_else(PoisonError::into_inner);
        let message = || format!("the executor {} was shut down", self.name);
        native.as_ref().map(of).ok_or_else(|| Error::new(Status::Closed, "executor", &self.name, message()))
    }

    fn take(&self) -> Option<Executor> {
        self.native.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[pymethods]
impl ExecutorBase {
    #[new]
    fn new(
        py: Python<'_>,
        name: String,
        threads: usize,
        capacity: usize,
        horizon: f64,
        notice: Option<Py<PyAny>>,
    ) -> PyResult<ExecutorBase> {
        if threads == 0 || capacity == 0 {
            return Err(invalid("executor", &name, "an executor has at least one thread, and room for one run"));
        }
        let mut settings = Settings { name: name.clone(), threads, capacity, ..Settings::default() };
        settings.horizon = seconds("executor", "horizon", horizon)?;
        if let Some(notice) = notice {
            settings.observer = Some(Box::new(move |of| {
                let (kind, task) = told(of);
                callbacks::call(|py| notice.call1(py, (kind, task, of.to_string())).map(drop));
            }));
        }
        let made = detached(py, || {
            Executor::new(settings, Arc::new(SystemClock)).map_err(|error| {
                Error::new(Status::System, "executor", &name, format!("a thread could not be started: {error}"))
            })
        })?;
        Ok(ExecutorBase { name, native: Mutex::new(Some(made)), works: Arc::default() })
    }

    fn task(&self, name: &str, priority: usize, budget: f64, drop_late: bool) -> PyResult<TaskBase> {
        let priority = *Priority::ALL
            .get(priority)
            .ok_or_else(|| invalid("executor", "priority", "priority is one of knhk.warm.Priority"))?;
        let late = if drop_late { Late::Drop } else { Late::Run };
        let settings = TaskSettings { priority, budget: seconds("executor", "budget", budget)?, late };
        let (works, heard) = (self.works.clone(), self.works.clone());
        let register = |executor: &Executor| {
            executor.task_told(name, settings, move |run| works.step(run), move |of, how| heard.over(of, how))
        };
        Ok(TaskBase { task: self.with(register).map_err(Raised::from)?, works: self.works.clone() })
    }

    fn pause(&self, py: Python<'_>) -> PyResult<()> {
        detached(py, || self.with(Executor::pause))
    }

    fn resume(&self, py: Python<'_>) -> PyResult<()> {
        detached(py, || self.with(Executor::resume))
    }

    fn stats(&self, py: Python<'_>) -> PyResult<StatsRow> {
        detached(py, || self.with(|executor| stats_row(&executor.stats())))
    }

    fn tasks(&self, py: Python<'_>) -> PyResult<Vec<TaskRow>> {
        detached(py, || self.with(|executor| executor.tasks().iter().map(task_row).collect()))
    }

    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        for counter in self.with(|executor| executor.counters().read().collect::<Vec<_>>()).map_err(Raised::from)? {
            all.set_item(counter.name, counter.value)?;
        }
        Ok(all)
    }

    fn add_to(&self, py: Python<'_>, engine: &Engine) -> PyResult<()> {
        detached(py, || self.with(|executor| engine.shared.engine().add_executor(&self.name, executor))?)
    }

    /// How many runs were cancelled, and the tasks whose callbacks did not return; none where it has ended already.
    fn end(&self, py: Python<'_>, drain: f64, cancel: f64) -> PyResult<Option<(usize, Vec<String>)>> {
        let (drain, cancel) = (seconds("executor", "drain", drain)?, seconds("executor", "cancel", cancel)?);
        Ok(py.detach(|| {
            let ended = self.take()?.shutdown(drain, cancel);
            Some((ended.unfinished, ended.stuck.iter().map(ToString::to_string).collect()))
        }))
    }
}

impl Drop for ExecutorBase {
    fn drop(&mut self) {
        // Its threads may be waiting for the interpreter.
        if Python::try_attach(|py| py.detach(|| drop(self.take()))).is_none() {
            drop(self.take());
        }
    }
}

/// The executors that an engine knows, its own last: the name, what each is doing, and its tasks.
#[pyfunction]
pub fn executors(py: Python<'_>, engine: &Engine) -> PyResult<Vec<(String, StatsRow, Vec<TaskRow>)>> {
    detached(py, || {
        let row = |of: &ExecutorInfo| (of.name.clone(), stats_row(&of.stats), of.tasks.iter().map(task_row).collect());
        Ok(engine.shared.engine().executors().iter().map(row).collect())
    })
}

/// What `knhk.warm.Task` stands on.
#[pyclass(frozen, module = "knhk._knhk")]
pub struct TaskBase {
    task: Task,
    works: Arc<Works>,
}

#[pymethods]
impl TaskBase {
    fn submit(&self, py: Python<'_>, work: Py<PyAny>, within: Option<f64>) -> PyResult<Ticket> {
        let within = within.map(|within| seconds("executor", "within", within)).transpose()?;
        let number = self.works.add(work);
        // What is ended by this call, and heard of, may be Python's.
        let submitted = detached(py, || {
            let submitted = match within {
                None => self.task.submit(number),
                Some(within) => {
                    let within = u64::try_from(within.as_nanos()).unwrap_or(u64::MAX);
                    self.task.submit_by(number, SystemClock.now_ns().saturating_add(within))
                }
            };
            submitted.map_err(|refused| {
                let status = if refused == Refused::Full { Status::Busy } else { Status::Closed };
                Error::new(status, "executor", &*self.task.stats().name, refused.to_string())
            })
        });
        let native = submitted.inspect_err(|_| {
            let work = self.works.all().remove(&number);
            drop(work);
        })?;
        Ok(Ticket { native })
    }

    fn stats(&self) -> TaskRow {
        task_row(&self.task.stats())
    }
}

/// Stands for a run.
#[pyclass(frozen, module = "knhk._knhk")]
pub struct Ticket {
    native: Native,
}

#[pymethods]
impl Ticket {
    /// Whether it was not over yet.
    fn cancel(&self, py: Python<'_>) -> bool {
        py.detach(|| self.native.cancel())
    }
}
