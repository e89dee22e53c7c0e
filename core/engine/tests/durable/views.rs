//! Versions that are only in the store: read as of then, compared, gone back to.

use knhk_engine::{AsOf, Format, LogQuery, Origin, SectorKind, Status};

use crate::scratch::{Scratch, few, promote_number as promote, read, whole};

#[test]
fn sectors_are_read_as_of_a_version_and_as_of_a_moment() {
    let scratch = Scratch::new("as-of");
    let engine = scratch.orders_with(few());
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
    let engine = scratch.orders_with(few());
    let key = engine.key::<i64>("orders", "max_qty").unwrap();
    assert_eq!(key.get(&engine.as_of(&version("orders", 1)).unwrap(), -1), 1);
}

#[test]
fn what_is_only_in_the_store_is_exported_compared_and_gone_back_to() {
    let scratch = Scratch::new("stored");
    let engine = scratch.orders_with(few());
    (1..=50).for_each(|n| _ = promote(&engine, "orders", n));
    assert_eq!(engine.history("orders").unwrap().len(), 2);
    assert!(engine.export_json("orders", Some(1)).unwrap().contains("\"max_qty\": 1,"));
    assert!(engine.export("orders", Some(7), Format::NTriples).unwrap().contains("> \"7\""));
    let differences: Vec<String> =
        engine.differences("orders", 3, 44).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(differences, ["max_qty 3 → 44", "venues/XLON 3 → 44"]);
    assert_eq!(engine.statement_diff("orders", 1, 49).unwrap().added.len(), 2);
    let back = engine.rollback("orders", 5, Origin::default()).unwrap();
    assert_eq!((back.version, back.rollback_of, read(&engine, "max_qty")), (51, Some(5), 5));
    assert_eq!(engine.emergency_rollback("orders", 7, Origin::default()).unwrap().version, 52);
    assert_eq!(read(&engine, "max_qty"), 7);
    let unknown = engine.rollback("orders", 99, Origin::default()).unwrap_err();
    assert_eq!(unknown.status(), Status::NotFound);
    drop(engine);
    let engine = scratch.orders_with(few());
    assert_eq!(read(&engine, "max_qty"), 7);
    let verified = whole(&engine);
    assert_eq!((verified.versions, verified.snapshots), (52, 50));
}
