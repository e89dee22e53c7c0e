//! Breakers, limits and the pipeline over them allocate nothing in their steady state, admitting or refusing.
#![cfg(not(loom))]

#[path = "../../warm/tests/counting/mod.rs"]
mod counting;

use std::sync::Arc;
use std::time::Duration;

use knhk_resilience::breaker::{Settings, Window};
use knhk_resilience::limit::{Adaptive, Bulkhead, Law, Lease, SlidingWindow, TokenBucket};
use knhk_resilience::pipeline::{Call, Pipeline, Policies};
use knhk_resilience::{Breaker, ManualClock, Outcome, Scope};

const MS: Duration = Duration::from_millis(1);

/// Of one function, so that nothing else allocates meanwhile.
#[test]
fn the_steady_state_allocates_nothing() {
    let clock = Arc::new(ManualClock::new(1));
    let scope = Scope::new(clock.clone());
    let windows = [Window::None, Window::Count(100), Window::Time { span: MS * 100, buckets: 10 }];
    let breakers = windows.map(|window| {
        // It never opens: what an open one does is asked of another. Only a window knows slow calls.
        let slow_call = (window != Window::None).then_some(MS);
        let settings = Settings { window, slow_call, failure_rate: 1.0, slow_call_rate: 1.0, ..Settings::default() };
        Arc::new(Breaker::new("steady", settings, &scope).unwrap())
    });
    let open = Breaker::new("open", Settings::default(), &scope).unwrap();
    open.force_open();
    let bulkhead = Arc::new(Bulkhead::new(1, &scope).unwrap());
    let bucket = Arc::new(TokenBucket::new(1e3, 10, &scope).unwrap());
    let mut lease = Lease::new(Arc::new(TokenBucket::new(1e3, 10, &scope).unwrap()), 4).unwrap();
    let window = SlidingWindow::new(10, MS * 10, 10, &scope).unwrap();
    let adaptive = Adaptive::new(Law::default(), 10, 1, 20, &scope).unwrap();
    let policies = Policies {
        breaker: Some(breakers[1].clone()),
        bulkhead: Some(Arc::new(Bulkhead::new(4, &scope).unwrap())),
        timeout: Some(MS),
        ..Policies::default()
    };
    let pipeline = Pipeline::new(policies, &scope);
    let (mut admitted, mut refused) = (0_u64, 0_u64);
    let mut count = |good: bool| if good { admitted += 1 } else { refused += 1 };
    let mut rounds = |rounds: u32| {
        for round in 0..rounds {
            clock.advance(MS / 2);
            for breaker in &breakers {
                let pass = breaker.try_enter().unwrap();
                breaker.finish(pass, if round % 20 == 0 { Outcome::Failure } else { Outcome::Success });
            }
            count(open.try_enter().is_ok());
            let place = bulkhead.try_enter().unwrap();
            count(bulkhead.try_enter().is_ok());
            bulkhead.leave(place);
            count(bucket.try_take(1).is_ok());
            count(lease.try_take(1).is_ok());
            count(window.try_take().is_ok());
            if let Ok(ticket) = adaptive.try_enter() {
                adaptive.leave(ticket, Outcome::Success);
            }
            if let Ok(permit) = pipeline.try_enter(Call::default()) {
                pipeline.finish(permit, Outcome::Success);
            }
        }
    };
    rounds(2_000);
    assert_eq!(counting::allocations(|| rounds(20_000)), 0);
    assert!(admitted > 1_000 && refused > 1_000, "{admitted} admitted, {refused} refused");
}
