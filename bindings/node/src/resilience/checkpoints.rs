//! Checkpoints of a program's components. JavaScript's states are handed in before one is taken, and handed out once one is restored, since
//! its functions run on its own thread alone.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use knhk_engine::{Error, Status, checkpoint_error};
use knhk_resilience::Scope;
use knhk_resilience::checkpoint::{Checkpoints as Native, Folder, Key, Settings, Stateful};
use napi::bindgen_prelude::{AsyncTask, External, Uint8Array};
use napi::{Env, Task};
use napi_derive::napi;
use serde_json::{Value, json};

use crate::calls::with;
use crate::error::throw;

/// A component's state, between JavaScript and a checkpoint.
#[derive(Default)]
struct Slot {
    state: Mutex<Option<Vec<u8>>>,
    /// Whether JavaScript asked for what is restored now.
    wanted: Arc<AtomicBool>,
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, Option<Vec<u8>>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stateful for Slot {
    fn save(&self, to: &mut dyn Write) -> Result<(), String> {
        let state = self.state();
        let state = state.as_ref().ok_or("it has not handed its state in yet: call take() in the program")?;
        to.write_all(state).map_err(|error| error.to_string())
    }

    fn load(&self, from: &[u8]) -> Result<(), String> {
        if !self.wanted.load(Ordering::SeqCst) {
            return Err("a Node program takes its states back itself: it calls restore()".into());
        }
        *self.state() = Some(from.to_vec());
        Ok(())
    }
}

/// Checkpoints under a name.
pub struct Checkpoints {
    name: String,
    native: Option<Arc<Native>>,
    slots: BTreeMap<String, Arc<Slot>>,
    wanted: Arc<AtomicBool>,
}

impl Checkpoints {
    fn open(&self, env: Env) -> napi::Result<Arc<Native>> {
        self.native.clone().ok_or_else(|| {
            let message = "the checkpoints were closed: open them anew";
            throw(env.raw(), &Error::new(Status::Closed, "checkpoint", &self.name, message))
        })
    }

    fn slot(&self, env: Env, name: &str) -> napi::Result<&Arc<Slot>> {
        self.slots.get(name).ok_or_else(|| {
            let message = format!("there is no component {name:?}");
            throw(env.raw(), &Error::new(Status::NotFound, "checkpoint", name, message))
        })
    }
}

/// How checkpoints are taken and kept; what is left out is the default.
#[napi(object)]
pub struct CheckpointSettings {
    /// Checkpoints of a chain.
    pub chain: Option<u32>,
    /// Chains that are kept.
    pub chains: Option<u32>,
    /// How hard zstd tries.
    pub level: Option<i32>,
    /// Bytes of all states.
    pub limit: Option<f64>,
    /// Keys of 32 bytes.
    pub keys: Option<Vec<Uint8Array>>,
}

/// Opens checkpoints in an engine's store or in a folder.
#[napi(catch_unwind)]
pub fn checkpoints_open(
    env: Env,
    name: String,
    engine: Option<u32>,
    folder: Option<String>,
    given: CheckpointSettings,
) -> napi::Result<External<Checkpoints>> {
    let mut settings = Settings::default();
    settings.chain = given.chain.unwrap_or(settings.chain);
    settings.chains = given.chains.map_or(settings.chains, |chains| chains as usize);
    settings.level = given.level.unwrap_or(settings.level);
    settings.limit = given.limit.map_or(settings.limit, |limit| limit as u64);
    for key in given.keys.unwrap_or_default() {
        let bytes: [u8; 32] = key[..].try_into().map_err(|_| {
            let message = format!("a key has 32 bytes, and one of these {}", key.len());
            throw(env.raw(), &Error::new(Status::InvalidArgument, "checkpoint", "keys", message))
        })?;
        settings.keys.push(Key::new(bytes));
    }
    let opened = match (engine, folder) {
        (Some(engine), None) => with(env, engine, |local| local.shared.engine.checkpoints(&name, settings))?,
        (None, Some(folder)) => {
            let failed = |error| throw(env.raw(), &checkpoint_error(&name, &error));
            let folder = Folder::open(Path::new(&folder)).map_err(|error| failed(error.into()))?;
            Arc::new(Native::open(&name, folder, settings, &Scope::default()).map_err(failed)?)
        }
        _ => {
            let message = "checkpoints are kept in an engine or in a folder: name one of the two";
            return Err(throw(env.raw(), &Error::new(Status::InvalidArgument, "checkpoint", &name, message)));
        }
    };
    let (slots, wanted) = Default::default();
    Ok(External::new(Checkpoints { name, native: Some(opened), slots, wanted }))
}

/// Adds a component.
#[napi(catch_unwind)]
pub fn checkpoints_add(env: Env, checkpoints: &mut External<Checkpoints>, name: String) -> napi::Result<()> {
    let slot = Arc::new(Slot { state: Mutex::default(), wanted: checkpoints.wanted.clone() });
    let added = checkpoints.open(env)?.add(&name, slot.clone());
    added.map_err(|error| throw(env.raw(), &checkpoint_error(&checkpoints.name, &error)))?;
    checkpoints.slots.insert(name, slot);
    Ok(())
}

/// Removes a component.
#[napi(catch_unwind)]
pub fn checkpoints_remove(env: Env, checkpoints: &mut External<Checkpoints>, name: String) -> napi::Result<bool> {
    checkpoints.slots.remove(&name);
    Ok(checkpoints.open(env)?.remove(&name))
}

/// Takes a component's state in.
#[napi(catch_unwind)]
pub fn checkpoints_set(
    env: Env,
    checkpoints: &External<Checkpoints>,
    name: String,
    state: Uint8Array,
) -> napi::Result<()> {
    *checkpoints.slot(env, &name)?.state() = Some(state.to_vec());
    Ok(())
}

/// Hands a component's state out.
#[napi(catch_unwind)]
pub fn checkpoints_state(
    env: Env,
    checkpoints: &External<Checkpoints>,
    name: String,
) -> napi::Result<Option<Uint8Array>> {
    Ok(checkpoints.slot(env, &name)?.state().clone().map(Uint8Array::from))
}

/// What is to be done aside.
enum Work {
    Take(bool),
    Restore,
    Kept,
}

/// Work on checkpoints, on a thread of Node's pool. It answers with JSON, also where it failed.
pub struct CheckpointWork {
    work: Work,
    name: String,
    native: Arc<Native>,
    wanted: Arc<AtomicBool>,
}

impl CheckpointWork {
    fn done(&self) -> Result<Value, Error> {
        let failed = |error| checkpoint_error(&self.name, &error);
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let ms = |span: std::time::Duration| span.as_secs_f64() * 1e3;
        match self.work {
            Work::Take(full) => {
                let taken = if full { self.native.take_full() } else { self.native.take() }.map_err(failed)?;
                Ok(json!({
                    "number": taken.number, "full": taken.full, "bytes": taken.bytes, "stateBytes": taken.state_bytes,
                    "digest": hex(&taken.digest), "took": ms(taken.took)
                }))
            }
            Work::Restore => {
                self.wanted.store(true, Ordering::SeqCst);
                let restored = self.native.restore();
                self.wanted.store(false, Ordering::SeqCst);
                let restored = restored.map_err(failed)?;
                let skipped: Vec<Value> =
                    restored.skipped.iter().map(|each| json!({ "number": each.number, "why": each.why })).collect();
                Ok(json!({
                    "number": restored.number, "time": restored.time_ns / 1_000_000, "digest": hex(&restored.digest),
                    "skipped": skipped, "absent": restored.absent, "unknown": restored.unknown
                }))
            }
            Work::Kept => {
                let kept = self.native.list().map_err(failed)?;
                let each = |info: &knhk_resilience::checkpoint::Info| {
                    json!({
                        "number": info.number, "full": info.full, "bytes": info.bytes, "time": info.time_ns / 1_000_000,
                        "encrypted": info.encrypted, "damage": info.damage
                    })
                };
                Ok(kept.iter().map(each).collect())
            }
        }
    }
}

impl Task for CheckpointWork {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> napi::Result<String> {
        let answer = match self.done() {
            Ok(done) => json!({ "done": done }),
            Err(error) => json!({ "error": {
                "message": error.message(), "code": crate::error::code(error.status()), "status": error.status().code(),
                "stage": error.stage(), "item": error.item()
            } }),
        };
        Ok(answer.to_string())
    }

    fn resolve(&mut self, _: Env, answer: String) -> napi::Result<String> {
        Ok(answer)
    }
}

fn aside(env: Env, checkpoints: &Checkpoints, work: Work) -> napi::Result<AsyncTask<CheckpointWork>> {
    let (name, wanted) = (checkpoints.name.clone(), checkpoints.wanted.clone());
    Ok(AsyncTask::new(CheckpointWork { work, name, native: checkpoints.open(env)?, wanted }))
}

/// Takes a checkpoint of the states that were handed in.
#[napi(catch_unwind)]
pub fn checkpoints_take(
    env: Env,
    checkpoints: &External<Checkpoints>,
    full: bool,
) -> napi::Result<AsyncTask<CheckpointWork>> {
    aside(env, checkpoints, Work::Take(full))
}

/// Restores the newest checkpoint that is whole; the states can be had then.
#[napi(catch_unwind)]
pub fn checkpoints_restore(env: Env, checkpoints: &External<Checkpoints>) -> napi::Result<AsyncTask<CheckpointWork>> {
    aside(env, checkpoints, Work::Restore)
}

/// Lists what is kept.
#[napi(catch_unwind)]
pub fn checkpoints_kept(env: Env, checkpoints: &External<Checkpoints>) -> napi::Result<AsyncTask<CheckpointWork>> {
    aside(env, checkpoints, Work::Kept)
}

/// Ends the use of them.
#[napi(catch_unwind)]
pub fn checkpoints_close(checkpoints: &mut External<Checkpoints>) {
    checkpoints.native = None;
}
