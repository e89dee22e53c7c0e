//! What the monitor counts, for export by name.

use std::sync::atomic::{AtomicU64, Ordering};

/// A counter: it only grows, for the life of the process.
pub struct Counter {
    /// Its name, `knhk.observation.<what>`.
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

pub(crate) static DRAINED: Counter =
    Counter::new("knhk.observation.drained", "{observation}", "observations taken out of the rings");
pub(crate) static PERSISTED: Counter =
    Counter::new("knhk.observation.persisted", "{observation}", "observations that are durable under a receipt");
pub(crate) static REFUSED: Counter =
    Counter::new("knhk.observation.refused", "{observation}", "observations refused, as receipts state them");
pub(crate) static LOST: Counter =
    Counter::new("knhk.observation.lost", "{observation}", "observations drained that could not be stored");
pub(crate) static SEGMENTS: Counter =
    Counter::new("knhk.observation.segments", "{segment}", "segments that are durable under a receipt");
pub(crate) static PRUNED: Counter =
    Counter::new("knhk.observation.pruned", "{segment}", "segments whose observations retention dropped");
pub(crate) static STORED_BYTES: Counter =
    Counter::new("knhk.observation.stored", "By", "bytes of segments as they were stored, compressed");
pub(crate) static RETRIES: Counter =
    Counter::new("knhk.observation.retries", "{attempt}", "attempts to store segments again after a failure");

/// Every counter of the monitor.
pub fn counters() -> [&'static Counter; 8] {
    [&DRAINED, &PERSISTED, &REFUSED, &LOST, &SEGMENTS, &PRUNED, &STORED_BYTES, &RETRIES]
}
