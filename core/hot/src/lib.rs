//! The hot path: the wait-free cell and its readers, observation rings, and the flat artifact that inline reads walk.
//!
//! This is the only crate whose layout is ABI ([`layout`]). It holds all unsafe code of the read side, and its module comments are
//! the proofs of why each access is sound.

pub mod artifact;
pub mod asymmetric;
pub mod layout;
pub mod raw;

mod barrier;
mod cell;
mod clock;
mod detached;
mod error;
mod fork;
mod hold;
mod hot;
#[cfg(loom)]
#[doc(hidden)]
pub mod model;
#[cfg(any(loom, feature = "mutants"))]
#[doc(hidden)]
pub mod mutant;
#[cfg(not(any(loom, feature = "mutants")))]
mod mutant;
mod pool;
mod primitive;
mod publish;
mod reader;
mod reclaim;
mod region;
mod registry;
mod ring;
mod snapshot;

pub use barrier::BarrierChoice;
pub use clock::Clock;
pub use error::{HotError, StalledReader};
pub use hold::Hold;
pub use hot::{Hot, HotStats, Options};
pub use publish::{Change, Staged};
pub use raw::Reason;
pub use reader::{MigratableReader, Observed, Quiescent, QuiescentView, Reader, View};
pub use reclaim::Reclaimed;
pub use registry::ReaderOptions;
pub use ring::Observation;
pub use snapshot::Snapshot;
