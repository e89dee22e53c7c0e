//! What is kept, what is removed, and what is left over.

use std::time::Duration;

use knhk_engine::{AsOf, LogQuery, Options, Retention, Status, VerifyOptions};

use crate::scratch::{Scratch, few, promote_number as promote, read, whole};

#[test]
fn retention_takes_content_and_never_the_chain() {
    let scratch = Scratch::new("retention");
    let mut options = few();
    options.retention = Retention { versions: Some(3), age: None };
    let engine = scratch.orders_with(options);
    (1..=3).for_each(|n| _ = promote(&engine, "orders", n));
    engine.tag("orders", "kept", "2", "").unwrap();
    (4..=8).for_each(|n| _ = promote(&engine, "orders", n));
    let log = engine.log("orders", &LogQuery::default()).unwrap();
    let retained =
        |log: &[knhk_engine::LogEntry]| log.iter().map(|entry| (entry.version, entry.retained)).collect::<Vec<_>>();
    let kept = [8, 7, 6, 5, 4, 3, 2, 1].map(|n| (n, n == 2 || n >= 6));
    assert_eq!(retained(&log), kept);
    assert!(log.iter().all(|entry| entry.receipt.is_some()), "each has its receipt still");
    assert_eq!(log[7].by, "ops-1");
    assert_eq!(retained(&engine.log("orders", &LogQuery { before: Some(6), limit: Some(3) }).unwrap()), kept[3..6]);
    assert_eq!(engine.export_json("orders", Some(4)).unwrap_err().status(), Status::NotFound);
    assert!(engine.export_json("orders", Some(2)).unwrap().contains("\"max_qty\": 2,"));
    let verified = whole(&engine);
    assert_eq!((verified.versions, verified.snapshots), (4, 4));
    let removed = engine.as_of(&AsOf::Moment(log[3].time_ns)).unwrap_err();
    assert_eq!(removed.status(), Status::NotFound);
    assert!(removed.message().contains("version 5 was current then, and retention removed it"), "{removed}");
    engine.as_of(&AsOf::Moment(log[2].time_ns)).unwrap();
    engine.untag("orders", "kept", "").unwrap();
    assert_eq!(engine.prune().unwrap(), 1);
    assert_eq!(engine.prune().unwrap(), 0);
    drop(engine);
    let engine = scratch.orders_with(few());
    assert_eq!(read(&engine, "max_qty"), 8);
    assert_eq!(promote(&engine, "orders", 1), 9, "content that was removed comes again");
    whole(&engine);
}

#[test]
fn retention_by_age_keeps_what_was_current_within_it() {
    let scratch = Scratch::new("age");
    let mut options = few();
    options.retention = Retention { versions: None, age: Some(Duration::from_secs(3600)) };
    let engine = scratch.orders_with(options);
    (1..=3).for_each(|n| _ = promote(&engine, "orders", n));
    assert_eq!(engine.prune().unwrap(), 0);
    // As if the first two had been promoted long ago: the second was current until a moment ago.
    scratch.sql("UPDATE versions SET time_ns = number WHERE number < 3");
    assert_eq!(engine.prune().unwrap(), 1);
    let log = engine.log("orders", &LogQuery::default()).unwrap();
    assert_eq!(log.iter().map(|entry| entry.retained).collect::<Vec<_>>(), [true, true, false]);
}

#[test]
fn orphans_of_each_kind_are_found() {
    for (change, found) in [
        ("UPDATE versions SET receipt = NULL WHERE number = 2", "no receipt states it"),
        ("DELETE FROM versions WHERE number = 2", "receipts without their version"),
        (
            "INSERT INTO snapshots SELECT x'00000000000000000000000000000000000000000000000000000000000000ff', NULL, 0, removed, \
             removed_bytes, added, added_bytes FROM snapshots LIMIT 1",
            "snapshots without a version",
        ),
    ] {
        let scratch = Scratch::new("orphans");
        let engine = scratch.orders_with(Options::default());
        (1..=3).for_each(|n| _ = promote(&engine, "orders", n));
        whole(&engine);
        scratch.sql(change);
        let error = engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap_err();
        assert_eq!(error.status(), Status::Tampered, "{change}");
        assert!(error.message().contains(found), "{error}");
    }
}

#[test]
fn content_that_was_changed_is_found_by_verifying() {
    let scratch = Scratch::new("content");
    let engine = scratch.orders_with(Options::default());
    (1..=3).for_each(|n| _ = promote(&engine, "orders", n));
    scratch.sql(
        "UPDATE snapshots SET added = (SELECT added FROM snapshots JOIN versions ON id = snapshot WHERE number = 1)",
    );
    let error = engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap_err();
    assert_eq!(error.status(), Status::Corrupt, "{error}");
    assert!(error.message().contains("does not match its content address"), "{error}");
}
