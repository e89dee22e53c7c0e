//! Knowledge beyond documents: ontologies in several formats, changes by statement, reports, proofs, conflicts.

use knhk_engine::{Conflict, Error, Format, Proof, Report, Severity, StatementDiff, Status, ValidationResult};
use napi::bindgen_prelude::{External, ToNapiValue};
use napi::{Env, sys};
use napi_derive::napi;

use crate::calls::{OriginOptions, Raw, Settle, run, with, with_rest};
use crate::error::throw;
use crate::job::Job;
use crate::records::{Object, array};
use crate::value::{bytes, text};

fn format(env: Env, name: &str) -> napi::Result<Format> {
    name.parse().map_err(|_| {
        let message = format!("there is no format {name:?}");
        throw(env.raw(), &Error::new(Status::InvalidArgument, "call", "format", message))
    })
}

/// A text in memory that no JavaScript changes meanwhile. What is too large is not copied.
fn copied(env: Env, engine: u32, text: &[u8]) -> napi::Result<Vec<u8>> {
    with(env, engine, |local| local.shared.engine.check_bytes(text.len()))?;
    Ok(text.to_vec())
}

/// Promotes an ontology.
#[napi(catch_unwind)]
pub fn promote_rdf(
    env: Env,
    engine: u32,
    sector: String,
    text: &[u8],
    format: String,
    origin: OriginOptions,
    settle: Settle<'_>,
) -> napi::Result<Raw> {
    let (text, format) = (copied(env, engine, text)?, self::format(env, &format)?);
    run(env, engine, settle, Job::PromoteRdf { sector, text, format, origin: origin.origin() })
}

/// Promotes a change by statement.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments)]
pub fn promote_delta(
    env: Env,
    engine: u32,
    sector: String,
    removed: &[u8],
    added: &[u8],
    format: String,
    origin: OriginOptions,
    settle: Settle<'_>,
) -> napi::Result<Raw> {
    let (removed, added) = (copied(env, engine, removed)?, copied(env, engine, added)?);
    let format = self::format(env, &format)?;
    run(env, engine, settle, Job::PromoteDelta { sector, removed, added, format, origin: origin.origin() })
}

/// Validates what is current.
#[napi(catch_unwind)]
pub fn validate(env: Env, engine: u32, sector: String, settle: Settle<'_>) -> napi::Result<Raw> {
    run(env, engine, settle, Job::Validate { sector })
}

/// Validates an ontology, and promotes nothing.
#[napi(catch_unwind)]
pub fn validate_rdf(
    env: Env,
    engine: u32,
    sector: String,
    text: &[u8],
    format: String,
    settle: Settle<'_>,
) -> napi::Result<Raw> {
    let (text, format) = (copied(env, engine, text)?, self::format(env, &format)?);
    run(env, engine, settle, Job::ValidateRdf { sector, text, format })
}

/// Validates a change by statement, and promotes nothing.
#[napi(catch_unwind)]
pub fn validate_delta(
    env: Env,
    engine: u32,
    sector: String,
    removed: &[u8],
    added: &[u8],
    format: String,
    settle: Settle<'_>,
) -> napi::Result<Raw> {
    let (removed, added) = (copied(env, engine, removed)?, copied(env, engine, added)?);
    let format = self::format(env, &format)?;
    run(env, engine, settle, Job::ValidateDelta { sector, removed, added, format })
}

/// A version in a format.
#[napi(catch_unwind)]
pub fn export_as(env: Env, engine: u32, sector: String, version: Option<f64>, format: String) -> napi::Result<String> {
    let format = self::format(env, &format)?;
    with_rest(env, engine, |local| local.shared.engine.export(&sector, version.map(|version| version as u64), format))
}

/// What leads from one version to another.
#[napi(catch_unwind)]
pub fn diff(env: Env, engine: u32, sector: String, from: f64, to: f64) -> napi::Result<Raw> {
    with_rest(env, engine, |local| {
        let diff = local.shared.engine.statement_diff(&sector, from as u64, to as u64)?;
        Ok(Raw(statement_diff(env.raw(), &diff)))
    })
}

/// The proof that a sector says a statement.
#[napi(catch_unwind)]
pub fn prove(env: Env, engine: u32, sector: String, statement: String) -> napi::Result<Raw> {
    with_rest(env, engine, |local| {
        let proof = local.shared.engine.prove(&sector, &statement)?;
        Ok(Raw(bytes(env.raw(), &proof.to_bytes())))
    })
}

/// Checks a proof; it needs no engine.
#[napi(catch_unwind)]
pub fn verify_proof(env: Env, snapshot_id: &[u8], proof: &[u8], statement: String) -> napi::Result<()> {
    let checked = match snapshot_id.try_into() {
        Ok(id) => Proof::check(id, proof, &statement),
        Err(_) => Err(Error::new(Status::InvalidArgument, "verify", "snapshotId", "a content address has 32 bytes")),
    };
    checked.map_err(|error| throw(env.raw(), &error))
}

/// The identifiers that two sectors define differently.
#[napi(catch_unwind)]
pub fn conflicts(env: Env, engine: u32) -> napi::Result<Raw> {
    with_rest(env, engine, |local| {
        let found = local.shared.engine.conflicts()?;
        Ok(Raw(array(env.raw(), found.iter().map(|found| conflict(env.raw(), found)))))
    })
}

/// A report in the vocabulary of SHACL.
#[napi(catch_unwind)]
pub fn report_rdf(env: Env, report: &External<Report>, format: String) -> napi::Result<String> {
    let format = self::format(env, &format)?;
    report.to_rdf(format).map_err(|error| throw(env.raw(), &Error::from(error)))
}

fn statement_diff(env: sys::napi_env, diff: &StatementDiff) -> sys::napi_value {
    let lines = |lines: &[String]| array(env, lines.iter().map(|line| text(env, line)));
    Object::new(env)
        .set(c"removed", lines(&diff.removed))
        .set(c"added", lines(&diff.added))
        .text(c"text", &diff.to_string())
        .raw
}

fn conflict(env: sys::napi_env, conflict: &Conflict) -> sys::napi_value {
    let between = [&conflict.first, &conflict.second];
    Object::new(env)
        .text(c"identifier", &conflict.identifier)
        .set(c"sectors", array(env, between.map(|sector| text(env, sector))))
        .text(c"message", &conflict.to_string())
        .raw
}

fn result(env: sys::napi_env, result: &ValidationResult<'_>) -> sys::napi_value {
    let severity = match result.severity() {
        Severity::Info => "info",
        Severity::Warning => "warning",
        _ => "violation",
    };
    Object::new(env)
        .text(c"severity", severity)
        .text(c"focus", &result.focus())
        .optional(c"path", result.path().as_deref())
        .optional(c"value", result.value().as_deref())
        .text(c"component", result.component())
        .text(c"shape", &result.shape())
        .text(c"message", &result.message())
        .raw
}

/// A report, with what it can still be asked behind `source`.
pub(crate) fn report(env: sys::napi_env, report: Report) -> sys::napi_value {
    let object = Object::new(env)
        .boolean(c"conforms", report.conforms())
        .set(c"results", array(env, report.results().map(|found| result(env, &found))))
        .text(c"text", &report.to_string());
    // SAFETY: the environment's thread. An External carries its type, and is checked when it comes back.
    let source = unsafe { External::to_napi_value(env, External::new(report)) }.unwrap_or(std::ptr::null_mut());
    object.set(c"source", source).raw
}
