//! The closed loop's callbacks: proposers, detectors and hooks that are functions of JavaScript.
//!
//! Such a function runs on its environment's thread, asked by letter from a thread of the loop, which waits for the answer. What it is asked and
//! answers is JSON. Before the environment's thread waits for the loop in turn (to remove a hook, to close the engine), the function is hushed,
//! so that whoever waits for its answer goes on without.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use knhk_engine::autonomic::{Custom, HookInfo, Phase, Plan, PlanError, Proposer, Question, Sample, Score, When};
use knhk_engine::{Engine, Error, Status};
use napi::Env;
use napi::bindgen_prelude::Function;
use napi_derive::napi;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::elsewhere::Elsewhere;
use crate::environment::Environment;
use crate::error::throw;

/// A proposer that is JavaScript's.
struct Asking {
    name: String,
    elsewhere: Elsewhere,
}

impl Proposer for Asking {
    fn name(&self) -> &str {
        &self.name
    }

    fn propose(&self, question: &Question) -> Result<Option<Plan>, PlanError> {
        let text = serde_json::to_string(question).map_err(|error| error.to_string());
        let plan = text.and_then(|text| self.elsewhere.answer(text));
        plan.map_err(|why| PlanError { proposer: self.name.clone(), why })
    }
}

/// A detector that is JavaScript's: its state is there, under a number.
struct AtWork {
    elsewhere: Arc<Elsewhere>,
    number: u32,
    sector: String,
    watch: String,
}

impl Custom for AtWork {
    fn observe(&mut self, sample: &Sample) -> Result<Option<Score>, String> {
        let (number, sector, watch) = (self.number, &self.sector, &self.watch);
        self.elsewhere
            .answer(json!({ "number": number, "sector": sector, "watch": watch, "sample": sample }).to_string())
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.elsewhere.tell(json!({ "number": self.number, "ended": true }).to_string());
    }
}

/// What was added to a loop.
#[derive(Clone, PartialEq)]
enum What {
    Proposer(String),
    Detector(String),
    Hook(u64),
    /// A function of governance, which ends with the engine or as another takes its place.
    Function,
}

/// A callback that an environment added to an engine.
#[derive(Clone)]
pub(crate) struct Registered {
    what: What,
    pub function: u32,
    pub hushed: Arc<AtomicBool>,
}

impl Registered {
    /// A function of governance.
    pub(crate) fn function(of: &Elsewhere) -> Registered {
        Registered { what: What::Function, function: of.function, hushed: of.hushed.clone() }
    }

    /// Takes it away, if it is there.
    pub(crate) fn remove(&self, engine: &Engine) -> bool {
        match &self.what {
            What::Proposer(name) => engine.remove_proposer(name),
            What::Detector(name) => engine.remove_detector(name),
            What::Hook(id) => engine.remove_hook(*id),
            What::Function => false,
        }
    }
}

/// Adds what `add` makes of a function to an engine's loop.
fn register(
    env: Env,
    engine: u32,
    function: Function<'_>,
    add: impl FnOnce(&Engine, Elsewhere) -> Result<What, Error>,
) -> napi::Result<Registered> {
    let environment = Environment::required(env.raw())?;
    let local = environment.open(engine)?;
    let elsewhere = Elsewhere::new(env, &environment, function)?;
    let (function, hushed) = (elsewhere.function, elsewhere.hushed.clone());
    let what = add(&local.shared.engine, elsewhere).map_err(|error| throw(env.raw(), &error))?;
    let registered = Registered { what, function, hushed };
    local.register(registered.clone());
    Ok(registered)
}

fn unregister(env: Env, engine: u32, what: &What) -> napi::Result<bool> {
    let environment = Environment::required(env.raw())?;
    let local = environment.open(engine)?;
    let Some(registered) = local.unregister(|registered| registered.what == *what) else { return Ok(false) };
    environment.hush(&registered);
    Ok(registered.remove(&local.shared.engine))
}

/// Adds a proposer: a function that gets a request's number and a question, and answers with [`answered`].
#[napi(catch_unwind)]
pub fn add_proposer(env: Env, engine: u32, name: String, function: Function<'_>) -> napi::Result<()> {
    let add = |engine: &Engine, elsewhere: Elsewhere| {
        engine.add_proposer(Arc::new(Asking { name: name.clone(), elsewhere }))?;
        Ok(What::Proposer(name))
    };
    register(env, engine, function, add).map(drop)
}

/// Removes a proposer that was added here; whether it was there.
#[napi(catch_unwind)]
pub fn remove_proposer(env: Env, engine: u32, name: String) -> napi::Result<bool> {
    unregister(env, engine, &What::Proposer(name))
}

/// Adds a kind of detector: a function that gets a request's number and {"number", "sector", "watch", "sample"}, and answers with [`answered`]; or
/// {"number", "ended"}, which asks nothing.
#[napi(catch_unwind)]
pub fn add_detector(env: Env, engine: u32, name: String, function: Function<'_>) -> napi::Result<()> {
    let add = |engine: &Engine, elsewhere: Elsewhere| {
        let (elsewhere, next) = (Arc::new(elsewhere), AtomicU32::new(0));
        let make = move |sector: &str, watch: &str| -> Box<dyn Custom> {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let (sector, watch) = (sector.to_owned(), watch.to_owned());
            Box::new(AtWork { elsewhere: elsewhere.clone(), number, sector, watch })
        };
        engine.add_detector(&name, Arc::new(make))?;
        Ok(What::Detector(name))
    };
    register(env, engine, function, add).map(drop)
}

/// Removes a kind of detector that was added here; whether it was there.
#[napi(catch_unwind)]
pub fn remove_detector(env: Env, engine: u32, name: String) -> napi::Result<bool> {
    unregister(env, engine, &What::Detector(name))
}

/// A word of JavaScript's as the engine's own.
fn word<T: DeserializeOwned>(env: Env, what: &str, given: &str, known: &str) -> napi::Result<T> {
    serde_json::from_value(given.into()).map_err(|_| {
        let message = format!("there is no {what} {given:?}: use {known}");
        throw(env.raw(), &Error::new(Status::InvalidArgument, "loop", what, message))
    })
}

/// Adds a hook: a function that gets a request's number and what it hears, and says with [`answered`] that it has heard. Gives its number.
#[napi(catch_unwind)]
pub fn add_hook(env: Env, engine: u32, phase: String, when: String, function: Function<'_>) -> napi::Result<f64> {
    let phase: Phase = word(env, "phase", &phase, "monitor, analyze, plan, execute or learn")?;
    let when: When = word(env, "when", &when, "before or after")?;
    let add = |engine: &Engine, elsewhere: Elsewhere| {
        // The answer is waited for, so that the engine's queue fills, and counts, where JavaScript is slow.
        let hears = move |info: &HookInfo| _ = serde_json::to_string(info).map(|text| elsewhere.ask(text));
        engine.add_hook(phase, when, Arc::new(hears)).map(What::Hook)
    };
    match register(env, engine, function, add)?.what {
        What::Hook(id) => Ok(id as f64),
        _ => unreachable!("a hook was added"),
    }
}

/// Removes a hook that was added here; whether it was there.
#[napi(catch_unwind)]
pub fn remove_hook(env: Env, engine: u32, id: f64) -> napi::Result<bool> {
    unregister(env, engine, &What::Hook(id as u64))
}

/// Answers a request: with a text, with nothing, or with why it cannot.
#[napi(catch_unwind)]
pub fn answered(request: u32, text: Option<String>, why: Option<String>) {
    if let Some(environment) = Environment::current() {
        environment.answered(request, why.map_or(Ok(text), Err));
    }
}
