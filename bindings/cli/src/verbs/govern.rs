//! The verbs of governance: propose, check, approve, relax, revoke, doctrine, guard.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use knhk_engine::control::{Access, Content, Failure, Govern};
use knhk_engine::governance::{Proposal, Report, Verdict, approval};
use knhk_engine::{Format, Signer, Status};
use serde_json::{Value, json};

use super::Place;
use super::change::{both, content, is_assignment, parsed, statements};
use crate::arguments::{self, Asked, DoctrineVerb, GuardVerb, Who};
use crate::output::Done;
use crate::progress::Progress;
use crate::render::Render;
use crate::{input, moment};

/// Asks a verb of governance.
pub fn ask(access: &mut Access, verb: &str, request: Value) -> Result<Value, Failure> {
    access.ask(Govern { verb: verb.into(), request })
}

/// What an answer holds, as its type.
pub fn told<T: serde::de::DeserializeOwned>(answer: &Value) -> Result<T, Failure> {
    T::deserialize(answer).map_err(|error| {
        let message = format!("the engine's answer is of another version than this command: {error}");
        Failure::new(Status::System, "govern", "", message)
    })
}

/// What is asked to become of a sector, and what to call it in messages.
pub fn wanted(asked: &Asked) -> Result<(Content, String), Failure> {
    let Asked { content: named, change, format } = asked;
    match &named[..] {
        _ if change.is_some() && !named.is_empty() => Err(both()),
        [] if change.is_some() => statements(change, format.format),
        [] => Err(usage("say what is to become of it: NAME=VALUE, a file, or --add and --remove")),
        [file] if !is_assignment(file) => {
            let input = input::read(Path::new(file), format.format)?;
            Ok((content(&input), input.name))
        }
        assignments => Ok((Content::Values(parsed(assignments)?), String::new())),
    }
}

fn usage(message: &str) -> Failure {
    Failure::new(Status::InvalidArgument, "usage", "", message)
}

/// The file's text, as a request has it.
fn toml(file: &Path) -> Result<String, Failure> {
    Ok(input::read(file, Some(Format::Json))?.text)
}

fn asked_by(who: &Who) -> Value {
    json!({ "by": who.by(), "why": who.why })
}

/// An object without what is null.
pub fn some(request: Value) -> Value {
    with(json!({}), request)
}

/// An object with more in it.
fn with(mut object: Value, more: Value) -> Value {
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
    }
    object
}

pub fn propose(place: &Place<'_>, render: &Render, propose: arguments::Propose) -> Result<Done, Failure> {
    let arguments::Propose { sector, content, origin, confidence, at, hold, enact, withdraw, all } = propose;
    let by = asked_by(&origin.who);
    if let Some(id) = enact {
        let _progress = Progress::begin(format!("running {id}"));
        let answer = ask(&mut place.change()?, "enact", json!({ "id": id, "by": origin.who.by() }))?;
        return proposal(render, answer);
    }
    if let Some(id) = withdraw {
        return proposal(render, ask(&mut place.change()?, "withdraw", with(json!({ "id": id }), by))?);
    }
    let nothing = content.content.is_empty() && !content.change.is_some();
    match sector {
        Some(sector) if !nothing => {
            let (content, name) = wanted(&content)?;
            let _progress = Progress::begin(format!("judging a change of {sector}"));
            let at_ns = at.as_deref().map(moment::ahead).transpose()?;
            let request =
                json!({ "changes": [{ "sector": sector, "content": content }], "major": origin.major, "enact": !hold });
            let request = with(with(request, by), json!({ "confidence": confidence, "at_ns": at_ns }));
            let answer =
                ask(&mut place.change()?, "propose", request).map_err(|failure| input::about(failure, &name))?;
            proposal(render, answer)
        }
        Some(id) if id.starts_with("p-") => {
            let answer = ask(&mut place.read(1)?, "proposal", json!({ "id": id }))?;
            Ok(Done { success: true, ..proposal(render, answer)? })
        }
        sector => {
            let answer =
                ask(&mut place.read(1)?, "proposals", with(json!({ "open": !all }), json!({ "sector": sector })))?;
            let proposals: Vec<Proposal> = told(&answer["proposals"])?;
            Ok(Done::new(render.proposals(&proposals), &answer))
        }
    }
}

fn proposal(render: &Render, answer: Value) -> Result<Done, Failure> {
    let proposal: Proposal = told(&answer)?;
    let success = proposal.state != knhk_engine::governance::State::Refused;
    Ok(Done { success, ..Done::new(render.proposal(&proposal), &answer) })
}

pub fn check(place: &Place<'_>, render: &Render, check: arguments::Check) -> Result<Done, Failure> {
    let arguments::Check { sector, content, origin } = check;
    let (content, name) = wanted(&content)?;
    let _progress = Progress::begin(format!("judging a change of {sector}"));
    let request = json!({ "changes": [{ "sector": sector, "content": content }], "major": origin.major });
    let answer = ask(&mut place.change()?, "check", with(request, asked_by(&origin.who)))
        .map_err(|failure| input::about(failure, &name))?;
    let reports: Vec<Report> = told(&answer["reports"])?;
    let success = reports.iter().all(|report| report.verdict != Verdict::Refused);
    let text: String = reports.iter().map(|report| render.report(report)).collect();
    Ok(Done { success, ..Done::new(text, &answer) })
}

pub fn approve(place: &Place<'_>, render: &Render, approve: arguments::Approve) -> Result<Done, Failure> {
    let arguments::Approve { id, key, overrides, take_back, new_key } = approve;
    if let Some(path) = new_key {
        return made(&path);
    }
    let id = id.expect("the arguments name what is approved, or a new key");
    let Some(key) = key else {
        return Err(usage(
            "name the approver's key with --key or KNHK_APPROVER_KEY; `knhk approve --new-key FILE` makes one",
        ));
    };
    let signer = Signer::load(&key).map_err(knhk_engine::Error::from)?;
    let mut access = place.change()?;
    let kind = kind(&mut access, &id)?;
    let request = json!({ "kind": kind, "id": id, "withdraw": take_back, "overrides": overrides });
    let asked = ask(&mut access, "approval_request", request)?;
    let payload = STANDARD.decode(asked["payload"].as_str().unwrap_or_default());
    let payload = payload.map_err(|error| Failure::new(Status::System, "govern", &id, error.to_string()))?;
    let request = approval::Request::from_bytes(&payload).map_err(knhk_engine::Error::from)?;
    let signed = request.sign(&signer).map_err(knhk_engine::Error::from)?;
    let answer = ask(&mut access, "approve", json!({ "approval": STANDARD.encode(signed) }))?;
    let text = match (answer.get("proposal"), answer.get("relaxation")) {
        (Some(proposal), _) => render.proposal(&told(proposal)?),
        (_, Some(relaxation)) => render.relaxation(relaxation),
        _ => render.pending(&answer["change"]),
    };
    Ok(Done::new(text, &answer))
}

/// What kind of thing an id names.
fn kind(access: &mut Access, id: &str) -> Result<&'static str, Failure> {
    if id.starts_with("p-") {
        return Ok("proposal");
    }
    if id.starts_with("r-") {
        return Ok("relaxation");
    }
    let changes = ask(access, "changes", json!({}))?;
    let found = changes["changes"].as_array().into_iter().flatten().find(|change| change["id"] == id);
    match found {
        Some(change) if change["next"].get("approvers").is_some() => Ok("approvers"),
        Some(_) => Ok("guards"),
        None => {
            let message = format!(
                "{id} is no proposal (p-1), no relaxation (r-1) and no change that waits (c-1): `knhk guard changes` lists those"
            );
            Err(Failure::new(Status::NotFound, "govern", id, message))
        }
    }
}

/// Makes an approver's key.
fn made(path: &Path) -> Result<Done, Failure> {
    let signer = Signer::generate().map_err(knhk_engine::Error::from)?;
    signer.save(path).map_err(knhk_engine::Error::from)?;
    let public: String = signer.public().to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let file = path.display().to_string();
    let text =
        format!("{file} holds a new key, for its owner alone; its public part, for the set of approvers:\n{public}\n");
    Ok(Done::new(text, &json!({ "file": file, "public": public })))
}

pub fn relax(place: &Place<'_>, render: &Render, relax: arguments::Relax) -> Result<Done, Failure> {
    let arguments::Relax { guard, sector, proposal, until, who, all } = relax;
    let Some(guard) = guard else {
        let answer = ask(&mut place.read(1)?, "relaxations", json!({ "open": !all }))?;
        return Ok(Done::new(render.relaxations(&answer["relaxations"]), &answer));
    };
    let request = with(json!({ "guard": guard, "until_ns": moment::ahead(&until)? }), asked_by(&who));
    let request = with(request, json!({ "sector": sector, "proposal": proposal }));
    let answer = ask(&mut place.change()?, "relax", request)?;
    Ok(Done::new(render.relaxation(&answer), &answer))
}

pub fn revoke(place: &Place<'_>, render: &Render, revoke: arguments::Revoke) -> Result<Done, Failure> {
    let arguments::Revoke { id, who } = revoke;
    let answer = ask(&mut place.change()?, "revoke", with(json!({ "id": id }), asked_by(&who)))?;
    Ok(Done::new(render.relaxation(&answer), &answer))
}

pub fn doctrine(place: &Place<'_>, render: &Render, doctrine: arguments::Doctrine) -> Result<Done, Failure> {
    let shown = DoctrineVerb::Show { sector: None, at: None, known: None };
    match doctrine.verb.unwrap_or(shown) {
        DoctrineVerb::Show { sector, at, known } => {
            let past = |text: Option<String>| text.as_deref().map(moment::of).transpose();
            let request = json!({ "sector": sector, "valid_ns": past(at)?, "decided_ns": past(known)? });
            let answer = ask(&mut place.read(1)?, "rules", with(json!({}), request))?;
            Ok(Done::new(render.rules(&answer["rules"]), &answer))
        }
        DoctrineVerb::Add { file, who } => {
            let request = with(json!({ "toml": toml(&file)? }), asked_by(&who));
            let answer = ask(&mut place.change()?, "add_rule", request)?;
            Ok(Done::new(render.rules(&answer["rules"]), &answer))
        }
        DoctrineVerb::Remove { rule, who } => {
            let answer = ask(&mut place.change()?, "remove_rule", with(json!({ "id": rule }), asked_by(&who)))?;
            Ok(Done::new(format!("rule {rule} is removed; its history stays\n"), &answer))
        }
        DoctrineVerb::Log { rule } => {
            let answer = ask(&mut place.read(1)?, "doctrine_log", with(json!({}), json!({ "id": rule })))?;
            Ok(Done::new(render.rules(&answer["revisions"]), &answer))
        }
        DoctrineVerb::Rollback { to, who } => {
            let request = with(json!({ "to_ns": moment::of(&to)? }), asked_by(&who));
            let answer = ask(&mut place.change()?, "rollback_doctrine", request)?;
            Ok(Done::new(render.rules(&answer["revisions"]), &answer))
        }
    }
}

pub fn guard(place: &Place<'_>, render: &Render, guard: arguments::Guard) -> Result<Done, Failure> {
    let change = |verb: &str, request: Value| {
        let answer = ask(&mut place.change()?, verb, request)?;
        Ok(Done::new(render.pending(&answer), &answer))
    };
    match guard.verb.unwrap_or(GuardVerb::Show { sector: None }) {
        GuardVerb::Show { sector } => {
            let answer = ask(&mut place.read(1)?, "guards", with(json!({}), json!({ "sector": sector })))?;
            Ok(Done::new(render.guards(&answer["guards"]), &answer))
        }
        GuardVerb::Set { file, who } => change("change_guards", with(json!({ "toml": toml(&file)? }), asked_by(&who))),
        GuardVerb::Remove { guard, who } => change("remove_guard", with(json!({ "id": guard }), asked_by(&who))),
        GuardVerb::Approvers { set: Some(file), who } => {
            change("change_approvers", with(json!({ "toml": toml(&file)? }), asked_by(&who)))
        }
        GuardVerb::Approvers { set: None, .. } => {
            let answer = ask(&mut place.read(1)?, "approvers", json!({}))?;
            Ok(Done::new(render.approvers(&answer["approvers"]), &answer))
        }
        GuardVerb::Changes => {
            let answer = ask(&mut place.read(1)?, "changes", json!({}))?;
            let all = answer["changes"].as_array().cloned().unwrap_or_default();
            let text: String = all.iter().map(|change| render.pending(change)).collect();
            let text = if text.is_empty() { "nothing waits for signatures\n".into() } else { text };
            Ok(Done::new(text, &answer))
        }
    }
}
