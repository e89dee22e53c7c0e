//! Canaries: a share of the subjects reads what is to come, counted apart; adopted it becomes everyone's, and a restart ends it.

use knhk_engine::governance::{CanaryState, SectorChange, StartCanary};
use knhk_engine::{Origin, Outcome, ReaderOptions, SectorKind, Status};

use crate::world::{World, values};
use crate::{desk, observing, passed, record};

fn changes(n: &str) -> Vec<SectorChange> {
    vec![SectorChange { sector: "desk".into(), content: values(&[("max_qty", n)]) }]
}

fn start(world: &World, n: &str, share: f64) -> knhk_engine::governance::Canary {
    let asked = StartCanary { changes: changes(n), share, by: "ops-2".into(), ..StartCanary::default() };
    world.engine().start_canary(&asked).unwrap()
}

/// What the subjects from 1 to 1,000 read, as numbers and how often.
fn read(world: &World, sector: &str) -> std::collections::BTreeMap<i64, usize> {
    let key = world.engine().key::<i64>(sector, "max_qty").unwrap();
    let reader = world.engine().register_reader(ReaderOptions::default()).unwrap();
    let mut seen = std::collections::BTreeMap::new();
    for subject in 1..=1000_u64 {
        // Hashes are spread over all bits.
        let hash = subject.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        *seen.entry(key.get(&reader.view_for(hash), -1)).or_default() += 1;
    }
    assert_eq!(
        key.get(&reader.view(), -1),
        *seen.keys().next().unwrap().min(&1000),
        "without a subject: what is current"
    );
    seen
}

#[test]
fn a_share_of_the_subjects_reads_it_until_it_is_stopped() {
    let world = World::empty();
    desk(world.engine(), 0, "hold");
    let canary = start(&world, "2000", 0.25);
    let seen = read(&world, "desk");
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [1000, 2000]);
    assert!((150..350).contains(&seen[&2000]), "{seen:?}");
    assert_eq!(read(&world, "desk"), seen, "a subject stays where it is");
    let second = StartCanary { changes: changes("3000"), share: 0.5, ..StartCanary::default() };
    assert_eq!(world.engine().start_canary(&second).unwrap_err().status(), Status::Busy);
    let stopped = world.engine().stop_canary(&canary.id, false, "ops-3", "too many").unwrap();
    assert_eq!((stopped.state, stopped.closed.unwrap().by.as_str()), (CanaryState::Stopped, "ops-3"));
    assert_eq!(read(&world, "desk").into_iter().collect::<Vec<_>>(), [(1000, 1000)]);
    assert_eq!(world.engine().stop_canary(&canary.id, false, "", "").unwrap_err().status(), Status::NotFound);
    let said: Vec<_> =
        world.receipts("sector updated").iter().map(|receipt| receipt.evidence["change"].to_string()).collect();
    assert!(said.iter().any(|said| said.contains("canary k-1 started: 25 %")), "{said:?}");
    assert!(said.iter().any(|said| said.contains("canary k-1 was stopped")), "{said:?}");
    for share in [0.0, -0.1, 1.1, f64::NAN] {
        let asked = StartCanary { changes: changes("1"), share, ..StartCanary::default() };
        assert_eq!(world.engine().start_canary(&asked).unwrap_err().status(), Status::InvalidArgument);
    }
}

#[test]
fn it_is_counted_by_arm() {
    let mut world = World::empty();
    world.engine = None;
    let options = observing(&world);
    world.engine = Some(knhk_engine::Engine::open(world.location(), options).unwrap());
    let key = desk(world.engine(), 0, "hold");
    let reader = world.engine().register_reader(ReaderOptions::default()).unwrap();
    // Before it began: of no arm.
    record(&reader, key, 1, Outcome::Rejected);
    let canary = start(&world, "2000", 0.5);
    let mut expected = [[0_u64; 2]; 2];
    for subject in 1..=1000_u64 {
        let hash = subject.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let tried = key.get(&reader.view_for(hash), -1) == 2000;
        // The candidate refuses every second one.
        let fails = tried && subject % 2 == 0;
        record(&reader, key, hash, if fails { Outcome::Rejected } else { Outcome::Success });
        expected[usize::from(tried)][usize::from(fails)] += 1;
    }
    record(&reader, key, 0, Outcome::Success);
    world.engine().flush_observations().unwrap();
    let canaries = world.engine().canaries().unwrap();
    let arms = &canaries[0].arms[0];
    assert_eq!((arms.current.outcomes[1], arms.current.outcomes[2]), (expected[0][0], expected[0][1]));
    assert_eq!((arms.candidate.outcomes[1], arms.candidate.outcomes[2]), (expected[1][0], expected[1][1]));
    assert_eq!(arms.without_subject, 1);
    assert_eq!(arms.current.failure_share, Some(0.0));
    assert!(arms.candidate.failure_share.unwrap() > 30.0);
    let met = |arm: &knhk_engine::governance::ArmCounts| arm.objectives[0].met;
    assert_eq!((met(&arms.current), met(&arms.candidate)), (Some(true), Some(false)));
    let stopped = world.engine().stop_canary(&canary.id, false, "", "").unwrap();
    assert_eq!(stopped.arms[0].candidate.count, expected[1][0] + expected[1][1], "kept with it");
}

#[test]
fn adopted_it_becomes_everyones() {
    let world = World::new();
    desk(world.engine(), 0, "hold");
    let canary = start(&world, "2000", 0.5);
    let adopted = world.engine().stop_canary(&canary.id, true, "ops-3", "it is good").unwrap();
    assert_eq!((adopted.state, adopted.versions[0].version.version), (CanaryState::Adopted, 2));
    assert_eq!(read_all(&world, "desk"), [2000]);
    // A governed sector's, by its proposal.
    let ungoverned = SectorChange { sector: "orders".into(), content: values(&[("max_qty", "1100")]) };
    let asked = StartCanary { changes: vec![ungoverned], share: 0.5, ..StartCanary::default() };
    assert_eq!(world.engine().start_canary(&asked).unwrap_err().status(), Status::Ungoverned);
    let proposal = passed(&world, "1100");
    let asked = StartCanary { proposal: Some(proposal.id.clone()), share: 0.5, ..StartCanary::default() };
    let canary = world.engine().start_canary(&asked).unwrap();
    assert_eq!(read_all(&world, "orders"), [1000, 1100]);
    let adopted = world.engine().stop_canary(&canary.id, true, "ops-3", "").unwrap();
    assert_eq!(adopted.versions[0].sector, "orders");
    assert_eq!(world.engine().proposal(&proposal.id).unwrap().state.as_str(), "enacted");
    assert_eq!(read_all(&world, "orders"), [1100]);
    // What did not pass is not tried.
    let again = world.engine().start_canary(&asked).unwrap_err();
    assert_eq!(again.status(), Status::Waiting, "{again}");
}

fn read_all(world: &World, sector: &str) -> Vec<i64> {
    let key = world.engine().key::<i64>(sector, "max_qty").unwrap();
    let reader = world.engine().register_reader(ReaderOptions::default()).unwrap();
    let of = |subject: u64| key.get(&reader.view_for(subject.wrapping_mul(0x9e37_79b9_7f4a_7c15)), -1);
    let mut seen: Vec<i64> = (1..=200).map(of).collect();
    seen.sort_unstable();
    seen.dedup();
    seen
}

#[test]
fn a_restart_ends_it_and_says_so() {
    let mut world = World::empty();
    desk(world.engine(), 0, "hold");
    start(&world, "2000", 1.0);
    assert_eq!(read_all(&world, "desk"), [2000]);
    world.reopen();
    assert_eq!(read_all(&world, "desk"), [1000]);
    let canaries = world.engine().canaries().unwrap();
    assert_eq!(canaries[0].state, CanaryState::CutOff);
    let last = world.receipts("sector updated").pop().unwrap();
    assert!(last.evidence["change"].to_string().contains("ended with the engine that ran it"), "{:?}", last.evidence);
    assert_eq!(start(&world, "3000", 1.0).id, "k-2");
}

#[test]
fn a_rollback_of_its_sector_ends_it() {
    let world = World::empty();
    desk(world.engine(), 0, "hold");
    let engine = world.engine();
    engine.promote_together(&changes("1500"), Origin::default()).unwrap();
    type Back<'b> = &'b dyn Fn();
    let targets = [("desk".to_owned(), 1)];
    let ways: [(&str, Back<'_>); 4] = [
        ("a rollback", &|| _ = engine.rollback("desk", 1, Origin::default()).unwrap()),
        ("an emergency", &|| _ = engine.emergency_rollback("desk", 1, Origin::default()).unwrap()),
        ("several", &|| _ = engine.rollback_together(&targets, Origin::default()).unwrap()),
        ("several in an emergency", &|| _ = engine.emergency_rollback_together(&targets, Origin::default()).unwrap()),
    ];
    for (name, back) in ways {
        let canary = start(&world, "2000", 0.5);
        back();
        let ended = engine.canaries().unwrap().into_iter().find(|one| one.id == canary.id).unwrap();
        assert_eq!(ended.state, CanaryState::Stopped, "{name}");
        assert!(ended.closed.unwrap().why.starts_with("sector desk was rolled back, as version"), "{name}");
        assert_eq!(read(&world, "desk").into_iter().collect::<Vec<_>>(), [(1000, 1000)], "{name}");
    }
    // Of another sector it goes on.
    engine.create_sector("other", SectorKind::Direct).unwrap();
    engine.promote_json("other", r#"{"n": 1}"#, Origin::default()).unwrap();
    let canary = start(&world, "2000", 0.5);
    engine.rollback("other", 1, Origin::default()).unwrap();
    assert_eq!(engine.canaries().unwrap().pop().unwrap().state, CanaryState::Running);
    engine.stop_canary(&canary.id, false, "", "").unwrap();
}
