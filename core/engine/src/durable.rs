//! What makes an engine durable: its ledger, the history over it, and what is still owed to them after an emergency.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use knhk_ontology::{Document, KeyTable};
use knhk_promotion::{JournalError, Record, Version};
use knhk_store::Store;
use knhk_version::{History, KeyLines, NewVersion, VersionError};
use knhk_warm::executor::Context;
use knhk_warm::{Clock, Step};

use crate::Level;
use crate::folder::Folder;
use crate::own::{Job, Own, URGENT};
use crate::subscribe::Announcer;

/// How long to wait before what is owed is tried again; it doubles up to the second.
const RETRY: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];

pub(crate) struct Durable {
    pub(crate) history: History,
    /// None in memory.
    pub(crate) folder: Option<Arc<Folder>>,
    pub(crate) announcer: Arc<Announcer>,
    pub(crate) time: Arc<dyn Clock>,
    /// Emergency rollbacks that are current and could not be recorded yet, oldest first.
    owed: Mutex<Owed>,
    settling: Mutex<Option<Job>>,
    own: Arc<Own>,
    /// Key table lines that are stored, by sector.
    written: Mutex<HashMap<String, u64>>,
}

#[derive(Default)]
struct Owed {
    versions: Vec<(String, Arc<Version>)>,
    /// Whether a job tries.
    settling: bool,
}

impl Durable {
    pub(crate) fn new(
        history: History,
        folder: Option<Arc<Folder>>,
        announcer: Arc<Announcer>,
        time: Arc<dyn Clock>,
        own: Arc<Own>,
    ) -> Durable {
        Durable {
            history,
            folder,
            announcer,
            time,
            owed: Mutex::default(),
            settling: Mutex::default(),
            own,
            written: Mutex::default(),
        }
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        self.history.ledger().store()
    }

    /// Refuses changes of a folder that was opened read-only.
    pub(crate) fn writable(&self) -> io::Result<()> {
        self.folder.as_ref().map_or(Ok(()), |folder| folder.writable())
    }

    // A list is whole whatever panicked while it was locked.
    fn owed(&self) -> MutexGuard<'_, Owed> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn written(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that so many lines of a sector's key table are stored.
    pub(crate) fn wrote_lines(&self, sector: &str, lines: usize) {
        self.written().insert(sector.into(), lines as u64);
    }

    fn lines(&self, sector: &str, keys: &KeyTable) -> KeyLines {
        let first = self.written().get(sector).copied().unwrap_or(0);
        let lines = keys.lines_from(usize::try_from(first).unwrap_or(usize::MAX)).collect();
        KeyLines { sector: sector.into(), first, lines }
    }

    /// Commits versions of one generation, and before them what their sectors still owe; gives the receipts' ids.
    pub(crate) fn commit(&self, records: &[Record<'_>]) -> Result<Vec<String>, JournalError> {
        self.writable()?;
        // Taken out, so that nothing is locked while the disk is waited for; the sectors' own locks keep their versions in order.
        let before = self.owed().take(|name| records.iter().any(|record| record.sector == name));
        let owed = before.iter().map(|(sector, version)| new_version(sector, version, true));
        let new = records.iter().map(|record| new_version(record.sector, record.version, record.emergency));
        let versions: Vec<_> = owed.chain(new).collect();
        let lines = records.iter().map(|record| self.lines(record.sector, record.keys)).collect();
        match self.history.commit(&versions, lines) {
            Ok(mut appended) => {
                records.iter().for_each(|record| self.wrote_lines(record.sector, record.keys.line_count()));
                let new = appended.split_off(before.len());
                for ((_, version), receipt) in before.iter().zip(appended) {
                    _ = version.receipt.set(receipt.id);
                }
                Ok(new.into_iter().map(|receipt| receipt.id).collect())
            }
            Err(error) => {
                self.owed().versions.splice(..0, before);
                Err(error.into())
            }
        }
    }

    pub(crate) fn declare(
        &self,
        sector: &str,
        declared: &Document,
        keys: &KeyTable,
        epoch: u64,
    ) -> Result<(), JournalError> {
        self.writable()?;
        self.history.declare(declared.to_json(), self.lines(sector, keys), epoch, self.time.now_ns())?;
        self.wrote_lines(sector, keys.line_count());
        Ok(())
    }

    /// The version that has the content of `target` and is recorded: behind emergency rollbacks that are not yet.
    pub(crate) fn recorded(&self, sector: &str, target: u64) -> u64 {
        let owed = self.owed();
        let mut target = target;
        while let Some((_, version)) = owed.versions.iter().find(|(name, v)| name == sector && v.number == target) {
            target = version.rollback_of.unwrap_or(0);
        }
        target
    }

    /// Takes up an emergency rollback that could not be recorded; a job tries until it is.
    pub(crate) fn owe(self: &Arc<Durable>, sector: &str, version: &Arc<Version>) -> io::Result<()> {
        let mut owed = self.owed();
        owed.versions.push((sector.into(), version.clone()));
        if std::mem::replace(&mut owed.settling, true) {
            return Ok(());
        }
        drop(owed);
        let durable = Arc::downgrade(self);
        let turn = move |run: &Context<'_>| durable.upgrade().map_or(Step::Done, |durable| durable.turn(run.slice()));
        let job = self.own.begin("owed receipts", URGENT, turn).map_err(io::Error::other)?;
        let before = self.settling.lock().unwrap_or_else(PoisonError::into_inner).replace(job);
        // One that has ended.
        drop(before);
        Ok(())
    }

    /// Waits first, then tries, and waits longer and longer.
    fn turn(&self, slice: u32) -> Step {
        let mut owed = self.owed();
        if slice > 0 && self.settle_locked(&mut owed) {
            owed.settling = false;
            return Step::Done;
        }
        Step::After(RETRY[0].saturating_mul(1 << slice.min(16)).min(RETRY[1]))
    }

    /// Records what is owed, sector by sector; whether nothing is any more.
    pub(crate) fn settle(&self) -> bool {
        self.settle_locked(&mut self.owed())
    }

    fn settle_locked(&self, owed: &mut Owed) -> bool {
        while let Some((sector, _)) = owed.versions.first().cloned() {
            let of_sector = owed.take(|name| name == sector);
            let versions: Vec<_> = of_sector.iter().map(|(_, version)| new_version(&sector, version, true)).collect();
            match self.history.commit(&versions, Vec::new()) {
                Ok(appended) => {
                    for ((_, version), receipt) in of_sector.iter().zip(appended) {
                        _ = version.receipt.set(receipt.id);
                        let line = format!("{sector}: emergency rollback {} is recorded now", version.number);
                        self.announcer.log(Level::Info, "promotion", line);
                    }
                }
                Err(error) => {
                    tracing::warn!(sector, %error, "an emergency rollback cannot be recorded yet");
                    owed.versions.splice(..0, of_sector);
                    return false;
                }
            }
        }
        true
    }

    /// Records what can be recorded and closes the store.
    pub(crate) fn close(&self) {
        let settling = self.settling.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(settling);
        if self.writable().is_ok() {
            self.settle();
        }
        if let Err(error) = self.store().close() {
            self.announcer.log(Level::Error, "store", format!("the store was not closed in order: {error}"));
        }
        if let Some(folder) = &self.folder {
            folder.release();
        }
    }
}

impl Owed {
    /// Takes versions out, oldest first.
    fn take(&mut self, of: impl Fn(&str) -> bool) -> Vec<(String, Arc<Version>)> {
        self.versions.extract_if(.., |(name, _)| of(name)).collect()
    }
}

fn new_version<'v>(sector: &'v str, version: &'v Version, emergency: bool) -> NewVersion<'v> {
    NewVersion {
        sector,
        number: version.number,
        snapshot: &version.snapshot,
        before: version.before.as_deref(),
        parent: version.parent,
        merges: version.origin.merges,
        depends: version.origin.depends.as_deref(),
        links: &version.links,
        epoch: version.epoch,
        time_ns: version.time_ns,
        by: &version.origin.by,
        why: &version.origin.why,
        major: version.origin.major,
        rollback_of: version.rollback_of,
        emergency,
    }
}

/// The system's clock, in nanoseconds since 1970 (UTC): for people and for as-of, never for ordering.
pub(crate) fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// What a journal's error says, if it is the history's.
pub(crate) fn cause(error: JournalError) -> Result<VersionError, JournalError> {
    error.downcast::<VersionError>().map(|error| *error)
}
