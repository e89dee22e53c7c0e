//! The work itself: a promoter that publishes and rolls back, a reclaimer, a consumer, and readers that check each value they read.

use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};

use knhk_hot::artifact::{Artifact, Builder, Value};
use knhk_hot::layout::Key;
use knhk_hot::{BarrierChoice, Change, Hot, Options};

use crate::read;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Reads of all readers together.
    pub reads: u64,
    /// Readers.
    pub threads: usize,
    /// The readers' fences.
    pub barrier: BarrierChoice,
    /// The run ends after this time, however many reads there were.
    pub limit: Duration,
}

/// What was done.
#[derive(Debug)]
pub struct Outcome {
    pub reads: u64,
    pub views: u64,
    pub publications: u64,
    pub observed: u64,
    pub reclaimed: u64,
    pub barriers: u64,
    /// The first violation, if any.
    pub violation: Option<String>,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Outcome { reads, views, publications, observed, reclaimed, barriers, .. } = self;
        write!(f, "{reads} reads in {views} views, {publications} publications, {reclaimed} roots reclaimed after ")?;
        write!(f, "{barriers} barriers, {observed} observations")
    }
}

pub const SECTORS: usize = 8;
pub const SLOTS: u32 = 16;
/// Generations come round after this many; a multiple of 1 to 8.
pub const ROUND: u64 = 840;

/// Generation `generation`'s version of a sector: sector s changes with every (s + 1)th generation.
pub fn version(generation: u64, sector: usize) -> u64 {
    generation - generation % (sector as u64 + 1)
}

/// What a slot holds. Slot 0 of sector 0 holds the generation itself.
pub fn value(sector: usize, version: u64, slot: u32) -> i64 {
    (version + (u64::from(slot) << 32) + ((sector as u64) << 48)) as i64
}

pub const GENERATION: Key = Key::new(0, 0);

/// What everyone shares.
pub struct Shared {
    pub hot: Hot,
    pub plan: Plan,
    pub acknowledged: AtomicU64,
    pub reads: AtomicU64,
    pub views: AtomicU64,
    pub appended: AtomicU64,
    stop: AtomicBool,
    /// Every reader is gone: whatever was appended is there to be drained.
    read: AtomicBool,
    violation: std::sync::Mutex<Option<String>>,
}

impl Shared {
    pub fn over(&self) -> bool {
        self.stop.load(Relaxed)
    }

    pub fn violated(&self, what: String) {
        let mut violation = self.violation.lock().expect("nobody panics with it");
        violation.get_or_insert(what);
        self.stop.store(true, Relaxed);
    }
}

fn artifact(sector: usize, version: u64) -> Arc<Artifact> {
    let mut builder = Builder::new(SLOTS);
    for slot in 0..SLOTS {
        builder.set(slot, Value::I64(value(sector, version, slot)));
    }
    Arc::new(builder.finish().expect("integers in their slots"))
}

/// Every version of every sector, made once: unmapping one interrupts the other threads, which would hide a missing barrier.
fn artifacts() -> Vec<Vec<Arc<Artifact>>> {
    let of = |sector| (0..ROUND).step_by(sector + 1).map(|version| artifact(sector, version)).collect();
    (0..SECTORS).map(of).collect()
}

/// Runs the plan.
pub fn run(plan: Plan) -> Outcome {
    let options = Options { barrier: plan.barrier, retained_roots: 64, ring_records: 16, ..Options::default() };
    let shared = Shared {
        hot: Hot::new(options).expect("memory for one engine"),
        plan,
        acknowledged: AtomicU64::new(0),
        reads: AtomicU64::new(0),
        views: AtomicU64::new(0),
        appended: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        read: AtomicBool::new(false),
        violation: std::sync::Mutex::new(None),
    };
    let started = Instant::now();
    let mut promoter = Promoter { shared: &shared, artifacts: artifacts(), generation: 0, publications: 0, seed: 1 };
    promoter.publish(0, true);
    let (publications, observed) = std::thread::scope(|scope| {
        let promoter = scope.spawn(move || promoter.run());
        let reclaimer = scope.spawn(|| {
            while !shared.over() {
                shared.hot.wait_reclaim(Duration::from_micros(200));
                shared.hot.reclaim();
            }
        });
        let consumer = scope.spawn(|| consume(&shared));
        let readers: Vec<_> = (0..plan.threads)
            .map(|number| {
                scope.spawn({
                    let shared = &shared;
                    move || read::run(shared, number as u64 + 1)
                })
            })
            .collect();
        while !shared.over() && readers.iter().any(|reader| !reader.is_finished()) {
            if started.elapsed() > plan.limit {
                shared.stop.store(true, Relaxed);
            }
            readers.first().expect("at least one reader").thread().unpark();
            std::thread::park_timeout(Duration::from_millis(5));
        }
        for reader in readers {
            reader.join().expect("a reader reports, it does not panic");
        }
        shared.read.store(true, Release);
        shared.stop.store(true, Relaxed);
        reclaimer.join().expect("a reclaimer does not panic");
        (
            promoter.join().expect("a promoter reports, it does not panic"),
            consumer.join().expect("so does the consumer"),
        )
    });
    if observed != shared.appended.load(Acquire) {
        shared.violated(format!("{} observations were accepted, {observed} arrived", shared.appended.load(Relaxed)));
    }
    shared.hot.reclaim();
    let stats = shared.hot.stats();
    if stats.retained_roots != 0 {
        shared.violated(format!("{} roots stay although nobody reads", stats.retained_roots));
    }
    Outcome {
        reads: shared.reads.load(Relaxed),
        views: shared.views.load(Relaxed),
        publications,
        observed,
        reclaimed: stats.reclaimed_roots,
        barriers: stats.reclaim_batches,
        violation: shared.violation.into_inner().expect("nobody panicked with it"),
    }
}

struct Promoter<'s> {
    shared: &'s Shared,
    artifacts: Vec<Vec<Arc<Artifact>>>,
    generation: u64,
    publications: u64,
    seed: u64,
}

impl Promoter<'_> {
    /// The changes that lead to `generation`; all sectors where it is not the next one.
    fn changes(&self, generation: u64, all: bool) -> Vec<Change> {
        let changed = |&sector: &usize| all || version(generation, sector) == generation;
        let change = |sector: usize| {
            let version = version(generation, sector);
            // Now and then one of its own, which is unmapped when it is freed.
            let artifact = match self.publications.is_multiple_of(512) {
                true => artifact(sector, version),
                false => self.artifacts[sector][version as usize / (sector + 1)].clone(),
            };
            Change { sector, artifact, snapshot_id: [sector as u8; 32], ready: true }
        };
        (0..SECTORS).filter(changed).map(change).collect()
    }

    fn publish(&mut self, generation: u64, all: bool) {
        let changes = self.changes(generation, all);
        match self.shared.hot.publish(&changes) {
            Ok(epoch) => self.shared.acknowledged.store(epoch, Release),
            // A reader that is not scheduled may hold a bound for long.
            Err(knhk_hot::HotError::Stalled(_)) => return std::thread::yield_now(),
            Err(error) => return self.shared.violated(format!("publish: {error}")),
        }
        self.generation = generation;
        self.publications += 1;
    }

    fn run(mut self) -> u64 {
        let mut canary = false;
        while !self.shared.over() {
            let next = (self.generation + 1) % ROUND;
            match read::random(&mut self.seed) % 64 {
                // A rollback, and the start of a round, change every sector.
                0 => self.publish(self.generation.saturating_sub(5), true),
                1 if canary => {
                    let _ = self.shared.hot.stop_canary(false);
                    canary = false;
                }
                2 | 3 if !canary => {
                    // The candidate is a generation of its own, complete in itself, through the publications that follow.
                    let all = self.changes((self.generation + 17) % ROUND, true);
                    canary = self.shared.hot.start_canary(&all, 1 << 63, 0x9e37_79b9_7f4a_7c15).is_ok();
                }
                _ => self.publish(next, next == 0),
            }
            if read::random(&mut self.seed).is_multiple_of(2) {
                self.shared.hot.reclaim();
            }
        }
        self.publications
    }
}

/// Drains until every reader is gone and nothing is left; returns how many observations arrived.
fn consume(shared: &Shared) -> u64 {
    let (mut observed, mut last) = (0, false);
    let mut next = std::collections::HashMap::new();
    loop {
        let taken = shared.hot.drain(4096, |reader, seen| {
            observed += 1;
            // Each reader numbers what was accepted: a record of the lap before is whole, but it is not the next one.
            let next: &mut u64 = next.entry(reader).or_default();
            *next += 1;
            if seen.detail != seen.value ^ seen.subject ^ seen.time_ns || seen.subject != *next {
                shared.violated(format!("a torn observation: {seen:?}"));
            }
        });
        if taken == 0 {
            if last {
                return observed;
            }
            last = shared.read.load(Acquire);
            std::thread::park_timeout(Duration::from_micros(50));
        }
    }
}
