//! The verbs about where something comes from and goes to: merge, bisect, blame, codegen.

use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use knhk_engine::Status;
use knhk_engine::control::{Export, Failure};
use serde_json::json;

use super::Place;
use super::govern::{ask, some, told};
use super::look::split;
use crate::arguments;
use crate::input;
use crate::output::Done;
use crate::progress::Progress;
use crate::render::{Render, plain};

/// With this code a command says that it cannot tell, and with a greater one that it failed: as with `git bisect run`.
const CANNOT_TELL: i32 = 125;

pub fn merge(place: &Place<'_>, render: &Render, merge: arguments::Merge) -> Result<Done, Failure> {
    let arguments::Merge { sector, theirs, ours, propose, who } = merge;
    let _progress = Progress::begin(format!("merging {sector}"));
    let request = json!({
        "sector": sector, "theirs": theirs, "ours": ours, "propose": propose, "by": who.by(), "why": who.why
    });
    let answer = ask(&mut place.change()?, "merge", some(request))?;
    let conflicts = answer["conflicts"].as_array().map_or(0, Vec::len);
    let mut text = render.merged(&answer);
    if let Some(proposal) = answer.get("proposal").filter(|proposal| !proposal.is_null()) {
        text.push_str(&render.proposal(&told(proposal)?));
    }
    Ok(Done { success: conflicts == 0, ..Done::new(text, &answer) })
}

pub fn bisect(place: &Place<'_>, bisect: arguments::Bisect) -> Result<Done, Failure> {
    let arguments::Bisect { sector, good, bad, holds, command } = bisect;
    let mut access = place.read(1)?;
    let request = some(json!({ "sector": sector, "good": good, "bad": bad, "where": holds }));
    let mut answer = ask(&mut access, "bisect", request)?;
    while let Some(version) = answer["next"]["version"].as_u64() {
        let trial = tried(place, &sector, version, &command)?;
        eprintln!("version {version}: {trial}");
        answer = ask(&mut access, "bisect", json!({ "state": answer["state"], "version": version, "trial": trial }))?;
    }
    let text = format!("{}\n", plain(answer["text"].as_str().unwrap_or_default()));
    Ok(Done::new(text, &json!({ "culprit": answer["culprit"], "text": answer["text"] })))
}

/// Runs the command for a version.
fn tried(place: &Place<'_>, sector: &str, version: u64, command: &[String]) -> Result<&'static str, Failure> {
    let failed = |what: &str, why: String| Failure::new(Status::System, "bisect", what, format!("{what}: {why}"));
    let (program, arguments) = command.split_first().ok_or_else(|| {
        Failure::new(Status::InvalidArgument, "usage", "", "name a command behind --, or an expression with --where")
    })?;
    let request = Export { sector: sector.into(), version: Some(version.to_string()), format: None };
    let exported = place.read(usize::MAX >> 1)?.ask(request)?;
    let document = Scratch::new(sector, version);
    input::write(&document.0, &exported.text)?;
    // Standard output is this command's own, for its answer.
    let out = std::io::stderr().as_fd().try_clone_to_owned().map_err(|error| failed(program, error.to_string()))?;
    let status = Command::new(program)
        .args(arguments)
        .stdout(Stdio::from(out))
        .env("KNHK_DIR", place.folder)
        .env("KNHK_SECTOR", sector)
        .env("KNHK_VERSION", version.to_string())
        .env("KNHK_DOCUMENT", &document.0)
        .status()
        .map_err(|error| failed(program, format!("it cannot be run: {error}")))?;
    match status.code() {
        Some(0) => Ok("good"),
        Some(CANNOT_TELL) => Ok("skip"),
        Some(code) if code < CANNOT_TELL => Ok("bad"),
        Some(code) => Err(failed(program, format!("it ended with {code} at version {version}"))),
        None => Err(failed(program, format!("it was killed at version {version}"))),
    }
}

/// A file that is gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(sector: &str, version: u64) -> Scratch {
        Scratch(std::env::temp_dir().join(format!("knhk-bisect-{}-{sector}-{version}.json", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.0);
    }
}

pub fn blame(place: &Place<'_>, render: &Render, blame: arguments::Blame) -> Result<Done, Failure> {
    let (sector, path) = split(&blame.path);
    let path = (!path.is_empty()).then_some(path);
    let request = json!({ "sector": sector, "path": path, "statement": blame.statement, "version": blame.version });
    let answer = ask(&mut place.read(1)?, "blame", some(request))?;
    Ok(Done::new(render.blamed(&answer["entries"]), &answer))
}

pub fn codegen(place: &Place<'_>, codegen: arguments::Codegen) -> Result<Done, Failure> {
    let arguments::Codegen { sector, language, version, output } = codegen;
    let request = json!({ "sector": sector, "language": language, "version": version });
    let answer = ask(&mut place.change()?, "codegen", some(request))?;
    let text = answer["text"].as_str().unwrap_or_default();
    let Some(path) = output else { return Ok(Done::new(text.into(), &answer)) };
    input::write(&path, text)?;
    let path = path.display().to_string();
    Ok(Done::new(
        format!("keys of {sector} written to {path}\n"),
        &json!({ "language": language, "output": path, "version": answer["version"] }),
    ))
}
