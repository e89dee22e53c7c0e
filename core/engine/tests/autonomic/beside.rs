//! Proposers are asked beside the turns: whoever is slow holds up nothing but its own cycle, and whoever calls back waits for nobody.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use knhk_engine::autonomic::{
    Custom, Cycle, CycleOutcome, CycleQuery, CycleState, HookInfo, PatternQuery, Phase, Plan, PlanError, Proposer,
    Question, ReplaySpan, Sample, Score, Setting, Settings, When,
};
use knhk_engine::control::Content;
use knhk_engine::governance::Propose;
use knhk_engine::{Engine, Status};
use knhk_resilience::Random;
use knhk_warm::Clock;
use serde_json::json;

use crate::traffic::{Gateway, Second, USUAL, by_hand, options};

const FAILING: Second = Second { failing: 0.35, ..USUAL };
const SLOW: Second = Second { slower: 4.0, ..USUAL };

/// Turns by the job of the engine, and proposers that may take as long as they like.
fn going_round(proposers: &[&str]) -> Settings {
    let proposers = proposers.iter().map(|name| (*name).to_owned()).collect();
    Settings { every_ms: 10, deadline_ms: 600_000, cooldown_s: 0, proposers, ..Settings::default() }
}

/// Answers when it is told what.
struct Slow {
    asked: Mutex<Sender<String>>,
    answers: Mutex<Receiver<Option<i64>>>,
}

impl Slow {
    /// Gives what hears that it is asked, and what has it answer.
    fn added(engine: &Engine) -> (Receiver<String>, Sender<Option<i64>>) {
        let ((asked, heard), (answer, answers)) = (channel(), channel());
        engine.add_proposer(Arc::new(Slow { asked: Mutex::new(asked), answers: Mutex::new(answers) })).unwrap();
        (heard, answer)
    }
}

impl Proposer for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    fn propose(&self, question: &Question) -> Result<Option<Plan>, PlanError> {
        _ = self.asked.lock().unwrap().send(question.pattern.watch.clone());
        let answer = self.answers.lock().unwrap().recv().ok().flatten();
        Ok(answer.map(|value| {
            let changes = vec![Setting { path: "concurrency".into(), value: json!(value) }];
            Plan { changes, why: "slow: it was thought about".into(), confidence: 0.9 }
        }))
    }
}

/// Hears of turns that have looked.
struct Turns(Receiver<HookInfo>);

impl Turns {
    fn of(engine: &Engine) -> Turns {
        let (say, heard) = channel();
        let hook = move |info: &HookInfo| _ = say.send(info.clone());
        engine.add_hook(Phase::Analyze, When::After, Arc::new(hook)).unwrap();
        Turns(heard)
    }

    /// Waits until a turn has looked at all that was before now, and is over.
    fn after(&self, gateway: &Gateway) {
        let now_ns = gateway.world.clock.now_ns();
        let looked = self.0.iter().find(|info| info.now_ns >= now_ns).unwrap();
        _ = self.0.iter().find(|info| info.turn > looked.turn).unwrap();
    }
}

fn open_cycles(engine: &Engine) -> Vec<Cycle> {
    engine.cycles(&CycleQuery { open: true, ..CycleQuery::default() }).unwrap()
}

fn ends(engine: &Engine) -> Receiver<Cycle> {
    let (say, heard) = channel();
    let hook = move |info: &HookInfo| info.cycle.iter().for_each(|cycle| _ = say.send(cycle.clone()));
    engine.add_hook(Phase::Learn, When::After, Arc::new(hook)).unwrap();
    heard
}

#[test]
fn turns_go_on_while_somebody_is_asked_and_take_up_what_was_said() {
    for seed in 0..4 {
        let mut gateway = Gateway::new(seed, 0, by_hand());
        gateway.seconds(60, USUAL);
        let (asked, answer) = Slow::added(gateway.engine());
        let (turns, ended) = (Turns::of(gateway.engine()), ends(gateway.engine()));
        gateway.engine().start_loop(going_round(&["slow", "rule"])).unwrap();
        gateway.traffic(FAILING);
        assert_eq!(asked.recv().unwrap(), "Errors");
        turns.after(&gateway);
        let random = Random::new(seed);
        for _ in 0..5 + seed {
            gateway.traffic([USUAL, FAILING, Second { mistyped: 0.2, ..USUAL }][(random.unit() * 3.0) as usize % 3]);
            turns.after(&gateway);
            let [cycle] = &open_cycles(gateway.engine())[..] else { panic!("one cycle of a sector at a time") };
            assert_eq!((cycle.id.as_str(), cycle.state), ("l-1", CycleState::Detected), "{cycle:#?}");
            assert_eq!((cycle.proposer.as_deref(), cycle.said.as_str()), (Some("slow"), "slow is asked"));
        }
        gateway.traffic(SLOW);
        turns.after(&gateway);
        let found = gateway.engine().patterns(&PatternQuery::default()).unwrap();
        let other = found.iter().find(|one| one.pattern.watch == "Latency").expect("it is looked on");
        assert_eq!(other.cycle, None, "the sector is busy");
        assert!(asked.try_recv().is_err(), "nobody is asked twice about the same");
        answer.send(Some(50)).unwrap();
        let cycle = ended.recv().unwrap();
        assert_eq!((cycle.id.as_str(), cycle.outcome), ("l-1", Some(CycleOutcome::Kept)), "{}", cycle.said);
        assert_eq!(gateway.value("concurrency"), json!(50));
        drop(answer);
        gateway.engine().stop_loop().unwrap();
        let replayed = gateway.engine().replay(&ReplaySpan::default()).unwrap();
        assert!(replayed.equal && replayed.decisions >= 1, "{replayed:#?}");
    }
}

#[test]
fn the_next_proposer_is_asked_after_the_answer() {
    let mut gateway = Gateway::new(5, 0, by_hand());
    let (_asked, answer) = Slow::added(gateway.engine());
    gateway.engine().start_loop(Settings { every_ms: 0, ..going_round(&["slow", "slow", "rule"]) }).unwrap();
    gateway.seconds(60, USUAL);
    answer.send(None).unwrap();
    answer.send(Some(5000)).unwrap();
    let cycle = gateway.second(FAILING).remove(0);
    assert_eq!((cycle.proposer.as_deref(), cycle.outcome), (Some("rule"), Some(CycleOutcome::Kept)), "{}", cycle.said);
    assert_eq!(cycle.pattern.watch, "Errors");
}

#[test]
fn the_end_of_the_loop_interrupts_who_is_asked_and_what_lasts_is_found_anew() {
    let mut gateway = Gateway::new(1, 0, by_hand());
    gateway.seconds(60, USUAL);
    let (asked, answer) = Slow::added(gateway.engine());
    gateway.engine().start_loop(going_round(&["slow"])).unwrap();
    gateway.traffic(FAILING);
    asked.recv().unwrap();
    gateway.engine().stop_loop().unwrap();
    assert_eq!(open_cycles(gateway.engine())[0].state, CycleState::Detected);
    // Whoever goes on finds the same again.
    let by_rule = Settings { every_ms: 0, ..going_round(&["rule"]) };
    gateway.engine().start_loop(by_rule.clone()).unwrap();
    let ended = gateway.engine().loop_step().unwrap().remove(0);
    assert_eq!((ended.id.as_str(), ended.outcome), ("l-1", Some(CycleOutcome::Interrupted)), "{}", ended.said);
    let again = gateway.second(FAILING).remove(0);
    assert_eq!((again.id.as_str(), again.outcome), ("l-2", Some(CycleOutcome::Kept)), "{}", again.said);
    // The same where the engine is closed, and the answer comes after that.
    gateway.engine().start_loop(going_round(&["slow"])).unwrap();
    gateway.traffic(Second { failing: 0.9, ..USUAL });
    answer.send(Some(60)).unwrap();
    asked.recv().unwrap();
    gateway.reopen(by_rule);
    drop(answer);
    let cycles = gateway.seconds(2, USUAL);
    assert!(open_cycles(gateway.engine()).is_empty(), "{cycles:#?}");
}

/// Waits for an engine when it is called first, does something with it, and says what came of that.
struct Calls(Mutex<Option<Receiver<Engine>>>, fn(Engine) -> Vec<Status>, Sender<Vec<Status>>);

impl Calls {
    fn call(&self) {
        let given = self.0.lock().unwrap().take();
        if let Some(Ok(engine)) = given.map(|given| given.recv()) {
            let statuses = (self.1)(engine);
            _ = self.2.send(statuses);
        }
    }
}

impl Proposer for Calls {
    fn name(&self) -> &str {
        "calls"
    }

    fn propose(&self, _: &Question) -> Result<Option<Plan>, PlanError> {
        self.call();
        Ok(None)
    }
}

struct Detects(Arc<Calls>);

impl Custom for Detects {
    fn observe(&mut self, sample: &Sample) -> Result<Option<Score>, String> {
        self.0.call();
        let confidence = if sample.counts.count > 0 { 0.999 } else { 0.0 };
        Ok(Some(Score { statistic: 1.0, confidence, expected: 0.0 }))
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum As {
    Proposer,
    Detector,
    Hook,
}

/// A gateway with a callback that is going to do something with the engine it is given, and what says what came of it.
fn calling(of: As, does: fn(Engine) -> Vec<Status>) -> (Gateway, Sender<Engine>, Receiver<Vec<Status>>) {
    let mut gateway = Gateway::new(1, 0, by_hand());
    gateway.seconds(3, USUAL);
    let ((give, given), (say, heard)) = (channel(), channel());
    let calls = Arc::new(Calls(Mutex::new(Some(given)), does, say));
    let engine = gateway.engine();
    match of {
        As::Proposer => engine.add_proposer(calls.clone()).unwrap(),
        As::Detector => {}
        As::Hook => {
            let hook = calls.clone();
            _ = engine.add_hook(Phase::Monitor, When::After, Arc::new(move |_| hook.call())).unwrap();
        }
    }
    let detector = Arc::new(Calls(Mutex::default(), does, channel().0));
    let detector = if of == As::Detector { calls } else { detector };
    let make = move |_: &str, _: &str| Box::new(Detects(detector.clone())) as Box<dyn Custom>;
    engine.add_detector("calls", Arc::new(make)).unwrap();
    let added = r#"@prefix : <urn:knhk:gateway:> . @prefix k: <urn:knhk:core:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        :Calls a k:Watch ; k:watches :Served ; k:detector "callback:calls" ; k:sample 1 ; k:confidence 0.9 ; rdfs:comment "Always." ."#;
    let change = Content::Change { removed: String::new(), added: added.into(), format: "turtle".into() };
    let proposal = engine.propose(&Propose::of("gateway", change, "ops-1", "one more watch")).unwrap();
    assert_eq!(proposal.state.as_str(), "enacted", "{}", crate::world::told(&proposal.reports));
    engine.start_loop(going_round(&["calls"])).unwrap();
    (gateway, give, heard)
}

fn loop_verbs(engine: Engine) -> Vec<Status> {
    let status = |result: Result<(), knhk_engine::Error>| result.unwrap_err().status();
    engine.loop_status();
    engine.cycles(&CycleQuery::default()).unwrap();
    vec![
        status(engine.loop_step().map(drop)),
        status(engine.start_loop(Settings::default())),
        status(engine.stop_loop()),
        status(engine.govern("loop_step", json!({})).map(drop)),
        status(engine.import_knowledge(&json!({})).map(drop)),
    ]
}

#[test]
fn a_callback_that_steps_or_stops_its_loop_is_refused_at_once() {
    for of in [As::Proposer, As::Detector, As::Hook] {
        let (mut gateway, give, heard) = calling(of, loop_verbs);
        gateway.traffic(USUAL);
        give.send(gateway.engine().clone()).unwrap();
        assert_eq!(heard.recv().unwrap(), [Status::Busy; 5], "{of:?}");
        // Another engine's loop is none of it.
        let other = Gateway::new(2, 0, by_hand());
        other.engine().loop_step().unwrap();
    }
}

#[test]
fn a_callback_may_close_its_engine_and_may_be_the_last_that_holds_it() {
    let closes = |engine: Engine| {
        engine.close();
        vec![engine.loop_step().unwrap_err().status()]
    };
    let drops = |engine: Engine| {
        drop(engine);
        Vec::new()
    };
    for of in [As::Proposer, As::Detector, As::Hook] {
        let (mut gateway, give, heard) = calling(of, closes);
        gateway.traffic(USUAL);
        give.send(gateway.engine().clone()).unwrap();
        assert_eq!(heard.recv().unwrap(), [Status::Closed], "{of:?}");
        gateway.close();

        let (mut gateway, give, heard) = calling(of, drops);
        gateway.traffic(USUAL);
        give.send(gateway.let_go()).unwrap();
        assert_eq!(heard.recv().unwrap(), [], "{of:?}");
        let engine = Engine::open(gateway.world.location(), options(&gateway.world)).expect("the folder is free");
        engine.close();
    }
}
