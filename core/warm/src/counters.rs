//! Every counter of this crate.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A counter as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// `knhk.warm.…`
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
        /// The counters of an executor.
        #[derive(Debug, Default)]
        pub struct Counters {
            $(pub(crate) $field: AtomicU64,)*
        }

        impl Counters {
            /// Each counter, in a fixed order.
            pub fn read(&self) -> impl Iterator<Item = Counter> {
                [$(Counter { name: concat!("knhk.warm.", $name), unit: $unit, what: $what, value: self.$field.load(Relaxed) },)*]
                    .into_iter()
            }
        }
    };
}

counters! {
    submitted "executor.submitted" "{run}" "runs that were taken",
    refused "executor.refused" "{run}" "runs that were not taken: no place, or the executor had ended",
    done "executor.done" "{run}" "runs that came to their end",
    cancelled "executor.cancelled" "{run}" "runs that were cancelled",
    expired "executor.expired" "{run}" "runs that were dropped because their deadline had passed before they began",
    panicked "executor.panicked" "{run}" "runs that panicked",
    late "executor.late" "{run}" "runs that ended after their deadline",
    slices "executor.slices" "{slice}" "calls of a task's callback",
    overruns "executor.overruns" "{slice}" "slices that took longer than their task's budget",
    demotions "executor.demotions" "{transition}" "tasks that lost a level for overrunning again and again",
    restorations "executor.restorations" "{transition}" "tasks that got a level back",
    stolen "executor.stolen" "{run}" "runs that a thread took from another's queue",
    held "executor.held" "{turn}" "turns in which work waited because the hot path was over its budget",
    overloads "executor.overloads" "{overload}" "overloads that were announced",
}

impl Counters {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }
}
