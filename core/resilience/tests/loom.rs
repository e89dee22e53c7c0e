//! The lock-free parts under loom, from the same source as the product: every interleaving and every value that the memory model allows,
//! for small programs. Run by `RUSTFLAGS="--cfg loom" cargo test -p knhk-resilience --release --test loom --target-dir target/loom`.
//! A window's block holds two outcomes here. Each planted fault must be found by the program that is named beside it.
#![cfg(loom)]

#[path = "../../warm/tests/loom/harness.rs"]
mod harness;

use std::time::Duration;

use harness::Program;
use knhk_resilience::breaker::{Settings, State, Tally};
use knhk_resilience::limit::{Bulkhead, SlidingWindow, TokenBucket};
use knhk_resilience::model::{ModelBias, ModelCount, ModelTime};
use knhk_resilience::mutant::{self, Mutant};
use knhk_resilience::{Breaker, Clock, ManualClock, Outcome, Scope};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering::Relaxed};
use loom::thread::{self, JoinHandle};

fn scope() -> (std::sync::Arc<ManualClock>, Scope) {
    let clock = std::sync::Arc::new(ManualClock::new(1));
    (clock.clone(), Scope::new(clock))
}

fn spawn<T: 'static>(of: &Arc<impl Send + Sync + 'static>, work: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    let _ = of;
    thread::spawn(work)
}

fn breaker(settings: Settings) -> (std::sync::Arc<ManualClock>, Arc<Breaker>) {
    let (clock, scope) = scope();
    (clock, Arc::new(Breaker::new("loom", settings, &scope).unwrap()))
}

/// Three threads ask an open breaker whose recovery is over; its two permits are given exactly twice.
fn probes_admitted() {
    let (clock, breaker) = breaker(Settings { consecutive_failures: 1, half_open_permits: 2, ..Settings::default() });
    breaker.finish(breaker.try_enter().unwrap(), Outcome::Failure);
    clock.sleep(Duration::from_secs(30));
    let ask = |breaker: Arc<Breaker>| move || usize::from(breaker.try_enter().is_ok());
    let others = [spawn(&breaker, ask(breaker.clone())), spawn(&breaker, ask(breaker.clone()))];
    let mine = ask(breaker.clone())();
    let admitted = mine + others.map(|other| other.join().unwrap()).iter().sum::<usize>();
    assert_eq!((admitted, breaker.state()), (2, State::HalfOpen));
}

/// Of two probes both succeed, and the breaker closes; or one gives its permit back, and another probe has it.
fn probes_returned(outcomes: [Outcome; 2]) -> (Arc<Breaker>, State) {
    let (clock, breaker) = breaker(Settings { consecutive_failures: 1, half_open_permits: 2, ..Settings::default() });
    breaker.finish(breaker.try_enter().unwrap(), Outcome::Failure);
    clock.sleep(Duration::from_secs(30));
    let passes = [breaker.try_enter().unwrap(), breaker.try_enter().unwrap()];
    let mut threads = Vec::new();
    for (pass, outcome) in passes.into_iter().zip(outcomes) {
        let own = breaker.clone();
        threads.push(spawn(&breaker, move || own.finish(pass, outcome)));
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let state = breaker.state();
    (breaker, state)
}

fn probes_that_succeed() {
    assert_eq!(probes_returned([Outcome::Success, Outcome::Success]).1, State::Closed);
}

fn probes_of_which_one_is_ignored() {
    let (breaker, state) = probes_returned([Outcome::Success, Outcome::Ignored]);
    assert_eq!(state, State::HalfOpen);
    breaker.finish(breaker.try_enter().expect("the permit came back"), Outcome::Success);
    assert_eq!(breaker.state(), State::Closed);
}

fn probes_of_which_one_fails() {
    assert_eq!(probes_returned([Outcome::Success, Outcome::Failure]).1, State::Open);
}

/// A failure and somebody who opens the breaker by hand: the hand has the last word.
fn opened_by_hand() {
    let (_, breaker) = breaker(Settings { consecutive_failures: 1, ..Settings::default() });
    let pass = breaker.try_enter().unwrap();
    let own = breaker.clone();
    let other = spawn(&breaker, move || own.force_open());
    breaker.finish(pass, Outcome::Failure);
    other.join().unwrap();
    assert_eq!(breaker.state(), State::ForcedOpen);
}

/// Two failures of two threads open a breaker that opens after two in a row.
fn trend() {
    let (_, breaker) = breaker(Settings { consecutive_failures: 2, ..Settings::default() });
    let passes = [breaker.try_enter().unwrap(), breaker.try_enter().unwrap()];
    let [one, two] = passes;
    let own = breaker.clone();
    let other = spawn(&breaker, move || own.finish(one, Outcome::Failure));
    breaker.finish(two, Outcome::Failure);
    other.join().unwrap();
    assert_eq!((breaker.state(), breaker.status().state), (State::Open, State::Open));
}

/// Threads put outcomes into a count window, across a change of blocks: all are there afterwards, and whoever put the last one saw all.
fn count_window(before: u32, threads: [u32; 3]) {
    let size = before + threads.iter().sum::<u32>();
    let window = Arc::new(ModelCount::new(size));
    (0..before).for_each(|_| assert!(window.record(1, true)));
    let fill = |window: Arc<ModelCount>, n: u32| {
        move || {
            (0..n).for_each(|_| assert!(window.record(1, true)));
            window.tally(1).failures
        }
    };
    let others = [spawn(&window, fill(window.clone(), threads[1])), spawn(&window, fill(window.clone(), threads[2]))];
    let mine = fill(window.clone(), threads[0])();
    let saw = others.map(|other| other.join().unwrap()).into_iter().chain([mine]).max();
    let expected = u64::from(size);
    assert_eq!(saw, Some(expected), "nobody saw all failures");
    assert_eq!(window.tally(1), Tally { calls: expected, failures: expected, slow: 0 });
}

fn count_window_one_each() {
    count_window(0, [1, 1, 1]);
}

fn count_window_over_blocks() {
    count_window(1, [1, 1, 1]);
}

fn count_window_two_and_two() {
    count_window(0, [2, 2, 0]);
}

/// An outcome of an earlier period meets the first of a later one: it never counts there.
fn count_window_of_two_periods() {
    let window = Arc::new(ModelCount::new(4));
    window.record(1, true);
    let own = window.clone();
    let late = spawn(&window, move || own.record(1, true));
    assert!(window.record(2, false));
    late.join().unwrap();
    assert_eq!(window.tally(2), Tally { calls: 1, failures: 0, slow: 0 });
}

/// Two threads put failures into a time window, one of them when the span has moved on by a step.
fn time_window() {
    let window = Arc::new(ModelTime::new(2));
    let own = window.clone();
    let other = spawn(&window, move || {
        own.record(1, true, 5);
        own.record(1, true, 15);
    });
    window.record(1, true, 5);
    let seen = window.tally(1, 15);
    assert!(seen.failures <= seen.calls, "a failure without its call: {seen:?}");
    other.join().unwrap();
    assert_eq!(window.tally(1, 15), Tally { calls: 3, failures: 3, slow: 0 });
    assert_eq!(window.tally(1, 25), Tally { calls: 1, failures: 1, slow: 0 });
}

/// Three threads ask for two places, the lane and a counted one; then they are given back.
fn bulkhead() {
    let bulkhead = Arc::new(Bulkhead::new(2, &scope().1).unwrap());
    let ask = |bulkhead: Arc<Bulkhead>| move || bulkhead.try_enter().ok();
    let others = [spawn(&bulkhead, ask(bulkhead.clone())), spawn(&bulkhead, ask(bulkhead.clone()))];
    let mine = ask(bulkhead.clone())();
    let places: Vec<_> = others.map(|other| other.join().unwrap()).into_iter().chain([mine]).flatten().collect();
    assert_eq!((places.len(), bulkhead.taken()), (2, 2));
    places.into_iter().for_each(|place| bulkhead.leave(place));
    assert_eq!(bulkhead.taken(), 0);
}

/// What a bias guards: a number, and a place that loom watches for accesses at the same time.
struct Guarded {
    bias: ModelBias,
    number: AtomicU64,
    place: UnsafeCell<()>,
}

// SAFETY: the place is written by the one thread that is alone, which is what the model checks.
unsafe impl Sync for Guarded {}
// SAFETY: as above.
unsafe impl Send for Guarded {}

impl Guarded {
    fn add(&self) {
        let alone = || {
            self.place.with_mut(|_| ());
            self.number.store(self.number.load(Relaxed) + 1, Relaxed);
        };
        let shared = || {
            self.place.with(|_| ());
            self.number.fetch_add(1, Relaxed);
        };
        self.bias.turn(alone, shared);
    }
}

/// The owner adds while other threads come: nothing is lost, and nobody is there at the same time.
fn bias(own: usize, others: usize) {
    let (bias, number) = (ModelBias::new(), AtomicU64::new(0));
    let guarded = Arc::new(Guarded { bias, number, place: UnsafeCell::new(()) });
    guarded.add();
    let add = |guarded: Arc<Guarded>| move || guarded.add();
    let threads: Vec<_> = (0..others).map(|_| spawn(&guarded, add(guarded.clone()))).collect();
    (0..own).for_each(|_| guarded.add());
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(guarded.number.load(Relaxed), (1 + own + others) as u64);
}

fn bias_of_an_owner_that_goes_on() {
    bias(2, 1);
}

fn bias_of_two_that_come() {
    bias(1, 2);
}

fn bias_of_an_owner_that_has_gone() {
    bias(0, 2);
}

/// Of three tokens the owner takes one before another thread comes, and then both take what is left.
fn bias_of_a_number() {
    let tokens = Arc::new((ModelBias::new(), AtomicU64::new(3)));
    let take = |tokens: &(ModelBias, AtomicU64)| usize::from(tokens.0.take(&tokens.1));
    let before = take(&tokens);
    let own = tokens.clone();
    let other = spawn(&tokens, move || take(&own) + take(&own));
    let mine = take(&tokens) + take(&tokens);
    assert_eq!(before + mine + other.join().unwrap(), 3);
}

/// Two threads come first at the same time, and one of them again.
fn bias_that_is_claimed() {
    let (bias, number) = (ModelBias::new(), AtomicU64::new(0));
    let guarded = Arc::new(Guarded { bias, number, place: UnsafeCell::new(()) });
    let own = guarded.clone();
    let other = spawn(&guarded, move || own.add());
    (0..2).for_each(|_| guarded.add());
    other.join().unwrap();
    assert_eq!(guarded.number.load(Relaxed), 3);
}

/// Three threads ask for two tokens.
fn token_bucket() {
    let bucket = Arc::new(TokenBucket::new(1.0, 2, &scope().1).unwrap());
    let take = |bucket: Arc<TokenBucket>| move || usize::from(bucket.try_take(1).is_ok());
    let others = [spawn(&bucket, take(bucket.clone())), spawn(&bucket, take(bucket.clone()))];
    let mine = take(bucket.clone())();
    assert_eq!(mine + others.map(|other| other.join().unwrap()).iter().sum::<usize>(), 2);
}

/// Three threads ask a sliding window that admits two, of which one was admitted a span ago and makes room.
fn sliding_window() {
    let (clock, scope) = scope();
    let window = Arc::new(SlidingWindow::new(2, Duration::from_millis(1), 2, &scope).unwrap());
    assert!(window.try_take().is_ok());
    clock.sleep(Duration::from_millis(1));
    let take = |window: Arc<SlidingWindow>| move || usize::from(window.try_take().is_ok());
    let others = [spawn(&window, take(window.clone())), spawn(&window, take(window.clone()))];
    let mine = take(window.clone())();
    assert_eq!(mine + others.map(|other| other.join().unwrap()).iter().sum::<usize>(), 2);
    assert!(window.try_take().is_err());
}

const PROGRAMS: &[(&str, Program)] = &[
    ("probes_admitted", probes_admitted),
    ("probes_that_succeed", probes_that_succeed),
    ("probes_of_which_one_is_ignored", probes_of_which_one_is_ignored),
    ("probes_of_which_one_fails", probes_of_which_one_fails),
    ("opened_by_hand", opened_by_hand),
    ("trend", trend),
    ("count_window_one_each", count_window_one_each),
    ("count_window_over_blocks", count_window_over_blocks),
    ("count_window_two_and_two", count_window_two_and_two),
    ("count_window_of_two_periods", count_window_of_two_periods),
    ("time_window", time_window),
    ("bulkhead", bulkhead),
    ("bias_of_an_owner_that_goes_on", bias_of_an_owner_that_goes_on),
    ("bias_of_two_that_come", bias_of_two_that_come),
    ("bias_of_an_owner_that_has_gone", bias_of_an_owner_that_has_gone),
    ("bias_of_a_number", bias_of_a_number),
    ("bias_that_is_claimed", bias_that_is_claimed),
    ("token_bucket", token_bucket),
    ("sliding_window", sliding_window),
];

/// Each fault, and the program that must find it.
const FAULTS: &[(Mutant, &str)] = &[
    (Mutant::ProbeStored, "probes_admitted"),
    (Mutant::ProbeReturnStored, "probes_"),
    (Mutant::OpenStored, "opened_by_hand"),
    (Mutant::TrendStored, "trend"),
    (Mutant::BlockStored, "count_window"),
    (Mutant::HeadRelaxed, "count_window"),
    (Mutant::HeadLoadRelaxed, "count_window"),
    (Mutant::HeadUnhelped, "count_window"),
    (Mutant::NextStored, "count_window"),
    (Mutant::BucketStored, "time_window"),
    (Mutant::FailureRelaxed, "time_window"),
    (Mutant::FailureLoadRelaxed, "time_window"),
    (Mutant::CallsFirst, "time_window"),
    (Mutant::LaneStored, "bulkhead"),
    (Mutant::PlaceStored, "bulkhead"),
    (Mutant::TokenStored, "token_bucket"),
    (Mutant::SlideStored, "sliding_window"),
    (Mutant::SlideRelaxed, "sliding_window"),
    (Mutant::SlideLoadRelaxed, "sliding_window"),
    (Mutant::ClaimStored, "bias"),
    (Mutant::OwnerUnfenced, "bias"),
    (Mutant::InsideLate, "bias"),
    (Mutant::InsideStoreRelaxed, "bias"),
    (Mutant::RevokerUnfenced, "bias"),
    (Mutant::OwnerUnawaited, "bias"),
    (Mutant::InsideLoadRelaxed, "bias"),
    (Mutant::SharedStoreRelaxed, "bias"),
    (Mutant::SharedLoadRelaxed, "bias"),
];

#[test]
fn the_parts_hold_and_each_fault_is_found() {
    harness::judge(PROGRAMS, FAULTS, Mutant::ALL, mutant::plant, 3);
}
