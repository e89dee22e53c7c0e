//! Every counter of this crate. What happens on each admitted call is not counted here: that would cost as much as the call's admission.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A counter as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// `knhk.resilience.…`
    pub name: &'static str,
    /// The unit, in the notation of UCUM.
    pub unit: &'static str,
    /// What is counted.
    pub what: &'static str,
    /// How many so far.
    pub value: u64,
}

macro_rules! counters {
    ($($field:ident $name:literal $unit:literal $what:literal,)*) => {
        /// The counters of a scope.
        #[derive(Debug, Default)]
        pub struct Counters {
            $(pub(crate) $field: AtomicU64,)*
        }

        impl Counters {
            /// Each counter, in a fixed order.
            pub fn read(&self) -> impl Iterator<Item = Counter> {
                [$(Counter { name: concat!("knhk.resilience.", $name), unit: $unit, what: $what, value: self.$field.load(Relaxed) },)*]
                    .into_iter()
            }
        }
    };
}

counters! {
    breaker_transitions "breaker.transitions" "{transition}" "state changes of circuit breakers",
    breaker_rejected "breaker.rejected" "{call}" "calls that a breaker refused",
    breaker_late "breaker.late" "{call}" "outcomes of calls that an earlier state of their breaker had admitted",
    bulkhead_rejected "bulkhead.rejected" "{call}" "calls that found no place",
    rate_rejected "rate.rejected" "{call}" "calls beyond a rate limit",
    adaptive_rejected "adaptive.rejected" "{call}" "calls beyond an adaptive limit",
    adaptive_changes "adaptive.changes" "{change}" "changes of adaptive limits",
    shed "shed" "{call}" "calls shed for their priority",
    deadline_passed "deadline.passed" "{call}" "calls whose deadline passed before they began",
    retries "retry.retries" "{attempt}" "attempts after the first",
    retry_budget_spent "retry.budget_spent" "{call}" "calls that were not tried again because the retry budget was spent",
    hedges "hedge.sent" "{attempt}" "second and later copies of hedged calls",
    fallbacks "fallback.used" "{call}" "calls that a fallback answered",
    degradation_changes "degradation.changes" "{transition}" "changes of a degradation level",
    recoveries "recovery.recovered" "{incident}" "incidents that a recovery strategy ended",
    recoveries_failed "recovery.failed" "{incident}" "incidents that no recovery strategy ended",
    chaos_failures "chaos.failures" "{call}" "failures injected on purpose",
    chaos_delays "chaos.delays" "{call}" "delays injected on purpose",
    health_changes "health.changes" "{transition}" "changes of a component's or a system's state",
    checkpoints "checkpoint.taken" "{checkpoint}" "checkpoints that were taken",
    checkpoint_bytes "checkpoint.bytes" "By" "bytes of checkpoints, as they are kept",
    checkpoints_failed "checkpoint.failed" "{checkpoint}" "checkpoints that could not be taken",
    checkpoints_restored "checkpoint.restored" "{checkpoint}" "checkpoints that were restored",
    checkpoints_skipped "checkpoint.skipped" "{checkpoint}" "checkpoints that were damaged or refused when restoring",
    checkpoints_pruned "checkpoint.pruned" "{checkpoint}" "checkpoints that were removed for their age",
    events_displaced "events.displaced" "{event}" "events that nobody fetched in time",
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, n: u64) {
        if n != 0 {
            counter.fetch_add(n, Relaxed);
        }
    }

    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }
}
