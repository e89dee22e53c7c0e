//! The verbs about versions: log, tag, as-of, prune.

use knhk_engine::control::{Failure, Get, Log, Prune, SetTag, Show, Tags};
use knhk_engine::{Options, Status};
use serde_json::json;

use super::Place;
use super::look;
use crate::arguments::{self, Who};
use crate::output::Done;
use crate::progress::Progress;
use crate::render::Render;

pub fn log(place: &Place<'_>, render: &Render, log: arguments::Log) -> Result<Done, Failure> {
    let _progress = Progress::begin("reading the log".into());
    let arguments::Log { sector, before, limit } = log;
    let several = sector.is_none();
    let logged = place.read(1)?.ask(Log { sector, before, limit: Some(limit) })?;
    Ok(Done::new(render.log(&logged, several), &json!({ "versions": logged })))
}

pub fn tag(place: &Place<'_>, render: &Render, tag: arguments::Tag) -> Result<Done, Failure> {
    let arguments::Tag { sector, name, version, remove, by } = tag;
    let Some(name) = name else {
        let tags = place.read(1)?.ask(Tags { sector })?;
        return Ok(Done::new(render.tags(&tags), &json!({ "tags": tags })));
    };
    let by = Who { by, why: String::new() }.by();
    let version = if remove { None } else { Some(version.unwrap_or_else(|| "current".into())) };
    let tagged = place.change()?.ask(SetTag { sector: sector.clone(), name: name.clone(), version, by })?;
    let text = match &tagged {
        Some(entry) => format!("{name} names version {} of {sector}\n", entry.version),
        None => format!("{sector} has no tag {name} any more\n"),
    };
    Ok(Done::new(text, &json!({ "sector": sector, "name": name, "version": tagged })))
}

pub fn as_of(place: &Place<'_>, render: &Render, as_of: arguments::AsOf) -> Result<Done, Failure> {
    let arguments::AsOf { version, path: named, raw } = as_of;
    let (sector, path) = look::split(&named);
    let (sector, at) = (sector.to_owned(), Some(version));
    let mut access = place.read(1)?;
    if path.is_empty() && raw {
        let message = format!("{named} is a sector, which has no value of its own; name one of its values");
        return Err(Failure::new(Status::WrongType, "get", &named, message));
    }
    let shown = match path.is_empty() {
        true => access.ask(Show { sector, versions: Some(0), at })?,
        false => access.ask(Get { sector, path: path.into(), at })?,
    };
    if raw { look::raw(&shown, &named) } else { Ok(Done::new(render.value(&shown), &shown)) }
}

pub fn prune(place: &Place<'_>, prune: arguments::Prune) -> Result<Done, Failure> {
    let _progress = Progress::begin("removing old versions".into());
    let mut options = Options::default();
    options.retention.versions = prune.versions;
    let pruned = place.change_with(options)?.ask(Prune {})?;
    let text = match pruned.versions {
        0 => "nothing to remove\n".into(),
        1 => "1 version removed; its receipt stays\n".into(),
        many => format!("{many} versions removed; their receipts stay\n"),
    };
    Ok(Done::new(text, &pruned))
}
