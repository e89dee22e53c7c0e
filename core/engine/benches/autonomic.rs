//! What the loop costs: looking at a minute of observations, a whole cycle, from what is recorded to what is promoted and kept, and what reads
//! cost beside turns that follow one another without a pause.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use driver::{Program, Sample, median, ns_per_tick, plain_round, ticks};
use knhk_engine::autonomic::{Cycle, CycleOutcome, Settings};
use knhk_engine::control::Content;
use knhk_engine::governance::Propose;
use knhk_engine::{Engine, Key, Observations, Observed, Options, Outcome, Reader, ReaderOptions, SectorKind, Signer};
use knhk_hot::raw;
use knhk_warm::{Clock, ManualClock};

const GATEWAY: &str = r#"
    @prefix : <urn:knhk:gateway:> . @prefix k: <urn:knhk:core:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
    :concurrency k:value 64 ; k:min 1 ; k:max 512 .
    :Served a k:ObservationKind ; k:valueType "i64" ; k:unit "µs" ; k:min 0 ; k:concerns :concurrency ; rdfs:comment "Answered." .
    :Errors a k:Watch ; k:watches :Served ; k:detector "error-ratio" ; k:sample 1 ; k:confidence 0.999999 ; rdfs:comment "Errors." .
    :Latency a k:Watch ; k:watches :Served ; k:detector "robust" ; k:measure "p50" ; k:sample 1 ; k:confidence 0.999999999 ; rdfs:comment "Slow." .
    :Traffic a k:Watch ; k:watches :Served ; k:detector "rate" ; k:sample 1 ; k:confidence 0.999999999 ; rdfs:comment "Many." .
    :Silence a k:Watch ; k:watches :Served ; k:detector "heartbeat" ; k:sample 1 ; k:confidence 0.999999 ; rdfs:comment "None." .
    :Types a k:Watch ; k:watches :Served ; k:detector "mismatch" ; k:sample 1 ; k:confidence 0.999999 ; rdfs:comment "Other." .
    :LowerOnErrors a k:Remedy ; k:when :Errors ; k:moves :concurrency ; k:times 0.6 ; rdfs:comment "Ask less." .
"#;
/// Records of a second.
const RECORDS: u64 = 1000;
const SECOND: u64 = 1_000_000_000;
/// What is measured in a round.
const TIMES: usize = 5;
/// Reads between two looks at the clock.
const CHUNK: u64 = 65_536;
/// Observations that are made before each turn beside reads.
const BURST: u64 = 512;

fn main() {
    let mut program = Program::default();
    program.add("detection_minute", || timed(detection));
    program.add("cycle", || timed(cycle));
    let gateway = Rc::new(Gateway::new());
    let quiet = gateway.clone();
    program.plain("read_without_loop", CHUNK, move |n| loop_read_beside_loop(&quiet.reader, quiet.served, n));
    program.add("read_beside_loop", move || {
        let turns = Turns::start(&gateway);
        let sample = plain_round(CHUNK, &mut |n| loop_read_beside_loop(&gateway.reader, gateway.served, n));
        Sample { rate: Some(turns.stop()), ..sample }
    });
    program.run();
}

#[unsafe(no_mangle)]
#[inline(never)]
fn loop_read_beside_loop(reader: &Reader, key: Key<i64>, n: u64) -> u64 {
    let (line, key) = (reader.as_raw().as_ptr(), key.raw());
    // SAFETY: registered by this thread; each view ends before the next begins.
    let read = || unsafe {
        let view = raw::begin(line);
        let value = raw::get_i64(view, key, 1);
        raw::end(line, view);
        value as u64
    };
    (0..n).fold(0, |sum: u64, _| sum.wrapping_add(read()))
}

/// A thread that observes, lets time pass, and takes a turn, again and again.
struct Turns {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
    begun: Instant,
}

impl Turns {
    fn start(gateway: &Gateway) -> Turns {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopping, engine, clock, served) =
            (stop.clone(), gateway.engine.clone(), gateway.clock.clone(), gateway.served);
        let thread = std::thread::spawn(move || {
            let reader = engine.register_reader(ReaderOptions::default()).expect("memory for a reader");
            let mut turns = 0;
            while !stopping.load(Ordering::Acquire) {
                for n in 0..BURST {
                    reader.observe(&reader.view(), Observed::i64(served.raw(), 800 + n as i64, Outcome::Success));
                }
                clock.advance(Duration::from_millis(500));
                engine.loop_step().expect("the store is in memory");
                turns += 1;
            }
            turns
        });
        Turns { stop, thread, begun: Instant::now() }
    }

    /// Ends it; gives turns a second.
    fn stop(self) -> f64 {
        self.stop.store(true, Ordering::Release);
        let turns = self.thread.join().expect("a turn does not panic");
        turns as f64 / self.begun.elapsed().as_secs_f64()
    }
}

struct Gateway {
    engine: Engine,
    clock: Arc<ManualClock>,
    served: Key<i64>,
    reader: Reader,
}

impl Gateway {
    fn new() -> Gateway {
        let clock = Arc::new(ManualClock::new(2_000_000_000 * SECOND));
        let mut options = Options::default();
        options.signer = Some(Signer::from_seed(&[1; 32]));
        options.observations = Some(Observations::default());
        options.time = Some(clock.clone());
        options.hot.ring_records = 1 << 17;
        let engine = Engine::open(":memory:", options).expect("the engine opens");
        engine.create_sector("gateway", SectorKind::Governed).expect("the name is new");
        let first = Content::Document { text: GATEWAY.into(), format: Some("turtle".into()) };
        let first = engine.propose(&Propose::of("gateway", first, "bench", "to begin with")).expect("it can be judged");
        assert_eq!(first.state.as_str(), "enacted", "{}", first.said);
        engine.start_loop(Settings { every_ms: 0, ..Settings::default() }).expect("it observes");
        let served = engine.key("gateway", "concurrency").expect("it is there");
        let reader = engine.register_reader(ReaderOptions::default()).expect("memory for a reader");
        Gateway { engine, clock, served, reader }
    }

    /// With a minute behind it.
    fn watched() -> Gateway {
        let gateway = Gateway::new();
        // The first turn says from when on is watched.
        gateway.turn();
        (0..60).for_each(|_| gateway.second(100));
        gateway.turn();
        gateway
    }

    /// A second of traffic, of which one in `failing` fails.
    fn second(&self, failing: u64) {
        let from = self.clock.now_ns();
        for n in 0..RECORDS {
            let outcome = if n % failing == 0 { Outcome::Error } else { Outcome::Success };
            let value = 800 + (n * 7919 % 101) as i64;
            let time_ns = Some(from + n * SECOND / RECORDS);
            let what = Observed { time_ns, ..Observed::i64(self.served.raw(), value, outcome) };
            assert!(self.reader.observe(&self.reader.view(), what), "the ring has room");
        }
        self.clock.advance(Duration::from_secs(1));
    }

    fn turn(&self) -> Vec<Cycle> {
        self.engine.loop_step().expect("the store is in memory")
    }
}

/// A turn over a minute of 1,000 observations a second, five watches, made durable before: sorted into samples, and looked at.
fn detection() -> u64 {
    let gateway = Gateway::watched();
    (0..60).for_each(|_| gateway.second(100));
    gateway.engine.flush_observations().expect("the store is in memory");
    let start = ticks();
    gateway.turn();
    ticks() - start
}

/// Turns that find a fault, have a rule plan, the pipeline judge, and the change promoted, recorded and learned from: what became of a change is
/// taken up by the turn after it.
fn cycle() -> u64 {
    let gateway = Gateway::watched();
    gateway.second(3);
    let start = ticks();
    let cycles = (0..3).map(|_| gateway.turn()).find(|cycles| cycles.iter().any(|cycle| cycle.outcome.is_some()));
    let took = ticks() - start;
    let cycles = cycles.unwrap_or_default();
    assert_eq!(cycles.first().and_then(|cycle| cycle.outcome), Some(CycleOutcome::Kept), "{cycles:?}");
    took
}

fn timed(mut once: impl FnMut() -> u64) -> Sample {
    let mut taken: Vec<f64> = (0..TIMES).map(|_| once() as f64 * ns_per_tick()).collect();
    Sample { ns: median(&mut taken), ..Sample::default() }
}
