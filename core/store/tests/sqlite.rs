//! The embedded store as a file: opened again, read by others, backed up, restored, damaged.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use knhk_store::conformance::{hash, receipt};
use knhk_store::{
    Batch, Progress, SectorRecord, Setting, Snapshot, SqliteOptions, SqliteStore, Store, StoreError, VersionRecord,
    Write, restore, verify,
};

fn receipts(numbers: std::ops::Range<u64>) -> Batch {
    numbers.map(|number| Write::Receipt(receipt(number))).collect()
}

fn promoted() -> Batch {
    let sector = SectorRecord { name: "orders".into(), number: 0, kind: "direct".into(), time_ns: 1 };
    let version = VersionRecord {
        sector: "orders".into(),
        number: 1,
        snapshot: hash(0),
        parents: vec![],
        epoch: 1,
        time_ns: 1_700_000_000_123_456_789,
        receipt: Some(0),
        by: "desk".into(),
        why: "first".into(),
        major: false,
        rollback_of: None,
        core: None,
        depends: vec![],
    };
    receipts(0..1)
        .with(Write::Sector(sector))
        .with(Write::Snapshot(Snapshot::whole(hash(0), b"<a> <b> <c> .\n".to_vec())))
        .with(Write::Version(version))
}

#[test]
fn what_was_committed_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    store.commit(promoted()).unwrap();
    drop(store);
    assert!(!folder.path().join("store.db-wal").exists(), "a store that was closed in order is one file");
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.receipt(0), Ok(Some(receipt(0))));
    assert_eq!(store.snapshot(&hash(0)), Ok(Some(b"<a> <b> <c> .\n".to_vec())));
}

#[test]
fn another_reads_while_it_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    store.commit(promoted()).unwrap();
    let other = SqliteStore::open_read_only(&path).unwrap();
    assert_eq!(other.log_size(), Ok(1));
    store.commit(receipts(1..3)).unwrap();
    assert_eq!(other.log_size(), Ok(3));
    assert!(matches!(other.commit(receipts(3..4)), Err(StoreError::Closed)));

    let tool = rusqlite::Connection::open(&path).unwrap();
    let row: (i64, String, String) = tool
        .query_row("SELECT version, snapshot, time FROM history", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    assert_eq!((row.0, row.2.as_str()), (1, "2023-11-14T22:13:20.123456789Z"));
    assert!(row.1.starts_with("0000000000000000070707"), "{}", row.1);
    for view in ["log", "history", "stored_snapshots", "observations", "signing_keys", "doctrine", "governance"] {
        tool.query_row(&format!("SELECT count(*) FROM {view}"), [], |row| row.get::<_, i64>(0)).unwrap();
    }
    let mode: String = tool.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.db");
    fs::write(&path, "not a database, but long enough to be looked at: ".repeat(40)).unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Corrupt { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);

    fs::remove_file(&path).unwrap();
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (a)").unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Foreign { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(matches!(SqliteStore::open_read_only(&folder.path().join("none.db")), Err(StoreError::Io { .. })));
}

#[test]
fn a_store_of_a_later_library_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    SqliteStore::open(&path).unwrap().close().unwrap();
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 999").unwrap();
    let error = SqliteStore::open(&path).err().unwrap();
    assert!(matches!(error, StoreError::Newer { found: 999, .. }), "{error:?}");
    assert!(error.to_string().contains("schema 999"), "{error}");
}

#[test]
fn a_backup_under_load_is_one_moment_and_restores() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let store = Arc::new(SqliteStore::open(&at("store.db")).unwrap());
    // Each batch sets two settings alike: a copy between two batches has them alike too.
    let set = |n: u64| -> Batch {
        let write = |name: &str| Write::Setting(Setting { name: name.into(), value: Some(n.to_string()) });
        receipts(n..n + 1).with(write("a")).with(write("b"))
    };
    for n in 0..2000 {
        store.submit(set(n)).unwrap();
    }
    store.commit(Batch::new()).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let (started, wait) = std::sync::mpsc::channel();
    let load = std::thread::spawn({
        let (store, stop) = (store.clone(), stop.clone());
        move || {
            let mut n = 2000;
            while !stop.load(Ordering::Relaxed) {
                store.commit(set(n)).unwrap();
                n += 1;
                _ = started.send(());
            }
            n
        }
    });
    wait.recv().unwrap();
    let mut reports: Vec<Progress> = Vec::new();
    store
        .backup(&at("copy.db"), &mut |progress| {
            reports.push(progress);
            // The copy goes on only once another batch came between.
            wait.recv().is_ok()
        })
        .unwrap();
    stop.store(true, Ordering::Relaxed);
    drop(wait);
    let written = load.join().unwrap();
    assert!(reports.len() > 1 && reports.is_sorted_by_key(|progress| progress.done), "{reports:?}");
    assert_eq!(reports.last().map(|progress| progress.done), reports.last().map(|progress| progress.total));

    let mut checked = 0;
    restore(&at("copy.db"), &at("restored.db"), &mut |copy| {
        checked += 1;
        let size = copy.log_size()?;
        assert!(size > 2000 && size < written, "{size} of {written}");
        assert_eq!(copy.setting("a")?, Some((size - 1).to_string()));
        assert_eq!(copy.setting("b")?, copy.setting("a")?);
        Ok(())
    })
    .unwrap();
    assert_eq!(checked, 1);
    let restored = SqliteStore::open(&at("restored.db")).unwrap();
    let size = restored.log_size().unwrap();
    restored.commit(receipts(size..size + 1)).unwrap();
    assert_eq!(names(folder.path(), "restoring"), [""; 0]);
}

fn names(folder: &Path, part: &str) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains(part)).collect()
}

#[test]
fn a_backup_that_is_stopped_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store.db")).unwrap();
    store.commit(receipts(0..100)).unwrap();
    let copy = folder.path().join("copy.db");
    assert_eq!(store.backup(&copy, &mut |_| false), Err(StoreError::Stopped));
    assert_eq!(names(folder.path(), "copy"), [""; 0]);
    fs::write(&copy, "taken").unwrap();
    assert_eq!(store.backup(&copy, &mut |_| true), Err(StoreError::Exists { path: copy.clone() }));
    assert_eq!(fs::read(&copy).unwrap(), b"taken");
}

#[test]
fn a_damaged_backup_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let store = SqliteStore::open(&at("store.db")).unwrap();
    store.commit(receipts(0..500)).unwrap();
    store.backup(&at("copy.db"), &mut |_| true).unwrap();
    verify(&at("copy.db"), &mut |_| Ok(())).unwrap();

    let mut bytes = fs::read(at("copy.db")).unwrap();
    // The head of a page in the middle: its kind.
    let page = bytes.len() / 8192 / 2 * 8192;
    bytes[page] ^= 0xff;
    fs::write(at("damaged.db"), &bytes).unwrap();
    let refused = restore(&at("damaged.db"), &at("restored.db"), &mut |_| Ok(()));
    assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{refused:?}");

    let refused = restore(&at("copy.db"), &at("restored.db"), &mut |_| Err(StoreError::Stopped));
    assert_eq!(refused, Err(StoreError::Stopped));
    let refused = restore(&at("copy.db"), &at("store.db"), &mut |_| Ok(()));
    assert!(matches!(refused, Err(StoreError::Exists { .. })), "{refused:?}");
    let left: Vec<_> = names(folder.path(), "restor");
    assert_eq!(left, [""; 0]);
}

#[test]
fn a_dangling_reference_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    store.commit(promoted()).unwrap();
    store.close().unwrap();
    let tool = rusqlite::Connection::open(&path).unwrap();
    tool.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM receipts").unwrap();
    drop(tool);
    let error = verify(&path, &mut |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("a row of versions names one of receipts that is not there"), "{error}");
}

#[test]
fn a_receipt_that_its_sector_does_not_find_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    store.commit(receipts(0..600)).unwrap();
    store.close().unwrap();
    verify(&path, &mut |_| Ok(())).unwrap();
    rusqlite::Connection::open(&path).unwrap().execute("DELETE FROM receipt_blocks WHERE block = 1", []).unwrap();
    let error = verify(&path, &mut |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("a receipt is not found by its sector"), "{error}");
}

#[test]
fn a_copy_that_was_made_smaller_is_the_same_store() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let store = SqliteStore::open(&at("store.db")).unwrap();
    store.commit(promoted()).unwrap();
    store.commit(receipts(1..1000)).unwrap();
    let junk = |value| Batch::new().with(Write::Setting(Setting { name: "junk".into(), value }));
    store.commit(junk(Some("x".repeat(1 << 20)))).unwrap();
    store.commit(junk(None)).unwrap();
    store.close().unwrap();
    let tool = rusqlite::Connection::open(at("store.db")).unwrap();
    tool.execute("VACUUM INTO ?1", [at("smaller.db").to_str().unwrap()]).unwrap();
    let size = |name: &str| fs::metadata(at(name)).unwrap().len();
    assert!(size("smaller.db") + (1 << 20) <= size("store.db"), "{} of {}", size("smaller.db"), size("store.db"));
    verify(&at("smaller.db"), &mut |_| Ok(())).unwrap();
    let smaller = SqliteStore::open(&at("smaller.db")).unwrap();
    assert_eq!((smaller.log_size(), smaller.receipt(999)), (Ok(1000), Ok(Some(receipt(999)))));
    smaller.commit(receipts(1000..1001)).unwrap();
}

#[test]
fn what_is_large_does_not_pile_up_in_the_log_of_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let options = SqliteOptions { bytes_per_checkpoint: 4 << 20, ..SqliteOptions::default() };
    let store = SqliteStore::open_with(&path, options).unwrap();
    for n in 0..30 {
        let value = Some(format!("{n}").repeat(1 << 20));
        store.commit(Batch::new().with(Write::Setting(Setting { name: "large".into(), value }))).unwrap();
    }
    let log = fs::metadata(folder.path().join("store.db-wal")).unwrap().len();
    assert!(log < 12 << 20, "{log} bytes");
}

#[test]
fn callers_share_flushes() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store.db")).unwrap();
    let commits = || knhk_store::counters().iter().find(|c| c.name == "knhk.store.commits").unwrap().value();
    let before = commits();
    let pending: Vec<_> = (0..400).map(|n| store.submit(receipts(n..n + 1)).unwrap()).collect();
    pending.into_iter().for_each(|batch| batch.wait().unwrap());
    let shared = commits() - before;
    assert!(shared < 200, "400 batches took {shared} commits");
}
