//! Where a promotion becomes durable before it becomes visible, and known afterwards.

use std::io;
use std::sync::Arc;

use knhk_ontology::{Document, KeyTable};

use crate::Version;

/// Keeps what a sector must not lose. Every call is durable when it returns; an error means that nothing was promoted.
pub trait Journal: Send + Sync {
    /// Appends the keys of `table` that are not written yet.
    ///
    /// # Errors
    /// What the system said.
    fn keys(&self, sector: &str, table: &KeyTable) -> io::Result<()>;

    /// Records a version; the newest recorded version is the current one.
    ///
    /// # Errors
    /// What the system said.
    fn version(&self, sector: &str, version: &Version) -> io::Result<()>;

    /// Called when an emergency rollback is current already and could not be recorded: keeps its intent where no room is needed.
    ///
    /// # Errors
    /// What the system said; a restart then does not honour the rollback.
    fn intend(&self, sector: usize, version: &Version) -> io::Result<()>;

    /// Records the declared defaults.
    ///
    /// # Errors
    /// What the system said.
    fn declared(&self, sector: &str, declared: &Document) -> io::Result<()>;

    /// Called right after the swap, before any other promotion of the engine can swap: what hangs on the order of generations
    /// happens here, and briefly.
    fn promoted(&self, sector: &str, version: &Arc<Version>);

    /// Forgets a version that the history's depth no longer holds. Failing to is harmless.
    fn prune(&self, sector: &str, version: u64);
}

/// Keeps nothing: an engine in memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoJournal;

impl Journal for NoJournal {
    fn keys(&self, _: &str, _: &KeyTable) -> io::Result<()> {
        Ok(())
    }

    fn version(&self, _: &str, _: &Version) -> io::Result<()> {
        Ok(())
    }

    fn intend(&self, _: usize, _: &Version) -> io::Result<()> {
        Ok(())
    }

    fn declared(&self, _: &str, _: &Document) -> io::Result<()> {
        Ok(())
    }

    fn promoted(&self, _: &str, _: &Arc<Version>) {}

    fn prune(&self, _: &str, _: u64) {}
}
