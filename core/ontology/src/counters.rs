//! What this crate counts, for export by name.

use std::sync::atomic::{AtomicU64, Ordering};

/// A counter: it only grows, for the life of the process.
pub struct Counter {
    /// Its name, `knhk.ontology.<what>`.
    pub name: &'static str,
    /// What one is, in UCUM's form.
    pub unit: &'static str,
    /// What it means.
    pub doc: &'static str,
    value: AtomicU64,
}

impl Counter {
    const fn new(name: &'static str, unit: &'static str, doc: &'static str) -> Counter {
        Counter { name, unit, doc, value: AtomicU64::new(0) }
    }

    /// The count so far.
    pub fn value(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, count: usize) {
        self.value.fetch_add(count as u64, Ordering::Relaxed);
    }
}

pub(crate) static READ: Counter = Counter::new("knhk.ontology.read", "{text}", "texts of RDF that were read");
pub(crate) static REFUSED: Counter =
    Counter::new("knhk.ontology.refused", "{text}", "texts of RDF that were refused: ill-formed, or beyond a limit");
pub(crate) static STATEMENTS: Counter =
    Counter::new("knhk.ontology.statements", "{statement}", "statements in the texts that were read");
pub(crate) static APPLIED: Counter =
    Counter::new("knhk.ontology.applied", "{change}", "changes that were applied to a snapshot");
pub(crate) static CHANGED: Counter =
    Counter::new("knhk.ontology.changed", "{statement}", "statements that applied changes added or removed");
pub(crate) static FOREIGN: Counter = Counter::new(
    "knhk.ontology.foreign",
    "{change}",
    "changes that were refused because they concern the core or another sector",
);
pub(crate) static COMPILED: Counter =
    Counter::new("knhk.ontology.compiled", "{graph}", "graphs whose shapes were compiled");
pub(crate) static ILL_FORMED: Counter = Counter::new(
    "knhk.ontology.ill_formed",
    "{graph}",
    "graphs whose shapes were refused: ill-formed, or beyond SHACL Core",
);
pub(crate) static VALIDATED: Counter =
    Counter::new("knhk.ontology.validated", "{graph}", "graphs that were validated whole");
pub(crate) static REVALIDATED: Counter =
    Counter::new("knhk.ontology.revalidated", "{change}", "changes of which only what they concern was validated");
pub(crate) static RECOMPILED: Counter =
    Counter::new("knhk.ontology.recompiled", "{change}", "changes of which only what they touch was compiled anew");
pub(crate) static CHECKED: Counter = Counter::new(
    "knhk.ontology.checked",
    "{node}",
    "focus nodes that validations checked, for each shape that is about them",
);
pub(crate) static RESULTS: Counter =
    Counter::new("knhk.ontology.results", "{result}", "results that validations found, of any severity");

/// Every counter of this crate.
pub fn counters() -> [&'static Counter; 13] {
    [
        &READ,
        &REFUSED,
        &STATEMENTS,
        &APPLIED,
        &CHANGED,
        &FOREIGN,
        &COMPILED,
        &ILL_FORMED,
        &VALIDATED,
        &REVALIDATED,
        &RECOMPILED,
        &CHECKED,
        &RESULTS,
    ]
}
