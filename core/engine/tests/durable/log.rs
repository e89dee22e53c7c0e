//! The log of a sector, its tags, and references to versions.

use knhk_engine::{AsOf, Engine, LogQuery, Options, Origin, ReceiptQuery, SectorKind, Signer, Status};

use crate::scratch::{Scratch, few, promote_number as promote, whole};

fn in_memory() -> Engine {
    let mut options = few();
    options.signer = Some(Signer::from_seed(&[7; 32]));
    let engine = Engine::open(":memory:", options).unwrap();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    engine
}

#[test]
fn the_log_tells_every_version_with_its_receipt_and_its_tags() {
    let scratch = Scratch::new("log");
    let engine = scratch.orders_with(few());
    (1..=5).for_each(|n| _ = promote(&engine, "orders", n * 10));
    engine.rollback("orders", 2, Origin::default()).unwrap();
    assert_eq!(engine.tag("orders", "stable", "~2", "ops-2").unwrap(), 4);
    assert_eq!(engine.tag("orders", "audited/2026", "4", "").unwrap(), 4);
    let log = engine.log("orders", &LogQuery::default()).unwrap();
    assert_eq!(log.iter().map(|entry| entry.version).collect::<Vec<_>>(), [6, 5, 4, 3, 2, 1]);
    assert_eq!((log[0].rollback_of, &log[0].parents[..]), (Some(2), &[5][..]));
    assert_eq!(log[0].snapshot_id, log[4].snapshot_id);
    assert_eq!(log[2].tags, ["audited/2026", "stable"]);
    assert_eq!((log[1].by.as_str(), log[1].why.as_str()), ("ops-50", "asked"));
    for entry in &log {
        assert!(entry.retained);
        let receipt = engine.receipt(entry.receipt.as_ref().unwrap()).unwrap();
        assert_eq!(receipt.evidence["version"], entry.version);
        assert_eq!((receipt.sector.as_deref(), receipt.outcome.as_str()), (Some("orders"), "approved"));
    }
    let page = engine.log("orders", &LogQuery { before: Some(5), limit: Some(2) }).unwrap();
    assert_eq!(page, log[2..4]);
    assert_eq!(engine.log("nothing", &LogQuery::default()).unwrap_err().status(), Status::NotFound);
    whole(&engine);
}

#[test]
fn a_reference_means_one_version_or_says_what_it_may_mean() {
    let scratch = Scratch::new("resolve");
    let engine = scratch.orders_with(few());
    assert_eq!(engine.resolve("orders", "current").unwrap_err().status(), Status::NotFound);
    (1..=4).for_each(|n| _ = promote(&engine, "orders", n));
    engine.rollback("orders", 1, Origin::default()).unwrap();
    engine.tag("orders", "stable", "3", "").unwrap();
    let log = engine.log("orders", &LogQuery::default()).unwrap();
    let address = |version: usize| log[5 - version].snapshot_id.iter().map(|b| format!("{b:02x}")).collect::<String>();
    for (reference, version) in [
        ("1", 1),
        ("current", 5),
        ("~0", 5),
        ("~1", 4),
        ("~4", 1),
        ("stable", 3),
        (&address(2), 2),
        (&address(2).to_uppercase()[..16], 2),
        (&address(1)[..16], 5),
        ("@0s", 5),
        ("2999-01-01", 5),
    ] {
        assert_eq!(engine.resolve("orders", reference).unwrap(), version, "{reference}");
    }
    for reference in ["9", "~5", "unstable", "2001-01-01", "@9w", "000000000000000a"] {
        assert_eq!(engine.resolve("orders", reference).unwrap_err().status(), Status::NotFound, "{reference}");
    }
    for reference in ["", "~", "@2", "two words"] {
        assert_eq!(engine.resolve("orders", reference).unwrap_err().status(), Status::InvalidArgument, "{reference}");
    }
    // A tag that reads like the beginning of another version's address.
    let prefix = address(2).find(|c: char| c.is_ascii_alphabetic()).filter(|at| *at < 50).unwrap();
    let prefix = &address(2)[prefix..];
    if address(2).starts_with(|c: char| c.is_ascii_alphabetic()) {
        engine.tag("orders", &prefix[..8], "1", "").unwrap();
        let several = engine.resolve("orders", &prefix[..8]).unwrap_err();
        assert_eq!(several.status(), Status::InvalidArgument);
        assert!(several.message().contains("version 1 by its tag, or version 2 ("), "{several}");
    }
}

#[test]
fn an_address_that_begins_with_digits_alone_is_found() {
    for engine in [in_memory(), Engine::open(":memory:", Options::default()).unwrap()] {
        _ = engine.create_sector("orders", SectorKind::Direct);
        let address = |n| {
            promote(&engine, "orders", n);
            let address = engine.history("orders").unwrap().pop().unwrap().snapshot_id;
            (n as u64, address.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
        };
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (version, address) = (1..500).map(address).find(|(_, address)| is_digits(&address[..6])).unwrap();
        assert_eq!(engine.resolve("orders", &address[..6]).unwrap(), version);
        assert_eq!(engine.resolve("orders", "987654").unwrap_err().status(), Status::NotFound);
    }
}

#[test]
fn tags_are_names_and_nothing_else() {
    let engine = in_memory();
    promote(&engine, "orders", 1);
    promote(&engine, "orders", 2);
    engine.tag("orders", "b", "1", "ops-2").unwrap();
    engine.tag("orders", "a", "current", "").unwrap();
    engine.tag("orders", "b", "2", "ops-3").unwrap();
    let tags: Vec<_> = engine.tags("orders").unwrap().into_iter().map(|tag| (tag.name, tag.version, tag.by)).collect();
    assert_eq!(tags, [("a".into(), 2, String::new()), ("b".into(), 2, "ops-3".into())]);
    for name in ["", "1", "~1", "@2h", "current", "a b", "2026-11-01", "-a", "é", &"x".repeat(65)] {
        assert_eq!(engine.tag("orders", name, "1", "").unwrap_err().status(), Status::InvalidArgument, "{name}");
    }
    assert_eq!(engine.tag("orders", "c", "9", "").unwrap_err().status(), Status::NotFound);
    engine.untag("orders", "b", "ops-4").unwrap();
    let gone = engine.untag("orders", "b", "").unwrap_err();
    assert_eq!(gone.status(), Status::NotFound);
    assert!(gone.message().contains("it has a"), "{gone}");
    let changes: Vec<String> = engine
        .receipts(&ReceiptQuery { kind: Some("sector updated".into()), ..Default::default() })
        .unwrap()
        .iter()
        .map(|receipt| format!("{} {}", receipt.evidence["change"], receipt.evidence["by"]))
        .collect();
    assert_eq!(
        changes[1..],
        [
            r#""tag b set to version 1" "ops-2""#,
            r#""tag a set to version 2" """#,
            r#""tag b set to version 2" "ops-3""#,
            r#""tag b removed" "ops-4""#
        ]
    );
}

#[test]
fn without_a_ledger_the_history_in_memory_is_what_there_is() {
    let engine = Engine::open(":memory:", Options::default()).unwrap();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    (1..=3).for_each(|n| _ = promote(&engine, "orders", n));
    let log = engine.log("orders", &LogQuery { before: None, limit: Some(2) }).unwrap();
    assert_eq!(log.iter().map(|entry| (entry.version, &entry.receipt)).collect::<Vec<_>>(), [(3, &None), (2, &None)]);
    let address: String = log[1].snapshot_id.iter().map(|byte| format!("{byte:02x}")).collect();
    for (reference, version) in [("2", 2), ("current", 3), ("~2", 1), ("@0s", 3), (&address[..], 2)] {
        assert_eq!(engine.resolve("orders", reference).unwrap(), version, "{reference}");
    }
    assert_eq!(engine.resolve("orders", "stable").unwrap_err().status(), Status::NotFound);
    assert_eq!(engine.resolve("orders", "7").unwrap_err().status(), Status::NotFound);
    assert_eq!(engine.tags("orders").unwrap(), []);
    assert_eq!(engine.tag("orders", "a", "1", "").unwrap_err().status(), Status::NotFound);
    assert_eq!(engine.receipts(&ReceiptQuery::default()).unwrap_err().status(), Status::NotFound);
    assert_eq!(engine.as_of(&AsOf::Moment(0)).unwrap_err().status(), Status::NotFound);
    assert_eq!(engine.trust_root(), None);
}
