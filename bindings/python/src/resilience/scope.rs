//! Scopes, and who listens to them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use knhk_resilience::{Clock, Event, Events, ManualClock, Scope as Shared, SystemClock};
use knhk_warm::Ticker;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::seconds;
use crate::callbacks;
use crate::engine::Engine;
use crate::error::invalid;

/// Events that wait for a callback before the oldest make room.
const WAITING: usize = 1024;

/// What policies share.
#[pyclass(frozen, subclass, module = "knhk._knhk")]
pub struct ScopeBase {
    pub(super) shared: Shared,
    manual: Option<Arc<ManualClock>>,
    _follower: Option<Ticker>,
}

impl ScopeBase {
    /// The clock that it goes by.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        self.shared.clock().clone()
    }
}

#[pymethods]
impl ScopeBase {
    #[new]
    #[pyo3(signature = (clock = "system", *, engine = None))]
    fn new(clock: &str, engine: Option<&Engine>) -> PyResult<ScopeBase> {
        let made = |shared, manual, follower| Ok(ScopeBase { shared, manual, _follower: follower });
        if let Some(engine) = engine {
            return made(engine.shared.engine().scope(), None, None);
        }
        match clock {
            "system" => made(Shared::default(), None, None),
            "cached" => {
                let cached = Arc::new(ManualClock::default());
                let follower = cached.follow(Arc::new(SystemClock), Duration::from_millis(1))?;
                made(Shared::new(cached), None, Some(follower))
            }
            "manual" => {
                let manual = Arc::new(ManualClock::default());
                made(Shared::new(manual.clone()), Some(manual), None)
            }
            other => {
                Err(invalid("scope", "clock", format!("clock is \"system\", \"cached\" or \"manual\", not {other:?}")))
            }
        }
    }

    fn now(&self) -> f64 {
        self.shared.clock().now_ns() as f64 / 1e9
    }

    fn advance(&self, by: f64) -> PyResult<()> {
        let by = seconds("by", by)?;
        let manual = self.manual.as_ref();
        let manual = manual.ok_or_else(|| invalid("scope", "clock", "only the clock \"manual\" is moved by hand"))?;
        manual.advance(by);
        Ok(())
    }

    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        for counter in self.shared.counters().read() {
            all.set_item(counter.name, counter.value)?;
        }
        Ok(all)
    }

    fn _subscribe(&self, callback: Py<PyAny>) -> PyResult<Listener> {
        let events = Events::new(WAITING);
        let queue = events.clone();
        let tell = move |event: Event| {
            callbacks::call(|py| {
                let Event { source, at_ns, change } = &event;
                let (from, to) = change.ends();
                let at = *at_ns as f64 / 1e9;
                let told = (&**source, change.kind(), from, to, format!("{source}: {change}"), at, queue.missed());
                callback.call1(py, told).map(drop)
            });
        };
        let ticker = events.listen(Box::new(tell))?;
        self.shared.subscribe(events.clone());
        Ok(Listener { shared: self.shared.clone(), held: Mutex::new(Some((events, ticker))) })
    }
}

/// A callback's registration. It ends when it is forgotten.
#[pyclass(frozen, module = "knhk.resilience")]
pub struct Listener {
    shared: Shared,
    held: Mutex<Option<(Events, Ticker)>>,
}

impl Listener {
    fn end(&self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((events, ticker)) = held {
            self.shared.unsubscribe(&events);
            drop(ticker);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // The thread may be waiting for the interpreter.
        if Python::try_attach(|py| py.detach(|| self.end())).is_none() {
            self.end();
        }
    }
}

#[pymethods]
impl Listener {
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.end());
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, py: Python<'_>, _raised: &Bound<'_, PyTuple>) {
        self.close(py);
    }
}
