//! Promotion: how a document becomes what every reader sees, and how a sector goes back.
//!
//! A [`Sector`] owns its key table and its retained [`Version`]s. A promotion moves through three types, and only forwards:
//!
//! ```text
//! Promotion<Preparing>  --verify-->  Promotion<Ready> + Verified  --promote(Guard)-->  Promotion<Promoted>
//!    parsed content                    compiled, linked, compatible;                     current, journalled,
//!    no lock is held                   the sector is locked                              in the history
//! ```
//!
//! The steps out of order do not compile, and a [`Guard`] is made from the [`Verified`] token alone, which only `verify` hands out. Into a
//! governed sector nothing new comes without a [`Passed`] besides, which is read from the signed receipt of its validation.
//! Promotions of one sector are serialised by the sector's lock, which no reader ever takes. [`Together`] takes several sectors through the same
//! stages at once.
#![forbid(unsafe_code)]

pub mod cost;
pub mod typed;

mod content;
mod error;
mod journal;
mod locked;
mod passed;
mod prepare;
mod publish;
mod sector;
mod stage;
mod together;
mod version;

pub use content::{Content, Json, Statements};
pub use error::PromotionError;
pub use journal::{Journal, JournalError, NoJournal, Record};
pub use locked::Locked;
pub use passed::Passed;
pub use prepare::Step;
pub use sector::{Sector, SectorKind, State};
pub use stage::{Guard, Preparing, Promoted, Promotion, Ready, Verified};
pub use together::{Part, Together};
pub use typed::PromotionSafe;
pub use version::{Origin, Phases, Version, differences};
