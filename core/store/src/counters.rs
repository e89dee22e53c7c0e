//! What the store counts, for export by name.

use std::sync::atomic::{AtomicU64, Ordering};

/// A counter: it only grows, for the life of the process.
pub struct Counter {
    /// Its name, `knhk.store.<what>`.
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

pub(crate) static BATCHES: Counter = Counter::new("knhk.store.batches", "{batch}", "batches that became durable");
pub(crate) static REFUSED: Counter = Counter::new("knhk.store.refused", "{batch}", "batches that were refused");
pub(crate) static COMMITS: Counter =
    Counter::new("knhk.store.commits", "{commit}", "durable commits; batches of several callers share one");
pub(crate) static BACKUPS: Counter = Counter::new("knhk.store.backups", "{backup}", "backups that were finished");
pub(crate) static FAILURES: Counter =
    Counter::new("knhk.store.failures", "{error}", "failures of the file system or of SQLite");

/// Every counter of the store.
pub fn counters() -> [&'static Counter; 5] {
    [&BATCHES, &REFUSED, &COMMITS, &BACKUPS, &FAILURES]
}
