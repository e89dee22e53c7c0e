//! The verbs that change nothing.

use std::path::Path;

use knhk_engine::control::{Access, Compare, Conflicts, Create, Export, Failure, Get, Sectors, Show, Shown, Validate};
use knhk_engine::{Format, Options, Status};
use serde_json::{Value, json};

use super::Place;
use super::change::{both, content, statements};
use crate::output::Done;
use crate::progress::Progress;
use crate::render::Render;
use crate::{arguments, input};

pub fn get(place: &Place<'_>, render: &Render, get: arguments::Get) -> Result<Done, Failure> {
    let (sector, path) = split(&get.path);
    if path.is_empty() {
        let message = format!("{} names a sector, not a value; write {sector}/NAME, or `knhk show {sector}`", get.path);
        return Err(Failure::new(Status::InvalidArgument, "get", &get.path, message));
    }
    let shown = place.read(1)?.ask(Get { sector: sector.into(), path: path.into(), at: None })?;
    if get.raw { raw(&shown, &get.path) } else { Ok(Done::new(render.value(&shown), &shown)) }
}

/// Only the value.
pub fn raw(shown: &Shown, named: &str) -> Result<Done, Failure> {
    let Some(only) = shown.parameters.first().filter(|only| only.path == shown.path) else {
        let message = format!("{named} is a map, which has no value of its own; name one of its values");
        return Err(Failure::new(Status::WrongType, "get", named, message));
    };
    let value = bare(&only.leaf);
    let text = value.as_str().map_or_else(|| format!("{value}\n"), |text| format!("{text}\n"));
    Ok(Done::new(text, value))
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
        let shown = place.read(1)?.ask(Get { sector: sector.into(), path: path.into(), at: None })?;
        return Ok(Done::new(render.value(&shown), &shown));
    }
    let _progress = Progress::begin(format!("reading {sector}"));
    let shown = place.read(1)?.ask(Show { sector: sector.into(), versions: Some(show.versions), at: None })?;
    Ok(Done::new(render.sector(&shown), &shown))
}

pub fn diff(place: &Place<'_>, render: &Render, diff: arguments::Diff) -> Result<Done, Failure> {
    let _progress = Progress::begin(format!("reading {}", diff.sector));
    let compare = Compare { sector: diff.sector, from: diff.from, to: diff.to, statements: diff.statements };
    let compared = place.read(1)?.ask(compare)?;
    Ok(Done::new(render.compared(&compared), &compared))
}

pub fn export(place: &Place<'_>, export: arguments::Export) -> Result<Done, Failure> {
    let _progress = Progress::begin(format!("exporting {}", export.sector));
    let format = export.format.or_else(|| input::told(export.output.as_deref()?)).unwrap_or(Format::Json);
    let request = Export { sector: export.sector, version: export.version, format: Some(format.to_string()) };
    let exported = place.read(1)?.ask(request)?;
    let note = exported.partial.then(|| {
        let sector = &exported.sector;
        format!("{sector} holds more than JSON can say; `knhk export {sector} --format turtle` writes all of it")
    });
    let Some(path) = export.output else {
        return Ok(Done { note, ..Done::new(exported.text.clone(), &exported) });
    };
    input::write(&path, &exported.text)?;
    let (sector, version) = (&exported.sector, exported.version.version);
    let path = path.display().to_string();
    let text = format!("version {version} of {sector} written to {path}\n");
    let answer = json!({
        "sector": sector, "version": exported.version, "format": exported.format, "partial": exported.partial, "output": path
    });
    Ok(Done { note, ..Done::new(text, &answer) })
}

pub fn validate(place: &Place<'_>, render: &Render, validate: arguments::Validate) -> Result<Done, Failure> {
    let arguments::Validate { file, sector, change, format } = validate;
    let (content, name) = match &file {
        Some(_) if change.is_some() => return Err(both()),
        Some(file) => {
            let input = input::read(file, format.format)?;
            (content(&input), input.name)
        }
        None if change.is_some() => statements(&change, format.format)?,
        None => return validate_stored(place, render, sector),
    };
    let _progress = Progress::begin(format!("validating {name}"));
    let (mut access, sector) = match sector {
        Some(sector) if place.exists() => (place.read(1)?, sector),
        // A file by itself needs no folder.
        sector => {
            let sector = sector.or_else(|| named_like(file.as_deref()?)).unwrap_or_else(|| "sector".into());
            let mut access = Access::memory(Options::default())?;
            access.ask(Create { sector: sector.clone(), governed: false })?;
            (access, sector)
        }
    };
    let request = Validate { sector, content: Some(content) };
    let validated = access.ask(request).map_err(|failure| input::about(failure, &name))?;
    let success = validated.conforms;
    Ok(Done { success, ..Done::new(render.validated(&name, &validated), &validated) })
}

/// What the folder holds: one sector, or all of them and their names.
fn validate_stored(place: &Place<'_>, render: &Render, sector: Option<String>) -> Result<Done, Failure> {
    let _progress = Progress::begin("validating".into());
    let mut access = place.read(1)?;
    let (sectors, conflicts) = match sector {
        Some(sector) => (vec![sector], Vec::new()),
        None => {
            let sectors = access.ask(Sectors {})?;
            let ready = sectors.into_iter().filter(|sector| sector.current.is_some()).map(|sector| sector.name);
            (ready.collect(), access.ask(Conflicts {})?)
        }
    };
    let check = |sector: String| access.ask(Validate { sector, content: None });
    let validated = sectors.into_iter().map(check).collect::<Result<Vec<_>, Failure>>()?;
    let success = conflicts.is_empty() && validated.iter().all(|validated| validated.conforms);
    let mut text: String = validated.iter().map(|validated| render.validated(&validated.sector, validated)).collect();
    text.push_str(&render.conflicts(&conflicts));
    let answer = json!({ "conforms": success, "sectors": validated, "conflicts": conflicts });
    Ok(Done { success, ..Done::new(text, &answer) })
}

/// The sector that a file's name would be one for.
fn named_like(file: &Path) -> Option<String> {
    let name: String = file.file_stem()?.to_str()?.to_lowercase();
    let fits = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    (fits && name.len() <= 64 && name.starts_with(|c: char| c.is_ascii_alphanumeric())).then_some(name)
}

/// The sector and the path in it.
pub fn split(named: &str) -> (&str, &str) {
    named.split_once('/').unwrap_or((named, ""))
}
