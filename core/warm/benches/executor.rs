//! How soon an idle executor begins a run, and what a run costs where many come; rayon's pool does the same.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use driver::{Program, Sample, median, ns_per_tick, ticks};
use knhk_warm::executor::{Settings, TaskSettings};
use knhk_warm::{Executor, Step, SystemClock, Task};

/// Runs of a round, fewer than the executor has places.
const RUNS: u64 = 10_000;
/// Idle threads that are woken in a round.
const WAKES: usize = 100;
/// So long nothing comes before each of them: the threads sleep.
const QUIET: Duration = Duration::from_micros(200);
const THREADS: usize = 2;

fn executor() -> Executor {
    let settings = Settings { threads: THREADS, capacity: 2 * RUNS as usize, ..Settings::default() };
    Executor::new(settings, Arc::new(SystemClock)).expect("there are threads")
}

/// From a submission to the first instruction of what was submitted, which says in `began` when that was: the median.
fn latency(began: &AtomicU64, mut submit: impl FnMut()) -> Sample {
    let delay = || {
        std::thread::sleep(QUIET);
        began.store(0, SeqCst);
        let submitted = ticks();
        submit();
        loop {
            match began.load(SeqCst) {
                0 => std::hint::spin_loop(),
                at => break at.saturating_sub(submitted) as f64 * ns_per_tick(),
            }
        }
    };
    let mut delays: Vec<f64> = std::iter::repeat_with(delay).take(WAKES).collect();
    Sample { ns: median(&mut delays), ..Sample::default() }
}

/// What a run costs from the first submission to the last end.
fn throughput(ran: &AtomicU64, mut submit: impl FnMut()) -> Sample {
    ran.store(0, SeqCst);
    let start = Instant::now();
    (0..RUNS).for_each(|_| submit());
    while ran.load(SeqCst) < RUNS {
        std::thread::yield_now();
    }
    Sample { ns: start.elapsed().as_nanos() as f64 / RUNS as f64, ..Sample::default() }
}

fn executor_latency() -> impl FnMut() -> Sample {
    let executor = executor();
    let stamp = Arc::<AtomicU64>::default();
    let own = stamp.clone();
    let task = executor.task("stamp", TaskSettings::default(), move |_| {
        own.store(ticks(), SeqCst);
        Step::Done
    });
    move || {
        _ = &executor;
        latency(&stamp, || drop(task.submit(0).expect("there is a place")))
    }
}

fn executor_throughput() -> impl FnMut() -> Sample {
    let (executor, ran) = (executor(), Arc::<AtomicU64>::default());
    let own = ran.clone();
    let task: Task = executor.task("count", TaskSettings::default(), move |_| {
        own.fetch_add(1, SeqCst);
        Step::Done
    });
    move || {
        _ = &executor;
        throughput(&ran, || drop(task.submit(0).expect("there is a place for each")))
    }
}

fn pool() -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(THREADS).build().expect("there are threads")
}

fn rayon_latency() -> impl FnMut() -> Sample {
    let (pool, stamp) = (pool(), Arc::<AtomicU64>::default());
    move || {
        latency(&stamp, || {
            let own = stamp.clone();
            pool.spawn_fifo(move || own.store(ticks(), SeqCst));
        })
    }
}

fn rayon_throughput() -> impl FnMut() -> Sample {
    let (pool, ran) = (pool(), Arc::<AtomicU64>::default());
    move || {
        throughput(&ran, || {
            let own = ran.clone();
            pool.spawn_fifo(move || _ = own.fetch_add(1, SeqCst));
        })
    }
}

fn main() {
    let mut program = Program::default();
    program.add("executor_latency", executor_latency());
    program.add("executor_throughput", executor_throughput());
    program.add("rayon_latency", rayon_latency());
    program.add("rayon_throughput", rayon_throughput());
    program.run();
}
