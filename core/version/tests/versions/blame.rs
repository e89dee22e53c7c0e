//! Blame: each statement's version, as one finds it by looking at every version.

use std::collections::BTreeSet;

use knhk_version::{BlameOf, Blamed, VersionError};
use proptest::prelude::*;

use crate::world::{Made, World, snapshot};

fn promote(world: &World, json: &str, by: &str) -> u64 {
    world.promote("orders", json, Made { by, why: "asked", ..Made::default() })
}

fn versions(blamed: &[Blamed]) -> BTreeSet<u64> {
    blamed.iter().map(|blamed| blamed.change.version).collect()
}

#[test]
fn each_statement_has_the_version_that_it_came_with() {
    let world = World::new(&["orders"]);
    promote(&world, r#"{"limits": {"max_qty": 7, "notional": 5}, "limits2": 1}"#, "ops-1");
    promote(&world, r#"{"limits": {"max_qty": 8, "notional": 5}, "limits2": 1}"#, "ops-2");
    promote(&world, r#"{"limits": {"max_qty": 8, "notional": 5}, "limits2": 2}"#, "ops-3");
    let blame = |version, of| world.history.blame("orders", version, of).unwrap();
    let found = blame(3, BlameOf::Path("limits/max_qty"));
    assert_eq!(versions(&found), [2].into());
    let Blamed { path, change, or_earlier, .. } = &found[0];
    assert_eq!((path.as_deref(), change.by.as_str(), change.why.as_str()), (Some("limits/max_qty"), "ops-2", "asked"));
    assert_eq!((change.time_ns, *or_earlier), (200, false));
    assert!(world.history.ledger().store().receipt_by_id(&change.receipt).unwrap().is_some());
    assert_eq!(found[0].to_string().split(": ").next(), Some("version 2 by ops-2 (asked)"));
    assert_eq!(versions(&blame(3, BlameOf::Path("limits"))), [1, 2].into(), "all below it, and not limits2");
    assert_eq!(versions(&blame(3, BlameOf::Everything)), [1, 2, 3].into());
    assert_eq!(versions(&blame(1, BlameOf::Everything)), [1].into());
    assert_eq!(blame(3, BlameOf::Statement(&found[0].statement)), found);
    assert_eq!(blame(1, BlameOf::Statement(&found[0].statement)), [], "version 1 does not say it");
    assert_eq!(blame(3, BlameOf::Path("limits/none")), []);
    let missing = world.history.blame("orders", 9, BlameOf::Everything).unwrap_err();
    assert!(matches!(missing, VersionError::Unknown { .. }), "{missing:?}");
}

#[test]
fn what_a_rollback_brings_back_is_of_the_version_that_it_came_with() {
    let world = World::new(&["orders"]);
    promote(&world, r#"{"a": 1}"#, "ops-1");
    promote(&world, r#"{"a": 2}"#, "ops-2");
    world.promote("orders", r#"{"a": 1}"#, Made { rollback_of: Some(1), by: "ops-3", ..Made::default() });
    assert_eq!(versions(&world.history.blame("orders", 3, BlameOf::Everything).unwrap()), [1].into());
}

#[test]
fn what_is_older_than_what_is_kept_is_said_to_be() {
    let world = World::new(&["orders"]);
    for a in 1..=4 {
        promote(&world, &format!(r#"{{"a": {a}, "b": 1}}"#), "ops-1");
    }
    world.prune("orders", 1);
    world.prune("orders", 2);
    let blamed = world.history.blame("orders", 4, BlameOf::Path("b")).unwrap();
    assert_eq!((blamed[0].change.version, blamed[0].or_earlier), (3, true));
    assert!(blamed[0].to_string().starts_with("version 3 by ops-1 (asked) or earlier: "), "{}", blamed[0]);
    let blamed = world.history.blame("orders", 4, BlameOf::Path("a")).unwrap();
    assert_eq!((blamed[0].change.version, blamed[0].or_earlier), (4, false), "it ends early");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Values of three parameters, version by version, against a look at every version.
    #[test]
    fn it_is_what_a_look_at_every_version_says(values in prop::collection::vec(prop::array::uniform3(0..2i64), 1..7)) {
        let world = World::new(&["orders"]);
        let mut all = Vec::new();
        for [a, b, c] in &values {
            let json = format!(r#"{{"a": {a}, "b": {b}, "c": {c}}}"#);
            promote(&world, &json, "ops-1");
            let lines = String::from_utf8(snapshot("orders", &json).own_lines()).unwrap();
            all.push(lines.lines().map(str::to_owned).collect::<BTreeSet<String>>());
        }
        let blamed = world.history.blame("orders", all.len() as u64, BlameOf::Everything).unwrap();
        prop_assert_eq!(blamed.len(), all.last().unwrap().len());
        for Blamed { statement, change, or_earlier, .. } in blamed {
            let without = all.iter().rposition(|lines| !lines.contains(&statement));
            prop_assert_eq!(change.version, without.map_or(1, |at| at as u64 + 2));
            prop_assert!(!or_earlier);
        }
    }
}
