//! Rate limits and bulkheads: what they admit, against the plain definition, and under threads.
#![cfg(not(loom))]

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use knhk_resilience::limit::{Adaptive, Bulkhead, Law, Lease, SlidingWindow, TokenBucket};
use knhk_resilience::{ManualClock, Outcome, Rejected, Scope};
use proptest::prelude::*;

fn scope() -> (Arc<ManualClock>, Scope) {
    let clock = Arc::new(ManualClock::new(5));
    (clock.clone(), Scope::new(clock))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// The level of a bucket, refilled continuously, in 64ths of a nanosecond of credit; some of the calls are another thread's.
    #[test]
    fn a_token_bucket_is_one(
        interval in 10u64..2000,
        burst in 1u64..20,
        calls in proptest::collection::vec((0u64..3000, 1u32..4, proptest::bool::weighted(0.02)), 1..200),
    ) {
        let (clock, scope) = scope();
        let bucket = TokenBucket::new(1e9 / interval as f64, burst as u32, &scope).unwrap();
        let mut level = burst * interval * 64;
        // The interval may have been rounded up by a 64th of a nanosecond.
        let cost = (1e9 * 64.0 / (1e9 / interval as f64)).ceil() as u64;
        let full = burst * cost;
        level = level.max(full);
        for (wait, tokens, elsewhere) in calls {
            clock.advance(Duration::from_nanos(wait));
            level = (level + wait * 64).min(full);
            let needed = cost * u64::from(tokens);
            let expected = if level >= needed {
                level -= needed;
                Ok(())
            } else if u64::from(tokens) > burst {
                Err(Rejected::RateLimited { retry_after: Duration::MAX })
            } else {
                Err(Rejected::RateLimited { retry_after: Duration::from_nanos((needed - level).div_ceil(64)) })
            };
            let take = || bucket.try_take(tokens);
            let taken = if elsewhere { std::thread::scope(|scope| scope.spawn(take).join().unwrap()) } else { take() };
            prop_assert_eq!(taken, expected);
            prop_assert_eq!(u64::from(bucket.tokens()), level / cost);
        }
    }

    /// The times of admission, kept in full.
    #[test]
    fn a_sliding_window_is_one(
        limit in 1u32..10,
        spare in 0u32..5,
        calls in proptest::collection::vec((0u64..400, proptest::option::weighted(0.05, 1u32..10)), 1..300),
    ) {
        let (clock, scope) = scope();
        let (span, capacity) = (1000, limit + spare);
        let window = SlidingWindow::new(limit, Duration::from_micros(span), capacity, &scope).unwrap();
        let (mut admitted, mut now, mut limit) = (VecDeque::new(), 0, limit);
        for (wait, retune) in calls {
            clock.advance(Duration::from_micros(wait));
            now += wait;
            if let Some(other) = retune.filter(|other| *other <= capacity) {
                window.retune(other, Duration::from_micros(span)).unwrap();
                limit = other;
            }
            let inside = admitted.iter().filter(|at| now - **at < span).count();
            let taken = window.try_take();
            prop_assert_eq!(taken.is_ok(), inside < limit as usize);
            match taken {
                Ok(()) => admitted.push_back(now),
                Err(rejected) => {
                    let leaves = admitted[admitted.len() - limit as usize] + span;
                    prop_assert_eq!(rejected.retry_after(), Some(Duration::from_micros(leaves - now)));
                }
            }
        }
    }
}

#[test]
fn threads_never_exceed_a_limit_and_lose_nothing_of_it() {
    const THREADS: usize = 4;
    let (clock, scope) = scope();
    let bucket = TokenBucket::new(1000.0, 1000, &scope).unwrap();
    let window = SlidingWindow::new(500, Duration::from_secs(1), 600, &scope).unwrap();
    let bulkhead = Bulkhead::new(3, &scope).unwrap();
    let adaptive = Adaptive::new(Law::default(), 3, 1, 3, &scope).unwrap();
    let (tokens, admissions, inside) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU32::new(0));
    let limited = AtomicU32::new(0);
    let round = || {
        std::thread::scope(|threads| {
            for _ in 0..THREADS {
                threads.spawn(|| {
                    for _ in 0..2000 {
                        tokens.fetch_add(u64::from(bucket.try_take(1).is_ok()), SeqCst);
                        admissions.fetch_add(u64::from(window.try_take().is_ok()), SeqCst);
                        let _ = bulkhead.call(|| -> Result<(), ()> {
                            assert!(inside.fetch_add(1, SeqCst) < 3);
                            inside.fetch_sub(1, SeqCst);
                            Ok(())
                        });
                        if let Ok(ticket) = adaptive.try_enter() {
                            assert!(limited.fetch_add(1, SeqCst) < 3);
                            limited.fetch_sub(1, SeqCst);
                            adaptive.leave(ticket, Outcome::Success);
                        }
                    }
                });
            }
        });
        (tokens.swap(0, SeqCst), admissions.swap(0, SeqCst))
    };
    assert_eq!(round(), (1000, 500));
    clock.advance(Duration::from_millis(100));
    assert_eq!(round(), (100, 0));
    clock.advance(Duration::from_millis(901));
    assert_eq!(round(), (901, 500));
    assert_eq!((bulkhead.taken(), adaptive.taken()), (0, 0));
}

#[test]
fn a_bulkhead_gives_places_back_and_names_its_limit() {
    let (_, scope) = scope();
    let bulkhead = Bulkhead::new(1, &scope).unwrap();
    let place = bulkhead.try_enter().unwrap();
    assert_eq!(bulkhead.try_enter().unwrap_err().to_string(), "all 1 places of the bulkhead are taken");
    bulkhead.retune(2).unwrap();
    let other = bulkhead.try_enter().unwrap();
    bulkhead.leave(place);
    bulkhead.leave(other);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = bulkhead.call(|| -> Result<(), ()> { panic!("planted") });
    }));
    assert!(caught.is_err());
    assert_eq!(bulkhead.taken(), 0);
    assert!(bulkhead.retune(0).is_err() && Bulkhead::new(0, &scope).is_err());
    assert_eq!(Outcome::of(&bulkhead.call(|| Err::<(), _>("no"))), Outcome::Failure);
}

#[test]
fn rates_out_of_range_are_refused() {
    let (_, scope) = scope();
    for (rate, burst) in [(0.0, 1), (f64::NAN, 1), (1e9, 1), (1.0, 0), (1.0, 70_000), (1.0 / 36_000.0, 65_535)] {
        assert!(TokenBucket::new(rate, burst, &scope).is_err(), "{rate} {burst}");
    }
    let second = Duration::from_secs(1);
    for (limit, span, capacity) in [(0, second, 1), (2, second, 1), (1, Duration::ZERO, 1), (1, second, 70_000)] {
        assert!(SlidingWindow::new(limit, span, capacity, &scope).is_err(), "{limit} {span:?} {capacity}");
    }
}

#[test]
fn leases_spend_what_their_bucket_gave_and_give_back_the_rest() {
    let clock = Arc::new(ManualClock::new(7));
    let bucket = Arc::new(TokenBucket::new(1000.0, 10, &Scope::new(clock.clone())).unwrap());
    assert!(Lease::new(bucket.clone(), 0).is_err() && Lease::new(bucket.clone(), 11).is_err());
    let (mut one, mut two) = (Lease::new(bucket.clone(), 4).unwrap(), Lease::new(bucket.clone(), 4).unwrap());
    one.try_take(1).unwrap();
    two.try_take(2).unwrap();
    assert_eq!((one.held(), two.held(), bucket.tokens()), (3, 2, 2));
    // No whole batch is left: what is missing is.
    one.try_take(5).unwrap();
    assert_eq!((one.held(), bucket.tokens()), (0, 0));
    assert!(
        matches!(one.try_take(1), Err(Rejected::RateLimited { retry_after }) if retry_after == Duration::from_millis(1))
    );
    drop(two);
    assert_eq!(bucket.tokens(), 2);
    one.try_take(2).unwrap();
    drop(one);
    clock.advance(Duration::from_secs(1));
    // Over a long time no more is admitted than the rate and the burst allow, and a batch for each lease.
    let mut leases: Vec<Lease> = (0..3).map(|_| Lease::new(bucket.clone(), 4).unwrap()).collect();
    let mut admitted = 0;
    for step in 0..10_000usize {
        clock.advance(Duration::from_micros(100));
        admitted += u32::from(leases[step % 3].try_take(1).is_ok());
    }
    let held: u32 = leases.iter().map(Lease::held).sum();
    assert!((1000..=1010).contains(&(admitted + held)), "{admitted} and {held}");
    // A full bucket takes nothing back.
    clock.advance(Duration::from_secs(1));
    drop(leases);
    assert_eq!(bucket.tokens(), 10);
}
