//! Overload is announced before the queue is full, and not where there is none: arrivals and services as in a queueing textbook.

use knhk_warm::executor::{Refused, TaskSettings};
use knhk_warm::{Clock, Step};

use crate::{MS, World};

/// SplitMix64, as an exponential law of mean 1.
struct Exponential(u64);

impl Exponential {
    fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let unit = ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64;
        -(1.0 - unit).ln()
    }
}

struct Simulated {
    /// When overload was announced first, and when a run was first refused, in ms.
    announced: Option<f64>,
    full: Option<f64>,
}

/// One server of 1 ms a run, exponential (M/M/1), until `end` ms; `rate(ms)` runs a second come.
fn simulate(seed: u64, capacity: usize, end: f64, rate: impl Fn(f64) -> f64) -> Simulated {
    let world = World::new(capacity, None);
    let mut random = Exponential(seed);
    let (mut arrival, mut server_free) = (0.0, 0.0);
    let mut outcome = Simulated { announced: None, full: None };
    let service = std::sync::Arc::new(std::sync::Mutex::new(0u64));
    let (clock, takes) = (world.clock.clone(), service.clone());
    let work = world.executor.task("work", TaskSettings { budget: MS * 1000, ..TaskSettings::default() }, move |_| {
        clock.advance(std::time::Duration::from_nanos(*takes.lock().unwrap()));
        Step::Done
    });
    let set = |ms: f64| world.clock.set((ms * 1e6) as u64 + 1);
    while arrival < end {
        arrival += random.draw() * 1000.0 / rate(arrival);
        // What the server does until then.
        while server_free < arrival && world.executor.stats().waiting.iter().sum::<usize>() > 0 {
            let takes = random.draw();
            *service.lock().unwrap() = (takes * 1e6) as u64;
            set(server_free);
            assert!(world.executor.turn());
            server_free += takes;
        }
        server_free = server_free.max(arrival);
        set(arrival);
        let refused = work.submit(0).map(drop) == Err(Refused::Full);
        let heard = world.heard();
        if heard.iter().any(|notice| notice.starts_with("overload: ")) {
            outcome.announced.get_or_insert(world.clock.now_ns() as f64 / 1e6);
        }
        if refused {
            outcome.full = Some(arrival);
            return outcome;
        }
    }
    outcome
}

#[test]
fn overload_is_announced_before_the_queue_is_full() {
    for seed in 0..10 {
        // From half of what can be served to double, within ten seconds.
        let ramp = simulate(seed, 2000, 60_000.0, |ms| 500.0 + 150.0 * ms / 1000.0);
        let (announced, full) = (ramp.announced.expect("announced"), ramp.full.expect("it fills at last"));
        assert!(full - announced > 500.0, "seed {seed}: announced at {announced} ms, full at {full} ms");
        // At once three times of what can be served.
        let step = simulate(seed, 2000, 60_000.0, |ms| if ms < 2000.0 { 500.0 } else { 3000.0 });
        let (announced, full) = (step.announced.expect("announced"), step.full.expect("it fills at last"));
        assert!((2000.0..2400.0).contains(&announced) && full - announced > 500.0, "seed {seed}: {announced}, {full}");
        // A burst that no average foresees.
        let burst = simulate(seed, 64, 60_000.0, |ms| if ms < 1000.0 { 10.0 } else { 1e7 });
        assert!(burst.announced.expect("announced") <= burst.full.expect("it fills"), "seed {seed}");
    }
}

#[test]
fn what_can_be_served_is_no_overload() {
    for seed in 0..5 {
        let calm = simulate(seed, 2000, 60_000.0, |_| 700.0);
        assert!(calm.announced.is_none() && calm.full.is_none(), "seed {seed}: announced at {:?} ms", calm.announced);
    }
}
