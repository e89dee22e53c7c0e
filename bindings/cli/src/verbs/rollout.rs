//! The verbs about trying a change and making it current in steps: shadow, canary, schedule.

use knhk_engine::Status;
use knhk_engine::control::Failure;
use serde_json::{Value, json};

use super::Place;
use super::govern::{ask, some, wanted};
use crate::arguments::{self, CanaryVerb, ShadowVerb};
use crate::input;
use crate::output::Done;
use crate::progress::Progress;
use crate::render::Render;

pub fn shadow(place: &Place<'_>, render: &Render, shadow: arguments::Shadow) -> Result<Done, Failure> {
    match shadow.verb.unwrap_or(ShadowVerb::List) {
        ShadowVerb::List => {
            let answer = ask(&mut place.change()?, "shadows", json!({}))?;
            Ok(Done::new(render.listed(&answer["shadows"], "no shadows are open"), &answer))
        }
        ShadowVerb::Open { sector, content, who } => {
            let (content, name) = wanted(&content)?;
            let request = json!({ "changes": [{ "sector": sector, "content": content }], "by": who.by() });
            let answer =
                ask(&mut place.change()?, "shadow", request).map_err(|failure| input::about(failure, &name))?;
            Ok(Done::new(render.shadow(&answer), &answer))
        }
        ShadowVerb::Test { id, file } => {
            let text = input::read(&file, None)?.text;
            let tests: Value = serde_json::from_str(&text).map_err(|error| {
                let name = file.display().to_string();
                Failure::new(Status::Document, "read", &name, format!("{name} is no list of tests: {error}"))
            })?;
            let _progress = Progress::begin(format!("testing {id}"));
            let answer = ask(&mut place.change()?, "shadow_test", json!({ "id": id, "tests": tests }))?;
            let results = answer["results"].as_array().cloned().unwrap_or_default();
            let success = results.iter().all(|result| result["report"]["verdict"] == "passed");
            Ok(Done { success, ..Done::new(render.tested(&results), &answer) })
        }
        ShadowVerb::Drop { id } => {
            let answer = ask(&mut place.change()?, "drop_shadow", json!({ "id": id }))?;
            Ok(Done::new(format!("shadow {id} is gone\n"), &answer))
        }
    }
}

pub fn canary(place: &Place<'_>, render: &Render, canary: arguments::Canary) -> Result<Done, Failure> {
    match canary.verb.unwrap_or(CanaryVerb::List) {
        CanaryVerb::List => {
            let answer = ask(&mut place.change()?, "canaries", json!({}))?;
            Ok(Done::new(render.listed(&answer["canaries"], "no canaries"), &answer))
        }
        CanaryVerb::Start { proposal, share, who } => {
            let request = json!({ "proposal": proposal, "share": share, "by": who.by(), "why": who.why });
            let answer = ask(&mut place.change()?, "canary", request)?;
            Ok(Done::new(render.line(&answer), &answer))
        }
        CanaryVerb::Stop { id, adopt, who } => {
            let request = json!({ "id": id, "adopt": adopt, "by": who.by(), "why": who.why });
            let answer = ask(&mut place.change()?, "stop_canary", request)?;
            Ok(Done::new(render.line(&answer), &answer))
        }
    }
}

pub fn schedule(place: &Place<'_>, render: &Render, schedule: arguments::Schedule) -> Result<Done, Failure> {
    let arguments::Schedule { proposal, at, window, zone, cancel, who } = schedule;
    if let Some(id) = cancel {
        let request = json!({ "id": id, "by": who.by(), "why": who.why });
        let answer = ask(&mut place.change()?, "unschedule", request)?;
        return Ok(Done::new(format!("schedule {id} is taken back\n"), &answer));
    }
    let Some(proposal) = proposal else {
        let answer = ask(&mut place.change()?, "schedules", json!({}))?;
        return Ok(Done::new(render.listed(&answer["schedules"], "nothing is scheduled"), &answer));
    };
    let at = some(json!({ "moment": at, "window": window, "time_zone": zone }));
    let request = json!({ "proposal": proposal, "at": at, "by": who.by(), "why": who.why });
    let answer = ask(&mut place.change()?, "schedule", request)?;
    Ok(Done::new(render.line(&answer), &answer))
}
