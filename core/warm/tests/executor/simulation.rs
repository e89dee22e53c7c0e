//! Priorities, deadlines, budgets, demotion, yielding, cancelling, pausing: exact, because the test sets the clock.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use knhk_warm::executor::{Ended, Late, Refused, RunState, TaskSettings};
use knhk_warm::{Clock, Priority, Step, Task};

use crate::{MS, World};

/// A task that notes its runs and takes `takes` for each.
fn noting(world: &World, name: &str, settings: TaskSettings, takes: Duration, ran: &Arc<Mutex<Vec<u64>>>) -> Task {
    let (clock, ran) = (world.clock.clone(), ran.clone());
    world.executor.task(name, settings, move |run| {
        clock.advance(takes);
        ran.lock().unwrap().push(run.argument());
        Step::Done
    })
}

fn of(priority: Priority) -> TaskSettings {
    TaskSettings { priority, ..TaskSettings::default() }
}

#[test]
fn serves_levels_then_deadlines_then_the_order_of_submission() {
    let world = World::new(64, None);
    let ran = Arc::default();
    let tasks = Priority::ALL.map(|priority| noting(&world, "t", of(priority), MS / 10, &ran));
    for (at, task) in tasks.iter().enumerate() {
        let at = at as u64 * 10;
        task.submit(at).unwrap();
        task.submit(at + 1).unwrap();
        task.submit_by(at + 2, 900_000_000).unwrap();
        task.submit_by(at + 3, 800_000_000).unwrap();
    }
    assert_eq!(world.executor.stats().waiting, [4; 5]);
    assert_eq!(world.turns(), 20);
    let expected: Vec<u64> = (0..5).rev().flat_map(|at| [3, 2, 0, 1].map(|n| at * 10 + n)).collect();
    assert_eq!(*ran.lock().unwrap(), expected);
}

#[test]
fn what_matters_least_is_served_too() {
    let world = World::new(64, None);
    let ran = Arc::default();
    let low = noting(&world, "low", of(Priority::Background), MS / 10, &ran);
    let high = noting(&world, "high", of(Priority::High), MS / 10, &ran);
    low.submit(1).unwrap();
    for _ in 0..64 {
        high.submit(0).unwrap();
        world.executor.turn();
    }
    assert!(ran.lock().unwrap().contains(&1), "{ran:?}");
}

#[test]
fn a_long_run_gives_way_when_its_budget_is_used_up() {
    let world = World::new(8, None);
    let (clock, order) = (world.clock.clone(), Arc::new(Mutex::new(Vec::new())));
    let seen = order.clone();
    let long = world.executor.task("long", TaskSettings::default(), move |run| {
        seen.lock().unwrap().push((run.argument(), run.slice()));
        let mut done = run.progress();
        while done < 10 && !run.should_yield() {
            clock.advance(MS / 4);
            done += 1;
        }
        run.set_progress(done);
        if done < 10 { Step::Again } else { Step::Done }
    });
    let tickets = [long.submit(1).unwrap(), long.submit(2).unwrap()];
    assert_eq!(world.turns(), 6);
    // Two runs of one level take turns.
    assert_eq!(*order.lock().unwrap(), [(1, 0), (2, 0), (1, 1), (2, 1), (1, 2), (2, 2)]);
    assert!(tickets.iter().all(|ticket| ticket.state() == RunState::Done));
    let stats = long.stats();
    assert_eq!((stats.runs, stats.slices, stats.overruns, stats.worst, stats.busy), (2, 6, 0, MS, MS * 5));
}

#[test]
fn repeated_overruns_cost_a_level_and_good_conduct_gives_it_back() {
    let world = World::new(64, None);
    let (clock, takes) = (world.clock.clone(), Arc::new(Mutex::new(MS * 3)));
    let (ran, takes_now) = (Arc::default(), takes.clone());
    let hog = world.executor.task("hog", of(Priority::High), move |_| {
        clock.advance(*takes_now.lock().unwrap());
        Step::Done
    });
    let normal = noting(&world, "normal", TaskSettings::default(), MS / 10, &ran);
    for _ in 0..3 {
        hog.submit(0).unwrap();
        world.turns();
    }
    assert_eq!(hog.stats().level, Priority::High, "three are forgiven");
    hog.submit(0).unwrap();
    world.turns();
    assert_eq!((hog.stats().level, hog.stats().overruns, world.counter("demotions")), (Priority::Normal, 4, 1));
    let heard = world.heard();
    assert!(heard.contains(&"hog took 3ms, and may take 1ms".to_owned()), "{heard:?}");
    assert_eq!(heard.last().unwrap(), "hog overruns again and again: high -> normal");

    // It waits for those of its new level that came before.
    normal.submit(5).unwrap();
    let last = hog.submit(0).unwrap();
    world.executor.turn();
    assert_eq!((ran.lock().unwrap().as_slice(), last.state()), (&[5][..], RunState::Waiting));
    *takes.lock().unwrap() = MS / 2;
    for _ in 0..64 {
        hog.submit(0).unwrap();
        world.turns();
    }
    assert_eq!(hog.stats().level, Priority::High);
    assert_eq!(world.heard().last().unwrap(), "hog keeps to its budget again: normal -> high");

    // However bad it is, the lowest level is the last one.
    *takes.lock().unwrap() = MS * 2;
    for _ in 0..64 {
        hog.submit(0).unwrap();
        world.turns();
    }
    assert_eq!(hog.stats().level, Priority::Background);
}

#[test]
fn missed_deadlines_are_counted_and_dropped_where_the_task_says_so() {
    let world = World::new(8, None);
    let ran = Arc::default();
    let now = world.clock.now_ns();
    let at = |ms: u64| now + ms * 1_000_000;
    let all = noting(&world, "all", TaskSettings::default(), MS / 2, &ran);
    let fresh = noting(&world, "fresh", TaskSettings { late: Late::Drop, ..TaskSettings::default() }, MS / 2, &ran);
    let tickets = [fresh.submit_by(1, at(1)), all.submit_by(2, at(2)), fresh.submit_by(3, at(9))].map(Result::unwrap);
    world.clock.advance(MS * 5);
    world.turns();
    assert_eq!(tickets.each_ref().map(|ticket| ticket.state()), [RunState::Expired, RunState::Done, RunState::Done]);
    assert_eq!(*ran.lock().unwrap(), [2, 3]);
    assert_eq!((fresh.stats().late, all.stats().late), (1, 1));
    assert_eq!((world.counter("expired"), world.counter("late")), (1, 1));
    assert_eq!(world.heard(), ["fresh was dropped 4ms after its deadline", "all ended 3.5ms after its deadline"]);
}

#[test]
fn the_warm_path_yields_first() {
    let exceeded = Arc::new(AtomicBool::new(false));
    let asked = exceeded.clone();
    let world = World::new(8, Some(Arc::new(move || asked.load(SeqCst))));
    let ran = Arc::default();
    let critical = noting(&world, "critical", of(Priority::Critical), MS / 10, &ran);
    let high = noting(&world, "high", of(Priority::High), MS / 10, &ran);
    let (hot, yields) = (exceeded.clone(), Arc::new(Mutex::new(Vec::new())));
    let told = yields.clone();
    let long = world.executor.task("long", TaskSettings::default(), move |run| {
        hot.store(run.slice() == 0, SeqCst);
        told.lock().unwrap().push(run.should_yield());
        if run.slice() == 0 { Step::Again } else { Step::Done }
    });
    long.submit(0).unwrap();
    assert_eq!(world.turns(), 1, "it gave way, and nothing goes on");
    high.submit(1).unwrap();
    critical.submit(2).unwrap();
    assert_eq!((world.turns(), ran.lock().unwrap().as_slice()), (1, &[2][..]), "but for what is critical");
    assert!(world.counter("held") >= 2);
    exceeded.store(false, SeqCst);
    assert_eq!((world.turns(), ran.lock().unwrap().as_slice()), (2, &[2, 1][..]));
    assert_eq!(*yields.lock().unwrap(), [true, false]);
}

#[test]
fn runs_are_cancelled_paused_and_survive_a_panic() {
    let world = World::new(3, None);
    let (ran, clock) = (Arc::default(), world.clock.clone());
    let task = noting(&world, "noting", TaskSettings::default(), MS / 10, &ran);
    let waiting = task.submit(1).unwrap();
    assert!(waiting.cancel() && !waiting.cancel());
    assert_eq!(waiting.state(), RunState::Cancelled);
    let bomb = world.executor.task("bomb", TaskSettings::default(), |_| panic!("planted"));
    let bombed = bomb.submit(0).unwrap();
    assert_eq!((world.turns(), bombed.state()), (2, RunState::Panicked));
    assert_eq!(world.heard(), ["bomb panicked"]);

    world.executor.pause();
    let paused = task.submit(2).unwrap();
    assert_eq!((world.turns(), paused.state(), world.executor.stats().paused), (0, RunState::Waiting, true));
    assert_eq!(task.submit(3).map(drop), Err(Refused::Full), "three places, each with a ticket");
    drop((waiting, bombed));
    world.executor.resume();
    assert_eq!((world.turns(), paused.wait(Duration::MAX)), (1, RunState::Done));
    assert!(ran.lock().unwrap().iter().eq(&[2]));

    // A run is told that it was cancelled, and that it is to yield to a pause.
    let long = world.executor.task("long", TaskSettings::default(), move |run| {
        clock.advance(MS / 10);
        if run.cancelled() { Step::Done } else { Step::Again }
    });
    let cancelled = long.submit(0).unwrap();
    (0..10).for_each(|_| assert!(world.executor.turn()));
    cancelled.cancel();
    world.turns();
    assert_eq!(cancelled.state(), RunState::Cancelled);
    assert_eq!((world.counter("cancelled"), world.counter("done"), world.counter("panicked")), (2, 1, 1));
    drop((paused, cancelled));
    let dropped = long.submit(0).unwrap();
    drop(task.submit(4).unwrap());
    let ended = world.executor.shutdown(MS, MS);
    assert_eq!(ended, Ended { unfinished: 1, stuck: Vec::new() }, "the run that never ends is given up");
    assert_eq!((dropped.state(), task.submit(5).map(drop)), (RunState::Cancelled, Err(Refused::Ended)));
    assert!(ran.lock().unwrap().iter().eq(&[2, 4]), "what can end does");
}
