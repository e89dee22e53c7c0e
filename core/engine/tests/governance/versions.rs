//! Merges, bisects and blame at the engine.

use knhk_engine::Status;
use knhk_engine::governance::State;
use serde_json::{Value, json};

use crate::world::{World, values};

/// Versions 1 to 5 of `orders`: the last three go back to version 2 and change something else.
fn branched() -> World {
    let world = World::new();
    for content in [values(&[("max_qty", "1100")]), values(&[("price_band", "0.1")])] {
        assert_eq!(world.propose("orders", content).state, State::Enacted);
    }
    world.engine().rollback("orders", 2, Default::default()).unwrap();
    assert_eq!(world.propose("orders", values(&[("max_qty", "1200")])).state, State::Enacted);
    world
}

#[test]
fn a_clean_merge_is_proposed_and_a_conflict_names_the_statements() {
    let world = branched();
    let merge = world.govern("merge", json!({ "sector": "orders", "theirs": "3", "by": "ops-1", "propose": true }));
    assert_eq!(merge["proposal"]["state"], "enacted", "{merge:#}");
    assert_eq!((world.read("max_qty"), merge["base"].as_u64()), (1200, Some(2)));
    let shown = world.engine().export_json("orders", None).unwrap();
    assert!(shown.contains("0.1"), "{shown}");

    let world = branched();
    world.propose("orders", values(&[("price_band", "0.2")]));
    let merge = world.govern("merge", json!({ "sector": "orders", "theirs": "3", "propose": true }));
    assert_eq!(merge["proposal"], Value::Null);
    assert_eq!(merge["conflicts"][0]["item"], "price_band");
    assert!(merge["conflicts"][0]["theirs"][0].as_str().unwrap().contains("0.1"), "{merge:#}");
    assert_eq!(merge["conflicts"][0]["theirs_by"]["version"], 3);
}

#[test]
fn conflicts_are_resolved_by_a_side_or_by_a_value() {
    let merged = |resolve: Value| {
        let world = branched();
        world.propose("orders", values(&[("price_band", "0.2")]));
        let asked = json!({ "sector": "orders", "theirs": "3", "resolve": resolve, "propose": true, "by": "ops-1" });
        let merge = world.govern("merge", asked);
        (merge, world.read_f64("price_band"))
    };
    let (theirs, read) = merged(json!({ "price_band": "theirs" }));
    assert_eq!((theirs["proposal"]["state"].as_str(), read), (Some("enacted"), 0.1), "{theirs:#}");
    let (given, read) = merged(json!({ "price_band": { "value": "0.15" } }));
    assert_eq!((given["proposal"]["state"].as_str(), read), (Some("enacted"), 0.15), "{given:#}");
    let (ours, read) = merged(json!({ "*": "ours" }));
    assert_eq!((&ours["proposal"], read), (&Value::Null, 0.2), "nothing is left that this side does not have");
    let world = branched();
    let wrong =
        world.engine().govern("merge", json!({ "sector": "orders", "theirs": "3", "resolve": { "max_qty": "ours" } }));
    let wrong = wrong.unwrap_err();
    assert_eq!((wrong.status(), wrong.item()), (Status::InvalidArgument, "max_qty"));
}

#[test]
fn bisect_finds_the_first_bad_version_step_by_step_and_by_a_condition() {
    let world = World::new();
    for n in 1..=9 {
        world.propose("orders", values(&[("max_qty", &(1000 + n * 10).to_string())]));
    }
    let found =
        world.govern("bisect", json!({ "sector": "orders", "good": "1", "where": "values['max_qty'] >= 1040" }));
    assert_eq!(found["culprit"]["change"]["version"], 5, "{found:#}");
    let mut at = world.govern("bisect", json!({ "sector": "orders", "good": "1", "bad": "current" }));
    let mut tries = 0;
    while let Some(version) = at["next"]["version"].as_u64() {
        let trial = if version >= 5 { "bad" } else { "good" };
        at = world.govern("bisect", json!({ "state": at["state"], "version": version, "trial": trial }));
        tries += 1;
    }
    assert_eq!(at["culprit"]["change"]["version"], 5, "{at:#}");
    assert!(tries <= 4, "{tries}");
}

#[test]
fn blame_names_who_set_a_value_and_under_which_receipt() {
    let world = branched();
    let blamed = world.govern("blame", json!({ "sector": "orders", "path": "max_qty" }));
    let entries = blamed["entries"].as_array().unwrap();
    let value = entries.iter().find(|one| one["statement"].as_str().unwrap().contains("1200")).unwrap();
    assert_eq!(value["change"]["version"], 5, "{value:#}");
    let receipt = world.engine().receipt(value["change"]["receipt"].as_str().unwrap()).unwrap();
    assert_eq!(receipt.kind, "snapshot promoted");
}
