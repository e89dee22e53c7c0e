//! Durability: what the engine must not lose, behind one trait.
//!
//! A [`Store`] keeps the ledger's receipts, snapshots, the versions of sectors, tags, doctrine, items (proposals and what else is on
//! its way), observation segments, checkpoints, key tables, public keys, states of components and settings. Changes come as a [`Batch`], which is durable as a whole or not there at all: a promotion commits
//! its receipt, its snapshot, its version and its new key table lines in one.
//!
//! [`SqliteStore`] is the embedded default: one file that any SQLite tool reads while the engine runs. [`MemoryStore`] keeps nothing beyond
//! the process. The `conformance` feature holds the suite that every implementation passes.
#![forbid(unsafe_code)]

mod batch;
#[cfg(feature = "conformance")]
pub mod conformance;
mod counters;
mod error;
mod memory;
mod query;
mod record;
mod snapshot;
mod sqlite;
mod store;
mod validate;

pub use batch::{Batch, Write};
pub use counters::{Counter, counters};
pub use error::StoreError;
pub use memory::MemoryStore;
pub use query::{ReceiptQuery, SegmentQuery};
pub use record::{
    Checkpoint, Hash, Item, KeyLine, LogNode, PublicKey, Receipt, Rule, SectorRecord, Segment, Setting, Snapshot,
    State, Tag, VersionRecord,
};
pub use sqlite::{SCHEMA_VERSION, SqliteOptions, SqliteStore, restore, verify};
pub use store::{Pending, Progress, Store};
