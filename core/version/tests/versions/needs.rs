//! What a version needs of other sectors, where it is committed.

use knhk_version::{History, VersionError};

use crate::world::{Made, World, snapshot};

fn commit(world: &World, sector: &str, made: Made<'_>) -> Result<u64, String> {
    let number = world.history.versions(sector, None, 1).unwrap().first().map_or(1, |newest| newest.number + 1);
    let of = made.rollback_of.unwrap_or(number);
    match world.try_commit(sector, &snapshot(sector, &format!(r#"{{"a": {of}}}"#)), made) {
        Err(VersionError::Clash { why }) => Err(why),
        committed => Ok(committed.unwrap()),
    }
}

fn back(of: u64) -> Made<'static> {
    Made { rollback_of: Some(of), ..Made::default() }
}

fn needs(world: &World, sector: &str) -> Vec<(String, u64)> {
    world.history.versions(sector, None, 1).unwrap().remove(0).depends
}

#[test]
fn none_becomes_current_without_what_it_needs_and_none_takes_it_away() {
    let world = World::new(&["orders", "quotes"]);
    let [quotes_1, quotes_2] = [1, 2].map(|number| [("quotes".to_owned(), number)]);
    let needing = |depends| Made { depends: Some(depends), ..Made::default() };
    assert_eq!(
        commit(&world, "orders", needing(&quotes_1)),
        Err("orders 1 needs quotes 1, and nothing was promoted in quotes".into())
    );
    commit(&world, "quotes", Made::default()).unwrap();
    commit(&world, "orders", needing(&quotes_1)).unwrap();
    assert_eq!(
        commit(&world, "orders", needing(&quotes_2)),
        Err("orders 2 needs quotes 2, which quotes 1 does not have".into())
    );
    assert_eq!(world.history.versions("orders", None, 9).unwrap().len(), 1, "what is refused leaves nothing");
    commit(&world, "quotes", Made::default()).unwrap();
    commit(&world, "orders", needing(&quotes_2)).unwrap();
    // What is not said again stays, and a rollback needs what it brings back.
    commit(&world, "orders", Made::default()).unwrap();
    assert_eq!(needs(&world, "orders"), quotes_2);
    assert_eq!(commit(&world, "quotes", back(1)), Err("orders 3 needs quotes 2, which quotes 3 does not have".into()));
    commit(&world, "orders", back(1)).unwrap();
    assert_eq!(needs(&world, "orders"), quotes_1);
    commit(&world, "quotes", back(1)).unwrap();
    // Where nothing is known yet, as after a start, it is read.
    let reopened = World { history: History::new(world.history.ledger().clone()), store: world.store.clone() };
    let major = Made { major: true, ..Made::default() };
    assert_eq!(commit(&reopened, "quotes", major), Err("orders 4 needs quotes 1, which quotes 4 does not have".into()));
    commit(&reopened, "orders", needing(&[])).unwrap();
    commit(&reopened, "quotes", major).unwrap();
}

#[test]
fn an_emergency_goes_on() {
    let world = World::new(&["orders", "quotes"]);
    (1..=2).for_each(|_| _ = commit(&world, "quotes", Made::default()).unwrap());
    let quotes_2 = [("quotes".to_owned(), 2)];
    commit(&world, "orders", Made { depends: Some(&quotes_2), ..Made::default() }).unwrap();
    commit(&world, "quotes", Made { emergency: true, ..back(1) }).unwrap();
    assert_eq!(
        commit(&world, "orders", Made::default()),
        Err("orders 2 needs quotes 2, which quotes 3 does not have".into()),
        "what comes after it says what is broken"
    );
    commit(&world, "quotes", back(2)).unwrap();
    commit(&world, "orders", Made::default()).unwrap();
}
