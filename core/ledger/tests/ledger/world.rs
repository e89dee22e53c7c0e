//! A log with some of everything, on the disk.

use std::path::PathBuf;
use std::sync::Arc;

use knhk_ledger::{
    Entry, Evidence, Hash, Ledger, Outcome, Signer, TrustRoot, Verified, VerifyOptions, observations_root, verify,
};
use knhk_store::{Batch, SectorRecord, Segment, Snapshot, SqliteStore, Store, VersionRecord, Write};
use tempfile::TempDir;

pub const ORIGIN: &str = "example.org/orders";
pub const RECORD: usize = 64;

pub fn signer(seed: u8) -> Signer {
    Signer::from_seed(&[seed; 32])
}

pub fn entry(time_ns: u64, sector: Option<&str>, evidence: Evidence) -> Entry {
    Entry { time_ns, sector: sector.map(Into::into), outcome: Outcome::Approved, evidence, links: Vec::new() }
}

pub fn updated(time_ns: u64) -> Entry {
    let evidence = Evidence::SectorUpdated { change: format!("change {time_ns}"), by: "desk".into(), why: "so".into() };
    entry(time_ns, Some("orders"), evidence)
}

pub fn content(number: u64) -> Hash {
    std::array::from_fn(|at| (number as u8).wrapping_add(at as u8))
}

/// Observations of a batch, one after another.
pub fn observations(batch: u64, count: usize) -> Vec<u8> {
    (0..count * RECORD).map(|at| (at as u64).wrapping_mul(31).wrapping_add(batch) as u8).collect()
}

pub struct World {
    pub folder: TempDir,
    pub store: Arc<SqliteStore>,
    pub ledger: Ledger,
    pub root: TrustRoot,
}

impl World {
    /// A log that has only its first receipt.
    pub fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("store.db")).unwrap());
        let (ledger, root) = Ledger::create(store.clone(), ORIGIN, signer(1), 1000).unwrap();
        World { folder, store, ledger, root }
    }

    /// Promotions, observations, a rotation and `more` small receipts.
    pub fn full(more: u64) -> World {
        let world = World::new();
        let sector = SectorRecord { name: "orders".into(), number: 0, kind: "direct".into(), time_ns: 1 };
        world.store.commit(Batch::new().with(Write::Sector(sector))).unwrap();
        world.promote(1, 1);
        world.promote(2, 2);
        world.observe(0, 100);
        world.observe(1, 1);
        world.ledger.append((0..more).map(|n| updated(2000 + n)).collect()).unwrap();
        world.ledger.rotate(signer(2), 3000, Batch::new()).unwrap();
        world.promote(3, 1);
        world.observe(2, 33);
        world
    }

    pub fn promote(&self, version: u64, snapshot: u64) {
        let evidence = Evidence::SnapshotPromoted {
            version,
            snapshot: Some(content(snapshot)),
            before: version.checked_sub(1).map(content),
            parents: vec![],
            depends: vec![],
            major: None,
            epoch: version,
            by: "desk".into(),
            why: "it is time".into(),
            refused: None,
        };
        let row = |receipt| VersionRecord {
            sector: "orders".into(),
            number: version,
            snapshot: content(snapshot),
            parents: vec![],
            epoch: version,
            time_ns: version,
            receipt: Some(receipt),
            by: "desk".into(),
            why: "it is time".into(),
            major: false,
            rollback_of: None,
            core: None,
            depends: vec![],
        };
        self.ledger
            .append_with(vec![entry(1500 + version, Some("orders"), evidence)], |receipts| {
                Batch::new()
                    .with(Write::Snapshot(Snapshot::whole(content(snapshot), b"<a> <b> <c> .\n".to_vec())))
                    .with(Write::Version(row(receipts[0].number)))
            })
            .unwrap();
    }

    pub fn observe(&self, segment: u64, count: usize) {
        let records = observations(segment, count);
        let root = observations_root(&records, RECORD).unwrap();
        let (first_ns, last_ns, count) = (segment, segment + 1, count as u64);
        let evidence = Evidence::ObservationsIngested {
            segment,
            count,
            record_bytes: RECORD as u64,
            root,
            first_ns,
            last_ns,
            refused: 0,
        };
        self.ledger
            .append_with(vec![entry(1700 + segment, Some("orders"), evidence)], |receipts| {
                Batch::new().with(Write::Segment(Segment {
                    number: segment,
                    sector: "orders".into(),
                    first_ns,
                    last_ns,
                    count,
                    record_bytes: RECORD as u32,
                    root,
                    receipt: Some(receipts[0].number),
                    content: Some(zstd::bulk::compress(&records, 1).unwrap()),
                }))
            })
            .unwrap();
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    pub fn verify(&self) -> Result<Verified, knhk_ledger::LedgerError> {
        verify(&*self.store, &self.root, VerifyOptions::default(), &mut |_| true)
    }

    /// Changes the file behind the engine's back.
    pub fn tamper(&self, sql: &str) {
        let tool = rusqlite::Connection::open(self.path()).unwrap();
        tool.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA busy_timeout = 5000").unwrap();
        tool.execute_batch(sql).unwrap();
    }
}
