//! Knowledge beyond documents: reports, changes by statement, proofs, conflicts.

use knhk_engine as engine;
use knhk_engine::{Error, Format, Proof, Severity, Status};
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};

use crate::error::{Raised, detached};

/// A format by its name: "turtle", "ntriples" and so on.
pub(crate) fn format(name: &str) -> PyResult<Format> {
    name.parse().map_err(|_| {
        let message = format!(
            "there is no format {name:?}: there are \"turtle\", \"ntriples\", \"nquads\", \"jsonld\", \"rdfxml\" and \"json\""
        );
        Raised::from(Error::new(Status::InvalidArgument, "call", "format", message)).into()
    })
}

/// One result of a validation.
#[pyclass(frozen, get_all, module = "knhk")]
pub struct ValidationResult {
    severity: &'static str,
    focus: String,
    path: Option<String>,
    value: Option<String>,
    component: String,
    shape: String,
    message: String,
}

#[pymethods]
impl ValidationResult {
    fn __repr__(&self) -> String {
        format!("<knhk.ValidationResult {}: {}>", self.severity, self.message)
    }
}

/// What a validation found.
#[pyclass(frozen, module = "knhk")]
pub struct Report(pub(crate) engine::Report);

#[pymethods]
impl Report {
    #[getter]
    fn conforms(&self) -> bool {
        self.0.conforms()
    }

    #[getter]
    fn results(&self) -> Vec<ValidationResult> {
        let result = |result: engine::ValidationResult<'_>| ValidationResult {
            severity: match result.severity() {
                Severity::Info => "info",
                Severity::Warning => "warning",
                _ => "violation",
            },
            focus: result.focus(),
            path: result.path(),
            value: result.value(),
            component: result.component().to_owned(),
            shape: result.shape(),
            message: result.message(),
        };
        self.0.results().map(result).collect()
    }

    #[pyo3(signature = (format = "turtle"), text_signature = "($self, format='turtle')")]
    fn to_rdf(&self, py: Python<'_>, format: &str) -> PyResult<String> {
        let format = self::format(format)?;
        detached(py, || Ok(self.0.to_rdf(format)?))
    }

    fn __bool__(&self) -> bool {
        self.0.conforms()
    }

    fn __len__(&self) -> usize {
        self.0.results().len()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        let conforms = if self.0.conforms() { "conforms" } else { "does not conform" };
        format!("<knhk.Report: {conforms}, {} results>", self.0.results().len())
    }
}

/// What leads from one version to another, statement by statement.
#[pyclass(frozen, get_all, eq, hash, module = "knhk")]
#[derive(Clone, PartialEq, Hash)]
pub struct StatementDiff {
    removed: Vec<String>,
    added: Vec<String>,
}

impl From<engine::StatementDiff> for StatementDiff {
    fn from(diff: engine::StatementDiff) -> StatementDiff {
        StatementDiff { removed: diff.removed, added: diff.added }
    }
}

#[pymethods]
impl StatementDiff {
    fn __str__(&self) -> String {
        let diff = engine::StatementDiff { removed: self.removed.clone(), added: self.added.clone() };
        diff.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<knhk.StatementDiff: {} removed, {} added>", self.removed.len(), self.added.len())
    }
}

/// An identifier that two sectors define differently.
#[pyclass(frozen, get_all, eq, hash, module = "knhk")]
#[derive(Clone, PartialEq, Hash)]
pub struct IdentifierConflict {
    identifier: String,
    first: String,
    second: String,
    message: String,
}

impl From<&engine::Conflict> for IdentifierConflict {
    fn from(conflict: &engine::Conflict) -> IdentifierConflict {
        IdentifierConflict {
            identifier: conflict.identifier.clone(),
            first: conflict.first.clone(),
            second: conflict.second.clone(),
            message: conflict.to_string(),
        }
    }
}

#[pymethods]
impl IdentifierConflict {
    fn __str__(&self) -> &str {
        &self.message
    }

    fn __repr__(&self) -> String {
        format!("<knhk.IdentifierConflict {}>", self.message)
    }
}

/// Checks a proof that `Sector.prove` made, here or elsewhere.
#[pyfunction]
#[pyo3(signature = (snapshot_id, proof, statement, /))]
pub fn verify_proof(py: Python<'_>, snapshot_id: &str, proof: PyBackedBytes, statement: PyBackedStr) -> PyResult<()> {
    let mut id = [0; 32];
    let digits = |at: usize| snapshot_id.get(2 * at..2 * at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
    for (at, byte) in id.iter_mut().enumerate() {
        *byte = match digits(at) {
            Some(digits) if snapshot_id.len() == 64 => digits,
            _ => {
                let message = "a content address is 64 hexadecimal digits, as in Version.snapshot_id";
                return Err(crate::error::invalid("verify", "snapshot_id", message));
            }
        };
    }
    detached(py, || Proof::check(&id, &proof, &statement))
}
