//! A version: one entry of a sector's history.

use std::sync::{Arc, OnceLock};

use knhk_hot::artifact::Artifact;
use knhk_ontology::{Compiled, Difference, Document, Snapshot, diff};

/// Who asks for a change, why, and whether it may break keys that programs hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Who: a person, a rule, a program.
    pub by: String,
    /// Why, in a sentence.
    pub why: String,
    /// Declares a major version: interned keys may be dropped or retyped.
    pub major: bool,
    /// The other version that it came from, where it is a merge.
    pub merges: Option<u64>,
    /// The versions of other sectors that it needs; none: what the version before it needs. A rollback needs what the version that it brings
    /// back needs.
    pub depends: Option<Vec<(String, u64)>>,
}

/// What each phase of a promotion took, in nanoseconds of a monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// Text to document.
    pub parse_ns: u64,
    /// Waiting for other promotions of the sector, and the compatibility check.
    pub verify_ns: u64,
    /// Document to a verified artifact.
    pub compile_ns: u64,
    /// Making it durable; 0 in memory.
    pub journal_ns: u64,
    /// Building the new root and publishing it.
    pub swap_ns: u64,
}

impl Phases {
    /// All phases together, in nanoseconds.
    pub fn total_ns(&self) -> u64 {
        self.parse_ns + self.verify_ns + self.compile_ns + self.journal_ns + self.swap_ns
    }
}

/// A snapshot that was current at some time, and how it became so. Immutable.
#[derive(Clone, Debug)]
pub struct Version {
    /// Counts the sector's promotions and rollbacks from 1; never re-used.
    pub number: u64,
    /// The content address of the snapshot.
    pub snapshot_id: [u8; 32],
    /// The generation of all sectors in which it became current.
    pub epoch: u64,
    /// When, in nanoseconds since the Unix epoch; for people, never for ordering.
    pub time_ns: u64,
    /// Who and why.
    pub origin: Origin,
    /// The version whose content this one brings back.
    pub rollback_of: Option<u64>,
    /// The version that it took the place of.
    pub parent: Option<u64>,
    /// The id of its receipt, once there is one.
    pub receipt: OnceLock<String>,
    /// Ids of receipts that its own points to: of its validation.
    pub links: Vec<String>,
    /// What each phase took.
    pub phases: Phases,
    /// The knowledge that it took the place of, if there was any.
    pub before: Option<Arc<Snapshot>>,
    /// The knowledge itself.
    pub snapshot: Arc<Snapshot>,
    /// Its compiled form.
    pub compiled: Arc<Compiled>,
}

impl Version {
    /// What inline code reads.
    pub fn artifact(&self) -> &Arc<Artifact> {
        &self.compiled.artifact
    }

    /// What programs read of the snapshot, as a document; computed when first asked for.
    pub fn document(&self) -> &Document {
        self.snapshot.document().expect("a version was sound before it became current")
    }

    /// What changed against the version before, path by path. Computed when asked for: it costs more than the promotion.
    pub fn differences(&self) -> Vec<Difference> {
        differences(self.before.as_deref(), &self.snapshot)
    }
}

/// What a version's snapshot changed against the one before, path by path.
pub fn differences(before: Option<&Snapshot>, snapshot: &Snapshot) -> Vec<Difference> {
    let sound = "a version was sound before it became current";
    match before {
        Some(before) => snapshot.differences(before).expect(sound),
        None => diff(&Document::default(), snapshot.document().expect(sound)),
    }
}
