//! What the history of a sector tells the stages.

/// What happened in a sector before a change, as far as the stages ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The retained versions, oldest first.
    pub versions: Vec<PastVersion>,
    /// The number that the next version will have.
    pub next_number: u64,
    /// The generation in which the next version will become current, at the earliest.
    pub next_epoch: u64,
    /// Bytes of the artifacts of retained versions.
    pub memory_bytes: u64,
    /// What became current lately.
    pub changes: Vec<PastChange>,
    /// Why the version that the change starts from would not be there to go back to once the change is current; none: it is kept.
    pub lost: Option<Lost>,
}

/// Why a version is not there to go back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// What became or will become of it.
    pub what: String,
    /// What to do so that it is there.
    pub fix: String,
}

/// A retained version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastVersion {
    /// Its number.
    pub number: u64,
    /// The versions that it was made from.
    pub parents: Vec<u64>,
    /// The generation in which it became current.
    pub epoch: u64,
    /// When, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
}

/// A change that became current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastChange {
    /// When, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// How many names it touched: [`Candidate::touched`](crate::Candidate::touched).
    pub names: u64,
}
