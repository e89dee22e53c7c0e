//! Shedding, degradation, recovery and faults on purpose.
#![cfg(not(loom))]

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use knhk_resilience::chaos::{self, Chaos};
use knhk_resilience::degrade::{Degradation, Level, Thresholds};
use knhk_resilience::recover::{Incident, Recovery};
use knhk_resilience::shed::{self, Shedder};
use knhk_resilience::{Change, Clock, Events, ManualClock, Priority, Rejected, Scope};
use proptest::prelude::*;

fn scope() -> (Arc<ManualClock>, Scope, Events) {
    let (clock, events) = (Arc::new(ManualClock::new(3)), Events::new(100));
    (clock.clone(), Scope::new(clock).with_events(events.clone()), events)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// A priority is shed from its threshold on, until the load is a tenth below it, and never while a lower one is admitted.
    #[test]
    fn what_matters_least_is_shed_first(loads in proptest::collection::vec(0.0f32..2.0, 1..60)) {
        let shedder = Shedder::new(shed::DEFAULT, &scope().1).unwrap();
        let mut shed_before = [false; 5];
        for load in loads {
            shedder.load(load);
            let shed = Priority::ALL.map(|priority| shedder.try_enter(priority).is_err());
            for (i, threshold) in shed::DEFAULT.iter().enumerate() {
                let expected = load >= if shed_before[i] { threshold * 0.9 } else { *threshold };
                // A priority is also shed while a higher one still is.
                prop_assert_eq!(shed[i], expected || shed[i + 1..].contains(&true), "{} at {}", i, load);
            }
            prop_assert!(shed.is_sorted_by(|lower, higher| lower >= higher), "{:?}", shed);
            shed_before = shed;
        }
    }
}

#[test]
fn a_shed_call_is_told_why() {
    let shedder = Shedder::new(shed::DEFAULT, &scope().1).unwrap();
    shedder.load(0.8);
    assert_eq!(shedder.try_enter(Priority::Low), Err(Rejected::Shed { priority: Priority::Low, load: 0.8 }));
    assert_eq!(shedder.admits(), Some(Priority::Normal));
    shedder.load(f32::NAN);
    assert_eq!(shedder.admits(), Some(Priority::Background));
    shedder.load(f32::INFINITY);
    assert_eq!(shedder.admits(), None);
    assert!(shedder.retune([0.5, 0.4, 0.6, 0.7, 0.8]).is_err());
    assert!(shedder.retune([f32::NAN; 5]).is_err());
}

fn thresholds(enter: f64, leave: f64) -> Thresholds {
    Thresholds { enter, leave, enter_after: Duration::from_secs(2), leave_after: Duration::from_secs(10) }
}

fn level(name: &str, enter: f64, leave: f64, off: &[&str]) -> Level {
    Level {
        name: name.into(),
        thresholds: thresholds(enter, leave),
        off: off.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn levels_are_entered_and_left_with_hysteresis() {
    let (clock, scope, events) = scope();
    let levels = vec![level("lean", 0.8, 0.6, &["previews"]), level("bare", 0.95, 0.75, &["search", "previews"])];
    let degradation = Degradation::new("shop", levels, &scope).unwrap();
    let (previews, search) = (degradation.feature("previews").unwrap(), degradation.feature("search").unwrap());
    assert_eq!(degradation.feature("checkout"), None);
    // Each row: seconds to wait, the load, and the level after it.
    let course = [
        (0, 0.85, 0),
        (1, 0.79, 0), // Too short a peak.
        (1, 0.85, 0),
        (1, 0.85, 0),
        (1, 0.99, 1),
        (1, 0.99, 1), // The next step has to last anew.
        (1, 0.99, 1),
        (1, 0.99, 2),
        (5, 0.80, 2), // Below where it was entered, not below where it is left.
        (60, 0.80, 2),
        (1, 0.70, 2),
        (9, 0.70, 2),
        (1, 0.70, 1), // 10 s below 0.75.
        (60, 0.70, 1),
        (1, 0.50, 1),
        (9, 0.70, 1), // Interrupted.
        (1, 0.50, 1),
        (10, 0.50, 0),
    ];
    for (number, (seconds, load, expected)) in course.into_iter().enumerate() {
        clock.advance(Duration::from_secs(seconds));
        degradation.load(load);
        assert_eq!(degradation.level(), expected, "row {number}");
        assert_eq!(degradation.is_on(previews), expected < 1);
        assert_eq!(degradation.is_on(search), expected < 2);
    }
    let told: Vec<String> = std::iter::from_fn(|| events.try_next()).map(|event| event.change.to_string()).collect();
    let expected = ["full service -> lean", "lean -> bare", "bare -> lean", "lean -> full service"];
    assert_eq!(told, expected.map(|change| format!("degradation {change}")));
}

#[test]
fn a_pinned_level_holds_until_it_is_let_go() {
    let (clock, scope, _) = scope();
    let degradation = Degradation::new("shop", vec![level("lean", 0.8, 0.6, &["previews"])], &scope).unwrap();
    degradation.pin(Some(9));
    assert_eq!((degradation.level(), degradation.level_name()), (1, Some("lean")));
    degradation.load(0.1);
    clock.advance(Duration::from_secs(20));
    degradation.load(0.1);
    assert_eq!(degradation.level(), 1);
    degradation.pin(None);
    assert!(degradation.retune(&[thresholds(0.5, 0.6)]).is_err() && degradation.retune(&[]).is_err());
    degradation.retune(&[thresholds(0.8, 0.05)]).unwrap();
    clock.advance(Duration::from_secs(20));
    degradation.load(0.1);
    assert_eq!(degradation.level(), 1, "it is left below 0.05 now");
    degradation.retune(&[thresholds(0.8, 0.6)]).unwrap();
    degradation.load(0.1);
    clock.advance(Duration::from_secs(20));
    degradation.load(0.1);
    assert_eq!((degradation.level(), degradation.level_name()), (0, None));
    for bad in [vec![level("a", 0.5, 0.6, &[])], vec![level("a", 0.9, 0.5, &[]), level("b", 0.8, 0.5, &[])]] {
        assert!(Degradation::new("shop", bad, &scope).is_err());
    }
}

#[test]
fn strategies_are_tried_in_order_and_escalate_on_relapse() {
    let (clock, scope, events) = scope();
    let tried = Arc::new(Mutex::new(Vec::new()));
    let strategy = |name: &'static str, succeeds_at: u32| -> knhk_resilience::recover::Strategy {
        let (tried, calls) = (tried.clone(), AtomicU32::new(0));
        Box::new(move |incident: &Incident| {
            tried.lock().unwrap().push(format!("{name} {}", incident.component));
            if name == "reload" {
                panic!("planted");
            }
            if calls.fetch_add(1, SeqCst) + 1 >= succeeds_at { Ok(()) } else { Err("not yet".into()) }
        })
    };
    let recovery = Recovery::new("db", Duration::from_secs(1), Duration::from_secs(60), &scope)
        .then("reload", 1, strategy("reload", 0))
        .then("reconnect", 2, strategy("reconnect", 2))
        .then("restart", 1, strategy("restart", 1));
    let incident = Incident { component: "orders".into(), what: "no answer".into() };
    let start = clock.now_ns();
    let report = recovery.recover(&incident);
    assert_eq!(report.to_string(), "mended by reconnect; reload failed: it panicked; reconnect failed: not yet");
    assert_eq!(clock.now_ns() - start, 2_000_000_000, "a pause before each further try");
    // It breaks again at once: what mended it did not last, so the next strategy begins.
    assert_eq!(recovery.recover(&incident).mended_by.as_deref(), Some("restart"));
    // Much later it starts with the mildest again.
    clock.advance(Duration::from_secs(61));
    recovery.recover(&incident);
    let expected = ["reload", "reconnect", "reconnect", "restart", "reload", "reconnect"];
    assert_eq!(*tried.lock().unwrap(), expected.map(|name| format!("{name} orders")));
    assert!(matches!(events.try_next().unwrap().change, Change::Recovery { component, .. } if &*component == "orders"));
    let none = Recovery::new("none", Duration::ZERO, Duration::ZERO, &scope).recover(&incident);
    assert_eq!(none.to_string(), "not mended");
}

#[test]
fn faults_repeat_and_have_their_shares() {
    let (clock, scope, _) = scope();
    let delay = (Duration::from_millis(10), Duration::from_millis(30));
    let settings = chaos::Settings { failures: 0.2, delays: 0.5, delay };
    let chaos = Chaos::new(settings, 99, &scope).unwrap();
    assert!((0..100).all(|_| chaos.next() == chaos::Fault::default()), "it begins switched off");
    chaos.switch(true);
    let faults: Vec<chaos::Fault> = (0..10_000).map(|_| chaos.next()).collect();
    let again: Vec<chaos::Fault> = (0..10_000).map(|number| chaos.fault(number)).collect();
    assert_eq!(faults, again);
    let share = |of: fn(&chaos::Fault) -> bool| faults.iter().filter(|fault| of(fault)).count() as f64 / 10_000.0;
    assert!((share(|fault| fault.fails) - 0.2).abs() < 0.02);
    assert!((share(|fault| !fault.delay.is_zero()) - 0.5).abs() < 0.02);
    let both = share(|fault| fault.fails && !fault.delay.is_zero());
    assert!((both - 0.1).abs() < 0.02, "failures and delays are independent: {both}");
    let delayed = || faults.iter().map(|fault| fault.delay).filter(|delay| !delay.is_zero());
    assert!(delayed().all(|found| found >= delay.0 && found <= delay.1));
    let mean = delayed().sum::<Duration>().as_secs_f64() / delayed().count() as f64;
    assert!((mean - 0.020).abs() < 0.0005, "{mean}");
    let always = chaos::Settings { failures: 1.0, delays: 1.0, delay: (delay.0, delay.0) };
    let always = Chaos::new(always, 1, &scope).unwrap();
    always.switch(true);
    let start = clock.now_ns();
    assert!(always.strike());
    assert_eq!(clock.now_ns() - start, 10_000_000);
    assert!(Chaos::new(chaos::Settings { failures: 1.1, ..settings }, 1, &scope).is_err());
}
