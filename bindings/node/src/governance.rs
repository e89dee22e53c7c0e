//! Governance: verbs and JSON in, JSON out; the package's half gives each its types.

use knhk_engine::governance::{self, Report};
use knhk_engine::{Error, Status};
use napi::Env;
use napi::bindgen_prelude::Function;
use napi_derive::napi;

use crate::calls::{Raw, run};
use crate::error::throw;
use crate::job::Job;

/// What a JSON text says.
pub(crate) fn read<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|error| {
        Error::new(
            Status::InvalidArgument,
            "govern",
            "request",
            format!("the request is not what it has to be: {error}"),
        )
    })
}

/// Does what a verb of governance asks for.
#[napi(catch_unwind)]
pub fn govern(env: Env, engine: u32, verb: String, request: String, settle: Function<'_>) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::Govern { verb, request })
}

/// Does what concerns no engine.
#[napi(catch_unwind)]
pub fn govern_offline(env: Env, verb: String, request: String) -> napi::Result<String> {
    let answer = read(&request).and_then(|request| governance::offline(&verb, request));
    answer.map(|answer| answer.to_string()).map_err(|error| throw(env.raw(), &error))
}

/// A report of the stages, for people.
#[napi(catch_unwind)]
pub fn render_report(env: Env, report: String) -> napi::Result<String> {
    let report = read::<Report>(&report).map_err(|error| throw(env.raw(), &error))?;
    Ok(governance::render(&report))
}
