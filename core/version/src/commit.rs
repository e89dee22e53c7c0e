//! Committing versions: the receipt, the snapshot, the version and its key table lines, all or nothing.

use knhk_ledger::{Appended, Entry, Evidence, Hash, LedgerError, Outcome};
use knhk_ontology::Snapshot;
use knhk_ontology::graph::{Delta, Triple, write_statement};
use knhk_store::{Batch, KeyLine, Snapshot as StoredSnapshot, VersionRecord, Write};

use crate::counters::COMMITTED;
use crate::{History, VersionError};

/// Snapshots that may stand as changes on one that is stored whole: a load reads as many, and the store's limit is farther away.
const CHANGES: u64 = 31;

/// A version that is to be committed.
#[derive(Clone, Copy, Debug)]
pub struct NewVersion<'v> {
    /// The sector.
    pub sector: &'v str,
    /// Its number, greater than those before it.
    pub number: u64,
    /// Its content.
    pub snapshot: &'v Snapshot,
    /// The content that it takes the place of.
    pub before: Option<&'v Snapshot>,
    /// The version that it takes the place of.
    pub parent: Option<u64>,
    /// The other version that it came from, where it is a merge.
    pub merges: Option<u64>,
    /// The versions of other sectors that it needs; none: those that the version it brings back needs, or else the one before it.
    pub depends: Option<&'v [(String, u64)]>,
    /// Ids of receipts that its own refers to.
    pub links: &'v [String],
    /// The generation in which it becomes current.
    pub epoch: u64,
    /// When, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// Who.
    pub by: &'v str,
    /// Why.
    pub why: &'v str,
    /// Whether it was declared incompatible with the one before.
    pub major: bool,
    /// The version whose content it brings back.
    pub rollback_of: Option<u64>,
    /// Whether it became current before it could be recorded.
    pub emergency: bool,
}

/// What a sector's key table has beyond what is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyLines {
    /// The sector.
    pub sector: String,
    /// The place of the first of the lines.
    pub first: u64,
    /// The lines.
    pub lines: Vec<String>,
}

/// A promotion or rollback that was refused.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'r> {
    /// The sector.
    pub sector: &'r str,
    /// The number that it would have had.
    pub number: u64,
    /// The content that stays current.
    pub before: Option<Hash>,
    /// The generation that stays.
    pub epoch: u64,
    /// When, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// Who.
    pub by: &'r str,
    /// Why.
    pub why: &'r str,
    /// The version that it was to go back to.
    pub rollback_of: Option<u64>,
    /// What was said.
    pub refused: &'r str,
}

/// Characters of a refusal that its receipt repeats.
const REFUSAL: usize = 2000;

impl History {
    /// Commits versions, of one sector or of several, each sector's oldest first, with their key tables' new lines: the commit point of a
    /// promotion. Each has its receipt, in this order, and all of it is durable or nothing. The receipts of those that become current in the
    /// last one's generation name each other.
    ///
    /// # Errors
    /// [`VersionError::Clash`] where one needs a version of another sector that is not there, or takes away what another one needs, unless
    /// all are emergencies; when it cannot be signed or stored.
    pub fn commit(&self, versions: &[NewVersion<'_>], lines: Vec<KeyLines>) -> Result<Vec<Appended>, VersionError> {
        if versions.is_empty() {
            return Ok(Vec::new());
        }
        let depends = self.needs_of(versions)?;
        let records = versions.iter().zip(&depends).map(|(version, depends)| version.record(None, depends)).collect();
        let needing = self.check_needs(records, versions.iter().all(|version| version.emergency))?;
        let mut batch = Batch::new();
        let mut mended = Vec::new();
        for version in versions {
            self.store_snapshot(version, &mut batch, &mut mended)?;
        }
        lines.into_iter().for_each(|lines| _ = batch.extend(key_lines(lines)));
        let with = |receipts: &[Appended]| {
            for ((version, receipt), depends) in versions.iter().zip(receipts).zip(&depends) {
                batch.push(Write::Version(version.record(Some(receipt.number), depends)));
            }
            batch
        };
        let generation = versions[versions.len() - 1].epoch;
        let linked = versions.iter().rev().take_while(|version| version.epoch == generation).count();
        let linked = versions.len() - linked..versions.len();
        let entries = versions.iter().zip(&depends).map(|(version, depends)| version.entry(depends)).collect();
        let appended = self.ledger.append_linked(entries, linked, with)?;
        *self.needing() = Some(needing);
        COMMITTED.add(versions.len() as u64);
        let mut damaged = self.damaged();
        mended.iter().for_each(|id| _ = damaged.remove(id));
        Ok(appended)
    }

    /// Leaves the receipt of a promotion or rollback that was refused.
    ///
    /// # Errors
    /// When it cannot be signed or stored.
    pub fn refuse(&self, refused: &Refused<'_>) -> Result<Appended, VersionError> {
        let Refused { sector, number: version, before, epoch, time_ns, by, why, rollback_of, refused } = *refused;
        let (by, why) = (by.into(), why.into());
        let refused = Some(refused.chars().take(REFUSAL).collect());
        let evidence = match rollback_of {
            None => Evidence::SnapshotPromoted {
                version,
                snapshot: None,
                before,
                parents: Vec::new(),
                depends: Vec::new(),
                major: None,
                epoch,
                by,
                why,
                refused,
            },
            Some(rollback_of) => Evidence::RollbackExecuted {
                version,
                rollback_of,
                snapshot: None,
                before,
                parents: Vec::new(),
                depends: Vec::new(),
                major: None,
                epoch,
                emergency: false,
                by,
                why,
                refused,
            },
        };
        let entry =
            Entry { time_ns, sector: Some(sector.into()), outcome: Outcome::Rejected, evidence, links: Vec::new() };
        self.append(entry, Batch::new())
    }

    /// Adds what has to be stored of a version's content: nothing where it is there, what changed where the one before is, else all.
    fn store_snapshot(
        &self,
        version: &NewVersion<'_>,
        batch: &mut Batch,
        mended: &mut Vec<Hash>,
    ) -> Result<(), LedgerError> {
        let (store, id) = (self.store(), version.snapshot.id());
        if self.damaged().contains(&id) {
            // What stands on it is relative to its content, which stays the same.
            batch.push(Write::MendSnapshot { id, statements: version.snapshot.own_lines() });
            mended.push(id);
            return Ok(());
        }
        if store.snapshot_depth(&id)?.is_some() {
            return Ok(());
        }
        // Of one that was made under another core, what is stored may be more than what is its own now.
        if let Some(before) = version.before
            && before.core_root() == version.snapshot.core_root()
            && !self.damaged().contains(&before.id())
            && store.snapshot_depth(&before.id())?.is_some_and(|depth| depth < CHANGES)
        {
            let delta = Delta::between(before.graph(), version.snapshot.graph());
            if delta.len() < version.snapshot.graph().own_len() {
                let removed = lines(version.snapshot, delta.removed());
                let added = lines(version.snapshot, delta.added());
                batch.push(Write::Snapshot(StoredSnapshot::delta(id, before.id(), removed, added)));
                return Ok(());
            }
        }
        batch.push(Write::Snapshot(StoredSnapshot::whole(id, version.snapshot.own_lines())));
        Ok(())
    }
}

impl NewVersion<'_> {
    fn parents(&self) -> Vec<u64> {
        self.parent.into_iter().chain(self.merges).collect()
    }

    fn entry(&self, depends: &[(String, u64)]) -> Entry {
        let (version, snapshot, epoch) = (self.number, Some(self.snapshot.id()), self.epoch);
        let (parents, depends, major) = (self.parents(), stated(depends), Some(self.major));
        let before = self.before.map(Snapshot::id);
        let (by, why, refused) = (self.by.into(), self.why.into(), None);
        let evidence = match self.rollback_of {
            None => Evidence::SnapshotPromoted {
                version,
                snapshot,
                before,
                parents,
                depends,
                major,
                epoch,
                by,
                why,
                refused,
            },
            Some(rollback_of) => {
                let emergency = self.emergency;
                Evidence::RollbackExecuted {
                    version,
                    rollback_of,
                    snapshot,
                    before,
                    parents,
                    depends,
                    major,
                    epoch,
                    emergency,
                    by,
                    why,
                    refused,
                }
            }
        };
        let (sector, outcome) = (Some(self.sector.into()), Outcome::Approved);
        Entry { time_ns: self.time_ns, sector, outcome, evidence, links: self.links.to_vec() }
    }

    fn record(&self, receipt: Option<u64>, depends: &[(String, u64)]) -> VersionRecord {
        VersionRecord {
            sector: self.sector.into(),
            number: self.number,
            snapshot: self.snapshot.id(),
            parents: self.parents(),
            epoch: self.epoch,
            time_ns: self.time_ns,
            receipt,
            by: self.by.into(),
            why: self.why.into(),
            major: self.major,
            rollback_of: self.rollback_of,
            core: Some(self.snapshot.core_root()),
            depends: depends.to_vec(),
        }
    }
}

/// Needed versions of other sectors, as a receipt states them.
pub(crate) fn stated(depends: &[(String, u64)]) -> Vec<String> {
    depends.iter().map(|(sector, version)| format!("{sector}@{version}")).collect()
}

/// Statements as sorted canonical lines.
fn lines(snapshot: &Snapshot, triples: &[Triple]) -> Vec<u8> {
    let terms = snapshot.graph().terms();
    let line = |&triple: &Triple| {
        let mut line = Vec::new();
        write_statement(terms, triple, &mut line);
        line
    };
    let mut lines: Vec<Vec<u8>> = triples.iter().map(line).collect();
    lines.sort_unstable();
    lines.concat()
}

pub(crate) fn key_lines(KeyLines { sector, first, lines }: KeyLines) -> Batch {
    let line = |(number, text)| Write::KeyLine(KeyLine { sector: sector.clone(), number, text });
    (first..).zip(lines).map(line).collect()
}
