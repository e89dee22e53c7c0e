//! Faults are found within one sample, what a remedy covers is promoted, and clean traffic is left alone.

use knhk_engine::autonomic::{CycleOutcome, CycleQuery, CycleState, PatternQuery};
use serde_json::json;

use crate::traffic::{Gateway, Second, USUAL, by_hand};

#[test]
fn each_fault_is_found_within_one_window_and_its_remedy_is_promoted() {
    let faults = [
        ("Errors", Second { failing: 0.4, ..USUAL }, "concurrency", json!(38)),
        ("Latency", Second { slower: 4.0, ..USUAL }, "timeout_ms", json!(560)),
        ("Traffic", Second { rate: 250.0, ..USUAL }, "admitted", json!(500)),
        ("Types", Second { mistyped: 0.4, ..USUAL }, "strict", json!(true)),
    ];
    for (seed, (watch, fault, path, value)) in (1..).zip(faults) {
        let mut gateway = Gateway::new(seed, 0, by_hand());
        let quiet = gateway.seconds(90, USUAL);
        assert!(quiet.is_empty(), "{watch}: {quiet:#?}");
        let cycles = gateway.second(fault);
        let cycle = cycles.iter().find(|cycle| cycle.pattern.watch == watch);
        let cycle = cycle.unwrap_or_else(|| panic!("{watch}: {cycles:#?}"));
        assert_eq!((cycle.state, cycle.outcome), (CycleState::Closed, Some(CycleOutcome::Kept)), "{}", cycle.said);
        assert_eq!((cycle.proposer.as_deref(), gateway.value(path)), (Some("rule"), value), "{watch}");
        // From the pattern to the change, each step has its receipt, and the pattern the observations that show it.
        let receipts: Vec<_> = cycle.receipts.iter().map(|id| gateway.engine().receipt(id).unwrap()).collect();
        let kinds: Vec<_> = receipts.iter().map(|receipt| receipt.kind.as_str()).collect();
        let wanted = ["pattern detected", "proposal generated", "validation executed", "snapshot promoted"];
        assert_eq!(kinds[..4], wanted);
        assert_eq!(kinds.last(), Some(&"loop cycle completed"));
        assert_eq!(receipts[1].links, cycle.receipts[..1]);
        let place = cycle.pattern.observations[0];
        let proven = gateway.engine().prove_observation(place.segment, place.index).unwrap();
        gateway.engine().verify_observation(&proven.record, &proven.proof).unwrap();
        let evidence = gateway.engine().receipt(&cycle.pattern.evidence[0]).unwrap();
        assert_eq!(evidence.kind, "observations ingested");
    }
}

#[test]
fn silence_is_found_and_answered() {
    let mut gateway = Gateway::new(7, 0, by_hand());
    gateway.seconds(90, USUAL);
    let cycles = gateway.seconds(3, Second { rate: 0.0, ..USUAL });
    let silence = cycles.iter().find(|cycle| cycle.pattern.watch == "Silence").expect("nothing came for 3 seconds");
    assert_eq!((silence.outcome, gateway.value("admitted")), (Some(CycleOutcome::Kept), json!(320)));
}

#[test]
fn an_hour_of_clean_traffic_gives_at_most_one_false_alarm() {
    let mut gateway = Gateway::new(11, 0, by_hand());
    for _ in 0..3600 {
        gateway.traffic(USUAL);
        // Several samples a turn, so that the disk is asked less often; the samples are the same.
        if knhk_warm::Clock::now_ns(&*gateway.world.clock).is_multiple_of(20 * crate::world::SECOND) {
            gateway.engine().loop_step().unwrap();
        }
    }
    let found = gateway.engine().patterns(&PatternQuery::default()).unwrap();
    assert!(found.len() <= 1, "{found:#?}");
    let samples: u64 = gateway.engine().loop_status().watches.iter().map(|watch| watch.samples).min().unwrap();
    assert!(samples > 3500, "{samples}");
}

#[test]
fn under_faults_cycles_end_in_a_promotion_or_a_named_refusal() {
    let mut gateway = Gateway::new(13, 5, by_hand());
    gateway.seconds(60, USUAL);
    let faults = [Second { failing: 0.3, ..USUAL }, Second { slower: 3.0, ..USUAL }, Second { rate: 200.0, ..USUAL }];
    for round in 0..12 {
        gateway.seconds(4, faults[round % faults.len()]);
        gateway.seconds(26, USUAL);
    }
    let cycles = gateway.engine().cycles(&CycleQuery { limit: Some(1000), ..CycleQuery::default() }).unwrap();
    let promoted = |cycle: &&knhk_engine::autonomic::Cycle| {
        matches!(cycle.outcome, Some(CycleOutcome::Kept | CycleOutcome::RolledBack))
    };
    let refused = |cycle: &&knhk_engine::autonomic::Cycle| {
        cycle.outcome == Some(CycleOutcome::Refused) && cycle.said.contains(':')
    };
    let (closed, good) = (
        cycles.iter().filter(|cycle| !cycle.is_open()).count(),
        cycles.iter().filter(promoted).count() + cycles.iter().filter(refused).count(),
    );
    assert!(cycles.len() >= 4 && closed + 1 >= cycles.len(), "{cycles:#?}");
    assert!(good * 100 > closed * 95, "{good} of {closed}: {cycles:#?}");
}
