//! Receipts: what happened, signed, in a log that a stranger can verify.
//!
//! Every operation leaves a [`Claims`] statement, signed as COSE_Sign1 (RFC 9052) with Ed25519. Statements are the leaves of a Merkle log
//! (RFC 9162, SHA-256); each carries its number and the hash of the one before inside what is signed. A statement's place in the log is
//! proven by a COSE receipt (RFC 9942), the log's growth by a consistency proof, its state by a checkpoint in the form of a signed note
//! (C2SP tlog-checkpoint). Observations come by the batch: one statement signs a Merkle root over them, and each can be proven alone.
//!
//! Trust begins at a [`TrustRoot`], stated when the log is created and checked at every open and every verification. Keys rotate by a
//! statement that the old and the new key sign; they can live elsewhere and sign through a callback.
//!
//! What can be found out: a changed byte, receipts in another order, a fork, an orphan, and, by whoever holds an earlier checkpoint, a
//! tail that was cut off. Without a checkpoint of one's own a whole folder that was set back cannot be told from an older one.
#![forbid(unsafe_code)]

mod bulk;
mod cbor;
mod checkpoint;
mod claims;
mod counters;
mod error;
mod evidence;
mod key;
mod ledger;
mod merkle;
mod open;
mod ranges;
mod receipt;
mod rotate;
mod statement;
mod trust;
mod verify;

pub use bulk::{ObservationProof, observations_root, prove_observation};
pub use checkpoint::Checkpoint;
pub use ciborium::Value;
pub use claims::{Claims, Outcome};
pub use counters::{Counter, counters};
pub use error::{LedgerError, Tampering};
pub use evidence::{Evidence, KINDS};
pub use key::{PublicKey, Signer};
pub use ledger::{Appended, Entry, Ledger, PendingReceipts};
pub use merkle::{Hash, leaf_hash, node_hash, verify_consistency, verify_inclusion};
pub use ranges::{parse_ranges, ranges};
pub use receipt::{ConsistencyReceipt, InclusionReceipt};
pub use statement::Statement;
pub use trust::{KeyRing, TrustRoot};
pub use verify::{Verified, VerifyOptions, VerifyProgress, verify};
