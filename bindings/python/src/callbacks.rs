//! Calls from the engine's warm thread into Python: changes to subscribers, log lines to `logging`.
//!
//! Such a call attaches the warm thread, which waits for the interpreter; therefore nothing here waits for the warm thread while
//! it is attached. An exception of a callback is logged and ends nothing. Before the interpreter is taken down, [`end_callbacks`]
//! closes the [`GATE`]: from then on nothing attaches any more, and what the engine still announces goes nowhere.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::Thread;
use std::time::{Duration, Instant};

use knhk_engine::Level;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use crate::error::detached;
use crate::shared::Shared;
use crate::versions::Change;

/// How long the interpreter's end waits for callbacks that are running.
const PATIENCE: Duration = Duration::from_secs(5);

/// Counts the calls that are inside, and lets none in once it is shut.
struct Gate {
    shut: AtomicBool,
    inside: AtomicUsize,
    /// Raised in a forked child, where the calls that were inside do not exist.
    process: AtomicU32,
    /// Who waits for the last call to leave.
    waiting: OnceLock<Thread>,
}

static GATE: Gate = Gate {
    shut: AtomicBool::new(false),
    inside: AtomicUsize::new(0),
    process: AtomicU32::new(0),
    waiting: OnceLock::new(),
};

/// One call that is inside.
struct Inside {
    process: u32,
}

impl Gate {
    fn enter(&'static self) -> Option<Inside> {
        self.inside.fetch_add(1, Ordering::SeqCst);
        let inside = Inside { process: self.process.load(Ordering::SeqCst) };
        // The guard leaves again when the gate is shut. Sequential consistency: either this sees the gate shut, or `shut` sees this.
        if self.shut.load(Ordering::SeqCst) { None } else { Some(inside) }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        if self.process != GATE.process.load(Ordering::SeqCst) {
            return;
        }
        GATE.inside.fetch_sub(1, Ordering::SeqCst);
        if let Some(waiting) = GATE.waiting.get() {
            waiting.unpark();
        }
    }
}

/// Lets no callback begin any more, and waits (detached, and not for ever) for those that are running. For `atexit`.
#[pyfunction]
pub fn end_callbacks(py: Python<'_>) -> bool {
    py.detach(|| {
        _ = GATE.waiting.set(std::thread::current());
        GATE.shut.store(true, Ordering::SeqCst);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if GATE.inside.load(Ordering::SeqCst) == 0 {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            std::thread::park_timeout(left);
        }
    })
}

/// Forgets the calls that were inside in the parent. For `os.register_at_fork`.
#[pyfunction]
pub fn after_fork_in_child() {
    GATE.process.fetch_add(1, Ordering::SeqCst);
    GATE.inside.store(0, Ordering::SeqCst);
}

/// Runs `f` attached, unless the interpreter is about to end.
pub(crate) fn call(f: impl FnOnce(Python<'_>) -> PyResult<()>) {
    let Some(_inside) = GATE.enter() else { return };
    Python::try_attach(|py| {
        if let Err(error) = f(py) {
            report(py, error);
        }
    });
}

/// As [`call`], for what the caller wants to know; none when the interpreter is about to end.
pub(crate) fn ask<T>(f: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    let _inside = GATE.enter()?;
    Python::try_attach(f)
}

/// Tells `logging` about a callback's exception; where that fails too, the interpreter's hook for such cases.
fn report(py: Python<'_>, error: PyErr) {
    let told = logger(py).and_then(|logger| {
        let details = PyDict::new(py);
        details.set_item("exc_info", error.clone_ref(py).into_value(py))?;
        logger.call_method("error", ("a callback raised an exception",), Some(&details))
    });
    if told.is_err() {
        error.write_unraisable(py, None);
    }
}

fn logger(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static LOGGER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let made = LOGGER
        .get_or_try_init(py, || Ok::<_, PyErr>(py.import("logging")?.call_method1("getLogger", ("knhk",))?.unbind()))?;
    Ok(made.bind(py))
}

/// Asks `logging` which levels it wants now. Called before what may make the engine log, so that lines nobody wants cost nothing.
pub(crate) fn note_log_level(py: Python<'_>, wanted: &AtomicI32) -> PyResult<()> {
    let level = logger(py)?.call_method0("getEffectiveLevel")?.extract()?;
    wanted.store(level, Ordering::Relaxed);
    Ok(())
}

/// The engine's log, in `logging`'s terms.
pub(crate) fn forward_log(wanted: Arc<AtomicI32>) -> impl Fn(Level, &str, &str) + Send + Sync {
    move |level, part, message| {
        let number = match level {
            Level::Debug => 10,
            Level::Info => 20,
            Level::Warning => 30,
            Level::Error => 40,
        };
        if number < wanted.load(Ordering::Relaxed) {
            return;
        }
        call(|py| {
            let details = PyDict::new(py);
            let extra = PyDict::new(py);
            extra.set_item("part", part)?;
            details.set_item("extra", extra)?;
            logger(py)?.call_method("log", (number, "%s: %s", part, message), Some(&details))?;
            Ok(())
        });
    }
}

/// Calls `callback` for every change from now on.
pub(crate) fn subscribe(py: Python<'_>, shared: &Arc<Shared>, callback: Py<PyAny>) -> PyResult<Subscription> {
    let id = detached(py, || {
        shared.engine().subscribe(move |change| {
            call(|py| callback.call1(py, (Change::from(change.clone()),)).map(drop));
        })
    })?;
    shared.subscriptions().push(id);
    Ok(Subscription { shared: Arc::downgrade(shared), id })
}

/// A callback's registration.
#[pyclass(frozen, weakref, module = "knhk")]
pub struct Subscription {
    shared: Weak<Shared>,
    id: knhk_engine::Subscription,
}

#[pymethods]
impl Subscription {
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Some(shared) = self.shared.upgrade() else { return Ok(()) };
        shared.subscriptions().retain(|id| *id != self.id);
        if shared.is_forked() {
            return Ok(());
        }
        detached(py, move || {
            shared.engine().unsubscribe(self.id);
            drop(shared);
            Ok(())
        })
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, py: Python<'_>, _raised: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.close(py)
    }
}
