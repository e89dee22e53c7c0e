//! Policies that follow a sector: retuned by promotions and rollbacks, left alone by values that cannot be.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use knhk_engine::{Engine, Options, Origin, SectorKind, Status, policy_document};
use knhk_resilience::checkpoint::{Callbacks, Settings};
use knhk_resilience::pipeline::Call;
use knhk_resilience::policy::Parts;
use knhk_resilience::{Events, Outcome, Policy, Rejected};

fn engine() -> Engine {
    let engine = Engine::open(":memory:", Options::default()).unwrap();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    engine
}

fn promote(engine: &Engine, json: &str) {
    engine.promote_json("orders", json, Origin::default()).unwrap();
}

fn value(policy: &Policy, name: &str) -> f64 {
    policy.parameters().into_iter().find(|parameter| parameter.name == name).unwrap().value
}

#[test]
fn a_promotion_retunes_before_it_returns_and_a_rollback_takes_it_back() {
    let engine = engine();
    let given = [("consecutive_failures", 3.0), ("window_calls", 50.0)];
    let breaker = Policy::build("breaker", "payments", &given, Parts::default(), &engine.scope()).unwrap();
    promote(&engine, r#"{"resilience": {"payments": {"failure_rate": 0.3}}}"#);
    engine.add_policy("payments", breaker.clone(), Some("orders")).unwrap();
    assert_eq!(value(&breaker, "failure_rate"), 0.3, "what was current already counts");
    promote(&engine, r#"{"resilience": {"payments": {"consecutive_failures": 1, "recovery_ms": 50.0}}}"#);
    assert_eq!(value(&breaker, "consecutive_failures"), 1.0);
    assert_eq!(value(&breaker, "failure_rate"), 0.5, "what a version does not state is the program's own");
    let permit = breaker.try_enter(Call::default()).unwrap();
    breaker.finish(permit, Outcome::Failure);
    assert!(matches!(breaker.try_enter(Call::default()), Err(Rejected::Open { .. })));
    engine.rollback("orders", 1, Origin::default()).unwrap();
    assert_eq!((value(&breaker, "failure_rate"), value(&breaker, "consecutive_failures")), (0.3, 3.0));
    let [info] = &engine.policies()[..] else { panic!("there is one") };
    assert_eq!((info.name.as_str(), info.kind, info.sector.as_deref()), ("payments", "breaker", Some("orders")));
    assert_eq!((info.version, info.refused.as_deref(), info.state.as_str()), (3, None, "open"));
    assert!(engine.remove_policy("payments") && !engine.remove_policy("payments"));
    promote(&engine, r#"{"resilience": {"payments": {"failure_rate": 0.9}}}"#);
    assert_eq!(value(&breaker, "failure_rate"), 0.3, "it is followed no more");
}

#[test]
fn a_version_that_it_cannot_take_leaves_a_policy_as_it_was() {
    let engine = engine();
    let bucket = Policy::build("token_bucket", "x", &[("rate", 10.0)], Parts::default(), &engine.scope()).unwrap();
    engine.add_policy("api", bucket.clone(), Some("orders")).unwrap();
    for (json, why) in [
        (r#"{"resilience": {"api": {"rate": 20.0, "burst": 0}}}"#, "burst is 0"),
        (r#"{"resilience": {"api": {"rat": 20.0}}}"#, "a token_bucket has no parameter \"rat\"; it has rate, burst"),
        (r#"{"resilience": {"api": {"rate": "fast"}}}"#, "resilience/api/rate is no number"),
    ] {
        engine.promote_json("orders", json, Origin { major: true, ..Origin::default() }).unwrap();
        assert_eq!((value(&bucket, "rate"), value(&bucket, "burst")), (10.0, 10.0));
        let refused = engine.policies().remove(0).refused.unwrap();
        assert!(refused.contains(why), "{refused}");
    }
    engine
        .promote_json("orders", r#"{"resilience": {"api": {"rate": 20}}}"#, Origin { major: true, ..Origin::default() })
        .unwrap();
    assert_eq!((value(&bucket, "rate"), engine.policies()[0].refused.as_deref()), (20.0, None));
}

#[test]
fn a_policy_states_itself_as_a_document_that_it_then_follows() {
    let engine = engine();
    let level = |name: &str, enter| knhk_resilience::degrade::Level {
        name: name.into(),
        thresholds: knhk_resilience::degrade::Thresholds {
            enter,
            leave: 0.5,
            enter_after: Duration::from_secs(1),
            leave_after: Duration::ZERO,
        },
        off: vec![],
    };
    let levels = vec![level("brownout", 0.8), level("blackout", 0.95)];
    let policy =
        Policy::build("degradation", "shop", &[], Parts { levels, ..Parts::default() }, &engine.scope()).unwrap();
    engine.add_policy("shop", policy.clone(), Some("orders")).unwrap();
    let before = policy.parameters();
    let document = policy_document("shop", &policy);
    promote(&engine, &document);
    assert_eq!(policy.parameters(), before);
    promote(&engine, &document.replace("0.95", "0.9"));
    assert_eq!(value(&policy, "blackout/enter"), 0.9);
    let beyond = document.replace("\"$value\":0.95", "\"$value\":-1.0");
    assert_eq!(engine.promote_json("orders", &beyond, Origin::default()).unwrap_err().status(), Status::Document);
}

#[test]
fn names_and_sectors_are_checked() {
    let engine = engine();
    let policy = Policy::build("bulkhead", "x", &[("limit", 1.0)], Parts::default(), &engine.scope()).unwrap();
    let status = |name: &str, sector| engine.add_policy(name, policy.clone(), sector).unwrap_err().status();
    for bad in ["", "a/b", "$x", "a\nb"] {
        assert_eq!(status(bad, None), Status::InvalidArgument, "{bad:?}");
    }
    assert_eq!(status("x", Some("nowhere")), Status::NotFound);
    engine.add_policy("x", policy.clone(), None).unwrap();
    assert_eq!(status("x", Some("orders")), Status::AlreadyExists);
    assert_eq!(engine.policy("x").unwrap().kind(), "bulkhead");
    engine.close();
    assert_eq!(status("y", None), Status::Closed);
}

#[test]
fn the_engines_scope_has_its_clock_and_its_events() {
    let engine = engine();
    let (scope, events) = (engine.scope(), Events::new(4));
    engine.scope().subscribe(events.clone());
    let breaker = Policy::build("breaker", "b", &[], Parts::default(), &scope).unwrap();
    let Policy::Breaker(switch) = &breaker else { panic!("it was made as one") };
    switch.force_open();
    assert_eq!(&*events.try_next().unwrap().source, "b");
    let begun = scope.clock().now_ns();
    while scope.clock().now_ns() == begun {
        std::thread::yield_now();
    }
}

#[test]
fn transitions_leave_receipts_where_there_is_a_ledger() {
    let folder = std::env::temp_dir().join(format!("knhk-resilience-{}", std::process::id()));
    let engine = Engine::open(folder.to_str().unwrap(), Options::default()).unwrap();
    let breaker =
        Policy::build("breaker", "payments", &[("consecutive_failures", 1.0)], Parts::default(), &engine.scope());
    let breaker = breaker.unwrap();
    let permit = breaker.try_enter(Call::default()).unwrap();
    breaker.finish(permit, Outcome::Failure);
    let health = Policy::build("health", "shop", &[], Parts::default(), &engine.scope()).unwrap();
    let Policy::Health(monitor) = &health else { panic!("it was made as one") };
    monitor.report(monitor.add("db", 1.0, &[]).unwrap(), 0.7);
    // What was not written yet is written when the engine closes.
    engine.close();
    let engine = Engine::open(folder.to_str().unwrap(), Options::default()).unwrap();
    let receipts = engine.receipts(&Default::default()).unwrap();
    let of = |kind: &str| receipts.iter().filter(|receipt| receipt.kind == kind).collect::<Vec<_>>();
    let opened = of("breaker transition");
    assert_eq!(opened.len(), 1, "{receipts:?}");
    assert_eq!(
        (opened[0].evidence["breaker"].as_str(), opened[0].evidence["to"].as_str()),
        (Some("payments"), Some("open"))
    );
    assert_eq!(opened[0].evidence["failure_rate"].as_f64(), Some(1.0));
    let told: Vec<_> = of("health transition").iter().map(|receipt| receipt.evidence["component"].clone()).collect();
    assert_eq!(told, ["db", "shop"]);
    engine.close();
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn checkpoints_are_kept_beside_the_receipts_that_they_leave() {
    let folder = std::env::temp_dir().join(format!("knhk-checkpoints-{}", std::process::id()));
    let state = Arc::new(Mutex::new(b"seven orders".to_vec()));
    let (saved, loaded) = (state.clone(), state.clone());
    let component = Arc::new(Callbacks {
        freeze: None,
        thaw: None,
        save: Box::new(move |to| to.write_all(&saved.lock().unwrap()).map_err(|error| error.to_string())),
        load: Box::new(move |from| {
            *loaded.lock().unwrap() = from.to_vec();
            Ok(())
        }),
    });
    let engine = Engine::open(folder.to_str().unwrap(), Options::default()).unwrap();
    let checkpoints = engine.checkpoints("orders", Settings::default()).unwrap();
    checkpoints.add("book", component.clone()).unwrap();
    let taken = checkpoints.take().unwrap();
    engine.close();
    assert!(checkpoints.take().is_err(), "the store is closed");

    state.lock().unwrap().clear();
    let engine = Engine::open(folder.to_str().unwrap(), Options::default()).unwrap();
    let checkpoints = engine.checkpoints("orders", Settings::default()).unwrap();
    checkpoints.add("book", component).unwrap();
    assert_eq!(checkpoints.restore().unwrap().digest, taken.digest);
    assert_eq!(*state.lock().unwrap(), b"seven orders");
    engine.close();
    let engine = Engine::open(folder.to_str().unwrap(), Options::default()).unwrap();
    let receipts = engine.receipts(&Default::default()).unwrap();
    let of = |kind: &str| receipts.iter().find(|receipt| receipt.kind == kind).unwrap().evidence.clone();
    let (taken, restored) = (of("checkpoint taken"), of("checkpoint restored"));
    assert_eq!((taken["component"].as_str(), &taken["checkpoint"]), (Some("orders"), &restored["checkpoint"]));
    engine.close();
    std::fs::remove_dir_all(folder).unwrap();

    let memory = Engine::open(":memory:", Options::default()).unwrap();
    assert_eq!(memory.checkpoints("x", Settings::default()).unwrap_err().status(), Status::NotFound);
    let none = Settings { chains: 0, ..Settings::default() };
    assert_eq!(memory.checkpoints("x", none).unwrap_err().status(), Status::InvalidArgument);
}
