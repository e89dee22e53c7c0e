//! Where a promotion becomes durable before it becomes visible, and known afterwards.

use std::error::Error;
use std::sync::Arc;
use std::time::SystemTime;

use knhk_ontology::{Document, KeyTable};

use crate::Version;

/// Why something could not be made durable: what the journal said, for whoever knows which journal it is.
pub type JournalError = Box<dyn Error + Send + Sync>;

/// A version on its way to the journal, with what has to be durable together with it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'r> {
    /// The sector's name.
    pub sector: &'r str,
    /// The version.
    pub version: &'r Version,
    /// The sector's key table; its lines that are not written yet belong to the version.
    pub keys: &'r KeyTable,
    /// Whether it is current already: an emergency rollback.
    pub emergency: bool,
}

/// Keeps what a sector must not lose. Every call is durable when it returns; an error means that nothing of it is.
pub trait Journal: Send + Sync {
    /// Records versions of different sectors, which become current in one generation, with their keys and receipts, all or nothing; the newest
    /// recorded version of a sector is the current one. This is the commit point of a promotion. Gives the receipts' ids in the order
    /// of the records, or none at all where there are no receipts.
    ///
    /// # Errors
    /// What the journal said.
    fn versions(&self, records: &[Record<'_>]) -> Result<Vec<String>, JournalError>;

    /// Called when an emergency rollback is current already and could not be recorded: keeps its intent where no room is needed, and
    /// records it as soon as it can be.
    ///
    /// # Errors
    /// What the system said; a restart then does not honour the rollback.
    fn intend(&self, sector: usize, name: &str, version: &Arc<Version>) -> Result<(), JournalError>;

    /// Records the declared defaults with the keys that they need.
    ///
    /// # Errors
    /// What the journal said.
    fn declared(&self, sector: &str, declared: &Document, keys: &KeyTable) -> Result<(), JournalError>;

    /// Now, in nanoseconds since 1970 (UTC): what versions are dated by, for people and for as-of, never for ordering.
    fn now_ns(&self) -> u64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Called right after the swap, before any other promotion of the engine can swap: what hangs on the order of generations
    /// happens here, and briefly.
    fn promoted(&self, sector: &str, version: &Arc<Version>);
}

/// Keeps nothing: an engine in memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoJournal;

impl Journal for NoJournal {
    fn versions(&self, _: &[Record<'_>]) -> Result<Vec<String>, JournalError> {
        Ok(Vec::new())
    }

    fn intend(&self, _: usize, _: &str, _: &Arc<Version>) -> Result<(), JournalError> {
        Ok(())
    }

    fn declared(&self, _: &str, _: &Document, _: &KeyTable) -> Result<(), JournalError> {
        Ok(())
    }

    fn promoted(&self, _: &str, _: &Arc<Version>) {}
}
