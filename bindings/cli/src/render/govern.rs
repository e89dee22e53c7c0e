//! What governance says, as people read it.

use std::fmt::Write;
use std::time::SystemTime;

use jiff::Timestamp;
use knhk_engine::governance::{LineKind, Proposal, Report, Severity, State, Verdict, lines};
use serde_json::Value;

use super::{Render, plain};
use crate::ago::ago;

/// The sections that rules have by their kinds.
const RULES: [&str; 7] =
    ["approval_chain", "segregation_of_duties", "resource_limit", "time_window", "shape", "expression", "callback"];

impl Render {
    /// A report of the stages, with colours: the one layout, see `knhk_governance::render`.
    pub fn report(&self, report: &Report) -> String {
        let mut out = String::new();
        for line in lines(report) {
            let text = plain(&line.text);
            let text = match line.kind {
                LineKind::Stage(Verdict::Refused)
                | LineKind::Summary(Verdict::Refused)
                | LineKind::Finding(Severity::Blocker) => self.palette.bad(&text),
                LineKind::Summary(Verdict::Passed) => self.palette.good(&text),
                LineKind::Fix | LineKind::Need => self.palette.strong(&text),
                LineKind::Finding(Severity::Info) => self.palette.quiet(&text),
                _ => text,
            };
            _ = writeln!(out, "{text}");
        }
        out
    }

    /// A proposal with what the stages said of it.
    pub fn proposal(&self, proposal: &Proposal) -> String {
        let mut out: String = proposal.reports.iter().map(|report| self.report(report)).collect();
        out.push_str(&self.proposed(proposal));
        for item in proposal.changes.iter().flat_map(|change| &change.differences) {
            _ = writeln!(out, "  {}", plain(&item.summary));
        }
        if proposal.state == State::Waiting {
            let id = &proposal.id;
            _ = writeln!(out, "  {}", self.palette.strong(&format!("knhk approve {id}    (by somebody who may)")));
        }
        out
    }

    /// Proposals, a line each.
    pub fn proposals(&self, proposals: &[Proposal]) -> String {
        let all: String = proposals.iter().map(|proposal| self.proposed(proposal)).collect();
        if all.is_empty() { "no proposals: `knhk propose SECTOR NAME=VALUE` files one\n".into() } else { all }
    }

    /// `proposal p-19 waits for an approval by desk-risk   ops-2: desk asked   5 min ago`
    fn proposed(&self, proposal: &Proposal) -> String {
        let said = match proposal.state {
            State::Refused => self.palette.bad(&plain(&proposal.said)),
            State::Enacted | State::Passed => self.palette.good(&plain(&proposal.said)),
            _ => plain(&proposal.said),
        };
        let origin = match (proposal.by.as_str(), proposal.why.as_str()) {
            ("", why) => plain(why),
            (by, "") => plain(by),
            (by, why) => format!("{}: {}", plain(by), plain(why)),
        };
        let about = self.palette.quiet(&format!("{origin}   {}", ago(proposal.time_ns, self.now)));
        format!("proposal {} {said}   {about}\n", self.palette.strong(&proposal.id))
    }

    /// Relaxations, a line each.
    pub fn relaxations(&self, all: &Value) -> String {
        let all: String = items(all).iter().map(|one| self.relaxation(one)).collect();
        if all.is_empty() { "no relaxations: `knhk relax GUARD --why …` asks for one\n".into() } else { all }
    }

    /// `relaxation r-3 of max-notional   requested, 1 of 2 approvals   until 2026-12-01 18:00 UTC`
    pub fn relaxation(&self, one: &Value) -> String {
        let state = text(one, "state").replace('_', " ");
        let shown = match state.as_str() {
            "in force" => self.palette.good(&state),
            "expired" | "revoked" => self.palette.quiet(&state),
            _ => self.palette.strong(&state),
        };
        let need = &one["need"];
        let lacking = match (need["approvals"].as_u64(), need["quorum"].as_u64()) {
            (Some(have), Some(quorum)) if have < quorum => format!(", {have} of {quorum} approvals"),
            _ => String::new(),
        };
        let mut whose = text(one, "guard").to_owned();
        for (name, before) in [("sector", " in "), ("proposal", " for ")] {
            if let Some(of) = one[name].as_str() {
                _ = write!(whose, "{before}{of}");
            }
        }
        let until = one["until_ns"].as_u64().map_or(String::new(), |until| format!("   until {}", stamp(until)));
        let about = self.palette.quiet(&format!("{}: {}", plain(text(one, "by")), plain(text(one, "why"))));
        let id = self.palette.strong(text(one, "id"));
        format!("relaxation {id} of {}   {shown}{lacking}{until}   {about}\n", plain(&whose))
    }

    /// A change of guards or approvers.
    pub fn pending(&self, change: &Value) -> String {
        let what = if change["next"].get("approvers").is_some() { "approvers" } else { "guards" };
        let id = self.palette.strong(text(change, "id"));
        let by = plain(text(change, "by"));
        if change["in_force"] == true {
            return format!("change {id} of the {what} by {by} {}\n", self.palette.good("is in force"));
        }
        let needs = items(&change["needs"]);
        let lacking = needs.iter().map(|need| {
            let count = |name: &str| need[name].as_u64().unwrap_or(0);
            format!("{} of {} signatures ({})", count("approvals"), count("quorum"), plain(text(need, "item")))
        });
        let lacking: Vec<String> = lacking.collect();
        format!(
            "change {id} of the {what} by {by} has {}\n  knhk approve {}\n",
            lacking.join(" and "),
            text(change, "id")
        )
    }

    /// Rules, or revisions of them, a line each.
    pub fn rules(&self, revisions: &Value) -> String {
        let mut out = String::new();
        for revision in items(revisions) {
            let rule = revision.get("rule").unwrap_or(revision);
            let name = match rule["sector"].as_str() {
                Some(sector) => format!("{sector}/{}", text(rule, "id")),
                None => text(rule, "id").to_owned(),
            };
            let enforcement = match text(rule, "enforcement") {
                "hard_mandatory" => self.palette.bad("hard mandatory"),
                "soft_mandatory" => self.palette.strong("soft mandatory"),
                other => other.replace('_', " "),
            };
            let removed = if revision["removed"] == true { self.palette.quiet("   removed") } else { String::new() };
            let about = self.palette.quiet(&plain(text(rule, "doc")));
            let name = self.palette.strong(&plain(&name));
            _ = writeln!(out, "{name}   {}   {enforcement}{removed}   {about}", kind(rule));
        }
        if out.is_empty() { "no rules: `knhk doctrine add FILE` adds some\n".into() } else { out }
    }

    /// Guards, a line each.
    pub fn guards(&self, set: &Value) -> String {
        let mut out = String::new();
        for guard in items(set.get("guard").unwrap_or(set)) {
            let name = self.palette.strong(&plain(text(guard, "id")));
            let sector = guard["sector"].as_str().map_or("every sector".into(), plain);
            let about = self.palette.quiet(&plain(text(guard, "doc")));
            _ = writeln!(out, "{name}   {}   {}   {sector}   {about}", kind(guard), text(guard, "criticality"));
        }
        if out.is_empty() { "no guards: `knhk guard set FILE` asks for some\n".into() } else { out }
    }

    /// Who may approve.
    pub fn approvers(&self, set: &Value) -> String {
        if set.is_null() {
            return "no approvers yet: `knhk guard approvers --set FILE` asks for the first set\n".into();
        }
        let mut out = format!("{} signatures change this set, revision {}\n", set["threshold"], set["revision"]);
        for member in items(&set["approver"]) {
            let groups: Vec<&str> = items(&member["groups"]).iter().filter_map(Value::as_str).collect();
            let about = self.palette.quiet(&plain(&groups.join(", ")));
            _ = writeln!(out, "  {}   {about}", self.palette.strong(&plain(text(member, "name"))));
        }
        out
    }

    /// Things with ids, a line each: the id, then each plain field.
    pub fn listed(&self, all: &Value, none: &str) -> String {
        let all: String = items(all).iter().map(|one| self.line(one)).collect();
        if all.is_empty() { format!("{none}\n") } else { all }
    }

    /// One of [`Render::listed`].
    pub fn line(&self, one: &Value) -> String {
        let mut out = self.palette.strong(&plain(text(one, "id")));
        for (name, value) in one.as_object().into_iter().flatten().filter(|(name, _)| *name != "id") {
            let shown = match value {
                Value::String(text) if text.is_empty() => continue,
                Value::String(text) => plain(text),
                Value::Number(number) => match number.as_u64().filter(|_| name.ends_with("_ns")) {
                    Some(time_ns) if time_ns > 1_000_000_000_000_000_000 => stamp(time_ns),
                    _ => number.to_string(),
                },
                Value::Bool(yes) => yes.to_string(),
                _ => continue,
            };
            let name = name.trim_end_matches("_ns").replace('_', " ");
            _ = write!(out, "   {} {shown}", self.palette.quiet(&name));
        }
        out + "\n"
    }
}

/// The list, empty for what is none.
fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// A guard's kind is named; a rule's is the section that it has.
fn kind(of: &Value) -> String {
    let named = of["kind"].as_str();
    let section = || RULES.into_iter().find(|name| of.get(name).is_some());
    named.or_else(section).unwrap_or_default().replace('_', " ")
}

/// `2026-12-01 18:00 UTC`
fn stamp(time_ns: u64) -> String {
    let moment = SystemTime::UNIX_EPOCH + std::time::Duration::from_nanos(time_ns);
    Timestamp::try_from(moment).map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}
