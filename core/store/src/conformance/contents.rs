//! Each kind of record: written, read, and refused where it does not fit.

use super::{commit, conflict, hash, missing, numbers, receipt, refused, sector, tag, version};
use crate::{
    Checkpoint, Hash, KeyLine, LogNode, PublicKey, Receipt, ReceiptQuery, Rule, Segment, SegmentQuery, Setting,
    Snapshot, State, Store, StoreError, VersionRecord, Write,
};

pub(super) fn receipts(store: &dyn Store) {
    assert_eq!(store.log_size(), Ok(0));
    assert_eq!(store.receipt(0), Ok(None));
    store.commit((0..10).map(|number| Write::Receipt(receipt(number))).collect()).expect("ten receipts fit");
    assert_eq!(store.log_size(), Ok(10));
    assert_eq!(store.receipt(7), Ok(Some(receipt(7))));
    assert_eq!(store.receipt_by_id(&receipt(4).id), Ok(Some(receipt(4))));
    assert_eq!(receipt(4).id, "00000000000003ec-orders-4");
    for other in ["another", "4", "00000000000003ec-orders-5", "00000000000003ec-engine-4", "-99"] {
        assert_eq!(store.receipt_by_id(other), Ok(None));
    }
    let ask = |query: ReceiptQuery| numbers(&store.receipts(&query).expect("receipts are readable"));
    assert_eq!(ask(ReceiptQuery::default()), (0..10).collect::<Vec<_>>());
    assert_eq!(ask(ReceiptQuery { from: 3, to: Some(6), ..Default::default() }), [3, 4, 5]);
    assert_eq!(ask(ReceiptQuery { from: 6, to: Some(3), ..Default::default() }), [0; 0]);
    assert_eq!(ask(ReceiptQuery { newest_first: true, limit: Some(2), ..Default::default() }), [9, 8]);
    let orders = ReceiptQuery { sector: Some("orders".into()), ..Default::default() };
    assert_eq!(ask(orders.clone()), [1, 2, 4, 5, 7, 8]);
    assert_eq!(ask(ReceiptQuery { kind: Some("sector updated".into()), ..orders }), [1, 5, 7]);
    assert_eq!(ask(ReceiptQuery { limit: Some(0), ..Default::default() }), [0; 0]);

    store.commit((10..1000).map(|number| Write::Receipt(receipt(number))).collect()).expect("they fit");
    let of_orders = |number: &u64| !number.is_multiple_of(3);
    let within = |from, to| ReceiptQuery {
        from,
        to: Some(to),
        limit: Some(5),
        sector: Some("orders".into()),
        ..Default::default()
    };
    for (from, to) in [(0, 1000), (250, 260), (256, 257), (511, 513), (700, 0), (0, 0), (900, 2000)] {
        let found: Vec<u64> = (from..to.min(1000)).filter(of_orders).collect();
        assert_eq!(ask(within(from, to)), found[..found.len().min(5)], "{from}..{to}");
        let newest: Vec<u64> = found.iter().rev().copied().take(5).collect();
        assert_eq!(ask(ReceiptQuery { newest_first: true, ..within(from, to) }), newest, "{from}..{to} backwards");
    }
    assert_eq!(ask(ReceiptQuery { sector: Some("other".into()), ..Default::default() }), [0; 0]);

    conflict(store, [Write::Receipt(receipt(999))]);
    conflict(store, [Write::Receipt(receipt(1001))]);
    refused(store, [Write::Receipt(Receipt { id: receipt(3).id, ..receipt(1000) })]);
    assert_eq!(store.log_size(), Ok(1000));
}

pub(super) fn log_and_checkpoints(store: &dyn Store) {
    store.commit((0..5).map(|number| Write::Receipt(receipt(number))).collect()).expect("five receipts fit");
    let node = |position| Write::LogNode(LogNode { level: 1, position, hash: hash(50 + position) });
    commit(store, [node(0), node(1), node(3)]);
    assert_eq!(store.log_nodes(0, 1..4), Ok(vec![hash(1), hash(2), hash(3)]));
    assert_eq!(store.log_nodes(0, 3..9), Ok(vec![hash(3), hash(4)]), "it ends where the log does");
    assert_eq!(store.log_nodes(1, 0..9), Ok(vec![hash(50), hash(51)]), "it ends where one is missing");
    assert_eq!(store.log_nodes(1, 3..4), Ok(vec![hash(53)]));
    assert_eq!(store.log_nodes(2, 0..4), Ok(vec![]));
    conflict(store, [node(1)]);

    let at = |size, note: &str| Checkpoint { size, root: hash(size), time_ns: 3, note: note.into() };
    assert_eq!(store.checkpoint(5), Ok(None));
    commit(store, [Write::Checkpoint(at(2, "two")), Write::Checkpoint(at(4, "four"))]);
    assert_eq!(store.checkpoint(3), Ok(Some(at(2, "two"))));
    assert_eq!(store.checkpoint(u64::MAX), Ok(Some(at(4, "four"))));
    assert_eq!(store.checkpoint(1), Ok(None));
    commit(store, [Write::Checkpoint(at(4, "four again"))]);
    assert_eq!(store.checkpoints(3), Ok(vec![at(4, "four again")]));
    conflict(store, [Write::Checkpoint(at(6, "beyond the log"))]);
}

pub(super) fn snapshots(store: &dyn Store) {
    let text = |lines: &[&str]| lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect::<Vec<u8>>();
    commit(store, [Write::Snapshot(Snapshot::whole(hash(0), text(&["b", "d", "f"])))]);
    let second = Snapshot::delta(hash(1), hash(0), text(&["d"]), text(&["a", "c", "g"]));
    let third = Snapshot::delta(hash(2), hash(1), text(&["a", "g"]), text(&["e"]));
    commit(store, [Write::Snapshot(second), Write::Snapshot(third)]);
    assert_eq!(store.snapshot(&hash(0)), Ok(Some(text(&["b", "d", "f"]))));
    assert_eq!(store.snapshot(&hash(1)), Ok(Some(text(&["a", "b", "c", "f", "g"]))));
    assert_eq!(store.snapshot(&hash(2)), Ok(Some(text(&["b", "c", "e", "f"]))));
    assert_eq!(store.snapshot(&hash(3)), Ok(None));
    assert_eq!(store.snapshot_depth(&hash(2)), Ok(Some(2)));
    assert_eq!(store.snapshot_depth(&hash(3)), Ok(None));
    // One that is there stays as it is, so that committing the same content again is no matter.
    commit(store, [Write::Snapshot(Snapshot::whole(hash(0), text(&["z"])))]);
    assert_eq!(store.snapshot(&hash(0)), Ok(Some(text(&["b", "d", "f"]))));
    missing(store, [Write::Snapshot(Snapshot::delta(hash(4), hash(9), Vec::new(), Vec::new()))]);
    commit(store, [Write::Snapshot(Snapshot::whole(hash(5), Vec::new()))]);
    assert_eq!(store.snapshot(&hash(5)), Ok(Some(Vec::new())));
    for depth in 3..=Snapshot::MAX_DEPTH {
        commit(store, [Write::Snapshot(Snapshot::delta(hash(1000 + depth), parent(depth), vec![], vec![]))]);
    }
    let deepest = hash(1000 + Snapshot::MAX_DEPTH);
    assert_eq!(store.snapshot(&deepest), Ok(Some(text(&["b", "c", "e", "f"]))));
    let error = refused(store, [Write::Snapshot(Snapshot::delta(hash(6), deepest, vec![], vec![]))]);
    assert!(matches!(error, StoreError::Limit { .. }), "{error:?}");
    // A base that does not have what is removed: found when it is read.
    commit(store, [Write::Snapshot(Snapshot::delta(hash(7), hash(0), text(&["x"]), Vec::new()))]);
    assert!(matches!(store.snapshot(&hash(7)), Err(StoreError::Corrupt { .. })));

    fn parent(depth: u64) -> Hash {
        if depth == 3 { hash(2) } else { hash(999 + depth) }
    }
}

pub(super) fn versions_and_tags(store: &dyn Store) {
    commit(store, [sector("orders", 0), sector("quotes", 1), Write::Snapshot(Snapshot::whole(hash(0), vec![]))]);
    conflict(store, [sector("trades", 3)]);
    conflict(store, [sector("orders", 2)]);
    let names: Vec<String> =
        store.sectors().expect("sectors are readable").into_iter().map(|sector| sector.name).collect();
    assert_eq!(names, ["orders", "quotes"]);
    for number in [1, 2, 5] {
        commit(store, [Write::Version(version("orders", number, hash(0)))]);
    }
    commit(store, [Write::Version(version("quotes", 9, hash(0)))]);
    let found = store.versions("orders", None, 10).expect("versions are readable");
    assert_eq!(found, [5, 2, 1].map(|number| version("orders", number, hash(0))));
    let found = store.versions("orders", Some(5), 1).expect("versions are readable");
    assert_eq!(found, [version("orders", 2, hash(0))]);
    assert_eq!(store.version("orders", 2), Ok(Some(version("orders", 2, hash(0)))));
    assert_eq!(store.version("orders", 9), Ok(None));
    let at = |time| store.version_at("orders", time).expect("versions are readable").map(|version| version.number);
    assert_eq!([at(99), at(100), at(499), at(500), at(u64::MAX)], [None, Some(1), Some(2), Some(5), Some(5)]);
    conflict(store, [Write::Version(version("orders", 5, hash(0)))]);
    missing(store, [Write::Version(version("orders", 6, hash(8)))]);
    missing(store, [Write::Version(version("trades", 6, hash(0)))]);
    missing(store, [Write::Version(VersionRecord { receipt: Some(0), ..version("orders", 6, hash(0)) })]);

    commit(store, [tag("live", 2), tag("audited", 1)]);
    commit(store, [tag("live", 5)]);
    let tags: Vec<_> =
        store.tags("orders").expect("tags are readable").into_iter().map(|t| (t.name, t.version)).collect();
    assert_eq!(tags, [("audited".to_owned(), 1), ("live".to_owned(), 5)]);
    assert_eq!(store.tags("quotes"), Ok(vec![]));
    missing(store, [tag("future", 6)]);
    let untag = || Write::Untag { sector: "orders".into(), name: "audited".into() };
    commit(store, [untag()]);
    missing(store, [untag()]);
    assert_eq!(store.tags("orders").expect("tags are readable").len(), 1);
}

pub(super) fn pruning(store: &dyn Store) {
    let whole = |number| Write::Snapshot(Snapshot::whole(hash(number), vec![]));
    let on = |number, base| Write::Snapshot(Snapshot::delta(hash(number), hash(base), vec![], vec![]));
    commit(store, [sector("orders", 0), whole(0), on(1, 0), whole(2)]);
    for (number, snapshot) in [(1, 0), (2, 1), (3, 2), (4, 0)] {
        commit(store, [Write::Version(version("orders", number, hash(snapshot)))]);
    }
    let prune = |number| Write::PruneVersion { sector: "orders".into(), number };
    conflict(store, [prune(4)]);
    missing(store, [prune(9)]);
    commit(store, [tag("kept", 3)]);
    conflict(store, [prune(3)]);
    let stored = |number| store.snapshot_depth(&hash(number)).expect("snapshots are readable").is_some();
    commit(store, [prune(1)]);
    assert!(stored(0), "version 4 needs it");
    commit(store, [prune(2)]);
    assert!(!stored(1));
    commit(store, [Write::Untag { sector: "orders".into(), name: "kept".into() }, prune(3)]);
    assert!(!stored(2));
    assert!(stored(0));
    assert_eq!(store.loose_snapshots(), Ok(vec![]));
    // The base goes with the last that stood on it.
    commit(store, [whole(5), on(6, 5)]);
    commit(store, [Write::Version(version("orders", 5, hash(6))), Write::Version(version("orders", 6, hash(0)))]);
    commit(store, [prune(5)]);
    assert!(!stored(6) && !stored(5));

    // One that is mended stands on nothing any more, and what stands on it stays what it was.
    let line = |text: &str| format!("{text}\n").into_bytes();
    let on =
        |number, base, added: &str| Write::Snapshot(Snapshot::delta(hash(number), hash(base), vec![], line(added)));
    commit(store, [whole(7), on(8, 7, "a"), on(9, 8, "b")]);
    commit(store, [Write::Version(version("orders", 7, hash(9)))]);
    commit(store, [Write::MendSnapshot { id: hash(8), statements: line("a") }]);
    assert_eq!(store.snapshot_depth(&hash(8)), Ok(Some(0)));
    assert_eq!(store.snapshot(&hash(9)), Ok(Some(b"a\nb\n".to_vec())));
    assert!(!stored(7), "the base went with the last that stood on it");
    commit(store, [Write::MendSnapshot { id: hash(10), statements: line("c") }]);
    assert_eq!(store.loose_snapshots(), Ok(vec![hash(10)]));
    commit(store, [on(11, 10, "d")]);
    assert_eq!(store.loose_snapshots(), Ok(vec![hash(11)]));
}

pub(super) fn doctrine(store: &dyn Store) {
    let rule = |id: &str, revision| Rule {
        id: id.into(),
        revision,
        sector: (id == "four-eyes").then(|| "orders".into()),
        from_ns: revision,
        until_ns: revision.is_multiple_of(2).then_some(99),
        removed: revision == 3,
        body: format!("{{\"revision\": {revision}}}"),
        receipt: None,
    };
    for revision in 1..=3 {
        commit(store, [Write::Rule(rule("four-eyes", revision))]);
    }
    commit(store, [Write::Rule(rule("window", 1))]);
    assert_eq!(store.rules(), Ok(vec![rule("four-eyes", 3), rule("window", 1)]));
    assert_eq!(store.rule_history("four-eyes"), Ok((1..=3).map(|r| rule("four-eyes", r)).collect()));
    conflict(store, [Write::Rule(rule("four-eyes", 3))]);
    conflict(store, [Write::Rule(rule("window", 3))]);
    missing(store, [Write::Rule(Rule { receipt: Some(4), ..rule("window", 2) })]);
}

pub(super) fn segments(store: &dyn Store) {
    commit(store, [sector("orders", 0), sector("quotes", 1)]);
    let segment = |number: u64| Segment {
        number,
        sector: if number.is_multiple_of(2) { "orders" } else { "quotes" }.into(),
        first_ns: 10 * number,
        last_ns: 10 * number + 9,
        count: 3,
        record_bytes: 64,
        root: hash(number),
        receipt: None,
        content: Some(vec![number as u8; 100]),
    };
    for number in 0..4 {
        commit(store, [Write::Segment(segment(number))]);
    }
    assert_eq!(store.segment_count(), Ok(4));
    assert_eq!(store.segment(2), Ok(Some(segment(2))));
    assert_eq!(store.segment(4), Ok(None));
    let ask = |query: SegmentQuery| -> Vec<u64> {
        let found = store.segments(&query).expect("segments are readable");
        assert!(found.iter().all(|segment| segment.content.is_none()));
        found.iter().map(|segment| segment.number).collect()
    };
    assert_eq!(ask(SegmentQuery::default()), [0, 1, 2, 3]);
    assert_eq!(ask(SegmentQuery { sector: Some("quotes".into()), ..Default::default() }), [1, 3]);
    assert_eq!(ask(SegmentQuery { since_ns: Some(19), before_ns: Some(30), ..Default::default() }), [1, 2]);
    assert_eq!(ask(SegmentQuery { from: 2, limit: Some(1), ..Default::default() }), [2]);
    commit(store, [Write::PruneSegment(1)]);
    assert_eq!(store.segment(1), Ok(Some(Segment { content: None, ..segment(1) })));
    assert_eq!(ask(SegmentQuery { held: true, ..Default::default() }), [0, 2, 3]);
    assert_eq!(store.segment_count(), Ok(4), "a dropped segment keeps its place");
    missing(store, [Write::PruneSegment(4)]);
    conflict(store, [Write::Segment(segment(5))]);
    missing(store, [Write::Segment(Segment { sector: "trades".into(), ..segment(4) })]);
    missing(store, [Write::Segment(Segment { receipt: Some(0), ..segment(4) })]);
}

pub(super) fn keys_and_settings(store: &dyn Store) {
    let line = |number, text: &str| Write::KeyLine(KeyLine { sector: "orders".into(), number, text: text.into() });
    missing(store, [line(0, "a")]);
    commit(store, [sector("orders", 0), line(0, "a"), line(1, "b"), line(2, "c")]);
    assert_eq!(store.key_lines("orders", 1), Ok(vec!["b".to_owned(), "c".to_owned()]));
    assert_eq!(store.key_lines("quotes", 0), Ok(vec![]));
    conflict(store, [line(2, "again")]);
    conflict(store, [line(4, "beyond")]);

    let key = |number: u64| PublicKey {
        number,
        id: number.to_be_bytes().into(),
        key: hash(number),
        from_receipt: 10 * number,
        time_ns: 4,
    };
    commit(store, [Write::PublicKey(key(0)), Write::PublicKey(key(1))]);
    assert_eq!(store.public_keys(), Ok(vec![key(0), key(1)]));
    conflict(store, [Write::PublicKey(key(3))]);
    conflict(store, [Write::PublicKey(PublicKey { id: key(0).id, ..key(2) })]);

    let set = |value: Option<&str>| Write::Setting(Setting { name: "a".into(), value: value.map(Into::into) });
    assert_eq!(store.setting("a"), Ok(None));
    commit(store, [set(Some("1"))]);
    commit(store, [set(Some("2"))]);
    assert_eq!(store.setting("a"), Ok(Some("2".into())));
    commit(store, [set(None), set(None)]);
    assert_eq!(store.setting("a"), Ok(None));
}

pub(super) fn states(store: &dyn Store) {
    let state = |name: &str, number, whole| {
        Write::State(State { name: name.into(), number, whole, content: format!("{name} {number}").into_bytes() })
    };
    assert_eq!(store.states("orders"), Ok(vec![]));
    commit(store, [state("orders", 1, true), state("orders", 2, false), state("quotes", 7, true)]);
    commit(store, [state("orders", 5, true)]);
    assert_eq!(store.states("orders"), Ok(vec![(1, true), (2, false), (5, true)]));
    assert_eq!(store.state("orders", 2), Ok(Some(b"orders 2".to_vec())));
    assert_eq!(store.state("orders", 7), Ok(None));
    conflict(store, [state("orders", 5, true)]);
    conflict(store, [state("orders", 3, true)]);
    let drop = |before| Write::DropStates { name: "orders".into(), before };
    commit(store, [drop(5)]);
    commit(store, [drop(5), state("orders", 6, false)]);
    assert_eq!(store.states("orders"), Ok(vec![(5, true), (6, false)]));
    assert_eq!(store.state("orders", 2), Ok(None));
    assert_eq!(store.states("quotes"), Ok(vec![(7, true)]));
    refused(store, [state("orders", u64::MAX, true)]);
    commit(store, [drop(9)]);
    assert_eq!(store.states("orders"), Ok(vec![]));
}
