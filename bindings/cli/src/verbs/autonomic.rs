//! The verbs about the closed loop: patterns, cycle, proposals, replay, learn.

use std::path::Path;
use std::time::SystemTime;

use knhk_engine::autonomic::{Cycle, LoopStatus, PatternInfo};
use knhk_engine::control::{Access, Failure, Live};
use knhk_engine::governance::Proposal;
use knhk_engine::{Options, Status};
use serde_json::{Value, json};

use super::govern::{ask, some, told};
use super::{Place, watch};
use crate::arguments;
use crate::output::Done;
use crate::progress::Progress;
use crate::render::Render;
use crate::{input, moment};

/// Asks the live engine, or looks into the folder beside it.
fn looked(place: &Place<'_>) -> Result<Access, Failure> {
    place.existing()?;
    match Live::connect(place.folder)? {
        Some(live) => Ok(Access::Live(live)),
        None => place.read(1),
    }
}

/// The same as of now: what is shown anew ages.
fn aged(render: &Render) -> Render {
    Render { now: SystemTime::now(), ..*render }
}

pub fn patterns(place: &Place<'_>, render: &Render, patterns: arguments::Patterns) -> Result<Done, Failure> {
    let arguments::Patterns { sector, since, limit, watch } = patterns;
    let since_ns = since.as_deref().map(moment::of).transpose()?;
    let request = some(json!({ "sector": sector, "since_ns": since_ns, "limit": limit }));
    watch::shown(watch.watch, || {
        let answer = ask(&mut looked(place)?, "patterns", request.clone())?;
        let patterns: Vec<PatternInfo> = told(&answer["patterns"])?;
        Ok(Done::new(aged(render).patterns(&patterns), &answer))
    })
}

pub fn cycle(place: &Place<'_>, render: &Render, cycle: arguments::Cycle) -> Result<Done, Failure> {
    let arguments::Cycle { id, sector, open, limit, start, stop, step, watch } = cycle;
    if start || stop {
        let (verb, request) =
            if start { ("loop_start", json!({ "sectors": sector })) } else { ("loop_stop", json!({})) };
        let answer = live(place, verb, request)?;
        return Ok(Done::new(render.loop_status(&told(&answer)?), &answer));
    }
    if step {
        let answer = live(place, "loop_step", json!({}))?;
        let cycles: Vec<Cycle> = told(&answer["cycles"])?;
        return Ok(Done::new(render.cycles(&cycles, "nothing came of this turn"), &answer));
    }
    if let Some(id) = id {
        return watch::shown(watch.watch, || {
            let answer = ask(&mut looked(place)?, "cycle", json!({ "id": id }))?;
            Ok(Done::new(aged(render).cycle(&told(&answer)?), &answer))
        });
    }
    if let [_, _, ..] = &sector[..] {
        let message = "name one sector, or none: several are for --start";
        return Err(Failure::new(Status::InvalidArgument, "usage", "sector", message));
    }
    let request = some(json!({ "sector": sector.first(), "open": open, "limit": limit }));
    watch::shown(watch.watch, || {
        let mut access = looked(place)?;
        let mut answer = ask(&mut access, "cycles", request.clone())?;
        let cycles: Vec<Cycle> = told(&answer["cycles"])?;
        let render = aged(render);
        let mut text = String::new();
        if let Access::Live(_) = access {
            let status = ask(&mut access, "loop_status", json!({}))?;
            text = render.loop_status(&told::<LoopStatus>(&status)?);
            answer["loop"] = status;
        }
        text += &render.cycles(&cycles, "no cycles: nothing was found that anything was to be done about");
        Ok(Done::new(text, &answer))
    })
}

/// Asks the loop of a live engine: one that this command opened would end with it.
fn live(place: &Place<'_>, verb: &str, request: Value) -> Result<Value, Failure> {
    ask(&mut Access::Live(place.live()?), verb, request)
}

pub fn proposals(place: &Place<'_>, render: &Render, proposals: arguments::Proposals) -> Result<Done, Failure> {
    let arguments::Proposals { which, all, limit, watch } = proposals;
    if let Some(id) = which.as_deref().filter(|which| which.starts_with("p-")) {
        return watch::shown(watch.watch, || {
            let answer = ask(&mut looked(place)?, "proposal", json!({ "id": id }))?;
            Ok(Done::new(aged(render).proposal(&told(&answer)?), &answer))
        });
    }
    let request = some(json!({ "sector": which, "open": !all, "limit": limit }));
    watch::shown(watch.watch, || {
        let answer = ask(&mut looked(place)?, "proposals", request.clone())?;
        let proposals: Vec<Proposal> = told(&answer["proposals"])?;
        Ok(Done::new(aged(render).proposals(&proposals), &answer))
    })
}

pub fn replay(place: &Place<'_>, render: &Render, replay: arguments::Replay) -> Result<Done, Failure> {
    let arguments::Replay { cycle, since, until } = replay;
    let past = |text: Option<String>| text.as_deref().map(moment::of).transpose();
    let request = some(json!({ "cycle": cycle, "from_ns": past(since)?, "to_ns": past(until)? }));
    let _progress = Progress::begin("deciding anew".into());
    let answer = ask(&mut place.read_with(Options::default())?, "replay", request)?;
    Ok(Done { success: answer["equal"] == true, ..Done::new(render.replayed(&answer), &answer) })
}

pub fn learn(place: &Place<'_>, render: &Render, learn: arguments::Learn) -> Result<Done, Failure> {
    let arguments::Learn { sector, export, import } = learn;
    if let Some(file) = import {
        let input = input::read(&file, Some(knhk_engine::Format::Json))?;
        let read = serde_json::from_str::<Value>(&input.text);
        let knowledge = read.map_err(|error| {
            let message = format!("{} holds nothing that was learned: {error}", input.name);
            Failure::new(Status::Document, "read", &input.name, message)
        })?;
        let answer = ask(&mut place.change()?, "import_knowledge", json!({ "knowledge": knowledge }))
            .map_err(|failure| input::about(failure, &input.name))?;
        let count = answer["imported"].as_u64().unwrap_or(0);
        let text = format!("{} added\n", crate::render::counted(count, "outcome"));
        return Ok(Done::new(text, &answer));
    }
    if let Some(file) = export {
        let answer = ask(&mut looked(place)?, "export_knowledge", json!({}))?;
        let text = format!("{:#}\n", answer["knowledge"]);
        if file == Path::new("-") {
            return Ok(Done::new(text, &answer));
        }
        input::write(&file, &text)?;
        return Ok(Done::new(format!("what was learned is in {}\n", file.display()), &answer));
    }
    let answer = ask(&mut looked(place)?, "knowledge", some(json!({ "sector": sector })))?;
    Ok(Done::new(render.learned(&answer), &answer))
}
