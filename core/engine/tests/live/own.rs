//! The engine's own executor: listed, ended with the engine, and behind the hot path.

use std::sync::Arc;
use std::time::Duration;

use knhk_engine::governance::SectorChange;
use knhk_engine::{Engine, Options, Origin, Status};
use knhk_warm::executor::{Settings, TaskSettings};
use knhk_warm::{Executor, ManualClock, Step};

use crate::world::{World, values};
use crate::{desk, observing};

#[test]
fn what_the_engine_does_by_itself_is_listed_until_it_closes() {
    let mut world = World::empty();
    world.engine = None;
    let engine = Engine::open(world.location(), observing(&world)).unwrap();
    desk(&engine, 60, "hold");
    assert!(engine.executors().is_empty(), "there is nothing to do yet");
    let change = SectorChange { sector: "desk".into(), content: values(&[("max_qty", "2000")]) };
    engine.promote_together(&[change], Origin::default()).unwrap();
    let turns = || {
        let own = engine.executors().pop().expect("a probation is watched");
        assert_eq!((own.name.as_str(), own.tasks.len()), ("engine", 1));
        assert_eq!(&*own.tasks[0].name, "probations");
        own.tasks[0].slices
    };
    // It comes again by itself.
    while turns() < 3 {
        std::thread::yield_now();
    }
    engine.close();
    assert!(engine.executors().is_empty());
}

#[test]
fn an_executor_that_is_made_known_yields_to_the_hot_path() {
    let mut options = Options::default();
    options.hot_budget = Duration::from_nanos(50);
    let engine = Engine::open(":memory:", options).unwrap();
    let settings = Settings { threads: 0, ..Settings::default() };
    let executor = Executor::new(settings, Arc::new(ManualClock::default())).unwrap();
    engine.add_executor("program", &executor).unwrap();
    assert_eq!(engine.add_executor("engine", &executor).unwrap_err().status(), Status::AlreadyExists);
    let task = executor.task("task", TaskSettings::default(), |_| Step::Done);
    let submit = || drop(task.submit(0).unwrap());
    (0..50).for_each(|_| engine.report_hot(Duration::from_nanos(40)));
    submit();
    assert!(executor.turn() && engine.hot_mean() < Duration::from_nanos(50));
    // The report counts for 10 ms, which this thread may lose between it and the turn.
    let held = || {
        submit();
        engine.report_hot(Duration::from_micros(1));
        !executor.turn()
    };
    assert!((0..1000).any(|_| held()), "a mean of {:?}", engine.hot_mean());
    // What waits goes on when nothing is said any more.
    while !executor.turn() {
        std::thread::yield_now();
    }
}
