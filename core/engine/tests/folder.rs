//! What survives the process: a folder opened again, damaged, killed at any moment.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use knhk_engine::{
    Engine, Level, Log, LogQuery, Options, Origin, ReaderOptions, ReceiptQuery, SectorKind, Status, ValueType,
    VerifyOptions,
};

/// A folder of its own for each test, gone at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        _ = fs::remove_dir_all(&path);
        Scratch(path)
    }

    fn open(&self) -> Engine {
        Engine::open(self.0.to_str().unwrap(), Options::default()).unwrap()
    }

    /// The store, as any SQLite tool opens it.
    fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.0.join("store.sqlite")).unwrap()
    }

    /// Makes the store refuse new versions, as a full disk would, until the other is called.
    fn refuse_versions(&self) {
        let trigger = "CREATE TRIGGER refuse BEFORE INSERT ON versions BEGIN SELECT RAISE(ABORT, 'no room'); END";
        self.sql().execute_batch(trigger).unwrap();
    }

    fn take_versions(&self) {
        self.sql().execute_batch("DROP TRIGGER refuse").unwrap();
    }

    /// Changes a byte of what a version's snapshot is stored as.
    fn damage(&self, sector: &str, number: u64) {
        let sql = self.sql();
        let (id, mut added): (Vec<u8>, Vec<u8>) = sql
            .query_row(
                "SELECT id, added FROM snapshots JOIN versions ON id = snapshot WHERE sector = ?1 AND number = ?2",
                rusqlite::params![sector, number],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        let at = added.len() / 2;
        added[at] ^= 1;
        sql.execute("UPDATE snapshots SET added = ?1 WHERE id = ?2", rusqlite::params![added, id]).unwrap();
    }

    fn open_heard(&self) -> (Engine, std::sync::mpsc::Receiver<(Level, String)>) {
        let (said, heard) = std::sync::mpsc::channel();
        let mut options = Options::default();
        options.log =
            Some(Log(Arc::new(move |level, part, line| said.send((level, format!("{part}: {line}"))).unwrap())));
        (Engine::open(self.0.to_str().unwrap(), options).unwrap(), heard)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

fn promote(engine: &Engine, json: &str) -> u64 {
    engine.promote_json("orders", json, Origin::default()).unwrap().version
}

fn read(engine: &Engine, name: &str) -> i64 {
    let key = engine.key::<i64>("orders", name).unwrap();
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    key.get(&reader.view(), -1)
}

#[test]
fn everything_is_back_after_opening_again() {
    let scratch = Scratch::new("again");
    let engine = scratch.open();
    engine.create_sector("routes", SectorKind::Direct).unwrap();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    engine.declare_json("orders", r#"{"max_qty": {"$type": "i64", "$default": 3}}"#).unwrap();
    assert_eq!(read(&engine, "max_qty"), 3);
    drop(engine);

    let engine = scratch.open();
    assert_eq!(read(&engine, "max_qty"), 3, "declared defaults are kept");
    promote(&engine, r#"{"a": 1, "max_qty": 10}"#);
    let origin = Origin { by: "ops-2".into(), why: "desk\nasked".into(), major: false };
    engine.promote_json("orders", r#"{"b": {"$value": 2.5, "$unit": "bp"}, "max_qty": 20}"#, origin.clone()).unwrap();
    engine.rollback("orders", 1, Origin::default()).unwrap();
    let slots: Vec<_> = ["a", "b", "max_qty"].map(|name| engine.intern("orders", name, type_of(name)).unwrap()).into();
    let exported = engine.export_json("orders", Some(2)).unwrap();
    drop(engine);

    let engine = scratch.open();
    assert_eq!(read(&engine, "max_qty"), 10);
    assert_eq!(engine.sectors().unwrap().iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["routes", "orders"]);
    let history = engine.history("orders").unwrap();
    assert_eq!(
        history.iter().map(|v| (v.version, v.rollback_of)).collect::<Vec<_>>(),
        [(1, None), (2, None), (3, Some(1))]
    );
    assert_eq!(history[1].origin, origin);
    assert_eq!(engine.export_json("orders", Some(2)).unwrap(), exported);
    let again: Vec<_> = ["a", "b", "max_qty"].map(|name| engine.intern("orders", name, type_of(name)).unwrap()).into();
    assert_eq!(slots, again, "slots belong to the sector for good");
    assert_eq!(promote(&engine, "{\"max_qty\": 5, \"b\": 1.0, \"a\": 1}"), 4);
}

fn type_of(name: &str) -> ValueType {
    if name == "b" { ValueType::F64 } else { ValueType::I64 }
}

#[test]
fn a_folder_has_one_engine_at_a_time() {
    let scratch = Scratch::new("busy");
    let engine = scratch.open();
    let refused = Engine::open(scratch.0.to_str().unwrap(), Options::default()).err().unwrap();
    assert_eq!(refused.status(), Status::Busy);
    engine.close();
    scratch.open();
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
    let refused = Engine::open(scratch.0.to_str().unwrap(), Options::default()).err().unwrap();
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
    engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap();
}

#[test]
fn a_newest_version_that_was_taken_away_is_missed() {
    let scratch = Scratch::new("taken");
    let engine = scratch.open();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    promote(&engine, r#"{"max_qty": 1}"#);
    promote(&engine, r#"{"max_qty": 2}"#);
    drop(engine);
    scratch.sql().execute("DELETE FROM versions WHERE number = 2", []).unwrap();
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
    ] {
        let scratch = Scratch::new("unstated");
        let engine = scratch.open();
        engine.create_sector("orders", SectorKind::Direct).unwrap();
        promote(&engine, r#"{"max_qty": 1}"#);
        promote(&engine, r#"{"max_qty": 2}"#);
        drop(engine);
        assert_eq!(scratch.sql().execute(change, []).unwrap(), 1);
        let engine = scratch.open();
        assert_eq!((read(&engine, "max_qty"), engine.stats().damaged_versions), (1, 1), "{change}");
    }
}

#[test]
fn a_folder_from_before_the_store_is_refused() {
    let scratch = Scratch::new("before");
    fs::create_dir_all(scratch.0.join("sectors/orders/versions")).unwrap();
    let refused = Engine::open(scratch.0.to_str().unwrap(), Options::default()).err().unwrap();
    assert_eq!(refused.status(), Status::Corrupt);
    assert!(refused.message().contains("promote them into a new folder"), "{refused}");
}

#[test]
fn what_cannot_be_stored_is_refused_and_changes_nothing() {
    let scratch = Scratch::new("full");
    let engine = scratch.open();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    promote(&engine, r#"{"max_qty": 1}"#);
    scratch.refuse_versions();
    let refused = engine.promote_json("orders", r#"{"max_qty": 2}"#, Origin::default()).unwrap_err();
    assert_eq!((refused.status(), refused.stage()), (Status::Io, "journal"));
    assert_eq!(read(&engine, "max_qty"), 1);
    assert_eq!(engine.history("orders").unwrap().len(), 1);
    scratch.take_versions();
    assert_eq!(promote(&engine, r#"{"max_qty": 2}"#), 2);
    drop(engine);
    let engine = scratch.open();
    assert_eq!(read(&engine, "max_qty"), 2);
    engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap();
}

#[test]
fn an_emergency_rollback_works_where_nothing_can_be_written_and_is_honoured_after_a_restart() {
    let scratch = Scratch::new("emergency");
    let engine = scratch.open();
    engine.create_sector("other", SectorKind::Direct).unwrap();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    promote(&engine, r#"{"max_qty": 1}"#);
    promote(&engine, r#"{"max_qty": 2}"#);
    scratch.refuse_versions();
    assert_eq!(engine.rollback("orders", 1, Origin::default()).unwrap_err().status(), Status::Io);
    assert_eq!(read(&engine, "max_qty"), 2);
    let back = engine.emergency_rollback("orders", 1, Origin::default()).unwrap();
    assert_eq!((back.version, back.rollback_of, back.receipt), (3, Some(1), None));
    assert_eq!(read(&engine, "max_qty"), 1);
    // To a version that is not recorded either: what is kept is the one whose content it has.
    let again = engine.emergency_rollback("orders", 3, Origin::default()).unwrap();
    assert_eq!((again.version, again.rollback_of), (4, Some(3)));
    drop(engine);

    scratch.take_versions();
    let engine = scratch.open();
    assert_eq!(read(&engine, "max_qty"), 1);
    assert_eq!(engine.history("orders").unwrap().last().unwrap().rollback_of, Some(1));
    assert_eq!(promote(&engine, r#"{"max_qty": 4}"#), 5);
    let stated = |kind: &str| {
        let query = ReceiptQuery { kind: Some(kind.into()), newest_first: true, ..Default::default() };
        engine.receipts(&query).unwrap().remove(0)
    };
    let rollback = stated("rollback executed");
    assert_eq!((&rollback.evidence["version"], &rollback.evidence["emergency"]), (&4.into(), &true.into()));
    assert!(rollback.number < stated("snapshot promoted").number, "its receipt comes before what came after it");
    engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap();
    drop(engine);
    assert_eq!(read(&scratch.open(), "max_qty"), 4, "what came after the emergency stands");
}

#[test]
fn an_emergency_rollback_is_recorded_as_soon_as_it_can_be() {
    let scratch = Scratch::new("owed");
    let (engine, heard) = scratch.open_heard();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    promote(&engine, r#"{"max_qty": 1}"#);
    promote(&engine, r#"{"max_qty": 2}"#);
    scratch.refuse_versions();
    engine.emergency_rollback("orders", 1, Origin { by: "ops-2".into(), ..Origin::default() }).unwrap();
    engine.emergency_rollback("orders", 2, Origin::default()).unwrap();
    scratch.take_versions();
    let recorded = |number| format!("emergency rollback {number} is recorded now");
    let mut lines = heard.iter().map(|(_, line)| line);
    assert!(lines.any(|line| line.contains(&recorded(3))) && lines.any(|line| line.contains(&recorded(4))));
    let log = engine.log("orders", &LogQuery::default()).unwrap();
    assert_eq!(
        log.iter().map(|entry| (entry.version, entry.rollback_of)).collect::<Vec<_>>()[..2],
        [(4, Some(2)), (3, Some(1))]
    );
    assert_eq!(log[1].by, "ops-2");
    assert_eq!(engine.history("orders").unwrap()[2].receipt, log[1].receipt);
    assert!(log[1].receipt.is_some());
    assert_eq!(promote(&engine, r#"{"max_qty": 5}"#), 5);
    engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap();
}

#[test]
fn the_next_promotion_records_an_emergency_rollback_with_it() {
    let scratch = Scratch::new("next");
    let engine = scratch.open();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    promote(&engine, r#"{"max_qty": 1}"#);
    promote(&engine, r#"{"max_qty": 2}"#);
    scratch.refuse_versions();
    engine.emergency_rollback("orders", 1, Origin::default()).unwrap();
    let log = engine.log("orders", &LogQuery::default()).unwrap();
    assert_eq!((log[0].version, &log[0].receipt), (3, &None), "it is told though it is not recorded");
    scratch.take_versions();
    // Whoever is first, the thread that tries or this one: each number is there once, and in order.
    assert_eq!(promote(&engine, r#"{"max_qty": 4}"#), 4);
    let log = engine.log("orders", &LogQuery::default()).unwrap();
    assert_eq!(log.iter().map(|entry| entry.version).collect::<Vec<_>>(), [4, 3, 2, 1]);
    assert!(log.iter().all(|entry| entry.receipt.is_some()));
    engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap();
}

#[test]
fn generations_only_grow() {
    let scratch = Scratch::new("epochs");
    let mut last = 0;
    for round in 0..3 {
        let engine = scratch.open();
        _ = engine.create_sector("orders", SectorKind::Direct);
        assert!(engine.version() > last || round == 0, "round {round}");
        let version = engine.promote_json("orders", &format!(r#"{{"max_qty": {round}}}"#), Origin::default()).unwrap();
        assert!(version.epoch > last);
        last = engine.version();
    }
    let epochs: Vec<u64> = scratch.open().history("orders").unwrap().iter().map(|version| version.epoch).collect();
    assert!(epochs.is_sorted_by(|one, next| one < next), "{epochs:?}");
}

/// Names the folder in which the child of the next test promotes until it is killed.
const CHILD: &str = "KNHK_TEST_PROMOTE_FOREVER";

#[test]
fn what_was_acknowledged_survives_kill_9() {
    if let Ok(folder) = std::env::var(CHILD) {
        let engine = Engine::open(&folder, Options::default()).unwrap();
        _ = engine.create_sector("orders", SectorKind::Direct);
        loop {
            let next = engine.history("orders").unwrap().last().map_or(1, |version| version.version + 1);
            let version = promote(&engine, &format!(r#"{{"max_qty": {next}, "k{}": true}}"#, next % 100));
            println!("acknowledged {version}");
        }
    }
    let scratch = Scratch::new("kill");
    let mut acknowledged = 0;
    // The soak kills 500 times.
    let rounds = std::env::var("KNHK_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(50);
    for round in 0..rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "what_was_acknowledged_survives_kill_9", "--nocapture"])
            .env(CHILD, &scratch.0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut wanted = 1 + round % 13;
        while wanted > 0 {
            let line = lines.next().unwrap().unwrap();
            if let Some((_, version)) = line.split_once("acknowledged ") {
                acknowledged = version.parse().unwrap();
                wanted -= 1;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            if let Some((_, version)) = line.split_once("acknowledged ") {
                acknowledged = version.parse().unwrap();
            }
        }
        let engine = scratch.open();
        let current = engine.history("orders").unwrap().last().unwrap().version;
        assert!(current == acknowledged || current == acknowledged + 1, "{current} after {acknowledged}");
        assert_eq!(read(&engine, "max_qty"), current as i64, "the version is whole");
        assert_eq!(engine.stats().damaged_versions, 0);
        if round % 10 == 9 {
            engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap();
        }
    }
}

#[test]
fn what_plain_json_cannot_say_is_back_too() {
    use knhk_engine::Format;
    let scratch = Scratch::new("statements");
    let engine = scratch.open();
    engine.create_sector_from("finance", SectorKind::Direct).unwrap();
    let added = "<urn:knhk:finance:desk> <http://example.com/has> [ <http://example.com/name> \"rates\" ] .";
    engine.promote_delta("finance", b"", added.as_bytes(), Format::Turtle, Origin::default()).unwrap();
    let (history, text) =
        (engine.history("finance").unwrap(), engine.export("finance", None, Format::NTriples).unwrap());
    drop(engine);
    let engine = scratch.open();
    assert_eq!(engine.export("finance", None, Format::NTriples).unwrap(), text);
    assert!(engine.validate("finance").unwrap().conforms());
    let ids =
        |history: &[knhk_engine::VersionInfo]| history.iter().map(|version| version.snapshot_id).collect::<Vec<_>>();
    assert_eq!(ids(&engine.history("finance").unwrap()), ids(&history));
    let back = engine.statement_diff("finance", 2, 1).unwrap();
    assert_eq!((back.removed.len(), back.added.len()), (2, 0));
}
