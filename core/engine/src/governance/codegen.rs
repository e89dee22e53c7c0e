//! Typed keys generated from a version, with the receipt that says from which.

use knhk_codegen::{Language, generate};
use knhk_ledger::{Evidence, Outcome};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::book::entry;
use crate::{Engine, Error, Status};

/// Generated keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Generated {
    /// The language.
    pub language: String,
    /// What the file is best called.
    pub file: String,
    /// The source text.
    pub text: String,
    /// The version that it was generated from.
    pub version: u64,
    /// The receipt's id; none without a ledger, and where the engine is read-only.
    pub receipt: Option<String>,
}

impl Engine {
    /// Generates typed keys for a language from a version, the current one if none is named: all keys, or those that `only` names. A misspelt
    /// key, or one that was retyped, does not compile then.
    ///
    /// # Errors
    /// `InvalidArgument` for an unknown language and for what cannot be named there; `NotFound` where the version is not retained; `Io` when
    /// the receipt cannot be recorded.
    pub fn generate_keys(
        &self,
        sector: &str,
        language: &str,
        version: Option<&str>,
        only: &[&str],
    ) -> Result<Generated, Error> {
        let of = self.sector(sector)?;
        let wrong = |error: knhk_codegen::CodegenError| {
            Error::new(Status::InvalidArgument, "codegen", sector, error.to_string())
        };
        let language: Language = language.parse().map_err(wrong)?;
        let version = self.resolve(sector, version.unwrap_or("current"))?;
        let snapshot = self.snapshot_of(&of, Some(version), "codegen")?;
        let text = generate(&snapshot, language, only).map_err(wrong)?;
        let evidence = Evidence::CodeGenerated {
            language: language.as_str().into(),
            snapshot: snapshot.id(),
            output: Sha256::digest(&text).into(),
        };
        let receipt = match self.recording() {
            Ok(durable) => {
                let entry = entry(self.now_ns(), Some(sector), Outcome::Approved, evidence);
                durable.history.ledger().append(vec![entry])?.pop().map(|appended| appended.id)
            }
            Err(error) if matches!(error.status(), Status::NotFound | Status::Io) => None,
            Err(error) => return Err(error),
        };
        let (file, language) = (language.file_name(sector), language.as_str().into());
        Ok(Generated { language, file, text, version, receipt })
    }
}
