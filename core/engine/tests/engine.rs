//! What a program sees of an engine, in memory.

use std::sync::mpsc;
use std::time::Duration;

use knhk_engine::{Engine, Options, Origin, ReaderOptions, Reason, SectorKind, Status, ValueType};

fn engine() -> Engine {
    let engine = Engine::open(":memory:", Options::default()).unwrap();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    engine
}

fn promote(engine: &Engine, json: &str) -> u64 {
    engine.promote_json("orders", json, Origin::default()).unwrap().version
}

#[test]
fn a_promotion_is_seen_by_the_next_view_and_not_by_the_open_one() {
    let engine = engine();
    promote(&engine, r#"{"max_qty": 1000, "open": true, "collar": 0.5}"#);
    let (qty, open) = (engine.key::<i64>("orders", "max_qty").unwrap(), engine.key::<bool>("orders", "open").unwrap());
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    let before = reader.view();
    promote(&engine, r#"{"max_qty": 5, "open": false, "collar": 0.5}"#);
    assert_eq!((qty.get(&before, 0), open.get(&before, false)), (1000, true));
    drop(before);
    let after = reader.view();
    assert_eq!((qty.get(&after, 0), open.get(&after, true)), (5, false));
    assert_eq!(engine.key::<f64>("orders", "collar").unwrap().try_get(&after, 0.0), (0.5, Reason::Present));
}

#[test]
fn declared_defaults_are_read_until_the_first_promotion() {
    let engine = engine();
    assert_eq!(engine.intern("orders", "max_qty", ValueType::I64).unwrap_err().status(), Status::NotReady);
    engine.declare_json("orders", r#"{"max_qty": {"$type": "i64", "$default": 10}}"#).unwrap();
    let qty = engine.key::<i64>("orders", "max_qty").unwrap();
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    assert_eq!(qty.try_get(&reader.view(), 0), (10, Reason::NotReady));
    let waited = engine.wait_ready("orders", Duration::ZERO).unwrap_err();
    assert_eq!(waited.status(), Status::Timeout);
    promote(&engine, r#"{"max_qty": 11}"#);
    engine.wait_ready("orders", Duration::ZERO).unwrap();
    assert_eq!(qty.try_get(&reader.view(), 0), (11, Reason::Present));
}

#[test]
fn names_and_types_are_checked_once() {
    let engine = engine();
    promote(&engine, r#"{"max_qty": 1000, "venues": {"XPAR": true}}"#);
    let misspelt = engine.key::<i64>("orders", "max_qyt").unwrap_err();
    assert_eq!(misspelt.status(), Status::NotFound);
    assert!(misspelt.message().contains(r#"did you mean "max_qty"?"#), "{misspelt}");
    let retyped = engine.key::<f64>("orders", "max_qty").unwrap_err();
    assert_eq!((retyped.status(), retyped.item()), (Status::WrongType, "orders/max_qty"));
    assert!(retyped.message().contains("i64"), "{retyped}");
    assert_eq!(engine.key::<i64>("order", "max_qty").unwrap_err().status(), Status::NotFound);
}

#[test]
fn breaking_a_held_key_needs_a_declared_major_version() {
    let engine = engine();
    promote(&engine, r#"{"max_qty": 1000, "spare": 1}"#);
    let qty = engine.key::<i64>("orders", "max_qty").unwrap();
    promote(&engine, r#"{"max_qty": 900}"#);
    let refused = engine.promote_json("orders", r#"{"max_qty": "many"}"#, Origin::default()).unwrap_err();
    assert_eq!((refused.status(), refused.item()), (Status::Incompatible, "max_qty"));
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    assert_eq!(qty.get(&reader.view(), 0), 900, "a refused promotion changes nothing");
    let major = Origin { major: true, ..Origin::default() };
    engine.promote_json("orders", r#"{"max_qty": "many"}"#, major).unwrap();
    assert_eq!(qty.try_get(&reader.view(), 7), (7, Reason::WrongType));
}

#[test]
fn a_rollback_is_a_new_version_of_old_content() {
    let engine = engine();
    let first = promote(&engine, r#"{"max_qty": 1}"#);
    promote(&engine, r#"{"max_qty": 2, "extra": 3}"#);
    let back = engine.rollback("orders", first, Origin { why: "it hurt".into(), ..Origin::default() }).unwrap();
    assert_eq!((back.version, back.rollback_of), (3, Some(first)));
    let history = engine.history("orders").unwrap();
    assert_eq!(history.iter().map(|version| version.version).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(history[0].snapshot_id, history[2].snapshot_id);
    assert!(history.windows(2).all(|pair| pair[0].epoch < pair[1].epoch));
    assert!(history[2].phases.total_ns() > 0);
    assert_eq!(engine.export_json("orders", None).unwrap(), engine.export_json("orders", Some(1)).unwrap());
    let unknown = engine.rollback("orders", 99, Origin::default()).unwrap_err();
    assert_eq!(unknown.status(), Status::NotFound);
    assert!(unknown.message().contains("1 to 3"), "{unknown}");
}

#[test]
fn the_history_has_a_depth() {
    let mut options = Options::default();
    options.history = 3;
    let engine = Engine::open(":memory:", options).unwrap();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    for n in 0..5 {
        promote(&engine, &format!(r#"{{"max_qty": {n}}}"#));
    }
    let kept: Vec<u64> = engine.history("orders").unwrap().iter().map(|version| version.version).collect();
    assert_eq!(kept, [3, 4, 5]);
    assert_eq!(engine.rollback("orders", 2, Origin::default()).unwrap_err().status(), Status::NotFound);
}

#[test]
fn changes_are_announced_in_order_three_ways() {
    let engine = engine();
    let before = engine.version();
    let descriptor = engine.change_descriptor().unwrap();
    let (said, heard) = mpsc::channel();
    let subscription = engine.subscribe(move |change| said.send((change.version, change.summary())).unwrap()).unwrap();
    promote(&engine, r#"{"max_qty": 1200}"#);
    let origin = Origin { by: "ops-2".into(), why: "desk asked".into(), ..Origin::default() };
    engine.promote_json("orders", r#"{"max_qty": 1000}"#, origin).unwrap();
    engine.rollback("orders", 1, Origin::default()).unwrap();
    let all: Vec<_> = (0..3).map(|_| heard.recv_timeout(Duration::from_secs(120)).unwrap()).collect();
    assert_eq!(all.iter().map(|(version, _)| *version).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(all[1].1, "orders 2: max_qty 1200 → 1000 (by ops-2: desk asked)");
    assert_eq!(all[2].1, "orders 3: rollback to 1, max_qty 1000 → 1200");
    assert!(engine.version() > before);
    assert_eq!(engine.changes_since(before).len(), 3);
    let mut descriptors = [rustix::event::PollFd::from_borrowed_fd(
        // The engine, which owns the descriptor, outlives this test's use of it.
        borrow(&engine, descriptor),
        rustix::event::PollFlags::IN,
    )];
    assert_eq!(rustix::event::poll(&mut descriptors, None).unwrap(), 1);
    assert!(engine.unsubscribe(subscription));
    promote(&engine, r#"{"max_qty": 1}"#);
    assert!(heard.recv().is_err(), "the callback is gone");
}

fn borrow(_: &Engine, descriptor: i32) -> std::os::fd::BorrowedFd<'_> {
    // SAFETY: the descriptor is open while the engine lives.
    unsafe { std::os::fd::BorrowedFd::borrow_raw(descriptor) }
}

#[test]
fn a_subscriber_that_falls_behind_gets_the_newest_and_a_count() {
    let engine = engine();
    let (release, released) = mpsc::channel::<()>();
    let (said, heard) = mpsc::channel();
    let mut first = true;
    engine
        .subscribe(move |change| {
            said.send((change.version, change.missed)).unwrap();
            if std::mem::replace(&mut first, false) {
                released.recv().unwrap();
            }
        })
        .unwrap();
    promote(&engine, r#"{"max_qty": 0}"#);
    assert_eq!(heard.recv().unwrap(), (1, 0));
    for n in 0..300 {
        promote(&engine, &format!(r#"{{"max_qty": {n}}}"#));
    }
    release.send(()).unwrap();
    let (version, missed) = heard.recv().unwrap();
    assert_eq!((version, missed), (46, 44), "256 of 300 wait");
    let last = heard.iter().take(255).last().unwrap();
    assert_eq!(last, (301, 0));
    assert_eq!(engine.stats().missed_changes, 44);
}

#[test]
fn closing_leaves_reads_defined_and_refuses_changes() {
    let engine = engine();
    promote(&engine, r#"{"max_qty": 1000}"#);
    let qty = engine.key::<i64>("orders", "max_qty").unwrap();
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    let held = reader.view().hold();
    engine.close();
    engine.close();
    assert_eq!(qty.get(&reader.view(), -1), -1);
    assert_eq!(held.get_i64(qty.raw(), -1), 1000, "a hold keeps what it holds");
    let refused = engine.promote_json("orders", "{}", Origin::default()).unwrap_err();
    assert_eq!(refused.status(), Status::Closed);
    drop(engine);
    assert_eq!(held.get_i64(qty.raw(), -1), 1000);
    drop((held, reader));
}

#[test]
fn an_image_carries_a_sector_to_another_engine() {
    let json = r#"{"max_qty": {"$value": 1000, "$min": 1, "$max": 5000}, "tenants": {"acme": 3}}"#;
    let (from, to) = (engine(), engine());
    let image = from.compile_json(json).unwrap();
    promote(&to, r#"{"other": 1, "tenants": {"zeta": 9}}"#);
    to.promote_image("orders", &image, Origin::default()).unwrap();
    let reader = to.register_reader(ReaderOptions::default()).unwrap();
    let view = reader.view();
    let qty = to.key::<i64>("orders", "max_qty").unwrap();
    assert_eq!(qty.get(&view, 0), 1000);
    assert!(view.guard_i64(qty.raw(), 5000) && !view.guard_i64(qty.raw(), 5001));
    let tenants = to.intern("orders", "tenants", ValueType::Map).unwrap();
    let acme = view.lookup(tenants, "acme").unwrap();
    assert_eq!(view.get_i64(acme, 0), 3);
    assert_eq!(view.lookup(tenants, "zeta"), None);
    let mut damaged = image.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(to.promote_image("orders", &damaged, Origin::default()).unwrap_err().status(), Status::Artifact);
}

#[test]
fn the_log_reaches_its_callback() {
    let engine = engine();
    let (said, heard) = mpsc::channel();
    engine.set_log(move |_, part, message| said.send(format!("{part}: {message}")).unwrap());
    promote(&engine, r#"{"max_qty": 1}"#);
    assert_eq!(heard.recv().unwrap(), "promotion: orders 1: max_qty = 1 (new)");
    engine.clear_log();
    promote(&engine, r#"{"max_qty": 2}"#);
    assert!(heard.recv().is_err(), "the callback is gone");
}
