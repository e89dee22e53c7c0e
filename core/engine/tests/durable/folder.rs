//! A folder opened again, refused, killed at any moment.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use knhk_engine::{Engine, Options, Origin, SectorKind, Status, ValueType};

use crate::scratch::{Scratch, read, whole};

fn promote(engine: &Engine, json: &str) -> u64 {
    engine.promote_json("orders", json, Origin::default()).unwrap().version
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
    let origin = Origin { by: "ops-2".into(), why: "desk\nasked".into(), ..Origin::default() };
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
    let refused = scratch.refused(Options::default());
    assert_eq!(refused.status(), Status::Busy);
    engine.close();
    scratch.open();
}

#[test]
fn a_folder_from_before_the_store_is_refused() {
    let scratch = Scratch::new("before");
    fs::create_dir_all(scratch.0.join("sectors/orders/versions")).unwrap();
    let refused = scratch.refused(Options::default());
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
    whole(&engine);
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
            .args(["--exact", "folder::what_was_acknowledged_survives_kill_9", "--nocapture"])
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
            whole(&engine);
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
