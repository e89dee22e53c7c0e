//! Watches and remedies of a real ontology, over an hour of made traffic with faults in it.

use knhk_autonomic::Pattern;
use knhk_autonomic::plan::{Parameter, Proposer, Question, Step};
use knhk_autonomic::watch::{Declared, Sample, Sentinel, Watch};
use knhk_observation::{Aggregates, Record, Schema};
use knhk_ontology::graph::Delta;
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::shacl::Severity;
use knhk_ontology::{Core, Document, Limits, Snapshot};
use knhk_resilience::Random;
use serde_json::json;

const DECLARED: &str = r#"
@prefix knhk: <urn:knhk:core:> .
@prefix gateway: <urn:knhk:gateway:> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .

gateway:Served a knhk:ObservationKind ; knhk:valueType "i64" ; knhk:unit "µs" ; knhk:min 0 ; knhk:max 10000000 ;
    knhk:concerns gateway:concurrency ; rdfs:comment "A request was answered." .
gateway:Errors a knhk:Watch ; knhk:watches gateway:Served ; knhk:detector "error-ratio" ; knhk:sample 1 ; knhk:confidence 0.999999 ;
    rdfs:comment "More requests fail than before." .
gateway:Latency a knhk:Watch ; knhk:watches gateway:Served ; knhk:detector "robust" ; knhk:measure "p50" ; knhk:sample 1 ;
    knhk:confidence 0.99999999 ; rdfs:comment "Answers take longer." .
gateway:Traffic a knhk:Watch ; knhk:watches gateway:Served ; knhk:detector "rate" ; knhk:sample 1 ; knhk:confidence 0.999999 ;
    rdfs:comment "More or fewer requests come." .
gateway:Silence a knhk:Watch ; knhk:watches gateway:Served ; knhk:detector "heartbeat" ; knhk:sample 1 ; knhk:confidence 0.999 ;
    rdfs:comment "Nothing comes any more." .
gateway:Types a knhk:Watch ; knhk:watches gateway:Served ; knhk:detector "mismatch" ; knhk:sample 1 ; knhk:confidence 0.999999 ;
    rdfs:comment "What is recorded is not what is declared." .
gateway:LowerOnErrors a knhk:Remedy ; knhk:when gateway:Errors ; knhk:direction "above" ; knhk:moves gateway:concurrency ; knhk:times 0.5 ;
    knhk:notBelow 4 ; rdfs:comment "An upstream that fails is asked less." .
"#;

fn snapshot() -> Snapshot {
    let limits = Limits::default();
    let empty = Snapshot::empty("gateway", &Core::shipped(), &limits);
    let document = Document::parse(r#"{"concurrency": {"$value": 64, "$min": 1, "$max": 512}}"#, &limits).unwrap();
    let snapshot = empty.apply(&empty.change_to(&document).unwrap()).unwrap();
    let terms = snapshot.graph().terms();
    let added = rdf::parse(DECLARED.as_bytes(), Format::Turtle, "", terms, &limits).unwrap();
    let snapshot = snapshot.apply(&Delta::new(snapshot.graph(), vec![], added)).unwrap();
    assert_ne!(snapshot.report().worst(), Some(Severity::Violation), "{:?}", snapshot.report());
    snapshot
}

const S: u64 = 1_000_000_000;

/// A program's traffic, second by second, added up as the monitor does: more by day than by night, slower where there is more of it, and
/// with levels that wander.
struct Traffic {
    aggregates: Aggregates,
    random: Random,
    now_ns: u64,
    sentinels: Vec<Sentinel>,
    /// How far rate, latency and error share have wandered, as shares.
    wandered: [f64; 3],
}

/// How far each wanders.
const WANDERS: [f64; 3] = [0.03, 0.02, 0.1];

/// What is unlike the usual in a second.
#[derive(Clone, Copy)]
struct Faults {
    rate: f64,
    failing: f64,
    slower: f64,
    mistyped: f64,
}

const USUAL: Faults = Faults { rate: 100.0, failing: 0.01, slower: 1.0, mistyped: 0.0 };

impl Traffic {
    fn new(seed: u64) -> Traffic {
        let snapshot = snapshot();
        let declared = Declared::of(&snapshot);
        // At another time of the day each.
        let now_ns = (1_000 + seed * 5 * 3_600) * S;
        let mut aggregates = Aggregates::new(1, 8, now_ns);
        aggregates.learn(0, Schema::of(&snapshot), |key| (key == "concurrency").then_some(0));
        let sentinels = declared.watches.into_iter().map(|watch| Sentinel::new("gateway", watch)).collect();
        Traffic { aggregates, random: Random::new(seed), now_ns, sentinels, wandered: [0.0; 3] }
    }

    /// One more second; what was found in it.
    fn second(&mut self, faults: Faults) -> Vec<Pattern> {
        for (place, wanders) in WANDERS.into_iter().enumerate() {
            // A first-order autoregression, whose deviation is `wanders`.
            self.wandered[place] = 0.98 * self.wandered[place] + 0.199 * wanders * self.normal();
        }
        let [rate, slowness, failing] = self.wandered.map(|wandered| 1.0 + wandered);
        let by_day = 1.0 + 0.4 * (self.now_ns as f64 / (86_400 * S) as f64 * std::f64::consts::TAU).sin();
        for _ in 0..self.poisson(faults.rate * by_day * rate) {
            let usual = 800.0 * (0.9 + 0.1 * by_day) * slowness;
            let latency = usual * (0.5 * self.normal()).exp() * faults.slower;
            let failed = self.random.unit() < faults.failing * failing;
            let tag = if self.random.unit() < faults.mistyped { 3 } else { 2 };
            let (time_ns, epoch, reader, sequence, subject, detail) = (self.now_ns, 1, 1, 0, 0, 0);
            let (value, outcome) = (latency as u64, if failed { 3 } else { 1 });
            let record = Record { time_ns, epoch, reader, sequence, subject, detail, value, slot: 0, tag, outcome };
            self.aggregates.add(0, &record, || Some("concurrency".into()));
        }
        let from_ns = self.now_ns;
        self.now_ns += S;
        self.aggregates.advance(self.now_ns);
        let series = self.aggregates.series(0).remove(0).window;
        let sample = |watch: &Watch| Sample {
            from_ns,
            to_ns: self.now_ns,
            counts: series.counts,
            value: watch.measure().and_then(|measure| series.aggregate(measure)),
        };
        self.sentinels.iter_mut().filter_map(|sentinel| sentinel.observe(&sample(sentinel.watch()))).collect()
    }

    fn poisson(&mut self, mean: f64) -> u64 {
        let (mut count, mut left) = (0, mean + self.random.unit().ln());
        while left > 0.0 {
            count += 1;
            left += self.random.unit().ln();
        }
        count
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.random.unit().ln()).sqrt() * (std::f64::consts::TAU * self.random.unit()).cos()
    }
}

#[test]
fn an_hour_of_clean_traffic_gives_at_most_one_false_alarm() {
    for seed in 1..=6 {
        let mut traffic = Traffic::new(seed);
        let alarms: Vec<_> = (0..3600).flat_map(|_| traffic.second(USUAL)).collect();
        assert!(alarms.len() <= 1, "seed {seed}: {alarms:#?}");
    }
}

#[test]
fn each_fault_is_found_within_one_sample() {
    let faults = [
        ("Errors", Faults { failing: 0.2, ..USUAL }),
        ("Latency", Faults { slower: 3.0, ..USUAL }),
        ("Traffic", Faults { rate: 250.0, ..USUAL }),
        ("Traffic", Faults { rate: 30.0, ..USUAL }),
        ("Types", Faults { mistyped: 0.2, ..USUAL }),
    ];
    for (seed, (watch, fault)) in (1..).zip(faults) {
        let mut traffic = Traffic::new(seed);
        (0..300).for_each(|_| _ = traffic.second(USUAL));
        let found = traffic.second(fault);
        let pattern =
            found.iter().find(|pattern| pattern.watch == watch).unwrap_or_else(|| panic!("{watch}: {found:?}"));
        assert_eq!((pattern.to_ns - pattern.from_ns, pattern.sector.as_str()), (S, "gateway"));
        assert_eq!(pattern.concerns.as_deref(), Some("concurrency"));
        let again = (0..5).flat_map(|_| traffic.second(fault)).filter(|pattern| pattern.watch == watch).count();
        assert!(again <= 2, "{watch}: what lasts is not told again and again");
    }
    let mut traffic = Traffic::new(9);
    (0..300).for_each(|_| _ = traffic.second(USUAL));
    let silence = Faults { rate: 0.0, ..USUAL };
    let found: Vec<_> = (0..3).flat_map(|_| traffic.second(silence)).collect();
    assert!(found.iter().any(|pattern| pattern.watch == "Silence"), "{found:?}");
}

#[test]
fn a_remedy_answers_the_pattern_that_it_is_for() {
    let remedies = Declared::of(&snapshot()).remedies;
    assert_eq!(remedies.0.len(), 1);
    assert_eq!((remedies.0[0].name.as_str(), &remedies.0[0].step), ("LowerOnErrors", &Step::Times(0.5)));
    let mut traffic = Traffic::new(3);
    (0..300).for_each(|_| _ = traffic.second(USUAL));
    let found = traffic.second(Faults { failing: 0.2, ..USUAL });
    let pattern = found.into_iter().find(|pattern| pattern.watch == "Errors").unwrap();
    let parameter = Parameter {
        path: "concurrency".into(),
        value_type: "i64".into(),
        value: json!(64),
        min: Some(1.0),
        max: Some(512.0),
        values: vec![],
        step: None,
        unit: None,
        doc: None,
    };
    let question = Question {
        pattern,
        parameters: vec![parameter],
        doctrine: vec![],
        guards: vec![],
        invariants: vec![],
        examples: vec![],
        refusals: vec![],
    };
    let plan = remedies.propose(&question).unwrap().unwrap();
    assert_eq!((plan.changes[0].path.as_str(), &plan.changes[0].value), ("concurrency", &json!(32)));
}
