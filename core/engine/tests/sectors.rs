//! The shipped sectors through the engine: what programs read of them, and which changes are refused.

use knhk_engine::{Engine, Error, Format, Options, Origin, ReaderOptions, SectorKind, Status, VersionInfo};
use knhk_ontology::sectors::{Shipped, shipped};
use serde_json::Value;

fn engine_with(sector: &str) -> Engine {
    let engine = Engine::open(":memory:", Options::default()).expect("an engine in memory");
    engine.create_sector_from(sector, SectorKind::Direct).unwrap_or_else(|error| panic!("{sector}: {error}"));
    engine
}

fn change(engine: &Engine, sector: &str, removed: &str, added: &str) -> Result<VersionInfo, Error> {
    engine.promote_delta(sector, removed.as_bytes(), added.as_bytes(), Format::Turtle, Origin::default())
}

/// The change of one whole number.
fn set(engine: &Engine, sector: &str, path: &str, from: i64, to: i64) -> Result<VersionInfo, Error> {
    let statement = |value| format!("<urn:knhk:{sector}:{path}> <urn:knhk:core:value> {value} .");
    change(engine, sector, &statement(from), &statement(to))
}

/// The shapes that a refusal names.
fn broken(refused: Result<VersionInfo, Error>) -> Vec<String> {
    let error = refused.expect_err("it breaks a shape");
    assert_eq!(error.status(), Status::Nonconforming, "{error}");
    let report = error.report().expect("a refusal for shapes has the report");
    report.results().map(|result| result.shape()).collect()
}

#[test]
fn all_sectors_stand_side_by_side_with_their_examples() {
    let engine = Engine::open(":memory:", Options::default()).expect("an engine in memory");
    for &Shipped { name, example, .. } in shipped() {
        engine.create_sector_from(name, SectorKind::Direct).unwrap_or_else(|error| panic!("{name}: {error}"));
        change(&engine, name, "", example).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(engine.validate(name).expect("it was promoted").conforms(), "{name}");
    }
    let conflicts = engine.conflicts().expect("they are compared");
    assert!(conflicts.is_empty(), "{} conflicts", conflicts.len());
}

#[test]
fn programs_read_values_and_classes() {
    let engine = engine_with("finance");
    let reader = engine.register_reader(ReaderOptions::default()).expect("a reader");
    let view = reader.view();
    let quantity = engine.key::<i64>("finance", "order/max_quantity").expect("it is shipped");
    let collar = engine.key::<f64>("finance", "collar/equity").expect("it is shipped");
    let halted = engine.key::<bool>("finance", "control/kill_switch").expect("it is shipped");
    assert_eq!((quantity.get(&view, 0), collar.get(&view, 0.0), halted.get(&view, true)), (10_000, 5.0, false));
    let keys = engine.keys("finance").expect("it was created");
    for name in ["routing/venues", "control/disabled_algorithms", "$classes/GovernmentBond", "$properties/isin"] {
        assert!(keys.iter().any(|key| key.name == name), "{name}");
    }
}

#[test]
fn a_document_without_a_mandatory_control_is_refused() {
    let engine = engine_with("finance");
    let json = engine.export("finance", None, Format::Json).expect("parameters are JSON");
    let mut document: Value = serde_json::from_str(&json).expect("an export is JSON");
    let removed = document["order"].as_object_mut().expect("a map").remove("max_notional");
    assert!(removed.is_some(), "it is shipped");
    let shapes = broken(engine.promote_json("finance", &document.to_string(), Origin::default()));
    assert!(shapes.contains(&"urn:knhk:core:ParameterShape-value".to_owned()), "{shapes:?}");
    assert_eq!(engine.history("finance").expect("it was created").len(), 1, "nothing changed");
}

#[test]
fn parameters_keep_their_declared_order() {
    let engine = engine_with("finance");
    let shapes = broken(set(&engine, "finance", "order/max_quantity", 10_000, 4_000));
    assert_eq!(shapes, ["urn:knhk:core:LessThanShape-value"], "fat_finger/quantity is 5000");
    set(&engine, "finance", "fat_finger/quantity", 5_000, 2_000).expect("it is smaller still");
    set(&engine, "finance", "order/max_quantity", 10_000, 4_000).expect("the order holds again");
    broken(set(&engine, "finance", "fat_finger/quantity", 2_000, 4_000));
}

#[test]
fn what_the_law_asks_for_cannot_be_switched_off() {
    let switches = [
        ("healthcare", "access/purpose_required", "urn:knhk:healthcare:PurposeRequiredShape-value"),
        ("logistics", "customs/sanctions_screening", "urn:knhk:logistics:ScreeningShape-value"),
        ("manufacturing", "safety/guard_locking", "urn:knhk:manufacturing:GuardLockingShape-value"),
    ];
    for (sector, path, shape) in switches {
        let engine = engine_with(sector);
        let statement = |value| format!("<urn:knhk:{sector}:{path}> <urn:knhk:core:value> {value} .");
        assert_eq!(broken(change(&engine, sector, &statement("true"), &statement("false"))), [shape]);
    }
    let engine = engine_with("finance");
    let untyped = "<urn:knhk:finance:order/max_quantity> a <urn:knhk:finance:PreTradeControl> .";
    assert_eq!(broken(change(&engine, "finance", untyped, "")), ["urn:knhk:finance:MandatoryControlsShape"]);
}

/// A range is the compiler's to hold, not a shape's.
#[test]
fn a_value_outside_of_its_range_is_refused() {
    let engine = engine_with("healthcare");
    let refused = set(&engine, "healthcare", "vital/oxygen_saturation_low", 91, 12);
    let error = refused.expect_err("80 is the least");
    assert_eq!(error.status(), Status::Document, "{error}");
    assert!(error.to_string().contains("vital/oxygen_saturation_low"), "{error}");
}
