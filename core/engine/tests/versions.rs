//! The history of sectors: log, tags, references, as-of views, going back, retention.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use knhk_engine::{
    AsOf, Engine, Format, LogQuery, Options, Origin, ReaderOptions, ReceiptQuery, Retention, SectorKind, Signer,
    Status, VerifyOptions,
};

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("versions-{name}-{}", std::process::id()));
        _ = fs::remove_dir_all(&path);
        Scratch(path)
    }

    fn open(&self, options: Options) -> Engine {
        let engine = Engine::open(self.0.to_str().unwrap(), options).unwrap();
        _ = engine.create_sector("orders", SectorKind::Direct);
        engine
    }

    fn sql(&self, change: &str) {
        rusqlite::Connection::open(self.0.join("store.sqlite")).unwrap().execute_batch(change).unwrap();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// Few versions in memory, so that older ones come from the store.
fn few() -> Options {
    let mut options = Options::default();
    options.history = 2;
    options
}

fn in_memory() -> Engine {
    let mut options = few();
    options.signer = Some(Signer::from_seed(&[7; 32]));
    let engine = Engine::open(":memory:", options).unwrap();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    engine
}

fn promote(engine: &Engine, sector: &str, n: i64) -> u64 {
    let origin = Origin { by: format!("ops-{n}"), why: "asked".into(), major: false };
    engine.promote_json(sector, &format!(r#"{{"max_qty": {n}, "venues": {{"XLON": {n}}}}}"#), origin).unwrap().version
}

fn read(engine: &Engine, sector: &str) -> i64 {
    let key = engine.key::<i64>(sector, "max_qty").unwrap();
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    key.get(&reader.view(), -1)
}

fn whole(engine: &Engine) -> knhk_engine::Verified {
    engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap()
}

#[test]
fn the_log_tells_every_version_with_its_receipt_and_its_tags() {
    let scratch = Scratch::new("log");
    let engine = scratch.open(few());
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
    let engine = scratch.open(few());
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
        assert!(several.message().contains("version 1 by its tag, version 2 ("), "{several}");
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
fn sectors_are_read_as_of_a_version_and_as_of_a_moment() {
    let scratch = Scratch::new("as-of");
    let engine = scratch.open(few());
    engine.create_sector("quotes", SectorKind::Direct).unwrap();
    for n in 1..=4 {
        promote(&engine, "orders", n);
        if n > 1 {
            promote(&engine, "quotes", 10 * n);
        }
    }
    let (orders, quotes) =
        (engine.key::<i64>("orders", "max_qty").unwrap(), engine.key::<i64>("quotes", "max_qty").unwrap());
    let both = |as_of: &AsOf| {
        let then = engine.as_of(as_of).unwrap();
        (orders.get(&then, -1), quotes.get(&then, -1))
    };
    let version = |sector: &str, number| AsOf::Version { sector: sector.into(), number };
    assert_eq!(both(&version("orders", 1)), (1, -1), "nothing was promoted in quotes then");
    assert_eq!(both(&version("orders", 3)), (3, 20));
    assert_eq!(both(&version("quotes", 1)), (2, 20));
    assert_eq!(both(&version("quotes", 3)), (4, 40));
    let log = engine.log("quotes", &LogQuery::default()).unwrap();
    assert_eq!(both(&AsOf::Moment(log[2].time_ns)), (2, 20));
    assert_eq!(both(&AsOf::Moment(log[2].time_ns - 1)), (2, -1));
    assert_eq!(both(&AsOf::Moment(u64::MAX)), (4, 40));
    assert_eq!(both(&AsOf::Moment(0)), (-1, -1));
    assert_eq!(engine.as_of(&version("orders", 9)).unwrap_err().status(), Status::NotFound);

    // It is a view as any other, and stays what it is.
    let then = engine.as_of(&version("orders", 3)).unwrap();
    let epoch = engine.log("orders", &LogQuery::default()).unwrap()[1].epoch;
    assert_eq!((then.epoch(), then.sector_epoch(0)), (epoch, epoch));
    promote(&engine, "orders", 5);
    engine.close();
    assert_eq!(orders.get(&then, -1), 3);
    drop(engine);
    assert_eq!(orders.get(&then.clone(), -1), 3);

    // What was read then is read after a restart.
    let engine = scratch.open(few());
    let key = engine.key::<i64>("orders", "max_qty").unwrap();
    assert_eq!(key.get(&engine.as_of(&version("orders", 1)).unwrap(), -1), 1);
}

#[test]
fn what_is_only_in_the_store_is_exported_compared_and_gone_back_to() {
    let scratch = Scratch::new("stored");
    let engine = scratch.open(few());
    (1..=50).for_each(|n| _ = promote(&engine, "orders", n));
    assert_eq!(engine.history("orders").unwrap().len(), 2);
    assert!(engine.export_json("orders", Some(1)).unwrap().contains("\"max_qty\": 1,"));
    assert!(engine.export("orders", Some(7), Format::NTriples).unwrap().contains("> \"7\""));
    let differences: Vec<String> =
        engine.differences("orders", 3, 44).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(differences, ["max_qty 3 → 44", "venues/XLON 3 → 44"]);
    assert_eq!(engine.statement_diff("orders", 1, 49).unwrap().added.len(), 2);
    let back = engine.rollback("orders", 5, Origin::default()).unwrap();
    assert_eq!((back.version, back.rollback_of, read(&engine, "orders")), (51, Some(5), 5));
    assert_eq!(engine.emergency_rollback("orders", 7, Origin::default()).unwrap().version, 52);
    assert_eq!(read(&engine, "orders"), 7);
    let unknown = engine.rollback("orders", 99, Origin::default()).unwrap_err();
    assert_eq!(unknown.status(), Status::NotFound);
    drop(engine);
    let engine = scratch.open(few());
    assert_eq!(read(&engine, "orders"), 7);
    let verified = whole(&engine);
    assert_eq!((verified.versions, verified.snapshots), (52, 50));
}

#[test]
fn retention_takes_content_and_never_the_chain() {
    let scratch = Scratch::new("retention");
    let mut options = few();
    options.retention = Retention { versions: Some(3), age: None };
    let engine = scratch.open(options);
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
    let engine = scratch.open(few());
    assert_eq!(read(&engine, "orders"), 8);
    assert_eq!(promote(&engine, "orders", 1), 9, "content that was removed comes again");
    whole(&engine);
}

#[test]
fn retention_by_age_keeps_what_was_current_within_it() {
    let scratch = Scratch::new("age");
    let mut options = few();
    options.retention = Retention { versions: None, age: Some(Duration::from_secs(3600)) };
    let engine = scratch.open(options);
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
        let engine = scratch.open(Options::default());
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
    let engine = scratch.open(Options::default());
    (1..=3).for_each(|n| _ = promote(&engine, "orders", n));
    scratch.sql(
        "UPDATE snapshots SET added = (SELECT added FROM snapshots JOIN versions ON id = snapshot WHERE number = 1)",
    );
    let error = engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap_err();
    assert_eq!(error.status(), Status::Corrupt, "{error}");
    assert!(error.message().contains("does not match its content address"), "{error}");
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
