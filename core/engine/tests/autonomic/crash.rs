//! kill -9 at any moment of the loop: after a restart every cycle is at the step that was kept, goes on from there, and none is lost or doubled.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use knhk_engine::autonomic::{
    CycleOutcome, CycleQuery, CycleState, PatternQuery, Plan, PlanError, Proposer, Question, ReplaySpan, Settings,
};
use knhk_engine::control::Content;
use knhk_engine::governance::{ProposalQuery, Propose};
use knhk_engine::{Engine, Observations, Observed, Options, Outcome, ReaderOptions, SectorKind, VerifyOptions};
use knhk_warm::{Clock, ManualClock};

use crate::traffic::GATEWAY;
use crate::world::{BEGIN_NS, SECOND};

const CHILD: &str = "KNHK_TEST_KILL_LOOP";

fn open(folder: &str, round: u64) -> (Engine, Arc<ManualClock>) {
    // Each life begins an hour later: no watch is cooling, and the rate cap is free.
    let clock = Arc::new(ManualClock::new(BEGIN_NS + round * 3600 * SECOND));
    let mut options = Options::default();
    options.time = Some(clock.clone());
    options.observations = Some(Observations::default());
    options.hot.ring_records = 4096;
    let engine = Engine::open(folder, options).unwrap();
    if engine.create_sector("gateway", SectorKind::Governed).is_ok() {
        let text = GATEWAY.replace("PROBATION", "0");
        let first = Content::Document { text, format: Some("turtle".into()) };
        let first = engine.propose(&Propose::of("gateway", first, "ops-1", "the first")).unwrap();
        assert_eq!(first.state.as_str(), "enacted", "{}", first.said);
    }
    engine.start_loop(Settings { every_ms: 0, cooldown_s: 0, changes_per_hour: 1000, ..Settings::default() }).unwrap();
    (engine, clock)
}

/// A second of 60 requests of which every `failing`th fails, and a turn.
fn second(engine: &Engine, clock: &ManualClock, failing: i64) {
    requests(engine, clock, failing);
    engine.loop_step().unwrap();
}

fn requests(engine: &Engine, clock: &ManualClock, failing: i64) {
    let served = engine.key::<i64>("gateway", "concurrency").unwrap();
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    for n in 1..=60 {
        let outcome = if n % failing == 0 { Outcome::Error } else { Outcome::Success };
        let time_ns = Some(clock.now_ns() + n as u64);
        let what = Observed { time_ns, ..Observed::i64(served.raw(), 800 + n, outcome) };
        assert!(reader.observe(&reader.view(), what));
    }
    clock.advance(Duration::from_secs(1));
}

fn consistent(engine: &Engine) {
    let cycles = engine.cycles(&CycleQuery { limit: Some(usize::MAX), ..CycleQuery::default() }).unwrap();
    let mut proposals = BTreeSet::new();
    let mut begun = 0;
    for cycle in &cycles {
        assert!(!cycle.is_open(), "{cycle:#?}");
        begun += usize::from(cycle.plan.is_some());
        if let Some(proposal) = &cycle.proposal {
            assert!(proposals.insert(proposal.clone()), "one proposal, one cycle: {proposal}");
            let first = &engine.proposal(proposal).unwrap().receipts[0];
            assert_eq!(engine.receipt(first).unwrap().links[..1], cycle.receipts[..1]);
        }
        // Measuring may refuse on a machine that does other work.
        let ends = [CycleOutcome::Kept, CycleOutcome::Refused, CycleOutcome::NoPlan, CycleOutcome::Interrupted];
        assert!(cycle.outcome.is_some_and(|outcome| ends.contains(&outcome)), "{cycle:#?}");
        let last = engine.receipt(cycle.receipts.last().unwrap()).unwrap();
        assert_eq!(last.kind, "loop cycle completed");
    }
    let by_loop = engine.proposals(&ProposalQuery { limit: Some(usize::MAX), ..ProposalQuery::default() }).unwrap();
    let by_loop = by_loop.iter().filter(|proposal| proposal.by == "loop/rule").count();
    assert_eq!(by_loop, proposals.len(), "no plan was filed twice, and none without its cycle");
    let found = engine.patterns(&PatternQuery { limit: Some(usize::MAX), ..PatternQuery::default() }).unwrap();
    assert!(found.len() >= begun && found.iter().all(|pattern| pattern.receipt.is_some()));
}

#[test]
fn a_kill_at_any_moment_loses_no_cycle_and_doubles_none() {
    if let Ok(place) = std::env::var(CHILD) {
        let (folder, round) = place.rsplit_once('@').unwrap();
        let (engine, clock) = open(folder, round.parse().unwrap());
        (0..30).for_each(|_| second(&engine, &clock, 61));
        loop {
            println!("fault");
            second(&engine, &clock, 2);
            println!("over");
            (0..6).for_each(|_| second(&engine, &clock, 61));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().to_str().unwrap();
    for round in 0..10 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::a_kill_at_any_moment_loses_no_cycle_and_doubles_none", "--nocapture"])
            .env(CHILD, format!("{location}@{round}"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains("fault")), "the child came so far");
        // Another moment of the turn that finds it each time.
        (0..round * round * 30_000).for_each(|n: u64| _ = std::hint::black_box(n));
        child.kill().unwrap();
        child.wait().unwrap();
        let (engine, clock) = open(location, round);
        clock.advance(Duration::from_secs(600));
        // What was filed and not run is run, and what became of it is taken up.
        engine.settle_due().unwrap();
        (0..2).for_each(|_| _ = engine.loop_step().unwrap());
        consistent(&engine);
        if round % 5 == 4 {
            engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap();
        }
    }
    let (engine, _clock) = open(location, 20);
    let kept = engine.cycles(&CycleQuery::default()).unwrap();
    assert!(kept.iter().any(|cycle| cycle.outcome == Some(CycleOutcome::Kept)), "something came through");
}

/// Says that it is asked, and never answers.
struct Hangs;

impl Proposer for Hangs {
    fn name(&self) -> &str {
        "hangs"
    }

    fn propose(&self, _: &Question) -> Result<Option<Plan>, PlanError> {
        println!("asked");
        loop {
            std::thread::park();
        }
    }
}

#[test]
fn a_kill_while_a_proposer_is_asked_interrupts_the_cycle_and_what_lasts_is_found_anew() {
    let by_rule = Settings { every_ms: 0, cooldown_s: 0, ..Settings::default() };
    if let Ok(folder) = std::env::var(CHILD) {
        let (engine, clock) = open(&folder, 0);
        (0..30).for_each(|_| second(&engine, &clock, 61));
        engine.add_proposer(Arc::new(Hangs)).unwrap();
        let hanging = Settings { every_ms: 10, deadline_ms: 600_000, proposers: vec!["hangs".into()], ..by_rule };
        engine.start_loop(hanging).unwrap();
        requests(&engine, &clock, 2);
        loop {
            std::thread::park();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().to_str().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::a_kill_while_a_proposer_is_asked_interrupts_the_cycle_and_what_lasts_is_found_anew",
            "--nocapture",
        ])
        .env(CHILD, location)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("asked")), "the child came so far");
    child.kill().unwrap();
    child.wait().unwrap();
    let (engine, clock) = open(location, 0);
    clock.advance(Duration::from_secs(31));
    let open = engine.cycles(&CycleQuery { open: true, ..CycleQuery::default() }).unwrap();
    assert_eq!((open.len(), open[0].state, open[0].proposer.as_deref()), (1, CycleState::Detected, Some("hangs")));
    engine.start_loop(by_rule).unwrap();
    let ended = engine.loop_step().unwrap().remove(0);
    assert_eq!((&ended.id, ended.outcome), (&open[0].id, Some(CycleOutcome::Interrupted)), "{}", ended.said);
    assert!(ended.said.contains("hangs"), "{}", ended.said);
    (0..2).for_each(|_| second(&engine, &clock, 2));
    let newest = engine.cycles(&CycleQuery::default()).unwrap().remove(0);
    assert_eq!((newest.pattern.watch, newest.id == ended.id), (ended.pattern.watch, false), "it was found anew");
    consistent(&engine);
    engine.stop_loop().unwrap();
    let replayed = engine.replay(&ReplaySpan::default()).unwrap();
    assert!(replayed.equal, "{replayed:#?}");
    engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap();
}
