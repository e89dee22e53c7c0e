//! Lineage: which versions a version's content came from.
//!
//! A version comes from the one that it brings back, where it is a rollback, and else from its parents: what a rollback took back is no part
//! of what came after it, so that merging it again brings it back.

use std::collections::{BTreeMap, BTreeSet};

use knhk_store::VersionRecord;
use serde::Serialize;

use crate::{History, VersionError};

/// A version as the one that changed something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its number.
    pub version: u64,
    /// When, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// The id of its receipt, verified.
    pub receipt: String,
}

/// `version 7 by ops-2 (desk asked)`.
impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let who = if self.by.is_empty() { "someone unnamed" } else { &self.by };
        write!(f, "version {} by {who}", self.version)?;
        if self.why.is_empty() { Ok(()) } else { write!(f, " ({})", self.why) }
    }
}

/// The versions that this one's content came from; none: it began with nothing.
pub(crate) fn came_from(record: &VersionRecord) -> Vec<u64> {
    record.rollback_of.map_or_else(|| record.parents.clone(), |of| vec![of])
}

/// Where the content of a version came from, step by step.
#[derive(Default)]
pub(crate) struct Ancestry {
    /// The versions, the first one included.
    pub(crate) versions: BTreeSet<u64>,
    /// Those of them that are not retained, where it breaks off.
    pub(crate) lost: BTreeSet<u64>,
}

/// A version's statements: sorted lines.
pub(crate) struct Lines {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Lines {
    pub(crate) fn of(bytes: Vec<u8>) -> Lines {
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
        Lines { bytes, ends }
    }

    fn line(&self, at: usize) -> &[u8] {
        &self.bytes[if at == 0 { 0 } else { self.ends[at - 1] }..self.ends[at]]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).map(|at| self.line(at))
    }

    pub(crate) fn contains(&self, line: &[u8]) -> bool {
        self.from(line).next() == Some(line)
    }

    /// Those that begin so, in order.
    pub(crate) fn beginning<'l>(&'l self, prefix: &'l [u8]) -> impl Iterator<Item = &'l [u8]> {
        self.from(prefix).take_while(move |line| line.starts_with(prefix))
    }

    fn from(&self, least: &[u8]) -> impl Iterator<Item = &[u8]> {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.line(middle) < least { low = middle + 1 } else { high = middle }
        }
        (low..self.ends.len()).map(|at| self.line(at))
    }
}

/// Versions that are looked at one after another, each read once.
pub(crate) struct Walk<'h> {
    history: &'h History,
    sector: &'h str,
    records: BTreeMap<u64, Option<VersionRecord>>,
    lines: BTreeMap<u64, Lines>,
}

impl<'h> Walk<'h> {
    pub(crate) fn new(history: &'h History, sector: &'h str) -> Walk<'h> {
        Walk { history, sector, records: BTreeMap::new(), lines: BTreeMap::new() }
    }

    /// A version; none: it is not retained.
    pub(crate) fn record(&mut self, number: u64) -> Result<Option<&VersionRecord>, VersionError> {
        if !self.records.contains_key(&number) {
            let record = self.history.store().version(self.sector, number)?;
            self.records.insert(number, record);
        }
        Ok(self.records[&number].as_ref())
    }

    /// A version's statements, which have its address; none: it is not retained.
    pub(crate) fn lines(&mut self, number: u64) -> Result<Option<&Lines>, VersionError> {
        if !self.lines.contains_key(&number) {
            let history = self.history;
            let Some(record) = self.record(number)? else { return Ok(None) };
            let lines = Lines::of(history.checked_lines(record)?);
            self.lines.insert(number, lines);
        }
        Ok(self.lines.get(&number))
    }

    /// Lets go of versions that are not looked at any more: those with greater numbers.
    pub(crate) fn forget_above(&mut self, number: u64) {
        drop(self.lines.split_off(&(number + 1)));
    }

    /// A retained version as the one that changed something.
    pub(crate) fn change(&mut self, number: u64) -> Result<Change, VersionError> {
        let history = self.history;
        let Some(record) = self.record(number)? else { return Err(history.version(self.sector, number).unwrap_err()) };
        let receipt = history.receipt_of(record)?.id;
        let VersionRecord { number: version, time_ns, by, why, .. } = record.clone();
        Ok(Change { version, time_ns, by, why, receipt })
    }

    pub(crate) fn ancestry(&mut self, number: u64) -> Result<Ancestry, VersionError> {
        let mut ancestry = Ancestry::default();
        let mut next = vec![number];
        while let Some(number) = next.pop() {
            if !ancestry.versions.insert(number) {
                continue;
            }
            match self.record(number)? {
                Some(record) => next.extend(came_from(record)),
                None => _ = ancestry.lost.insert(number),
            }
        }
        Ok(ancestry)
    }
}

impl History {
    /// The newest version whose content both of two came from; none: both began with nothing.
    ///
    /// # Errors
    /// [`VersionError::Unknown`] where it is not retained any more, or what would tell it is not.
    pub fn base_of(&self, sector: &str, ours: u64, theirs: u64) -> Result<Option<u64>, VersionError> {
        let (ours, theirs) = (self.version(sector, ours)?.number, self.version(sector, theirs)?.number);
        let mut walk = Walk::new(self, sector);
        let (left, right) = (walk.ancestry(ours)?, walk.ancestry(theirs)?);
        let lost = |what: String| VersionError::Unknown { sector: sector.into(), what };
        match left.versions.intersection(&right.versions).max() {
            Some(base) if left.lost.contains(base) => {
                Err(lost(format!("version {base}, which {ours} and {theirs} both came from, is not retained any more")))
            }
            Some(base) => Ok(Some(*base)),
            None => match left.lost.union(&right.lost).max() {
                Some(gone) => Err(lost(format!(
                    "which version {ours} and {theirs} both came from cannot be told: {gone} and what was before it are not retained"
                ))),
                None => Ok(None),
            },
        }
    }
}
