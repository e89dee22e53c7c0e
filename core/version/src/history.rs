//! The history of an engine's sectors.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use knhk_ledger::{Appended, Entry, Evidence, Hash, Ledger, Outcome};
use knhk_store::{Batch, SectorRecord, Setting, Store, VersionRecord, Write};

use crate::needs::Needing;
use crate::{KeyLines, VersionError};

/// The versions of an engine's sectors, over its ledger. Any thread may call.
pub struct History {
    pub(crate) ledger: Arc<Ledger>,
    /// Snapshots that were found damaged: written anew when their content comes again.
    pub(crate) damaged: Mutex<HashSet<Hash>>,
    /// What the newest version of each sector needs, where it needs anything, once it is known.
    needing: Mutex<Option<Needing>>,
}

impl History {
    /// The history that a ledger's store keeps.
    pub fn new(ledger: Arc<Ledger>) -> History {
        History { ledger, damaged: Mutex::default(), needing: Mutex::default() }
    }

    /// The ledger.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &**self.ledger.store()
    }

    pub(crate) fn damaged(&self) -> std::sync::MutexGuard<'_, HashSet<Hash>> {
        // A set is whole whatever panicked while it was locked.
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn needing(&self) -> std::sync::MutexGuard<'_, Option<Needing>> {
        // It is replaced as a whole.
        self.needing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sectors, by number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn sectors(&self) -> Result<Vec<SectorRecord>, VersionError> {
        Ok(self.store().sectors()?)
    }

    /// Versions of a sector with a number below `before` (none: all), newest first, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn versions(
        &self,
        sector: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<VersionRecord>, VersionError> {
        Ok(self.store().versions(sector, before, limit)?)
    }

    /// A version of a sector.
    ///
    /// # Errors
    /// [`VersionError::Unknown`] where it is not retained.
    pub fn version(&self, sector: &str, number: u64) -> Result<VersionRecord, VersionError> {
        if let Some(version) = self.store().version(sector, number)? {
            return Ok(version);
        }
        let newest = match self.store().versions(sector, None, 1)?.pop() {
            Some(newest) => format!("; its newest is {}, and the log tells which are kept", newest.number),
            None => "; it has none yet".into(),
        };
        Err(VersionError::Unknown { sector: sector.into(), what: format!("version {number} is not retained{newest}") })
    }

    /// A sector's key table, line by line.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn key_lines(&self, sector: &str) -> Result<Vec<String>, VersionError> {
        Ok(self.store().key_lines(sector, 0)?)
    }

    /// The declared defaults of a sector, as JSON.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn declared(&self, sector: &str) -> Result<Option<String>, VersionError> {
        Ok(self.store().setting(&declared_setting(sector))?)
    }

    /// The greatest generation that was recorded.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_epoch(&self) -> Result<u64, VersionError> {
        let mut epoch = self.store().setting(EPOCH)?.and_then(|text| text.parse().ok()).unwrap_or(0);
        for sector in self.store().sectors()? {
            let newest = self.store().versions(&sector.name, None, 1)?;
            epoch = newest.first().map_or(epoch, |version| epoch.max(version.epoch));
        }
        Ok(epoch)
    }

    /// Records that generations up to `epoch` were used, so that numbers after a restart begin beyond it.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn record_epoch(&self, epoch: u64) -> Result<(), VersionError> {
        Ok(self.store().commit(Batch::new().with(epoch_write(epoch)))?)
    }

    /// Records a sector, with a receipt.
    ///
    /// # Errors
    /// When it cannot be signed or stored.
    pub fn create_sector(&self, sector: SectorRecord) -> Result<Appended, VersionError> {
        let change = format!("created ({})", sector.kind);
        let entry = updated(&sector.name, sector.time_ns, change, "", "");
        self.append(entry, Batch::new().with(Write::Sector(sector)))
    }

    /// Records declared defaults of a sector and its key table's new lines, with a receipt.
    ///
    /// # Errors
    /// When it cannot be signed or stored.
    pub fn declare(&self, json: String, lines: KeyLines, epoch: u64, time_ns: u64) -> Result<Appended, VersionError> {
        let sector = lines.sector.clone();
        let mut batch = crate::commit::key_lines(lines);
        batch.push(Write::Setting(Setting { name: declared_setting(&sector), value: Some(json) }));
        batch.push(epoch_write(epoch));
        self.append(updated(&sector, time_ns, "defaults declared", "", ""), batch)
    }

    pub(crate) fn append(&self, entry: Entry, batch: Batch) -> Result<Appended, VersionError> {
        let appended = self.ledger.append_with(vec![entry], |_| batch)?;
        Ok(appended.into_iter().next().expect("a receipt for each entry"))
    }
}

/// Where the greatest generation that was used is kept.
const EPOCH: &str = "epoch";

fn epoch_write(epoch: u64) -> Write {
    Write::Setting(Setting { name: EPOCH.into(), value: Some(epoch.to_string()) })
}

fn declared_setting(sector: &str) -> String {
    format!("declared/{sector}")
}

/// That something about a sector changed that is no version.
pub(crate) fn updated(sector: &str, time_ns: u64, change: impl Into<String>, by: &str, why: &str) -> Entry {
    let evidence = Evidence::SectorUpdated { change: change.into(), by: by.into(), why: why.into() };
    Entry { time_ns, sector: Some(sector.into()), outcome: Outcome::Approved, evidence, links: Vec::new() }
}
