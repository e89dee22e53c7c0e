//! What the loop counts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// A counter of this process.
pub(crate) struct Counter {
    name: &'static str,
    value: AtomicU64,
}

impl Counter {
    const fn new(name: &'static str) -> Counter {
        Counter { name, value: AtomicU64::new(0) }
    }

    pub(crate) fn add(&self, by: u64) {
        self.value.fetch_add(by, Ordering::Relaxed);
    }
}

/// Turns.
pub(crate) static TURNS: Counter = Counter::new("knhk.loop.turns");
/// Records that were sorted into samples.
pub(crate) static RECORDS: Counter = Counter::new("knhk.loop.records");
/// Patterns that were found.
pub(crate) static PATTERNS: Counter = Counter::new("knhk.loop.patterns");
/// Cycles that began.
pub(crate) static CYCLES: Counter = Counter::new("knhk.loop.cycles");
/// Cycles whose change is current, or was.
pub(crate) static PROMOTED: Counter = Counter::new("knhk.loop.promoted");
/// Cycles whose change was taken back.
pub(crate) static ROLLED_BACK: Counter = Counter::new("knhk.loop.rolled_back");
/// Cycles whose change was refused.
pub(crate) static REFUSED: Counter = Counter::new("knhk.loop.refused");
/// Times that hooks did not hear of a phase.
pub(crate) static HOOKS_SKIPPED: Counter = Counter::new("knhk.loop.hooks_skipped");
/// Callbacks that panicked, failed or were late.
pub(crate) static CALLBACKS_FAILED: Counter = Counter::new("knhk.loop.callbacks_failed");

/// All of them, by name; of this process, all engines together.
pub(crate) fn counters() -> BTreeMap<String, u64> {
    let all =
        [&TURNS, &RECORDS, &PATTERNS, &CYCLES, &PROMOTED, &ROLLED_BACK, &REFUSED, &HOOKS_SKIPPED, &CALLBACKS_FAILED];
    all.into_iter().map(|counter| (counter.name.to_owned(), counter.value.load(Ordering::Relaxed))).collect()
}
