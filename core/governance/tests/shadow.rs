//! Shadows: isolated from each other and from what is current, tested by every kind of assertion, and read beside what is current.

mod common;

use std::sync::Arc;

use common::Sector;
use knhk_governance::{Assertion, Severity, Shadow, Test, TestReport, Verdict};
use knhk_hot::layout::Key;
use knhk_ontology::graph::Delta;

const JSON: &str = r#"{"max_qty": {"$value": 1000, "$min": 1, "$max": 5000}, "venues": ["XPAR"],
    "$classes": {"Instrument": [], "Option": ["Instrument"], "EquityOption": ["Option"]}}"#;

fn shadow(sector: &Sector) -> Shadow {
    Shadow::over(sector.snapshot.clone(), Some(sector.compiled.clone()), &sector.keys)
}

/// The change that gives `max_qty` another value.
fn to(shadow: &Shadow, was: i64, is: i64) -> Arc<Delta> {
    let parsed = |value: i64| common::parsed(shadow.snapshot(), &format!(":max_qty knhk:value {value} ."));
    Arc::new(Delta::new(shadow.snapshot().graph(), parsed(was), parsed(is)))
}

#[test]
fn sixteen_at_once_know_nothing_of_each_other() {
    let sector = Sector::new(JSON);
    let slot = sector.keys.get("max_qty").expect("it has a slot");
    let (before, lines, epoch) = (sector.snapshot.id(), sector.snapshot.own_lines(), sector.hot.epoch());
    let barrier = std::sync::Barrier::new(16);
    let ids: Vec<[u8; 32]> = std::thread::scope(|scope| {
        let one = |number: i64| {
            let (sector, barrier) = (&sector, &barrier);
            scope.spawn(move || {
                let mut shadow = shadow(sector);
                barrier.wait();
                // Values, and a name that no other has: the key tables grow apart as well.
                let mut value = 1000;
                for round in 0..20 {
                    let next = 1001 + 20 * number + round;
                    shadow.apply(&to(&shadow, value, next)).expect("it is in its range");
                    value = next;
                    let view = shadow.view(&sector.hot, 0).expect("it compiles");
                    assert_eq!(view.get_i64(Key::new(0, slot), 0), value);
                }
                let own = common::adding(shadow.snapshot(), &format!(":own_{number} knhk:value {number} ."));
                shadow.apply(&Arc::new(own)).expect("the name is new");
                let artifact = &shadow.compiled().expect("it compiles").artifact;
                for other in 0..16 {
                    assert_eq!(artifact.find(&format!("own_{other}")).is_some(), other == number);
                }
                shadow.snapshot().id()
            })
        };
        let threads: Vec<_> = (0..16).map(one).collect();
        threads.into_iter().map(|thread| thread.join().expect("no assertion failed")).collect()
    });
    let distinct: std::collections::BTreeSet<[u8; 32]> = ids.into_iter().collect();
    assert_eq!(distinct.len(), 16);
    // What is current is as it was, and nothing was published.
    assert_eq!((sector.snapshot.id(), sector.snapshot.own_lines()), (before, lines));
    assert_eq!((sector.hot.epoch(), sector.keys.get("own_3")), (epoch, None));
}

fn tested(shadow: &Shadow, severity: Severity, assertion: Assertion) -> TestReport {
    shadow.test(&[Test { name: "it".into(), severity, assertion }])
}

#[test]
fn every_kind_of_assertion_holds_or_says_what_does_not() {
    let sector = Sector::new(JSON);
    let shadow = shadow(&sector);
    let text = |text: &str| text.to_owned();
    let class = |class: &str, under: Option<&str>| Assertion::Class { class: text(class), under: under.map(text) };
    let says = |property: &str, value: Option<&str>| {
        let (subject, property) = (text("max_qty"), text(property));
        Assertion::Property { subject, property, value: value.map(text) }
    };
    let guard =
        |parameter: &str, min: Option<f64>, max: Option<f64>| Assertion::Guard { parameter: text(parameter), min, max };
    let invariant = |condition: &str| Assertion::Invariant { condition: text(condition) };
    let callback = |what: Result<(), String>| Assertion::Callback(Arc::new(move |_| what.clone()));
    let cases = [
        (class("EquityOption", Some("Instrument")), class("Instrument", Some("EquityOption")), "is not under"),
        (class("Option", None), class("Future", None), "no class Future"),
        (says("knhk:max", Some("5000")), says("knhk:max", Some("6000")), "knhk:max of max_qty is 5000, not 6000"),
        (says("knhk:value", None), says("knhk:unit", None), "max_qty has no knhk:unit"),
        (guard("max_qty", Some(1.0), Some(5000.0)), guard("max_qty", None, Some(4000.0)), "ends at 5000, above 4000"),
        (guard("max_qty", Some(0.0), None), guard("venues", None, None), "is no number"),
        (
            invariant(r#"after["max_qty"] <= 2 * before["max_qty"]"#),
            invariant(r#"after["max_qty"] < before["max_qty"]"#),
            "is not so",
        ),
        (invariant("true"), invariant(r#"after["least"] < 1"#), "cannot be decided"),
        (callback(Ok(())), callback(Err("not today".into())), "not today"),
        (callback(Ok(())), Assertion::Callback(Arc::new(|_| panic!("a test of one's own"))), "panicked"),
    ];
    for (holds, fails, what) in cases {
        let report = tested(&shadow, Severity::Blocker, holds.clone());
        assert_eq!((report.verdict, &report.outcomes[0].failed), (Verdict::Passed, &None), "{holds:?}");
        for (severity, verdict) in [
            (Severity::Blocker, Verdict::Refused),
            (Severity::Warning, Verdict::Passed),
            (Severity::Info, Verdict::Passed),
        ] {
            let report = tested(&shadow, severity, fails.clone());
            let failed = report.outcomes[0].failed.clone().expect("it does not hold");
            assert!(failed.contains(what), "{failed}");
            assert_eq!((report.verdict, report.outcomes[0].severity), (verdict, severity));
        }
    }
}

#[test]
fn conflicts_are_found() {
    let sector = Sector::new(JSON);
    let mut shadow = shadow(&sector);
    assert_eq!(tested(&shadow, Severity::Blocker, Assertion::NoConflicts).verdict, Verdict::Passed);
    shadow.apply(&Arc::new(common::adding(shadow.snapshot(), ":max_qty knhk:unit \"\" ."))).expect("it compiles");
    let report = tested(&shadow, Severity::Blocker, Assertion::NoConflicts);
    assert!(report.outcomes[0].failed.as_ref().is_some_and(|what| what.contains("1 to 64 characters")), "{report:?}");
    // What does not compile is not taken, and the shadow is as it was.
    let before = shadow.snapshot().id();
    shadow.apply(&to(&shadow, 1000, 9000)).expect_err("it is out of its range");
    assert_eq!(shadow.snapshot().id(), before);
}

#[test]
fn tests_keep_their_order_and_their_form() {
    let sector = Sector::new(JSON);
    let shadow = shadow(&sector);
    let json = r#"[
        {"name": "a", "severity": "blocker", "assertion": {"class": {"class": "Option", "under": "Instrument"}}},
        {"name": "b", "severity": "warning", "assertion": {"guard": {"parameter": "max_qty", "max": 10}}},
        {"name": "c", "severity": "info", "assertion": {"invariant": {"condition": "after[\"max_qty\"] == 1000"}}},
        {"name": "d", "severity": "blocker", "assertion": "no_conflicts"},
        {"name": "e", "severity": "blocker", "assertion": {"property": {"subject": "max_qty", "property": "knhk:min"}}}
    ]"#;
    let tests: Vec<Test> = serde_json::from_str(json).expect("they are tests");
    let report = shadow.test(&tests);
    let names: Vec<&str> = report.outcomes.iter().map(|outcome| &*outcome.name).collect();
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    let failed: Vec<bool> = report.outcomes.iter().map(|outcome| outcome.failed.is_some()).collect();
    assert_eq!(failed, [false, true, false, false, false]);
    assert_eq!(report.verdict, Verdict::Passed, "a warning stops nothing");
    let kept = serde_json::to_string(&report).expect("plain data");
    assert_eq!(serde_json::from_str::<TestReport>(&kept).expect("it is JSON"), report);
    let again: Vec<Test> = serde_json::from_str(&serde_json::to_string(&tests).expect("plain data")).expect("JSON");
    assert_eq!(again.len(), 5);
}

#[test]
fn live_traffic_is_read_with_both() {
    let sector = Sector::new(JSON);
    let mut shadow = shadow(&sector);
    let (limit, venues) = (sector.keys.get("max_qty"), sector.keys.get("venues"));
    let (limit, venues) = (limit.expect("it has a slot"), venues.expect("it has a slot"));
    shadow.apply(&to(&shadow, 1000, 800)).expect("it is in its range");
    let narrower = |turtle: &str| common::parsed(shadow.snapshot(), turtle);
    let (old, new) = (narrower(":max_qty knhk:max 5000 ."), narrower(":max_qty knhk:max 900 ."));
    let delta = Delta::new(shadow.snapshot().graph(), old, new);
    shadow.apply(&Arc::new(delta)).expect("800 is in it");
    let mut beside = shadow.beside(&sector.hot, 0).expect("both can be read");
    assert!(beside.read(limit));
    assert!(!beside.read(venues));
    let record = knhk_observation::Record {
        time_ns: 0,
        epoch: 0,
        reader: 0,
        sequence: 0,
        subject: 0,
        detail: 0,
        value: 0,
        slot: limit,
        tag: knhk_hot::layout::Tag::I64 as u8,
        outcome: 1,
    };
    // Of quantities of 100, 200, … 2,000 those above 900 would no longer be in the range.
    for hundred in 1..=20 {
        beside.replay(&knhk_observation::Record { value: 100 * hundred, ..record });
    }
    let counts: Vec<_> = beside.counts().collect();
    let of_limit = counts.iter().find(|(slot, _)| *slot == limit).expect("it was read").1;
    assert_eq!((of_limit.reads, of_limit.values, of_limit.guards), (21, 21, 11));
    assert_eq!((beside.total().reads, beside.total().values), (22, 21));
}
