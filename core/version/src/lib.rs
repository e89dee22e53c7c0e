//! The history of sectors: which versions there were, which receipt stands for each, and how to get any of them back.
//!
//! A [`History`] reads and writes what a ledger's store keeps: a version is committed together with its receipt, its snapshot and its key
//! table lines in one batch; what is loaded is checked against the receipt's signature and its content address. Versions have names (tags)
//! and one way to be referred to ([`Reference`]). Retention removes old versions and never the receipts, so that the chain stays whole.
#![forbid(unsafe_code)]

mod as_of;
mod bisect;
mod blame;
mod commit;
mod counters;
mod dependencies;
mod error;
mod history;
mod lineage;
mod load;
mod log;
mod merge;
mod needs;
mod orphans;
mod reference;
mod retention;
mod tags;
mod verify;

pub use as_of::AsOf;
pub use bisect::{Bisect, Culprit, Step, Trial};
pub use blame::{BlameOf, Blamed};
pub use commit::{KeyLines, NewVersion, Refused};
pub use counters::{Counter, counters};
pub use dependencies::Versions;
pub use error::VersionError;
pub use history::History;
pub use lineage::Change;
pub use log::LogEntry;
pub use merge::{Conflict, Merge, Merged, Resolved, Side, three_way};
pub use orphans::Orphans;
pub use reference::{Reference, named};
pub use retention::Retention;
pub use verify::{VersionsProgress, VersionsVerified};
