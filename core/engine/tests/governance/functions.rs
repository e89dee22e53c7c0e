//! Functions that other languages register: asked by a text and a view, by rules, tests of shadows and invariants; and stages that are told of.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use knhk_engine::control::Content;
use knhk_engine::governance::{
    CrossInvariant, Hook, Progress, Propose, Question, Role, SectorChange, Severity, State, Stop, Verdict, Watch,
    Workload,
};
use knhk_engine::{Key, SectorKind};
use serde_json::{Value, json};

use crate::world::{World, document, told, values};

/// At most 2,000 lots, counted, with what was asked.
struct Below {
    max_qty: Key<i64>,
    asked: Mutex<Vec<Value>>,
}

fn below(world: &World) -> Arc<Below> {
    Arc::new(Below { max_qty: world.engine().key("orders", "max_qty").unwrap(), asked: Mutex::default() })
}

impl Below {
    fn function(self: &Arc<Below>) -> Arc<knhk_engine::governance::TestFn> {
        let own = self.clone();
        Arc::new(move |question: &Question| {
            own.asked.lock().unwrap().push(serde_json::from_str(&question.text).unwrap());
            match own.max_qty.get(&question.view, -1) {
                lots @ ..=2000 => {
                    assert!(lots > 0);
                    Ok(())
                }
                lots => Err(format!("{lots} lots are too many")),
            }
        })
    }

    fn last(&self) -> Value {
        self.asked.lock().unwrap().last().cloned().unwrap()
    }
}

fn qty(lots: u64) -> Content {
    values(&[("max_qty", &lots.to_string())])
}

#[test]
fn a_rule_asks_a_function_which_reads_what_would_be() {
    let world = World::new();
    let function = below(&world);
    let rule = "[[rule]]\nid = \"below\"\nsector = \"orders\"\nenforcement = \"hard_mandatory\"\n[rule.callback]\nname = \"below\"\n";
    world.govern("add_rule", json!({ "toml": rule, "by": "ops-1", "why": "the test" }));
    let refused = world.propose("orders", qty(1500));
    assert_eq!(refused.state, State::Refused, "its function is not there");
    world.engine().set_function(Role::Rule, "below", function.function());
    let refused = world.propose("orders", qty(2500));
    assert!(told(&refused.reports).contains("2500 lots are too many"), "{}", told(&refused.reports));
    let asked = function.last();
    assert_eq!((&asked["kind"], &asked["name"], &asked["sector"]), (&json!("rule"), &json!("below"), &json!("orders")));
    assert_eq!((&asked["proposal"], &asked["by"]), (&json!(refused.id), &json!("ops-1")));
    assert_eq!((&asked["rule"]["id"], &asked["differences"][0]["new"]), (&json!("below"), &json!("2500")));
    assert_eq!(world.propose("orders", qty(1500)).state, State::Enacted);
    assert!(world.engine().unset(Hook::Rule("below")) && !world.engine().unset(Hook::Rule("below")));
    assert_eq!(world.propose("orders", qty(1600)).state, State::Refused);
}

#[test]
fn an_invariant_sees_all_sectors_as_they_would_be_together() {
    let world = World::new();
    let engine = world.engine();
    engine.create_sector("risk", SectorKind::Governed).unwrap();
    assert_eq!(world.propose("risk", document(r#"{"ceiling": 2000}"#)).state, State::Enacted);
    let (max_qty, ceiling) = (below(&world).max_qty, engine.key::<i64>("risk", "ceiling").unwrap());
    let holds = move |question: &Question| match (max_qty.get(&question.view, -1), ceiling.get(&question.view, -1)) {
        (qty, ceiling) if qty <= ceiling => Ok(()),
        (qty, ceiling) => Err(format!("{qty} > {ceiling}")),
    };
    let name = "orders stay below the ceiling";
    engine.set_function(Role::Invariant(Severity::Blocker), name, Arc::new(holds));
    let refused = world.propose("orders", qty(2500));
    assert!(told(&refused.reports).contains("would not hold any more: 2500 > 2000"), "{}", told(&refused.reports));
    let both = Propose {
        changes: [("orders", qty(2500)), ("risk", values(&[("ceiling", "3000")]))]
            .map(|(sector, content)| SectorChange { sector: sector.into(), content })
            .into(),
        ..Propose::of("orders", qty(1), "ops-1", "together")
    };
    let together = engine.propose(&both).unwrap();
    assert_eq!(together.state, State::Enacted, "{}", told(&together.reports));
    // In the place of the one of that name; a warning lets it pass.
    engine.set_function(Role::Invariant(Severity::Warning), name, Arc::new(holds));
    let warned = world.propose("orders", qty(3500));
    assert_eq!(warned.state, State::Enacted);
    assert!(told(&warned.reports).contains("3500 > 3000"), "{}", told(&warned.reports));
    let condition = CrossInvariant::of_condition(name, Severity::Blocker, "after[\"orders/max_qty\"] < 100").unwrap();
    engine.set_invariant(condition);
    assert_eq!(world.propose("orders", qty(200)).state, State::Refused);
    assert!(engine.unset(Hook::Invariant(name)));
    assert_eq!(world.propose("orders", qty(200)).state, State::Enacted);
}

#[test]
fn a_test_of_a_shadow_asks_a_function_by_its_name() {
    let world = World::new();
    let function = below(&world);
    world.govern(
        "shadow",
        json!({ "changes": [{ "sector": "orders", "content": { "values": [["max_qty", "2600"]] } }] }),
    );
    let test = json!({ "id": "s-1", "tests": [
        { "name": "hedged", "severity": "blocker", "assertion": { "function": { "name": "below" } } },
        { "name": "sound", "severity": "blocker", "assertion": "no_conflicts" },
    ] });
    let failed = |answer: &Value| answer["results"][0]["report"]["outcomes"][0]["failed"].clone();
    let without = failed(&world.govern("shadow_test", test.clone()));
    assert!(without.as_str().unwrap().starts_with("there is no function \"below\""), "{without}");
    world.engine().set_function(Role::Test, "below", function.function());
    assert_eq!(failed(&world.govern("shadow_test", test.clone())), "2600 lots are too many");
    let asked = function.last();
    assert_eq!((&asked["kind"], &asked["shadow"]), (&json!("test"), &json!("s-1")));
    assert_eq!(asked["differences"][0]["summary"], "max_qty 1000 → 2600");
    assert_eq!(world.engine().shadows().unwrap().len(), 1, "what came of it is kept, and read back");
    assert!(world.engine().unset(Hook::Test("below")));
}

#[test]
fn work_that_cannot_be_done_or_measures_itself_is_told() {
    let world = World::new();
    let engine = world.engine();
    engine.set_workload("orders", Workload::timed("decide", |_, _| Err("the desk is closed".into())));
    let refused = world.propose("orders", qty(1100));
    assert!(told(&refused.reports).contains("measurement decide: it could not be measured: the desk is closed"));
    let max_qty = below(&world).max_qty;
    // As slow as there are lots, by its own account.
    let slow = move |view: &knhk_engine::Hold, times: u64| {
        Ok(std::time::Duration::from_nanos(times * max_qty.get(view, 0) as u64))
    };
    engine.set_workload("orders", Workload::timed("decide", slow));
    let refused = world.propose("orders", qty(5000));
    assert!(told(&refused.reports).contains("measurement decide: 400.0 % slower"), "{}", told(&refused.reports));
    assert_eq!(world.propose("orders", qty(900)).state, State::Enacted);
    assert!(engine.unset(Hook::Workload("orders", "decide")) && !engine.unset(Hook::Workload("quotes", "decide")));
    assert_eq!(world.propose("orders", qty(5000)).state, State::Enacted);
}

#[test]
fn what_was_registered_ends_with_the_engine() {
    struct Ends(Arc<AtomicUsize>);
    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let (world, ended) = (World::new(), Arc::new(AtomicUsize::new(0)));
    for role in [Role::Rule, Role::Test, Role::Invariant(Severity::Info)] {
        let ends = Ends(ended.clone());
        world.engine().set_function(
            role,
            "it",
            Arc::new(move |_: &Question| {
                assert!(Arc::strong_count(&ends.0) > 0);
                Ok(())
            }),
        );
    }
    let still = world.engine().clone();
    world.engine().close();
    assert_eq!(ended.load(Ordering::SeqCst), 3, "though somebody still looks at the engine");
    drop(still);
}

#[test]
fn whoever_watches_hears_of_each_stage_and_may_stop_the_rest() {
    let world = World::new();
    let asked = Propose::of("orders", qty(1100), "ops-1", "watched");
    let (seen, stop) = (Mutex::new(Vec::new()), Stop::new());
    let progress = |now: Progress<'_>| {
        assert_eq!(now.sector, "orders");
        seen.lock().unwrap().push((now.stage, now.ended.map(|report| report.verdict)));
    };
    let reports = world.engine().check_watched(&asked, Watch { progress: &progress, stop: &stop }).unwrap();
    assert_eq!(reports[0].verdict, Verdict::Passed);
    let ended = seen.lock().unwrap().iter().filter(|(_, verdict)| *verdict == Some(Verdict::Passed)).count();
    assert_eq!((ended, seen.lock().unwrap().len()), (7, 14));
    // Guards and invariants come last: stopped as the first of them ends, the other one does not judge.
    let until = |now: Progress<'_>| {
        if now.stage == knhk_engine::governance::Stage::Guards && now.ended.is_some() {
            stop.ask();
        }
    };
    let stopped = world.engine().propose_watched(&asked, Watch { progress: &until, stop: &stop }).unwrap();
    assert_eq!(stopped.state, State::Refused);
    assert!(stopped.said.ends_with("refused by invariants"), "{}", stopped.said);
    assert_eq!(world.read("max_qty"), 1000);
}

#[test]
fn what_programs_could_not_read_is_refused_by_what_says_so_alone() {
    let world = World::new();
    let refused = world.propose("orders", qty(9000));
    assert_eq!(refused.state, State::Refused);
    let of = |verdict| {
        let stages = refused.reports[0].stages.iter().filter(|stage| stage.verdict == verdict);
        stages.map(|stage| stage.stage.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(of(Verdict::NotJudged), ["doctrine", "guards", "performance", "rollback", "compatibility"]);
    assert_eq!((of(Verdict::Passed), of(Verdict::Refused)), (vec!["schema"], vec!["invariants"]));
    let text = told(&refused.reports);
    assert!(text.contains("programs could not read it") && text.contains("9000"), "{text}");
}
