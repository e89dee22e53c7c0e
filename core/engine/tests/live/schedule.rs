//! Schedules: what is asked for fires at its time, also after a restart, and is checked again then.

use knhk_engine::Status;
use knhk_engine::governance::{At, Schedule, ScheduleChange, ScheduleState, SectorChange};

use crate::world::{HOUR, SECOND, World, values};
use crate::{desk, passed};

/// The worlds begin on Tuesday 2036-11-18, 12:26:40 UTC; in Tokyo it is nine hours later.
fn window(text: &str) -> At {
    At { window: Some(text.into()), time_zone: Some("Asia/Tokyo".into()), ..At::default() }
}

fn moment(text: &str) -> At {
    At { moment: Some(text.into()), ..At::default() }
}

fn change(n: &str, at: At) -> ScheduleChange {
    let changes = vec![SectorChange { sector: "desk".into(), content: values(&[("max_qty", n)]) }];
    ScheduleChange { changes, at, by: "ops-2".into(), why: "at night".into(), ..ScheduleChange::default() }
}

fn only(world: &World) -> Schedule {
    let mut all = world.engine().schedules().unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn value(world: &World) -> i64 {
    let key = world.engine().key::<i64>("desk", "max_qty").unwrap();
    let reader = world.engine().register_reader(Default::default()).unwrap();
    key.get(&reader.view(), -1)
}

#[test]
fn it_fires_in_its_window_after_a_restart() {
    let mut world = World::empty();
    desk(world.engine(), 0, "hold");
    let schedule = world.engine().schedule(&change("2000", window("Wed 11:00-13:00"))).unwrap();
    assert_eq!(schedule.said, "is to become current at 2036-11-19T02:00:00Z");
    world.pass(13 * HOUR);
    assert_eq!((value(&world), only(&world).state), (1000, ScheduleState::Waiting));
    world.reopen();
    world.pass(HOUR);
    let done = only(&world);
    assert_eq!((value(&world), done.state), (2000, ScheduleState::Done), "{}", done.said);
    assert_eq!(done.versions[0].version.why, "at night (schedule t-1)");
    world.pass(7 * 24 * HOUR);
    assert_eq!(world.engine().history("desk").unwrap().len(), 2, "once");
    let said: Vec<_> = world.receipts("sector updated").iter().map(|one| one.evidence["change"].to_string()).collect();
    assert!(said.iter().any(|said| said.contains("schedule t-1 became current")), "{said:?}");
}

#[test]
fn a_window_that_was_missed_comes_again_and_a_moment_is_made_up_for() {
    let mut world = World::empty();
    desk(world.engine(), 0, "hold");
    world.engine().schedule(&change("2000", window("Wed 11:00-13:00"))).unwrap();
    drop(world.engine.take());
    world.clock.advance(std::time::Duration::from_nanos(20 * HOUR));
    world.reopen();
    world.pass(SECOND);
    let missed = only(&world);
    assert_eq!((value(&world), missed.state), (1000, ScheduleState::Waiting));
    assert!(missed.said.contains("missed its window; the next begins at 2036-11-26T02:00:00Z"), "{}", missed.said);
    world.engine().unschedule(&missed.id, "ops-3", "not any more").unwrap();
    world.engine().schedule(&change("3000", moment("2036-11-19T20:00:00Z"))).unwrap();
    drop(world.engine.take());
    world.clock.advance(std::time::Duration::from_nanos(48 * HOUR));
    world.reopen();
    world.pass(SECOND);
    assert_eq!(value(&world), 3000);
    let states: Vec<_> = world.engine().schedules().unwrap().iter().map(|one| one.state).collect();
    assert_eq!(states, [ScheduleState::Cancelled, ScheduleState::Done]);
    assert_eq!(world.engine().unschedule("t-2", "", "").unwrap_err().status(), Status::InvalidArgument);
}

#[test]
fn a_proposal_is_run_again_when_its_time_has_come() {
    let mut world = World::new();
    let proposal = passed(&world, "1100");
    let of = |id: &str| ScheduleChange {
        proposal: Some(id.into()),
        at: moment("2036-11-19T00:00:00Z"),
        by: "ops-2".into(),
        ..ScheduleChange::default()
    };
    world.engine().schedule(&of(&proposal.id)).unwrap();
    let withdrawn = passed(&world, "1200");
    world.engine().schedule(&of(&withdrawn.id)).unwrap();
    world.engine().withdraw(&withdrawn.id, "ops-1", "no").unwrap();
    world.reopen();
    world.pass(12 * HOUR);
    assert_eq!(world.read("max_qty"), 1100);
    let all = world.engine().schedules().unwrap();
    assert_eq!((all[0].state, all[0].versions.len()), (ScheduleState::Done, 1), "{}", all[0].said);
    assert_eq!(all[1].state, ScheduleState::Failed, "{}", all[1].said);
    assert!(all[1].said.starts_with("was refused when its time had come"), "{}", all[1].said);
    let runs = world.receipts("validation executed").len();
    assert!(runs >= 4, "once when it was filed, and once when it fired: {runs}");
    assert_eq!(world.engine().schedule(&of(&proposal.id)).unwrap_err().status(), Status::InvalidArgument);
}

#[test]
fn what_cannot_be_scheduled_is_refused_at_once() {
    let world = World::new();
    desk(world.engine(), 0, "hold");
    let refused = |asked: &ScheduleChange| world.engine().schedule(asked).unwrap_err().status();
    assert_eq!(refused(&change("1", moment("2036-11-18T12:00:00Z"))), Status::InvalidArgument, "it is over");
    assert_eq!(refused(&change("1", window("soon"))), Status::InvalidArgument);
    assert_eq!(refused(&change("x y", window("Wed 11:00-13:00"))), Status::Document);
    let mut governed = change("1", window("Wed 11:00-13:00"));
    governed.changes[0].sector = "orders".into();
    assert_eq!(refused(&governed), Status::Ungoverned);
    assert_eq!(
        refused(&ScheduleChange { at: window("Wed 11:00-13:00"), ..Default::default() }),
        Status::InvalidArgument
    );
    let unknown = ScheduleChange { proposal: Some("p-99".into()), at: window("Wed 11:00-13:00"), ..Default::default() };
    assert_eq!(refused(&unknown), Status::NotFound);
    assert_eq!(world.engine().schedules().unwrap().len(), 0);
}
