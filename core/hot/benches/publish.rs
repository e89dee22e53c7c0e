//! What publishing costs the promoter: the swap of a root whose 8 sectors all change, and a whole publication of compiled artifacts.

mod driver;
mod fixture;

use std::arch::x86_64::{__rdtscp, _mm_lfence, _mm_mfence};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use driver::{Gaps, Program, Sample, median, ns_per_tick, ticks};
use fixture::{SECTORS, changes, keys};
use knhk_hot::layout::Key;
use knhk_hot::{Change, Hot, ReaderOptions};

/// Publications between two reclaims, which are not the promoter's work: less than half of the ring of retired roots.
const BATCH: usize = 100;
const BATCHES: usize = 40;

/// What two looks at the clock cost, in ticks; the mean, because the clock moves in steps.
fn empty() -> f64 {
    let total: u64 = (0..4096).map(|_| clocked(|| ())).sum();
    total as f64 / 4096.0
}

/// The ticks of `f` alone. The counter is read without regard to what is on its way: without the fences the swap would be charged with the
/// stores of building the root, which a busy cache may take hundreds of ticks for and which are `publish_call`'s, or its own exchange would
/// go uncounted.
#[inline(always)]
fn clocked<T>(f: impl FnOnce() -> T) -> u64 {
    // SAFETY: fences and the counter, which every x86-64 processor has, and `rdtscp`, which all since 2008 have.
    unsafe {
        _mm_mfence();
        _mm_lfence();
        let start = ticks();
        _mm_lfence();
        black_box(f());
        let end = __rdtscp(&mut 0);
        _mm_lfence();
        end - start
    }
}

/// Times `BATCH * BATCHES` calls of `publish`, which clocks its own part and returns the ticks.
fn round(hot: &Hot, made: &[Vec<Change>; 2], publish: impl Fn(&[Change]) -> u64) -> Sample {
    let (empty, mut gaps, mut means) = (empty(), Gaps::new(), Vec::with_capacity(BATCHES));
    for _ in 0..BATCHES {
        let mut total = 0;
        for i in 0..BATCH {
            let taken = publish(&made[i % 2]);
            gaps.record(taken);
            total += taken;
        }
        means.push((total as f64 / BATCH as f64 - empty) * ns_per_tick());
        hot.reclaim();
    }
    Sample { ns: median(&mut means), quantiles: Some(gaps.quantiles()), ..Sample::default() }
}

/// A thread that reads without a pause, and one reader that keeps its view open all the while.
struct Readers {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

impl Readers {
    fn start(hot: &Hot) -> Readers {
        let (hot, stop) = (hot.clone(), Arc::new(AtomicBool::new(false)));
        let stopping = stop.clone();
        let thread = std::thread::spawn(move || {
            let register = || hot.register(ReaderOptions::default()).expect("the reader registers");
            let (long, short, keys) = (register(), register(), keys::<64>());
            let held = long.view();
            while !stopping.load(Ordering::Acquire) {
                let read = |key: &Key| short.view().get_i64(*key, 0);
                black_box(keys.iter().map(read).fold(0, i64::wrapping_add));
            }
            black_box(held.epoch());
        });
        Readers { stop, thread }
    }

    fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.thread.join().expect("reading does not panic");
    }
}

fn swap(hot: &Hot, changes: &[Change]) -> u64 {
    let staged = hot.prepare(changes).expect("no reader stalls");
    clocked(|| staged.swap())
}

fn main() {
    let hot = fixture::hot();
    let made = Arc::new([changes(1), changes(2)]);
    let mut program = Program::default();
    let (cell, two) = (hot.clone(), made.clone());
    program.add("swap_per_sector", move || {
        let sample = round(&cell, &two, |changes| swap(&cell, changes));
        Sample { ns: sample.ns / f64::from(SECTORS), ..sample }
    });
    let (cell, two) = (hot.clone(), made.clone());
    program.add("swap_call", move || {
        let readers = Readers::start(&cell);
        let sample = round(&cell, &two, |changes| swap(&cell, changes));
        readers.stop();
        sample
    });
    program.add("publish_call", move || {
        let readers = Readers::start(&hot);
        let publish = |changes: &[Change]| clocked(|| hot.publish(changes).expect("no reader stalls"));
        let sample = round(&hot, &made, publish);
        readers.stop();
        sample
    });
    program.run();
}
