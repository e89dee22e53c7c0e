//! Verifying the history: every version's receipt and content, and that nothing is an orphan.

use crate::load::is_of_other_core;
use crate::{History, VersionError};

/// Versions read at once.
const PAGE: usize = 256;

/// How far a verification is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VersionsProgress {
    /// Versions verified.
    pub done: u64,
}

/// A history that is whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VersionsVerified {
    /// Versions whose receipts state them and whose content has its address.
    pub versions: u64,
    /// Different snapshots among them.
    pub snapshots: u64,
    /// Versions among them that were made with another core ontology than this library's. They are whole; what they say is read over this
    /// one's.
    pub other_core: u64,
}

impl History {
    /// Verifies every version that is retained, and looks for orphans. `progress` stops it by returning false.
    ///
    /// # Errors
    /// [`VersionError::Damaged`] and [`VersionError::Orphans`] with the first finding.
    pub fn verify(&self, progress: &mut dyn FnMut(VersionsProgress) -> bool) -> Result<VersionsVerified, VersionError> {
        let mut verified = VersionsVerified::default();
        for sector in self.store().sectors()? {
            let mut seen = std::collections::HashSet::new();
            let mut before = None;
            loop {
                let page = self.store().versions(&sector.name, before, PAGE)?;
                let Some(last) = page.last() else { break };
                before = Some(last.number);
                for version in &page {
                    let loaded = match seen.insert(version.snapshot) {
                        true => self.check(version),
                        false => self.receipt_of(version).map(drop),
                    };
                    // Retention may have removed it since it was listed.
                    if loaded.is_err() && self.store().version(&version.sector, version.number)?.is_none() {
                        continue;
                    }
                    loaded?;
                    verified.versions += 1;
                    verified.other_core += u64::from(is_of_other_core(version));
                    if !progress(VersionsProgress { done: verified.versions }) {
                        return Err(VersionError::Stopped);
                    }
                }
            }
            verified.snapshots += seen.len() as u64;
        }
        let orphans = self.orphans()?;
        if orphans.is_empty() { Ok(verified) } else { Err(VersionError::Orphans { what: orphans.to_string() }) }
    }
}
