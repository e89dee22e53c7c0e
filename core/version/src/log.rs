//! The log of a sector: every version that ever was, newest first, with its tags and whether it is retained.

use std::collections::HashMap;

use knhk_ledger::{Hash, Statement};
use knhk_store::{Receipt, ReceiptQuery, VersionRecord};

use crate::load::{Stated, is_of_other_core};
use crate::{History, VersionError};

/// Kinds of receipts that stand for versions.
pub(crate) const KINDS: [&str; 2] = ["snapshot promoted", "rollback executed"];
/// Receipts read at once.
const PAGE: usize = 256;

/// A version, as the log tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its number.
    pub version: u64,
    /// Its content address.
    pub snapshot_id: Hash,
    /// The versions that it came from; empty also where it is no longer retained.
    pub parents: Vec<u64>,
    /// The generation in which it became current.
    pub epoch: u64,
    /// When, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// Whether it was declared incompatible with the one before.
    pub major: bool,
    /// The version whose content it brought back.
    pub rollback_of: Option<u64>,
    /// The id of its receipt.
    pub receipt: Option<String>,
    /// Whether it was made with another core ontology than this library's; not known of what is no longer retained.
    pub other_core: bool,
    /// Its tags, sorted.
    pub tags: Vec<String>,
    /// Whether its content is still kept.
    pub retained: bool,
}

impl History {
    /// The versions of a sector with a number below `before` (none: all), newest first, at most `limit`; those that retention removed are
    /// told by their receipts.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn log(&self, sector: &str, before: Option<u64>, limit: usize) -> Result<Vec<LogEntry>, VersionError> {
        let mut tags: HashMap<u64, Vec<String>> = HashMap::new();
        for tag in self.store().tags(sector)? {
            tags.entry(tag.version).or_default().push(tag.name);
        }
        let rows = self.store().versions(sector, before, limit)?;
        let mut entries: Vec<LogEntry> = Vec::with_capacity(rows.len());
        for row in rows {
            let receipt = row.receipt.map(|number| self.store().receipt(number)).transpose()?.flatten();
            let tags = tags.remove(&row.number).unwrap_or_default();
            entries.push(LogEntry::of(row, receipt.map(|receipt| receipt.id), tags));
        }
        // What retention removed lies in gaps of the numbers, and beyond the oldest row.
        let full = entries.len() == limit;
        let oldest = entries.last().map_or(0, |entry| entry.version);
        let gapless = before.is_none() && entries.windows(2).all(|pair| pair[0].version == pair[1].version + 1);
        if limit > 0 && !((full || oldest == 1) && gapless) {
            self.add_removed(sector, before, limit, &mut entries)?;
        }
        Ok(entries)
    }

    fn add_removed(
        &self,
        sector: &str,
        before: Option<u64>,
        limit: usize,
        entries: &mut Vec<LogEntry>,
    ) -> Result<(), VersionError> {
        let kept: Vec<u64> = entries.iter().map(|entry| entry.version).collect();
        let mut removed = Vec::new();
        self.each_stated(sector, &mut |receipt, statement| {
            let Some(stated) = Stated::by(statement) else { return true };
            if before.is_some_and(|before| stated.version >= before) || kept.contains(&stated.version) {
                return true;
            }
            removed.push(LogEntry {
                version: stated.version,
                snapshot_id: stated.snapshot,
                parents: Vec::new(),
                epoch: stated.epoch,
                time_ns: receipt.time_ns,
                by: stated.by.clone(),
                why: stated.why.clone(),
                major: false,
                rollback_of: stated.rollback_of,
                receipt: Some(receipt.id.clone()),
                other_core: false,
                tags: Vec::new(),
                retained: false,
            });
            removed.len() < limit
        })?;
        entries.append(&mut removed);
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.version));
        entries.truncate(limit);
        Ok(())
    }

    /// Tells `each` the receipts of a sector's promotions and rollbacks, of each kind newest first, until it says no for that kind.
    pub(crate) fn each_stated(
        &self,
        sector: &str,
        each: &mut dyn FnMut(&Receipt, &Statement) -> bool,
    ) -> Result<(), VersionError> {
        for kind in KINDS {
            let mut to = None;
            'kind: loop {
                let query = ReceiptQuery {
                    to,
                    sector: Some(sector.into()),
                    kind: Some(kind.into()),
                    newest_first: true,
                    limit: Some(PAGE),
                    ..ReceiptQuery::default()
                };
                let page = self.store().receipts(&query)?;
                let Some(last) = page.last() else { break };
                to = Some(last.number);
                for receipt in &page {
                    let statement = Statement::decode(&receipt.statement)?;
                    if !each(receipt, &statement) {
                        break 'kind;
                    }
                }
            }
        }
        Ok(())
    }

    /// The newest version that a receipt says became current; the store's newest is below it where that one was taken away.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn newest_stated(&self, sector: &str) -> Result<Option<u64>, VersionError> {
        let mut newest = None;
        self.each_stated(sector, &mut |_, statement| match Stated::by(statement) {
            Some(stated) => {
                newest = newest.max(Some(stated.version));
                false
            }
            None => true,
        })?;
        Ok(newest)
    }
}

impl LogEntry {
    fn of(row: VersionRecord, receipt: Option<String>, tags: Vec<String>) -> LogEntry {
        LogEntry {
            other_core: is_of_other_core(&row),
            version: row.number,
            snapshot_id: row.snapshot,
            parents: row.parents,
            epoch: row.epoch,
            time_ns: row.time_ns,
            by: row.by,
            why: row.why,
            major: row.major,
            rollback_of: row.rollback_of,
            receipt,
            tags,
            retained: true,
        }
    }
}
