//! Receipts, their proofs, verification, backup, and the keys that sign. Functions of an engine, which `knhk._ledger` makes methods of.

use std::path::PathBuf;

use knhk_engine as engine;
use knhk_engine::{AsOf, Error, Hold, ReceiptQuery, RestoreOptions, VerifyOptions};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::PyBytes;

use crate::callbacks::note_log_level;
use crate::engine::Engine;
use crate::error::detached;
use crate::records::hex;
use crate::signer::Signer;
use crate::view::View;

/// A receipt: a signed statement of one operation, at its place in the log.
#[pyclass(frozen, module = "knhk")]
pub struct Receipt(engine::ReceiptInfo);

#[pymethods]
impl Receipt {
    #[getter]
    fn number(&self) -> u64 {
        self.0.number
    }

    #[getter]
    fn id(&self) -> &str {
        &self.0.id
    }

    #[getter]
    fn time_ns(&self) -> u64 {
        self.0.time_ns
    }

    #[getter]
    fn sector(&self) -> Option<&str> {
        self.0.sector.as_deref()
    }

    #[getter]
    fn kind(&self) -> &str {
        &self.0.kind
    }

    #[getter]
    fn outcome(&self) -> &str {
        &self.0.outcome
    }

    #[getter]
    fn evidence<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?.call_method1("loads", (self.0.evidence.to_string(),))
    }

    #[getter]
    fn links(&self) -> Vec<String> {
        self.0.links.clone()
    }

    #[getter]
    fn statement<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.statement)
    }

    #[getter]
    fn leaf<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.leaf)
    }

    fn __repr__(&self) -> String {
        format!("<knhk.Receipt {}: {}, {}>", self.0.id, self.0.kind, self.0.outcome)
    }
}

/// A key that signs, or signed.
#[pyclass(frozen, get_all, eq, hash, module = "knhk")]
#[derive(Clone, PartialEq, Hash)]
pub struct SigningKey {
    number: u64,
    id: String,
    from_receipt: u64,
    time_ns: u64,
    current: bool,
    key: Key,
}

/// 32 bytes, as Python's bytes.
#[derive(Clone, PartialEq, Hash)]
struct Key([u8; 32]);

impl<'py> IntoPyObject<'py> for Key {
    type Target = PyBytes;
    type Output = Bound<'py, PyBytes>;
    type Error = std::convert::Infallible;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(PyBytes::new(py, &self.0))
    }
}

#[pymethods]
impl SigningKey {
    fn __repr__(&self) -> String {
        let state = if self.current { ", current" } else { "" };
        format!("<knhk.SigningKey {} ({}) from receipt {}{state}>", self.number, self.id, self.from_receipt)
    }
}

/// A log and a history that are whole.
#[pyclass(frozen, get_all, eq, hash, module = "knhk")]
#[derive(Clone, PartialEq, Hash)]
pub struct Verified {
    receipts: u64,
    keys: u64,
    checkpoints: u64,
    observations: u64,
    dropped: u64,
    versions: u64,
    snapshots: u64,
    other_core: u64,
    first_ns: u64,
    last_ns: u64,
    root: String,
}

impl From<engine::Verified> for Verified {
    fn from(verified: engine::Verified) -> Verified {
        let engine::Verified { log, versions, snapshots, other_core } = verified;
        Verified {
            receipts: log.receipts,
            keys: log.keys,
            checkpoints: log.checkpoints,
            observations: log.observations,
            dropped: log.dropped,
            versions,
            snapshots,
            other_core,
            first_ns: log.first_ns,
            last_ns: log.last_ns,
            root: hex(&log.root),
        }
    }
}

#[pymethods]
impl Verified {
    fn __repr__(&self) -> String {
        format!("<knhk.Verified: {} receipts, {} keys, {} versions>", self.receipts, self.keys, self.versions)
    }
}

/// How far something long is.
#[pyclass(frozen, get_all, module = "knhk")]
pub struct Progress {
    done: u64,
    total: u64,
    observations: u64,
    versions: u64,
}

impl From<engine::VerifyProgress> for Progress {
    fn from(now: engine::VerifyProgress) -> Progress {
        let engine::VerifyProgress { receipts: done, total, observations, versions } = now;
        Progress { done, total, observations, versions }
    }
}

impl From<engine::Progress> for Progress {
    fn from(now: engine::Progress) -> Progress {
        Progress { done: now.done, total: now.total, observations: 0, versions: 0 }
    }
}

#[pymethods]
impl Progress {
    fn __repr__(&self) -> String {
        format!("<knhk.Progress: {} of {}>", self.done, self.total)
    }
}

/// Does something long detached, which tells `progress`. An exception of that, or of a signal's handler, stops it and is raised; so does
/// returning `False`.
fn long<T: Send>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    run: impl FnOnce(&mut dyn FnMut(Progress) -> bool) -> Result<T, Error> + Send,
) -> PyResult<T> {
    let mut raised = None;
    let at = &mut raised;
    let outcome = detached(py, move || {
        run(&mut |now| {
            let asked = Python::attach(|py| -> PyResult<bool> {
                py.check_signals()?;
                let Some(progress) = &progress else { return Ok(true) };
                Ok(!progress.call1(py, (now,))?.bind(py).is(pyo3::types::PyBool::new(py, false)))
            });
            asked.unwrap_or_else(|error| {
                *at = Some(error);
                false
            })
        })
    });
    raised.map_or(outcome, Err)
}

#[pyfunction]
#[pyo3(signature = (engine, first, end, sector, kind, newest_first, limit, /))]
#[allow(clippy::too_many_arguments)]
pub fn receipts(
    py: Python<'_>,
    engine: &Engine,
    first: u64,
    end: Option<u64>,
    sector: Option<String>,
    kind: Option<String>,
    newest_first: bool,
    limit: Option<usize>,
) -> PyResult<Vec<Receipt>> {
    let query = ReceiptQuery { from: first, to: end, sector, kind, newest_first, limit };
    detached(py, || Ok(engine.shared.engine().receipts(&query)?.into_iter().map(Receipt).collect()))
}

#[pyfunction]
#[pyo3(signature = (engine, id_or_number, /))]
pub fn receipt(py: Python<'_>, engine: &Engine, id_or_number: PyBackedStr) -> PyResult<Receipt> {
    detached(py, || engine.shared.engine().receipt(&id_or_number).map(Receipt))
}

#[pyfunction]
#[pyo3(signature = (engine, id_or_number, /))]
pub fn prove_receipt<'py>(
    py: Python<'py>,
    engine: &Engine,
    id_or_number: PyBackedStr,
) -> PyResult<Bound<'py, PyBytes>> {
    let proof = detached(py, || engine.shared.engine().prove_receipt(&id_or_number))?;
    Ok(PyBytes::new(py, &proof))
}

#[pyfunction]
#[pyo3(signature = (engine, earlier, /))]
pub fn prove_consistency<'py>(py: Python<'py>, engine: &Engine, earlier: u64) -> PyResult<Bound<'py, PyBytes>> {
    let proof = detached(py, || engine.shared.engine().prove_consistency(earlier))?;
    Ok(PyBytes::new(py, &proof))
}

#[pyfunction]
#[pyo3(signature = (engine, /))]
pub fn checkpoint(py: Python<'_>, engine: &Engine) -> PyResult<String> {
    detached(py, || engine.shared.engine().checkpoint())
}

#[pyfunction]
#[pyo3(signature = (engine, /))]
pub fn trust_root(py: Python<'_>, engine: &Engine) -> PyResult<Option<String>> {
    detached(py, || Ok(engine.shared.engine().trust_root()))
}

#[pyfunction]
#[pyo3(signature = (engine, checkpoint, without_observations, progress, /))]
pub fn verify(
    py: Python<'_>,
    engine: &Engine,
    checkpoint: Option<String>,
    without_observations: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Verified> {
    let options = VerifyOptions { checkpoint, without_observations };
    let verified = long(py, progress, |tell| engine.shared.engine().verify(&options, &mut |now| tell(now.into())))?;
    Ok(verified.into())
}

#[pyfunction]
#[pyo3(signature = (engine, /))]
pub fn signing_keys(py: Python<'_>, engine: &Engine) -> PyResult<Vec<SigningKey>> {
    let keys = detached(py, || engine.shared.engine().signing_keys())?;
    let key = |key: engine::SigningKey| SigningKey {
        number: key.number,
        id: hex(&key.id),
        from_receipt: key.from_receipt,
        time_ns: key.time_ns,
        current: key.current,
        key: Key(key.key),
    };
    Ok(keys.into_iter().map(key).collect())
}

#[pyfunction]
#[pyo3(signature = (engine, signer, /))]
pub fn rotate_key(py: Python<'_>, engine: &Engine, signer: Option<&Signer>) -> PyResult<Receipt> {
    note_log_level(py, &engine.shared.log_level)?;
    let signer = signer.map(|signer| signer.0.clone());
    detached(py, || engine.shared.engine().rotate_key(signer).map(Receipt))
}

#[pyfunction]
#[pyo3(signature = (engine, /))]
pub fn prune(py: Python<'_>, engine: &Engine) -> PyResult<u64> {
    note_log_level(py, &engine.shared.log_level)?;
    detached(py, || engine.shared.engine().prune())
}

#[pyfunction]
#[pyo3(signature = (engine, time_ns, /))]
pub fn as_of_moment(py: Python<'_>, engine: &Engine, time_ns: u64) -> PyResult<View> {
    let hold: Hold = detached(py, || engine.shared.engine().as_of(&AsOf::Moment(time_ns)))?;
    Ok(View::of(&engine.shared, hold))
}

#[pyfunction]
#[pyo3(signature = (engine, path, progress, /))]
pub fn backup(py: Python<'_>, engine: &Engine, path: PathBuf, progress: Option<Py<PyAny>>) -> PyResult<()> {
    long(py, progress, |tell| engine.shared.engine().backup(&path, &mut |now| tell(now.into())))
}

#[pyfunction]
#[pyo3(signature = (source, folder, trust_root, checkpoint, progress, /))]
pub fn restore(
    py: Python<'_>,
    source: PathBuf,
    folder: PathBuf,
    trust_root: Option<String>,
    checkpoint: Option<String>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Verified> {
    let options = RestoreOptions { trust_root, checkpoint };
    let restored = |tell: &mut dyn FnMut(Progress) -> bool| {
        engine::restore(&source, &folder, &options, &mut |now| tell(now.into()))
    };
    Ok(long(py, progress, restored)?.into())
}
