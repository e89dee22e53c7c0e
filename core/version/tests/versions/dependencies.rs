//! Which versions of several sectors go together, and why none do.

use knhk_version::{VersionError, Versions};
use proptest::prelude::*;

use crate::world::{Made, World};

fn needs(depends: &[(&str, u64)]) -> Vec<(String, u64)> {
    depends.iter().map(|&(sector, at)| (sector.to_owned(), at)).collect()
}

fn promote(world: &World, sector: &str, depends: &[(&str, u64)], made: Made<'_>) -> u64 {
    // As an emergency, so that these come as they are told, whatever goes together.
    let made = Made { emergency: true, ..made };
    let number = world.history.versions(sector, None, 1).unwrap().first().map_or(1, |newest| newest.number + 1);
    let depends = needs(depends);
    world.promote(sector, &format!(r#"{{"a": {number}}}"#), Made { depends: Some(&depends), ..made })
}

fn versions(of: &[(&str, u64)]) -> Versions {
    needs(of).into_iter().collect()
}

fn clash(world: &World, wanted: &[(&str, u64)], current: &[(&str, u64)]) -> String {
    match world.history.resolve_dependencies(&versions(wanted), &versions(current)) {
        Err(VersionError::Clash { why }) => why,
        other => panic!("{other:?}"),
    }
}

fn resolved(world: &World, wanted: &[(&str, u64)], current: &[(&str, u64)]) -> Versions {
    world.history.resolve_dependencies(&versions(wanted), &versions(current)).unwrap()
}

/// quotes 1, 2, 3; orders 1 needs quotes 1, orders 2 needs quotes 3.
fn world() -> World {
    let world = World::new(&["orders", "quotes", "alone"]);
    (1..=3).for_each(|_| _ = promote(&world, "quotes", &[], Made::default()));
    promote(&world, "orders", &[("quotes", 1)], Made::default());
    promote(&world, "orders", &[("quotes", 3)], Made::default());
    promote(&world, "alone", &[], Made::default());
    world
}

#[test]
fn what_is_needed_comes_along_and_the_rest_stays() {
    let world = world();
    let now = [("orders", 2), ("quotes", 3), ("alone", 1)];
    assert_eq!(resolved(&world, &[("quotes", 3)], &now), versions(&now));
    // Going back with quotes takes orders back to the version that does with it.
    assert_eq!(resolved(&world, &[("quotes", 2)], &now), versions(&[("orders", 1), ("quotes", 2), ("alone", 1)]));
    // Going forward with orders takes quotes along.
    let then = [("orders", 1), ("quotes", 2)];
    assert_eq!(resolved(&world, &[("orders", 2)], &then), versions(&[("orders", 2), ("quotes", 3)]));
    assert_eq!(resolved(&world, &[("orders", 1)], &then), versions(&then), "what is newer does no harm");
}

#[test]
fn what_clashes_is_explained() {
    let world = world();
    let why = clash(&world, &[("orders", 2), ("quotes", 2)], &[("alone", 1)]);
    assert_eq!(why, "orders 2 needs quotes 3, which quotes 2 does not have");
    let why = clash(&world, &[("orders", 2)], &[("alone", 1)]);
    assert_eq!(why, "orders 2 needs quotes 3, and nothing was promoted in quotes");
    // A third one that cannot be had without what is fixed.
    promote(&world, "alone", &[("orders", 2)], Made::default());
    let why = clash(&world, &[("alone", 2), ("quotes", 2)], &[("orders", 2)]);
    assert!(why.contains("orders 2 needs quotes 3, which quotes 2 does not have"), "{why}");
    assert!(why.contains("alone 2 needs orders 2, which orders 1 does not have"), "{why}");
}

#[test]
fn a_rollback_and_an_incompatible_version_do_not_have_what_was_before() {
    let world = world();
    let back = promote(&world, "quotes", &[], Made { rollback_of: Some(1), ..Made::default() });
    let why = clash(&world, &[("orders", 2), ("quotes", back)], &[]);
    assert_eq!(why, "orders 2 needs quotes 3, which quotes 4 does not have");
    assert_eq!(resolved(&world, &[("quotes", back)], &[("orders", 2)])["orders"], 1, "quotes 4 is quotes 1 again");
    let major = promote(&world, "quotes", &[], Made { major: true, ..Made::default() });
    let why = clash(&world, &[("quotes", major)], &[("orders", 2)]);
    assert!(why.contains("orders 2 needs quotes 3") && why.contains("orders 1 needs quotes 1"), "{why}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    /// Three sectors of three versions with needs at random: found exactly where a look at every choice finds one.
    #[test]
    fn it_finds_what_a_look_at_every_choice_finds(
        needed in prop::collection::vec((0..3usize, 1..4u64), 9),
        wanted in 1..4u64,
        now in prop::array::uniform2(1..4u64),
    ) {
        const NAMES: [&str; 3] = ["orders", "quotes", "trades"];
        let world = World::new(&NAMES);
        let mut needs = Vec::new();
        for (at, &(of, version)) in needed.iter().enumerate() {
            let (sector, number) = (at / 3, at as u64 % 3 + 1);
            let depends = if of == sector { vec![] } else { vec![(NAMES[of], version)] };
            needs.extend(depends.iter().map(|_| (sector, number, of, version)));
            promote(&world, NAMES[sector], &depends, Made::default());
        }
        let fits = |choice: [u64; 3]| {
            needs.iter().all(|&(sector, number, of, version)| choice[sector] != number || choice[of] >= version)
        };
        let choices = (1..4).flat_map(|b| (1..4).map(move |c| [wanted, b, c]));
        let current = versions(&[("quotes", now[0]), ("trades", now[1])]);
        let found = world.history.resolve_dependencies(&versions(&[("orders", wanted)]), &current);
        match found {
            Ok(found) => {
                prop_assert!(fits(NAMES.map(|name| found[name])), "{:?}", found);
                if fits([wanted, now[0], now[1]]) {
                    prop_assert_eq!([found["quotes"], found["trades"]], now, "it stays where it can");
                }
            }
            Err(VersionError::Clash { why }) => {
                prop_assert!(!choices.into_iter().any(fits), "{}", why);
                prop_assert!(!why.is_empty());
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}
