//! Why the ledger refused, and what was tampered with.

use std::path::PathBuf;

use knhk_store::StoreError;

/// Why the ledger refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored is not what was signed.
    #[error("the log was tampered with: {0}")]
    Tampered(#[from] Tampering),
    /// Bytes that are no statement, receipt, proof, checkpoint or key.
    #[error("this is no {what}: {why}")]
    Malformed {
        /// What it was to be.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A proof that does not show what it is to show.
    #[error("the proof does not hold: {why}")]
    Unproven {
        /// What does not agree.
        why: String,
    },
    /// A key file that cannot be used.
    #[error("the key file {} {why}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// Whoever signs for us did not.
    #[error("the signature could not be made: {why}")]
    Signing {
        /// What was said, and what to do.
        why: String,
    },
    /// Nothing signs here.
    #[error("the ledger was opened without a signing key; open it with one to change anything")]
    ReadOnly,
    /// A ledger is there already, or none is.
    #[error("{why}")]
    State {
        /// What is the case, and what to do.
        why: String,
    },
    /// Beyond a limit.
    #[error("{what}")]
    Limit {
        /// What, and the limit.
        what: String,
    },
    /// The caller's progress callback asked to stop.
    #[error("the verification was stopped by its caller")]
    Stopped,
    /// A panic under the ledger's lock: its state is unknown.
    #[error("a change of the ledger panicked; open it again")]
    Poisoned,
}

impl LedgerError {
    pub(crate) fn malformed(what: &'static str, why: impl Into<String>) -> LedgerError {
        LedgerError::Malformed { what, why: why.into() }
    }

    pub(crate) fn unproven(why: impl Into<String>) -> LedgerError {
        LedgerError::Unproven { why: why.into() }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Tampering {
    /// A receipt whose bytes are not those that were signed, or whose row says something else than they do.
    #[error("receipt {number} was changed: {what}")]
    Changed {
        /// Its place.
        number: u64,
        /// What does not agree.
        what: String,
    },
    /// A receipt at another place than its own.
    #[error("receipt {number} was moved: it was signed as number {says}")]
    Reordered {
        /// Where it stands.
        number: u64,
        /// Where it belongs.
        says: u64,
    },
    /// A receipt that does not follow the one before.
    #[error("receipt {number} is an orphan: the receipt that it was signed to follow is not the one before it")]
    Orphan {
        /// Its place.
        number: u64,
    },
    /// A receipt that is missing.
    #[error("receipt {number} is missing, and later ones are there")]
    Gap {
        /// Its place.
        number: u64,
    },
    /// A receipt signed by a key that may not, or of another log.
    #[error("receipt {number} is not this log's: {what}")]
    Foreign {
        /// Its place.
        number: u64,
        /// Whose it is.
        what: String,
    },
    /// A first receipt or key that is not the trust root.
    #[error("the log does not begin at the trust root: {what}")]
    Root {
        /// What does not agree.
        what: String,
    },
    /// Two histories that were both signed.
    #[error("the log was forked: its first {size} receipts are not those that a signed checkpoint covers")]
    Fork {
        /// How many receipts the checkpoint covers.
        size: u64,
    },
    /// Receipts that a checkpoint covers and that are gone.
    #[error("the log's tail was cut off: a checkpoint covers {signed} receipts, and {size} are there")]
    CutTail {
        /// How many the checkpoint covers.
        signed: u64,
        /// How many there are.
        size: u64,
    },
    /// A checkpoint that is stored and not valid.
    #[error("the checkpoint over {size} receipts was changed: {what}")]
    Checkpoint {
        /// How many receipts it covers.
        size: u64,
        /// What does not agree.
        what: String,
    },
    /// A stored hash of the log that is not the receipts'.
    #[error("the log's stored hash {position} of level {level} was changed")]
    Node {
        /// Its level.
        level: u8,
        /// Its position.
        position: u64,
    },
    /// A public key that is stored and was not introduced by a receipt.
    #[error("signing key {number} was changed: {what}")]
    Key {
        /// Which key.
        number: u64,
        /// What does not agree.
        what: String,
    },
    /// Observations that are not those that were signed.
    #[error("observation segment {segment} was changed: {what}")]
    Observations {
        /// The segment.
        segment: u64,
        /// What does not agree.
        what: String,
    },
    /// A version that no receipt stands for, or another than the one that it names.
    #[error("version {number} of sector {sector} is an orphan: {what}")]
    Version {
        /// The sector.
        sector: String,
        /// The version.
        number: u64,
        /// What does not agree.
        what: String,
    },
}
