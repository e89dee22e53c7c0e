//! Why a checkpoint could not be taken, kept or restored.

use crate::error::InvalidSetting;

/// Why there is no checkpoint, or no restored state.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// There is a component of that name.
    #[error("there is a component \"{0}\" already")]
    Taken(String),
    /// A name that cannot be written.
    #[error("a component's name has from 1 to 65535 bytes, and this one {0}")]
    Name(usize),
    /// A component did not save itself.
    #[error("{component} could not be saved: {why}; nothing was written, and the next checkpoint will be a full one")]
    Save {
        /// The component.
        component: String,
        /// Why, in its own words.
        why: String,
    },
    /// The states are larger than the settings allow.
    #[error("the components' states have more than {limit} bytes; raise the limit, or keep less")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// It could not be compressed, encrypted or written.
    #[error("the checkpoint could not be written: {0}")]
    Write(String),
    /// The backend failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// A setting that cannot be.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// There is no checkpoint.
    #[error("there is no checkpoint to restore")]
    Empty,
    /// There are checkpoints, and none is whole. Components that were loaded on the way may hold what they were given.
    #[error("none of the checkpoints can be restored: {}", list(.0))]
    NoneWhole(Vec<Skipped>),
}

/// A checkpoint that was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its number.
    pub number: u64,
    /// Why.
    pub why: String,
}

fn list(skipped: &[Skipped]) -> String {
    let each: Vec<String> = skipped.iter().map(|skipped| format!("{}: {}", skipped.number, skipped.why)).collect();
    each.join("; ")
}

/// Why a backend failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("checkpoints at {place} cannot be {action}: {why}")]
pub struct BackendError {
    /// Where it keeps them.
    pub place: String,
    /// What it was doing: "written", "read", …
    pub action: &'static str,
    /// What went wrong.
    pub why: String,
}
