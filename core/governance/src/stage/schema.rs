//! The candidate conforms to its shapes and to the core's, and its limits are limits.

use knhk_ontology::shacl;

use crate::limits::MAP;
use crate::mutant::{Mutant, mutated};
use crate::names::name;
use crate::notes::Notes;
use crate::{Candidate, Limits, Severity};

pub(crate) fn schema(candidate: &Candidate) -> Notes {
    let mut notes = Notes::default();
    let report = candidate.snapshot.report();
    notes.evidence("statements", candidate.snapshot.graph().own_len());
    notes.evidence("results", report.len());
    for result in report.results() {
        let severity = match result.severity() {
            shacl::Severity::Info => Severity::Info,
            shacl::Severity::Warning => Severity::Warning,
            _ => Severity::Blocker,
        };
        let item = format!("shape {}", name(&candidate.snapshot, result.shape_term()));
        let about = name(&candidate.snapshot, result.focus_term());
        notes.add(severity, item, result.message(), format!("change what {about} says, or the shape"));
    }
    if report.truncated() {
        notes.blocker("shapes", "there are more results than a report holds", "mend those that are listed first");
    }
    limits(candidate, &mut notes);
    notes
}

/// A limit that is misspelt would limit nothing, and nobody would know.
fn limits(candidate: &Candidate, notes: &mut Notes) {
    let Some(compiled) = candidate.compiled.as_ref().filter(|_| !mutated(Mutant::LimitsUnread)) else { return };
    for wrong in Limits::read(&compiled.artifact).1 {
        notes.blocker(format!("parameter {}", wrong.path), wrong.what, wrong.fix);
    }
    let known = Limits::names();
    for difference in candidate.differences.iter().filter(|difference| difference.new.is_some()) {
        let Some(limit) = difference.path.strip_prefix(MAP).and_then(|rest| rest.strip_prefix('/')) else { continue };
        if !known.contains(&limit) {
            let what = format!("there is no limit {limit}");
            let fix = format!("there are {}", known.join(", "));
            notes.blocker(format!("parameter {}", difference.path), what, fix);
        }
    }
}
