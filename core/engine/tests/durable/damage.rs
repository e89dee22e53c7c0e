//! Versions that are not what their receipts and their content addresses say.

use knhk_engine::{Engine, Level, Options, Origin, ReceiptQuery, SectorKind, Status, VerifyOptions};

use crate::scratch::{Scratch, read, whole};

fn promote(engine: &Engine, json: &str) -> u64 {
    engine.promote_json("orders", json, Origin::default()).unwrap().version
}

#[test]
fn a_damaged_newest_version_falls_back_loudly() {
    let scratch = Scratch::new("damaged");
    let engine = scratch.open();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    promote(&engine, r#"{"max_qty": 1}"#);
    promote(&engine, r#"{"max_qty": 2}"#);
    drop(engine);
    scratch.damage("orders", 2);
    let (engine, heard) = scratch.open_heard();
    assert_eq!(read(&engine, "max_qty"), 1);
    assert_eq!(engine.stats().damaged_versions, 1);
    let (level, line) = heard.recv().unwrap();
    assert_eq!(level, Level::Error);
    assert!(line.contains("sector orders: version 2 is damaged"), "{line}");
    let last = engine.receipts(&ReceiptQuery { newest_first: true, ..Default::default() }).unwrap().remove(0);
    assert_eq!(
        (last.kind.as_str(), last.outcome.as_str()),
        ("invariant violation", "rejected"),
        "the loss has a receipt"
    );
    assert_eq!(promote(&engine, r#"{"max_qty": 4}"#), 3, "the damaged version's number is not used again");
    drop(engine);
    assert_eq!(read(&scratch.open(), "max_qty"), 4);
    for number in [1, 3] {
        scratch.damage("orders", number);
    }
    let refused = scratch.refused(Options::default());
    assert_eq!(refused.status(), Status::Corrupt);
    assert!(refused.message().contains("backup"), "{refused}");
}

#[test]
fn content_that_was_damaged_is_stored_anew_when_it_is_promoted_again() {
    let scratch = Scratch::new("mended");
    let engine = scratch.open();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    promote(&engine, r#"{"max_qty": 1}"#);
    promote(&engine, r#"{"max_qty": 2}"#);
    drop(engine);
    scratch.damage("orders", 2);
    let engine = scratch.open();
    assert_eq!(promote(&engine, r#"{"max_qty": 2}"#), 3);
    drop(engine);
    let engine = scratch.open();
    assert_eq!(read(&engine, "max_qty"), 2);
    assert_eq!(engine.stats().damaged_versions, 0, "version 2 is whole again, too");
    whole(&engine);
}

#[test]
fn a_newest_version_that_was_taken_away_is_missed() {
    let scratch = Scratch::new("taken");
    let engine = scratch.open();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    promote(&engine, r#"{"max_qty": 1}"#);
    promote(&engine, r#"{"max_qty": 2}"#);
    drop(engine);
    scratch.sql("DELETE FROM versions WHERE number = 2");
    let (engine, heard) = scratch.open_heard();
    assert_eq!(read(&engine, "max_qty"), 1);
    let (level, line) = heard.recv().unwrap();
    assert_eq!(level, Level::Error);
    assert!(line.contains("version 2 is missing and its receipt is there"), "{line}");
    assert_eq!(promote(&engine, r#"{"max_qty": 3}"#), 3);
    let found = engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap_err();
    assert_eq!(found.status(), Status::Tampered, "{found}");
    assert!(found.message().contains("without their version"), "{found}");
}

#[test]
fn a_version_that_its_receipt_does_not_state_is_damaged() {
    for change in [
        "UPDATE versions SET snapshot = (SELECT snapshot FROM versions WHERE number = 1) WHERE number = 2",
        "UPDATE versions SET receipt = (SELECT receipt FROM versions WHERE number = 1) WHERE number = 2",
        "UPDATE versions SET receipt = NULL WHERE number = 2",
        "UPDATE versions SET by = 'someone else' WHERE number = 2",
        "UPDATE versions SET rollback_of = 1 WHERE number = 2",
        "UPDATE versions SET parents = '[]' WHERE number = 2",
        "UPDATE versions SET major = 1 WHERE number = 2",
        "INSERT INTO dependencies VALUES ('orders', 2, 'orders', 1)",
    ] {
        let scratch = Scratch::new("unstated");
        let engine = scratch.open();
        engine.create_sector("orders", SectorKind::Direct).unwrap();
        promote(&engine, r#"{"max_qty": 1}"#);
        promote(&engine, r#"{"max_qty": 2}"#);
        drop(engine);
        assert_eq!(scratch.connection().execute(change, []).unwrap(), 1);
        let engine = scratch.open();
        assert_eq!((read(&engine, "max_qty"), engine.stats().damaged_versions), (1, 1), "{change}");
    }
}
