//! Shadows: many at once, isolated from each other and from what is current, with every kind of assertion and every severity.

use std::thread;

use knhk_engine::governance::{Assertion, SectorChange, Severity, Test, Verdict};
use knhk_engine::{Key, Status};
use serde_json::json;

use crate::world::{World, document, values};

fn change(max_qty: u64) -> Vec<SectorChange> {
    vec![SectorChange { sector: "orders".into(), content: values(&[("max_qty", &max_qty.to_string())]) }]
}

#[test]
fn sixteen_at_once_know_nothing_of_each_other() {
    let mut world = World::new();
    let engine = world.engine();
    let max_qty: Key<i64> = engine.key("orders", "max_qty").unwrap();
    let number = engine.sector_number("orders").unwrap();
    thread::scope(|scope| {
        for n in 1..=16 {
            scope.spawn(move || {
                let shadow = engine.shadow(&change(1000 + n), "ops-1").unwrap();
                let reading = engine.shadowed(&shadow.id, "orders").unwrap();
                let view = reading.view(engine.hot(), number).unwrap();
                assert_eq!(max_qty.get(&view, 0), 1000 + n as i64, "typed reads as ever");
                let sound =
                    Test { name: "sound".into(), severity: Severity::Blocker, assertion: Assertion::NoConflicts };
                let tested = engine.shadow_test(&shadow.id, None, &[sound]).unwrap();
                assert_eq!(tested[0].report.verdict, Verdict::Passed);
            });
        }
    });
    assert_eq!(world.read("max_qty"), 1000, "and what is current knows of none");
    assert_eq!(world.receipts("shadow test executed").len(), 16);
    world.reopen();
    let shadows = world.engine().shadows().unwrap();
    assert_eq!(shadows.len(), 16);
    assert!(shadows.iter().all(|shadow| shadow.tested.is_some()), "what came of the tests is kept");
    let again = world.engine().shadowed(&shadows[0].id, "orders").unwrap();
    assert!(again.compiled().is_some(), "made anew");
    world.engine().drop_shadow(&shadows[0].id).unwrap();
    assert_eq!(world.engine().shadowed(&shadows[0].id, "orders").unwrap_err().status(), Status::NotFound);
}

#[test]
fn every_kind_of_assertion_holds_or_says_what_does_not() {
    let world = World::new();
    let content =
        document(r#"{"max_qty": {"$value": 10, "$min": 1, "$max": 50}, "$classes": {"Venue": [], "Dark": ["Venue"]}}"#);
    let shadow = world.engine().shadow(&[SectorChange { sector: "orders".into(), content }], "ops-1").unwrap();
    let test = |severity: &str, assertion: serde_json::Value| {
        let test = json!({ "name": "it", "severity": severity, "assertion": assertion });
        let tested = world.govern("shadow_test", json!({ "id": shadow.id, "tests": [test] }));
        let report = &tested["results"][0]["report"];
        (report["verdict"].as_str().unwrap().to_owned(), report["outcomes"][0]["failed"].clone())
    };
    let cases = [
        (json!({ "class": { "class": "Dark", "under": "Venue" } }), json!({ "class": { "class": "Lit" } })),
        (
            json!({ "property": { "subject": "max_qty", "property": "knhk:value", "value": "10" } }),
            json!({ "property": { "subject": "max_qty", "property": "knhk:value", "value": "11" } }),
        ),
        (
            json!({ "guard": { "parameter": "max_qty", "min": 1.0, "max": 50.0 } }),
            json!({ "guard": { "parameter": "max_qty", "min": 2.0 } }),
        ),
    ];
    for (holds, does_not) in cases {
        assert_eq!(test("blocker", holds.clone()), ("passed".to_owned(), serde_json::Value::Null), "{holds}");
        for (severity, verdict) in [("blocker", "refused"), ("warning", "passed"), ("info", "passed")] {
            let (said, failed) = test(severity, does_not.clone());
            assert_eq!(said, verdict, "{does_not} as {severity}");
            assert!(failed.is_string(), "{does_not}");
        }
    }
    assert_eq!(test("blocker", json!("no_conflicts")).0, "passed");
}
