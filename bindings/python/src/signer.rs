//! Who signs receipts: a key held here, or a Python callable that asks where it is held.

use std::path::PathBuf;

use knhk_engine as engine;
use knhk_engine::{Error, PublicKey};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::callbacks::ask;
use crate::error::{Raised, detached};
use crate::records::hex;

/// A key that signs (Ed25519), here or elsewhere.
#[pyclass(frozen, module = "knhk")]
pub struct Signer(pub(crate) engine::Signer);

#[pymethods]
impl Signer {
    #[staticmethod]
    fn generate(py: Python<'_>) -> PyResult<Signer> {
        detached(py, || Ok(Signer(engine::Signer::generate()?)))
    }

    #[staticmethod]
    #[pyo3(signature = (path, /))]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Signer> {
        detached(py, || Ok(Signer(engine::Signer::load(&path)?)))
    }

    #[staticmethod]
    #[pyo3(signature = (seed, /))]
    fn from_seed(seed: &[u8]) -> PyResult<Signer> {
        // The error says how long it is, and nothing of what is in it.
        let seed =
            seed.try_into().map_err(|_| PyValueError::new_err(format!("a seed has 32 bytes, not {}", seed.len())))?;
        Ok(Signer(engine::Signer::from_seed(seed)))
    }

    #[staticmethod]
    #[pyo3(signature = (public_key, sign, /))]
    fn delegated(public_key: &[u8], sign: Bound<'_, PyAny>) -> PyResult<Signer> {
        if !sign.is_callable() {
            return Err(PyTypeError::new_err(format!("{} cannot be called", sign.repr()?)));
        }
        let len = public_key.len();
        let key = public_key
            .try_into()
            .map_err(|_| PyValueError::new_err(format!("a public key has 32 bytes, not {len}")))?;
        let public = PublicKey::from_bytes(key).map_err(|error| PyErr::from(Raised::from(Error::from(error))))?;
        let sign = sign.unbind();
        Ok(Signer(engine::Signer::delegated(public, move |message| signature(&sign, message))))
    }

    #[pyo3(signature = (path, /))]
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        detached(py, || Ok(self.0.save(&path)?))
    }

    #[pyo3(signature = (message, /))]
    fn sign<'py>(&self, py: Python<'py>, message: PyBackedBytes) -> PyResult<Bound<'py, PyBytes>> {
        let signature = detached(py, || Ok(self.0.sign(&message)?))?;
        Ok(PyBytes::new(py, &signature))
    }

    #[getter]
    fn public_key<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.public().to_bytes())
    }

    fn __repr__(&self) -> String {
        format!("<knhk.Signer of public key {}>", hex(&self.0.public().to_bytes()))
    }
}

/// Asks the callable. It runs on whichever thread records something, which is detached from the interpreter then.
fn signature(sign: &Py<PyAny>, message: &[u8]) -> Result<[u8; 64], String> {
    let asked = ask(|py| {
        let told = sign.call1(py, (PyBytes::new(py, message),)).map_err(|error| reason(py, &error))?;
        let bytes = told.bind(py).cast::<PyBytes>().map_err(|_| {
            let kind = told.bind(py).get_type().name().map_or_else(|_| "?".into(), |name| name.to_string());
            format!("the callable gave a {kind} where the 64 bytes of a signature were wanted")
        })?;
        let len = bytes.as_bytes().len();
        bytes.as_bytes().try_into().map_err(|_| format!("the callable gave {len} bytes, and a signature has 64"))
    });
    asked.unwrap_or_else(|| Err("the interpreter is ending, and runs no callable any more".into()))
}

/// An exception in a line.
pub(crate) fn reason(py: Python<'_>, error: &PyErr) -> String {
    let kind = error.get_type(py).name().map_or_else(|_| "an exception".into(), |name| name.to_string());
    format!("the callable raised {kind}: {}", error.value(py))
}
