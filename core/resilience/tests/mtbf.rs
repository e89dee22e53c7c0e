//! The mean time between failures of a simulated service over 10,000 hours, with and without policies.
//!
//! The service has four workers, takes four calls a second, and asks one dependency for 50 ms a call. A call is good when it is
//! answered within a second, by the dependency or, with policies, by the last good answer, which may be half an hour old. The service
//! has failed when fewer than half of the calls of ten seconds were good; seconds that follow each other are one failure. Faults come
//! in Poisson streams and last for exponential times:
//!
//! | fault | every | for | what a call sees |
//! |---|---|---|---|
//! | hang | 100 h | 2 min | no answer; without policies it waits 30 s, a usual default |
//! | errors | 20 h | 5 min | 70 % of the answers are errors |
//! | slowness | 50 h | 5 min | answers after 1.2 s |
//!
//! Time in which there is no fault is skipped but for its last half minute. `KNHK_SEEDS` says for how many seeds: `make simulate`.
#![cfg(not(loom))]

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use knhk_resilience::breaker::{self, Breaker, Window};
use knhk_resilience::limit::Bulkhead;
use knhk_resilience::pipeline::{Call, Permit, Pipeline, Policies};
use knhk_resilience::{Clock, Deadline, LastGood, ManualClock, Outcome, Random, Scope};

const HOURS: f64 = 10_000.0;
const SECOND: u64 = 1_000_000_000;
const HOUR: f64 = 3600.0 * SECOND as f64;
const WORKERS: usize = 4;
const PATIENCE: u64 = SECOND;
/// Between two calls.
const PERIOD: u64 = SECOND / 4;
const WINDOW: u64 = 10 * SECOND;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Hang,
    Errors,
    Slowness,
}

/// When each fault begins and ends, in nanoseconds.
fn faults(random: &Random) -> Vec<(u64, u64, Fault)> {
    let exponential = |mean: f64| -(1.0 - random.unit()).ln() * mean;
    let mut all = Vec::new();
    for (fault, every, lasts) in
        [(Fault::Hang, 100.0, 120.0), (Fault::Errors, 20.0, 300.0), (Fault::Slowness, 50.0, 300.0)]
    {
        let mut at = exponential(every * HOUR);
        while at < HOURS * HOUR {
            let end = at + exponential(lasts * SECOND as f64);
            all.push((at as u64, end as u64, fault));
            at = end + exponential(every * HOUR);
        }
    }
    all.sort_by_key(|fault| fault.0);
    all
}

struct Running {
    arrived: u64,
    permit: Option<Permit>,
    answered: bool,
}

struct Service {
    clock: Arc<ManualClock>,
    policies: Option<(Pipeline, LastGood<()>)>,
    random: Random,
    waiting: VecDeque<u64>,
    running: BinaryHeap<Reverse<(u64, usize)>>,
    slots: Vec<Option<Running>>,
    /// Calls and good ones of each window, by its number, the oldest first.
    windows: VecDeque<(u64, u32, u32)>,
    failures: u32,
    failed_last: Option<u64>,
}

impl Service {
    fn new(with_policies: bool, seed: u64) -> Service {
        let clock = Arc::new(ManualClock::default());
        let scope = Scope::new(clock.clone());
        let settings = breaker::Settings {
            window: Window::Count(20),
            slow_call: Some(Duration::from_millis(400)),
            ..breaker::Settings::default()
        };
        let policies = || Policies {
            breaker: Some(Arc::new(Breaker::new("dependency", settings, &scope).unwrap())),
            bulkhead: Some(Arc::new(Bulkhead::new(WORKERS as u32 - 1, &scope).unwrap())),
            timeout: Some(Duration::from_millis(500)),
            ..Policies::default()
        };
        let kept = Duration::from_secs(1800);
        Service {
            policies: with_policies.then(|| (Pipeline::new(policies(), &scope), LastGood::new(kept, &scope))),
            clock,
            random: Random::new(seed),
            waiting: VecDeque::new(),
            running: BinaryHeap::new(),
            slots: (0..WORKERS).map(|_| None).collect(),
            windows: VecDeque::new(),
            failures: 0,
            failed_last: None,
        }
    }

    fn tell(&mut self, arrived: u64, good: bool) {
        let number = arrived / WINDOW;
        let at = self.windows.iter().position(|window| window.0 == number).unwrap_or_else(|| {
            self.windows.push_back((number, 0, 0));
            self.windows.len() - 1
        });
        self.windows[at].1 += 1;
        self.windows[at].2 += u32::from(good);
    }

    /// Judges the windows before that time.
    fn judge(&mut self, before: u64) {
        while let Some((number, calls, good)) =
            self.windows.front().copied().filter(|window| (window.0 + 1) * WINDOW <= before)
        {
            self.windows.pop_front();
            if 2 * good < calls {
                self.failures += u32::from(self.failed_last.is_none_or(|last| last + 1 != number));
                self.failed_last = Some(number);
            }
        }
    }

    /// What the dependency does with a call: how long it takes, and whether it answers well.
    fn ask(&self, fault: Option<Fault>) -> (u64, bool) {
        match fault {
            None => (SECOND / 20, true),
            Some(Fault::Hang) => (30 * SECOND, false),
            Some(Fault::Errors) => (SECOND / 20, self.random.unit() >= 0.7),
            Some(Fault::Slowness) => (SECOND * 12 / 10, true),
        }
    }

    fn serve(&mut self, now: u64, fault: Option<Fault>) {
        while self.running.len() < WORKERS {
            let Some(arrived) = self.waiting.pop_front() else { return };
            if now - arrived > PATIENCE {
                self.tell(arrived, false);
                continue;
            }
            let call = Call { deadline: Deadline::at_ns(arrived + PATIENCE), ..Call::default() };
            let permit = self.policies.as_ref().map(|(pipeline, _)| pipeline.try_enter(call));
            if matches!(permit, Some(Err(_))) {
                let good = self.fall_back();
                self.tell(arrived, good);
                continue;
            }
            let (mut takes, mut answered) = self.ask(fault);
            let permit = permit.and_then(Result::ok);
            if let Some(left) = permit.as_ref().and_then(|permit| permit.deadline().left(&*self.clock)) {
                let left = left.as_nanos() as u64;
                (takes, answered) = if takes >= left { (left, false) } else { (takes, answered) };
            }
            let slot = self.slots.iter().position(Option::is_none).expect("a worker is free");
            self.slots[slot] = Some(Running { arrived, permit, answered });
            self.running.push(Reverse((now + takes, slot)));
        }
    }

    fn fall_back(&self) -> bool {
        self.policies.as_ref().is_some_and(|(_, last)| last.or_last_good(Err(())).is_ok())
    }

    fn end(&mut self, now: u64, slot: usize) {
        let Running { arrived, permit, answered } = self.slots[slot].take().expect("it runs");
        if let (Some((pipeline, last)), Some(permit)) = (&self.policies, permit) {
            pipeline.finish(permit, if answered { Outcome::Success } else { Outcome::Failure });
            if answered {
                let _ = last.or_last_good(Ok::<(), ()>(()));
            }
        }
        let good = answered || self.fall_back();
        self.tell(arrived, good && now - arrived <= PATIENCE);
    }

    /// Calls from one moment to another.
    fn run(&mut self, from: u64, to: u64, fault: impl Fn(u64) -> Option<Fault>) {
        let mut arrival = from;
        loop {
            let ends = self.running.peek().map_or(u64::MAX, |Reverse((at, _))| *at);
            let now = ends.min(arrival);
            if now >= to {
                return self.judge(to.saturating_sub(40 * SECOND));
            }
            self.clock.set(now);
            if now == ends {
                let Some(Reverse((_, slot))) = self.running.pop() else { unreachable!("something ends") };
                self.end(now, slot);
            } else {
                self.waiting.push_back(now);
                arrival += PERIOD;
                self.judge(now.saturating_sub(40 * SECOND));
            }
            self.serve(now, fault(now));
        }
    }
}

/// Failures in the whole time.
fn simulate(with_policies: bool, seed: u64) -> u32 {
    let faults = faults(&Random::new(seed));
    let mut service = Service::new(with_policies, seed ^ 1);
    let mut now = 0;
    let mut first = 0;
    while first < faults.len() {
        // Faults that come before the last one has been over for two minutes are one stretch.
        let (mut last, mut end) = (first, faults[first].1);
        while last + 1 < faults.len() && faults[last + 1].0 < end + 120 * SECOND {
            last += 1;
            end = end.max(faults[last].1);
        }
        let stretch = &faults[first..=last];
        let from = faults[first].0.saturating_sub(30 * SECOND).max(now).next_multiple_of(PERIOD);
        let active = |at: u64| stretch.iter().find(|fault| fault.0 <= at && at < fault.1).map(|fault| fault.2);
        now = end + 90 * SECOND;
        service.run(from, now, active);
        first = last + 1;
    }
    assert_eq!(
        service.clock.now_ns() / HOUR as u64 / 1000,
        HOURS as u64 / 1000 - 1,
        "nearly all the time was simulated"
    );
    service.judge(u64::MAX);
    service.failures
}

#[test]
fn policies_make_failures_rare() {
    let seeds = std::env::var("KNHK_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(2);
    for seed in 12..12 + seeds {
        let [without, with] = [false, true].map(|with_policies| simulate(with_policies, seed));
        let between = |failures: u32| HOURS / f64::from(failures.max(1));
        let (bare, kept) = (between(without), between(with));
        println!(
            "seed {seed}: {without} failures without policies, one in {bare:.0} h; {with} with them, one in {kept:.0} h"
        );
        assert!(kept > 1000.0 && kept >= 5.0 * bare, "seed {seed}: {kept:.0} h with policies, {bare:.0} h without");
    }
}
