//! What an engine tells about itself: sectors, keys, versions, figures.

use std::sync::Arc;

use knhk_hot::HotStats;
use knhk_ontology::{Difference, Leaf, ValueType};
use knhk_promotion::{Origin, Phases, SectorKind, Version};

/// A sector, as enumerated.
#[derive(Clone, Debug)]
pub struct SectorInfo {
    /// Its name.
    pub name: String,
    /// How its changes are admitted.
    pub kind: SectorKind,
    /// Whether a version was promoted.
    pub ready: bool,
    /// The current version's number, 0 before the first promotion.
    pub version: u64,
    /// The current version's content address, zero before the first promotion.
    pub snapshot_id: [u8; 32],
    /// The generation in which it became current.
    pub epoch: u64,
    /// How many values the current document has.
    pub keys: usize,
}

/// A key, as enumerated.
#[derive(Clone, Debug)]
pub struct KeyInfo {
    /// Its path in the sector.
    pub name: String,
    /// Its type.
    pub value_type: ValueType,
    /// The unit of the value, where the document states one.
    pub unit: Option<String>,
    /// What it means, where the document says so.
    pub doc: Option<String>,
    /// The value and its range as people write them: `1000 lots   (1 … 5000)`.
    pub display: String,
}

impl From<Leaf<'_>> for KeyInfo {
    fn from(leaf: Leaf<'_>) -> KeyInfo {
        KeyInfo {
            display: leaf.to_string(),
            value_type: leaf.value_type,
            unit: leaf.unit.map(str::to_owned),
            doc: leaf.doc.map(str::to_owned),
            name: leaf.path,
        }
    }
}

/// An entry of a sector's history.
#[derive(Clone, Debug)]
pub struct VersionInfo {
    /// Counts the sector's promotions and rollbacks from 1.
    pub version: u64,
    /// The content address.
    pub snapshot_id: [u8; 32],
    /// The generation of all sectors in which it became current.
    pub epoch: u64,
    /// When, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// Who and why.
    pub origin: Origin,
    /// The version whose content this one brings back.
    pub rollback_of: Option<u64>,
    /// The version that it took the place of.
    pub parent: Option<u64>,
    /// The id of its receipt; none in memory without a signer, and while an emergency rollback could not be recorded yet.
    pub receipt: Option<String>,
    /// What each phase took.
    pub phases: Phases,
    source: Arc<Version>,
}

impl VersionInfo {
    /// What changed against the version before, path by path. Computed when asked for: it costs more than a promotion.
    pub fn differences(&self) -> Vec<Difference> {
        self.source.differences()
    }
}

impl From<&Arc<Version>> for VersionInfo {
    fn from(version: &Arc<Version>) -> VersionInfo {
        VersionInfo {
            version: version.number,
            snapshot_id: version.snapshot_id,
            epoch: version.epoch,
            time_ns: version.time_ns,
            origin: version.origin.clone(),
            rollback_of: version.rollback_of,
            parent: version.parent,
            receipt: version.receipt.get().cloned(),
            phases: version.phases,
            source: version.clone(),
        }
    }
}

/// Figures of an engine since it was opened.
#[derive(Clone, Debug)]
pub struct Stats {
    /// Sectors.
    pub sectors: u64,
    /// Promotions that became current, rollbacks included.
    pub promotions: u64,
    /// Promotions and rollbacks that were refused.
    pub refused: u64,
    /// Changes that subscribers missed because they fell behind.
    pub missed_changes: u64,
    /// Stored versions that were damaged and passed over when the engine was opened.
    pub damaged_versions: u64,
    /// The cells: epoch, readers, retained roots, cold reads, observations.
    pub hot: HotStats,
}
