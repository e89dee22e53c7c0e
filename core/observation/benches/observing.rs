//! What reads and appends cost while a million observations a second are drained, added up, sealed and written to the disk, and what each
//! of them costs from the append to there.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;
#[path = "../tests/observation/world.rs"]
mod world;

use std::cell::OnceCell;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use driver::{Program, Sample, median, ns_per_tick, plain_round, ticks};
use knhk_hot::artifact::{Builder, Value};
use knhk_hot::layout::Key;
use knhk_hot::{Change, Observed, Reader, ReaderOptions};
use knhk_observation::{Monitor, Retention, Settings};
use knhk_store::SqliteStore;
use world::{KEYS, MAX_QTY, World, append, order};

const CHUNK: u64 = 65_536;
/// Observations a second that others make meanwhile, and how often they wake to do so.
const RATE: u64 = 1_000_000;
const BEAT: Duration = Duration::from_millis(1);
/// Appends that are timed together; they fit a ring that was just drained.
const BURST: u64 = 512;
const BURSTS: usize = 40;
/// Observations of a round that goes through to the disk.
const THROUGH: u64 = 500_000;
const RING: usize = 1 << 16;

thread_local! {
    static READER: OnceCell<Reader> = const { OnceCell::new() };
}

/// A world on the disk, observed, for as long as the process lives.
struct Watched {
    world: World,
    monitor: Monitor,
    _folder: tempfile::TempDir,
}

fn watched() -> Arc<Watched> {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(&folder.path().join("store.sqlite")).expect("a store");
    let world = World::new(Arc::new(store), RING);
    let mut values = Builder::new(KEYS.len() as u32);
    values.set(MAX_QTY, Value::I64(1000));
    let artifact = Arc::new(values.finish().expect("the value fits"));
    let change = Change { sector: 0, artifact, snapshot_id: [1; 32], ready: true };
    world.hot.publish(&[change]).expect("the first publication succeeds");
    let mut settings = Settings::default();
    settings.retention = Retention { bytes: Some(256 << 20), age: None };
    let monitor = world.monitor(settings);
    let reader = world.hot.register(ReaderOptions::default()).expect("a reader");
    READER.with(|cell| cell.set(reader).unwrap_or_else(|_| unreachable!("set once")));
    Arc::new(Watched { world, monitor, _folder: folder })
}

/// A thread that observes at [`RATE`] until it is stopped.
struct Producer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
    begun: Instant,
}

impl Producer {
    fn start(observed: &Arc<Watched>) -> Producer {
        let (stop, observed) = (Arc::new(AtomicBool::new(false)), observed.clone());
        let stopping = stop.clone();
        let begun = Instant::now();
        let thread = std::thread::spawn(move || {
            let reader = observed.world.reader();
            let (mut made, mut accepted) = (0, 0);
            while !stopping.load(Ordering::Acquire) {
                let due = begun.elapsed().as_micros() as u64 * RATE / 1_000_000;
                for n in made..due {
                    accepted += u64::from(reader.observe(&reader.view(), order((n % 1000) as i64)));
                }
                made = due;
                std::thread::sleep(BEAT);
            }
            accepted
        });
        // Every thread on the way is at work before anything is measured.
        std::thread::sleep(Duration::from_millis(50));
        Producer { stop, thread, begun }
    }

    /// Ends it; gives the accepted observations a second.
    fn stop(self) -> f64 {
        self.stop.store(true, Ordering::Release);
        let accepted = self.thread.join().expect("appending does not panic");
        accepted as f64 / self.begun.elapsed().as_secs_f64()
    }
}

#[unsafe(no_mangle)]
#[inline(never)]
fn loop_read_observing(reader: &Reader, key: Key, n: u64) -> u64 {
    (0..n).fold(0, |sum: u64, _| sum.wrapping_add(reader.view().get_i64(key, 1) as u64))
}

fn read(n: u64) -> u64 {
    READER.with(|cell| cell.get().map_or(0, |reader| loop_read_observing(reader, Key::new(0, MAX_QTY), n)))
}

/// Bursts of appends, each timed, with the monitor draining.
fn bursts(observed: &Watched) -> Sample {
    READER.with(|cell| {
        let reader = cell.get().expect("it was registered");
        let (mut times, mut accepted) = (Vec::with_capacity(BURSTS), 0);
        let made = |n| Observed { time_ns: Some(n), ..order(1) };
        for _ in 0..BURSTS {
            let view = reader.view();
            let begin = ticks();
            accepted += (0..BURST).map(|n| u64::from(reader.observe(&view, made(n)))).sum::<u64>();
            times.push((ticks() - begin) as f64 * ns_per_tick() / BURST as f64);
            let drained = observed.monitor.stats().drained;
            while observed.monitor.stats().drained < drained + BURST {
                std::hint::spin_loop();
            }
        }
        let accepted = Some(accepted as f64 / (BURST * BURSTS as u64) as f64);
        Sample { ns: median(&mut times), accepted, ..Sample::default() }
    })
}

/// From the first append until all is durable.
fn through(observed: &Watched) -> Sample {
    READER.with(|cell| {
        let reader = cell.get().expect("it was registered");
        let begin = Instant::now();
        for n in 0..THROUGH {
            append(reader, order((n % 1000) as i64));
        }
        observed.monitor.flush().expect("there is room on the disk");
        Sample { ns: begin.elapsed().as_nanos() as f64 / THROUGH as f64, ..Sample::default() }
    })
}

fn main() {
    let observed = watched();
    let mut program = Program::default();
    program.plain("read_quiet", CHUNK, read);
    let with = observed.clone();
    program.add("read_observing", move || {
        let producer = Producer::start(&with);
        let sample = plain_round(CHUNK, &mut |n| black_box(read(n)));
        Sample { rate: Some(producer.stop()), ..sample }
    });
    let with = observed.clone();
    program.add("append_observing", move || {
        let producer = Producer::start(&with);
        let sample = bursts(&with);
        Sample { rate: Some(producer.stop()), ..sample }
    });
    program.add("observed_through", move || through(&observed));
    program.run();
}
