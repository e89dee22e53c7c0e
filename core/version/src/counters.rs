//! What the history counts, for export by name.

use std::sync::atomic::{AtomicU64, Ordering};

/// A counter: it only grows, for the life of the process.
pub struct Counter {
    /// Its name, `knhk.version.<what>`.
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

    pub(crate) fn add(&self, count: u64) {
        self.value.fetch_add(count, Ordering::Relaxed);
    }
}

pub(crate) static COMMITTED: Counter =
    Counter::new("knhk.version.committed", "{version}", "versions that became durable");
pub(crate) static LOADED: Counter = Counter::new("knhk.version.loaded", "{version}", "versions read and found whole");
pub(crate) static DAMAGED: Counter =
    Counter::new("knhk.version.damaged", "{version}", "versions read and found damaged");
pub(crate) static OTHER_CORE: Counter = Counter::new(
    "knhk.version.other_core",
    "{version}",
    "versions read that were made with another core ontology and do not conform to this one",
);
pub(crate) static PRUNED: Counter = Counter::new("knhk.version.pruned", "{version}", "versions that retention removed");

/// Every counter of the history.
pub fn counters() -> [&'static Counter; 5] {
    [&COMMITTED, &LOADED, &DAMAGED, &OTHER_CORE, &PRUNED]
}
