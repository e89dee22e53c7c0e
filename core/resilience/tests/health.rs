//! The health monitor: the formula, the thresholds, silence, explanations, cycles, what a person reads.
#![cfg(not(loom))]

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use knhk_resilience::health::{HealthError, Monitor, Settings, State, System};
use knhk_resilience::{Change, Events, ManualClock, Scope};
use proptest::prelude::*;

fn monitor() -> (Arc<ManualClock>, Events, Monitor) {
    let (clock, events) = (Arc::new(ManualClock::new(3)), Events::new(100));
    let scope = Scope::new(clock.clone()).with_events(events.clone());
    (clock, events, Monitor::new("shop", Settings::default(), &scope).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn availability_is_the_weighted_mean(components in proptest::collection::vec((0.01f64..100.0, 0.0f64..=1.0), 1..20)) {
        let (_, _, monitor) = monitor();
        for (i, (weight, health)) in components.iter().enumerate() {
            monitor.report(monitor.add(&i.to_string(), *weight, &[]).unwrap(), *health);
        }
        let total: f64 = components.iter().map(|(weight, _)| weight).sum();
        let expected = components.iter().map(|(weight, health)| weight * health).sum::<f64>() / total;
        let report = monitor.assess();
        prop_assert!((report.availability - expected).abs() < 1e-12);
        let system = match expected {
            a if a >= 0.9 => System::Running,
            a if a < 0.5 => System::Critical,
            _ => System::Degraded,
        };
        prop_assert_eq!(report.system, system);
    }
}

#[test]
fn thresholds_are_exact_and_changes_are_told_at_once() {
    let (_, events, monitor) = monitor();
    assert_eq!(monitor.assess().system, System::Critical, "nothing is watched");
    let component = monitor.add("api", 1.0, &[]).unwrap();
    let course = [
        (1.0, State::Healthy, System::Running),
        (0.9, State::Healthy, System::Running),
        (0.899_999, State::Degraded, System::Degraded),
        (0.5, State::Degraded, System::Degraded),
        (0.499_999, State::Unhealthy, System::Critical),
        (f64::NAN, State::Unhealthy, System::Critical),
        (7.0, State::Healthy, System::Running),
    ];
    let mut last = (State::Stale, System::Critical);
    for (health, state, system) in course {
        monitor.report(component, health);
        let availability = if health.is_nan() { 0.0 } else { health.min(1.0) };
        // Nobody assessed: the report itself told it.
        if last.0 != state {
            let change = Change::Health { component: "api".into(), from: last.0, to: state, availability };
            assert_eq!(events.try_next().unwrap().change, change);
        }
        if last.1 != system {
            assert_eq!(events.try_next().unwrap().change, Change::System { from: last.1, to: system, availability });
        }
        assert_eq!(events.try_next(), None);
        assert_eq!(monitor.assess().components[0].state, state);
        last = (state, system);
    }
}

#[test]
fn thresholds_change_live() {
    let (_, _, monitor) = monitor();
    monitor.report(monitor.add("api", 1.0, &[]).unwrap(), 0.8);
    assert_eq!(monitor.assess().system, System::Degraded);
    monitor.retune(Settings { running: 0.75, ..Settings::default() }).unwrap();
    assert_eq!(monitor.assess().system, System::Running);
    assert!(monitor.retune(Settings { running: 0.4, ..Settings::default() }).is_err());
}

#[test]
fn checks_are_polled_in_an_interval() {
    let (_, events, monitor) = monitor();
    let monitor = Arc::new(monitor);
    let health = Arc::new(Mutex::new(1.0));
    let (told, broken) = (health.clone(), monitor.add("broken", 1.0, &[]).unwrap());
    monitor.check(monitor.add("api", 1.0, &[]).unwrap(), Box::new(move || *told.lock().unwrap()));
    let panicked = AtomicBool::new(false);
    monitor.check(broken, Box::new(move || if panicked.swap(true, SeqCst) { 0.0 } else { panic!("planted") }));
    let ticker = monitor.start(Duration::from_millis(100)).unwrap();
    let next = || events.next_within(Duration::from_secs(60)).unwrap().change;
    let api = |from, to, availability| Change::Health { component: "api".into(), from, to, availability };
    assert_eq!(next(), api(State::Stale, State::Healthy, 0.5));
    assert_eq!(next(), Change::System { from: System::Critical, to: System::Degraded, availability: 0.5 });
    let (from, to) = (State::Stale, State::Unhealthy);
    assert_eq!(next(), Change::Health { component: "broken".into(), from, to, availability: 0.5 });
    *health.lock().unwrap() = 0.6;
    assert_eq!(next(), api(State::Healthy, State::Degraded, 0.3));
    drop(ticker);
}

#[test]
fn a_silent_component_is_stale_after_thirty_seconds() {
    let (clock, _, monitor) = monitor();
    let component = monitor.add("api", 1.0, &[]).unwrap();
    assert_eq!(
        monitor.assess().to_string(),
        "shop: critical, 0.0 % available; 0 of 1 components healthy\n  api: stale, never reported"
    );
    monitor.report(component, 1.0);
    clock.advance(Duration::from_nanos(29_999_999_999));
    assert_eq!(monitor.assess().components[0].state, State::Healthy);
    clock.advance(Duration::from_nanos(1));
    let report = monitor.assess();
    assert_eq!((report.components[0].state, report.availability), (State::Stale, 0.0));
    assert!(report.to_string().ends_with("api: stale, silent for 30.0 s"));
    monitor.report(component, 1.0);
    assert_eq!(monitor.assess().system, System::Running);
}

#[test]
fn a_failed_dependency_explains_its_dependants() {
    let (_, _, monitor) = monitor();
    let add = |name, needs: &[&str]| monitor.add(name, 1.0, needs).unwrap();
    let (disk, network) = (add("disk", &[]), add("network", &[]));
    let database = add("database", &["disk"]);
    let (orders, search) = (add("orders", &["database", "network"]), add("search", &["network"]));
    let front = add("front", &["orders", "search"]);
    for (component, health) in
        [(disk, 0.0), (network, 1.0), (database, 0.2), (orders, 0.0), (search, 1.0), (front, 0.6)]
    {
        monitor.report(component, health);
    }
    let report = monitor.assess();
    let explained = |name: &str| {
        let component = report.components.iter().find(|component| &*component.name == name).unwrap();
        component.explained_by.join(" ")
    };
    assert_eq!(["disk", "database", "orders", "search", "front"].map(explained), ["", "disk", "disk", "", "disk"]);
    assert_eq!(
        report.to_string(),
        "shop: critical, 46.7 % available; 2 of 6 components healthy\n  \
         disk: unhealthy, health 0.00\n  \
         database: unhealthy, health 0.20, because of disk\n  \
         orders: unhealthy, health 0.00, because of disk\n  \
         front: degraded, health 0.60, because of disk"
    );
    monitor.report(disk, 1.0);
    monitor.report(network, 0.0);
    let report = monitor.assess();
    let front = report.components.last().unwrap();
    assert_eq!(front.explained_by.join(" "), "network database", "both causes");
}

#[test]
fn cycles_and_unknown_names_are_refused_by_name() {
    let (_, _, monitor) = monitor();
    for (name, needs) in [("a", &[][..]), ("b", &["a"]), ("c", &["b"]), ("d", &["a", "a"])] {
        monitor.add(name, 1.0, needs).unwrap();
    }
    assert_eq!(
        monitor.depend("a", "c").unwrap_err().to_string(),
        "the dependencies would be a cycle: a -> c -> b -> a"
    );
    assert_eq!(monitor.depend("a", "a").unwrap_err().to_string(), "the dependencies would be a cycle: a -> a");
    monitor.depend("d", "c").unwrap();
    assert_eq!(monitor.add("a", 1.0, &[]), Err(HealthError::Taken("a".into())));
    assert_eq!(monitor.add("e", 1.0, &["x"]), Err(HealthError::Unknown("x".into())));
    assert!(matches!(monitor.add("e", 0.0, &[]), Err(HealthError::Setting(_))));
    assert_eq!(monitor.assess().components.len(), 4);
}
