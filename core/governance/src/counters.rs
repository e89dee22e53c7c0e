//! What governance counts, for export by name.

use std::sync::atomic::{AtomicU64, Ordering};

/// A counter: it only grows, for the life of the process.
pub struct Counter {
    /// Its name, `knhk.governance.<what>`.
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

pub(crate) static RUNS: Counter = Counter::new("knhk.governance.runs", "{run}", "changes that all stages judged");
pub(crate) static REFUSED: Counter = Counter::new("knhk.governance.refused", "{run}", "changes that a stage refused");
pub(crate) static STOPPED: Counter =
    Counter::new("knhk.governance.stopped", "{run}", "judgements that were stopped before their end");
pub(crate) static PAIRS: Counter =
    Counter::new("knhk.governance.pairs", "{pair}", "pairs of measurements, current and candidate");
pub(crate) static UNDECIDED: Counter = Counter::new(
    "knhk.governance.undecided",
    "{measurement}",
    "measurements whose time was over before they were decided",
);
pub(crate) static TESTS: Counter =
    Counter::new("knhk.governance.shadow.tests", "{test}", "assertions tested in shadows");
pub(crate) static RULES_JUDGED: Counter =
    Counter::new("knhk.governance.rules.judged", "{rule}", "doctrine rules that judged a change");
pub(crate) static RULES_BROKEN: Counter =
    Counter::new("knhk.governance.rules.broken", "{rule}", "mandatory rules that a change broke");
pub(crate) static RULES_WARNED: Counter =
    Counter::new("knhk.governance.rules.warned", "{rule}", "advisory rules that a change broke");
pub(crate) static RULES_OVERRIDDEN: Counter =
    Counter::new("knhk.governance.rules.overridden", "{rule}", "soft-mandatory rules that an approval overrode");

pub(crate) static APPROVALS_VERIFIED: Counter = Counter::new(
    "knhk.governance.approvals.verified",
    "{signature}",
    "approvers' signatures that were verified and are genuine",
);
pub(crate) static APPROVALS_REFUSED: Counter = Counter::new(
    "knhk.governance.approvals.refused",
    "{approval}",
    "approvals that were refused: malformed, forged, or not admissible",
);
pub(crate) static GUARDS_CROSSED: Counter =
    Counter::new("knhk.governance.guards.crossed", "{guard}", "guards that a change crossed");
pub(crate) static GUARDS_RELAXED: Counter =
    Counter::new("knhk.governance.guards.relaxed", "{guard}", "guards that gave way under a relaxation");

/// Every counter of governance.
pub fn counters() -> [&'static Counter; 14] {
    [
        &RUNS,
        &REFUSED,
        &STOPPED,
        &PAIRS,
        &UNDECIDED,
        &TESTS,
        &RULES_JUDGED,
        &RULES_BROKEN,
        &RULES_WARNED,
        &RULES_OVERRIDDEN,
        &APPROVALS_VERIFIED,
        &APPROVALS_REFUSED,
        &GUARDS_CROSSED,
        &GUARDS_RELAXED,
    ]
}
