//! Ten thousand answers of a random model, over HTTP, each of which goes the whole way: read, checked, proposed, judged.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use knhk_autonomic::Pattern;
use knhk_autonomic::plan::model::{Caps, Endpoint, Model};
use knhk_autonomic::plan::{Parameter, Plan, Proposer, Question};
use knhk_engine::control::Content;
use knhk_engine::governance::{CrossInvariant, Propose, Severity, State};

use knhk_engine::{Engine, Options, SectorKind, Signer};
use knhk_resilience::{Clock, Random, Scope};
use knhk_warm::ManualClock;
use serde_json::{Value, json};

use crate::generate::{allowed, below, broken};
use crate::server::{Answer, Server, completion, finished, response};
use crate::values::{ACROSS, DOCTRINE, DOCUMENT, GUARDS, OTHER, Standing};

/// 2036-11-18 06:00 UTC, a Tuesday: after whatever the machine's clock shows.
pub const BEGIN_NS: u64 = 2_110_600_800_000_000_000;
pub const MINUTE: u64 = 60_000_000_000;

/// The organisation of the specification, in an engine without a disk.
struct World {
    engine: Engine,
    clock: Arc<ManualClock>,
    standing: Standing,
    random: Random,
}

/// An engine in which the organisation's rules hold, and its clock.
pub fn organisation(mut options: Options) -> (Engine, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(BEGIN_NS));
    options.time = Some(clock.clone());
    options.signer = Some(Signer::from_seed(&[7; 32]));
    let engine = Engine::open(":memory:", options).unwrap();
    engine.create_sector("orders", SectorKind::Governed).unwrap();
    engine.create_sector("risk", SectorKind::Governed).unwrap();
    for (sector, document) in [("risk", OTHER), ("orders", DOCUMENT)] {
        let content = Content::Document { text: document.into(), format: None };
        let first = engine.propose(&Propose::of(sector, content, "ops-1", "the first")).unwrap();
        assert_eq!(first.state, State::Enacted, "{}", first.said);
    }
    engine.govern("add_rule", json!({ "toml": DOCTRINE, "by": "ops-1", "why": "the test" })).unwrap();
    let guards = json!({ "toml": GUARDS, "by": "ops-1", "why": "the test" });
    let change = engine.govern("change_guards", guards).unwrap();
    assert_eq!(engine.guards().unwrap().guards.len(), 2, "{change}");
    let ceiling = CrossInvariant::of_condition("ceiling", Severity::Blocker, ACROSS).unwrap();
    engine.set_invariant(ceiling);
    // Keys that programs hold.
    engine.key::<i64>("orders", "max_qty").unwrap();
    engine.key::<i64>("orders", "min_qty").unwrap();
    engine.key::<f64>("orders", "band").unwrap();
    engine.key::<bool>("orders", "active").unwrap();
    (engine, clock)
}

impl World {
    fn new(seed: u64) -> World {
        let (engine, clock) = organisation(Options::default());
        World { engine, clock, standing: Standing::first(BEGIN_NS), random: Random::new(seed) }
    }

    fn question(&self) -> Question {
        let parameter = |(path, value): (&String, &Value)| {
            let (value_type, min, max) = match path.as_str() {
                "max_qty" => ("i64", Some(1.0), Some(5000.0)),
                "min_qty" => ("i64", Some(1.0), Some(1000.0)),
                "band" => ("f64", Some(0.0), Some(0.5)),
                "mode" => ("string", None, None),
                "active" => ("bool", None, None),
                // What it could not be asked about: the pipeline alone is in its way.
                "governance/max_changes" => ("i64", Some(0.0), Some(100.0)),
                _ => return None,
            };
            let modes = [json!("normal"), json!("auction"), json!("halted")];
            Some(Parameter {
                path: path.clone(),
                value_type: value_type.into(),
                value: value.clone(),
                min,
                max,
                values: if path == "mode" { modes.into() } else { vec![] },
                // Mostly such steps as a loop would take, else anything.
                step: (value.is_number() && below(&self.random, 3) > 0).then_some(0.3),
                unit: None,
                doc: None,
            })
        };
        Question {
            pattern: pattern(),
            parameters: self.standing.values.iter().filter_map(parameter).collect(),
            doctrine: vec![],
            guards: vec![],
            invariants: vec![],
            examples: vec![],
            refusals: vec![],
        }
    }

    /// Has the pipeline judge a plan; says whether it was promoted.
    fn try_plan(&mut self, plan: &Plan) -> bool {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let values = plan.changes.iter().map(|change| (change.path.clone(), text(&change.value))).collect();
        let asked = Propose::of("orders", Content::Values(values), "loop/model", &plan.why);
        let changes: BTreeMap<String, Value> =
            plan.changes.iter().map(|change| (change.path.clone(), change.value.clone())).collect();
        let broken = self.standing.broken(&changes);
        let Ok(proposal) = self.engine.propose(&asked) else { return false };
        match proposal.state {
            State::Enacted => {
                assert!(broken.is_empty(), "{changes:?} is current, against {broken:?}");
                self.standing.enact(&changes);
                true
            }
            state => {
                if state.is_open() {
                    self.engine.withdraw(&proposal.id, "ops-1", "the test goes on").unwrap();
                }
                false
            }
        }
    }
}

fn pattern() -> Pattern {
    serde_json::from_value(json!({
        "watch": "RejectSpike", "sector": "orders", "detector": "error-ratio", "concerns": "max_qty", "confidence": 0.9999,
        "observed": 0.4, "expected": 0.01, "from_ns": 0, "to_ns": 1, "evidence": [],
    }))
    .unwrap()
}

fn model(server: &Server, clock: Arc<ManualClock>) -> Model {
    let endpoint = Endpoint {
        url: server.url.clone(),
        model: "random".into(),
        key: Some("sk-secret".into()),
        timeout: Duration::from_secs(600),
        attempts: 1,
        caps: Caps { tokens_per_hour: u64::MAX, ..Caps::default() },
    };
    let clock: Arc<dyn Clock> = clock;
    Model::new(endpoint, 1, &Scope::new(clock)).unwrap()
}

/// One of ten answers is one that an endpoint gives which has no plan to give; of the others a quarter is none that may be.
pub fn answer(asked: &crate::server::Asked, random: &Random) -> Answer {
    match below(random, 40) {
        0 => return response("429 Too Many Requests", "retry-after: 1\r\n", "{}"),
        1 => return response("500 Internal Server Error", "", ""),
        2 => return finished(json!({"content": null, "refusal": "I will not."}), "stop", json!({})),
        3 => return Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"choices\": [".to_vec()),
        _ => {}
    }
    let plan = allowed(&asked.body["response_format"]["json_schema"]["schema"], random);
    completion(&if below(random, 4) == 0 { broken(&plan, random) } else { plan.to_string() })
}

/// So many tries; how many plans there were, and how many of them were promoted.
fn tries(seed: u64, count: usize) -> (usize, usize) {
    let mut world = World::new(seed);
    let random = Random::new(seed + 1000);
    let server = Server::answering(count, move |asked| answer(asked, &random));
    let model = model(&server, world.clock.clone());
    let (mut plans, mut promoted) = (0, 0);
    for _ in 0..count {
        let minutes = [1, 5, 20, 61][below(&world.random, 4)];
        world.clock.advance(Duration::from_nanos(minutes * MINUTE));
        world.standing.now_ns += minutes * MINUTE;
        let question = world.question();
        let Ok(Some(plan)) = model.propose(&question) else { continue };
        plan.check(&question.parameters).expect("what a model's proposer gives was checked");
        plans += 1;
        promoted += usize::from(world.try_plan(&plan));
    }
    server.join();
    (plans, promoted)
}

#[test]
fn nothing_that_the_specification_refuses_is_promoted_in_ten_thousand_tries() {
    let begun = std::time::Instant::now();
    let parts: Vec<_> = (0..4).map(|seed| std::thread::spawn(move || tries(seed, 2500))).collect();
    let (plans, promoted) = parts
        .into_iter()
        .map(|part| part.join().expect("it is as it should be"))
        .fold((0, 0), |(plans, promoted), (more, kept)| (plans + more, promoted + kept));
    println!("10000 tries, {plans} plans, {promoted} promoted, {:.1} s", begun.elapsed().as_secs_f64());
    assert!(plans > 3000 && promoted > 200, "{plans} {promoted}");
}
