//! The life of a cycle: waiting for a person, probation, caps, restarts.

use std::time::Duration;

use knhk_engine::autonomic::{CycleOutcome, CycleState, Settings};
use knhk_engine::{Engine, Format, Observed, Origin, Outcome, ReaderOptions, SectorKind, Status};
use knhk_warm::Clock;
use serde_json::json;

use crate::traffic::{Gateway, Second, USUAL, by_hand, options};
use crate::world::World;

const FAILING: Second = Second { failing: 0.35, ..USUAL };

#[test]
fn a_large_change_waits_for_a_person() {
    let mut gateway = Gateway::new(1, 0, Settings { confirm_above: Some(0.2), ..by_hand() });
    gateway.seconds(60, USUAL);
    let cycle = gateway.second(FAILING).remove(0);
    assert_eq!((cycle.state, gateway.value("concurrency")), (CycleState::Waiting, json!(64)), "{}", cycle.said);
    gateway.engine().enact(cycle.proposal.as_ref().unwrap(), "ops-1").unwrap();
    let touched = gateway.second(USUAL);
    assert_eq!((touched[0].id.clone(), touched[0].outcome), (cycle.id, Some(CycleOutcome::Kept)));
    assert_eq!(gateway.value("concurrency"), json!(38));
}

#[test]
fn what_a_person_withdraws_is_refused_and_that_is_learned() {
    let mut gateway = Gateway::new(2, 0, Settings { confirm_above: Some(0.0), cooldown_s: 0, ..by_hand() });
    gateway.seconds(60, USUAL);
    let cycle = gateway.second(FAILING).remove(0);
    gateway.engine().withdraw(cycle.proposal.as_ref().unwrap(), "ops-1", "not today").unwrap();
    let touched = gateway.second(USUAL);
    assert_eq!(touched[0].outcome, Some(CycleOutcome::Refused));
    let knowledge = gateway.engine().knowledge(Some("gateway")).unwrap();
    assert_eq!(knowledge["watches"]["gateway/Errors"]["refused"], 1);
    assert_eq!(knowledge["refusals"], json!(["person ops-1 (1 times): not today"]));
}

#[test]
fn probation_decides_whether_it_is_kept() {
    let mut gateway = Gateway::new(3, 10, by_hand());
    gateway.seconds(60, USUAL);
    let cycle = gateway.second(FAILING).remove(0);
    assert_eq!((cycle.state, gateway.value("concurrency")), (CycleState::Watching, json!(38)), "{}", cycle.said);
    let kept = gateway.seconds(12, USUAL);
    assert_eq!(kept.last().map(|cycle| cycle.outcome), Some(Some(CycleOutcome::Kept)), "{kept:#?}");

    // After the pause, it fails again, and more than the objective allows while the change is on probation.
    gateway.seconds(15, USUAL);
    let cycle = gateway.second(FAILING).remove(0);
    assert_eq!((cycle.state, gateway.value("concurrency")), (CycleState::Watching, json!(22)), "{}", cycle.said);
    let back = gateway.seconds(3, Second { failing: 0.9, ..USUAL });
    let back = back.iter().find(|one| one.id == cycle.id).unwrap();
    assert_eq!((back.outcome, gateway.value("concurrency")), (Some(CycleOutcome::RolledBack), json!(38)));
    let knowledge = gateway.engine().knowledge(None).unwrap();
    let of = &knowledge["rules"]["LowerOnErrors"];
    assert_eq!((&of["kept"], &of["rolled_back"], &of["rate"]), (&json!(1), &json!(1), &json!(0.5)));
}

#[test]
fn the_rate_of_changes_is_capped_by_name() {
    let settings = Settings { changes_per_hour: 1, cooldown_s: 0, ..by_hand() };
    let mut gateway = Gateway::new(4, 0, settings);
    gateway.seconds(60, USUAL);
    assert_eq!(gateway.second(FAILING)[0].outcome, Some(CycleOutcome::Kept));
    gateway.seconds(30, USUAL);
    let second = gateway.second(Second { failing: 0.9, ..USUAL }).remove(0);
    assert_eq!(second.outcome, Some(CycleOutcome::Refused));
    assert!(second.said.starts_with("changes_per_hour"), "{}", second.said);
    assert_eq!(gateway.value("concurrency"), json!(38));
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let mut gateway = Gateway::new(5, 10, by_hand());
    gateway.seconds(60, USUAL);
    let samples = |gateway: &Gateway| gateway.engine().loop_status().watches[0].samples;
    let before = samples(&gateway);
    gateway.reopen(by_hand());
    let cycle = gateway.second(FAILING).remove(0);
    assert_eq!((samples(&gateway), cycle.state), (before + 1, CycleState::Watching), "{}", cycle.said);
    gateway.reopen(by_hand());
    let kept = gateway.seconds(12, USUAL);
    assert_eq!(kept.last().map(|cycle| (cycle.id.clone(), cycle.outcome)), Some((cycle.id, Some(CycleOutcome::Kept))));
    assert_eq!(gateway.engine().knowledge(None).unwrap()["proposers"]["rule"]["kept"], 1);
}

#[test]
fn knowledge_travels() {
    let mut gateway = Gateway::new(6, 0, by_hand());
    gateway.seconds(60, USUAL);
    gateway.second(FAILING);
    let exported = gateway.world.govern("export_knowledge", json!({}));
    let mut other = Gateway::new(6, 0, by_hand());
    assert_eq!(other.world.govern("import_knowledge", exported.clone()), json!({"imported": 1}));
    assert_eq!(other.world.govern("export_knowledge", json!({})), exported);
    other.reopen(by_hand());
    assert_eq!(other.world.govern("export_knowledge", json!({})), exported, "it is kept");
    other.engine().stop_loop().unwrap();
    assert_eq!(
        other.world.govern("knowledge", json!({}))["proposers"]["rule"]["kept"],
        1,
        "and there while nothing runs"
    );
    let refused = other.engine().import_knowledge(&json!({"watches": 7})).unwrap_err();
    assert_eq!(refused.status(), Status::InvalidArgument);
    assert_eq!(other.engine().loop_step().unwrap_err().status(), Status::NotReady);
}

#[test]
fn a_direct_sector_is_changed_through_the_pipeline_too() {
    let mut gateway = Gateway::of(SectorKind::Direct, 8, 0, by_hand());
    gateway.seconds(60, USUAL);
    let cycle = gateway.second(FAILING).remove(0);
    assert_eq!((cycle.outcome, gateway.value("concurrency")), (Some(CycleOutcome::Kept), json!(38)), "{}", cycle.said);
    assert_eq!(gateway.engine().proposal(cycle.proposal.as_ref().unwrap()).unwrap().reports[0].stages.len(), 7);
}

const ORDERS: &str = r#"
    @prefix : <urn:knhk:desk:> . @prefix k: <urn:knhk:core:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
    :max_qty k:value 1000 ; k:min 1 ; k:max 5000 ; k:unit "lots" .
    :Checked a k:ObservationKind ; k:valueType "i64" ; k:unit "lots" ; k:concerns :max_qty ; k:min 1 ; rdfs:comment "An order was checked." .
    :Rejects a k:Watch ; k:watches :Checked ; k:detector "error-ratio" ; k:sample 1 ; k:confidence 0.999999 ; rdfs:comment "More are refused." .
"#;

/// A second of 100 orders, of which every `large`th is for 1,400 lots and the others for up to 1,000.
fn orders(world: &World, engine: &Engine, large: i64) {
    let max_qty = engine.key::<i64>("desk", "max_qty").unwrap();
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    for n in 1..=100 {
        let quantity = if n % large == 0 { 1400 } else { 1 + n * 37 % 1000 };
        let view = reader.view();
        let outcome = if quantity <= max_qty.get(&view, 0) { Outcome::Success } else { Outcome::Rejected };
        let time_ns = Some(world.clock.now_ns() + n as u64);
        assert!(reader.observe(&view, Observed { time_ns, ..Observed::i64(max_qty.raw(), quantity, outcome) }));
    }
    world.clock.advance(Duration::from_secs(1));
}

#[test]
fn a_search_finds_the_limit_that_what_was_recorded_asks_for() {
    let mut world = World::empty();
    world.engine().close();
    let engine = Engine::open(world.location(), options(&world)).unwrap();
    engine.create_sector("desk", SectorKind::Direct).unwrap();
    engine.promote_rdf("desk", ORDERS.as_bytes(), Format::Turtle, Origin::default()).unwrap();
    engine.start_loop(Settings { proposers: vec!["search".into()], ..by_hand() }).unwrap();
    for _ in 0..40 {
        orders(&world, &engine, 100);
        assert!(engine.loop_step().unwrap().is_empty());
    }
    orders(&world, &engine, 3);
    let cycle = engine.loop_step().unwrap().remove(0);
    assert_eq!(
        (cycle.proposer.as_deref(), cycle.outcome),
        (Some("search"), Some(CycleOutcome::Kept)),
        "{}",
        cycle.said
    );
    let value = cycle.plan.unwrap().changes[0].value.as_i64().unwrap();
    assert!((1400..=1500).contains(&value), "{value}: large orders are admitted, and by no more than the step");
    assert!(engine.replay(&Default::default()).unwrap().equal);
    world.engine = Some(engine);
}

const UPSTREAM: &str = r#"
    @prefix : <urn:knhk:upstream:> . @prefix k: <urn:knhk:core:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
    :timeout_us k:value 5000 ; k:min 100 ; k:max 20000 ; k:unit "µs" .
    :Answered a k:ObservationKind ; k:valueType "i64" ; k:unit "µs" ; k:concerns :timeout_us ; k:min 0 ; rdfs:comment "It answered, or not in time." .
    :Slow a k:Watch ; k:watches :Answered ; k:detector "robust" ; k:measure "mean" ; k:sample 1 ; k:confidence 0.99999999 ;
        rdfs:comment "It takes longer." .
"#;

/// A second of 100 requests, which take these times; one in fifty takes for ever.
fn requests(world: &World, engine: &Engine, times: std::ops::Range<i64>) {
    let timeout = engine.key::<i64>("upstream", "timeout_us").unwrap();
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    for n in 1..=100 {
        let view = reader.view();
        let limit = timeout.get(&view, 0);
        let took = if n % 50 == 0 { limit + 1 } else { times.start + n * 37 % (times.end - times.start) };
        let outcome = if took <= limit { Outcome::Success } else { Outcome::Timeout };
        let time_ns = Some(world.clock.now_ns() + n as u64);
        assert!(reader.observe(&view, Observed { time_ns, ..Observed::i64(timeout.raw(), took, outcome) }));
    }
    world.clock.advance(Duration::from_secs(1));
}

#[test]
fn a_search_finds_the_time_out_that_keeps_what_is_slow_short() {
    let mut world = World::empty();
    world.engine().close();
    let engine = Engine::open(world.location(), options(&world)).unwrap();
    engine.create_sector("upstream", SectorKind::Direct).unwrap();
    engine.promote_rdf("upstream", UPSTREAM.as_bytes(), Format::Turtle, Origin::default()).unwrap();
    engine.start_loop(Settings { proposers: vec!["search".into()], ..by_hand() }).unwrap();
    for second in 0..40 {
        requests(&world, &engine, 500 + second % 5..1000);
        assert!(engine.loop_step().unwrap().is_empty());
    }
    requests(&world, &engine, 3000..5000);
    let cycle = engine.loop_step().unwrap().remove(0);
    assert_eq!(
        (cycle.proposer.as_deref(), cycle.outcome),
        (Some("search"), Some(CycleOutcome::Kept)),
        "{}",
        cycle.said
    );
    let value = cycle.plan.unwrap().changes[0].value.as_i64().unwrap();
    assert_eq!(value, 2500, "as short as the step allows");
    world.engine = Some(engine);
}
