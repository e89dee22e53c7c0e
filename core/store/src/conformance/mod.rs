//! What every store must do, as functions that a test calls with an empty store. Each panics with what is wrong.

mod contents;
mod items;

use std::sync::Arc;

use crate::{
    Batch, Hash, Item, KeyLine, LogNode, Receipt, SectorRecord, Setting, Snapshot, Store, StoreError, Tag,
    VersionRecord, Write,
};

/// Runs the whole suite; `fresh` makes an empty store.
pub fn suite<S: Store + 'static>(mut fresh: impl FnMut() -> S) {
    contents::receipts(&fresh());
    contents::log_and_checkpoints(&fresh());
    contents::snapshots(&fresh());
    contents::versions_and_tags(&fresh());
    contents::pruning(&fresh());
    contents::doctrine(&fresh());
    items::items(&fresh());
    items::dependencies(&fresh());
    contents::segments(&fresh());
    contents::keys_and_settings(&fresh());
    contents::states(&fresh());
    a_promotion_is_one(&fresh());
    what_is_refused_changes_nothing(&fresh());
    limits(&fresh());
    callers_at_once(Arc::new(fresh()));
    closing(&fresh());
}

/// A receipt whose content follows from its number.
pub fn receipt(number: u64) -> Receipt {
    let sector = (!number.is_multiple_of(3)).then(|| "orders".to_owned());
    Receipt {
        number,
        id: Receipt::name(1000 + number, sector.as_deref(), number),
        time_ns: 1000 + number,
        sector,
        kind: if number.is_multiple_of(2) { "snapshot promoted" } else { "sector updated" }.into(),
        outcome: "approved".into(),
        statement: number.to_be_bytes().repeat(16),
        leaf: hash(number),
    }
}

/// A hash that follows from a number.
pub fn hash(number: u64) -> Hash {
    let mut hash = [7; 32];
    hash[..8].copy_from_slice(&number.to_be_bytes());
    hash
}

fn sector(name: &str, number: u32) -> Write {
    Write::Sector(SectorRecord { name: name.into(), number, kind: "direct".into(), time_ns: 5 })
}

fn version(sector: &str, number: u64, snapshot: Hash) -> VersionRecord {
    VersionRecord {
        sector: sector.into(),
        number,
        snapshot,
        parents: number.checked_sub(1).into_iter().collect(),
        epoch: number,
        time_ns: 100 * number,
        receipt: None,
        by: "a desk".into(),
        why: "it's \"right\"".into(),
        major: number.is_multiple_of(2),
        rollback_of: number.checked_sub(2),
        core: (number > 1).then(|| hash(number)),
        depends: Vec::new(),
    }
}

fn tag(name: &str, version: u64) -> Write {
    Write::Tag(Tag { sector: "orders".into(), name: name.into(), version, time_ns: 9, by: "a desk".into() })
}

fn commit<const N: usize>(store: &dyn Store, writes: [Write; N]) {
    store.commit(writes.into_iter().collect()).expect("the batch fits");
}

fn refused<const N: usize>(store: &dyn Store, writes: [Write; N]) -> StoreError {
    store.commit(writes.into_iter().collect()).expect_err("the batch does not fit")
}

fn conflict<const N: usize>(store: &dyn Store, writes: [Write; N]) {
    let error = refused(store, writes);
    assert!(matches!(error, StoreError::Conflict { .. }), "{error:?}");
}

fn missing<const N: usize>(store: &dyn Store, writes: [Write; N]) {
    let error = refused(store, writes);
    assert!(matches!(error, StoreError::Missing { .. }), "{error:?}");
}

fn numbers(receipts: &[Receipt]) -> Vec<u64> {
    receipts.iter().map(|receipt| receipt.number).collect()
}

fn a_promotion_is_one(store: &dyn Store) {
    commit(store, [sector("orders", 0)]);
    let promotion = |version: VersionRecord| {
        [
            Write::Receipt(receipt(0)),
            Write::Snapshot(Snapshot::whole(hash(0), b"a\n".to_vec())),
            Write::Version(version),
            Write::KeyLine(KeyLine { sector: "orders".into(), number: 0, text: "max_qty".into() }),
        ]
    };
    // The version names a snapshot that is nowhere: its receipt and snapshot must not stay either.
    missing(store, promotion(version("orders", 1, hash(1))));
    assert_eq!(store.log_size(), Ok(0));
    assert_eq!(store.snapshot(&hash(0)), Ok(None));
    assert_eq!(store.key_lines("orders", 0), Ok(vec![]));
    commit(store, promotion(VersionRecord { receipt: Some(0), ..version("orders", 1, hash(0)) }));
    assert_eq!(store.log_size(), Ok(1));
    assert_eq!(store.version("orders", 1).expect("versions are readable").map(|found| found.receipt), Some(Some(0)));
    assert_eq!(store.key_lines("orders", 0), Ok(vec!["max_qty".to_owned()]));
}

fn what_is_refused_changes_nothing(store: &dyn Store) {
    let set = |name: &str, value: &str| Write::Setting(Setting { name: name.into(), value: Some(value.into()) });
    commit(store, [sector("orders", 0), set("a", "before")]);
    conflict(store, [set("a", "after"), set("b", "new"), sector("quotes", 1), sector("gap", 3)]);
    assert_eq!(store.setting("a"), Ok(Some("before".into())));
    assert_eq!(store.setting("b"), Ok(None));
    assert_eq!(store.sectors().expect("sectors are readable").len(), 1);
    // Whatever else was on its way is not touched by a refusal beside it.
    let pending: Vec<_> = (0..50)
        .map(|n| {
            let write = if n % 2 == 0 { set(&format!("s{n}"), "x") } else { sector("orders", 7) };
            store.submit(Batch::new().with(write)).expect("the store takes batches")
        })
        .collect();
    for (n, pending) in pending.into_iter().enumerate() {
        assert_eq!(pending.wait().is_ok(), n % 2 == 0, "batch {n}");
        assert_eq!(store.setting(&format!("s{n}")).expect("settings are readable").is_some(), n % 2 == 0);
    }
    store.commit(Batch::new()).expect("an empty batch changes nothing");
}

fn limits(store: &dyn Store) {
    let limit = |write| {
        let error = refused(store, [write]);
        assert!(matches!(error, StoreError::Limit { .. }), "{error:?}");
    };
    limit(Write::Receipt(Receipt { time_ns: u64::MAX, ..receipt(0) }));
    limit(Write::Receipt(Receipt { statement: vec![0; (16 << 20) + 1], ..receipt(0) }));
    limit(Write::Version(VersionRecord { parents: vec![3], ..version("orders", 3, hash(0)) }));
    limit(Write::Version(VersionRecord { rollback_of: Some(4), ..version("orders", 3, hash(0)) }));
    let needs = |depends: &[(&str, u64)]| {
        let depends = depends.iter().map(|&(sector, at)| (sector.to_owned(), at)).collect();
        Write::Version(VersionRecord { depends, ..version("orders", 3, hash(0)) })
    };
    limit(needs(&[("quotes", u64::MAX)]));
    limit(needs(&[("orders", 1)]));
    limit(needs(&[("trades", 1), ("quotes", 1)]));
    limit(needs(&[("quotes", 1), ("quotes", 2)]));
    limit(Write::Item(Item { id: String::new(), ..items::item("p-1", 1) }));
    limit(Write::Item(Item { kind: "x".repeat(1025), ..items::item("p-1", 1) }));
    limit(Write::Item(Item { body: vec![0; (16 << 20) + 1], ..items::item("p-1", 1) }));
    limit(Write::Item(Item { revision: u64::MAX, ..items::item("p-1", 1) }));
    limit(Write::LogNode(LogNode { level: 0, position: 0, hash: hash(0) }));
    limit(Write::Snapshot(Snapshot::whole(hash(0), b"b\na\n".to_vec())));
    limit(Write::Snapshot(Snapshot::whole(hash(0), b"a\na\n".to_vec())));
    limit(Write::Snapshot(Snapshot::whole(hash(0), b"a".to_vec())));
    limit(Write::Snapshot(Snapshot::delta(hash(0), hash(0), vec![], vec![])));
    limit(Write::Snapshot(Snapshot { removed: b"a\n".to_vec(), ..Snapshot::whole(hash(0), vec![]) }));
    assert_eq!(store.log_size(), Ok(0));
}

fn callers_at_once<S: Store + 'static>(store: Arc<S>) {
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let store = store.clone();
            std::thread::spawn(move || {
                for number in 0..20 {
                    let name = format!("{caller}/{number}");
                    let set = Write::Setting(Setting { name: name.clone(), value: Some("x".into()) });
                    store.commit(Batch::new().with(set)).expect("the batch fits");
                    assert_eq!(store.setting(&name), Ok(Some("x".into())), "what is acknowledged is readable at once");
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().expect("no caller panics"));
}

fn closing(store: &dyn Store) {
    let set = || Write::Setting(Setting { name: "a".into(), value: Some("1".into()) });
    let pending = store.submit(Batch::new().with(set())).expect("the store takes batches");
    store.close().expect("the store closes");
    assert_eq!(pending.wait(), Ok(()), "what was handed in before is written");
    assert!(matches!(store.submit(Batch::new().with(set())), Err(StoreError::Closed)));
    store.close().expect("closing again is no matter");
}
