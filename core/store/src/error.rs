//! Why a store refused.

use std::path::PathBuf;

/// Why a store refused. A batch that is refused changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The batch does not continue what is stored; another writer may have been faster.
    #[error("{what}: nothing was changed; read again and retry")]
    Conflict {
        /// What does not fit, and what would.
        what: String,
    },
    /// The batch names something that is not stored.
    #[error("{what} is not stored: nothing was changed")]
    Missing {
        /// What is missing.
        what: String,
    },
    /// A value beyond what the store holds.
    #[error("{what}: nothing was changed")]
    Limit {
        /// Which value and which limit.
        what: String,
    },
    /// No room on the disk.
    #[error("the disk with {} is full: nothing was changed; free some room and retry", path.display())]
    Full {
        /// The store's file.
        path: PathBuf,
    },
    /// The file system or SQLite failed.
    #[error("{} could not be {during}: {why}", path.display())]
    Io {
        /// The store's file.
        path: PathBuf,
        /// What was being done, as a participle: "opened", "written".
        during: &'static str,
        /// What the system said.
        why: String,
    },
    /// A flush failed: what is on the disk is unknown until the store is opened again.
    #[error("the store {} refuses changes since a flush failed ({why}); close it and open it again", path.display())]
    Failed {
        /// The store's file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A file of a later version of this library.
    #[error("{} has schema {found}, this library knows up to {known}; open it with the newer library", path.display())]
    Newer {
        /// The store's file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema this library knows.
        known: u32,
    },
    /// A file of another program.
    #[error("{} is not a KNHK store (application id {found:#010x}); name another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it says it is.
        found: u32,
    },
    /// What is stored contradicts itself.
    #[error("the store is damaged: {what}; restore it from a backup")]
    Corrupt {
        /// What and where.
        what: String,
    },
    /// The place of a restored store is taken.
    #[error("{} exists already; move it away, or restore to another place", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The caller's progress callback asked to stop.
    #[error("the operation was stopped by its caller")]
    Stopped,
    /// This implementation cannot do it.
    #[error("{what} is not offered by this store: {way_out}")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
        /// What to do instead.
        way_out: &'static str,
    },
    /// The store is closed.
    #[error("the store is closed; open it again")]
    Closed,
}

impl StoreError {
    pub(crate) fn conflict(what: impl Into<String>) -> StoreError {
        StoreError::Conflict { what: what.into() }
    }

    pub(crate) fn missing(what: impl Into<String>) -> StoreError {
        StoreError::Missing { what: what.into() }
    }

    pub(crate) fn corrupt(what: impl Into<String>) -> StoreError {
        StoreError::Corrupt { what: what.into() }
    }
}
