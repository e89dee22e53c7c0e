//! Conflicts of a merge resolved: by a side, by a value that was given, one by one or all that are left.

use knhk_version::{Merged, Resolved, Side, VersionError};

use crate::world::{Made, World, empty, of_json, snapshot};

const BASE: &str =
    r#"{"a": 1, "b": 1, "c": {"$value": 5, "$min": 1}, "$classes": {"venue": [], "lit": ["venue"], "asset": []}}"#;
const OURS: &str =
    r#"{"a": 2, "b": 2, "c": {"$value": 5, "$min": 2}, "d": 7, "$classes": {"venue": [], "lit": ["venue"]}}"#;
const THEIRS: &str = r#"{"a": 3, "b": 3, "c": {"$value": 6, "$min": 3}, "e": 8, "$classes": {"venue": [], "lit": ["venue", "asset"], "asset": []}}"#;

/// Merges what became of [`BASE`] on both sides.
fn merged(ours: &str, theirs: &str, resolved: &Resolved<'_>) -> Result<Merged, VersionError> {
    let world = World::new(&["orders"]);
    world.promote("orders", BASE, Made::default());
    let other = world.promote("orders", theirs, Made::default());
    world.promote("orders", BASE, Made { rollback_of: Some(1), ..Made::default() });
    let own = world.promote("orders", ours, Made::default());
    Ok(world.history.merge("orders", (own, other), &empty("orders"), resolved)?.merged)
}

fn sides(of: &[(&str, Side)], otherwise: Option<Side>) -> Resolved<'static> {
    Resolved { sides: of.iter().map(|(item, side)| ((*item).into(), *side)).collect(), otherwise, given: None }
}

fn is(merged: Result<Merged, VersionError>, expected: &str) {
    let merged = merged.unwrap();
    let Merged::Clean { snapshot: both, .. } = merged else { panic!("{merged:?}") };
    assert_eq!(both.id(), snapshot("orders", expected).id(), "{}", both.document().unwrap().to_json());
}

fn items(merged: Result<Merged, VersionError>) -> Vec<String> {
    match merged.unwrap() {
        Merged::Conflicts(conflicts) => conflicts.into_iter().map(|conflict| conflict.item).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_resolved_stays_a_conflict() {
    let all = items(merged(OURS, THEIRS, &Resolved::default()));
    assert_eq!(all, ["a", "asset", "b", "c"]);
    let some = sides(&[("a", Side::Ours), ("c", Side::Theirs)], None);
    assert_eq!(items(merged(OURS, THEIRS, &some)), ["asset", "b"]);
}

#[test]
fn a_side_holds_of_what_is_named_and_another_of_the_rest() {
    let ours = r#"{"a": 2, "b": 2, "c": {"$value": 6, "$min": 2}, "d": 7, "e": 8, "$classes": {"venue": [], "lit": ["venue"]}}"#;
    is(merged(OURS, THEIRS, &sides(&[], Some(Side::Ours))), ours);
    let theirs = r#"{"a": 3, "b": 3, "c": {"$value": 6, "$min": 3}, "d": 7, "e": 8,
        "$classes": {"venue": [], "lit": ["venue", "asset"], "asset": []}}"#;
    is(merged(OURS, THEIRS, &sides(&[], Some(Side::Theirs))), theirs);
    let mixed = r#"{"a": 2, "b": 3, "c": {"$value": 6, "$min": 3}, "d": 7, "e": 8, "$classes": {"venue": [], "lit": ["venue"]}}"#;
    let mix = sides(&[("a", Side::Ours), ("asset", Side::Ours)], Some(Side::Theirs));
    is(merged(OURS, THEIRS, &mix), mixed);
}

#[test]
fn from_the_other_side_it_is_the_same() {
    let mix = |a, rest| sides(&[("a", a)], Some(rest));
    let one = merged(OURS, THEIRS, &mix(Side::Ours, Side::Theirs)).unwrap();
    let other = merged(THEIRS, OURS, &mix(Side::Theirs, Side::Ours)).unwrap();
    let id = |merged: Merged| match merged {
        Merged::Clean { snapshot, .. } => snapshot.id(),
        other => panic!("{other:?}"),
    };
    assert_eq!(id(one), id(other));
}

#[test]
fn what_was_given_takes_the_place_of_both() {
    let own = snapshot("orders", OURS);
    // As somebody would set it on this side.
    let given = of_json(&own, &OURS.replace("\"a\": 2", "\"a\": 9"));
    let resolved = Resolved { given: Some(&given), ..sides(&[("a", Side::Ours)], Some(Side::Theirs)) };
    let expected = r#"{"a": 9, "b": 3, "c": {"$value": 6, "$min": 3}, "d": 7, "e": 8,
        "$classes": {"venue": [], "lit": ["venue", "asset"], "asset": []}}"#;
    is(merged(OURS, THEIRS, &resolved), expected);
}

#[test]
fn what_is_no_conflict_is_not_resolved() {
    let wrong = merged(OURS, THEIRS, &sides(&[("d", Side::Ours)], Some(Side::Ours))).unwrap_err();
    assert!(matches!(&wrong, VersionError::NoConflict { item, .. } if item == "d"), "{wrong}");
}

#[test]
fn both_together_must_be_sound_all_the_same() {
    let ours = OURS.replace(r#"{"$value": 5, "$min": 2}"#, r#"{"$value": 2, "$min": 1}"#);
    // Ours keeps its value, and theirs raises the minimum above it.
    let found = items(merged(&ours, THEIRS, &sides(&[("c", Side::Ours)], Some(Side::Theirs))));
    assert!(!found.is_empty() && found.iter().all(|item| item == "c"), "{found:?}");
}
