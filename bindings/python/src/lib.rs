//! The extension module under the `knhk` package for Python.
//!
//! It stands on the engine's crate, not on the C ABI. What costs nanoseconds (a typed read, a guard check, an observation) stays
//! attached to the interpreter and allocates its result only; what may take time runs detached ([`error::detached`]), so that no
//! thread of the engine which waits for the interpreter can wait for a thread that waits for the engine.

mod autonomic;
mod callable;
mod callbacks;
mod engine;
mod error;
mod functions;
mod governance;
mod history;
mod key;
mod knowledge;
mod ledger;
mod map;
mod observations;
mod observe;
mod options;
mod reader;
mod records;
mod resilience;
mod sector;
mod shared;
mod signer;
mod value;
mod versions;
mod view;
mod warm;

/// `knhk._knhk`.
// Free threading is declared: every class is frozen, and what changes inside is atomic or behind a lock that is never held while
// Python code runs.
#[pyo3::pymodule(gil_used = false)]
mod _knhk {
    use pyo3::prelude::*;
    use pyo3::types::PyModule;

    #[pymodule_export]
    use crate::autonomic::{add_detector, add_hook, add_proposer, remove_detector, remove_hook, remove_proposer};
    #[pymodule_export]
    use crate::callbacks::{Subscription, after_fork_in_child, end_callbacks};
    #[pymodule_export]
    use crate::engine::Engine;
    #[pymodule_export]
    use crate::functions::{set_condition, set_function, set_workload, unset};
    #[pymodule_export]
    use crate::governance::{govern, govern_offline, render_report};
    #[pymodule_export]
    use crate::history::{LogEntry, Tag, as_of, log, resolve, tag, tags, untag};
    #[pymodule_export]
    use crate::key::KeyBase;
    #[pymodule_export]
    use crate::knowledge::{IdentifierConflict, Report, StatementDiff, ValidationResult, verify_proof};
    #[pymodule_export]
    use crate::ledger::{
        Progress, Receipt, SigningKey, Verified, as_of_moment, backup, checkpoint, prove_consistency, prove_receipt,
        prune, receipt, receipts, restore, rotate_key, signing_keys, trust_root, verify,
    };
    #[pymodule_export]
    use crate::map::Map;
    #[pymodule_export]
    use crate::observations::{
        Aggregate, Counts, Figures, KeptObservation, Objective, ObserveStats, Segment, aggregates, flush_observations,
        objectives, observations, observe_stats, prove_observation, segments, verify_observation,
    };
    #[pymodule_export]
    use crate::records::{KeyInfo, Observation, SectorInfo, Stats};
    #[pymodule_export]
    use crate::resilience::{
        CheckpointsBase, ComponentReport, HealthReport, HedgedCall, KeptCheckpoint, Listener, Parameter, Permit,
        PolicyBase, PolicyInfo, RestoredCheckpoint, ScopeBase, TakenCheckpoint, policies, remove_policy, retry_after,
    };
    #[pymodule_export]
    use crate::sector::Sector;
    #[pymodule_export]
    use crate::signer::Signer;
    #[pymodule_export]
    use crate::versions::{Change, Difference, Phases, Version};
    #[pymodule_export]
    use crate::view::View;
    #[pymodule_export]
    use crate::warm::{ChannelBase, ChannelWaker, ExecutorBase, GraphBase, Run, TaskBase, Ticket, executors};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", knhk_engine::VERSION)?;
        module.add("Key", crate::callable::key_type(module.py())?)
    }
}
