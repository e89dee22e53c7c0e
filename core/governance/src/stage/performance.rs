//! The candidate is measured against what is current, in the shadow.

use std::time::Duration;

use knhk_hot::artifact::Artifact;
use knhk_hot::{Change, Hold};
use serde_json::json;

use crate::measure::{Bounds, Comparison, Decision, Lookups, Reads, Work, alone, compare, repeated};
use crate::notes::Notes;
use crate::{Candidate, Context, Limits, Stop};

/// What the measurement found: the invariants Q4 and Q5 hold it against the sector's budgets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured(pub Vec<Comparison>);

/// Typed reads; one repetition is one read.
pub(crate) const READ: &str = "read";
/// Look-ups by name; one repetition is one.
pub(crate) const LOOKUP: &str = "lookup";

impl Measured {
    /// What was found of one work.
    pub(crate) fn of(&self, name: &str) -> Option<&Comparison> {
        self.0.iter().find(|one| one.name == name)
    }
}

pub(crate) fn performance(context: &Context<'_>, limits: &Limits, stop: &Stop) -> (Notes, Option<Measured>) {
    let mut notes = Notes::default();
    let candidate = context.candidate;
    let Some(compiled) = &candidate.compiled else {
        notes.blocker("artifact", "it does not compile: there is nothing to measure", "see invariant Q2");
        return (notes, None);
    };
    let before = candidate.current.as_ref().map(|current| &*current.artifact);
    let views = shadow(context, &compiled.artifact, candidate.snapshot.id())
        .and_then(|view| Ok((before.map(|_| current(context, candidate)).transpose()?, view)));
    let (was, is) = match views {
        Ok(views) => views,
        Err(error) => {
            notes.blocker("measurement", format!("there is no shadow to measure in: {error}"), "ask again");
            return (notes, None);
        }
    };
    let bounds = Bounds {
        tolerance: limits.slowdown_percent / 100.0,
        time: Duration::from_secs_f64((limits.measure_ms / 1000.0).min(60.0)),
    };
    let artifact = &compiled.artifact;
    let changed = candidate.paths().filter_map(|path| artifact.find(&path));
    let reads = Reads::of(context.number, artifact, before.unwrap_or(artifact), changed);
    let lookups = Lookups::of(context.number, &reads, artifact);
    let mut measured = Measured::default();
    let mut one = |name: &str, each: usize, run: &Work<'_>| {
        let compared = match &was {
            Some(was) => compare(name, &mut |times| run(was, times), &mut |times| run(&is, times), bounds, stop),
            None => alone(name, &mut |times| run(&is, times)),
        };
        let mut comparison = match compared {
            Ok(comparison) => comparison,
            Err(why) => {
                let what = format!("it could not be measured: {why}");
                notes.blocker(format!("measurement {name}"), what, "mend the workload");
                return;
            }
        };
        for ns in [&mut comparison.current_ns, &mut comparison.candidate_ns, &mut comparison.candidate_p95_ns] {
            *ns /= each as f64;
        }
        note(&comparison, limits, &mut notes);
        measured.0.push(comparison);
    };
    if reads.len() > 0 {
        one(READ, reads.len(), &|view, times| Ok(repeated(times, || reads.run(view))));
        one(LOOKUP, lookups.len().max(1), &|view, times| Ok(repeated(times, || lookups.run(view))));
    }
    for workload in context.workloads {
        one(&workload.name, 1, &*workload.run);
    }
    (notes, Some(measured))
}

fn note(comparison: &Comparison, limits: &Limits, notes: &mut Notes) {
    let Comparison { name, decision, slower_percent, noise_percent, pairs, .. } = comparison;
    notes.evidence(name, json!(comparison));
    let item = format!("measurement {name}");
    let most = limits.slowdown_percent;
    match decision {
        Decision::Kept => {}
        Decision::Slower => {
            let what = format!(
                "{slower_percent:.1} % slower than what is current; {most} % are allowed ({pairs} pairs, noise {noise_percent:.1} %)"
            );
            notes.blocker(item, what, "look at what the change adds to it, or raise governance/slowdown_percent first");
        }
        Decision::Undecided => {
            let what = format!(
                "not decided within {} ms: {slower_percent:.1} % slower at the median of {pairs} pairs, noise {noise_percent:.1} %",
                limits.measure_ms
            );
            notes.blocker(item, what, "ask again when the machine is less busy, or raise governance/measure_ms first");
        }
        Decision::Stopped => notes.blocker(item, "it was stopped before it was decided", "ask again"),
    }
}

/// A root with the candidate alone.
fn shadow(
    context: &Context<'_>,
    artifact: &std::sync::Arc<Artifact>,
    snapshot_id: [u8; 32],
) -> Result<Hold, knhk_hot::HotError> {
    let epoch = context.history.next_epoch.max(1);
    let change = Change { sector: context.number as usize, artifact: artifact.clone(), snapshot_id, ready: true };
    context.hot.detached(epoch, &[(change, epoch)])
}

/// A root with what is current alone: both are of the same kind.
fn current(context: &Context<'_>, candidate: &Candidate) -> Result<Hold, knhk_hot::HotError> {
    let compiled = candidate.current.as_ref().expect("asked only where there is one");
    shadow(context, &compiled.artifact, candidate.base.id())
}
