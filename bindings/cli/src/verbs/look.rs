//! The verbs that change nothing.

use knhk_engine::control::{Access, Compare, Failure, Get, Sectors, Show, Validate};
use knhk_engine::{Options, Status};
use serde_json::{Value, json};

use super::Place;
use crate::output::Done;
use crate::progress::Progress;
use crate::render::Render;
use crate::{arguments, input};

/// As many versions as a history holds by default, and more for engines opened with a longer one.
const ALL: usize = usize::MAX;

pub fn get(place: &Place<'_>, render: &Render, get: arguments::Get) -> Result<Done, Failure> {
    let (sector, path) = split(&get.path);
    if path.is_empty() {
        let message = format!("{} names a sector, not a value; write {sector}/NAME, or `knhk show {sector}`", get.path);
        return Err(Failure::new(Status::InvalidArgument, "get", &get.path, message));
    }
    let shown = place.read(1)?.ask(Get { sector: sector.into(), path: path.into() })?;
    if get.raw {
        let Some(only) = shown.parameters.first().filter(|only| only.path == path) else {
            let message = format!("{} is a map, which has no value of its own; name one of its values", get.path);
            return Err(Failure::new(Status::WrongType, "get", &get.path, message));
        };
        let value = bare(&only.leaf);
        let text = value.as_str().map_or_else(|| format!("{value}\n"), |text| format!("{text}\n"));
        return Ok(Done::new(text, value));
    }
    Ok(Done::new(render.value(&shown), &shown))
}

/// The value without what is said about it.
fn bare(leaf: &Value) -> &Value {
    let value = leaf.get("$value").or_else(|| leaf.get("$default")).unwrap_or(leaf);
    value.get("$bytes").unwrap_or(value)
}

pub fn show(place: &Place<'_>, render: &Render, show: arguments::Show) -> Result<Done, Failure> {
    let Some(named) = show.sector else {
        let sectors = place.read(1)?.ask(Sectors {})?;
        let folder = place.folder.display().to_string();
        return Ok(Done::new(render.sectors(&sectors, &folder), &json!({ "folder": folder, "sectors": sectors })));
    };
    let (sector, path) = split(&named);
    if !path.is_empty() {
        let shown = place.read(1)?.ask(Get { sector: sector.into(), path: path.into() })?;
        return Ok(Done::new(render.value(&shown), &shown));
    }
    let _progress = Progress::begin(format!("reading {sector}"));
    let shown = place.read(ALL)?.ask(Show { sector: sector.into() })?;
    Ok(Done::new(render.sector(&shown), &shown))
}

pub fn diff(place: &Place<'_>, render: &Render, diff: arguments::Diff) -> Result<Done, Failure> {
    let _progress = Progress::begin(format!("reading {}", diff.sector));
    let compare = Compare { sector: diff.sector, from: diff.from, to: diff.to };
    let compared = place.read(ALL)?.ask(compare)?;
    Ok(Done::new(render.compared(&compared), &compared))
}

pub fn export(place: &Place<'_>, export: arguments::Export) -> Result<Done, Failure> {
    let _progress = Progress::begin(format!("exporting {}", export.sector));
    let depth = if export.version.is_some() { ALL } else { 1 };
    let request = knhk_engine::control::Export { sector: export.sector, version: export.version };
    let exported = place.read(depth)?.ask(request)?;
    let Some(path) = export.output else {
        return Ok(Done::new(exported.text.clone(), &exported));
    };
    input::write(&path, &exported.text)?;
    let (sector, version) = (&exported.sector, exported.version.version);
    let path = path.display().to_string();
    let text = format!("version {version} of {sector} written to {path}\n");
    Ok(Done::new(text, &json!({ "sector": sector, "version": exported.version, "output": path })))
}

pub fn validate(place: &Place<'_>, validate: arguments::Validate) -> Result<Done, Failure> {
    let input = input::read(&validate.file)?;
    let _progress = Progress::begin(format!("validating {}", input.name));
    let mut access = match &validate.sector {
        Some(_) => place.read(1)?,
        // A file by itself needs no folder.
        None => Access::memory(Options::default())?,
    };
    let request = Validate { sector: validate.sector, text: input.text };
    let validated = access.ask(request).map_err(|failure| input::about(failure, &input.name))?;
    let text = format!("{} is valid: {} names\n", input.name, validated.keys);
    Ok(Done::new(text, &validated))
}

/// The sector and the path in it.
fn split(named: &str) -> (&str, &str) {
    named.split_once('/').unwrap_or((named, ""))
}
