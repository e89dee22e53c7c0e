//! A change is refused whose way back is not kept: by retention, or because what the store has of it is damaged. Mended, it passes.

use knhk_engine::governance::{Proposal, Stage, State};
use knhk_engine::{Engine, Origin};
use rusqlite::Connection;

use crate::world::{World, findings, told, values};

fn asked(world: &World) -> Proposal {
    world.propose("orders", values(&[("max_qty", "1400")]))
}

/// Refused by the roll-back stage alone.
fn refused(proposal: &Proposal, says: &str) {
    assert_eq!(proposal.state, State::Refused, "{}", told(&proposal.reports));
    let found = findings(&proposal.reports, Stage::Rollback);
    assert!(found.iter().any(|line| line.starts_with("way back: ") && line.contains(says)), "{found:?}");
    let others = Stage::ALL.into_iter().filter(|stage| *stage != Stage::Rollback);
    let refusals = proposal.reports[0].stages.iter().filter(|one| others.clone().any(|stage| stage == one.stage));
    assert!(refusals.into_iter().all(|one| one.verdict.as_str() == "passed"), "{}", told(&proposal.reports));
}

#[test]
fn a_version_that_retention_would_remove() {
    let mut world = World::new();
    drop(world.engine.take());
    let mut options = world.options();
    options.retention.versions = Some(1);
    world.engine = Some(Engine::open(world.location(), options).unwrap());
    refused(&asked(&world), "version 1, which it leads to, is removed once this one is current");
    world.engine().tag("orders", "stable", "1", "ops-1").unwrap();
    let mended = asked(&world);
    assert_eq!(mended.state, State::Enacted, "{}", told(&mended.reports));
    world.reopen();
    world.engine().rollback("orders", 1, Origin::default()).unwrap();
    assert_eq!(world.read("max_qty"), 1000, "the way back is there after a restart");
}

/// What another process does to the store while the engine runs, and what the refusal says of it.
#[test]
fn a_version_that_is_damaged_in_the_store() {
    for (harm, says) in [
        ("DELETE FROM snapshots", "its content is missing"),
        ("UPDATE receipts SET statement = substr(statement, 2)", "its receipt was changed"),
        ("UPDATE versions SET \"by\" = 'mallory'", "its receipt states another version"),
        ("DELETE FROM versions", "version 1 is not retained"),
    ] {
        let world = World::new();
        let store = Connection::open(format!("{}/store.sqlite", world.location())).unwrap();
        store.execute_batch(&format!("PRAGMA foreign_keys = OFF; {harm}")).unwrap();
        refused(&asked(&world), says);
        assert_eq!(world.read("max_qty"), 1000);
        // As the refusal advises.
        world.engine().rollback("orders", 1, Origin::default()).unwrap();
        let mended = asked(&world);
        assert_eq!(mended.state, State::Enacted, "{harm}: {}", told(&mended.reports));
        world.engine().rollback("orders", 2, Origin::default()).unwrap();
        assert_eq!(world.read("max_qty"), 1000);
    }
}
