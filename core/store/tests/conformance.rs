//! Every implementation of the store passes the same suite.

use std::sync::atomic::{AtomicU32, Ordering};

use knhk_store::{MemoryStore, SqliteStore, conformance};

#[test]
fn memory() {
    conformance::suite(MemoryStore::new);
}

#[test]
fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let number = AtomicU32::new(0);
    conformance::suite(|| {
        let name = format!("{}.db", number.fetch_add(1, Ordering::Relaxed));
        SqliteStore::open(&folder.path().join(name)).unwrap()
    });
}
