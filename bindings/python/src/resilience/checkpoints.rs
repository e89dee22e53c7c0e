//! Checkpoints of a program's components: the native half of `knhk.resilience.Checkpoints`.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use knhk_engine::{Error, Status, checkpoint_error};
use knhk_resilience::Scope;
use knhk_resilience::checkpoint::{
    Background, CheckpointError, Checkpoints as Native, Folder, Key, Settings, Stateful, Taken as NativeTaken,
};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use super::scope::ScopeBase;
use super::seconds;
use crate::callbacks;
use crate::engine::Engine;
use crate::error::{detached, invalid};

/// A component that is Python's. An exception is why it cannot.
struct Component {
    save: Py<PyAny>,
    load: Py<PyAny>,
    freeze: Option<Py<PyAny>>,
    thaw: Option<Py<PyAny>>,
    /// Why it could not hold still; its state is not saved then.
    moving: Mutex<Option<String>>,
}

const ENDING: &str = "the interpreter is ending";

fn asked<T>(call: impl FnOnce(Python<'_>) -> PyResult<T>) -> Result<T, String> {
    callbacks::ask(|py| call(py).map_err(|error| error.to_string())).unwrap_or_else(|| Err(ENDING.into()))
}

impl Stateful for Component {
    fn freeze(&self) {
        let Some(freeze) = &self.freeze else { return };
        let held = asked(|py| freeze.call0(py).map(drop));
        *self.moving.lock().unwrap_or_else(PoisonError::into_inner) = held.err();
    }

    fn thaw(&self) {
        if let Some(thaw) = &self.thaw {
            callbacks::call(|py| thaw.call0(py).map(drop));
        }
    }

    fn save(&self, to: &mut dyn Write) -> Result<(), String> {
        if let Some(why) = self.moving.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(format!("it could not hold still: {why}"));
        }
        let saved = asked(|py| self.save.call0(py)?.extract::<PyBackedBytes>(py).map_err(PyErr::from))?;
        to.write_all(&saved).map_err(|error| error.to_string())
    }

    fn load(&self, from: &[u8]) -> Result<(), String> {
        asked(|py| self.load.call1(py, (PyBytes::new(py, from),)).map(drop))
    }
}

/// What `knhk.resilience.Checkpoints` is made of.
#[pyclass(frozen, subclass, module = "knhk._knhk")]
pub struct CheckpointsBase {
    native: Mutex<Option<Arc<Native>>>,
    name: String,
    background: Mutex<Option<Background>>,
}

/// A checkpoint that was taken.
#[pyclass(frozen, get_all, module = "knhk.resilience")]
pub struct TakenCheckpoint {
    number: u64,
    full: bool,
    bytes: u64,
    state_bytes: u64,
    digest: Py<PyBytes>,
    frozen: f64,
    took: f64,
}

/// A checkpoint that was restored.
#[pyclass(frozen, get_all, module = "knhk.resilience")]
pub struct RestoredCheckpoint {
    number: u64,
    time_ns: u64,
    digest: Py<PyBytes>,
    skipped: Vec<(u64, String)>,
    absent: Vec<String>,
    unknown: Vec<String>,
}

/// A checkpoint that is kept.
#[pyclass(frozen, get_all, module = "knhk.resilience")]
pub struct KeptCheckpoint {
    number: u64,
    full: bool,
    bytes: u64,
    time_ns: u64,
    encrypted: bool,
    damage: Option<String>,
}

impl CheckpointsBase {
    fn failed(&self, error: &CheckpointError) -> Error {
        checkpoint_error(&self.name, error)
    }

    fn native(&self) -> Result<Arc<Native>, Error> {
        let native = self.native.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let message = "the checkpoints were closed: open them anew";
        native.ok_or_else(|| Error::new(Status::Closed, "checkpoint", &self.name, message))
    }

    fn end(&self) {
        // Taken out first: the thread's end is waited for without the lock.
        let background = self.background.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(background);
    }
}

#[pymethods]
impl CheckpointsBase {
    #[new]
    #[pyo3(signature = (name, engine, folder, scope, chain, chains, level, limit, keys))]
    #[expect(clippy::too_many_arguments, reason = "the public class gives them names")]
    fn new(
        py: Python<'_>,
        name: String,
        engine: Option<&Engine>,
        folder: Option<PathBuf>,
        scope: Option<&ScopeBase>,
        chain: Option<u32>,
        chains: Option<usize>,
        level: Option<i32>,
        limit: Option<u64>,
        keys: Vec<PyBackedBytes>,
    ) -> PyResult<CheckpointsBase> {
        let mut settings = Settings::default();
        settings.chain = chain.unwrap_or(settings.chain);
        settings.chains = chains.unwrap_or(settings.chains);
        settings.level = level.unwrap_or(settings.level);
        settings.limit = limit.unwrap_or(settings.limit);
        for key in &keys {
            let bytes: [u8; 32] = (**key).try_into().map_err(|_| {
                invalid("checkpoint", "keys", format!("a key has 32 bytes, and one of these {}", key.len()))
            })?;
            settings.keys.push(Key::new(bytes));
        }
        let made = match (engine, folder) {
            (Some(engine), None) => detached(py, || engine.shared.engine().checkpoints(&name, settings))?,
            (None, Some(folder)) => {
                let scope = scope.map_or_else(Scope::default, |scope| scope.shared.clone());
                detached(py, || {
                    let failed = |error: &CheckpointError| checkpoint_error(&name, error);
                    let folder = Folder::open(&folder).map_err(|error| failed(&error.into()))?;
                    Ok(Arc::new(Native::open(&name, folder, settings, &scope).map_err(|error| failed(&error))?))
                })?
            }
            _ => {
                let message = "checkpoints are kept in an engine or in a folder: name one of the two";
                return Err(invalid("checkpoint", &name, message));
            }
        };
        Ok(CheckpointsBase { native: Mutex::new(Some(made)), name, background: Mutex::default() })
    }

    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    #[getter]
    fn components(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        detached(py, || Ok(self.native()?.names()))
    }

    #[pyo3(signature = (name, save, load, freeze, thaw))]
    fn _add(
        &self,
        py: Python<'_>,
        name: &str,
        save: Py<PyAny>,
        load: Py<PyAny>,
        freeze: Option<Py<PyAny>>,
        thaw: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let component = Arc::new(Component { save, load, freeze, thaw, moving: Mutex::default() });
        detached(py, || self.native()?.add(name, component).map_err(|error| self.failed(&error)))
    }

    #[pyo3(signature = (name, /))]
    fn remove(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        detached(py, || Ok(self.native()?.remove(name)))
    }

    #[pyo3(signature = (*, full = false))]
    fn take(&self, py: Python<'_>, full: bool) -> PyResult<TakenCheckpoint> {
        let taken = detached(py, || {
            let native = self.native()?;
            let taken = if full { native.take_full() } else { native.take() };
            taken.map_err(|error| self.failed(&error))
        })?;
        let NativeTaken { number, full, bytes, digest, state_bytes, frozen, took } = taken;
        let (digest, frozen, took) = (PyBytes::new(py, &digest).unbind(), frozen.as_secs_f64(), took.as_secs_f64());
        Ok(TakenCheckpoint { number, full, bytes, state_bytes, digest, frozen, took })
    }

    fn restore(&self, py: Python<'_>) -> PyResult<RestoredCheckpoint> {
        let restored = detached(py, || self.native()?.restore().map_err(|error| self.failed(&error)))?;
        Ok(RestoredCheckpoint {
            number: restored.number,
            time_ns: restored.time_ns,
            digest: PyBytes::new(py, &restored.digest).unbind(),
            skipped: restored.skipped.into_iter().map(|skipped| (skipped.number, skipped.why)).collect(),
            absent: restored.absent,
            unknown: restored.unknown,
        })
    }

    fn kept(&self, py: Python<'_>) -> PyResult<Vec<KeptCheckpoint>> {
        let kept = detached(py, || self.native()?.list().map_err(|error| self.failed(&error)))?;
        let each = |info: knhk_resilience::checkpoint::Info| KeptCheckpoint {
            number: info.number,
            full: info.full,
            bytes: info.bytes,
            time_ns: info.time_ns,
            encrypted: info.encrypted,
            damage: info.damage,
        };
        Ok(kept.into_iter().map(each).collect())
    }

    #[pyo3(signature = (interval = 1.0, *, share = 0.05))]
    fn start(&self, py: Python<'_>, interval: f64, share: f64) -> PyResult<()> {
        let interval = seconds("interval", interval)?;
        detached(py, || {
            let native = self.native()?;
            let mut background = self.background.lock().unwrap_or_else(PoisonError::into_inner);
            if background.is_some() {
                let message = "checkpoints are taken in the background already: stop that first";
                return Err(Error::new(Status::Busy, "checkpoint", &self.name, message));
            }
            *background = Some(native.start(interval, share).map_err(|error| self.failed(&error))?);
            Ok(())
        })
    }

    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.end());
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.end());
        let native = self.native.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(native);
    }
}

impl Drop for CheckpointsBase {
    fn drop(&mut self) {
        // The thread may be waiting for the interpreter.
        if Python::try_attach(|py| py.detach(|| self.end())).is_none() {
            self.end();
        }
    }
}
