//! Merging: clean where the sides are apart, conflicts where they are not, the same from either side.

use knhk_ontology::Snapshot;
use knhk_version::{Conflict, Merged, Resolved, VersionError, three_way};
use proptest::prelude::*;

use crate::world::{Made, World, empty, of_json, snapshot};

fn json(value: &Snapshot) -> serde_json::Value {
    serde_json::from_str(&value.document().unwrap().to_json()).unwrap()
}

fn of(base: &str, ours: &str, theirs: &str) -> Merged {
    let base = snapshot("orders", base);
    three_way(&base, &of_json(&base, ours), &of_json(&base, theirs)).unwrap()
}

fn clean(merged: Merged) -> serde_json::Value {
    match merged {
        Merged::Clean { snapshot, .. } => json(&snapshot),
        other => panic!("{other:?}"),
    }
}

fn conflicts(merged: Merged) -> Vec<Conflict> {
    match merged {
        Merged::Conflicts(conflicts) => conflicts,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_only_one_side_changed_is_taken_from_it() {
    let base = r#"{"max_qty": {"$value": 7, "$min": 1}, "venues": ["XLON"], "old": true}"#;
    let ours = r#"{"max_qty": {"$value": 8, "$min": 1}, "venues": ["XLON"], "old": true, "limits": {"notional": 5}}"#;
    let theirs = r#"{"max_qty": {"$value": 7, "$min": 2, "$doc": "lots"}, "venues": ["XLON", "XPAR"]}"#;
    let both = r#"{"max_qty": {"$value": 8, "$min": 2, "$doc": "lots"}, "venues": ["XLON", "XPAR"], "limits": {"notional": 5}}"#;
    assert_eq!(clean(of(base, ours, theirs)), json(&snapshot("orders", both)));
    assert!(matches!(of(base, ours, ours), Merged::Nothing), "both say the same");
    assert!(matches!(of(base, ours, base), Merged::Nothing), "the other side changed nothing");
    assert_eq!(clean(of(base, base, theirs)), json(&snapshot("orders", theirs)));
}

#[test]
fn what_both_changed_differently_is_a_conflict_that_names_it() {
    let base = r#"{"max_qty": {"$value": 7, "$min": 1, "$unit": "lots"}, "name": "a"}"#;
    for (ours, theirs, item, what) in [
        // Another value.
        (
            r#"{"max_qty": {"$value": 8, "$min": 1, "$unit": "lots"}, "name": "a"}"#,
            r#"{"max_qty": {"$value": 9, "$min": 1, "$unit": "lots"}, "name": "a"}"#,
            "max_qty",
            "both sides changed it",
        ),
        // A value means nothing without its unit.
        (
            r#"{"max_qty": {"$value": 8, "$min": 1, "$unit": "lots"}, "name": "a"}"#,
            r#"{"max_qty": {"$value": 7, "$min": 1, "$unit": "shares"}, "name": "a"}"#,
            "max_qty",
            "both sides changed it",
        ),
        // Nor without its type.
        (
            r#"{"max_qty": {"$value": 7, "$min": 1, "$unit": "lots"}, "name": "b"}"#,
            r#"{"max_qty": {"$value": 7, "$min": 1, "$unit": "lots"}, "name": 5}"#,
            "name",
            "both sides changed it",
        ),
        // Gone here, changed there, and the other way round.
        (
            r#"{"name": "a"}"#,
            r#"{"max_qty": {"$value": 9, "$min": 1, "$unit": "lots"}, "name": "a"}"#,
            "max_qty",
            "this side removed it and the other one changed it",
        ),
        (
            r#"{"max_qty": {"$value": 9, "$min": 1, "$unit": "lots"}, "name": "a"}"#,
            r#"{"name": "a"}"#,
            "max_qty",
            "the other side removed it and this one changed it",
        ),
        // New on both sides, and not the same.
        (
            r#"{"max_qty": {"$value": 7, "$min": 1, "$unit": "lots"}, "name": "a", "new": 1}"#,
            r#"{"max_qty": {"$value": 7, "$min": 1, "$unit": "lots"}, "name": "a", "new": 2}"#,
            "new",
            "both sides changed it",
        ),
        // Each alone is sound.
        (
            r#"{"max_qty": {"$value": 7, "$min": 6, "$unit": "lots"}, "name": "a"}"#,
            r#"{"max_qty": {"$value": 2, "$min": 1, "$unit": "lots"}, "name": "a"}"#,
            "max_qty",
            "both sides together are not sound",
        ),
    ] {
        let found = conflicts(of(base, ours, theirs));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].item, item);
        assert!(found[0].what.starts_with(what), "{}", found[0]);
    }
}

#[test]
fn a_conflict_tells_the_statements_of_each_side() {
    let found = conflicts(of(r#"{"a": 1}"#, r#"{"a": 2}"#, r#"{"a": 3}"#)).remove(0);
    let value = |value: i64| {
        format!("<urn:knhk:orders:a> <urn:knhk:core:value> \"{value}\"^^<http://www.w3.org/2001/XMLSchema#integer> .")
    };
    assert_eq!([found.base, found.ours, found.theirs], [vec![value(1)], vec![value(2)], vec![value(3)]]);
}

#[test]
fn classes_of_both_sides_come_together_and_one_that_is_gone_is_not_referred_to() {
    let base = r#"{"$classes": {"venue": [], "lit": ["venue"], "asset": []}}"#;
    let ours = r#"{"$classes": {"venue": [], "lit": ["venue"], "asset": [], "dark": ["venue"]}}"#;
    let theirs = r#"{"$classes": {"venue": [], "lit": ["venue", "asset"], "asset": []}}"#;
    let both = r#"{"$classes": {"venue": [], "lit": ["venue", "asset"], "asset": [], "dark": ["venue"]}}"#;
    assert_eq!(clean(of(base, ours, theirs)), json(&snapshot("orders", both)));
    let without = r#"{"$classes": {"venue": [], "lit": ["venue"]}}"#;
    let found = conflicts(of(base, without, theirs));
    assert!(found.iter().any(|found| found.item == "asset" && found.what.contains("refers to it anew")), "{found:?}");
}

#[test]
fn what_a_rollback_took_back_is_brought_back_by_merging_it() {
    let world = World::new(&["orders"]);
    let promote = |json: &str, by| world.promote("orders", json, Made { by, why: "asked", ..Made::default() });
    promote(r#"{"a": 1, "b": 1}"#, "ops-1");
    let taken_back = promote(r#"{"a": 2, "b": 1}"#, "ops-2");
    world.promote("orders", r#"{"a": 1, "b": 1}"#, Made { rollback_of: Some(1), ..Made::default() });
    let ours = promote(r#"{"a": 1, "b": 5}"#, "ops-3");
    let merge = world.history.merge("orders", (ours, taken_back), &empty("orders"), &Resolved::default()).unwrap();
    assert_eq!((merge.base, merge.parents()), (Some(1), [ours, taken_back]));
    let Merged::Clean { delta, snapshot: both } = merge.merged else { panic!("{merge:?}") };
    assert_eq!(json(&both), json(&snapshot("orders", r#"{"a": 2, "b": 5}"#)));
    assert_eq!((delta.removed().len(), delta.added().len()), (1, 1));
    // It becomes a version with two parents, and then there is nothing more to merge.
    let merged = world.commit("orders", &both, Made { parents: &[ours, taken_back], ..Made::default() });
    assert_eq!(world.history.version("orders", merged).unwrap().parents, [ours, taken_back]);
    let again = world.history.merge("orders", (merged, taken_back), &empty("orders"), &Resolved::default()).unwrap();
    assert!(matches!((again.base, again.merged), (Some(2), Merged::Nothing)));
}

#[test]
fn a_conflict_names_the_versions_and_who_made_them() {
    let world = World::new(&["orders"]);
    let promote = |json: &str, by| world.promote("orders", json, Made { by, why: "asked", ..Made::default() });
    promote(r#"{"a": 1, "b": 1}"#, "ops-1");
    let theirs = promote(r#"{"a": 2, "b": 1}"#, "ops-2");
    world.promote("orders", r#"{"a": 1, "b": 1}"#, Made { rollback_of: Some(1), ..Made::default() });
    let changed = promote(r#"{"a": 3, "b": 1}"#, "ops-3");
    let ours = promote(r#"{"a": 3, "b": 2}"#, "ops-4");
    let merge = world.history.merge("orders", (ours, theirs), &empty("orders"), &Resolved::default()).unwrap();
    let found = conflicts(merge.merged).remove(0);
    let (here, there) = (found.ours_by.clone().unwrap(), found.theirs_by.clone().unwrap());
    assert_eq!((here.version, here.by.as_str()), (changed, "ops-3"), "not the newest, but the one that changed it");
    assert_eq!((there.version, there.by.as_str(), there.why.as_str()), (theirs, "ops-2", "asked"));
    assert!(there.receipt.contains("-orders-"), "{}", there.receipt);
    let text = found.to_string();
    assert!(
        text.starts_with("a: both sides changed it\n  before:\n") && text.contains("ours, version 4 by ops-3 (asked):"),
        "{text}"
    );
}

#[test]
fn a_base_that_is_not_retained_is_said() {
    let world = World::new(&["orders"]);
    let theirs = [1, 2].map(|a| world.promote("orders", &format!(r#"{{"a": {a}}}"#), Made::default()))[1];
    let back = Made { rollback_of: Some(1), ..Made::default() };
    let ours = world.promote("orders", r#"{"a": 1}"#, back);
    world.prune("orders", 1);
    let lost = world.history.merge("orders", (ours, theirs), &empty("orders"), &Resolved::default()).unwrap_err();
    assert!(
        matches!(&lost, VersionError::Unknown { what, .. } if what.contains("version 1, which 3 and 2 both came from")),
        "{lost}"
    );
}

/// Parameters a to f, some of them.
fn document() -> impl Strategy<Value = String> {
    let leaf = (0..3i64, 0..2i64).prop_map(|(value, min)| format!("{{\"$value\": {}, \"$min\": {min}}}", value + min));
    prop::collection::btree_map("[a-f]", leaf, 0..6).prop_map(|leaves| {
        let leaves: Vec<String> = leaves.iter().map(|(name, leaf)| format!("\"{name}\": {leaf}")).collect();
        format!("{{{}}}", leaves.join(", "))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_sides_give_the_same_merge(base in document(), ours in document(), theirs in document()) {
        let base = snapshot("orders", &base);
        let (ours, theirs) = (of_json(&base, &ours), of_json(&base, &theirs));
        let (here, there) = (three_way(&base, &ours, &theirs).unwrap(), three_way(&base, &theirs, &ours).unwrap());
        match (here, there) {
            (Merged::Clean { snapshot: one, delta }, Merged::Clean { snapshot: other, .. }) => {
                prop_assert_eq!(one.id(), other.id());
                prop_assert_eq!(ours.apply(&delta).unwrap().id(), one.id());
                // Each parameter is as one of the sides has it, or as both changed parts of it.
                let (merged, sides) = (json(&one), [json(&base), json(&ours), json(&theirs)]);
                for name in ["a", "b", "c", "d", "e", "f"] {
                    let of = |side: usize| sides[side].get(name);
                    let expected = if of(1) == of(0) { of(2) } else { of(1) };
                    if of(1) == of(0) || of(2) == of(0) || of(1) == of(2) {
                        prop_assert_eq!(merged.get(name), expected, "{}", name);
                    }
                }
            }
            (Merged::Conflicts(one), Merged::Conflicts(other)) => {
                let items = |found: &[Conflict]| found.iter().map(|found| found.item.clone()).collect::<Vec<_>>();
                prop_assert_eq!(items(&one), items(&other));
            }
            (Merged::Nothing, Merged::Nothing) => prop_assert_eq!(ours.id(), theirs.id()),
            // The other side's changes are all here.
            (Merged::Nothing, Merged::Clean { snapshot, .. }) => prop_assert_eq!(snapshot.id(), ours.id()),
            (Merged::Clean { snapshot, .. }, Merged::Nothing) => prop_assert_eq!(snapshot.id(), theirs.id()),
            (one, other) => prop_assert!(false, "{:?} and {:?}", one, other),
        }
    }
}
