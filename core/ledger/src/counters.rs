//! What the ledger counts, for export by name.

use std::sync::atomic::{AtomicU64, Ordering};

/// A counter: it only grows, for the life of the process.
pub struct Counter {
    /// Its name, `knhk.ledger.<what>`.
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

pub(crate) static SIGNED: Counter = Counter::new("knhk.ledger.signed", "{signature}", "signatures made");
pub(crate) static APPENDED: Counter = Counter::new("knhk.ledger.appended", "{receipt}", "receipts that became durable");
pub(crate) static LOST: Counter = Counter::new("knhk.ledger.lost", "{receipt}", "receipts that could not be stored");
pub(crate) static VERIFIED: Counter = Counter::new("knhk.ledger.verified", "{receipt}", "receipts verified");
pub(crate) static TAMPERED: Counter =
    Counter::new("knhk.ledger.tampered", "{finding}", "verifications that found something changed");

/// Every counter of the ledger.
pub fn counters() -> [&'static Counter; 5] {
    [&SIGNED, &APPENDED, &LOST, &VERIFIED, &TAMPERED]
}
