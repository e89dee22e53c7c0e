//! Segregation of duties: who may propose, who may approve, and which groups exclude each other.

use super::case::{Breach, Case};
use super::rule::SegregationOfDuties;

/// Who holds duties that exclude each other.
pub(super) fn breaches(of: &SegregationOfDuties, case: &Case<'_>) -> Vec<Breach> {
    let (candidate, approvals) = (case.facts.candidate, case.facts.approvals);
    let mut breaches = Vec::new();
    if !of.proposers.is_empty() && !case.proposer_groups().iter().any(|group| of.proposers.contains(group)) {
        let groups = of.proposers.join(" or ");
        breaches.push(Breach::of(
            format!("{} proposes it and is not in {groups}", candidate.by),
            format!("have somebody in {groups} propose it"),
        ));
    }
    if let Some(both) = exclusive(of, case.proposer_groups()) {
        breaches.push(Breach::of(
            format!("{} proposes it and is in {both}, which exclude each other", candidate.by),
            "have somebody propose it who is in one of them",
        ));
    }
    for approved in approvals {
        breaches.extend(of_approver(of, &candidate.by, &approved.by, &approved.groups));
    }
    breaches
}

/// Why somebody may not approve what another proposes; none where they may.
pub(super) fn of_approver(of: &SegregationOfDuties, proposer: &str, by: &str, groups: &[String]) -> Option<Breach> {
    if by == proposer && !of.proposer_may_approve {
        return Some(Breach::of(
            format!("{by} proposes it and approves it"),
            format!("withdraw the approval of {by}, and have somebody else approve it"),
        ));
    }
    let both = exclusive(of, groups)?;
    Some(Breach::of(
        format!("{by} approves it and is in {both}, which exclude each other"),
        format!("withdraw the approval of {by}, and have somebody approve it who is in one of them"),
    ))
}

/// Two groups of a set that somebody is in both of: `desk and risk`.
fn exclusive(of: &SegregationOfDuties, groups: &[String]) -> Option<String> {
    of.exclusive.iter().find_map(|set| {
        let mut held = set.iter().filter(|group| groups.contains(group));
        let (first, second) = (held.next()?, held.next()?);
        Some(format!("{first} and {second}"))
    })
}
