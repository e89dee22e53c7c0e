//! What doctrine counts, for export by name.

use std::sync::atomic::{AtomicU64, Ordering};

/// A counter: it only grows, for the life of the process.
pub struct Counter {
    /// Its name, `knhk.doctrine.<what>`.
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

pub(super) static JUDGED: Counter = Counter::new("knhk.doctrine.judged", "{rule}", "rules that judged a change");
pub(super) static BROKEN: Counter = Counter::new("knhk.doctrine.broken", "{rule}", "mandatory rules that a change broke");
pub(super) static WARNED: Counter = Counter::new("knhk.doctrine.warned", "{rule}", "advisory rules that a change broke");
pub(super) static OVERRIDDEN: Counter =
    Counter::new("knhk.doctrine.overridden", "{rule}", "soft-mandatory rules that an approval overrode");

/// Every counter of doctrine.
pub fn counters() -> [&'static Counter; 4] {
    [&JUDGED, &BROKEN, &WARNED, &OVERRIDDEN]
}
