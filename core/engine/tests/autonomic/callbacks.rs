//! Hooks, proposers and detectors of the program: in order, in time, and never in the way.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use knhk_engine::Status;
use knhk_engine::autonomic::{
    Custom, CycleOutcome, HookInfo, Phase, Plan, PlanError, Proposer, Question, Sample, Score, Setting, Settings, When,
};
use knhk_engine::control::Content;
use knhk_engine::governance::Propose;
use serde_json::json;

use crate::traffic::{Gateway, Second, USUAL, by_hand};

const FAILING: Second = Second { failing: 0.35, ..USUAL };

struct Says(&'static str, fn(&Question) -> Result<Option<Plan>, PlanError>);

impl Proposer for Says {
    fn name(&self) -> &str {
        self.0
    }

    fn propose(&self, question: &Question) -> Result<Option<Plan>, PlanError> {
        self.1(question)
    }
}

fn set(value: i64) -> Plan {
    let changes = vec![Setting { path: "concurrency".into(), value: json!(value) }];
    Plan { changes, why: "the program knows".into(), confidence: 0.9 }
}

fn asking(proposers: &[&str]) -> Settings {
    Settings { proposers: proposers.iter().map(|name| (*name).to_owned()).collect(), ..by_hand() }
}

#[test]
fn proposers_are_asked_in_order_until_one_knows() {
    let mut gateway = Gateway::new(1, 0, asking(&["absent", "panics", "fails", "wild", "knows", "rule"]));
    let engine = gateway.engine();
    let add = |name, say| engine.add_proposer(Arc::new(Says(name, say))).unwrap();
    add("panics", |_| panic!("the program's fault"));
    add("fails", |_| Err(PlanError { proposer: "fails".into(), why: "no idea today".into() }));
    add("wild", |_| Ok(Some(set(500))));
    add("knows", |question| {
        let mut named = question.parameters.iter().take(4).map(|one| one.path.as_str());
        assert!(named.any(|path| path == "concurrency"), "what is watched comes first");
        assert!(
            question.parameters.iter().all(|one| one.path != "failures"),
            "an objective's limit is not to be moved"
        );
        Ok(Some(set(50)))
    });
    let again = engine.add_proposer(Arc::new(Says("knows", |_| Ok(None)))).unwrap_err();
    assert_eq!(again.status(), Status::AlreadyExists);
    assert_eq!(
        engine.add_proposer(Arc::new(Says("rule", |_| Ok(None)))).unwrap_err().status(),
        Status::InvalidArgument
    );
    gateway.seconds(60, USUAL);
    let cycle = gateway.second(FAILING).remove(0);
    assert_eq!((cycle.proposer.as_deref(), cycle.outcome), (Some("knows"), Some(CycleOutcome::Kept)), "{}", cycle.said);
    assert_eq!(gateway.value("concurrency"), json!(50));
    assert!(gateway.engine().remove_proposer("knows") && !gateway.engine().remove_proposer("knows"));
}

#[test]
fn where_nobody_knows_it_is_said_who_was_asked() {
    let mut gateway = Gateway::new(1, 0, asking(&["wild", "late"]));
    gateway.engine().add_proposer(Arc::new(Says("wild", |_| Ok(Some(set(500)))))).unwrap();
    let (release, held) = channel::<()>();
    gateway.engine().add_proposer(Arc::new(Late(Mutex::new(held)))).unwrap();
    gateway.engine().start_loop(Settings { deadline_ms: 50, ..asking(&["wild", "late"]) }).unwrap();
    gateway.seconds(60, USUAL);
    let cycle = gateway.second(FAILING).remove(0);
    assert_eq!(cycle.outcome, Some(CycleOutcome::NoPlan));
    assert!(
        cycle.said.contains("wild says what it may not: concurrency: 500 is more than 50 % away"),
        "{}",
        cycle.said
    );
    assert!(cycle.said.ends_with("late: it took more than 50 ms"), "{}", cycle.said);
    drop(release);
}

/// Answers when it is let go.
struct Late(Mutex<Receiver<()>>);

impl Proposer for Late {
    fn name(&self) -> &str {
        "late"
    }

    fn propose(&self, _: &Question) -> Result<Option<Plan>, PlanError> {
        _ = self.0.lock().unwrap().recv();
        Ok(None)
    }
}

/// Finds more than so many records in a sample.
struct Crowd(u64);

impl Custom for Crowd {
    fn observe(&mut self, sample: &Sample) -> Result<Option<Score>, String> {
        if sample.counts.count == 0 {
            return Err("nothing to count".into());
        }
        let (count, most) = (sample.counts.count, self.0);
        let confidence = if count > most { 0.999_999 } else { 0.0 };
        Ok(Some(Score { statistic: count as f64, confidence, expected: most as f64 }))
    }
}

#[test]
fn a_watch_can_be_by_a_detector_of_the_program() {
    let mut gateway = Gateway::new(1, 0, by_hand());
    let engine = gateway.engine();
    let make = |sector: &str, watch: &str| -> Box<dyn Custom> {
        assert_eq!((sector, watch), ("gateway", "Crowded"));
        Box::new(Crowd(300))
    };
    engine.add_detector("crowd", Arc::new(make)).unwrap();
    let added = r#"@prefix : <urn:knhk:gateway:> . @prefix k: <urn:knhk:core:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        :Crowded a k:Watch ; k:watches :Served ; k:detector "callback:crowd" ; k:sample 1 ; k:confidence 0.99 ; rdfs:comment "Too many at once." .
        :Close a k:Remedy ; k:when :Crowded ; k:moves :strict ; k:to true ; rdfs:comment "Let nobody else in." ."#;
    let change = Content::Change { removed: String::new(), added: added.into(), format: "turtle".into() };
    let proposal = engine.propose(&Propose::of("gateway", change, "ops-1", "watch for crowds")).unwrap();
    assert_eq!(proposal.state.as_str(), "enacted", "{}", crate::world::told(&proposal.reports));
    gateway.seconds(30, USUAL);
    let cycles = gateway.second(Second { rate: 400.0, ..USUAL });
    let crowded = cycles.iter().find(|cycle| cycle.pattern.watch == "Crowded").unwrap();
    assert_eq!((crowded.pattern.detector.as_str(), crowded.pattern.expected), ("callback:crowd", 300.0));
    assert_eq!((crowded.outcome, gateway.value("strict")), (Some(CycleOutcome::Kept), json!(true)), "{}", crowded.said);
    gateway.second(Second { rate: 0.0, ..USUAL });
    assert!(gateway.engine().remove_detector("crowd") && !gateway.engine().remove_detector("crowd"));
}

#[test]
fn hooks_hear_of_every_phase_in_order() {
    let mut gateway = Gateway::new(1, 0, by_hand());
    gateway.seconds(60, USUAL);
    let (say, heard): (Sender<(u32, HookInfo)>, _) = channel();
    for phase in [Phase::Learn, Phase::Execute, Phase::Plan, Phase::Analyze, Phase::Monitor] {
        for when in [When::After, When::Before] {
            for order in [1, 2] {
                let say = say.clone();
                let hook = move |info: &HookInfo| say.send((order, info.clone())).unwrap();
                gateway.engine().add_hook(phase, when, Arc::new(hook)).unwrap();
            }
        }
    }
    gateway.engine().add_hook(Phase::Monitor, When::Before, Arc::new(|_| panic!("the program's fault"))).unwrap();
    gateway.second(FAILING);
    let mut phases = Vec::new();
    let end = loop {
        let (first, second) = (heard.recv().unwrap(), heard.recv().unwrap());
        assert_eq!((first.0, second.0, &first.1), (1, 2, &second.1), "in the order of registration");
        phases.push((first.1.phase, first.1.when));
        if (first.1.phase, first.1.when) == (Phase::Execute, When::After) {
            break first.1;
        }
    };
    use {Phase::*, When::*};
    let monitored = [(Monitor, Before), (Monitor, After), (Analyze, Before)];
    let planned = [(Plan, Before), (Plan, After), (Analyze, After)];
    let done = [(Execute, Before), (Learn, Before), (Learn, After), (Execute, After)];
    assert_eq!(phases, [&monitored[..], &planned, &done].concat());
    assert_eq!(end.cycle.unwrap().outcome, Some(CycleOutcome::Kept));
}

#[test]
fn a_hook_that_never_returns_stops_nothing() {
    let mut gateway = Gateway::new(1, 0, by_hand());
    let (release, held) = channel::<()>();
    let held = Mutex::new(held);
    let stuck =
        gateway.engine().add_hook(Phase::Monitor, When::Before, Arc::new(move |_| _ = held.lock().unwrap().recv()));
    gateway.seconds(400, Second { rate: 1.0, ..USUAL });
    let status = gateway.engine().loop_status();
    assert!(status.turns >= 400 && status.hooks_skipped >= 400 - 257, "{status:?}");
    drop(release);
    assert!(gateway.engine().remove_hook(stuck.unwrap()));
}

/// Hears of each turn that has looked at the samples.
fn turns(gateway: &Gateway) -> Receiver<()> {
    let (say, heard) = channel();
    gateway.engine().add_hook(Phase::Analyze, When::After, Arc::new(move |_| _ = say.send(()))).unwrap();
    heard
}

#[test]
fn a_thread_goes_round_by_itself_until_it_is_stopped() {
    let mut gateway = Gateway::new(1, 0, by_hand());
    let (say, heard) = channel();
    let hook = move |info: &HookInfo| _ = say.send(info.cycle.clone());
    gateway.engine().add_hook(Phase::Learn, When::After, Arc::new(hook)).unwrap();
    let begun = turns(&gateway);
    gateway.engine().start_loop(Settings { every_ms: 10, ..by_hand() }).unwrap();
    assert!(gateway.engine().loop_status().running);
    begun.recv().unwrap();
    (0..60).for_each(|_| gateway.traffic(USUAL));
    gateway.traffic(FAILING);
    let cycle = heard.recv().unwrap().expect("what is learned is learned of a cycle");
    assert_eq!((cycle.pattern.watch.as_str(), cycle.outcome), ("Errors", Some(CycleOutcome::Kept)), "{}", cycle.said);
    gateway.engine().stop_loop().unwrap();
    let status = gateway.engine().loop_status();
    assert!(!status.running && status.turns > 0 && status.failed.is_none(), "{status:?}");
    gateway.engine().stop_loop().unwrap();
    assert_eq!(gateway.engine().loop_status().turns, status.turns, "no turn comes any more");
}
