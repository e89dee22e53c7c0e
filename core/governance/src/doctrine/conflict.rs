//! Rules that cannot both be kept.

use super::error::Conflict;
use super::paths::lists_overlap;
use super::rule::{Enforcement, Kind, Quantity, ResourceLimit, Rule};
use super::window::Window;
use crate::number::Number;

/// How far ahead two windows are looked at, in nanoseconds: 400 days, so that each day of a year and each change of the clocks is in it.
const AHEAD_NS: u64 = 400 * 24 * 3600 * 1_000_000_000;

/// Whether a rule can stand beside those that are known over their times.
pub(super) fn admit(known: &[(u64, Option<u64>, Rule)], rule: &Rule, revision: bool) -> Result<(), Conflict> {
    let name = rule.name();
    for (from, until, other) in known {
        let other_name = other.name();
        if other_name == name {
            if !revision && overlap(rule, *from, *until).is_some() {
                return Err(Conflict {
                    rule: name,
                    other: other_name,
                    why: "there is one of this name already, valid at the same time".to_owned(),
                    fix: "revise that one, or give this one another id".to_owned(),
                });
            }
            continue;
        }
        let Some(shared) = overlap(rule, *from, *until) else { continue };
        let mandatory = |rule: &Rule| rule.enforcement != Enforcement::Advisory;
        let sectors = rule.sector.is_none() || other.sector.is_none() || rule.sector == other.sector;
        if !sectors || !mandatory(rule) || !mandatory(other) || !lists_overlap(&rule.paths, &other.paths) {
            continue;
        }
        if let Some((why, fix)) = contradiction(rule, other, shared) {
            return Err(Conflict { rule: name, other: other_name, why, fix });
        }
    }
    Ok(())
}

/// The time that a rule shares with another's: from, and until when.
fn overlap(rule: &Rule, from: u64, until: Option<u64>) -> Option<(u64, Option<u64>)> {
    let from = rule.from_ns.max(from);
    let until = [rule.until_ns, until].into_iter().flatten().min();
    until.is_none_or(|until| from < until).then_some((from, until))
}

fn contradiction(rule: &Rule, other: &Rule, shared: (u64, Option<u64>)) -> Option<(String, String)> {
    match (&rule.kind, &other.kind) {
        (Kind::ResourceLimit(left), Kind::ResourceLimit(right)) if left.of == right.of => limits(left, right),
        (Kind::TimeWindow(left), Kind::TimeWindow(right)) => {
            let (left, right) = (Window::of(left).ok()?, Window::of(right).ok()?);
            (!ever_both_open(&left, &right, shared)).then(|| {
                let why = "their windows are never open at once, so that nothing could ever change";
                (why.to_owned(), "move one of the windows, or end one rule before the other begins".to_owned())
            })
        }
        (Kind::ApprovalChain(chain), Kind::SegregationOfDuties(duties))
        | (Kind::SegregationOfDuties(duties), Kind::ApprovalChain(chain))
            if chain.proposer_counts && !duties.proposer_may_approve =>
        {
            let why = "one counts who proposes as an approver, the other forbids them to approve";
            let fix = "leave proposer_counts out and lower the quorum, or say proposer_may_approve in the other";
            Some((why.to_owned(), fix.to_owned()))
        }
        _ => None,
    }
}

/// Two limits of one quantity between which nothing lies.
fn limits(left: &ResourceLimit, right: &ResourceLimit) -> Option<(String, String)> {
    let apart = |min: Option<Number>, max: Option<Number>| Some((min?, max?)).filter(|(min, max)| min.is_above(*max));
    let (min, max) = apart(left.min, right.max).or_else(|| apart(right.min, left.max))?;
    let of = match left.of {
        Quantity::Value => "a value",
        Quantity::Change | Quantity::ChangePercent => "a change",
        _ => "a total",
    };
    let why = format!("one asks for {of} of at least {min}, the other for at most {max}");
    Some((why, "move one of the limits, or narrow the paths or the time of one rule".to_owned()))
}

/// Whether two windows are open at once at some moment of a time.
fn ever_both_open(left: &Window, right: &Window, (from, until): (u64, Option<u64>)) -> bool {
    let end = until.unwrap_or(u64::MAX).min(from.saturating_add(AHEAD_NS));
    let mut at = from;
    while at < end {
        let Some(opens) = left.next(at, true).filter(|&opens| opens < end) else { return false };
        let closes = left.next(opens, false).unwrap_or(u64::MAX).min(end);
        if right.next(opens, true).is_some_and(|open| open < closes) {
            return true;
        }
        at = closes;
    }
    false
}
