//! A history in memory, and sectors whose versions are promoted from JSON.

use std::sync::{Arc, LazyLock};

use knhk_ledger::{Ledger, Signer};
use knhk_ontology::{Core, Document, Limits, Snapshot};
use knhk_store::{Batch, MemoryStore, SectorRecord, Store, Write};
use knhk_version::{History, NewVersion, VersionError};

pub struct World {
    pub store: Arc<MemoryStore>,
    pub history: History,
}

/// What is committed of a version besides its content.
#[derive(Clone, Copy, Default)]
pub struct Made<'m> {
    pub by: &'m str,
    pub why: &'m str,
    pub major: bool,
    pub parents: &'m [u64],
    pub depends: Option<&'m [(String, u64)]>,
    pub rollback_of: Option<u64>,
    pub emergency: bool,
}

impl World {
    pub fn new(sectors: &[&str]) -> World {
        let store = Arc::new(MemoryStore::new());
        let (ledger, _) = Ledger::create(store.clone(), "knhk.test/log", Signer::from_seed(&[1; 32]), 1).unwrap();
        let history = History::new(Arc::new(ledger));
        for (number, name) in (0..).zip(sectors) {
            let record = SectorRecord { name: (*name).into(), number, kind: "direct".into(), time_ns: 1 };
            history.create_sector(record).unwrap();
        }
        World { store, history }
    }

    /// Commits a version after the newest one of its sector; gives its number. Its time is a hundred times the number.
    pub fn commit(&self, sector: &str, snapshot: &Snapshot, made: Made<'_>) -> u64 {
        self.try_commit(sector, snapshot, made).unwrap()
    }

    pub fn try_commit(&self, sector: &str, snapshot: &Snapshot, made: Made<'_>) -> Result<u64, VersionError> {
        let newest = self.history.versions(sector, None, 1).unwrap().pop();
        let before = newest.as_ref().map(|newest| self.history.load(newest, &empty(sector)).unwrap().0);
        let before = before.filter(|before| before.over() == snapshot.over());
        let number = newest.as_ref().map_or(1, |newest| newest.number + 1);
        let parents: Vec<u64> = match made.parents {
            [] => newest.iter().map(|newest| newest.number).collect(),
            parents => parents.to_vec(),
        };
        let version = NewVersion {
            sector,
            number,
            snapshot,
            before: before.as_ref(),
            parent: parents.first().copied(),
            merges: parents.get(1).copied(),
            depends: made.depends,
            links: &[],
            epoch: self.store.log_size().unwrap(),
            time_ns: 100 * number,
            by: made.by,
            why: made.why,
            major: made.major,
            rollback_of: made.rollback_of,
            emergency: made.emergency,
        };
        self.history.commit(&[version], Vec::new())?;
        Ok(number)
    }

    /// Removes a version as retention does.
    pub fn prune(&self, sector: &str, number: u64) {
        self.store.commit(Batch::new().with(Write::PruneVersion { sector: sector.into(), number })).unwrap();
    }

    /// Commits what a document says.
    pub fn promote(&self, sector: &str, json: &str, made: Made<'_>) -> u64 {
        self.commit(sector, &snapshot(sector, json), made)
    }
}

pub fn empty(sector: &str) -> Snapshot {
    // Read once: reading it takes most of the time that a test would.
    static CORE: LazyLock<Core> = LazyLock::new(Core::shipped);
    Snapshot::empty(sector, &CORE, &Limits::default())
}

pub fn snapshot(sector: &str, json: &str) -> Snapshot {
    of_json(&empty(sector), json)
}

pub fn of_json(base: &Snapshot, json: &str) -> Snapshot {
    let document = Document::parse(json.as_bytes(), base.limits()).unwrap();
    base.apply(&base.change_to(&document).unwrap()).unwrap()
}
