//! The verbs that change something.

use std::path::{Path, PathBuf};

use knhk_engine::control::{Content, Create, Failure, Promote, Rollback};
use knhk_engine::{Format, Status};
use serde_json::json;

use super::Place;
use crate::arguments::{self, Change, Origin};
use crate::input::{self, Input};
use crate::output::Done;
use crate::progress::Progress;
use crate::render::Render;

pub fn init(place: &Place<'_>, render: &Render, init: arguments::Init) -> Result<Done, Failure> {
    let mut access = place.open()?;
    let folder = place.folder.display().to_string();
    let mut text = format!("{folder} is an engine's folder\n");
    let mut made = Vec::new();
    for sector in init.sector {
        match access.ask(Create { sector: sector.clone(), governed: init.governed }) {
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
    let input = input::read(&import.file, import.format.format)?;
    let _progress = Progress::begin(format!("promoting {}", input.name));
    let request = promotion(import.sector, content(&input), true, import.origin);
    let changed = place.change()?.ask(request).map_err(|failure| input::about(failure, &input.name))?;
    Ok(Done::new(render.changed(&changed), &changed))
}

pub fn promote(place: &Place<'_>, render: &Render, promote: arguments::Promote) -> Result<Done, Failure> {
    let arguments::Promote { sector, content: named, change, format, origin } = promote;
    if change.is_some() && !named.is_empty() {
        return Err(both());
    }
    let (content, name) = match &named[..] {
        [] => statements(&change, format.format)?,
        [file] if !is_assignment(file) => {
            let input = input::read(Path::new(file), format.format)?;
            (content(&input), input.name)
        }
        assignments => (Content::Values(parsed(assignments)?), String::new()),
    };
    let _progress = Progress::begin(format!("promoting {sector}"));
    let request = promotion(sector, content, false, origin);
    let changed = place.change()?.ask(request).map_err(|failure| input::about(failure, &name))?;
    Ok(Done::new(render.changed(&changed), &changed))
}

/// Statements change the rest, a file is all that there is.
pub fn both() -> Failure {
    let message = "--add and --remove stand alone; a file or values cannot be named beside them";
    Failure::new(Status::InvalidArgument, "usage", "", message)
}

/// All of a file.
pub fn content(input: &Input) -> Content {
    Content::Document { text: input.text.clone(), format: Some(input.format.to_string()) }
}

/// The statements of two files, and what to call them in messages.
pub fn statements(change: &Change, said: Option<Format>) -> Result<(Content, String), Failure> {
    let read = |path: &Option<PathBuf>| path.as_deref().map(|path| input::read(path, said)).transpose();
    let (added, removed) = (read(&change.add)?, read(&change.remove)?);
    let mut formats = added.iter().chain(&removed).map(|input| input.format);
    let format = formats.next().expect("the arguments name one file at least");
    if formats.any(|other| other != format) {
        let message = "what is added and what is removed are in two formats; write both in one";
        return Err(Failure::new(Status::InvalidArgument, "format", "", message));
    }
    let names: Vec<&str> = added.iter().chain(&removed).map(|input| input.name.as_str()).collect();
    let name = names.join(" and ");
    let text = |input: Option<Input>| input.map(|input| input.text).unwrap_or_default();
    Ok((Content::Change { removed: text(removed), added: text(added), format: format.to_string() }, name))
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
pub fn is_assignment(text: &str) -> bool {
    text.contains('=') && !text.starts_with(['.', '/'])
}

pub fn parsed(assignments: &[String]) -> Result<Vec<(String, String)>, Failure> {
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
