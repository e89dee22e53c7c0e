//! The benchmark driver of the Rust programs; `ffi/benches/driver.h` is its twin and states the protocol.
//!
//! A program lists its variants on stdout as one JSON line, then runs one round of a variant for each name it reads from
//! stdin and answers with one JSON line. `BENCH_CHUNK` in the environment fixes the operations of a chunk and makes a round
//! one chunk: instructions are then counted under callgrind, which collects inside functions named `loop_*`.
#![allow(dead_code, reason = "each program uses its part of the driver")]

use std::arch::x86_64::_rdtsc;
use std::cell::RefCell;
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a plain round takes.
const ROUND: Duration = Duration::from_millis(12);
/// How long a round takes that records each gap.
const GAP_ROUND: Duration = Duration::from_millis(100);

/// One round's outcome; times in nanoseconds.
#[derive(Default)]
pub struct Sample {
    /// The median over the round's chunks of time / operations.
    pub ns: f64,
    /// p50, p99, p99.9 and worst, where they were measured.
    pub quantiles: Option<[f64; 4]>,
    /// Events a second of the thread that disturbs.
    pub rate: Option<f64>,
    /// The share of operations that were accepted.
    pub accepted: Option<f64>,
}

type Round = Box<dyn FnMut() -> Sample>;

/// A program's variants.
#[derive(Default)]
pub struct Program {
    variants: Vec<(&'static str, Round)>,
}

impl Program {
    /// Adds a variant; `round` measures one round of it.
    pub fn add(&mut self, name: &'static str, round: impl FnMut() -> Sample + 'static) {
        self.variants.push((name, Box::new(round)));
    }

    /// Adds a variant whose `run(n)` does n operations, `chunk` of them between two looks at the clock.
    pub fn plain(&mut self, name: &'static str, chunk: u64, run: impl FnMut(u64) -> u64 + 'static) {
        let mut run = run;
        self.add(name, move || plain_round(chunk, &mut run));
    }

    /// [`Program::plain`] with an untimed chunk first, so that what other programs evicted since the last round is not measured.
    pub fn warmed(&mut self, name: &'static str, chunk: u64, run: impl FnMut(u64) -> u64 + 'static) {
        let mut run = run;
        self.add(name, move || {
            if counted().is_none() {
                black_box(run(chunk));
            }
            plain_round(chunk, &mut run)
        });
    }

    /// Lists the variants, then answers the names on stdin until it ends.
    pub fn run(mut self) {
        let names: Vec<String> = self.variants.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        say(&format!("{{\"variants\": [{}], \"ns_per_tick\": {}}}", names.join(", "), ns_per_tick()));
        for name in std::io::stdin().lock().lines() {
            let name = name.expect("stdin is readable");
            let Some((name, round)) = self.variants.iter_mut().find(|(known, _)| *known == name) else {
                eprintln!("no variant is called \"{name}\"");
                std::process::exit(2);
            };
            let sample = round();
            let mut line = format!("{{\"name\": \"{name}\", \"ns\": {:.5}", sample.ns);
            if let Some([p50, p99, p999, worst]) = sample.quantiles {
                line += &format!(", \"p50\": {p50:.2}, \"p99\": {p99:.2}, \"p999\": {p999:.2}, \"worst\": {worst:.1}");
            }
            if let Some(rate) = sample.rate {
                line += &format!(", \"rate\": {rate:.1}");
            }
            if let Some(accepted) = sample.accepted {
                line += &format!(", \"accepted\": {accepted:.6}");
            }
            say(&(line + "}"));
        }
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("stdout is writable");
}

/// The processor's time stamp counter.
#[inline(always)]
pub fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has the instruction.
    unsafe { _rdtsc() }
}

/// Nanoseconds in a tick of [`ticks`].
pub fn ns_per_tick() -> f64 {
    static RATIO: OnceLock<f64> = OnceLock::new();
    *RATIO.get_or_init(|| {
        let (start, start_ticks) = (Instant::now(), ticks());
        while start.elapsed() < Duration::from_millis(20) {}
        start.elapsed().as_nanos() as f64 / (ticks() - start_ticks) as f64
    })
}

/// The operations of the only chunk, while instructions are counted.
pub fn counted() -> Option<u64> {
    static COUNTED: OnceLock<Option<u64>> = OnceLock::new();
    *COUNTED.get_or_init(|| std::env::var("BENCH_CHUNK").ok()?.parse().ok())
}

/// Chunks until the round's time is over; the median chunk, because a preempted one says nothing about the code.
pub fn plain_round(chunk: u64, run: &mut dyn FnMut(u64) -> u64) -> Sample {
    let n = counted().unwrap_or(chunk);
    let mut chunks = Vec::with_capacity(1024);
    let start = Instant::now();
    loop {
        let begin = ticks();
        black_box(run(n));
        chunks.push((ticks() - begin) as f64 * ns_per_tick() / n as f64);
        if counted().is_some() || start.elapsed() > ROUND {
            return Sample { ns: median(&mut chunks), ..Sample::default() };
        }
    }
}

/// The median; `values` must not be empty.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Gaps between consecutive operations, in ticks: exact below the histogram's end, the worst always.
pub struct Gaps {
    counts: Vec<u32>,
    worst: u64,
}

impl Gaps {
    /// No gap yet.
    pub fn new() -> Gaps {
        Gaps { counts: vec![0; 65536], worst: 0 }
    }

    /// Records one gap.
    #[inline(always)]
    pub fn record(&mut self, ticks: u64) {
        let last = self.counts.len() - 1;
        self.counts[(ticks as usize).min(last)] += 1;
        self.worst = self.worst.max(ticks);
    }

    /// p50, p99, p99.9 and worst in nanoseconds.
    pub fn quantiles(&self) -> [f64; 4] {
        let total: u64 = self.counts.iter().map(|&count| u64::from(count)).sum();
        let quantile = |q: f64| {
            let wanted = (q * total as f64) as u64;
            let mut seen = 0;
            for (ticks, &count) in self.counts.iter().enumerate() {
                seen += u64::from(count);
                if seen > wanted && ticks < self.counts.len() - 1 {
                    return ticks as f64 * ns_per_tick();
                }
            }
            self.worst as f64 * ns_per_tick()
        };
        [quantile(0.5), quantile(0.99), quantile(0.999), self.worst as f64 * ns_per_tick()]
    }
}

/// One round of `run(n, gaps)`, which does n operations and records the gap after each.
pub fn gap_round(chunk: u64, run: &mut dyn FnMut(u64, &mut Gaps) -> u64) -> Sample {
    let gaps = RefCell::new(Gaps::new());
    let (start, mut total) = (Instant::now(), 0);
    while start.elapsed() < GAP_ROUND {
        black_box(run(chunk, &mut gaps.borrow_mut()));
        total += chunk;
    }
    let ns = start.elapsed().as_nanos() as f64 / total as f64;
    Sample { ns, quantiles: Some(gaps.borrow().quantiles()), ..Sample::default() }
}

/// A thread that publishes 10,000 times a second until it is stopped.
pub struct Writer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
    begun: Instant,
}

impl Writer {
    /// Starts the thread; `publish(i)` is its i-th publication.
    pub fn start(mut publish: impl FnMut(u64) + Send + 'static) -> Writer {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = stop.clone();
        let thread = std::thread::spawn(move || {
            // SAFETY: sets the calling thread's timer slack to one nanosecond; no memory is involved.
            unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1, 0, 0, 0) };
            let (start, mut events) = (Instant::now(), 0);
            while !stopping.load(Ordering::Acquire) {
                events += 1;
                publish(events);
                let due = start + Duration::from_micros(100 * events);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            events
        });
        Writer { stop, thread, begun: Instant::now() }
    }

    /// Ends the thread; returns the publications a second.
    pub fn stop(self) -> f64 {
        self.stop.store(true, Ordering::Release);
        let events = self.thread.join().expect("a publication does not panic");
        events as f64 / self.begun.elapsed().as_secs_f64()
    }
}
