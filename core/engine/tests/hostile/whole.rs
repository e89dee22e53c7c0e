//! The whole way round the loop, with a model at the other end of a line.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use knhk_autonomic::plan::model::{Caps, Endpoint, Model};
use knhk_engine::autonomic::{Custom, Cycle, CycleOutcome, Sample, Score, Settings};
use knhk_engine::control::Content;
use knhk_engine::governance::{Propose, State};
use knhk_resilience::{Clock, Scope};
use serde_json::{Value, json};

use crate::server::{Answer, Asked, Server, completion, finished, response};
use crate::traffic::{Gateway, USUAL, by_hand};

/// A watch that finds something in each second.
const ALWAYS: &str = r#"
    @prefix : <urn:knhk:gateway:> . @prefix k: <urn:knhk:core:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
    :Always a k:Watch ; k:watches :Served ; k:detector "callback:worse" ; k:sample 1 ; k:confidence 0.9 ; rdfs:comment "It gets worse." .
"#;

/// Each second is twice as bad as the one before.
struct Worse(f64);

impl Custom for Worse {
    fn observe(&mut self, _: &Sample) -> Result<Option<Score>, String> {
        self.0 *= 2.0;
        Ok(Some(Score { statistic: self.0, confidence: 0.99, expected: 0.0 }))
    }
}

/// A clock on which pauses cost nothing.
#[derive(Debug, Default)]
struct Jumping(AtomicU64);

impl Clock for Jumping {
    fn now_ns(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn sleep(&self, pause: Duration) {
        self.0.fetch_add(pause.as_nanos() as u64, Ordering::Relaxed);
    }
}

/// A gateway whose only proposer is a model that gives these answers, one a request.
fn gateway(server: &Server, timeout: Duration) -> Gateway {
    let settings = Settings {
        proposers: vec!["model".into()],
        cooldown_s: 0,
        changes_per_hour: 1000,
        // The model's own time-outs are what is tested.
        deadline_ms: 600_000,
        ..by_hand()
    };
    let mut gateway = Gateway::new(31, 0, settings);
    let endpoint = Endpoint {
        url: server.url.clone(),
        model: "test-model".into(),
        key: Some("sk-secret".into()),
        timeout,
        attempts: 2,
        caps: Caps { tokens_per_hour: u64::MAX, ..Caps::default() },
    };
    let model = Model::new(endpoint, 1, &Scope::new(Arc::new(Jumping::default()))).unwrap();
    gateway.engine().add_proposer(Arc::new(model)).unwrap();
    let worse = |_: &str, _: &str| Box::new(Worse(1.0)) as Box<dyn Custom>;
    gateway.engine().add_detector("worse", Arc::new(worse)).unwrap();
    gateway.seconds(3, USUAL);
    let added = Content::Change { removed: String::new(), added: ALWAYS.into(), format: "turtle".into() };
    let added = gateway.engine().propose(&Propose::of("gateway", added, "ops-1", "one more watch")).unwrap();
    assert_eq!(added.state, State::Enacted, "{}", added.said);
    gateway
}

fn plan(path: &str, value: Value) -> Answer {
    completion(
        &json!({"changes": [{"path": path, "value": value}], "why": "it may help", "confidence": 0.7}).to_string(),
    )
}

/// The next cycle to its end.
fn next(gateway: &mut Gateway) -> Cycle {
    for _ in 0..10 {
        if let Some(cycle) = gateway.second(USUAL).into_iter().find(|cycle| cycle.outcome.is_some()) {
            return cycle;
        }
    }
    panic!("no cycle ended within ten seconds");
}

#[test]
fn a_model_that_misbehaves_costs_a_cycle_and_nothing_else() {
    let busy = || response("429 Too Many Requests", "retry-after: 2\r\n", "{}");
    let cut = || Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"choices\": [".to_vec());
    let refusing = || finished(json!({"content": null, "refusal": "I will not, sk-secret."}), "stop", json!({}));
    let cases: Vec<(Vec<Answer>, &str)> = vec![
        (vec![busy(), busy()], "429"),
        (vec![cut(), cut()], "model: "),
        (vec![refusing()], "it refuses: I will not, …."),
        (vec![plan("concurrency", json!(100_000))], "above 512"),
        (vec![plan("concurrency", json!(200))], "more than 50 %"),
        (vec![plan("governance/probation_seconds", json!(1))], "not among the parameters"),
        (vec![plan("concurrency", json!("80"))], "not of type i64"),
        (vec![completion("Sure!")], "no plan"),
    ];
    let (mut answers, mut said) = (Vec::new(), Vec::new());
    for (more, what) in cases {
        answers.extend(more);
        said.push(what);
    }
    answers.extend([busy(), plan("concurrency", json!(80))]);
    let server = Server::start(answers);
    let mut gateway = gateway(&server, Duration::from_secs(600));
    for what in said {
        let cycle = next(&mut gateway);
        assert_eq!(cycle.outcome, Some(CycleOutcome::NoPlan), "{what}: {}", cycle.said);
        assert!(cycle.said.contains(what) && !cycle.said.contains("secret"), "{what}: {}", cycle.said);
        assert_eq!(gateway.value("concurrency"), json!(64), "{what}");
    }
    let cycle = next(&mut gateway);
    assert_eq!((cycle.outcome, gateway.value("concurrency")), (Some(CycleOutcome::Kept), json!(80)), "{}", cycle.said);
    let generated = cycle.receipts.iter().map(|id| gateway.engine().receipt(id).unwrap());
    let generated = generated.into_iter().find(|receipt| receipt.kind == "proposal generated").unwrap();
    for hash in ["prompt", "response"] {
        assert_eq!(generated.evidence[hash].as_str().map(str::len), Some(64), "{}", generated.evidence);
    }
    assert_eq!(generated.evidence["proposer"], "loop/model");
    server.join();
    // Neither what is kept nor what is signed says the key.
    let status = serde_json::to_string(&gateway.engine().loop_status()).unwrap();
    let cycles = serde_json::to_string(&gateway.engine().cycles(&Default::default()).unwrap()).unwrap();
    assert!(!status.contains("secret") && !cycles.contains("secret"));
}

#[test]
fn a_silent_endpoint_is_waited_for_only_so_long() {
    let server = Server::start(vec![Answer::Silence, Answer::Silence]);
    let mut gateway = gateway(&server, Duration::from_millis(200));
    let cycle = next(&mut gateway);
    assert_eq!(
        (cycle.outcome, gateway.value("concurrency")),
        (Some(CycleOutcome::NoPlan), json!(64)),
        "{}",
        cycle.said
    );
    assert!(cycle.said.contains("timeout"), "{}", cycle.said);
}

#[test]
fn what_was_refused_is_in_the_next_prompt_and_is_not_proposed_again() {
    let answers = vec![plan("concurrency", json!(90)), plan("concurrency", json!(90)), plan("concurrency", json!(66))];
    let server = Server::start(answers);
    let mut gateway = gateway(&server, Duration::from_secs(600));
    let rule = r#"[[rule]]
        id = "small-steps"
        sector = "gateway"
        enforcement = "hard_mandatory"
        paths = ["concurrency"]
        [rule.resource_limit]
        of = "change_percent"
        max = 10"#;
    gateway.world.govern("add_rule", json!({ "toml": rule, "by": "ops-1", "why": "the test" }));
    let [refused, again, kept] = [(); 3].map(|()| next(&mut gateway));
    assert_eq!(refused.outcome, Some(CycleOutcome::Refused), "{}", refused.said);
    assert!(refused.said.contains("small-steps"), "{}", refused.said);
    assert_eq!(again.outcome, Some(CycleOutcome::NoPlan), "{}", again.said);
    assert!(again.said.contains("refused the last time"), "{}", again.said);
    assert_eq!((kept.outcome, gateway.value("concurrency")), (Some(CycleOutcome::Kept), json!(66)), "{}", kept.said);

    let asked = server.join();
    let rules = |asked: &Asked| asked.body["messages"][0]["content"].as_str().unwrap().to_owned();
    let earlier = |asked: &Asked| asked.body["messages"][1]["content"].as_str().unwrap().to_owned();
    assert!(!rules(&asked[0]).contains("were refused"), "nothing was refused yet");
    let (_, warned) = rules(&asked[1])
        .split_once("Earlier proposals were refused because")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    assert!(warned.contains("rule gateway/small-steps (1 times)"), "{warned}");
    assert!(earlier(&asked[1]).contains("\"outcome\":\"refused: "), "and as an example");
}
