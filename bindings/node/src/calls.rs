//! Operations on engines. Each that can take time is one function for both ways: with `settle` it answers at once with the operation's
//! number and calls `settle(error, value)` later; without, it does the work and gives the value.

use knhk_engine::{Error, Origin, SectorKind, Status};
use napi::bindgen_prelude::{External, Function, ToNapiValue};
use napi::{Env, JsValue, sys};
use napi_derive::napi;

use crate::environment::Environment;
use crate::error::throw;
use crate::job::{Job, Outcome, Ticket};
use crate::records::Source;
use crate::reference::Reference;
use crate::{records, value};

/// A JavaScript value made by hand.
pub struct Raw(pub(crate) sys::napi_value);

impl ToNapiValue for Raw {
    unsafe fn to_napi_value(_: sys::napi_env, value: Raw) -> napi::Result<sys::napi_value> {
        Ok(value.0)
    }
}

pub(crate) type Settle<'a> = Option<Function<'a>>;

/// Who, why, and whether keys may break.
#[napi(object)]
pub struct OriginOptions {
    /// Who.
    pub by: Option<String>,
    /// Why.
    pub why: Option<String>,
    /// Declares a major version.
    pub major: Option<bool>,
}

impl OriginOptions {
    pub(crate) fn origin(self) -> Origin {
        Origin {
            by: self.by.unwrap_or_default(),
            why: self.why.unwrap_or_default(),
            major: self.major.unwrap_or(false),
            ..Origin::default()
        }
    }
}

/// Gives `outcome` as a value, or throws it.
pub(crate) fn finish(env: Env, environment: &Environment, outcome: Outcome) -> napi::Result<Raw> {
    environment.output(outcome).map(Raw).map_err(|error| throw(env.raw(), &error))
}

/// Takes up an operation that `settle` hears of.
pub(crate) fn begin(env: Env, environment: &Environment, settle: Function<'_>) -> napi::Result<(u32, Ticket)> {
    let ticket = Ticket::default();
    // SAFETY: napi-rs checked that it is a function; this is its environment's thread.
    let settle = unsafe { Reference::new(env.raw(), settle.raw())? };
    Ok((environment.begin(settle, None, ticket.clone()), ticket))
}

pub(crate) fn run(env: Env, engine: u32, settle: Settle<'_>, job: Job) -> napi::Result<Raw> {
    let environment = Environment::required(env.raw())?;
    let shared = environment.open(engine)?.shared.clone();
    let Some(settle) = settle else {
        shared.check_change().map_err(|error| throw(env.raw(), &error))?;
        return finish(env, &environment, job.run(&shared.engine));
    };
    let (number, ticket) = begin(env, &environment, settle)?;
    let mailbox = environment.mailbox.clone();
    let at = shared.clone();
    let queued = shared.submit(move |queued| {
        if ticket.start() {
            let outcome = job.run(&at.engine);
            // Before anybody hears of it, who then may call again.
            drop(queued);
            mailbox.done(number, outcome);
        }
    });
    if let Err(error) = queued {
        environment.cancel(number);
        return Err(throw(env.raw(), &error));
    }
    Ok(Raw(value::number(env.raw(), f64::from(number))))
}

/// Cancels an operation; `false` when it has started and will tell how it ended.
#[napi(catch_unwind)]
pub fn cancel(operation: u32) -> bool {
    Environment::current().is_some_and(|environment| environment.cancel(operation))
}

/// Asks an operation that has started to stop, if it can; it tells how it ended.
#[napi(catch_unwind)]
pub fn stop(operation: u32) {
    if let Some(environment) = Environment::current() {
        environment.stop(operation);
    }
}

/// Keeps the process alive, or lets it end; calls are counted.
#[napi(catch_unwind)]
pub fn keep_alive(wanted: bool) {
    if let Some(environment) = Environment::current() {
        if wanted { environment.keep_alive() } else { environment.let_die() }
    }
}

/// Creates a sector.
#[napi(catch_unwind)]
pub fn create_sector(env: Env, engine: u32, name: String, kind: String, settle: Settle<'_>) -> napi::Result<Raw> {
    let kind = sector_kind(env, &name, &kind)?;
    run(env, engine, settle, Job::CreateSector { name, kind })
}

/// Creates a sector with the knowledge that KNHK ships.
#[napi(catch_unwind)]
pub fn create_shipped_sector(
    env: Env,
    engine: u32,
    name: String,
    kind: String,
    settle: Settle<'_>,
) -> napi::Result<Raw> {
    let kind = sector_kind(env, &name, &kind)?;
    run(env, engine, settle, Job::CreateShippedSector { name, kind })
}

fn sector_kind(env: Env, sector: &str, kind: &str) -> napi::Result<SectorKind> {
    SectorKind::from_name(kind).ok_or_else(|| {
        let message = format!("there is no kind of sector {kind:?}; use \"direct\" or \"governed\"");
        throw(env.raw(), &Error::new(Status::InvalidArgument, "create", sector, message))
    })
}

/// Declares a sector's defaults.
#[napi(catch_unwind)]
pub fn declare(env: Env, engine: u32, sector: String, json: String, settle: Settle<'_>) -> napi::Result<Raw> {
    run(env, engine, settle, Job::Declare { sector, json })
}

/// Promotes a document.
#[napi(catch_unwind)]
pub fn promote(
    env: Env,
    engine: u32,
    sector: String,
    json: String,
    origin: OriginOptions,
    settle: Settle<'_>,
) -> napi::Result<Raw> {
    run(env, engine, settle, Job::Promote { sector, json, origin: origin.origin() })
}

/// Promotes an artifact image, which is copied first.
#[napi(catch_unwind)]
pub fn promote_image(
    env: Env,
    engine: u32,
    sector: String,
    image: &[u8],
    origin: OriginOptions,
    settle: Settle<'_>,
) -> napi::Result<Raw> {
    let image = image.to_vec();
    run(env, engine, settle, Job::PromoteImage { sector, image, origin: origin.origin() })
}

/// Makes a retained version current again.
#[napi(catch_unwind)]
pub fn rollback(
    env: Env,
    engine: u32,
    sector: String,
    version: f64,
    origin: OriginOptions,
    settle: Settle<'_>,
) -> napi::Result<Raw> {
    run(env, engine, settle, Job::Rollback { sector, version: version as u64, origin: origin.origin() })
}

/// Makes a retained version current again before anything is written.
#[napi(catch_unwind)]
pub fn emergency_rollback(
    env: Env,
    engine: u32,
    sector: String,
    version: f64,
    origin: OriginOptions,
    settle: Settle<'_>,
) -> napi::Result<Raw> {
    run(env, engine, settle, Job::EmergencyRollback { sector, version: version as u64, origin: origin.origin() })
}

/// Compiles a document into an image.
#[napi(catch_unwind)]
pub fn compile(env: Env, engine: u32, json: String, settle: Settle<'_>) -> napi::Result<Raw> {
    run(env, engine, settle, Job::Compile { json })
}

/// Calls `use_it` with an open engine, and throws what it refuses.
pub(crate) fn with<T>(
    env: Env,
    engine: u32,
    use_it: impl FnOnce(&crate::local::Local) -> Result<T, Error>,
) -> napi::Result<T> {
    let local = Environment::required(env.raw())?.open(engine)?;
    use_it(&local).map_err(|error| throw(env.raw(), &error))
}

/// As [`with`], for what may wait for a change that is being made.
pub(crate) fn with_rest<T>(
    env: Env,
    engine: u32,
    use_it: impl FnOnce(&crate::local::Local) -> Result<T, Error>,
) -> napi::Result<T> {
    with(env, engine, |local| {
        local.shared.check_read()?;
        use_it(local)
    })
}

/// All sectors.
#[napi(catch_unwind)]
pub fn sectors(env: Env, engine: u32) -> napi::Result<Raw> {
    with_rest(env, engine, |local| {
        let sectors = local.shared.engine.sectors()?;
        Ok(Raw(records::array(env.raw(), sectors.iter().map(|sector| records::sector(env.raw(), sector)))))
    })
}

/// Whether a version was promoted; throws where there is no such sector.
#[napi(catch_unwind)]
pub fn is_ready(env: Env, engine: u32, sector: String) -> napi::Result<bool> {
    with_rest(env, engine, |local| {
        local.shared.engine.sector_number(&sector)?;
        Ok(local.shared.engine.sectors()?.iter().any(|info| info.name == sector && info.ready))
    })
}

/// The values of a sector.
#[napi(catch_unwind)]
pub fn keys(env: Env, engine: u32, sector: String) -> napi::Result<Raw> {
    with_rest(env, engine, |local| {
        let keys = local.shared.engine.keys(&sector)?;
        Ok(Raw(records::array(env.raw(), keys.iter().map(|key| records::key(env.raw(), key)))))
    })
}

/// The retained versions of a sector.
#[napi(catch_unwind)]
pub fn history(env: Env, engine: u32, sector: String) -> napi::Result<Raw> {
    with_rest(env, engine, |local| {
        let versions = local.shared.engine.history(&sector)?;
        Ok(Raw(records::array(
            env.raw(),
            versions.into_iter().map(|version| records::version(env.raw(), Box::new(version))),
        )))
    })
}

/// All sectors' documents.
#[napi(catch_unwind)]
pub fn dump(env: Env, engine: u32) -> napi::Result<String> {
    with_rest(env, engine, |local| local.shared.engine.dump())
}

/// Interns a key; gives its number in this environment's engine.
#[napi(catch_unwind)]
pub fn intern(env: Env, engine: u32, sector: String, name: String, value_type: String) -> napi::Result<u32> {
    with_rest(env, engine, |local| {
        let value_type = records::type_named(&value_type).ok_or_else(|| {
            Error::new(Status::InvalidArgument, "intern", &name, format!("there is no type {value_type:?}"))
        })?;
        local.intern(&sector, &name, value_type)
    })
}

/// Sends this engine's news to `listener(kind, news)`.
#[napi(catch_unwind)]
pub fn listen(env: Env, engine: u32, listener: Function<'_>) -> napi::Result<()> {
    let local = Environment::required(env.raw())?.open(engine)?;
    // SAFETY: napi-rs checked that it is a function; this is its environment's thread.
    local.listen(unsafe { Reference::new(env.raw(), listener.raw())? });
    Ok(())
}

/// What a version or change changed, path by path.
#[napi(catch_unwind)]
pub fn differences(env: Env, source: &External<Source>) -> Raw {
    Raw(source.differences(env.raw()))
}

/// A change in a line for people.
#[napi(catch_unwind)]
pub fn summary(source: &External<Source>) -> String {
    source.summary()
}

/// Begins or ends the delivery of changes.
#[napi(catch_unwind)]
pub fn set_changes(env: Env, engine: u32, wanted: bool) -> napi::Result<()> {
    with(env, engine, |local| local.set_changes(wanted))
}

/// Begins or ends the delivery of log lines.
#[napi(catch_unwind)]
pub fn set_log(env: Env, engine: u32, wanted: bool) -> napi::Result<()> {
    with(env, engine, |local| {
        local.set_log(wanted);
        Ok(())
    })
}

/// Moves a clock that is moved by hand, in milliseconds; what it shows then.
#[napi(catch_unwind)]
pub fn advance_time(env: Env, engine: u32, by: f64) -> napi::Result<f64> {
    let by = std::time::Duration::from_millis(by as u64);
    with(env, engine, |local| Ok((local.shared.engine.advance_time(by)? / 1_000_000) as f64))
}

/// The newest generation's number.
#[napi(catch_unwind)]
pub fn version(env: Env, engine: u32) -> napi::Result<f64> {
    with(env, engine, |local| Ok(local.shared.engine.version() as f64))
}

/// The changes after a generation.
#[napi(catch_unwind)]
pub fn changes_since(env: Env, engine: u32, epoch: f64) -> napi::Result<Raw> {
    with(env, engine, |local| {
        let changes = local.shared.engine.changes_since(epoch as u64);
        Ok(Raw(records::array(
            env.raw(),
            changes.into_iter().map(|change| records::change(env.raw(), Box::new(change))),
        )))
    })
}

/// The descriptor that becomes readable on changes.
#[napi(catch_unwind)]
pub fn change_fd(env: Env, engine: u32) -> napi::Result<i32> {
    with(env, engine, |local| local.shared.engine.change_descriptor())
}

/// Figures of the engine.
#[napi(catch_unwind)]
pub fn stats(env: Env, engine: u32) -> napi::Result<Raw> {
    with(env, engine, |local| Ok(Raw(records::stats(env.raw(), &local.shared.engine.stats()))))
}

/// Takes up to `max` observations out of the threads' rings.
#[napi(catch_unwind)]
pub fn drain(env: Env, engine: u32, max: u32) -> napi::Result<Raw> {
    with(env, engine, |local| {
        let mut seen = Vec::new();
        local.shared.engine.drain(max as usize, |reader, observation| seen.push((reader, observation)))?;
        let records = seen.iter().map(|(reader, seen)| records::observation(env.raw(), &local.shared, *reader, seen));
        Ok(Raw(records::array(env.raw(), records)))
    })
}

/// The engine's hot line, for the cache's check; undefined where the host allows no such memory.
#[napi(catch_unwind)]
pub fn cells(env: Env, engine: u32) -> napi::Result<Raw> {
    with(env, engine, |local| local.cells(env.raw()).map(Raw))
}

/// Where reads leave their outcome and generation.
#[napi(catch_unwind)]
pub fn scratch(env: Env) -> napi::Result<Raw> {
    Ok(Raw(Environment::required(env.raw())?.scratch.array(env.raw())))
}

/// The library's version.
#[napi(catch_unwind)]
pub fn library_version() -> &'static str {
    knhk_engine::VERSION
}
