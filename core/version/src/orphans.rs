//! Orphans: what nothing stands for, and what stands for nothing.

use std::collections::HashSet;

use knhk_ledger::{Evidence, Hash, Statement};
use knhk_store::ReceiptQuery;

use crate::load::Stated;
use crate::reference::hex;
use crate::retention::pruned;
use crate::{History, VersionError};

/// Records read at once.
const PAGE: usize = 1000;
/// Orphans that a sentence names.
const NAMED: usize = 3;

/// What nothing stands for, and what stands for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orphans {
    /// Versions, by sector and number, that no receipt stands for.
    pub versions: Vec<(String, u64)>,
    /// Receipts, by id, of versions that are not there and that retention did not remove.
    pub receipts: Vec<String>,
    /// Snapshots that no version has and that none that is kept stands on.
    pub snapshots: Vec<Hash>,
}

impl Orphans {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty() && self.receipts.is_empty() && self.snapshots.is_empty()
    }
}

/// A sentence that names some of each kind.
impl std::fmt::Display for Orphans {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let versions = self.versions.iter().map(|(sector, number)| format!("version {number} of {sector}"));
        let snapshots = self.snapshots.iter().map(hex);
        let parts = [
            part("without a receipt", versions.collect()),
            part("receipts without their version", self.receipts.clone()),
            part("snapshots without a version", snapshots.collect()),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
    }
}

fn part(what: &str, mut items: Vec<String>) -> Option<String> {
    let more = items.len().saturating_sub(NAMED);
    items.truncate(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!items.is_empty()).then(|| format!("{what}: {}{more}", items.join(", ")))
}

impl History {
    /// Looks for orphans among everything that is stored.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn orphans(&self) -> Result<Orphans, VersionError> {
        let mut orphans = Orphans::default();
        // First the receipts: what a live engine adds meanwhile has both.
        let size = self.store().log_size()?;
        for sector in self.store().sectors()? {
            self.orphans_of(&sector.name, size, &mut orphans)?;
        }
        orphans.snapshots = self.store().loose_snapshots()?;
        Ok(orphans)
    }

    fn orphans_of(&self, sector: &str, size: u64, orphans: &mut Orphans) -> Result<(), VersionError> {
        let mut there = HashSet::new();
        let mut before = None;
        loop {
            let page = self.store().versions(sector, before, PAGE)?;
            let Some(last) = page.last() else { break };
            before = Some(last.number);
            for version in page {
                if version.receipt.is_none_or(|receipt| receipt < size) && self.receipt_of(&version).is_err() {
                    orphans.versions.push((sector.into(), version.number));
                }
                there.insert(version.number);
            }
        }
        let gone = self.pruned(sector)?;
        self.each_stated(sector, &mut |receipt, statement| {
            let version = Stated::by(statement).map(|stated| stated.version);
            let orphan = version.is_some_and(|version| {
                let removed = gone.iter().any(|(first, last)| (*first..=*last).contains(&version));
                !there.contains(&version) && !removed && receipt.number < size
            });
            if orphan {
                orphans.receipts.push(receipt.id.clone());
            }
            true
        })
    }

    /// The ranges of versions of a sector that retention removed, as receipts say it.
    fn pruned(&self, sector: &str) -> Result<Vec<(u64, u64)>, VersionError> {
        let (mut found, mut from) = (Vec::new(), 0);
        loop {
            let query = ReceiptQuery {
                from,
                sector: Some(sector.into()),
                kind: Some("sector updated".into()),
                limit: Some(PAGE),
                ..ReceiptQuery::default()
            };
            let page = self.store().receipts(&query)?;
            let Some(last) = page.last() else { return Ok(found) };
            from = last.number + 1;
            for receipt in &page {
                let statement = Statement::decode(&receipt.statement)?;
                if let Evidence::SectorUpdated { change, .. } = &statement.claims.evidence {
                    found.extend(pruned(change).unwrap_or_default());
                }
            }
        }
    }
}
