//! Items and what versions of other sectors a version needs: written, read, and refused where they do not fit.

use super::{commit, conflict, hash, missing, receipt, sector, version};
use crate::{Item, Snapshot, Store, VersionRecord, Write};

pub(super) fn item(id: &str, revision: u64) -> Item {
    Item {
        kind: "proposal".into(),
        id: id.into(),
        revision,
        sector: Some("orders".into()),
        time_ns: 10 * revision,
        open: revision < 3,
        body: format!("{{\"revision\": {revision}}}").into(),
        receipt: None,
    }
}

pub(super) fn items(store: &dyn Store) {
    let ids = |kind: &str, sector: Option<&str>, open_only| -> Vec<(String, u64)> {
        let items = store.items(kind, sector, open_only).expect("items are readable");
        items.into_iter().map(|item| (item.id, item.revision)).collect()
    };
    let add = |item| commit(store, [Write::Item(item)]);
    assert_eq!(ids("proposal", None, false), []);
    assert_eq!(store.item("proposal", "p-1"), Ok(None));
    missing(store, [Write::Item(item("p-1", 1))]);
    commit(store, [sector("orders", 0), sector("quotes", 1), Write::Receipt(receipt(0))]);
    (1..=3).for_each(|revision| add(item("p-1", revision)));
    add(item("p-2", 1));
    let quotes = Item { sector: Some("quotes".into()), time_ns: 1, receipt: Some(0), ..item("p-0", 1) };
    add(quotes.clone());
    let everywhere = Item { sector: None, time_ns: u64::MAX >> 1, body: vec![0, 255], ..item("p-9", 1) };
    add(everywhere.clone());
    add(Item { kind: "schedule".into(), open: false, ..item("p-1", 1) });

    let named = |ids: &[(&str, u64)]| ids.iter().map(|&(id, revision)| (id.to_owned(), revision)).collect::<Vec<_>>();
    assert_eq!(ids("proposal", None, false), named(&[("p-0", 1), ("p-2", 1), ("p-1", 3), ("p-9", 1)]));
    assert_eq!(ids("proposal", None, true), named(&[("p-0", 1), ("p-2", 1), ("p-9", 1)]), "p-1 is settled");
    assert_eq!(ids("proposal", Some("orders"), false), named(&[("p-2", 1), ("p-1", 3)]));
    assert_eq!(ids("proposal", Some("orders"), true), named(&[("p-2", 1)]));
    assert_eq!(ids("schedule", None, false), named(&[("p-1", 1)]));
    assert_eq!(store.item("proposal", "p-1"), Ok(Some(item("p-1", 3))));
    assert_eq!(store.item("proposal", "p-0"), Ok(Some(quotes)));
    assert_eq!(store.item("proposal", "p-9"), Ok(Some(everywhere)));
    assert_eq!(store.item("schedule", "p-2"), Ok(None));
    assert_eq!(store.item_history("proposal", "p-1"), Ok((1..=3).map(|revision| item("p-1", revision)).collect()));
    assert_eq!(store.item_history("proposal", "p-3"), Ok(vec![]));
    add(Item { open: true, ..item("p-1", 4) });
    assert_eq!(ids("proposal", Some("orders"), true), named(&[("p-2", 1), ("p-1", 4)]), "it is open again");

    let newest = |sector: Option<&str>, open_only, before: Option<&str>, limit| -> Vec<String> {
        let items = store.newest_items("proposal", sector, open_only, before, limit).expect("items are readable");
        items.into_iter().map(|item| item.id).collect()
    };
    add(Item { open: false, ..item("p-10", 1) });
    assert_eq!(newest(None, false, None, 10), ["p-10", "p-9", "p-2", "p-1", "p-0"]);
    assert_eq!(newest(None, false, None, 2), ["p-10", "p-9"]);
    assert_eq!(newest(None, false, Some("p-10"), 2), ["p-9", "p-2"]);
    assert_eq!(newest(Some("orders"), false, Some("p-9"), 10), ["p-2", "p-1"]);
    assert_eq!(newest(Some("orders"), true, None, usize::MAX), ["p-2", "p-1"], "p-10 is settled");
    assert_eq!(newest(Some("trades"), false, None, 10), [""; 0]);
    assert_eq!(newest(None, false, None, 0), [""; 0]);

    conflict(store, [Write::Item(item("p-1", 4))]);
    conflict(store, [Write::Item(item("p-1", 6))]);
    conflict(store, [Write::Item(item("p-3", 2))]);
    conflict(store, [Write::Item(Item { sector: None, ..item("p-1", 5) })]);
    missing(store, [Write::Item(Item { receipt: Some(7), ..item("p-1", 5) })]);
    missing(store, [Write::Item(Item { sector: Some("trades".into()), ..item("p-3", 1) })]);
    // A batch that is refused leaves the newest revision what it was.
    conflict(store, [Write::Item(item("p-1", 5)), Write::Item(item("p-1", 5))]);
    assert_eq!(ids("proposal", Some("orders"), true), named(&[("p-2", 1), ("p-1", 4)]));
}

pub(super) fn dependencies(store: &dyn Store) {
    let needing = |number, depends: &[(&str, u64)]| {
        let depends = depends.iter().map(|&(sector, at)| (sector.to_owned(), at)).collect();
        VersionRecord { depends, ..version("orders", number, hash(0)) }
    };
    let versions =
        [needing(1, &[]), needing(2, &[("quotes", 7), ("trades", 3)]), needing(4, &[("trades", 5)]), needing(5, &[])];
    commit(store, [sector("orders", 0), sector("quotes", 1), sector("trades", 2)]);
    commit(store, [Write::Snapshot(Snapshot::whole(hash(0), vec![]))]);
    for version in &versions {
        commit(store, [Write::Version(version.clone())]);
    }
    let newest_first: Vec<VersionRecord> = versions.iter().rev().cloned().collect();
    assert_eq!(store.versions("orders", None, 10), Ok(newest_first.clone()));
    assert_eq!(store.versions("orders", Some(5), 2), Ok(newest_first[1..3].to_vec()));
    assert_eq!(store.version("orders", 2), Ok(Some(versions[1].clone())));
    assert_eq!(store.version_at("orders", 450), Ok(Some(versions[2].clone())));
    missing(store, [Write::Version(needing(6, &[("elsewhere", 1)]))]);
    commit(store, [Write::PruneVersion { sector: "orders".into(), number: 2 }]);
    assert_eq!(store.versions("orders", Some(5), 2), Ok(vec![versions[2].clone(), versions[0].clone()]));
}
