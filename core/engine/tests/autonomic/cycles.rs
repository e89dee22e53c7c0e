//! The life of a cycle: waiting for a person, probation, caps, restarts.

use knhk_engine::Status;
use knhk_engine::autonomic::{CycleOutcome, CycleState, Settings};
use serde_json::json;

use crate::traffic::{Gateway, Second, USUAL, by_hand};

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
