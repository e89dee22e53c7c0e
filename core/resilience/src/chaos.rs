//! Faults on purpose, the same ones for the same seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::clock::{Clock, nanoseconds};
use crate::counters::Counters;
use crate::error::InvalidSetting;
use crate::random::{draw, unit};
use crate::scope::Scope;

/// What is injected.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// The share of calls that fail: [0, 1].
    pub failures: f64,
    /// The share of calls that are delayed: [0, 1].
    pub delays: f64,
    /// The shortest and the longest delay; uniform between them.
    pub delay: (Duration, Duration),
}

/// What befalls a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// It takes so much longer.
    pub delay: Duration,
    /// It fails.
    pub fails: bool,
}

/// Injects faults: call number n of a seed has the same ones each time, whatever thread makes it. It begins switched off.
#[derive(Debug)]
pub struct Chaos {
    settings: Settings,
    seed: u64,
    calls: AtomicU64,
    on: AtomicBool,
    clock: Arc<dyn Clock>,
    scope: Scope,
}

impl Chaos {
    /// Faults of that seed.
    ///
    /// # Errors
    /// [`InvalidSetting`] when a share is not in [0, 1] or the delays are not in order.
    pub fn new(settings: Settings, seed: u64, scope: &Scope) -> Result<Chaos, InvalidSetting> {
        for (name, share) in [("failures", settings.failures), ("delays", settings.delays)] {
            InvalidSetting::unless((0.0..=1.0).contains(&share), name, share, "0 to 1")?;
        }
        let (shortest, longest) = settings.delay;
        InvalidSetting::unless(shortest <= longest, "delay", settings.delay, "the shortest and the longest")?;
        let (clock, scope) = (scope.clock().clone(), scope.clone());
        Ok(Chaos { settings, seed, calls: AtomicU64::new(0), on: AtomicBool::new(false), clock, scope })
    }

    /// Switches it on or off.
    pub fn switch(&self, on: bool) {
        self.on.store(on, Relaxed);
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        self.on.load(Relaxed)
    }

    /// What befalls the next call; nothing while it is switched off, and no call is counted then.
    pub fn next(&self) -> Fault {
        if !self.on.load(Relaxed) {
            return Fault::default();
        }
        let number = self.calls.fetch_add(1, Relaxed);
        let fault = self.fault(number);
        Counters::add(&self.scope.counters().chaos_failures, u64::from(fault.fails));
        Counters::add(&self.scope.counters().chaos_delays, u64::from(!fault.delay.is_zero()));
        fault
    }

    /// What befalls call number `number`.
    pub fn fault(&self, number: u64) -> Fault {
        let random = |what| unit(draw(self.seed, number.wrapping_mul(3).wrapping_add(what)));
        let (shortest, longest) = (nanoseconds(self.settings.delay.0), nanoseconds(self.settings.delay.1));
        let delay = shortest + (random(2) * (longest - shortest) as f64) as u64;
        let delayed = random(1) < self.settings.delays;
        Fault {
            delay: if delayed { Duration::from_nanos(delay) } else { Duration::ZERO },
            fails: random(0) < self.settings.failures,
        }
    }

    /// Delays the calling thread as the next call's fault says, by the scope's clock; says whether the call fails.
    pub fn strike(&self) -> bool {
        let fault = self.next();
        if !fault.delay.is_zero() {
            self.clock.sleep(fault.delay);
        }
        fault.fails
    }
}
