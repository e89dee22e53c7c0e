//! Figures of a candidate by name, which boundaries may be about.

use std::collections::BTreeMap;

use crate::stage::{Measured, Way};
use crate::{Candidate, Past};

/// The figures that every change has, where they could be measured. Each workload `w` adds `w_ns`, `w_p95_ns` and `w_slower_percent`.
pub const FIGURES: [&str; 12] = [
    "read_ns",
    "read_p95_ns",
    "read_slower_percent",
    "lookup_ns",
    "lookup_p95_ns",
    "lookup_slower_percent",
    "apply_ms",
    "cpu_ms",
    "artifact_bytes",
    "memory_bytes",
    "names",
    "statements",
];

/// Those of a candidate.
pub(crate) fn figures(
    candidate: &Candidate,
    measured: Option<&Measured>,
    way: Option<&Way>,
    past: &Past,
) -> BTreeMap<String, f64> {
    let mut figures = BTreeMap::new();
    for one in measured.iter().flat_map(|measured| &measured.0) {
        figures.insert(format!("{}_ns", one.name), one.candidate_ns);
        figures.insert(format!("{}_p95_ns", one.name), one.candidate_p95_ns);
        figures.insert(format!("{}_slower_percent", one.name), one.slower_percent);
    }
    let mut also = |name: &str, value: f64| _ = figures.insert(name.to_owned(), value);
    if let Some(way) = way {
        also("apply_ms", way.elapsed_ns as f64 / 1e6);
        also("cpu_ms", way.cpu_ns as f64 / 1e6);
    }
    if let Some(compiled) = &candidate.compiled {
        let bytes = compiled.artifact.bytes() as f64;
        also("artifact_bytes", bytes);
        also("memory_bytes", bytes + past.memory_bytes as f64);
    }
    also("names", candidate.touched() as f64);
    also("statements", candidate.delta.len() as f64);
    figures
}
