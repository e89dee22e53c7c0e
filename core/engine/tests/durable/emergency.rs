//! Emergency rollbacks: current before they are recorded, and recorded as soon as they can be.

use knhk_engine::{Engine, LogQuery, Origin, ReceiptQuery, SectorKind, Status};

use crate::scratch::{Scratch, read, whole};

fn promote(engine: &Engine, json: &str) -> u64 {
    engine.promote_json("orders", json, Origin::default()).unwrap().version
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
    whole(&engine);
    drop(engine);
    assert_eq!(read(&scratch.open(), "max_qty"), 4, "what came after the emergency stands");
}

#[test]
fn several_sectors_go_back_at_once_where_nothing_can_be_written_and_stay_back_after_a_restart() {
    let scratch = Scratch::new("emergency-together");
    let engine = scratch.open();
    for sector in ["orders", "quotes"] {
        engine.create_sector(sector, SectorKind::Direct).unwrap();
        for n in 1..=2 {
            engine.promote_json(sector, &format!(r#"{{"max_qty": {n}}}"#), Origin::default()).unwrap();
        }
    }
    let both = |engine: &Engine| {
        let keys = ["orders", "quotes"].map(|sector| engine.key::<i64>(sector, "max_qty").unwrap());
        let reader = engine.register_reader(Default::default()).unwrap();
        let view = reader.view();
        keys.map(|key| key.get(&view, -1))
    };
    let targets = ["orders", "quotes"].map(|sector| (sector.to_owned(), 1));
    scratch.refuse_versions();
    assert_eq!(engine.rollback_together(&targets, Origin::default()).unwrap_err().status(), Status::Io);
    let back = engine.emergency_rollback_together(&targets, Origin::default()).unwrap();
    assert!(back.iter().all(|version| version.rollback_of == Some(1) && version.epoch == back[0].epoch));
    assert_eq!(both(&engine), [1, 1]);
    let twice = [targets[0].clone(), targets[0].clone()];
    let refused = engine.emergency_rollback_together(&twice, Origin::default()).unwrap_err();
    assert_eq!(refused.status(), Status::InvalidArgument);
    drop(engine);
    scratch.take_versions();
    let engine = scratch.open();
    assert_eq!(both(&engine), [1, 1]);
    whole(&engine);
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
    whole(&engine);
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
    whole(&engine);
}
