//! Probation: a broken objective takes a promotion back by itself; without data it does what the sector says, and never passes.

use knhk_engine::governance::{Probation, ProbationState, SectorChange};
use knhk_engine::{Engine, Key, Origin, Outcome, Reader, ReaderOptions, SectorKind};

use crate::world::{SECOND, World, document, values};
use crate::{desk, observing, record};

struct Desk {
    world: World,
    key: Key<i64>,
    reader: Reader,
}

fn observed(missing: &str) -> Desk {
    let mut world = World::empty();
    world.engine = None;
    let options = observing(&world);
    world.engine = Some(Engine::open(world.location(), options).unwrap());
    let key = desk(world.engine(), 60, missing);
    let reader = world.engine().register_reader(ReaderOptions::default()).unwrap();
    Desk { world, key, reader }
}

impl Desk {
    fn engine(&self) -> &Engine {
        self.world.engine()
    }

    fn promote(&self, n: &str) {
        let changes = [SectorChange { sector: "desk".into(), content: values(&[("max_qty", n)]) }];
        self.engine().promote_together(&changes, Origin::default()).unwrap();
    }

    fn record(&self, count: usize, outcome: Outcome) {
        (0..count).for_each(|_| record(&self.reader, self.key, 7, outcome));
        self.engine().flush_observations().unwrap();
    }

    fn last(&self) -> Probation {
        self.engine().settle_probations().unwrap();
        self.engine().probations().unwrap().pop().unwrap()
    }

    fn value(&self) -> i64 {
        self.key.get(&self.reader.view(), -1)
    }

    fn pass(&self, seconds: u64) {
        self.world.clock.advance(std::time::Duration::from_secs(seconds));
    }
}

#[test]
fn a_broken_objective_takes_it_back() {
    let desk = observed("hold");
    assert!(desk.engine().probations().unwrap().is_empty(), "a first version has nothing to go back to");
    // What was before the promotion says nothing of it.
    desk.record(100, Outcome::Rejected);
    desk.promote("2000");
    desk.record(100, Outcome::Success);
    let watching = desk.last();
    assert_eq!((watching.state, desk.value()), (ProbationState::Watching, 2000));
    assert_eq!((watching.sectors[0].version, watching.sectors[0].back_to), (2, 1));
    desk.record(50, Outcome::Rejected);
    let back = desk.last();
    assert_eq!((back.state, desk.value()), (ProbationState::RolledBack, 1000));
    assert!(
        back.said.starts_with("the objective desk/Rejects is broken: failure_share of OrderChecked is 33.3"),
        "{}",
        back.said
    );
    assert!(back.said.ends_with("and at most 5 is allowed"), "{}", back.said);
    let history = desk.engine().history("desk").unwrap();
    assert_eq!(history.last().unwrap().rollback_of, Some(1));
    assert!(history.last().unwrap().origin.why.starts_with("probation b-1: the objective"), "{:?}", history.last());
    let violation = desk.world.receipts("invariant violation").pop().unwrap();
    assert_eq!(violation.outcome, "rejected");
    assert_eq!(violation.evidence["item"], "probation b-1");
    desk.record(50, Outcome::Rejected);
    desk.engine().settle_probations().unwrap();
    assert_eq!(desk.engine().history("desk").unwrap().len(), 3, "once; and going back is not on probation");
}

#[test]
fn too_few_samples_break_nothing_and_prove_nothing() {
    let desk = observed("hold");
    let engine = desk.engine();
    let text = crate::ORDERS.replace("urn:knhk:orders:", "urn:knhk:desk:").replace("MISSING", "hold");
    let text = text.replace("PROBATION", "60").replace("k:window 60", "k:window 60 ; k:leastSamples 50");
    engine.promote_rdf("desk", text.as_bytes(), knhk_engine::Format::Turtle, Origin::default()).unwrap();
    desk.promote("2000");
    desk.record(20, Outcome::Rejected);
    assert_eq!((desk.last().state, desk.value()), (ProbationState::Watching, 2000), "20 of 50 are chance");
    desk.pass(61);
    assert_eq!(desk.last().state, ProbationState::Held, "and are no pass");
    desk.record(30, Outcome::Rejected);
    assert_eq!((desk.last().state, desk.value()), (ProbationState::RolledBack, 1000));
}

#[test]
fn by_its_time_it_passed_where_the_objectives_were_met() {
    let desk = observed("hold");
    desk.promote("2000");
    desk.record(100, Outcome::Success);
    desk.pass(59);
    assert_eq!(desk.last().state, ProbationState::Watching);
    desk.pass(1);
    let passed = desk.last();
    assert_eq!(
        (passed.state, passed.said.as_str(), desk.value()),
        (ProbationState::Passed, "met all objectives", 2000)
    );
    let objective = &passed.sectors[0].objectives[0];
    assert_eq!((objective.name.as_str(), objective.value, objective.met), ("Rejects", Some(0.0), Some(true)));
}

#[test]
fn without_data_it_holds_goes_back_or_stays_as_the_sector_says_and_never_passes() {
    for (missing, state, value) in [
        ("hold", ProbationState::Held, 2000),
        ("roll_back", ProbationState::RolledBack, 1000),
        ("keep", ProbationState::Kept, 2000),
    ] {
        let desk = observed(missing);
        desk.promote("2000");
        desk.pass(60);
        let last = desk.last();
        assert_eq!((last.state, desk.value()), (state, value), "{missing}: {}", last.said);
        assert!(
            last.said.contains("data") && last.said.ends_with("the objective desk/Rejects"),
            "{missing}: {}",
            last.said
        );
        if state == ProbationState::Held {
            desk.pass(3600);
            assert_eq!(desk.last().state, ProbationState::Held);
            desk.record(100, Outcome::Success);
            assert_eq!(desk.last().state, ProbationState::Passed, "when there are data it is decided");
        }
    }
}

#[test]
fn where_nothing_is_observed_data_are_missing() {
    let world = World::empty();
    desk(world.engine(), 60, "roll_back");
    let changes = [SectorChange { sector: "desk".into(), content: values(&[("max_qty", "2000")]) }];
    world.engine().promote_together(&changes, Origin::default()).unwrap();
    world.clock.advance(std::time::Duration::from_nanos(60 * SECOND));
    world.engine().settle_probations().unwrap();
    let last = world.engine().probations().unwrap().pop().unwrap();
    assert_eq!(last.state, ProbationState::RolledBack);
}

#[test]
fn it_goes_on_after_a_restart_and_ends_with_another_version() {
    let mut desk = observed("hold");
    desk.promote("2000");
    let Desk { world, reader, .. } = &mut desk;
    drop(std::mem::replace(
        reader,
        Engine::open(":memory:", Default::default()).unwrap().register_reader(Default::default()).unwrap(),
    ));
    world.engine = None;
    let options = observing(world);
    world.engine = Some(Engine::open(world.location(), options).unwrap());
    desk.key = desk.engine().key("desk", "max_qty").unwrap();
    desk.reader = desk.engine().register_reader(ReaderOptions::default()).unwrap();
    assert_eq!(desk.last().state, ProbationState::Watching);
    desk.record(10, Outcome::Rejected);
    assert_eq!((desk.last().state, desk.value()), (ProbationState::RolledBack, 1000));
    desk.promote("3000");
    desk.promote("4000");
    desk.engine().settle_probations().unwrap();
    let states: Vec<_> = desk.engine().probations().unwrap().iter().map(|one| one.state).collect();
    assert_eq!(states[1..], [ProbationState::Superseded, ProbationState::Watching]);
}

#[test]
fn what_was_promoted_together_goes_back_together() {
    let desk = observed("hold");
    desk.engine().create_sector("quotes", SectorKind::Direct).unwrap();
    let both = |n: &str| {
        let quotes = SectorChange { sector: "quotes".into(), content: document(&format!(r#"{{"n": {n}}}"#)) };
        [quotes, SectorChange { sector: "desk".into(), content: values(&[("max_qty", n)]) }]
    };
    desk.engine().promote_together(&both("1500"), Origin::default()).unwrap();
    desk.engine().promote_together(&both("2000"), Origin::default()).unwrap();
    desk.record(10, Outcome::Rejected);
    assert_eq!(desk.last().state, ProbationState::RolledBack);
    let of = |sector: &str| desk.engine().history(sector).unwrap().pop().unwrap();
    let (quotes, desks) = (of("quotes"), of("desk"));
    assert_eq!((quotes.rollback_of, desks.rollback_of, quotes.epoch), (Some(1), Some(2), desks.epoch));
    assert_eq!(desk.value(), 1500);
}
