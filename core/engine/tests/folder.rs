//! What survives the process: a folder opened again, damaged, killed at any moment.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use knhk_engine::{Engine, Level, Log, Options, Origin, ReaderOptions, SectorKind, Status, ValueType};

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

    fn version(&self, sector: &str, number: u64) -> PathBuf {
        self.0.join("sectors").join(sector).join("versions").join(format!("{number:020}"))
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
    let path = scratch.version("orders", 2);
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, whole.replace("> \"2\"", "> \"3\"")).unwrap();
    let (said, heard) = std::sync::mpsc::channel();
    let mut options = Options::default();
    options.log = Some(Log(Arc::new(move |level, part, line| said.send((level, format!("{part}: {line}"))).unwrap())));
    let engine = Engine::open(scratch.0.to_str().unwrap(), options).unwrap();
    assert_eq!(read(&engine, "max_qty"), 1);
    assert_eq!(engine.stats().damaged_versions, 1);
    let (level, line) = heard.recv().unwrap();
    assert_eq!(level, Level::Error);
    assert!(line.contains("sector orders: version 2 is damaged"), "{line}");
    assert_eq!(promote(&engine, r#"{"max_qty": 4}"#), 3, "the damaged version's number is not used again");
    drop(engine);
    for number in [1, 2, 3] {
        fs::write(scratch.version("orders", number), "x").unwrap();
    }
    let refused = Engine::open(scratch.0.to_str().unwrap(), Options::default()).err().unwrap();
    assert_eq!(refused.status(), Status::Corrupt);
    assert!(refused.message().contains("backup"), "{refused}");
}

#[test]
fn a_key_table_cut_off_in_its_last_line_is_mended() {
    let scratch = Scratch::new("keys");
    let engine = scratch.open();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    promote(&engine, r#"{"max_qty": 1}"#);
    drop(engine);
    let path = scratch.0.join("sectors/orders/keys.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{whole}{{\"slo")).unwrap();
    let engine = scratch.open();
    assert_eq!(read(&engine, "max_qty"), 1);
    promote(&engine, r#"{"max_qty": 1, "more": 2}"#);
    drop(engine);
    assert_eq!(read(&scratch.open(), "more"), 2);
}

#[test]
fn a_full_disk_refuses_and_changes_nothing() {
    let scratch = Scratch::new("full");
    let engine = scratch.open();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    promote(&engine, r#"{"max_qty": 1}"#);
    // A folder where the next version's file would go stops its rename, whoever runs the test.
    fs::create_dir_all(scratch.version("orders", 2).join("in the way")).unwrap();
    let refused = engine.promote_json("orders", r#"{"max_qty": 2}"#, Origin::default()).unwrap_err();
    assert_eq!((refused.status(), refused.stage()), (Status::Io, "journal"));
    assert_eq!(read(&engine, "max_qty"), 1);
    assert_eq!(engine.history("orders").unwrap().len(), 1);
    fs::remove_dir_all(scratch.version("orders", 2)).unwrap();
    assert_eq!(promote(&engine, r#"{"max_qty": 2}"#), 2);
}

#[test]
fn an_emergency_rollback_works_where_nothing_can_be_written_and_is_honoured_after_a_restart() {
    let scratch = Scratch::new("emergency");
    let engine = scratch.open();
    engine.create_sector("other", SectorKind::Direct).unwrap();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    promote(&engine, r#"{"max_qty": 1}"#);
    promote(&engine, r#"{"max_qty": 2}"#);
    fs::create_dir_all(scratch.version("orders", 3).join("in the way")).unwrap();
    assert_eq!(engine.rollback("orders", 1, Origin::default()).unwrap_err().status(), Status::Io);
    assert_eq!(read(&engine, "max_qty"), 2);
    let back = engine.emergency_rollback("orders", 1, Origin::default()).unwrap();
    assert_eq!((back.version, back.rollback_of), (3, Some(1)));
    assert_eq!(read(&engine, "max_qty"), 1);
    drop(engine);

    fs::remove_dir_all(scratch.version("orders", 3)).unwrap();
    let engine = scratch.open();
    assert_eq!(read(&engine, "max_qty"), 1);
    assert_eq!(engine.history("orders").unwrap().last().unwrap().rollback_of, Some(1));
    assert_eq!(promote(&engine, r#"{"max_qty": 4}"#), 4);
    drop(engine);
    assert_eq!(read(&scratch.open(), "max_qty"), 4, "what came after the emergency stands");
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
            let version = promote(&engine, &format!(r#"{{"max_qty": {next}, "k{next}": true}}"#));
            println!("acknowledged {version}");
        }
    }
    let scratch = Scratch::new("kill");
    let mut acknowledged = 0;
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "what_was_acknowledged_survives_kill_9", "--nocapture"])
            .env(CHILD, &scratch.0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut wanted = 3 + round * 5;
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

#[test]
fn versions_of_format_1_are_read_and_damaged_ones_told() {
    let scratch = Scratch::new("format-1");
    let engine = scratch.open();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    drop(engine);
    let id = "db1c19d7a8d51c4ae5d50b6b3ef5ee8f0ed3d5d7d4bd42db53d4d9a21ecad1ff";
    let about = |id: &str| {
        format!(r#"{{"version":1,"snapshot_id":"{id}","epoch":1,"time_ns":1,"by":"","why":"","major":false}}"#)
    };
    let document = "{\n  \"max_qty\": 1000\n}\n";
    fs::write(scratch.version("orders", 1), format!("{}\n{document}", about(id))).unwrap();
    let stated = Engine::open(scratch.0.to_str().unwrap(), Options::default());
    assert_eq!(stated.err().map(|error| error.status()), Some(Status::Corrupt), "the address is another's");
    fs::write(scratch.version("orders", 1), format!("{}\n{document}", about(FORMAT_1))).unwrap();
    let engine = scratch.open();
    assert_eq!(read(&engine, "max_qty"), 1000);
    assert_eq!(promote(&engine, r#"{"max_qty": 5}"#), 2);
    drop(engine);
    assert_eq!(read(&scratch.open(), "max_qty"), 5);
}

/// The content address that format 1 gave `{"max_qty": 1000}`.
const FORMAT_1: &str = "35b864cf0f878cb736eaa6d437a88133e87acbafe8a00c62ec722c69e2dc8edb";
