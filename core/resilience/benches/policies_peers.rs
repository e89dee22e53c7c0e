//! What an admitted empty call costs in `failsafe`, `governor` and `tower-resilience`. The latter's services are driven to readiness and
//! called on a current-thread runtime, many times within one `block_on`.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;

use std::convert::Infallible;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::time::Duration;

use driver::Program;
use failsafe::CircuitBreaker;
use governor::{Quota, RateLimiter};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_resilience_bulkhead::BulkheadLayer;
use tower_resilience_circuitbreaker::{CircuitBreakerLayer, SlidingWindowType};
use tower_resilience_ratelimiter::RateLimiterLayer;

const CHUNK: u64 = 2048;

fn empty() -> Result<u64, ()> {
    black_box(Ok(1))
}

/// Calls the service n times.
fn tower<S: Service<u64, Response = u64> + 'static>(program: &mut Program, name: &'static str, mut service: S) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime starts");
    program.warmed(name, CHUNK, move |n| {
        runtime.block_on(async {
            let mut sum = 0;
            for i in 0..n {
                if let Ok(ready) = service.ready().await {
                    sum += ready.call(black_box(i)).await.unwrap_or(0);
                }
            }
            sum
        })
    });
}

fn main() {
    let mut program = Program::default();
    let policy = || failsafe::backoff::constant(Duration::from_secs(30));
    let breaker = failsafe::Config::new().failure_policy(failsafe::failure_policy::consecutive_failures(5, policy()));
    let breaker = breaker.build();
    program.warmed("failsafe_consecutive", CHUNK, move |n| (0..n).map(|_| breaker.call(empty).unwrap_or(0)).sum());
    let rate = failsafe::failure_policy::success_rate_over_time_window(0.5, 10, Duration::from_secs(10), policy());
    let breaker = failsafe::Config::new().failure_policy(rate).build();
    program.warmed("failsafe_time", CHUNK, move |n| (0..n).map(|_| breaker.call(empty).unwrap_or(0)).sum());

    let most = NonZeroU32::MAX;
    let limiter = RateLimiter::direct(Quota::per_second(most).allow_burst(most));
    program.warmed("governor", CHUNK, move |n| (0..n).map(|_| u64::from(limiter.check().is_ok())).sum());

    let inner = || service_fn(|i: u64| async move { Ok::<u64, Infallible>(black_box(i)) });
    tower(&mut program, "tower_bare", inner());
    let settings = CircuitBreakerLayer::builder().sliding_window_size(100).minimum_number_of_calls(10);
    let layer = settings.build().expect("the settings are sound");
    tower(&mut program, "tower_breaker_count", layer.layer(inner()));
    // It keeps each call of the window and looks at all: a longer one costs it more.
    let settings = CircuitBreakerLayer::builder().sliding_window_type(SlidingWindowType::TimeBased);
    let settings = settings.sliding_window_duration(Duration::from_millis(1)).minimum_number_of_calls(10);
    let layer = settings.build().expect("the settings are sound");
    tower(&mut program, "tower_breaker_time", layer.layer(inner()));
    let settings = CircuitBreakerLayer::builder().sliding_window_size(100).minimum_number_of_calls(10);
    let layer = settings.slow_call_duration_threshold(Duration::from_secs(1)).build().expect("the settings are sound");
    tower(&mut program, "tower_breaker_slow", layer.layer(inner()));
    let layer = BulkheadLayer::builder().max_concurrent_calls(10).build().expect("the settings are sound");
    tower(&mut program, "tower_bulkhead", layer.layer(inner()));
    let layer = RateLimiterLayer::burst(1_000_000_000, 1_000_000_000).build().expect("the settings are sound");
    tower(&mut program, "tower_token_bucket", layer.layer(inner()));
    program.run();
}
