//! The executor: its threads are loom's, and serve it as its own do.

use std::sync::Arc;
use std::time::Duration;

use knhk_warm::executor::{RunState, Settings, TaskSettings};
use knhk_warm::{Executor, ManualClock, Step};
use loom::sync::atomic::{AtomicBool, Ordering::Relaxed};
use loom::thread::{self, JoinHandle};

fn executor() -> Arc<Executor> {
    let settings = Settings { threads: 0, capacity: 2, ..Settings::default() };
    Arc::new(Executor::new(settings, Arc::new(ManualClock::new(1))).unwrap())
}

fn serve(executor: &Arc<Executor>) -> JoinHandle<()> {
    let executor = executor.clone();
    thread::spawn(move || executor.serve(0))
}

fn settings() -> TaskSettings {
    TaskSettings::default()
}

/// Ends what is left, and finds nothing that still counts.
fn finish(executor: &Executor, threads: impl IntoIterator<Item = JoinHandle<()>>) {
    assert_eq!(executor.end(), [] as [Arc<str>; 0], "each callback returns");
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(executor.counted(), (0, 0, 0), "places, pending, running");
}

/// A run is submitted while the thread goes to sleep, and waited for; who sees that it is over sees it counted.
pub fn run_is_waited_for() {
    let executor = executor();
    let worker = serve(&executor);
    let task = executor.task("task", settings(), |_| Step::Done);
    let ticket = task.submit(0).unwrap();
    assert_eq!(ticket.wait(Duration::MAX), RunState::Done);
    assert_eq!((executor.counted().1, task.stats().runs), (0, 1));
    drop(ticket);
    finish(&executor, [worker]);
}

/// One thread waits for a run that another one cancels.
pub fn run_is_cancelled() {
    let executor = executor();
    let task = executor.task("task", settings(), |_| Step::Done);
    let ticket = Arc::new(task.submit(0).unwrap());
    let waited = ticket.clone();
    let waiter = thread::spawn(move || waited.wait(Duration::MAX));
    assert!(ticket.cancel());
    assert_eq!(waiter.join().unwrap(), RunState::Cancelled);
    drop(ticket);
    // The queue still has it.
    assert!(executor.turn());
    finish(&executor, []);
}

/// A run is submitted while the executor gives up.
pub fn run_comes_at_the_end() {
    let executor = executor();
    let worker = serve(&executor);
    let ending = executor.clone();
    let ending = thread::spawn(move || _ = ending.end());
    let task = executor.task("task", settings(), |_| Step::Done);
    if let Ok(ticket) = task.submit(0) {
        assert!(ticket.wait(Duration::MAX).is_over());
    }
    ending.join().unwrap();
    worker.join().unwrap();
    // What came last may be in the queue still, and is over.
    while executor.turn() {}
    finish(&executor, []);
}

/// A run that goes on again and again until it is given up.
pub fn run_goes_on_to_the_end() {
    let executor = executor();
    let task = executor.task("task", settings(), |run| if run.slice() == 2 { Step::Done } else { Step::Again });
    let ticket = task.submit(0).unwrap();
    let worker = serve(&executor);
    assert_eq!(executor.end(), [] as [Arc<str>; 0]);
    assert!(ticket.state().is_over(), "nothing runs, and nothing waits");
    drop(ticket);
    finish(&executor, [worker]);
}

/// A run returns while the executor gives up: it is not named as one that does not.
pub fn run_returns_at_the_end() {
    let executor = executor();
    let task = executor.task("task", settings(), |_| Step::Done);
    drop(task.submit(0).unwrap());
    let worker = serve(&executor);
    finish(&executor, [worker]);
}

/// A run rests until there are news, and is woken: before it looks, while it looks, while it lies down, or while it rests.
pub fn rest_is_woken() {
    let executor = executor();
    let news = Arc::new(AtomicBool::new(false));
    let heard = news.clone();
    let task = executor
        .task("task", settings(), move |_| if heard.load(Relaxed) { Step::Done } else { Step::After(Duration::MAX) });
    let ticket = task.submit(0).unwrap();
    let worker = serve(&executor);
    news.store(true, Relaxed);
    assert!(ticket.wake() || ticket.state() == RunState::Done);
    assert_eq!(ticket.wait(Duration::MAX), RunState::Done);
    drop(ticket);
    finish(&executor, [worker]);
}

/// A run is cancelled that rests, or is about to.
pub fn rest_is_cancelled() {
    let executor = executor();
    let task = executor.task("task", settings(), |_| Step::After(Duration::MAX));
    let ticket = task.submit(0).unwrap();
    let worker = serve(&executor);
    assert!(ticket.cancel());
    assert_eq!(ticket.wait(Duration::MAX), RunState::Cancelled);
    drop(ticket);
    finish(&executor, [worker]);
}
