//! What a rule has to say so that it can be judged.

use super::limits::{LIST, NAME_BYTES, PATH_BYTES, QUORUM, SHAPE_BYTES};
use super::paths::fault;
use super::rule::{ApprovalChain, Enforcement, Kind, Quantity, ResourceLimit, Rule, SegregationOfDuties};
use super::window::Window;
use super::{Expression, RuleError, VARIABLES, shape};
use crate::number::Number;

/// The first thing that is wrong with a rule.
pub(super) fn rule(rule: &Rule) -> Result<(), RuleError> {
    let field = |field: &str, why: String| RuleError::Field { rule: rule.name(), field: field.to_owned(), why };
    name(&rule.id).map_err(|why| field("id", why))?;
    if let Some(sector) = &rule.sector {
        name(sector).map_err(|why| field("sector", why))?;
    }
    if rule.until_ns.is_some_and(|until| until <= rule.from_ns) {
        return Err(field("until", "it ends before it begins: give a later time, or none".to_owned()));
    }
    for (of, names) in [("guards", &rule.guards), ("override_by", &rule.override_by)] {
        groups(names).map_err(|why| field(of, why))?;
    }
    if !rule.override_by.is_empty() && rule.enforcement != Enforcement::SoftMandatory {
        let why = format!("a rule that is {} cannot be overridden: leave it out", rule.enforcement.as_str());
        return Err(field("override_by", why));
    }
    for (of, text) in [("doc", &rule.doc), ("fix", &rule.fix)] {
        if text.contains('\0') {
            return Err(field(of, "it holds a NUL: leave it out".to_owned()));
        }
    }
    paths(&rule.paths).map_err(|why| field("paths", why))?;
    let kind = rule.kind.as_str();
    match &rule.kind {
        Kind::ApprovalChain(chain) => approval_chain(chain).map_err(|why| field(kind, why)),
        Kind::SegregationOfDuties(duties) => segregation(duties).map_err(|why| field(kind, why)),
        Kind::ResourceLimit(limit) => resource_limit(limit, rule).map_err(|why| field(kind, why)),
        Kind::TimeWindow(window) => {
            Window::of(window).map(drop).map_err(|(part, why)| field(&format!("{kind} {part}"), why))
        }
        Kind::Shape(of) => {
            super::limits::within("bytes of shapes", of.turtle.len(), SHAPE_BYTES)?;
            shape::check(rule, of).map_err(|why| field(kind, why))
        }
        Kind::Expression(condition) => Expression::compile_for(&condition.cel, &VARIABLES)
            .map(drop)
            .map_err(|why| RuleError::Expression { rule: rule.name(), why }),
        Kind::Callback(callback) => name(&callback.name).map_err(|why| field(kind, why)),
    }
}

fn name(name: &str) -> Result<(), String> {
    let fits = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    if name.is_empty() || name.len() > NAME_BYTES || !name.chars().all(fits) {
        return Err(format!(
            "{name:?} is no name: write 1 to {NAME_BYTES} letters, digits, hyphens, underscores and dots"
        ));
    }
    Ok(())
}

/// A list of names of groups or guards, whose form is their owners' affair.
fn groups(names: &[String]) -> Result<(), String> {
    count(names.len())?;
    match names.iter().find(|name| name.trim().is_empty() || name.len() > NAME_BYTES) {
        Some(name) => Err(format!("{name:?} is no name: write 1 to {NAME_BYTES} bytes")),
        None => Ok(()),
    }
}

fn count(length: usize) -> Result<(), String> {
    if length > LIST { Err(format!("{length} elements, and the limit is {LIST}: split the rule")) } else { Ok(()) }
}

fn paths(paths: &[String]) -> Result<(), String> {
    count(paths.len())?;
    for path in paths {
        if path.len() > PATH_BYTES {
            return Err(format!(
                "a path of {} bytes, and the limit is {PATH_BYTES}: name what is above it",
                path.len()
            ));
        }
        if let Some(fix) = fault(path) {
            return Err(format!("{path:?} selects nothing: {fix}"));
        }
    }
    Ok(())
}

fn approval_chain(chain: &ApprovalChain) -> Result<(), String> {
    if chain.steps.is_empty() {
        return Err("no step: name at least one, with its quorum".to_owned());
    }
    count(chain.steps.len())?;
    for step in &chain.steps {
        groups(&step.groups)?;
        if !(1..=QUORUM).contains(&step.quorum) {
            return Err(format!("a quorum of {}: ask for 1 to {QUORUM}", step.quorum));
        }
    }
    match chain.above_percent {
        Some(percent) if !(percent.is_finite() && percent >= 0.0) => {
            Err(format!("above_percent {percent}: write a number from 0 on"))
        }
        _ => Ok(()),
    }
}

fn segregation(duties: &SegregationOfDuties) -> Result<(), String> {
    groups(&duties.proposers)?;
    count(duties.exclusive.len())?;
    for set in &duties.exclusive {
        groups(set)?;
        if set.len() < 2 {
            return Err("a set of exclusive groups needs two at least".to_owned());
        }
        if (1..set.len()).any(|at| set[..at].contains(&set[at])) {
            return Err(format!("a set of exclusive groups names one twice: {}", set.join(", ")));
        }
    }
    if duties.proposer_may_approve && duties.proposers.is_empty() && duties.exclusive.is_empty() {
        return Err("it excludes nothing: leave proposer_may_approve out, or name proposers or exclusive groups".into());
    }
    Ok(())
}

fn resource_limit(limit: &ResourceLimit, rule: &Rule) -> Result<(), String> {
    let finite = |number: &Option<Number>| number.is_none_or(|number| number.to_f64().is_finite());
    if !finite(&limit.min) || !finite(&limit.max) {
        return Err("a bound that is no number: write one".to_owned());
    }
    match (limit.min, limit.max) {
        (None, None) => Err("neither min nor max: give one at least".to_owned()),
        (Some(min), Some(max)) if min.is_above(max) => Err(format!("nothing is from {min} to {max}: turn them around")),
        _ => {
            let of_parameters = matches!(limit.of, Quantity::Value | Quantity::Change | Quantity::ChangePercent);
            if of_parameters && rule.paths.is_empty() {
                return Err("no paths: name the parameters that it limits".to_owned());
            }
            Ok(())
        }
    }
}
