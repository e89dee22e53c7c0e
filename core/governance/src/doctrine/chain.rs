//! Approval chains: whose approvals complete which step.

use std::borrow::Cow;

use super::case::{Breach, Case};
use super::judge::spoken_groups;
use super::rule::{ApprovalChain, Rule, Step};
use super::touched::{Touched, number};
use crate::Need;
use crate::number::{Number, decimal};

/// The steps that lack approvals, where the change is one that needs them.
pub(super) fn breaches(
    rule: &Rule,
    chain: &ApprovalChain,
    case: &Case<'_>,
    own: &[&Touched<'_>],
    beyond: bool,
) -> Vec<Breach> {
    let why = match chain.above_percent {
        None => String::new(),
        Some(limit) => match above(limit, case, own, beyond) {
            Some(what) => format!("{what} is above {limit} %: "),
            None => return Vec::new(),
        },
    };
    let proposer = &case.facts.candidate.by;
    let mut people: Vec<(&str, Cow<'_, [String]>)> = Vec::new();
    if chain.proposer_counts {
        people.push((proposer, case.proposer_groups().into()));
    }
    for approved in case.facts.approvals {
        if approved.by != *proposer && people.iter().all(|(name, _)| *name != approved.by) {
            people.push((&approved.by, approved.groups.as_slice().into()));
        }
    }
    let counts = counts(&chain.steps, &people);
    let lacking = chain.steps.iter().zip(counts).enumerate().filter(|(_, (step, count))| *count < step.quorum);
    let breach = |(at, (step, count)): (usize, (&Step, u32))| {
        let of = if chain.steps.len() > 1 { format!("step {}, ", at + 1) } else { String::new() };
        let (missing, plural) = (step.quorum - count, if step.quorum - count == 1 { "" } else { "s" });
        let so_far = match count {
            0 => "none so far".to_owned(),
            count => format!("{count} of {} so far", step.quorum),
        };
        let from = match step.groups.as_slice() {
            [] => String::new(),
            groups => format!(" by {}", groups.join(" or ")),
        };
        Breach {
            what: format!("{why}{of}{missing} more approval{plural}{from} needed, {so_far}"),
            fix: format!("have {} approve it, other than {proposer}", spoken_groups(&step.groups)),
            need: Some(Need {
                item: rule.to_string(),
                groups: step.groups.clone(),
                approvals: count,
                quorum: step.quorum,
                not_before_ns: None,
            }),
        }
    };
    lacking.map(breach).collect()
}

/// The first thing of a change that is above a share of what it was; none where nothing is.
fn above(limit: f64, case: &Case<'_>, own: &[&Touched<'_>], beyond: bool) -> Option<String> {
    let candidate = case.facts.candidate;
    let found = own.iter().find_map(|touched| {
        let (old, new) = (touched.before(candidate), touched.after(candidate));
        let (old, new) = (old.as_ref().and_then(number), new.as_ref().and_then(number));
        match (old, new) {
            (Some(old), Some(new)) if touched.only_value => {
                let percent = percent(old, new);
                (percent > limit).then(|| format!("{} {old} → {new}, {}", touched.path, spoken_percent(percent)))
            }
            _ => Some(format!("{}, whose change is not of a number alone,", touched.path)),
        }
    });
    found.or_else(|| (beyond || own.is_empty()).then(|| "knowledge that is no parameter".to_owned()))
}

/// How far a number moves, in percent of what it was, to twelve digits.
pub(super) fn percent(old: Number, new: Number) -> f64 {
    if old == new {
        return 0.0;
    }
    let (old, new) = (old.to_f64(), new.to_f64());
    let percent = (new - old).abs() / old.abs() * 100.0;
    // From 0, or with doubles that overflow, there is no share: it counts as beyond every limit.
    if percent.is_nan() { f64::INFINITY } else { decimal(percent) }
}

pub(super) fn spoken_percent(percent: f64) -> String {
    if percent.is_infinite() { "from nothing".to_owned() } else { format!("{} %", (percent * 10.0).round() / 10.0) }
}

/// How many approvals each step has, where each person counts in one step at most and as many approvals as possible count: a maximum
/// matching by augmenting paths (H. W. Kuhn, 1955). Steps are filled in their order, and one that is filled stays so.
fn counts(steps: &[Step], people: &[(&str, Cow<'_, [String]>)]) -> Vec<u32> {
    let fits = |step: &Step, groups: &[String]| {
        step.groups.is_empty() || groups.iter().any(|group| step.groups.contains(group))
    };
    // The step that each person counts in.
    let mut place: Vec<Option<usize>> = vec![None; people.len()];
    for (at, step) in steps.iter().enumerate() {
        for _ in 0..step.quorum.min(people.len() as u32) {
            let mut seen = vec![false; people.len()];
            if !augment(at, steps, people, &fits, &mut place, &mut seen) {
                break;
            }
        }
    }
    let count = |step: usize| place.iter().filter(|at| **at == Some(step)).count() as u32;
    (0..steps.len()).map(count).collect()
}

/// Finds one more person for a step, moving others to where they fit as well.
fn augment(
    step: usize,
    steps: &[Step],
    people: &[(&str, Cow<'_, [String]>)],
    fits: &dyn Fn(&Step, &[String]) -> bool,
    place: &mut [Option<usize>],
    seen: &mut [bool],
) -> bool {
    for person in 0..people.len() {
        if seen[person] || place[person] == Some(step) || !fits(&steps[step], &people[person].1) {
            continue;
        }
        seen[person] = true;
        let free = match place[person] {
            None => true,
            Some(other) => augment(other, steps, people, fits, place, seen),
        };
        if free {
            place[person] = Some(step);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(groups: &[&str], quorum: u32) -> Step {
        Step { groups: groups.iter().map(|group| group.to_string()).collect(), quorum }
    }

    fn filled(steps: &[Step], people: &[(&str, &[&str])]) -> Vec<u32> {
        let groups = |of: &[&str]| of.iter().map(|group| group.to_string()).collect::<Vec<_>>();
        let people: Vec<_> = people.iter().map(|(name, of)| (*name, Cow::Owned(groups(of)))).collect();
        counts(steps, &people)
    }

    #[test]
    fn each_person_counts_where_most_steps_are_filled() {
        let steps = [step(&["risk", "desk"], 1), step(&["desk"], 1)];
        // The first step could be filled by either; only one of them can fill the second.
        assert_eq!(filled(&steps, &[("ada", &["desk"]), ("bob", &["risk"])]), [1, 1]);
        assert_eq!(filled(&steps, &[("ada", &["desk", "risk"])]), [1, 0]);
        assert_eq!(
            filled(&[step(&[], 2), step(&["risk"], 1)], &[("ada", &["risk"]), ("bob", &[]), ("eve", &[])]),
            [2, 1]
        );
        assert_eq!(filled(&[step(&["risk"], 3)], &[("ada", &["risk"]), ("bob", &["desk"])]), [1]);
    }

    #[test]
    fn a_number_that_was_nothing_moves_beyond_every_share() {
        assert_eq!(percent(Number::I64(200), Number::I64(150)), 25.0);
        assert_eq!(percent(Number::I64(0), Number::I64(0)), 0.0);
        assert!(percent(Number::I64(0), Number::I64(1)).is_infinite());
        assert!(percent(Number::F64(f64::MAX), Number::F64(f64::MIN)) > 1e300);
    }
}
