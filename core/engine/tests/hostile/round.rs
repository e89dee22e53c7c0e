//! Answers of a random model, over HTTP, each of which goes the whole way round the loop: found, asked, read, checked, proposed, judged. A hundred
//! in each of four engines, or as many as `KNHK_TRIES` says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use knhk_autonomic::plan::model::{Caps, Endpoint, Model};
use knhk_engine::autonomic::{Custom, CycleOutcome, Sample, Score, Settings};
use knhk_engine::control::Content;
use knhk_engine::governance::{Propose, State};
use knhk_engine::{Engine, Observations, Observed, Options, Outcome, Reader, ReaderOptions};
use knhk_resilience::{Random, Scope};
use knhk_warm::ManualClock;
use serde_json::Value;

use crate::generate::below;
use crate::plans::{MINUTE, answer, organisation};
use crate::server::Server;
use crate::values::Standing;
use crate::world::told;

/// What the specification says of changes one after the other.
const HOURLY: &str = "eight names change within an hour at most";

/// A watch that finds something in each minute with something in it.
const WATCH: &str = r#"
    @prefix : <urn:knhk:orders:> . @prefix k: <urn:knhk:core:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
    :Checked a k:ObservationKind ; k:valueType "i64" ; k:unit "lots" ; k:concerns :max_qty ; k:min 1 ; rdfs:comment "An order was checked." .
    :Always a k:Watch ; k:watches :Checked ; k:detector "callback:worse" ; k:sample 60 ; k:confidence 0.9 ; rdfs:comment "It gets worse." .
"#;

/// The organisation of the specification, in an engine without a disk.
struct World {
    engine: Engine,
    clock: Arc<ManualClock>,
    reader: Reader,
    standing: Standing,
    random: Random,
}

impl World {
    fn new(seed: u64, server: &Server) -> World {
        let mut options = Options::default();
        options.observations = Some(Observations::default());
        let (engine, clock) = organisation(options);
        clock.advance(Duration::from_nanos(120 * MINUTE));
        let added = Content::Change { removed: String::new(), added: WATCH.into(), format: "turtle".into() };
        let added = engine.propose(&Propose::of("orders", added, "ops-1", "something to find")).unwrap();
        assert_eq!(added.state, State::Enacted, "{}", told(&added.reports));
        let worse = |_: &str, _: &str| Box::new(Worse(1.0)) as Box<dyn Custom>;
        engine.add_detector("worse", Arc::new(worse)).unwrap();
        let model = Model::new(endpoint(server), 1, &Scope::new(clock.clone())).unwrap();
        engine.add_proposer(Arc::new(model)).unwrap();
        let reader = engine.register_reader(ReaderOptions::default()).unwrap();
        let begin_ns = knhk_warm::Clock::now_ns(&*clock);
        let mut world = World { engine, clock, reader, standing: Standing::first(begin_ns), random: Random::new(seed) };
        // What this changed counts no more.
        world.pass(120);
        let proposers = vec!["model".into()];
        let settings =
            Settings { every_ms: 0, cooldown_s: 0, changes_per_hour: u32::MAX, proposers, ..Settings::default() };
        world.engine.start_loop(Settings { deadline_ms: 600_000, ..settings }).unwrap();
        world.engine.loop_step().unwrap();
        // The first sample begins after the turn that learned of its watch.
        world.pass(1);
        world
    }

    /// One more time round; what the plan breaks and whether it was promoted, where there was one.
    fn once(&mut self) -> Option<(Vec<&'static str>, bool)> {
        let checked = self.engine.key::<i64>("orders", "max_qty").unwrap();
        let what =
            Observed { time_ns: Some(self.standing.now_ns), ..Observed::i64(checked.raw(), 100, Outcome::Success) };
        assert!(self.reader.observe(&self.reader.view(), what));
        self.pass([1, 1, 2, 5][below(&self.random, 4)]);
        let cycle = self.engine.loop_step().unwrap().remove(0);
        let Some(plan) = &cycle.plan else {
            assert_eq!(cycle.outcome, Some(CycleOutcome::NoPlan), "{}", cycle.said);
            return None;
        };
        let changes: BTreeMap<String, Value> =
            plan.changes.iter().map(|change| (change.path.clone(), change.value.clone())).collect();
        let broken: Vec<_> = self.standing.broken(&changes).into_iter().map(|(_, _, rule)| rule).collect();
        let promoted = !cycle.versions.is_empty();
        if promoted {
            assert!(broken.is_empty(), "{changes:?} is current, against {broken:?}");
            self.standing.enact(&changes);
        } else if let Some(proposal) = cycle.proposal.as_ref().filter(|_| cycle.is_open()) {
            self.engine.withdraw(proposal, "ops-1", "the test goes on").unwrap();
            assert!(self.engine.loop_step().unwrap().iter().all(|cycle| !cycle.is_open()));
        }
        Some((broken, promoted))
    }

    fn pass(&mut self, minutes: u64) {
        self.clock.advance(Duration::from_nanos(minutes * MINUTE));
        self.standing.now_ns += minutes * MINUTE;
    }
}

/// Each sample with something in it is twice as bad as the one before.
struct Worse(f64);

impl Custom for Worse {
    fn observe(&mut self, sample: &Sample) -> Result<Option<Score>, String> {
        if sample.counts.count == 0 {
            return Ok(None);
        }
        self.0 *= 2.0;
        Ok(Some(Score { statistic: self.0, confidence: 0.99, expected: 0.0 }))
    }
}

fn endpoint(server: &Server) -> Endpoint {
    Endpoint {
        url: server.url.clone(),
        model: "random".into(),
        key: Some("sk-secret".into()),
        timeout: Duration::from_secs(600),
        attempts: 1,
        caps: Caps { tokens_per_hour: u64::MAX, ..Caps::default() },
    }
}

/// What came of tries.
#[derive(Clone, Copy, Default)]
struct Came {
    plans: usize,
    promoted: usize,
    /// Plans that broke some rule, and those that broke nothing but the cap on what changes within an hour.
    broken: usize,
    beyond_the_hour: usize,
}

/// So many tries in an engine of their own.
fn tries(seed: u64, count: usize) -> Came {
    let random = Random::new(seed + 1000);
    let server = Server::answering(count, move |asked| answer(asked, &random));
    let mut world = World::new(seed, &server);
    let mut came = Came::default();
    for (broken, promoted) in (0..count).filter_map(|_| world.once()) {
        came.plans += 1;
        came.promoted += usize::from(promoted);
        came.broken += usize::from(!broken.is_empty());
        came.beyond_the_hour += usize::from(broken == [HOURLY]);
    }
    server.join();
    came
}

#[test]
fn nothing_that_the_specification_refuses_comes_of_a_turn_of_the_loop() {
    let each = std::env::var("KNHK_TRIES").map_or(100, |tries| tries.parse::<usize>().expect("a number") / 4);
    let begun = std::time::Instant::now();
    let parts: Vec<_> = (0..4).map(|seed| std::thread::spawn(move || tries(seed, each))).collect();
    let mut all = Came::default();
    for came in parts.into_iter().map(|part| part.join().expect("it is as it should be")) {
        all.plans += came.plans;
        all.promoted += came.promoted;
        all.broken += came.broken;
        all.beyond_the_hour += came.beyond_the_hour;
    }
    let Came { plans, promoted, broken, beyond_the_hour } = all;
    let took = begun.elapsed().as_secs_f64();
    println!(
        "{} tries, {plans} plans, {promoted} promoted, {broken} against a rule, {beyond_the_hour} against the hourly one alone, {took:.1} s",
        4 * each
    );
    let enough = plans > each && promoted > each / 4 && broken > each / 4 && beyond_the_hour > 0;
    assert!(enough, "{plans} {promoted} {broken} {beyond_the_hour}");
}
