//! What proves an engine's history: receipts, verification, keys, versions by reference, backup.

use std::path::PathBuf;

use knhk_engine::{
    Error, LogEntry, LogQuery, ReceiptInfo, ReceiptQuery, RestoreOptions, SigningKey, Status, TagInfo, Verified,
    VerifyOptions, VerifyProgress,
};
use napi::bindgen_prelude::Function;
use napi::{Env, JsValue, sys};
use napi_derive::napi;

use crate::calls::{Raw, run, with};
use crate::environment::Environment;
use crate::error::throw;
use crate::job::{Job, Outcome, Output, Ticket};
use crate::records::{Object, array, hex};
use crate::reference::Reference;
use crate::{signer, value};

type Js = sys::napi_value;

/// Which receipts.
#[napi(object)]
pub struct ReceiptFilter {
    /// The first number.
    pub first: Option<f64>,
    /// One beyond the last number.
    pub end: Option<f64>,
    /// Of this sector only.
    pub sector: Option<String>,
    /// Of this kind only.
    pub kind: Option<String>,
    /// The newest first.
    pub newest_first: Option<bool>,
    /// How many at most.
    pub limit: Option<u32>,
}

/// Lists receipts.
#[napi(catch_unwind)]
pub fn receipts_of(env: Env, engine: u32, filter: ReceiptFilter, settle: Function<'_>) -> napi::Result<Raw> {
    let query = ReceiptQuery {
        from: filter.first.unwrap_or(0.0) as u64,
        to: filter.end.map(|end| end as u64),
        sector: filter.sector,
        kind: filter.kind,
        newest_first: filter.newest_first.unwrap_or(false),
        limit: filter.limit.map(|limit| limit as usize),
    };
    run(env, engine, Some(settle), Job::Receipts { query })
}

/// Finds a receipt by its id or number.
#[napi(catch_unwind)]
pub fn receipt_of(env: Env, engine: u32, id: String, settle: Function<'_>) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::Receipt { id })
}

/// Proves that a receipt is in the log.
#[napi(catch_unwind)]
pub fn prove_receipt(env: Env, engine: u32, id: String, settle: Function<'_>) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::ProveReceipt { id })
}

/// Proves that the log grew from an earlier size.
#[napi(catch_unwind)]
pub fn prove_consistency(env: Env, engine: u32, earlier: f64, settle: Function<'_>) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::ProveConsistency { earlier: earlier as u64 })
}

/// Signs the log's state.
#[napi(catch_unwind)]
pub fn checkpoint(env: Env, engine: u32, settle: Function<'_>) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::Checkpoint)
}

/// The log's name and first key.
#[napi(catch_unwind)]
pub fn trust_root(env: Env, engine: u32) -> napi::Result<Option<String>> {
    with(env, engine, |local| Ok(local.shared.trust_root.clone()))
}

/// Lists the keys.
#[napi(catch_unwind)]
pub fn signing_keys(env: Env, engine: u32, settle: Function<'_>) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::SigningKeys)
}

/// Has another key sign.
#[napi(catch_unwind)]
pub fn rotate_key(env: Env, engine: u32, number: Option<u32>, settle: Function<'_>) -> napi::Result<Raw> {
    let environment = Environment::required(env.raw())?;
    let next = number.map(|number| signer::given(env, &environment, number)).transpose()?;
    let shared = environment.open(engine)?.shared.clone();
    if next.as_ref().is_some_and(|(_, by_function)| *by_function) {
        // Before it is: both sign the receipt of it.
        shared.set_delegated(true);
    }
    run(env, engine, Some(settle), Job::RotateKey { signer: next.map(|(signer, _)| signer) })
}

/// Removes what is not to be kept.
#[napi(catch_unwind)]
pub fn prune(env: Env, engine: u32, settle: Function<'_>) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::Prune)
}

/// Lists versions.
#[napi(catch_unwind)]
pub fn version_log(
    env: Env,
    engine: u32,
    sector: String,
    before: Option<f64>,
    limit: Option<u32>,
    settle: Function<'_>,
) -> napi::Result<Raw> {
    let query = LogQuery { before: before.map(|before| before as u64), limit: limit.map(|limit| limit as usize) };
    run(env, engine, Some(settle), Job::Log { sector, query })
}

/// Finds the version that is meant.
#[napi(catch_unwind)]
pub fn resolve(env: Env, engine: u32, sector: String, reference: String, settle: Function<'_>) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::Resolve { sector, reference })
}

/// Sets a tag.
#[napi(catch_unwind)]
pub fn tag(
    env: Env,
    engine: u32,
    sector: String,
    name: String,
    reference: String,
    by: String,
    settle: Function<'_>,
) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::Tag { sector, name, reference, by })
}

/// Removes a tag.
#[napi(catch_unwind)]
pub fn untag(
    env: Env,
    engine: u32,
    sector: String,
    name: String,
    by: String,
    settle: Function<'_>,
) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::Untag { sector, name, by })
}

/// Lists a sector's tags.
#[napi(catch_unwind)]
pub fn tags_of(env: Env, engine: u32, sector: String, settle: Function<'_>) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::Tags { sector })
}

/// Holds all sectors as of a reference; gives the handle.
#[napi(catch_unwind)]
pub fn as_of(env: Env, engine: u32, sector: String, reference: String, settle: Function<'_>) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::AsOf { place: engine, sector, reference })
}

/// Holds all sectors as of a moment, in nanoseconds since the Unix epoch; gives the handle.
#[napi(catch_unwind)]
pub fn as_of_moment(
    env: Env,
    engine: u32,
    time_ns: napi::bindgen_prelude::BigInt,
    settle: Function<'_>,
) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::AsOfMoment { place: engine, time_ns: time_ns.get_u64().1 })
}

/// Leaves a held generation where reads leave theirs; `false` when it was let go.
#[napi(catch_unwind)]
pub fn look_at(view: f64) -> bool {
    let Some(environment) = Environment::current() else { return false };
    let held = environment.held(view as i64);
    if let Some(held) = &held {
        environment.scratch.generation(held.hold.raw());
    }
    held.is_some()
}

/// Begins what has a thread of its own: it tells how far it is, and can be stopped.
fn begin_long(
    env: Env,
    progress: Option<Function<'_>>,
    settle: Function<'_>,
    work: impl FnOnce(&mut dyn FnMut(VerifyProgress) -> bool) -> Outcome + Send + 'static,
) -> napi::Result<Raw> {
    let environment = Environment::required(env.raw())?;
    let ticket = Ticket::default();
    // SAFETY: napi-rs checked that these are functions; this is their environment's thread.
    let (settle, progress) = unsafe {
        let progress = progress.map(|progress| Reference::new(env.raw(), progress.raw())).transpose()?;
        (Reference::new(env.raw(), settle.raw())?, progress)
    };
    let number = environment.begin(settle, progress, ticket.clone());
    let mailbox = environment.mailbox.clone();
    let working = std::thread::Builder::new().name("knhk-long".into()).spawn(move || {
        if ticket.start() {
            let outcome = work(&mut |now| {
                mailbox.progress(number, now);
                !ticket.is_stopped()
            });
            mailbox.done(number, outcome);
        }
    });
    if let Err(error) = working {
        environment.cancel(number);
        let message = format!("no thread for the operation: {error}");
        return Err(throw(env.raw(), &Error::new(Status::System, "call", "", message)));
    }
    Ok(Raw(value::number(env.raw(), f64::from(number))))
}

/// Verifies the log and the history.
#[napi(catch_unwind)]
pub fn verify(
    env: Env,
    engine: u32,
    checkpoint: Option<String>,
    without_observations: bool,
    progress: Option<Function<'_>>,
    settle: Function<'_>,
) -> napi::Result<Raw> {
    let shared = Environment::required(env.raw())?.open(engine)?.shared.clone();
    let options = VerifyOptions { checkpoint, without_observations };
    begin_long(env, progress, settle, move |tell| {
        shared.engine.verify(&options, tell).map(|verified| Output::Verified(Box::new(verified)))
    })
}

/// Writes a backup.
#[napi(catch_unwind)]
pub fn backup(
    env: Env,
    engine: u32,
    path: String,
    progress: Option<Function<'_>>,
    settle: Function<'_>,
) -> napi::Result<Raw> {
    let shared = Environment::required(env.raw())?.open(engine)?.shared.clone();
    let path = PathBuf::from(path);
    begin_long(env, progress, settle, move |tell| {
        let told =
            |now: knhk_engine::Progress| VerifyProgress { receipts: now.done, total: now.total, ..Default::default() };
        shared.engine.backup(&path, &mut |now| tell(told(now))).map(|()| Output::Nothing)
    })
}

/// Makes a folder of a backup.
#[napi(catch_unwind)]
pub fn restore(
    env: Env,
    path: String,
    folder: String,
    trust_root: Option<String>,
    checkpoint: Option<String>,
    progress: Option<Function<'_>>,
    settle: Function<'_>,
) -> napi::Result<Raw> {
    let (path, folder) = (PathBuf::from(path), PathBuf::from(folder));
    let options = RestoreOptions { trust_root, checkpoint };
    begin_long(env, progress, settle, move |tell| {
        knhk_engine::restore(&path, &folder, &options, tell).map(|verified| Output::Verified(Box::new(verified)))
    })
}

pub(crate) fn receipt(env: sys::napi_env, receipt: &ReceiptInfo) -> Js {
    Object::new(env)
        .number(c"number", receipt.number)
        .text(c"id", &receipt.id)
        .time(receipt.time_ns)
        .optional(c"sector", receipt.sector.as_deref())
        .text(c"kind", &receipt.kind)
        .text(c"outcome", &receipt.outcome)
        // Parsed by the package.
        .text(c"evidence", &receipt.evidence.to_string())
        .set(c"links", array(env, receipt.links.iter().map(|link| value::text(env, link))))
        .set(c"statement", value::bytes(env, &receipt.statement))
        .set(c"leaf", value::bytes(env, &receipt.leaf))
        .raw
}

pub(crate) fn receipts(env: sys::napi_env, receipts: &[ReceiptInfo]) -> Js {
    array(env, receipts.iter().map(|of| receipt(env, of)))
}

pub(crate) fn keys(env: sys::napi_env, keys: &[SigningKey]) -> Js {
    let key = |key: &SigningKey| {
        Object::new(env)
            .number(c"number", key.number)
            .text(c"id", &hex(&key.id))
            .set(c"key", value::bytes(env, &key.key))
            .number(c"fromReceipt", key.from_receipt)
            .time(key.time_ns)
            .boolean(c"current", key.current)
            .raw
    };
    array(env, keys.iter().map(key))
}

pub(crate) fn log(env: sys::napi_env, entries: &[LogEntry]) -> Js {
    let entry = |entry: &LogEntry| {
        let object = Object::new(env)
            .number(c"version", entry.version)
            .text(c"snapshotId", &hex(&entry.snapshot_id))
            .set(c"parents", array(env, entry.parents.iter().map(|parent| value::number(env, *parent as f64))))
            .number(c"epoch", entry.epoch)
            .time(entry.time_ns)
            .text(c"by", &entry.by)
            .text(c"why", &entry.why)
            .boolean(c"major", entry.major)
            .optional(c"receipt", entry.receipt.as_deref())
            .set(c"tags", array(env, entry.tags.iter().map(|tag| value::text(env, tag))))
            .boolean(c"retained", entry.retained);
        match entry.rollback_of {
            Some(number) => object.number(c"rollbackOf", number).raw,
            None => object.raw,
        }
    };
    array(env, entries.iter().map(entry))
}

pub(crate) fn tags(env: sys::napi_env, tags: &[TagInfo]) -> Js {
    let tag = |tag: &TagInfo| {
        Object::new(env)
            .text(c"name", &tag.name)
            .number(c"version", tag.version)
            .time(tag.time_ns)
            .text(c"by", &tag.by)
            .raw
    };
    array(env, tags.iter().map(tag))
}

pub(crate) fn verified(env: sys::napi_env, verified: &Verified) -> Js {
    let log = &verified.log;
    Object::new(env)
        .number(c"receipts", log.receipts)
        .number(c"keys", log.keys)
        .number(c"checkpoints", log.checkpoints)
        .number(c"observations", log.observations)
        .number(c"dropped", log.dropped)
        .number(c"versions", verified.versions)
        .number(c"snapshots", verified.snapshots)
        .number(c"otherCore", verified.other_core)
        .text(c"root", &hex(&log.root))
        .raw
}

pub(crate) fn progress(env: sys::napi_env, now: &VerifyProgress) -> Js {
    Object::new(env)
        .number(c"done", now.receipts)
        .number(c"total", now.total)
        .number(c"observations", now.observations)
        .number(c"versions", now.versions)
        .raw
}
