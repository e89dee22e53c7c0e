//! What an admitted empty call costs in each policy, on a clock that costs one load, as the engine's does. One thread calls; a policy whose
//! name ends in `_shared` has been called by another one before, so that it is updated by exchange.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use driver::Program;
use knhk_resilience::breaker::{Settings, Window};
use knhk_resilience::limit::{Adaptive, Bulkhead, Law, Lease, SlidingWindow, TokenBucket};
use knhk_resilience::{Breaker, Clock, ManualClock, Outcome, Scope};

const CHUNK: u64 = 8192;

fn empty() -> Result<u64, ()> {
    black_box(Ok(1))
}

/// A breaker that has forgotten its last failure.
fn breaker(window: Window, slow_call: Option<Duration>, scope: &Scope) -> Breaker {
    let breaker = Breaker::new("bench", Settings { window, slow_call, ..Settings::default() }, scope);
    let breaker = breaker.expect("the settings are in their ranges");
    (0..2000).for_each(|_| assert_eq!(breaker.call(empty), Ok(1)));
    breaker
}

/// Has another thread use a policy once.
fn share<T: Sync>(policy: T, call: impl FnOnce(&T) + Send) -> T {
    std::thread::scope(|scope| drop(scope.spawn(|| call(&policy)).join()));
    policy
}

fn calls(breaker: &Breaker, n: u64) -> u64 {
    (0..n).map(|_| breaker.call(empty).unwrap_or(0)).sum()
}

macro_rules! loops {
    ($($name:ident)*) => {
        $(
            #[unsafe(no_mangle)]
            #[inline(never)]
            fn $name(breaker: &Breaker, n: u64) -> u64 {
                calls(breaker, n)
            }
        )*
    };
}

loops!(loop_breaker_trend loop_breaker_count loop_breaker_count_shared loop_breaker_time loop_breaker_slow loop_breaker_system_clock);

fn main() {
    let clock = Arc::new(ManualClock::new(1));
    let scope = Scope::new(clock.clone());
    let mut program = Program::default();
    let time = Window::Time { span: Duration::from_secs(10), buckets: 10 };
    let second = Some(Duration::from_secs(1));
    let mut add = |name: &'static str, window, slow, scope: &Scope, run: fn(&Breaker, u64) -> u64| {
        let mut breaker = breaker(window, slow, scope);
        if name.ends_with("_shared") {
            breaker = share(breaker, |breaker| assert_eq!(breaker.call(empty), Ok(1)));
        }
        program.warmed(name, CHUNK, move |n| run(&breaker, n));
    };
    add("breaker_trend", Window::None, None, &scope, loop_breaker_trend);
    add("breaker_count", Window::Count(100), None, &scope, loop_breaker_count);
    add("breaker_count_shared", Window::Count(100), None, &scope, loop_breaker_count_shared);
    add("breaker_time", time, None, &scope, loop_breaker_time);
    add("breaker_slow", Window::Count(100), second, &scope, loop_breaker_slow);
    add("breaker_system_clock", time, second, &Scope::default(), loop_breaker_system_clock);
    let bulkhead = || Bulkhead::new(10, &scope).expect("the limit is at least 1");
    let enter = |bulkhead: &Bulkhead, n| (0..n).map(|_| bulkhead.call(empty).unwrap_or(0)).sum();
    let (own, shared) = (bulkhead(), share(bulkhead(), |bulkhead| assert_eq!(bulkhead.call(empty), Ok(1))));
    program.warmed("bulkhead", CHUNK, move |n| enter(&own, n));
    program.warmed("bulkhead_shared", CHUNK, move |n| enter(&shared, n));
    let bucket = |scope: &Scope| TokenBucket::new(1e8, 65_535, scope).expect("the rate is in its range");
    let take = |bucket: &TokenBucket, clock: &ManualClock, n| {
        clock.advance(Duration::from_millis(1)); // 100,000 tokens, more than a chunk takes.
        (0..n).map(|_| u64::from(bucket.try_take(1).is_ok())).sum()
    };
    let own = bucket(&scope);
    let shared = share(bucket(&scope), |bucket| bucket.try_take(1).expect("it is full"));
    let ticking = clock.clone();
    program.warmed("token_bucket", CHUNK, move |n| take(&own, &ticking, n));
    let ticking = clock.clone();
    program.warmed("token_bucket_shared", CHUNK, move |n| take(&shared, &ticking, n));
    // What no limit can go below that threads share and that is exact: one exchange of one word.
    let word = AtomicU64::new(0);
    program.warmed("exchange", CHUNK, move |n| {
        let word = black_box(&word);
        (0..n).map(|i| u64::from(word.compare_exchange(i, i + 1, Relaxed, Relaxed).is_ok())).sum::<u64>()
            + word.swap(0, Relaxed)
    });
    let own = bucket(&Scope::default());
    program
        .warmed("token_bucket_system_clock", CHUNK, move |n| (0..n).map(|_| u64::from(own.try_take(1).is_ok())).sum());
    let mut lease = Lease::new(Arc::new(bucket(&scope)), 32).expect("the batch is within the burst");
    let ticking = clock.clone();
    program.warmed("token_lease", CHUNK, move |n| {
        ticking.advance(Duration::from_millis(1));
        (0..n).map(|_| u64::from(black_box(&mut lease).try_take(1).is_ok())).sum()
    });
    let window = SlidingWindow::new(16_384, Duration::from_millis(1), 16_384, &scope).expect("the limit is in range");
    let ticking = clock.clone();
    program.warmed("sliding_window", CHUNK, move |n| {
        ticking.advance(Duration::from_millis(1));
        (0..n).map(|_| u64::from(window.try_take().is_ok())).sum()
    });
    let adaptive = Adaptive::new(Law::default(), 20, 1, 100, &scope).expect("the limits are in order");
    program.warmed("adaptive", CHUNK, move |n| {
        let call = |_| adaptive.try_enter().map(|ticket| adaptive.leave(ticket, Outcome::Success)).is_ok();
        (0..n).map(|i| u64::from(call(i))).sum()
    });
    program.run();
    assert!(clock.now_ns() > 0);
}
