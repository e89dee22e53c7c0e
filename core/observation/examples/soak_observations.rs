//! Observations at a rate, for a time, through to the disk: each accepted one is accounted for, or the program fails.
//!
//! `cargo run --release -p knhk-observation --example soak_observations -- --rate 1e6 --seconds 600`. Without `--rate` it looks for the highest rate of
//! those in steps of 250,000 that holds for `--seconds`: at which less than one in 10,000 is refused (the error budget of ingestion), and
//! nothing else is lost.

#[path = "../tests/observation/world.rs"]
mod world;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use knhk_hot::layout::Key;
use knhk_hot::{Observed, ReaderOptions};
use knhk_observation::{Monitor, Record, Retention, Settings, prove, records};
use knhk_store::{SegmentQuery, SqliteStore, Store};
use world::{MAX_QTY, World, order};

const USAGE: &str = "usage: soak [--rate N] [--from N] [--seconds N] [--threads N] [--held-bytes N] [--folder PATH]";
/// One in so many may be refused.
const BUDGET: u64 = 10_000;
/// Records of a producer's ring.
const RING: usize = 1 << 16;
/// How often a producer wakes to make what is due.
const BEAT: Duration = Duration::from_millis(2);
/// Segments that a proof is made and checked in, at most.
const PROVEN: usize = 500;

struct Arguments {
    rate: Option<u64>,
    from: u64,
    seconds: u64,
    threads: u64,
    held_bytes: u64,
    folder: Option<PathBuf>,
}

fn arguments() -> Option<Arguments> {
    let mut arguments =
        Arguments { rate: None, from: 2_000_000, seconds: 20, threads: 4, held_bytes: 1 << 30, folder: None };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let value = given.next()?;
        let number = value.parse::<f64>().map(|number| number as u64);
        match name.as_str() {
            "--rate" => arguments.rate = Some(number.ok()?),
            "--from" => arguments.from = number.ok()?,
            "--seconds" => arguments.seconds = number.ok()?,
            "--threads" => arguments.threads = number.ok().filter(|threads| *threads > 0)?,
            "--held-bytes" => arguments.held_bytes = number.ok()?,
            "--folder" => arguments.folder = Some(value.into()),
            _ => return None,
        }
    }
    Some(arguments)
}

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    if let Some(rate) = arguments.rate {
        let held = run(&arguments, rate);
        return if held { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let mut best = None;
    for rate in (arguments.from..).step_by(250_000) {
        if !run(&arguments, rate) {
            break;
        }
        best = Some(rate);
    }
    match best {
        Some(rate) => println!("\nthe highest rate that holds for {} s: {rate} a second", arguments.seconds),
        None => println!("\n{} a second do not hold", arguments.from),
    }
    if best.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether a rate holds, with everything accounted for.
fn run(arguments: &Arguments, rate: u64) -> bool {
    let folder = match &arguments.folder {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    };
    let folder = folder.expect("a folder for the store");
    let path = folder.path().join("store.sqlite");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path).expect("the store opens"));
    let world = World::new(store, RING);
    let mut settings = Settings::default();
    settings.retention = Retention { bytes: Some(arguments.held_bytes), age: None };
    let mut monitor = world.monitor(settings);
    println!(
        "\n{rate} a second by {} threads for {} s; retention: the newest {} MiB of observations (64 bytes each)",
        arguments.threads,
        arguments.seconds,
        arguments.held_bytes >> 20
    );
    println!("    s   accepted/s    refused   persisted/s   waiting  buffers  memory MiB  files MiB");
    let made = produce(&world, &monitor, arguments, rate, &path);
    let flushed = monitor.close();
    let stats = monitor.stats();
    check(&world, &made, &flushed.map(|()| stats), arguments)
}

/// What the producers did.
struct Made {
    accepted: Vec<u64>,
    refused: u64,
    seconds: f64,
    /// Resident memory each second.
    memory: Vec<u64>,
}

fn produce(world: &World, monitor: &Monitor, arguments: &Arguments, rate: u64, path: &Path) -> Made {
    let stop = AtomicBool::new(false);
    let counts: Vec<_> = (0..arguments.threads).map(|_| (AtomicU64::new(0), AtomicU64::new(0))).collect();
    let start = Instant::now();
    let mut memory = Vec::new();
    thread::scope(|scope| {
        for (producer, (accepted, refused)) in counts.iter().enumerate() {
            let stop = &stop;
            scope.spawn(move || {
                let options = ReaderOptions { ring_records: Some(RING), ..Default::default() };
                let reader = world.hot.register(options).expect("a reader");
                let (mut made, mut next, mut dropped) = (0_u64, 0, 0);
                while !stop.load(Relaxed) {
                    // What is due by now, of this producer's share.
                    let due = (start.elapsed().as_secs_f64() * rate as f64 / arguments.threads as f64) as u64;
                    for _ in made..due {
                        let view = reader.view();
                        if reader.observe(&view, observed(producer as u64, next)) {
                            next += 1;
                        } else {
                            dropped += 1;
                        }
                    }
                    made = made.max(due);
                    accepted.store(next, Relaxed);
                    refused.store(dropped, Relaxed);
                    thread::sleep(BEAT);
                }
            });
        }
        let sum = |of: fn(&(AtomicU64, AtomicU64)) -> &AtomicU64| -> u64 {
            counts.iter().map(|count| of(count).load(Relaxed)).sum()
        };
        let (mut accepted_before, mut persisted_before) = (0, 0);
        for second in 1..=arguments.seconds {
            thread::sleep((start + Duration::from_secs(second)).saturating_duration_since(Instant::now()));
            let (accepted, refused, stats) = (sum(|count| &count.0), sum(|count| &count.1), monitor.stats());
            memory.push(resident());
            if second % (arguments.seconds / 20).max(1) == 0 {
                println!(
                    "{second:5} {:12} {refused:10} {:13} {:9} {:8} {:11} {:10}",
                    (accepted - accepted_before),
                    (stats.persisted - persisted_before),
                    accepted.saturating_sub(stats.persisted),
                    stats.buffers,
                    memory[memory.len() - 1] >> 20,
                    files(path) >> 20
                );
            }
            (accepted_before, persisted_before) = (accepted, stats.persisted);
        }
        stop.store(true, Relaxed);
    });
    let accepted: Vec<u64> = counts.iter().map(|(accepted, _)| accepted.load(Relaxed)).collect();
    let refused = counts.iter().map(|(_, refused)| refused.load(Relaxed)).sum();
    Made { accepted, refused, seconds: start.elapsed().as_secs_f64(), memory }
}

/// The observation that a producer makes n-th: what is stored can be compared with it.
fn observed(producer: u64, n: u64) -> Observed {
    let mixed = (n + producer).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let customer = (mixed >> 32) % 10_000;
    Observed { subject: customer, detail: producer << 48 | n, ..order(1 + (mixed >> 20) as i64 % 1020) }
}

fn check(
    world: &World,
    made: &Made,
    closed: &Result<knhk_observation::ObserveStats, knhk_observation::ObservationError>,
    arguments: &Arguments,
) -> bool {
    let stats = match closed {
        Ok(stats) => stats,
        Err(error) => {
            println!("FAILED: {error}");
            return false;
        }
    };
    let accepted: u64 = made.accepted.iter().sum();
    let started = Instant::now();
    let verified = world.verified();
    let verify_seconds = started.elapsed().as_secs_f64();
    let (held, wrong) = held(world, made);
    let proven = proofs(world);
    let settled = &made.memory[made.memory.len() / 4..];
    let [first, last] = [settled.first(), settled.last()].map(|bytes| bytes.map_or(0, |bytes| bytes >> 20));
    let mut good = true;
    let mut say = |what: String, holds: bool| {
        println!("  {} {what}", if holds { "ok    " } else { "FAILED" });
        good &= holds;
    };
    say(format!("accepted {accepted}: {:.0} a second", accepted as f64 / made.seconds), accepted > 0);
    say(format!("refused  {}: at most one in {BUDGET}", made.refused), made.refused * BUDGET <= accepted);
    say(format!("persisted {} under {} receipts", stats.persisted, stats.segments), stats.persisted == accepted);
    say(format!("refused as receipts state it: {}", stats.refused), stats.refused == made.refused);
    say(
        format!(
            "verified {} receipts in {verify_seconds:.2} s: {} observations held, {} dropped",
            verified.receipts, verified.observations, verified.dropped
        ),
        verified.observations + verified.dropped == accepted,
    );
    say(format!("held observations are those that were made: {held} compared, {wrong} wrong"), wrong == 0 && held > 0);
    say(format!("proofs of a sample: {proven}"), proven > 0);
    let most = arguments.held_bytes + 2 * (16_384 * 64);
    say(format!("retention: {} MiB held", stats.held_bytes >> 20), stats.held_bytes <= most);
    // Buffers and caches fill once; a leak of a byte an observation would be a gigabyte in a quarter of an hour.
    say(
        format!("memory: {first} MiB after a quarter of the time, {last} MiB at the end"),
        last <= first + first / 10 + 16,
    );
    println!("         stored {:.1} bytes an observation", stats.stored_bytes as f64 / stats.persisted.max(1) as f64);
    good
}

/// Compares every observation that is held with the one that was made.
fn held(world: &World, made: &Made) -> (u64, u64) {
    let (mut count, mut wrong, mut from) = (0, 0, 0);
    let mut last: HashMap<u64, u64> = HashMap::new();
    loop {
        let page = world.store.segments(&SegmentQuery { from, held: true, ..Default::default() }).expect("segments");
        let Some(end) = page.last() else { break };
        from = end.number + 1;
        for segment in &page {
            for record in records(&*world.store, segment.number).expect("a segment") {
                count += 1;
                let (producer, n) = (record.detail >> 48, record.detail & ((1 << 48) - 1));
                let gap = last.insert(producer, n).is_some_and(|before| before + 1 != n);
                wrong += u64::from(gap || !is_as_made(&record, producer, n));
            }
        }
    }
    // The newest of each producer is the last that was accepted.
    let ends = made.accepted.iter().enumerate().filter(|(_, accepted)| **accepted > 0);
    wrong +=
        ends.filter(|(producer, accepted)| last.get(&(*producer as u64)) != Some(&(**accepted - 1))).count() as u64;
    (count, wrong)
}

fn is_as_made(record: &Record, producer: u64, n: u64) -> bool {
    let made = observed(producer, n);
    (record.sequence, record.value, record.outcome, record.subject) == (n, made.bits, made.outcome, made.subject)
        && record.slot == Key::new(0, MAX_QTY).slot()
}

/// Proves one observation of each of some segments; gives how many proofs there were, or 0 where one did not hold.
fn proofs(world: &World) -> usize {
    let keys = world.ledger.keys().expect("the log's keys");
    let query = SegmentQuery { held: true, limit: Some(1 << 20), ..Default::default() };
    let held = world.store.segments(&query).expect("segments");
    let sample: Vec<_> = held.iter().filter(|one| one.count > 0).step_by(held.len() / PROVEN + 1).collect();
    let holds = |number: u64, index: u64| {
        let (record, proof) = prove(&*world.store, number, index).expect("a proof");
        proof.verify(&record, &keys).is_ok()
    };
    let index = |number: u64, count: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % count;
    let all = sample.iter().all(|segment| holds(segment.number, index(segment.number, segment.count)));
    if all { sample.len() } else { 0 }
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

/// Bytes of the store's files.
fn files(path: &Path) -> u64 {
    let size = |suffix: &str| {
        let file = PathBuf::from(format!("{}{suffix}", path.display()));
        std::fs::metadata(file).map_or(0, |metadata| metadata.len())
    };
    size("") + size("-wal") + size("-shm")
}
