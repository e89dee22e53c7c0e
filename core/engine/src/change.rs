//! A change that became current, as announced to subscribers.

use std::sync::Arc;

use knhk_ontology::{Difference, Snapshot};
use knhk_promotion::{Version, differences};

/// A promotion or rollback that became current.
#[derive(Clone, Debug)]
pub struct Change {
    /// The sector.
    pub sector: String,
    /// Its new version.
    pub version: u64,
    /// The content address.
    pub snapshot_id: [u8; 32],
    /// The generation of all sectors.
    pub epoch: u64,
    /// When, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// The version whose content came back, for a rollback.
    pub rollback_of: Option<u64>,
    /// Changes that this subscriber missed before this one, because it fell behind.
    pub missed: u64,
    /// What it took the place of, and what it is: the artifact is let go of when nobody reads it any more.
    before: Option<Arc<Snapshot>>,
    snapshot: Arc<Snapshot>,
}

impl Change {
    pub(crate) fn new(sector: &str, version: &Version) -> Change {
        Change {
            sector: sector.into(),
            version: version.number,
            snapshot_id: version.snapshot_id,
            epoch: version.epoch,
            time_ns: version.time_ns,
            by: version.origin.by.clone(),
            why: version.origin.why.clone(),
            rollback_of: version.rollback_of,
            missed: 0,
            before: version.before.clone(),
            snapshot: version.snapshot.clone(),
        }
    }

    /// What changed, path by path. Computed when asked for: it costs more than a promotion.
    pub fn differences(&self) -> Vec<Difference> {
        differences(self.before.as_deref(), &self.snapshot)
    }

    /// One line for people: `orders 7: max_qty 1200 → 1000 (by ops-2: desk asked)`.
    pub fn summary(&self) -> String {
        use std::fmt::Write;
        let differences = self.differences();
        let mut line = format!("{} {}: ", self.sector, self.version);
        match self.rollback_of {
            Some(version) => _ = write!(line, "rollback to {version}"),
            None if differences.is_empty() => line.push_str("no difference"),
            None => {}
        }
        for (n, difference) in differences.iter().take(3).enumerate() {
            let separator = if n > 0 || self.rollback_of.is_some() { ", " } else { "" };
            _ = write!(line, "{separator}{difference}");
        }
        if differences.len() > 3 {
            _ = write!(line, ", {} more", differences.len() - 3);
        }
        match (self.by.as_str(), self.why.as_str()) {
            ("", "") => {}
            (by, "") => _ = write!(line, " (by {by})"),
            ("", why) => _ = write!(line, " ({why})"),
            (by, why) => _ = write!(line, " (by {by}: {why})"),
        }
        line
    }
}
