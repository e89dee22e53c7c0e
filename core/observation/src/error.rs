//! Why something about observations was refused.

use knhk_ledger::LedgerError;
use knhk_store::StoreError;

/// Why something about observations was refused. Nothing changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObservationError {
    /// There is no such segment or observation.
    #[error("{what}")]
    NotFound {
        /// What is not there, and what is.
        what: String,
    },
    /// Retention dropped the observations: how many they were, their root and their receipt are still there.
    #[error("the observations of segment {segment} were dropped by retention; its count, root and receipt are kept")]
    Dropped {
        /// The segment.
        segment: u64,
    },
    /// A stored segment is not what was written.
    #[error("segment {segment} is damaged: {what}; verify the log, and restore it from a backup")]
    Damaged {
        /// The segment.
        segment: u64,
        /// What is wrong.
        what: String,
    },
    /// A setting that cannot be used.
    #[error("{what}")]
    Setting {
        /// Which one, and what would do.
        what: String,
    },
    /// The monitor has stopped.
    #[error("observing has ended: nothing is drained or aggregated any more")]
    Stopped,
    /// What was drained cannot be stored now; it is kept and tried again.
    #[error(
        "observations cannot be stored now ({why}); they are kept in memory and tried again, and full rings refuse more"
    )]
    Failing {
        /// What the ledger or the store said last.
        why: String,
    },
    /// The system gave no thread.
    #[error("the monitor's threads could not be started: {0}")]
    Thread(#[from] std::io::Error),
    /// The ledger refused.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}
