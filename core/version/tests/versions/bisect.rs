//! Bisect: the first bad version, in few steps, also where some cannot be told or are not there.

use knhk_version::{Bisect, Step, Trial, VersionError};

use crate::world::{Made, World};

fn world(versions: u64) -> World {
    let world = World::new(&["orders"]);
    for a in 1..=versions {
        let by = format!("ops-{a}");
        world.promote("orders", &format!(r#"{{"a": {a}}}"#), Made { by: &by, why: "asked", ..Made::default() });
    }
    world
}

#[test]
fn the_first_bad_version_is_found_in_about_log2_steps() {
    let world = world(40);
    for first_bad in 2..=40 {
        let mut tried = Vec::new();
        let culprit = world.history.bisect::<VersionError>("orders", 1, 40, &mut |version| {
            tried.push(version);
            Ok(if version >= first_bad { Trial::Bad } else { Trial::Good })
        });
        let culprit = culprit.unwrap();
        assert_eq!((culprit.change.version, culprit.change.by), (first_bad, format!("ops-{first_bad}")));
        assert_eq!((culprit.good, culprit.or, culprit.lost), (first_bad - 1, vec![], None));
        assert!(world.history.ledger().store().receipt_by_id(&culprit.change.receipt).unwrap().is_some());
        assert!(tried.len() <= 6, "38 versions between took {tried:?}");
    }
}

#[test]
fn a_search_is_kept_and_gone_on_with() {
    let world = world(20);
    let mut bisect = world.history.begin_bisect("orders", 1, 20).unwrap();
    let mut left = u32::MAX;
    while let Step::Try { version, left: now } = bisect.step() {
        assert!(now < left, "{now} after {left}");
        left = now;
        bisect.take(version, if version >= 13 { Trial::Bad } else { Trial::Good }).unwrap();
        bisect = serde_json::from_str::<Bisect>(&serde_json::to_string(&bisect).unwrap()).unwrap();
    }
    assert_eq!(bisect.step(), Step::Found(13));
    let text = world.history.culprit(&bisect).unwrap().to_string();
    assert!(
        text.starts_with("first bad: version 13 by ops-13 (asked), receipt ") && text.ends_with("; 12 is good"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_told_is_said() {
    let world = world(8);
    let trial = |version: u64| match version {
        4 | 5 => Trial::Skip,
        6.. => Trial::Bad,
        _ => Trial::Good,
    };
    let culprit = world.history.bisect::<VersionError>("orders", 1, 8, &mut |version| Ok(trial(version))).unwrap();
    assert_eq!((culprit.change.version, culprit.good, culprit.or.clone()), (6, 3, vec![4, 5]));
    assert!(culprit.to_string().contains("or one of 4, 5, which could not be told"), "{culprit}");

    (3..=5).for_each(|version| world.prune("orders", version));
    let trial = |version: u64| if version >= 4 { Trial::Bad } else { Trial::Good };
    let culprit = world.history.bisect::<VersionError>("orders", 1, 8, &mut |version| Ok(trial(version))).unwrap();
    assert_eq!((culprit.change.version, culprit.good, culprit.lost), (6, 2, Some((3, 5))));
    assert!(culprit.to_string().contains("or one of 3 to 5, which are not retained"), "{culprit}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let world = world(5);
    let refused = world.history.begin_bisect("orders", 4, 2).unwrap_err();
    assert!(
        matches!(refused, VersionError::Bisect { .. }) && refused.to_string().contains("call what was broken good")
    );
    assert!(matches!(world.history.begin_bisect("orders", 1, 9), Err(VersionError::Unknown { .. })));
    let mut bisect = world.history.begin_bisect("orders", 1, 5).unwrap();
    assert!(matches!(bisect.take(5, Trial::Good), Err(VersionError::Bisect { .. })));
    let early = world.history.culprit(&bisect).unwrap_err().to_string();
    assert!(early.contains("not at its end: try version 3"), "{early}");
    let codes = [0, 1, 125, 127, 128, -1].map(Trial::of_exit_code);
    assert_eq!(codes, [Some(Trial::Good), Some(Trial::Bad), Some(Trial::Skip), Some(Trial::Bad), None, None]);
}
