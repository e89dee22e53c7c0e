//! The verbs that change something.

use std::path::Path;

use knhk_engine::Status;
use knhk_engine::control::{Content, Create, Failure, Promote, Rollback};
use serde_json::json;

use super::Place;
use crate::arguments::{self, Origin};
use crate::input;
use crate::output::Done;
use crate::progress::Progress;
use crate::render::Render;

pub fn init(place: &Place<'_>, render: &Render, init: arguments::Init) -> Result<Done, Failure> {
    let mut access = place.open()?;
    let folder = place.folder.display().to_string();
    let mut text = format!("{folder} is an engine's folder\n");
    let mut made = Vec::new();
    for sector in init.sector {
        match access.ask(Create { sector: sector.clone() }) {
            Ok(changed) => {
                text.push_str(&render.changed(&changed));
                made.push(changed);
            }
            Err(failure) if failure.status() == Some(Status::AlreadyExists) => {
                text.push_str(&format!("sector {sector} is there already\n"));
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(Done::new(text, &json!({ "folder": folder, "made": made })))
}

pub fn import(place: &Place<'_>, render: &Render, import: arguments::Import) -> Result<Done, Failure> {
    let input = input::read(&import.file)?;
    let _progress = Progress::begin(format!("promoting {}", input.name));
    let request = promotion(import.sector, Content::Document { text: input.text }, true, import.origin);
    let changed = place.change()?.ask(request).map_err(|failure| input::about(failure, &input.name))?;
    Ok(Done::new(render.changed(&changed), &changed))
}

pub fn promote(place: &Place<'_>, render: &Render, promote: arguments::Promote) -> Result<Done, Failure> {
    let arguments::Promote { sector, content, origin } = promote;
    let (content, name) = match &content[..] {
        [file] if !is_assignment(file) => {
            let input = input::read(Path::new(file))?;
            (Content::Document { text: input.text }, input.name)
        }
        assignments => (Content::Values(parsed(assignments)?), String::new()),
    };
    let _progress = Progress::begin(format!("promoting {sector}"));
    let request = promotion(sector, content, false, origin);
    let changed = place.change()?.ask(request).map_err(|failure| input::about(failure, &name))?;
    Ok(Done::new(render.changed(&changed), &changed))
}

pub fn rollback(place: &Place<'_>, render: &Render, rollback: arguments::Rollback) -> Result<Done, Failure> {
    let arguments::Rollback { sector, version, emergency, origin } = rollback;
    let request = Rollback { sector, version, emergency, by: origin.by(), why: origin.why };
    let changed = place.change()?.ask(request)?;
    Ok(Done::new(render.changed(&changed), &changed))
}

fn promotion(sector: String, content: Content, create: bool, origin: Origin) -> Promote {
    let Origin { who, major } = origin;
    Promote { sector, content, create, by: who.by(), why: who.why, major }
}

/// `NAME=VALUE`; what begins as a path does is a file, whatever its name holds.
fn is_assignment(text: &str) -> bool {
    text.contains('=') && !text.starts_with(['.', '/'])
}

fn parsed(assignments: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let pair = |text: &String| {
        let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty() && is_assignment(text))?;
        Some((name.to_owned(), value.to_owned()))
    };
    let wrong = |text: &String| {
        let message = format!("{text:?} is no NAME=VALUE; name one file, or values only");
        Failure::new(Status::InvalidArgument, "usage", text, message)
    };
    assignments.iter().map(|text| pair(text).ok_or_else(|| wrong(text))).collect()
}
