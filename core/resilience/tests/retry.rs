//! Retries and hedges: the pauses' distribution, budgets, deadlines, which copy counts.
#![cfg(not(loom))]

use std::sync::Arc;
use std::time::Duration;

use knhk_resilience::hedge::{self, Verdict};
use knhk_resilience::retry::{Budget, Decision, Failure, GiveUp, Retry, Settings};
use knhk_resilience::{Clock, Deadline, Hedge, ManualClock, Outcome, Scope};

fn scope() -> (Arc<ManualClock>, Scope) {
    let clock = Arc::new(ManualClock::new(3));
    (clock.clone(), Scope::new(clock))
}

const MS: Duration = Duration::from_millis(1);

/// The law of the second pause, given the first, is uniform on [base, 3 · first]: the Kolmogorov-Smirnov distance of 20,000 draws from
/// it must stay below 1.95 / √n, which chance exceeds once in a thousand seeds.
#[test]
fn pauses_are_uniform_between_the_base_and_three_times_the_last() {
    let (_, scope) = scope();
    let settings = Settings { attempts: 10, base: 100 * MS, cap: 100_000 * MS, ..Settings::default() };
    let retry = Retry::new(settings, 7, None, &scope).unwrap();
    const DRAWS: usize = 20_000;
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for _ in 0..DRAWS {
        let mut attempts = retry.begin();
        let mut draw = || match retry.decide(&mut attempts, Failure::Transient, Deadline::NONE) {
            Decision::After(pause) => pause.as_secs_f64(),
            Decision::GiveUp(why) => panic!("{why}"),
        };
        let (one, two) = (draw(), draw());
        first.push((one - 0.1) / 0.2);
        second.push((two - 0.1) / (3.0 * one - 0.1));
    }
    for (name, mut sample) in [("first", first), ("second", second)] {
        sample.sort_by(f64::total_cmp);
        let distance =
            |(i, x): (usize, &f64)| (x - i as f64 / DRAWS as f64).abs().max(((i + 1) as f64 / DRAWS as f64 - x).abs());
        let worst = sample.iter().enumerate().map(distance).fold(0.0, f64::max);
        assert!(worst < 1.95 / (DRAWS as f64).sqrt(), "{name} pause: {worst}");
    }
}

#[test]
fn pauses_never_exceed_the_cap_and_a_seed_repeats_them() {
    let (_, scope) = scope();
    let settings = Settings { attempts: 50, base: 10 * MS, cap: 200 * MS, ..Settings::default() };
    let pauses = |seed| -> Vec<Duration> {
        let retry = Retry::new(settings, seed, None, &scope).unwrap();
        let mut attempts = retry.begin();
        std::iter::from_fn(|| match retry.decide(&mut attempts, Failure::Transient, Deadline::NONE) {
            Decision::After(pause) => Some(pause),
            Decision::GiveUp(why) => (assert_eq!(why, GiveUp::Attempts), None).1,
        })
        .collect()
    };
    let seen = pauses(1);
    assert_eq!((seen.len(), seen.iter().max()), (49, Some(&(200 * MS))));
    assert!(seen.iter().all(|pause| *pause >= 10 * MS));
    assert_eq!(seen, pauses(1));
    assert_ne!(seen, pauses(2));
}

#[test]
fn deadlines_retry_after_and_permanent_failures_end_it() {
    let (clock, scope) = scope();
    let retry = Retry::new(Settings::default(), 1, None, &scope).unwrap();
    let decide = |failure, deadline| retry.decide(&mut retry.begin(), failure, deadline);
    let soon = Deadline::after(99 * MS, &*clock);
    assert_eq!(decide(Failure::Transient, soon), Decision::GiveUp(GiveUp::Deadline));
    assert_eq!(decide(Failure::Permanent, Deadline::NONE), Decision::GiveUp(GiveUp::Permanent));
    let asked = Duration::from_secs(20);
    assert_eq!(decide(Failure::TransientAfter(asked), Deadline::NONE), Decision::After(asked));
    let asked = Duration::from_secs(61);
    assert_eq!(decide(Failure::TransientAfter(asked), Deadline::NONE), Decision::GiveUp(GiveUp::RetryAfter));
}

#[test]
fn a_call_is_tried_until_it_succeeds() {
    let (clock, scope) = scope();
    let retry = Retry::new(Settings::default(), 1, None, &scope).unwrap();
    let start = clock.now_ns();
    let work = |attempt| if attempt == 3 { Ok(attempt) } else { Err("no") };
    assert_eq!(retry.call(Deadline::NONE, work, |_| Failure::Transient), Ok(3));
    assert!(clock.now_ns() - start >= 200_000_000);
    let exhausted = retry.call(Deadline::NONE, |_| Err::<(), _>("no"), |_| Failure::Transient).unwrap_err();
    assert_eq!(exhausted.to_string(), "no (after 3 attempts: it was the last attempt)");
}

#[test]
fn a_budget_keeps_retries_a_share_of_the_calls() {
    let (clock, scope) = scope();
    let budget = Arc::new(Budget::new(0.1, 5, Duration::from_secs(10), &scope).unwrap());
    let settings =
        Settings { attempts: 100, base: Duration::from_nanos(1), cap: Duration::from_nanos(1), ..Settings::default() };
    let retry = Retry::new(settings, 1, Some(budget.clone()), &scope).unwrap();
    // 1,000 calls that all fail: a tenth of them, and the reserve, is tried again.
    let retries: u32 = (0..1000)
        .map(|_| retry.call(Deadline::NONE, |_| Err::<(), _>(()), |()| Failure::Transient).unwrap_err().attempts - 1)
        .sum();
    assert!((104..=105).contains(&retries), "{retries} retries");
    assert_eq!(budget.left(), 0);
    clock.advance(Duration::from_secs(11));
    assert_eq!(budget.left(), 5, "only the last span counts");
    (0..50).for_each(|_| budget.deposit());
    assert_eq!(budget.left(), 10);
    let taken = std::thread::scope(|threads| {
        let workers: Vec<_> = (0..4).map(|_| threads.spawn(|| (0..10).filter(|_| budget.withdraw()).count())).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum::<usize>()
    });
    assert!(taken <= 10, "{taken} of 10 were taken");
}

#[test]
fn the_first_success_of_a_hedged_call_counts() {
    let (clock, scope) = scope();
    let hedge = Hedge::new(hedge::Settings::default(), None, &scope).unwrap();
    let mut call = hedge.begin();
    assert_eq!(hedge.wait(&call), Some(100 * MS), "nothing is known yet");
    assert_eq!(hedge.send(&mut call), None, "the wait is not over");
    clock.advance(100 * MS);
    assert_eq!(hedge.send(&mut call), Some(1));
    assert_eq!((hedge.wait(&call), hedge.send(&mut call)), (None, None), "two copies are all");
    assert_eq!(hedge.finish(&mut call, 0, Outcome::Failure), Verdict::Wait);
    assert_eq!(hedge.finish(&mut call, 1, Outcome::Success), Verdict::Use);
    assert_eq!(hedge.finish(&mut call, 1, Outcome::Success), Verdict::Late);
    assert!(call.is_settled());
    // Calls take 20 ms now: the next copy is due a little after that.
    for _ in 0..100 {
        let mut call = hedge.begin();
        clock.advance(20 * MS);
        assert_eq!(hedge.finish(&mut call, 0, Outcome::Success), Verdict::Use);
    }
    let due = hedge.wait(&hedge.begin()).unwrap();
    assert!(due >= 20 * MS && due <= 23 * MS, "{due:?}");
}

#[test]
fn a_hedge_replaces_a_copy_that_failed_early_within_its_budget() {
    let (_, scope) = scope();
    let budget = Arc::new(Budget::new(0.0, 1, Duration::from_secs(10), &scope).unwrap());
    let hedge = Hedge::new(hedge::Settings::default(), Some(budget), &scope).unwrap();
    let mut call = hedge.begin();
    assert_eq!(hedge.finish(&mut call, 0, Outcome::Failure), Verdict::SendAnother);
    assert_eq!(hedge.send(&mut call), Some(1));
    assert_eq!(hedge.finish(&mut call, 1, Outcome::Failure), Verdict::Use);
    assert_eq!(hedge.finish(&mut call, 9, Outcome::Success), Verdict::Late);
    let mut call = hedge.begin();
    assert_eq!(hedge.finish(&mut call, 0, Outcome::Failure), Verdict::SendAnother);
    assert_eq!(hedge.send(&mut call), None, "the budget is spent");
}
