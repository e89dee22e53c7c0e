//! The executor allocates nothing in its steady state.

#[path = "counting/mod.rs"]
mod counting;

use std::sync::Arc;
use std::time::Duration;

use knhk_warm::executor::{RunState, Settings, TaskSettings};
use knhk_warm::{Executor, Priority, Step, SystemClock};

const LONG: Duration = Duration::from_secs(120);

/// Of one function, so that nothing else allocates meanwhile.
#[test]
fn the_steady_state_allocates_nothing() {
    let settings = Settings { threads: 2, capacity: 256, ..Settings::default() };
    let executor = Executor::new(settings, Arc::new(SystemClock)).unwrap();
    let settings = |priority| TaskSettings { priority, ..TaskSettings::default() };
    let tasks = [Priority::Low, Priority::Normal, Priority::Critical].map(|priority| {
        executor.task("task", settings(priority), |run| match run.slice() {
            0 => Step::Again,
            1 => Step::After(Duration::from_micros(1)),
            _ => Step::Done,
        })
    });
    let resting = executor.task("resting", TaskSettings::default(), |run| {
        if run.slice() == 0 { Step::After(Duration::MAX) } else { Step::Done }
    });
    let rounds = |rounds: u64| {
        for round in 0..rounds {
            for task in &tasks {
                let (ticket, cancelled) = (task.submit_by(round, round).unwrap(), task.submit(round).unwrap());
                cancelled.cancel();
                assert_eq!(ticket.wait(LONG), RunState::Done);
                assert!(cancelled.wait(LONG).is_over());
            }
            let woken = resting.submit(round).unwrap();
            woken.wake();
            while !woken.state().is_over() {
                woken.wake();
                std::thread::yield_now();
            }
        }
    };
    // The first waits and the like.
    rounds(200);
    assert_eq!(counting::allocations(|| rounds(1000)), 0);
}
