//! The breaker where no model is needed: long outages, threads, passes that come back twice, panics, bad settings.
#![cfg(not(loom))]

use std::sync::Arc;
use std::time::Duration;

use knhk_resilience::breaker::{Breaker, Pass, Settings, State, Window};
use knhk_resilience::{ManualClock, Outcome, Scope};

#[test]
fn long_outages_and_many_switches_do_not_blind_it() {
    for window in [Window::None, Window::Count(20), Window::Time { span: Duration::from_secs(1), buckets: 10 }] {
        let clock = Arc::new(ManualClock::default());
        let settings = Settings { window, consecutive_failures: 2, half_open_permits: 1, ..Settings::default() };
        let breaker = Breaker::new("outage", settings, &Scope::new(clock.clone())).unwrap();
        let call = |outcome| breaker.finish(breaker.try_enter().unwrap(), outcome);
        for switches in [0, 1, 1023, 1024, 1025, 2047, 2048, 5000] {
            (0..2).for_each(|_| call(Outcome::Failure));
            for _ in 0..switches {
                clock.advance(Duration::from_secs(30));
                call(Outcome::Failure);
                assert_eq!(breaker.state(), State::Open, "after a probe that failed");
            }
            clock.advance(Duration::from_secs(30));
            call(Outcome::Success);
            assert_eq!(breaker.status().calls, 0);
            (0..switches).for_each(|_| breaker.close());
            call(Outcome::Success);
            assert_eq!(breaker.status().calls, 1, "{window:?} after {switches} switches");
            assert_eq!(
                breaker.status().window.map_or(1, |tally| tally.calls),
                1,
                "{window:?} after {switches} switches"
            );
        }
    }
}

#[test]
fn threads_lose_no_outcome() {
    const THREADS: u64 = 4;
    const CALLS: u64 = 6000;
    for window in [Window::Count(65_536), Window::Time { span: Duration::from_secs(1), buckets: 4 }] {
        let off = Settings { ema_alpha: 0.0, consecutive_failures: 0, failure_rate: 1.0, ..Settings::default() };
        let scope = Scope::new(Arc::new(ManualClock::default()));
        let breaker = Breaker::new("threads", Settings { window, ..off }, &scope).unwrap();
        breaker.finish(breaker.try_enter().unwrap(), Outcome::Success);
        std::thread::scope(|threads| {
            for _ in 0..THREADS {
                threads.spawn(|| {
                    for n in 0..CALLS {
                        let outcome = if n % 3 == 0 { Outcome::Failure } else { Outcome::Success };
                        breaker.finish(breaker.try_enter().unwrap(), outcome);
                    }
                });
            }
        });
        let tally = breaker.status().window.unwrap();
        assert_eq!((tally.calls, tally.failures), (THREADS * CALLS + 1, THREADS * CALLS / 3), "{window:?}");
    }
}

#[test]
fn a_pass_that_comes_back_twice_changes_nothing() {
    let clock = Arc::new(ManualClock::default());
    let settings = Settings { consecutive_failures: 1, half_open_permits: 2, ..Settings::default() };
    let breaker = Breaker::new("twice", settings, &Scope::new(clock.clone())).unwrap();
    breaker.finish(breaker.try_enter().unwrap(), Outcome::Failure);
    clock.advance(Duration::from_secs(30));
    let raw = breaker.try_enter().unwrap().into_raw();
    let status = |outcome| {
        breaker.finish(Pass::from_raw(raw), outcome);
        breaker.state()
    };
    assert_eq!([Outcome::Ignored; 3].map(status), [State::HalfOpen; 3]);
    assert_eq!([Outcome::Success, Outcome::Failure].map(status), [State::HalfOpen; 2]);
    let probes = [breaker.try_enter().unwrap(), breaker.try_enter().unwrap()];
    assert!(breaker.try_enter().is_err());
    probes.into_iter().for_each(|probe| breaker.finish(probe, Outcome::Success));
    assert_eq!(status(Outcome::Failure), State::Closed);
    for word in [0, 1, 7, u64::MAX, u64::MAX - 5, 1 << 26] {
        breaker.finish(Pass::from_raw([word, word]), Outcome::Failure);
    }
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_panic_is_a_failure_and_goes_on() {
    let breaker = Breaker::new("panic", Settings { consecutive_failures: 1, ..Settings::default() }, &Scope::default());
    let breaker = breaker.unwrap();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = breaker.call(|| -> Result<(), ()> { panic!("planted") });
    }));
    assert!(caught.is_err());
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn bad_settings_are_named_and_change_nothing() {
    let breaker = Breaker::new("settings", Settings::default(), &Scope::default()).unwrap();
    let bad = [
        ("ema_alpha", Settings { ema_alpha: f64::NAN, ..Settings::default() }),
        ("ema_threshold", Settings { ema_threshold: 0.0, ..Settings::default() }),
        ("minimum_calls", Settings { minimum_calls: 0, ..Settings::default() }),
        ("consecutive_failures", Settings { consecutive_failures: 3000, ..Settings::default() }),
        ("recovery", Settings { recovery: Duration::ZERO, ..Settings::default() }),
        ("half_open_permits", Settings { half_open_permits: 64, ..Settings::default() }),
        ("slow_call", Settings { slow_call: Some(Duration::from_secs(1)), ..Settings::default() }),
        ("window", Settings { window: Window::Count(20), ..Settings::default() }),
    ];
    for (name, settings) in bad {
        assert_eq!(breaker.retune(settings).unwrap_err().setting, name);
        assert_eq!(breaker.settings(), Settings::default());
    }
}
