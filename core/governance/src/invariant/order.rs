//! Q1, no retrocausation: the version graph is acyclic, numbers and generations only grow, nothing takes effect before it is decided.

use std::collections::HashMap;

use super::Q1;
use crate::mutant::{Mutant, mutated};
use crate::notes::Notes;
use crate::{Candidate, Past};

const DAMAGED: &str = "verify the log (`knhk verify`): its history is not as it was written";

pub(crate) fn order(candidate: &Candidate, past: &Past, notes: &mut Notes) {
    notes.evidence("versions", past.versions.len());
    for pair in past.versions.windows(2) {
        let (one, next) = (&pair[0], &pair[1]);
        if next.number <= one.number {
            notes.blocker(Q1, format!("version {} comes after version {}", next.number, one.number), DAMAGED);
        }
        if next.epoch < one.epoch {
            let what = format!(
                "version {} became current in generation {}, and version {} before it in {}",
                next.number, next.epoch, one.number, one.epoch
            );
            notes.blocker(Q1, what, DAMAGED);
        }
    }
    next(candidate, past, notes);
    if let Some(cycle) = cycle(candidate, past) {
        let path: Vec<String> = cycle.iter().map(u64::to_string).collect();
        notes.blocker(Q1, format!("the versions come from one another in a circle: {}", path.join(" from ")), DAMAGED);
    }
    if let Some(effective) = candidate.effective_ns
        && effective < candidate.time_ns
        && !mutated(Mutant::EffectIgnored)
    {
        let early = (candidate.time_ns - effective) / 1_000_000_000;
        let what = format!("it would take effect {early} s before it is decided");
        notes.blocker(Q1, what, "give it a time that is still to come, or none");
    }
}

/// The place that the candidate takes behind what there is.
fn next(candidate: &Candidate, past: &Past, notes: &mut Notes) {
    let Some(newest) = past.versions.last() else {
        if candidate.base_version != 0 {
            let what = format!("it starts from version {}, which the history does not have", candidate.base_version);
            notes.blocker(Q1, what, "make the candidate anew from what is current");
        }
        return;
    };
    if candidate.base_version != newest.number && !mutated(Mutant::BaseIgnored) {
        let what = format!("it starts from version {}, but {} is current", candidate.base_version, newest.number);
        notes.blocker(Q1, what, "make it anew from what is current, or merge the two (`knhk merge`)");
    }
    if past.next_number <= newest.number {
        let what = format!("it would be version {} after version {}", past.next_number, newest.number);
        notes.blocker(Q1, what, DAMAGED);
    }
    if past.next_epoch <= newest.epoch {
        let what = format!("it would become current in generation {} after {}", past.next_epoch, newest.epoch);
        notes.blocker(Q1, what, DAMAGED);
    }
    if candidate.time_ns < newest.time_ns {
        // Numbers and generations order things; clocks do not.
        let back = (newest.time_ns - candidate.time_ns) / 1_000_000;
        let what = format!("the clock shows {back} ms before version {} became current", newest.number);
        notes.warning(Q1, what, "look at the machine's clock");
    }
}

/// A circle of versions, the candidate included, each of which comes from the next.
fn cycle(candidate: &Candidate, past: &Past) -> Option<Vec<u64>> {
    let own = [candidate.base_version];
    let mut parents: HashMap<u64, &[u64]> =
        past.versions.iter().map(|version| (version.number, &*version.parents)).collect();
    if candidate.base_version != 0 {
        parents.entry(past.next_number).or_insert(&own);
    }
    // Depth first, without recursion: those on the way now, and those from which no circle begins.
    let mut done: HashMap<u64, bool> = HashMap::new();
    for &start in parents.keys() {
        let mut way = vec![(start, 0)];
        while let Some((version, at)) = way.last_mut() {
            let (version, of) = (*version, parents.get(version).copied().unwrap_or_default());
            if *at == 0 && done.insert(version, false) == Some(true) {
                done.insert(version, true);
                way.pop();
                continue;
            }
            let Some(&parent) = of.get(*at) else {
                done.insert(version, true);
                way.pop();
                continue;
            };
            *at += 1;
            match done.get(&parent) {
                Some(false) => {
                    let from = way.iter().position(|(version, _)| *version == parent).unwrap_or(0);
                    let mut circle: Vec<u64> = way[from..].iter().map(|(version, _)| *version).collect();
                    circle.push(parent);
                    return Some(circle);
                }
                Some(true) => {}
                None => way.push((parent, 0)),
            }
        }
    }
    None
}
