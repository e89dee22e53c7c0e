//! Functions of the program that have a say in governance: what rules, tests and invariants ask, and work that is measured.

use std::sync::Arc;
use std::time::Duration;

use knhk_engine::governance::{CrossInvariant, Hook, Question, Role, Severity, Workload};
use knhk_engine::{Error, Status};
use napi::Env;
use napi::bindgen_prelude::Function;
use napi_derive::napi;
use serde_json::json;

use crate::autonomic::Registered;
use crate::calls::with;
use crate::elsewhere::Elsewhere;
use crate::environment::Environment;
use crate::error::throw;

fn invalid(item: &str, message: String) -> Error {
    Error::new(Status::InvalidArgument, "govern", item, message)
}

fn severity(name: &str) -> Result<Severity, Error> {
    Severity::from_name(name)
        .ok_or_else(|| invalid("severity", format!("there is no severity {name:?}: info, warning or blocker")))
}

/// A function that is kept with the engine at a place.
fn kept(env: Env, engine: u32, function: Function<'_>) -> napi::Result<Elsewhere> {
    let environment = Environment::required(env.raw())?;
    let local = environment.open(engine)?;
    let elsewhere = Elsewhere::new(env, &environment, function)?;
    local.register(Registered::function(&elsewhere));
    Ok(elsewhere)
}

/// Registers a function that gets a request's number, a question and a view's handle, and answers with why not, or with nothing.
#[napi(catch_unwind)]
pub fn set_function(
    env: Env,
    engine: u32,
    role: String,
    name: String,
    grave: String,
    function: Function<'_>,
) -> napi::Result<()> {
    let role = match role.as_str() {
        "rule" => Ok(Role::Rule),
        "test" => Ok(Role::Test),
        "invariant" => severity(&grave).map(Role::Invariant),
        _ => Err(invalid("role", format!("nothing of the kind {role:?} is judged by functions"))),
    };
    let role = role.map_err(|error| throw(env.raw(), &error))?;
    let elsewhere = kept(env, engine, function)?;
    let judge = move |question: &Question| {
        let said = elsewhere.answer_with::<String>(question.text.clone(), Some((engine, question.view.clone())))?;
        said.map_or(Ok(()), Err)
    };
    with(env, engine, |local| {
        local.shared.engine.set_function(role, &name, Arc::new(judge));
        Ok(())
    })
}

/// Registers an invariant that is a condition.
#[napi(catch_unwind)]
pub fn set_condition(env: Env, engine: u32, name: String, condition: String, grave: String) -> napi::Result<()> {
    with(env, engine, |local| {
        let invariant = CrossInvariant::of_condition(&name, severity(&grave)?, &condition)
            .map_err(|error| Error::new(Status::Document, "govern", &name, format!("invariant {name}: {error}")))?;
        local.shared.engine.set_invariant(invariant);
        Ok(())
    })
}

/// Registers work: a function that gets a request's number, {"times"} and a view's handle, does the work so often, and answers with how many
/// nanoseconds that took.
#[napi(catch_unwind)]
pub fn set_workload(env: Env, engine: u32, sector: String, name: String, function: Function<'_>) -> napi::Result<()> {
    with(env, engine, |local| local.shared.engine.sector_number(&sector).map(drop))?;
    let elsewhere = kept(env, engine, function)?;
    let workload = Workload::timed(&name, move |view, times| {
        let took = elsewhere.answer_with::<u64>(json!({ "times": times }).to_string(), Some((engine, view.clone())))?;
        took.map(Duration::from_nanos).ok_or_else(|| "the function gave no time".into())
    });
    with(env, engine, |local| {
        local.shared.engine.set_workload(&sector, workload);
        Ok(())
    })
}

/// Takes back what was registered; whether it was there.
#[napi(catch_unwind)]
pub fn unset(env: Env, engine: u32, role: String, name: String, sector: String) -> napi::Result<bool> {
    with(env, engine, |local| {
        let hook = match role.as_str() {
            "rule" => Hook::Rule(&name),
            "test" => Hook::Test(&name),
            "invariant" => Hook::Invariant(&name),
            "workload" => Hook::Workload(&sector, &name),
            _ => return Err(invalid("role", format!("nothing of the kind {role:?} is registered"))),
        };
        Ok(local.shared.engine.unset(hook))
    })
}
