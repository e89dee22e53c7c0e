//! Recovery: the sectors as the store has them, checked, and the newest whole version of each.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use knhk_ledger::{Entry, Evidence, Outcome};
use knhk_ontology::{Core, Document, KeyTable, Limits, Snapshot, compile_snapshot};
use knhk_promotion::{NoJournal, Origin, SectorKind, Version};
use knhk_store::{SectorRecord, VersionRecord};
use knhk_version::VersionError;

use crate::durable::Durable;
use crate::emergency::Intent;
use crate::{Engine, Error, Level, Status};

/// Versions read at once.
const PAGE: usize = 64;

/// How often a still picture is taken anew because the live engine changed what is read.
const ATTEMPTS: usize = 100;

/// A sector as it was found.
pub(crate) struct Stored {
    /// What was known before the first version.
    pub(crate) empty: Arc<Snapshot>,
    pub(crate) kind: SectorKind,
    pub(crate) keys: KeyTable,
    pub(crate) declared: Option<Document>,
    pub(crate) versions: Vec<Version>,
    /// The next version's number: beyond every one found, whole or not.
    pub(crate) next: u64,
    /// What could not be used, for people.
    pub(crate) damaged: Vec<String>,
    /// Whether the newest version is an emergency rollback of which only the intent is kept.
    pub(crate) intended: bool,
}

impl Durable {
    /// Every sector with its newest `depth` whole versions, in the order of the sectors' numbers.
    pub(crate) fn sectors(&self, core: &Core, limits: &Limits, depth: usize) -> Result<Vec<Stored>, Error> {
        let sectors = self.history.sectors()?;
        sectors.into_iter().map(|sector| self.sector(&sector, core, limits, depth)).collect()
    }

    fn sector(&self, sector: &SectorRecord, core: &Core, limits: &Limits, depth: usize) -> Result<Stored, Error> {
        let read_only = self.folder.as_ref().is_some_and(|folder| folder.read_only);
        // Beside a live engine what was listed may be gone when it is read.
        let mut found = self.look(sector, core, limits, depth);
        for _ in 1..ATTEMPTS {
            match &found {
                Err(error) if read_only && error.status() == Status::Busy => {
                    found = self.look(sector, core, limits, depth)
                }
                _ => break,
            }
        }
        found
    }

    fn look(&self, sector: &SectorRecord, core: &Core, limits: &Limits, depth: usize) -> Result<Stored, Error> {
        let name = &sector.name;
        let corrupt = |what: String| Error::new(Status::Corrupt, "open", name, format!("sector {name} {what}"));
        let kind = SectorKind::from_name(&sector.kind)
            .ok_or_else(|| corrupt(format!("is of kind {:?}, which this version does not know", sector.kind)))?;
        let empty = Arc::new(Snapshot::empty(name, core, limits));
        let declared = match self.history.declared(name)? {
            Some(text) => Some(Document::parse(text.as_bytes(), limits).map_err(|error| {
                corrupt(format!("has declared defaults that are damaged ({error}); restore the store from a backup"))
            })?),
            None => None,
        };
        let mut found = Found { damaged: Vec::new(), versions: Vec::new(), newest: None, keys: KeyTable::new() };
        self.load_versions(name, &empty, depth.max(1), &mut found)?;
        let Found { mut damaged, mut versions, newest, mut keys } = found;
        // An older version must not pass for the current one: going back is a version with a receipt of its own.
        let stated = self.history.newest_stated(name)?;
        if let Some(stated) = stated.filter(|stated| newest.is_none_or(|newest| newest < *stated)) {
            damaged.push(format!("sector {name}: version {stated} is missing and its receipt is there"));
        }
        versions.reverse();
        for at in 1..versions.len() {
            versions[at].before = Some(versions[at - 1].snapshot.clone());
        }
        let newest = newest.max(stated);
        if let (Some(newest), true) = (newest, versions.is_empty()) {
            let first = damaged.first().cloned().unwrap_or_default();
            return Err(corrupt(format!(
                "has no whole version up to {newest}; restore the store from a backup ({first})"
            )));
        }
        let mut next = newest.map_or(1, |newest| newest + 1);
        let mut intended = false;
        let number = sector.number as usize;
        let intent = self.folder.as_ref().map(|folder| folder.emergency.intent(number)).transpose();
        let intent = intent.map_err(|error| {
            Error::new(Status::Io, "open", name, format!("the file of emergency rollbacks cannot be read: {error}"))
        })?;
        if let Some(intent) = intent.flatten().filter(|intent| intent.version >= next) {
            next = intent.version + 1;
            let target = versions.iter().find(|version| version.number == intent.rollback_of).cloned();
            let target = match target {
                Some(target) => Ok(target),
                None => self
                    .history
                    .version(name, intent.rollback_of)
                    .and_then(|record| self.load(&record, versions.last(), &empty, &mut keys)),
            };
            match target {
                Ok(target) => {
                    let epoch = self.history.last_epoch()? + 1;
                    versions.push(rolled_back(&target, versions.last(), &intent, (epoch, self.time.now_ns())));
                    intended = true;
                }
                Err(error) => damaged.push(format!(
                    "sector {name}: an emergency rollback to version {} is not honoured: {error}",
                    intent.rollback_of
                )),
            }
        }
        Ok(Stored { empty, kind, keys, declared, versions, next, damaged, intended })
    }

    /// The newest whole versions, newest first.
    fn load_versions(&self, name: &str, empty: &Arc<Snapshot>, depth: usize, found: &mut Found) -> Result<(), Error> {
        let mut before = None;
        let first = self.history.versions(name, before, PAGE)?;
        // After the versions, so that each name that they have is there.
        let lines = self.history.key_lines(name)?;
        found.keys.replay(lines.iter().map(String::as_str)).map_err(|error| {
            let message = format!("sector {name} has a damaged key table: {error}; restore the store from a backup");
            Error::new(Status::Corrupt, "open", name, message)
        })?;
        self.wrote_lines(name, found.keys.line_count());
        found.newest = first.first().map(|record| record.number);
        let mut page = first;
        while let Some(last) = page.last() {
            before = Some(last.number);
            for record in &page {
                if found.versions.len() == depth {
                    return Ok(());
                }
                match self.load(record, found.versions.last(), empty, &mut found.keys) {
                    Ok(version) => found.versions.push(version),
                    Err(_) if self.is_gone(record)? => {
                        let message = format!("sector {name} changes faster than it can be read; try again");
                        return Err(Error::new(Status::Busy, "open", name, message));
                    }
                    Err(VersionError::Damaged { why, number, .. }) => found
                        .damaged
                        .push(format!("sector {name}: version {number} is damaged and was passed over: {why}")),
                    Err(error @ VersionError::OtherCore { .. }) => {
                        found.damaged.push(format!("{error}; it was passed over"))
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            page = self.history.versions(name, before, PAGE)?;
        }
        Ok(())
    }

    /// Whether a live engine's retention removed a version since it was listed.
    fn is_gone(&self, record: &VersionRecord) -> Result<bool, Error> {
        let read_only = self.folder.as_ref().is_some_and(|folder| folder.read_only);
        Ok(read_only && self.store().version(&record.sector, record.number)?.is_none())
    }

    fn load(
        &self,
        record: &VersionRecord,
        near: Option<&Version>,
        empty: &Snapshot,
        keys: &mut KeyTable,
    ) -> Result<Version, VersionError> {
        let (snapshot, receipt) = self.history.load(record, near.map_or(empty, |near| &near.snapshot))?;
        if near.is_none() && snapshot.core_root() != snapshot.over() {
            let (sector, number) = (&record.sector, record.number);
            let line = format!(
                "{sector}: version {number} was made with another core ontology; it conforms to this library's and keeps its address"
            );
            self.announcer.log(Level::Info, "recovery", line);
        }
        let compiled = compile_snapshot(&snapshot, keys, near.map(|near| &**near.artifact()));
        let compiled = compiled.map_err(|error| VersionError::Damaged {
            sector: record.sector.clone(),
            number: record.number,
            why: error.to_string(),
        })?;
        Ok(Version {
            number: record.number,
            snapshot_id: snapshot.id(),
            epoch: record.epoch,
            time_ns: record.time_ns,
            origin: Origin {
                by: record.by.clone(),
                why: record.why.clone(),
                major: record.major,
                merges: record.parents.get(1).copied(),
                depends: (!record.depends.is_empty()).then(|| record.depends.clone()),
            },
            rollback_of: record.rollback_of,
            parent: record.parents.first().copied(),
            receipt: OnceLock::from(receipt.id),
            links: Vec::new(),
            before: None,
            phases: Default::default(),
            snapshot: Arc::new(snapshot),
            compiled: Arc::new(compiled),
        })
    }
}

struct Found {
    damaged: Vec<String>,
    versions: Vec<Version>,
    newest: Option<u64>,
    keys: KeyTable,
}

/// The version that an emergency rollback made current without being able to record it.
fn rolled_back(target: &Version, before: Option<&Version>, intent: &Intent, (epoch, time_ns): (u64, u64)) -> Version {
    let why = "emergency rollback, recorded by its intent alone".into();
    Version {
        number: intent.version,
        epoch,
        time_ns,
        origin: Origin { why, ..Origin::default() },
        rollback_of: Some(intent.rollback_of),
        parent: before.map(|before| before.number),
        receipt: OnceLock::new(),
        links: Vec::new(),
        before: before.map(|before| before.snapshot.clone()),
        ..target.clone()
    }
}

impl Engine {
    /// Takes up what a folder holds.
    pub(crate) fn recover(&self) -> Result<(), Error> {
        let Some(durable) = self.inner.journal.durable.as_ref().filter(|durable| durable.folder.is_some()) else {
            return Ok(());
        };
        let writable = durable.writable().is_ok();
        for stored in durable.sectors(&self.inner.core, &self.inner.limits, self.inner.history)? {
            self.inner.damaged.fetch_add(stored.damaged.len() as u64, Ordering::Relaxed);
            for loss in &stored.damaged {
                self.inner.announcer.log(Level::Error, "recovery", loss.clone());
            }
            let sector = self.add(stored.empty, stored.kind, stored.keys)?;
            if let Some(declared) = stored.declared {
                sector.declare(&self.inner.hot, &NoJournal, declared)?;
            }
            sector.recover(&self.inner.hot, stored.versions, stored.next)?;
            if !writable {
                continue;
            }
            if let Some(current) = sector.lock()?.current().filter(|_| stored.intended) {
                durable.owe(sector.name(), current).map_err(|error| {
                    let message = format!("the thread that records emergency rollbacks could not be started: {error}");
                    Error::new(Status::System, "open", sector.name(), message)
                })?;
            }
            for loss in &stored.damaged {
                self.record_loss(durable, sector.name(), loss);
            }
        }
        if writable {
            durable.settle();
            if let Err(error) = durable.history.record_epoch(self.inner.hot.epoch()) {
                let line = format!("nothing can be recorded: {error}");
                self.inner.announcer.log(Level::Error, "recovery", line);
            }
        }
        Ok(())
    }

    /// Leaves a receipt of what recovery passed over.
    fn record_loss(&self, durable: &Durable, sector: &str, loss: &str) {
        let entry = Entry {
            time_ns: self.now_ns(),
            sector: Some(sector.into()),
            outcome: Outcome::Rejected,
            evidence: Evidence::InvariantViolated {
                invariant: "what was acknowledged is whole".into(),
                item: "store".into(),
                detail: loss.into(),
            },
            links: Vec::new(),
        };
        if let Err(error) = durable.history.ledger().append(vec![entry]) {
            self.inner.announcer.log(Level::Error, "recovery", format!("what was lost has no receipt: {error}"));
        }
    }
}
