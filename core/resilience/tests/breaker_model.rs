//! The breaker against a small executable model of its documented state machine, on generated histories.
#![cfg(not(loom))]

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use knhk_resilience::breaker::{Breaker, Pass, Settings, State, Window};
use knhk_resilience::{ManualClock, Outcome, Rejected, Scope};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// What a caller does.
#[derive(Clone, Debug)]
enum Step {
    Enter,
    /// Ends the n-th call under way (modulo their number).
    Finish(usize, Outcome),
    /// A call from start to end, with what it takes.
    Call(Outcome, u64),
    Wait(u64),
    ForceOpen,
    Close,
    Disable,
    Retune(usize),
}

/// The state machine as `Settings` documents it, with milliseconds as its only unit.
struct Model {
    settings: Settings,
    now: u64,
    state: State,
    period: u64,
    since: u64,
    rate: f64,
    consecutive: u32,
    calls: u32,
    /// Step of time, failed, slow.
    outcomes: VecDeque<(u64, bool, bool)>,
    taken: u32,
    succeeded: u32,
}

struct ModelPass {
    period: u64,
    state: State,
    started: Option<u64>,
}

impl Model {
    fn new(settings: Settings) -> Model {
        Model {
            settings,
            now: 0,
            state: State::Closed,
            period: 0,
            since: 0,
            rate: 0.0,
            consecutive: 0,
            calls: 0,
            outcomes: VecDeque::new(),
            taken: 0,
            succeeded: 0,
        }
    }

    fn change(&mut self, state: State) {
        let (settings, now, period) = (self.settings, self.now, self.period + 1);
        *self = Model { now, state, period, since: now, ..Model::new(settings) };
    }

    fn enter(&mut self) -> Result<ModelPass, ()> {
        let recovered = self.now - self.since >= self.settings.recovery.as_millis() as u64;
        match self.state {
            State::ForcedOpen => return Err(()),
            State::Open if !recovered => return Err(()),
            State::Open => self.change(State::HalfOpen),
            State::HalfOpen if self.taken < self.settings.half_open_permits => {}
            State::HalfOpen if recovered => self.change(State::HalfOpen),
            State::HalfOpen => return Err(()),
            State::Closed | State::Disabled => {}
        }
        if self.state == State::HalfOpen {
            self.taken += 1;
        }
        let started = self.settings.slow_call.map(|_| self.now);
        Ok(ModelPass { period: self.period, state: self.state, started })
    }

    fn finish(&mut self, pass: ModelPass, outcome: Outcome) {
        if pass.period != self.period || pass.state == State::Disabled {
            return;
        }
        let slow = match (pass.started, self.settings.slow_call) {
            (Some(started), Some(limit)) => self.now - started >= limit.as_millis() as u64,
            _ => false,
        };
        if pass.state == State::HalfOpen {
            return match outcome {
                Outcome::Ignored => self.taken -= 1,
                Outcome::Success if !slow => {
                    self.succeeded += 1;
                    if self.succeeded >= self.settings.half_open_permits {
                        self.change(State::Closed);
                    }
                }
                _ => self.change(State::Open),
            };
        }
        if outcome == Outcome::Ignored {
            return;
        }
        let failed = outcome == Outcome::Failure;
        self.rate += self.settings.ema_alpha * (f64::from(u8::from(failed)) - self.rate);
        self.consecutive = if failed { self.consecutive + 1 } else { 0 };
        self.calls += 1;
        if (failed || slow) | (self.settings.window != Window::None) {
            self.outcomes.push_back((self.now, failed, slow));
        }
        if (failed && self.tripped()) || ((failed || slow) && self.window_tripped(failed)) {
            self.change(State::Open);
        }
    }

    fn tripped(&self) -> bool {
        let settings = &self.settings;
        let row = settings.consecutive_failures != 0 && self.consecutive >= settings.consecutive_failures;
        let enough = settings.ema_alpha > 0.0 && self.calls >= settings.minimum_calls;
        row || enough && self.rate >= settings.ema_threshold - 1e-6
    }

    fn window_tripped(&self, failed: bool) -> bool {
        let seen: Vec<_> = match self.settings.window {
            Window::None => return false,
            Window::Count(n) => self.outcomes.iter().rev().take(n as usize).collect(),
            Window::Time { span, buckets } => {
                let step = (span / buckets).as_millis() as u64;
                self.outcomes.iter().filter(|(at, ..)| at / step + u64::from(buckets) > self.now / step).collect()
            }
        };
        let share = |n: usize| n as f64 / seen.len() as f64;
        let failures = share(seen.iter().filter(|outcome| outcome.1).count());
        let slow = share(seen.iter().filter(|outcome| outcome.2).count());
        seen.len() >= self.settings.minimum_calls as usize
            && (failed && failures >= self.settings.failure_rate
                || self.settings.slow_call.is_some() && slow >= self.settings.slow_call_rate)
    }
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![4 => Just(Outcome::Success), 4 => Just(Outcome::Failure), 1 => Just(Outcome::Ignored)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Enter),
        6 => (any::<usize>(), outcome()).prop_map(|(n, outcome)| Step::Finish(n, outcome)),
        30 => (outcome(), prop_oneof![Just(0u64), 0..30u64]).prop_map(|(outcome, ms)| Step::Call(outcome, ms)),
        4 => prop_oneof![0..50u64, Just(1000), Just(29_999), Just(30_000), 100..40_000u64].prop_map(Step::Wait),
        1 => Just(Step::ForceOpen),
        2 => Just(Step::Close),
        1 => Just(Step::Disable),
        1 => any::<usize>().prop_map(Step::Retune),
    ]
}

fn settings() -> impl Strategy<Value = Settings> {
    let window = prop_oneof![
        Just(Window::None),
        (20..60u32).prop_map(Window::Count),
        (2..6u32).prop_map(|buckets| Window::Time { span: Duration::from_millis(50) * buckets, buckets }),
    ];
    let trend = (prop_oneof![Just(0.1), Just(0.0), 0.05..1.0f64], prop_oneof![Just(0.5), 0.2..1.0f64]);
    let rest = (0..8u32, 1..20u32, prop_oneof![Just(0.5), 0.1..1.0f64], any::<bool>(), 1..30_001u64, 1..6u32);
    (window, trend, rest).prop_map(|(window, (ema_alpha, ema_threshold), rest)| {
        let (consecutive_failures, minimum_calls, failure_rate, slow, recovery, half_open_permits) = rest;
        Settings {
            window,
            ema_alpha,
            ema_threshold,
            consecutive_failures,
            minimum_calls,
            failure_rate,
            slow_call: (slow && window != Window::None).then(|| Duration::from_millis(20)),
            slow_call_rate: failure_rate,
            recovery: Duration::from_millis(recovery),
            half_open_permits,
        }
    })
}

/// Runs a history on both; returns how often the breaker opened by itself.
fn agree(settings: Settings, others: &[Settings], steps: &[Step]) -> Result<usize, TestCaseError> {
    let clock = Arc::new(ManualClock::new(17));
    let breaker = Breaker::new("model", settings, &Scope::new(clock.clone())).unwrap();
    let mut model = Model::new(settings);
    let mut passes: Vec<(Pass, ModelPass)> = Vec::new();
    let mut opened = 0;
    let wait = |model: &mut Model, ms: u64| {
        clock.advance(Duration::from_millis(ms));
        model.now += ms;
    };
    for (number, step) in steps.iter().enumerate() {
        let before = model.state;
        // λ is kept as a 32-bit float: where both sides of the threshold are that close, the model cannot say.
        let next = model.rate + model.settings.ema_alpha * (1.0 - model.rate);
        if (next - (model.settings.ema_threshold - 1e-6)).abs() < 5e-7 {
            return Ok(opened);
        }
        match *step {
            Step::Enter | Step::Call(..) => {
                let (ours, expected) = (breaker.try_enter(), model.enter());
                prop_assert_eq!(ours.is_ok(), expected.is_ok(), "step {}: {:?}", number, step);
                if let (Ok(ours), Ok(expected)) = (ours, expected) {
                    passes.push((ours, expected));
                    if let Step::Call(outcome, ms) = *step {
                        wait(&mut model, ms);
                        let (ours, expected) = passes.pop().expect("just pushed");
                        breaker.finish(ours, outcome);
                        model.finish(expected, outcome);
                    }
                }
            }
            Step::Finish(n, outcome) if !passes.is_empty() => {
                let (ours, expected) = passes.swap_remove(n % passes.len());
                breaker.finish(ours, outcome);
                model.finish(expected, outcome);
            }
            Step::Finish(..) => {}
            Step::Wait(ms) => wait(&mut model, ms),
            Step::ForceOpen => (breaker.force_open(), model.change(State::ForcedOpen)).0,
            Step::Close => (breaker.close(), model.change(State::Closed)).0,
            Step::Disable => (breaker.disable(), model.change(State::Disabled)).0,
            Step::Retune(n) => {
                if let Some(other) = others.get(n % others.len().max(1)) {
                    let other = Settings { window: settings.window, slow_call: settings.slow_call, ..*other };
                    prop_assert!(breaker.retune(other).is_ok());
                    model.settings = other;
                }
            }
        }
        prop_assert_eq!(breaker.state(), model.state, "step {}: {:?}", number, step);
        let status = breaker.status();
        if model.state == State::Closed {
            prop_assert!((f64::from(status.trend) - model.rate).abs() < 1e-6, "step {}: {:?}", number, status);
            prop_assert_eq!(status.consecutive, model.consecutive);
        }
        opened += usize::from(before == State::Closed && model.state == State::Open);
    }
    Ok(opened)
}

/// Runs so many generated histories; the breaker must have opened by itself in a good part of them, or they prove little.
fn check(cases: u32, histories: impl Strategy<Value = (Settings, Vec<Settings>, Vec<Step>)>) {
    let opened = Cell::new(0);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let result = TestRunner::new(config).run(&histories, |(settings, others, steps)| {
        opened.set(opened.get() + agree(settings, &others, &steps)?);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(opened.get() > cases as usize / 2, "opened {} times in {cases} histories", opened.get());
}

#[test]
fn equals_the_model() {
    let steps = proptest::collection::vec(step(), 1..200);
    check(700, (settings(), proptest::collection::vec(settings(), 1..3), steps));
}

#[test]
fn equals_the_model_with_the_defaults() {
    check(200, (Just(Settings::default()), Just(Vec::new()), proptest::collection::vec(step(), 1..300)));
}

#[test]
fn the_defaults_are_those_of_row_w4() {
    let clock = Arc::new(ManualClock::default());
    let breaker = Breaker::new("w4", Settings::default(), &Scope::new(clock.clone())).unwrap();
    let call = |outcome| breaker.try_enter().map(|pass| breaker.finish(pass, outcome));
    // Four failures in a row do not open it, five do.
    (0..4).for_each(|_| call(Outcome::Failure).unwrap());
    assert_eq!(breaker.state(), State::Closed);
    call(Outcome::Failure).unwrap();
    assert_eq!(call(Outcome::Success), Err(Rejected::Open { retry_after: Duration::from_secs(30) }));
    // 30 s later three probes are admitted, and close it.
    clock.advance(Duration::from_millis(29_999));
    assert_eq!(call(Outcome::Success), Err(Rejected::Open { retry_after: Duration::from_millis(1) }));
    clock.advance(Duration::from_millis(1));
    let probes: Vec<Pass> = (0..3).map(|_| breaker.try_enter().unwrap()).collect();
    assert_eq!(call(Outcome::Success), Err(Rejected::Probing { permits: 3 }));
    probes.into_iter().for_each(|probe| breaker.finish(probe, Outcome::Success));
    assert_eq!(breaker.state(), State::Closed);
    // Four failures and a success, again and again: never five in a row; λ reaches 0.5, but not before ten calls.
    let pattern = |n: usize| if n % 5 == 4 { Outcome::Success } else { Outcome::Failure };
    let (mut rate, mut calls) = (0.0, 0);
    while breaker.state() == State::Closed {
        call(pattern(calls)).unwrap();
        rate += 0.1 * (f64::from(u8::from(pattern(calls) == Outcome::Failure)) - rate);
        calls += 1;
    }
    assert!(calls == 11 && rate >= 0.5, "opened after {calls} calls at {rate}");
}
