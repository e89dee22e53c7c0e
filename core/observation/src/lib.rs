//! Observations: what programs record beside their decisions, added up and kept.
//!
//! A [`Monitor`] takes observations out of the readers' rings. They are added up by sector, key and kind ([`Series`]), compared with the
//! service level objectives that the sector's ontology declares ([`ObjectiveState`]), and kept: 64 bytes each ([`Record`]), in segments that
//! become durable together with one signed receipt over their Merkle root. Each single one can be proven to whoever holds the log's trust
//! root ([`prove`]). Retention drops observations; how many they were, their root and their receipt stay.
//!
//! Nothing is lost in silence. What a full ring refuses is counted, and the next receipt states how many they were; what cannot be stored is
//! kept in bounded memory and tried again, while rings fill and refuse. What was drained and is not under a receipt yet is lost in a crash,
//! and nothing else: [`Monitor::flush`] returns when there is none.
#![forbid(unsafe_code)]

mod aggregates;
mod counters;
mod drainer;
mod error;
mod kinds;
mod monitor;
mod objective;
mod read;
mod record;
mod retention;
mod schema;
mod sealer;
mod settings;
mod stats;
mod trial;
mod window;

pub use aggregates::{Aggregates, Series};
pub use counters::{Counter, counters};
pub use error::ObservationError;
pub use kinds::Kinds;
pub use monitor::{Busy, Knowledge, Monitor};
pub use objective::ObjectiveState;
pub use read::{check_segment, prove, record, records};
pub use record::{RECORD_BYTES, Record};
pub use schema::{Aggregate, Bound, Kind, Objective, OnMissingData, Recorded, Schema};
pub use settings::{Retention, Settings};
pub use stats::ObserveStats;
pub use trial::{Arm, Arms, Trial};
pub use window::{Counts, Figures, QUANTILE_ERROR, Sum};
