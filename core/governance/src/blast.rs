//! The blast radius: how much may change at once, and within an hour.

use crate::mutant::{Mutant, mutated};
use crate::notes::Notes;
use crate::{Candidate, Limits, Past};

const HOUR_NS: u64 = 3600 * 1_000_000_000;

/// Looks whether a change is larger than the sector allows.
pub(crate) fn check(candidate: &Candidate, limits: &Limits, past: &Past) -> Notes {
    let mut notes = Notes::default();
    let touched = candidate.touched() as u64;
    let since = candidate.time_ns.saturating_sub(HOUR_NS);
    let recent = past.changes.iter().filter(|change| change.time_ns > since);
    let recent = recent.fold(0_u64, |names, change| names.saturating_add(change.names));
    let hour = recent.saturating_add(touched);
    notes.evidence("names", touched);
    notes.evidence("statements", candidate.delta.len());
    notes.evidence("names_in_the_hour", hour);
    // There is nothing yet that the first version could break.
    if candidate.base_version == 0 {
        return notes;
    }
    if touched > limits.max_changes && !mutated(Mutant::RadiusAtOnce) {
        let what = format!("it touches {touched} names at once; {} allows {}", candidate.sector, limits.max_changes);
        notes.blocker("blast radius", what, "split it, or raise governance/max_changes first");
    }
    if hour > limits.max_changes_per_hour {
        let most = limits.max_changes_per_hour;
        let what =
            format!("with it, {hour} names would have changed within an hour; {} allows {most}", candidate.sector);
        notes.blocker("blast radius", what, "wait, or raise governance/max_changes_per_hour first");
    }
    notes
}
