//! Q4, service levels: what was measured in the shadow keeps the sector's budgets. Q5, resources: memory, processor time and tail latency do.

use super::{Q4, Q5};
use crate::notes::Notes;
use crate::stage::{LOOKUP, Measured, READ, Way};
use crate::{Candidate, Limits, Past};

pub(crate) fn budgets(measured: Option<&Measured>, way: Option<&Way>, limits: &Limits, notes: &mut Notes) {
    let (Some(measured), Some(way)) = (measured, way) else {
        notes.blocker(
            Q4,
            "nothing was measured, so no budget is known to be kept",
            "see the stages performance and rollback",
        );
        return;
    };
    if let Some(reads) = measured.of(READ) {
        notes.evidence("read_ns", reads.candidate_ns);
        budget(notes, Q4, "a read", reads.candidate_ns, "ns", limits.read_budget_ns, "read_budget_ns");
    }
    if let Some(lookups) = measured.of(LOOKUP) {
        notes.evidence("lookup_ns", lookups.candidate_ns);
        budget(notes, Q4, "a look-up by name", lookups.candidate_ns, "ns", limits.lookup_budget_ns, "lookup_budget_ns");
    }
    let elapsed = way.elapsed_ns as f64 / 1e6;
    notes.evidence("apply_ms", elapsed);
    budget(notes, Q4, "applying and compiling", elapsed, "ms", limits.apply_budget_ms, "apply_budget_ms");
}

pub(crate) fn resources(
    candidate: &Candidate,
    past: &Past,
    measured: Option<&Measured>,
    way: Option<&Way>,
    limits: &Limits,
    notes: &mut Notes,
) {
    if let Some(compiled) = &candidate.compiled {
        let bytes = (compiled.artifact.bytes() as u64).saturating_add(past.memory_bytes);
        notes.evidence("memory_bytes", bytes);
        if bytes > limits.memory_bytes {
            let what = format!("the artifact and its history take {bytes} bytes; {} are allowed", limits.memory_bytes);
            notes.blocker(Q5, what, "retain fewer versions, make it smaller, or raise governance/memory_bytes first");
        }
    }
    let (Some(measured), Some(way)) = (measured, way) else {
        notes.blocker(
            Q5,
            "nothing was measured, so no bound is known to be kept",
            "see the stages performance and rollback",
        );
        return;
    };
    let cpu = way.cpu_ns as f64 / 1e6;
    notes.evidence("cpu_ms", cpu);
    budget(
        notes,
        Q5,
        "the processor's time for applying and compiling",
        cpu,
        "ms",
        limits.cpu_budget_ms,
        "cpu_budget_ms",
    );
    if let Some(reads) = measured.of(READ) {
        notes.evidence("read_p95_ns", reads.candidate_p95_ns);
        budget(notes, Q5, "a read in the tail", reads.candidate_p95_ns, "ns", limits.tail_budget_ns, "tail_budget_ns");
    }
}

fn budget(notes: &mut Notes, item: &str, whose: &str, is: f64, unit: &str, most: f64, limit: &str) {
    if is > most {
        let what = format!("{whose} takes {is:.1} {unit}; {most} {unit} are allowed");
        notes.blocker(item, what, format!("look at what the change adds to it, or raise governance/{limit} first"));
    }
}
