//! Any policy under one type: made by name, shown, retuned all or nothing, entered through words.
#![cfg(not(loom))]

use std::sync::Arc;
use std::time::Duration;

use knhk_resilience::degrade::{Level, Thresholds};
use knhk_resilience::pipeline::{Call, Permit};
use knhk_resilience::policy::Parts;
use knhk_resilience::{Change, Events, ManualClock, Outcome, Policy, PolicyError, Priority, Rejected, Scope};

fn scope() -> (Arc<ManualClock>, Scope) {
    let clock = Arc::new(ManualClock::new(7));
    (clock.clone(), Scope::new(clock))
}

/// Each kind with what it cannot do without.
fn every_kind(scope: &Scope) -> Vec<Policy> {
    let thresholds = Thresholds { enter: 0.8, leave: 0.6, enter_after: Duration::ZERO, leave_after: Duration::ZERO };
    let level = Level { name: "brownout".into(), thresholds, off: vec!["images".into()] };
    let make = |kind: &str, given: &[(&str, f64)]| {
        let levels = if kind == "degradation" { vec![level.clone()] } else { Vec::new() };
        Policy::build(kind, "x", given, Parts { levels, ..Parts::default() }, scope).unwrap()
    };
    vec![
        make("breaker", &[("window_calls", 20.0), ("failure_rate", 0.25)]),
        make("breaker", &[("window_span_ms", 1000.0), ("slow_call_ms", 5.0)]),
        make("bulkhead", &[("limit", 3.0)]),
        make("adaptive", &[("lowest", 2.0), ("highest", 9.0)]),
        make("adaptive", &[("vegas", 1.0)]),
        make("token_bucket", &[("rate", 3.0)]),
        make("sliding_window", &[("limit", 5.0), ("span_ms", 100.0)]),
        make("shedder", &[("normal", 0.8), ("high", 1.25)]),
        make("chaos", &[("failures", 1.0)]),
        make("pipeline", &[("timeout_ms", 50.0)]),
        make("retry", &[("attempts", 4.0)]),
        make("budget", &[]),
        make("hedge", &[("copies", 3.0)]),
        make("degradation", &[]),
        make("recovery", &[]),
        make("health", &[("stale_after_ms", 5.0)]),
    ]
}

#[test]
fn each_kind_is_made_shown_and_retuned_by_name() {
    let (_, scope) = scope();
    for policy in every_kind(&scope) {
        let kind = policy.kind();
        let parameters = policy.parameters();
        assert_eq!(parameters.is_empty(), matches!(kind, "chaos" | "budget" | "recovery"), "{kind}");
        for parameter in &parameters {
            assert!((parameter.low..=parameter.high).contains(&parameter.value), "{kind}: {parameter:?}");
        }
        let own: Vec<(&str, f64)> = parameters.iter().map(|p| (p.name.as_str(), p.value)).collect();
        policy.retune(&own).unwrap();
        assert_eq!(policy.parameters(), parameters, "{kind}: what is retuned to itself stays");
        let unknown = policy.retune(&[("nonsense", 1.0)]).unwrap_err();
        assert!(matches!(unknown, PolicyError::Unknown { .. }) && unknown.to_string().contains(kind), "{unknown}");
        for parameter in &parameters {
            for bad in [f64::NAN, parameter.high * 2.0 + 1.0, -1.0] {
                assert!(policy.retune(&[(&parameter.name, bad)]).is_err(), "{kind} {} {bad}", parameter.name);
            }
        }
        assert_eq!(policy.parameters(), parameters, "{kind}: a refused value changes nothing");
        assert!(kind == "recovery" || !policy.to_string().is_empty(), "{kind}");
    }
}

#[test]
fn one_value_that_cannot_be_leaves_all_as_they_were() {
    let (_, scope) = scope();
    let bucket = Policy::build("token_bucket", "b", &[("rate", 100.0)], Parts::default(), &scope).unwrap();
    let refused = bucket.retune(&[("rate", 5.0), ("burst", 0.5)]).unwrap_err();
    assert_eq!(refused.to_string(), "burst is 0.5, which must be a whole number from 1 to 65535");
    let value = |name: &str| bucket.parameters().into_iter().find(|p| p.name == name).unwrap().value;
    assert_eq!((value("rate"), value("burst")), (100.0, 100.0));
    bucket.retune(&[("burst", 2.0)]).unwrap();
    assert_eq!((value("rate"), value("burst")), (100.0, 2.0));
    // Values that are in range and do not fit each other.
    let breaker = Policy::build("breaker", "b", &[("window_calls", 20.0)], Parts::default(), &scope).unwrap();
    assert!(breaker.retune(&[("failure_rate", 0.9), ("minimum_calls", 21.0)]).is_err());
    assert_eq!(breaker.parameters().iter().find(|p| p.name == "failure_rate").unwrap().value, 0.5);
}

#[test]
fn what_cannot_be_made_is_said() {
    let (_, scope) = scope();
    let said = |kind: &str, given: &[(&str, f64)], policies: Vec<Policy>| {
        Policy::build(kind, "x", given, Parts { policies, ..Parts::default() }, &scope).unwrap_err().to_string()
    };
    assert!(said("fuse", &[], vec![]).starts_with("there is no kind \"fuse\" of policies; there are breaker, "));
    assert_eq!(said("bulkhead", &[], vec![]), "a bulkhead needs limit");
    assert_eq!(said("bulkhead", &[("limit", 1.5)], vec![]), "limit is 1.5, which must be a whole number from 0");
    assert!(said("budget", &[("shares", 0.1)], vec![]).contains("share, reserve, span_ms"));
    let bulkhead = Policy::build("bulkhead", "x", &[("limit", 1.0)], Parts::default(), &scope).unwrap();
    assert_eq!(
        said("pipeline", &[], vec![bulkhead.clone(), bulkhead.clone()]),
        "a pipeline holds one bulkhead, and there are two"
    );
    let health = Policy::build("health", "x", &[], Parts::default(), &scope).unwrap();
    assert_eq!(said("pipeline", &[], vec![health]), "a pipeline cannot hold a health");
    assert_eq!(said("retry", &[], vec![bulkhead]), "its budget is one budget, not a bulkhead");
}

#[test]
fn permits_survive_as_words() {
    let (_, scope) = scope();
    let part = |kind: &str, given: &[(&str, f64)]| Policy::build(kind, "x", given, Parts::default(), &scope).unwrap();
    let breaker = part("breaker", &[("consecutive_failures", 1.0)]);
    let (bulkhead, adaptive) = (part("bulkhead", &[("limit", 2.0)]), part("adaptive", &[]));
    let bucket = part("token_bucket", &[("rate", 10.0), ("burst", 5.0)]);
    let policies = vec![breaker.clone(), bulkhead.clone(), adaptive.clone(), bucket.clone()];
    let whole = Policy::build("pipeline", "x", &[], Parts { policies, ..Parts::default() }, &scope).unwrap();
    let call = Call { tokens: 3, priority: Priority::High, ..Call::default() };
    let words = whole.try_enter(call).unwrap().into_raw();
    assert_eq!((bulkhead.figures()[0], adaptive.figures()[0]), (("taken", 1.0), ("taken", 1.0)));
    assert_eq!(bucket.figures(), [("tokens", 2.0)]);
    assert!(matches!(whole.try_enter(call), Err(Rejected::RateLimited { .. })));
    assert_eq!(bulkhead.figures()[0], ("taken", 1.0), "the refused call gave its place back");
    assert_eq!(whole.finish(Permit::from_raw(words), Outcome::Failure), Outcome::Failure);
    assert_eq!((bulkhead.figures()[0], adaptive.figures()[0]), (("taken", 0.0), ("taken", 0.0)));
    assert_eq!(breaker.state(), "open");
    // Words that come back twice, or are none, change nothing.
    whole.finish(Permit::from_raw(words), Outcome::Success);
    whole.finish(Permit::from_raw([0; 6]), Outcome::Success);
    assert_eq!(bulkhead.figures()[0], ("taken", 0.0));
    let chaos = part("chaos", &[("failures", 1.0)]);
    let Policy::Chaos(switch) = &chaos else { unreachable!("it was made as one") };
    switch.switch(true);
    let permit = chaos.try_enter(Call::default()).unwrap();
    assert_eq!(chaos.finish(permit, Outcome::Success), Outcome::Failure);
}

#[test]
fn every_listener_hears_every_event() {
    let (_, scope) = scope();
    let (one, two) = (Events::new(10), Events::new(10));
    let breaker = Policy::build("breaker", "callee", &[], Parts::default(), &scope).unwrap();
    let Policy::Breaker(switch) = &breaker else { unreachable!("it was made as one") };
    scope.subscribe(one.clone());
    scope.subscribe(two.clone());
    switch.force_open();
    scope.unsubscribe(&one);
    switch.close();
    let heard = |events: &Events| {
        let next = || events.try_next().map(|event| (event.change.kind(), event.change.ends().1));
        std::iter::from_fn(next).collect::<Vec<_>>()
    };
    assert_eq!(heard(&one), [("breaker", "forced open".to_owned())]);
    assert_eq!(heard(&two), [("breaker", "forced open".to_owned()), ("breaker", "closed".to_owned())]);
    let Some(Change::Breaker { .. }) = {
        switch.disable();
        two.try_next()
    }
    .map(|event| event.change) else {
        panic!("a listener that stays goes on hearing")
    };
}
