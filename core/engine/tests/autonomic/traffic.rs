//! A governed gateway with watches and remedies, and its traffic: second by second, from a seed, with faults as they are asked for.

use std::time::Duration;

use knhk_engine::autonomic::{Cycle, ReplaySpan, Settings};
use knhk_engine::control::Content;
use knhk_engine::governance::Propose;
use knhk_engine::{Engine, Key, Observations, Observed, Options, Outcome, Reader, ReaderOptions, SectorKind};
use knhk_resilience::Random;
use serde_json::Value;

use crate::world::{SECOND, World, told};

pub const GATEWAY: &str = r#"
    @prefix : <urn:knhk:gateway:> . @prefix k: <urn:knhk:core:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
    :concurrency k:value 64 ; k:min 1 ; k:max 512 . :timeout_ms k:value 800 ; k:min 50 ; k:max 5000 ; k:unit "ms" .
    :admitted k:value 400 ; k:min 1 ; k:max 5000 . :strict k:value false . :failures k:value 40 ; k:unit "%" .
    <urn:knhk:gateway:governance/probation_seconds> k:value PROBATION .
    <urn:knhk:gateway:governance/read_budget_ns> k:value 1e9 . <urn:knhk:gateway:governance/tail_budget_ns> k:value 1e9 .
    <urn:knhk:gateway:governance/lookup_budget_ns> k:value 1e9 . <urn:knhk:gateway:governance/slowdown_percent> k:value 1e6 .
    <urn:knhk:gateway:governance/apply_budget_ms> k:value 1e6 . <urn:knhk:gateway:governance/cpu_budget_ms> k:value 1e6 .
    <urn:knhk:gateway:governance/measure_ms> k:value 60000 .
    :Served a k:ObservationKind ; k:valueType "i64" ; k:unit "µs" ; k:min 0 ; k:max 10000000 ; k:concerns :concurrency ;
        rdfs:comment "A request was answered." .
    :Healthy a k:Slo ; k:indicator :Served ; k:aggregate "failure_share" ; k:atMost :failures ; k:window 10 ; k:onMissingData "keep" ;
        rdfs:comment "Not too many fail." .
    :Errors a k:Watch ; k:watches :Served ; k:detector "error-ratio" ; k:sample 1 ; k:confidence 0.999999 ; rdfs:comment "More fail than before." .
    :Latency a k:Watch ; k:watches :Served ; k:detector "robust" ; k:measure "p50" ; k:sample 1 ; k:confidence 0.99999999 ;
        rdfs:comment "Answers take longer." .
    :Traffic a k:Watch ; k:watches :Served ; k:detector "rate" ; k:sample 1 ; k:confidence 0.999999 ; rdfs:comment "More or fewer come." .
    :Silence a k:Watch ; k:watches :Served ; k:detector "heartbeat" ; k:sample 1 ; k:confidence 0.999 ; rdfs:comment "Nothing comes any more." .
    :Types a k:Watch ; k:watches :Served ; k:detector "mismatch" ; k:sample 1 ; k:confidence 0.999999 ;
        rdfs:comment "What is recorded is not what is declared." .
    :LowerOnErrors a k:Remedy ; k:when :Errors ; k:direction "above" ; k:moves :concurrency ; k:times 0.6 ; k:notBelow 4 ;
        rdfs:comment "An upstream that fails is asked less." .
    :WaitLess a k:Remedy ; k:when :Latency ; k:direction "above" ; k:moves :timeout_ms ; k:times 0.7 ;
        rdfs:comment "What is slow is given up earlier." .
    :AdmitMore a k:Remedy ; k:when :Traffic ; k:direction "above" ; k:moves :admitted ; k:by 100 ; rdfs:comment "More come: more are let in." .
    :AdmitFewer a k:Remedy ; k:when :Silence ; k:moves :admitted ; k:times 0.8 ; rdfs:comment "Nothing comes: begin slowly." .
    :BeStrict a k:Remedy ; k:when :Types ; k:moves :strict ; k:to true ; rdfs:comment "What is mistyped is refused." .
"#;

/// What is unlike the usual in a second.
#[derive(Clone, Copy)]
pub struct Second {
    pub rate: f64,
    pub failing: f64,
    pub slower: f64,
    pub mistyped: f64,
}

pub const USUAL: Second = Second { rate: 60.0, failing: 0.01, slower: 1.0, mistyped: 0.0 };

pub struct Gateway {
    pub world: World,
    served: Key<i64>,
    reader: Option<Reader>,
    random: Random,
}

pub fn options(world: &World) -> Options {
    let mut options = world.options();
    options.observations = Some(Observations::default());
    options.hot.ring_records = 4096;
    options
}

/// No thread: the tests take the turns.
pub fn by_hand() -> Settings {
    Settings { every_ms: 0, ..Settings::default() }
}

impl Gateway {
    pub fn new(seed: u64, probation_s: u64, settings: Settings) -> Gateway {
        Gateway::of(SectorKind::Governed, seed, probation_s, settings)
    }

    /// In a sector of this kind.
    pub fn of(kind: SectorKind, seed: u64, probation_s: u64, settings: Settings) -> Gateway {
        let mut world = World::empty();
        world.engine().close();
        world.engine = Some(Engine::open(world.location(), options(&world)).unwrap());
        let engine = world.engine();
        engine.create_sector("gateway", kind).unwrap();
        let text = GATEWAY.replace("PROBATION", &probation_s.to_string());
        let first = Content::Document { text, format: Some("turtle".into()) };
        let proposal = engine.propose(&Propose::of("gateway", first, "ops-1", "the test asks")).unwrap();
        assert_eq!(proposal.state.as_str(), "enacted", "{}", told(&proposal.reports));
        engine.start_loop(settings).unwrap();
        let served = engine.key("gateway", "concurrency").unwrap();
        let reader = Some(engine.register_reader(ReaderOptions::default()).unwrap());
        Gateway { world, served, reader, random: Random::new(seed) }
    }

    pub fn engine(&self) -> &Engine {
        self.world.engine()
    }

    /// Closes the engine.
    pub fn close(&mut self) {
        self.reader = None;
        if let Some(engine) = self.world.engine.take() {
            engine.close();
        }
    }

    /// Gives the engine away, and holds it no more.
    pub fn let_go(&mut self) -> Engine {
        self.reader = None;
        self.world.engine.take().unwrap()
    }

    /// Closes the engine and opens it again, with the loop.
    pub fn reopen(&mut self, settings: Settings) {
        self.reader = None;
        self.world.engine.take().unwrap().close();
        let engine = Engine::open(self.world.location(), options(&self.world)).unwrap();
        engine.start_loop(settings).unwrap();
        self.served = engine.key("gateway", "concurrency").unwrap();
        self.reader = Some(engine.register_reader(ReaderOptions::default()).unwrap());
        self.world.engine = Some(engine);
    }

    /// One more second of traffic.
    pub fn traffic(&mut self, second: Second) {
        let (count, from) = (self.poisson(second.rate), knhk_warm::Clock::now_ns(&*self.world.clock));
        for place in 0..count {
            let latency = (800.0 * (0.5 * self.normal()).exp() * second.slower) as i64;
            let failed = self.random.unit() < second.failing;
            let outcome = if failed { Outcome::Error } else { Outcome::Success };
            let mistyped = self.random.unit() < second.mistyped;
            let time_ns = Some(from + SECOND * place / count);
            let value = if mistyped { -1 } else { latency };
            let what = Observed { time_ns, ..Observed::i64(self.served.raw(), value, outcome) };
            let reader = self.reader.as_ref().unwrap();
            assert!(reader.observe(&reader.view(), what));
        }
        self.world.clock.advance(Duration::from_secs(1));
    }

    /// A second of traffic, a turn, and what is due then; gives the cycles that the turn touched.
    pub fn second(&mut self, second: Second) -> Vec<Cycle> {
        self.traffic(second);
        self.engine().settle_probations().unwrap();
        self.engine().loop_step().unwrap()
    }

    pub fn seconds(&mut self, count: usize, second: Second) -> Vec<Cycle> {
        (0..count).flat_map(|_| self.second(second)).collect()
    }

    pub fn value(&self, path: &str) -> Value {
        let document: Value = serde_json::from_str(&self.engine().export_json("gateway", None).unwrap()).unwrap();
        let leaf = &document[path];
        leaf.get("$value").unwrap_or(leaf).clone()
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

/// Every run of these tests is recomputed at its end, and equals its receipts.
impl Drop for Gateway {
    fn drop(&mut self) {
        let Some(engine) = self.world.engine.as_ref().filter(|_| !std::thread::panicking()) else { return };
        engine.stop_loop().unwrap();
        let replayed = engine.replay(&ReplaySpan::default()).unwrap();
        assert!(replayed.equal && replayed.missing.is_empty() && replayed.left_out.is_empty(), "{replayed:#?}");
    }
}
