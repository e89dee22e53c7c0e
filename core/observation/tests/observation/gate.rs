//! A store in memory whose door can be shut: what is handed in waits, or is refused.

use std::ops::Range;
use std::path::Path;
use std::sync::{Condvar, Mutex};

use knhk_store::{
    Batch, Checkpoint, Hash, Item, MemoryStore, Pending, Progress, PublicKey, Receipt, ReceiptQuery, Rule,
    SectorRecord, Segment, SegmentQuery, Store, StoreError, Tag, VersionRecord,
};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Open,
    /// Who comes waits until it is open again.
    Stuck,
    /// Who comes is sent away.
    Shut,
}

pub struct Gate {
    store: MemoryStore,
    door: Mutex<Door>,
    moved: Condvar,
}

impl Gate {
    pub fn new() -> Gate {
        Gate { store: MemoryStore::new(), door: Mutex::new(Door::Open), moved: Condvar::new() }
    }

    pub fn set(&self, door: Door) {
        *self.door.lock().unwrap() = door;
        self.moved.notify_all();
    }

    fn pass(&self) -> Result<(), StoreError> {
        let door = self.moved.wait_while(self.door.lock().unwrap(), |door| *door == Door::Stuck).unwrap();
        if *door == Door::Shut { Err(StoreError::Full { path: "gate".into() }) } else { Ok(()) }
    }
}

macro_rules! through {
    ($(fn $name:ident(&self $(, $argument:ident: $type:ty)*) -> $found:ty;)*) => {
        $(fn $name(&self $(, $argument: $type)*) -> Result<$found, StoreError> {
            self.store.$name($($argument),*)
        })*
    };
}

impl Store for Gate {
    fn submit(&self, batch: Batch) -> Result<Pending, StoreError> {
        self.pass()?;
        self.store.submit(batch)
    }

    through! {
        fn log_size(&self) -> u64;
        fn receipt(&self, number: u64) -> Option<Receipt>;
        fn receipt_by_id(&self, id: &str) -> Option<Receipt>;
        fn receipts(&self, query: &ReceiptQuery) -> Vec<Receipt>;
        fn log_nodes(&self, level: u8, positions: Range<u64>) -> Vec<Hash>;
        fn checkpoint(&self, size: u64) -> Option<Checkpoint>;
        fn checkpoints(&self, from: u64) -> Vec<Checkpoint>;
        fn snapshot(&self, id: &Hash) -> Option<Vec<u8>>;
        fn snapshot_depth(&self, id: &Hash) -> Option<u64>;
        fn loose_snapshots(&self) -> Vec<Hash>;
        fn sectors(&self) -> Vec<SectorRecord>;
        fn versions(&self, sector: &str, before: Option<u64>, limit: usize) -> Vec<VersionRecord>;
        fn version(&self, sector: &str, number: u64) -> Option<VersionRecord>;
        fn version_at(&self, sector: &str, time_ns: u64) -> Option<VersionRecord>;
        fn tags(&self, sector: &str) -> Vec<Tag>;
        fn rules(&self) -> Vec<Rule>;
        fn rule_history(&self, id: &str) -> Vec<Rule>;
        fn items(&self, kind: &str, sector: Option<&str>, open_only: bool) -> Vec<Item>;
        fn newest_items(&self, kind: &str, sector: Option<&str>, open_only: bool, before: Option<&str>, limit: usize) -> Vec<Item>;
        fn item(&self, kind: &str, id: &str) -> Option<Item>;
        fn item_history(&self, kind: &str, id: &str) -> Vec<Item>;
        fn segment_count(&self) -> u64;
        fn segment(&self, number: u64) -> Option<Segment>;
        fn segments(&self, query: &SegmentQuery) -> Vec<Segment>;
        fn key_lines(&self, sector: &str, from: u64) -> Vec<String>;
        fn public_keys(&self) -> Vec<PublicKey>;
        fn states(&self, name: &str) -> Vec<(u64, bool)>;
        fn state(&self, name: &str, number: u64) -> Option<Vec<u8>>;
        fn setting(&self, name: &str) -> Option<String>;
        fn backup(&self, to: &Path, progress: &mut dyn FnMut(Progress) -> bool) -> ();
        fn close(&self) -> ();
    }
}
