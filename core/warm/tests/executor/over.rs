//! Runs that are over: each is told once, whatever ended it, and everything that is known of it is known by then.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use knhk_warm::executor::{Context, Late, RunState, Settings, TaskSettings};
use knhk_warm::{Executor, ManualClock, Step, SystemClock, Task};

const LONG: Duration = Duration::from_secs(120);

type Told = Arc<Mutex<Vec<(u64, RunState)>>>;

fn task(executor: &Executor, late: Late, run: impl Fn(&Context<'_>) -> Step + Send + Sync + 'static) -> (Task, Told) {
    let told = Told::default();
    let heard = told.clone();
    let settings = TaskSettings { late, ..TaskSettings::default() };
    (
        executor.task_told("told", settings, run, move |argument, state| heard.lock().unwrap().push((argument, state))),
        told,
    )
}

#[test]
fn each_end_is_told_once() {
    let clock = Arc::new(ManualClock::new(10));
    let executor = Executor::new(Settings { threads: 0, ..Settings::default() }, clock.clone()).unwrap();
    let (task, told) = task(&executor, Late::Drop, |run| match run.argument() {
        1 => panic!("planted"),
        2 if run.slice() == 0 => Step::Again,
        _ => Step::Done,
    });
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let tickets: Vec<_> = (0..4).map(|n| task.submit(n).unwrap()).collect();
    let late = task.submit_by(4, 5).unwrap();
    assert!(tickets[3].cancel() && !tickets[3].cancel());
    assert_eq!(*told.lock().unwrap(), [(3, RunState::Cancelled)], "by whoever cancels");
    while executor.turn() {}
    std::panic::set_hook(hook);
    assert_eq!(late.state(), RunState::Expired);
    told.lock().unwrap().sort_by_key(|(argument, _)| *argument);
    let all = [RunState::Done, RunState::Panicked, RunState::Done, RunState::Cancelled, RunState::Expired];
    assert_eq!(
        *told.lock().unwrap(),
        all.into_iter().enumerate().map(|(n, state)| (n as u64, state)).collect::<Vec<_>>()
    );
    let waiting = task.submit(9).unwrap();
    drop(executor);
    assert_eq!((waiting.state(), told.lock().unwrap().last()), (RunState::Cancelled, Some(&(9, RunState::Cancelled))));
}

/// A run that has returned but whose end is still being written down must not be called stuck.
#[test]
fn a_run_that_has_returned_is_not_stuck() {
    for _ in 0..200 {
        let executor = Executor::new(Settings { threads: 2, ..Settings::default() }, Arc::new(SystemClock)).unwrap();
        let (began, has_begun) = mpsc::channel();
        let ended = Arc::new(AtomicU64::new(0));
        let count = ended.clone();
        let task = executor.task_told(
            "polite",
            TaskSettings::default(),
            move |run| {
                began.send(()).unwrap();
                while !run.cancelled() {
                    std::hint::spin_loop();
                }
                Step::Done
            },
            move |_, _| _ = count.fetch_add(1, SeqCst),
        );
        let tickets = [task.submit(0).unwrap(), task.submit(1).unwrap()];
        has_begun.recv().unwrap();
        has_begun.recv().unwrap();
        let report = executor.shutdown(Duration::ZERO, LONG);
        assert_eq!((report.unfinished, report.stuck), (2, vec![]));
        assert_eq!((tickets.map(|ticket| ticket.state()), ended.load(SeqCst)), ([RunState::Cancelled; 2], 2));
    }
}

/// Notices are told before the run is seen to be over.
#[test]
fn what_is_said_of_a_run_is_said_before_it_is_over() {
    let notices = Arc::new(Mutex::new(Vec::new()));
    let heard = notices.clone();
    let settings = Settings {
        observer: Some(Box::new(move |notice| heard.lock().unwrap().push(notice.to_string()))),
        ..Settings::default()
    };
    let executor = Executor::new(settings, Arc::new(SystemClock)).unwrap();
    let late = executor.task("late", TaskSettings::default(), |_| Step::Done);
    let dropped =
        executor.task("dropped", TaskSettings { late: Late::Drop, ..TaskSettings::default() }, |_| Step::Done);
    for _ in 0..200 {
        for task in [&late, &dropped] {
            task.submit_by(0, 0).unwrap().wait(LONG);
            let said = std::mem::take(&mut *notices.lock().unwrap());
            assert!(said.iter().any(|said| said.contains("after its deadline")), "{said:?}");
        }
    }
}
