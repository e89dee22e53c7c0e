//! The executor on threads: nothing is lost, idle threads steal, a shutdown ends.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

use knhk_warm::executor::{Refused, RunState, Settings, TaskSettings};
use knhk_warm::{Executor, ManualClock, Step, SystemClock, Task};

const LONG: Duration = Duration::from_secs(120);

fn executor(threads: usize, capacity: usize) -> Executor {
    Executor::new(Settings { threads, capacity, ..Settings::default() }, Arc::new(SystemClock)).unwrap()
}

#[test]
fn every_run_runs_once() {
    const RUNS: u64 = 20_000;
    let executor = executor(3, 64);
    let (sum, runs) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (added, ran) = (sum.clone(), runs.clone());
    let task = executor.task("add", TaskSettings::default(), move |run| {
        if run.slice() == 0 && run.argument() % 7 == 0 {
            return Step::Again;
        }
        added.fetch_add(run.argument(), SeqCst);
        ran.fetch_add(1, SeqCst);
        Step::Done
    });
    std::thread::scope(|scope| {
        for part in 0..3 {
            let task = &task;
            scope.spawn(move || {
                for n in (0..RUNS).filter(|n| n % 3 == part) {
                    while task.submit(n).map(drop) == Err(Refused::Full) {
                        std::thread::yield_now();
                    }
                }
            });
        }
    });
    let ended = executor.shutdown(LONG, LONG);
    assert_eq!((ended.unfinished, ended.stuck.len()), (0, 0));
    assert_eq!((runs.load(SeqCst), sum.load(SeqCst)), (RUNS, RUNS * (RUNS - 1) / 2));
}

#[test]
fn idle_threads_steal_what_a_run_submits() {
    let executor = executor(2, 16);
    let meeting = Arc::new(Barrier::new(2));
    let child = executor.task("child", TaskSettings::default(), {
        let meeting = meeting.clone();
        move |_| {
            meeting.wait();
            Step::Done
        }
    });
    // The parent waits for its child, which therefore runs on the other thread or not at all.
    let parent = executor.task("parent", TaskSettings::default(), move |run| {
        let _ticket = run.submit(&child, 0).unwrap();
        meeting.wait();
        Step::Done
    });
    assert_eq!(parent.submit(0).unwrap().wait(LONG), RunState::Done);
    let stolen = executor.counters().read().find(|counter| counter.name == "knhk.warm.executor.stolen").unwrap();
    assert!(stolen.value >= 1);
}

#[test]
fn a_shutdown_names_what_does_not_return_and_leaves_it() {
    let clock = Arc::new(ManualClock::new(1));
    let executor = Executor::new(Settings::default(), clock.clone()).unwrap();
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let (began, has_begun) = mpsc::channel();
    let stuck: Task = executor.task("stuck", TaskSettings::default(), move |_| {
        began.send(()).unwrap();
        let _ = released.lock().unwrap().recv();
        Step::Done
    });
    let polite =
        executor.task("polite", TaskSettings::default(), |run| if run.cancelled() { Step::Done } else { Step::Again });
    let ticket = stuck.submit(0).unwrap();
    let given_up = polite.submit(0).unwrap();
    has_begun.recv().unwrap();
    let year = Duration::from_secs(365 * 86_400);
    let ending = std::thread::spawn(move || executor.shutdown(Duration::from_secs(1), year));
    // The time to drain passes, and what can end ends; then the time to cancel passes.
    while !given_up.state().is_over() {
        clock.advance(Duration::from_millis(100));
        std::thread::yield_now();
    }
    while !ending.is_finished() {
        clock.advance(year);
        std::thread::yield_now();
    }
    let ended = ending.join().unwrap();
    assert_eq!((ended.unfinished, ended.stuck), (2, vec!["stuck".into()]));
    assert_eq!((ticket.state(), given_up.state()), (RunState::Running, RunState::Cancelled));
    drop(release);
    assert_eq!(ticket.wait(LONG), RunState::Cancelled);
}

#[test]
fn dropping_an_executor_gives_up_what_waits() {
    let executor = executor(1, 8);
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let (began, has_begun) = mpsc::channel();
    let task = executor.task("waits", TaskSettings::default(), move |run| {
        if run.argument() == 0 {
            began.send(()).unwrap();
            let _ = released.lock().unwrap().recv();
        }
        Step::Done
    });
    let tickets: Vec<_> = (0..4).map(|n| task.submit(n).unwrap()).collect();
    has_begun.recv().unwrap();
    let dropping = std::thread::spawn(move || drop(executor));
    assert_eq!(tickets[3].wait(LONG), RunState::Cancelled);
    drop(release);
    dropping.join().unwrap();
    assert!(tickets.iter().all(|ticket| ticket.state() == RunState::Cancelled));
}

#[test]
fn what_is_submitted_while_it_is_paused_waits() {
    let executor = executor(2, 8);
    let task = executor.task("waits", TaskSettings::default(), |_| Step::Done);
    for _ in 0..500 {
        // The threads have just had something to do, and are about to look for more.
        assert_eq!(task.submit(0).unwrap().wait(LONG), RunState::Done);
        executor.pause();
        let ticket = task.submit(0).unwrap();
        std::thread::yield_now();
        assert_eq!(ticket.state(), RunState::Waiting);
        executor.resume();
        assert_eq!(ticket.wait(LONG), RunState::Done);
    }
}
