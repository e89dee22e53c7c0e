//! The engine: the one facade that every binding stands on.
//!
//! An [`Engine`] holds sectors; a sector holds typed values under names. A thread registers a [`Reader`] once and opens a
//! [`View`] for each decision; a [`Key`] that was interned once reads its value in about a nanosecond. Beside the readers, documents are
//! promoted and rolled back, changes announced, observations drained; none of that ever makes a reader wait.
//!
//! ```
//! use knhk_engine::{Engine, Options, Origin, ReaderOptions, SectorKind};
//!
//! let engine = Engine::open(":memory:", Options::default())?;
//! engine.create_sector("orders", SectorKind::Direct)?;
//! engine.promote_json("orders", r#"{"max_qty": {"$value": 1000, "$min": 1, "$max": 5000, "$unit": "lots"}}"#, Origin::default())?;
//!
//! let max_qty = engine.key::<i64>("orders", "max_qty")?; // once: a misspelt name fails here
//! let reader = engine.register_reader(ReaderOptions::default())?; // once per thread
//! let view = reader.view();
//! assert_eq!(max_qty.get(&view, 0), 1000);
//! # Ok::<(), knhk_engine::Error>(())
//! ```
#![forbid(unsafe_code)]

mod as_of;
pub mod autonomic;
mod backup;
mod bind;
mod change;
mod checkpoints;
mod conflicts;
pub mod control;
mod durable;
mod emergency;
mod engine;
mod error;
mod executors;
mod folder;
pub mod governance;
mod info;
mod inspect;
mod intern;
mod joint;
mod key;
mod knowledge;
mod observe;
mod options;
mod own;
mod promote;
mod proof;
mod published;
mod receipts;
mod records;
mod recover;
mod resilience;
mod status;
mod subscribe;
mod time;
mod trust;
mod typed;
mod versions;
mod warm;

pub use backup::{RestoreOptions, restore};
pub use change::Change;
pub use checkpoints::checkpoint_error;
pub use conflicts::Conflict;
pub use engine::Engine;
pub use error::Error;
pub use executors::ExecutorInfo;
pub use info::{KeyInfo, SectorInfo, Stats, VersionInfo};
pub use key::{Class, Key, Named, Typed};
pub use knhk_hot::layout::{Key as RawKey, Outcome, Tag};
pub use knhk_hot::{
    Hold, MigratableReader, Observation, Observed, Quiescent, Reader, ReaderOptions, Reason, Snapshot, View,
};
pub use knhk_ledger::{PublicKey, Signer};
pub use knhk_macros::PromotionSafe;
pub use knhk_observation::Settings as Observations;
pub use knhk_ontology::rdf::Format;
pub use knhk_ontology::shacl::{Report, Severity, ValidationResult};
pub use knhk_ontology::{Core, Difference, ValueType};
pub use knhk_promotion::typed::{Bound, FieldError, Unfit};
pub use knhk_promotion::{Origin, Phases, PromotionSafe, SectorKind, cost};
pub use knhk_store::{Progress, ReceiptQuery, SegmentQuery};
pub use knhk_version::{AsOf, LogEntry, Retention};
pub use observe::{ObservationInfo, ObservationProof, SegmentInfo};
pub use options::{Log, LogFn, Options};
pub use proof::{Proof, StatementDiff};
pub use receipts::{
    ReceiptInfo, SigningKey, Verified, VerifyOptions, VerifyProgress, check_observation, check_receipt,
};
pub use resilience::{PolicyInfo, policy_document};
pub use status::Status;
pub use subscribe::{Level, Subscription};
pub use typed::{Keyed, Keys, Map};
pub use versions::{LogQuery, TagInfo};

/// What observations are, and what is computed of them.
pub mod observation {
    pub use knhk_observation::{
        Aggregate, Bound, Counts, Figures, Kind, Objective, ObjectiveState, ObserveStats, OnMissingData,
        QUANTILE_ERROR, RECORD_BYTES, Record, Recorded, Retention, Series,
    };
}

/// What [`bind!`] calls.
#[doc(hidden)]
pub use bind::__bind;

/// What the derived code names.
#[doc(hidden)]
pub mod __derive {
    pub use knhk_promotion::PromotionSafe;
    pub use knhk_promotion::typed::*;

    pub use crate::Error;
    pub use crate::typed::{Keyed, Names};
}

/// What this library calls itself: its semantic version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
