//! Governance: verbs and JSON in, JSON out; the package's half gives each its types.

use knhk_engine::governance::{self, Progress, Report, Stop, Watch};
use knhk_engine::{Error, Status};
use napi::Env;
use napi::bindgen_prelude::Function;
use napi_derive::napi;
use serde_json::json;

use crate::calls::{Raw, begin, run};
use crate::elsewhere::Elsewhere;
use crate::environment::Environment;
use crate::error::throw;
use crate::job::{Job, Output};
use crate::value;

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

/// Does what a verb of governance asks for; `progress` gets a number that says nothing, and JSON, as each stage begins and ends.
#[napi(catch_unwind)]
pub fn govern(
    env: Env,
    engine: u32,
    verb: String,
    request: String,
    progress: Option<Function<'_>>,
    settle: Function<'_>,
) -> napi::Result<Raw> {
    let Some(progress) = progress else { return run(env, engine, Some(settle), Job::Govern { verb, request }) };
    let environment = Environment::required(env.raw())?;
    let shared = environment.open(engine)?.shared.clone();
    let elsewhere = Elsewhere::new(env, &environment, progress)?;
    let (number, ticket) = begin(env, &environment, settle)?;
    let (mailbox, at) = (environment.mailbox.clone(), shared.clone());
    let queued = shared.submit(move |queued| {
        if !ticket.start() {
            return;
        }
        let stop = Stop::new();
        let tell = |now: Progress<'_>| {
            let told = json!({ "sector": now.sector, "stage": now.stage.as_str(), "report": now.ended });
            elsewhere.tell(told.to_string());
            if ticket.is_stopped() {
                stop.ask();
            }
        };
        let watch = Watch { progress: &tell, stop: &stop };
        let answered = read(&request).and_then(|request| at.engine.govern_watched(&verb, request, watch));
        let outcome = answered.map(|answer| Output::Text(answer.to_string()));
        // Before anybody hears of it, who then may call again.
        drop(queued);
        mailbox.done(number, outcome);
    });
    if let Err(error) = queued {
        environment.cancel(number);
        return Err(throw(env.raw(), &error));
    }
    Ok(Raw(value::number(env.raw(), f64::from(number))))
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
