//! Why a question about the history has no answer, or a change of it was refused.

use knhk_ledger::LedgerError;
use knhk_store::StoreError;

/// Why the history refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VersionError {
    /// The ledger refused or failed, or its store did.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What is no reference to a version.
    #[error(
        "{text:?} is no reference to a version: {why}; write a number, current, ~3, a tag, 6 or more digits of a content address, \
         a moment such as 2026-11-01T09:00:00Z, or @2h for two hours ago"
    )]
    Reference {
        /// What was written.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A reference to nothing that is there.
    #[error("sector {sector}: {what}")]
    Unknown {
        /// The sector.
        sector: String,
        /// What is not there, and what is.
        what: String,
    },
    /// A reference to several versions.
    #[error("sector {sector}: {reference} may be {}; say which", candidates.join(", or "))]
    Ambiguous {
        /// The sector.
        sector: String,
        /// What was written.
        reference: String,
        /// What it may mean.
        candidates: Vec<String>,
    },
    /// A version that is not what its receipt and its content address say.
    #[error("version {number} of sector {sector} is damaged: {why}")]
    Damaged {
        /// The sector.
        sector: String,
        /// The version.
        number: u64,
        /// What does not agree.
        why: String,
    },
    /// A version that was made with another core ontology and does not conform to this library's. It is whole.
    #[error(
        "version {number} of sector {sector} was made with another core ontology ({made}…, this library has {here}…) and does not conform \
         to this one: {why}; open it with the library that made it, or promote content that conforms"
    )]
    OtherCore {
        /// The sector.
        sector: String,
        /// The version.
        number: u64,
        /// How the root of the core that it was made with begins.
        made: String,
        /// How that of this library's begins.
        here: String,
        /// What does not conform.
        why: String,
    },
    /// Records that nothing stands for, or that stand for nothing.
    #[error("the history has orphans: {what}")]
    Orphans {
        /// Which.
        what: String,
    },
    /// A tag that cannot be set.
    #[error("the tag {name:?} cannot be set: {why}")]
    Tag {
        /// Its name.
        name: String,
        /// Why not, and what can.
        why: String,
    },
    /// Two versions that cannot be merged, whatever they say.
    #[error("sector {sector}: the versions cannot be merged: {why}")]
    Unmergeable {
        /// The sector.
        sector: String,
        /// Why not.
        why: String,
    },
    /// A conflict was to be resolved that there is not.
    #[error(
        "sector {sector}: there is no conflict about {item}: merge without resolving anything to see those that there are"
    )]
    NoConflict {
        /// The sector.
        sector: String,
        /// What it would be about.
        item: String,
    },
    /// A step of a search that cannot be.
    #[error("sector {sector}: {what}")]
    Bisect {
        /// The sector.
        sector: String,
        /// What is wrong, and what to do.
        what: String,
    },
    /// Versions of several sectors that do not go together.
    #[error("the versions do not go together: {why}")]
    Clash {
        /// Which needs which, and does not get it.
        why: String,
    },
    /// The caller asked to stop.
    #[error("the operation was stopped by its caller")]
    Stopped,
}

impl From<StoreError> for VersionError {
    fn from(error: StoreError) -> VersionError {
        VersionError::Ledger(error.into())
    }
}
