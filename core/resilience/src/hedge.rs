//! Hedging: a second copy of a call that takes long, whose first answer counts (Dean, Barroso: The tail at scale, CACM 2013).

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::clock::{Clock, nanoseconds};
use crate::counters::Counters;
use crate::error::InvalidSetting;
use crate::latency::Latency;
use crate::outcome::Outcome;
use crate::retry::Budget;
use crate::scope::Scope;

/// When to send another copy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Copies in all: 2 to 8. 2.
    pub copies: u32,
    /// Another copy is sent when the last one takes longer than this quantile of the calls: [0, 1]. 0.95.
    pub quantile: f64,
    /// But not sooner than this. 1 ms.
    pub soonest: Duration,
    /// And at this, while fewer than ten calls are known. 100 ms.
    pub unknown: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { copies: 2, quantile: 0.95, soonest: Duration::from_millis(1), unknown: Duration::from_millis(100) }
    }
}

impl Settings {
    /// # Errors
    /// [`InvalidSetting`] names the first that is out of its range.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        InvalidSetting::unless((2..=8).contains(&self.copies), "copies", self.copies, "2 to 8")?;
        InvalidSetting::unless((0.0..=1.0).contains(&self.quantile), "quantile", self.quantile, "0 to 1")
    }
}

/// A hedging policy. It decides; whoever sends the copies asks it.
#[derive(Debug)]
pub struct Hedge {
    settings: ArcSwap<Settings>,
    latency: Latency,
    budget: Option<Arc<Budget>>,
    clock: Arc<dyn Clock>,
    scope: Scope,
}

/// One hedged call: which copies are under way, and whether one counts already.
#[derive(Clone, Copy, Debug)]
pub struct Hedged {
    /// When each copy was sent.
    sent_ns: [u64; 8],
    sent: u32,
    /// A bit for each copy under way.
    under_way: u32,
    settled: bool,
}

impl Hedged {
    /// Ten words, for a language that cannot hold a Rust value.
    pub fn into_raw(self) -> [u64; 10] {
        let mut raw = [0; 10];
        raw[..8].copy_from_slice(&self.sent_ns);
        raw[8] = u64::from(self.sent) << 32 | u64::from(self.under_way);
        raw[9] = self.settled.into();
        raw
    }

    /// The call of [`Hedged::into_raw`]; words that are none are some other call.
    pub fn from_raw(raw: [u64; 10]) -> Hedged {
        let mut sent_ns = [0; 8];
        sent_ns.copy_from_slice(&raw[..8]);
        let sent = ((raw[8] >> 32) as u32).clamp(1, 8);
        Hedged { sent_ns, sent, under_way: raw[8] as u32 & ((1 << sent) - 1), settled: raw[9] != 0 }
    }

    /// Copies sent.
    pub fn sent(&self) -> u32 {
        self.sent
    }

    /// Whether the answer is known: nothing more is sent, and what is under way may be cancelled.
    pub fn is_settled(&self) -> bool {
        self.settled
    }
}

/// What the end of a copy means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the call's answer: a success, or the failure of the last copy.
    Use,
    /// It failed, but others are under way.
    Wait,
    /// It failed and nothing else is under way, but another copy may be sent at once.
    SendAnother,
    /// Another copy has answered; it does not count.
    Late,
}

impl Hedge {
    /// A policy that knows no call yet; `budget` bounds the copies beyond the first, and may be a retry policy's too.
    ///
    /// # Errors
    /// [`InvalidSetting`] when a setting is out of its range.
    pub fn new(settings: Settings, budget: Option<Arc<Budget>>, scope: &Scope) -> Result<Hedge, InvalidSetting> {
        settings.check()?;
        let settings = ArcSwap::from_pointee(settings);
        let (clock, scope) = (scope.clock().clone(), scope.clone());
        Ok(Hedge { settings, latency: Latency::new(1000), budget, clock, scope })
    }

    /// Its settings at present.
    pub fn settings(&self) -> Settings {
        **self.settings.load()
    }

    /// Changes its settings; calls under way go on by the new ones.
    ///
    /// # Errors
    /// [`InvalidSetting`] when a setting is out of its range. Nothing was changed.
    pub fn retune(&self, settings: Settings) -> Result<(), InvalidSetting> {
        settings.check()?;
        self.settings.store(Arc::new(settings));
        Ok(())
    }

    /// Begins a call: its first copy, number 0, is to be sent now.
    pub fn begin(&self) -> Hedged {
        if let Some(budget) = &self.budget {
            budget.deposit();
        }
        let mut sent_ns = [0; 8];
        sent_ns[0] = self.clock.now_ns();
        Hedged { sent_ns, sent: 1, under_way: 1, settled: false }
    }

    /// How long to wait for an answer before another copy is sent; None when none will be.
    pub fn wait(&self, call: &Hedged) -> Option<Duration> {
        let settings = **self.settings.load();
        if call.settled || call.sent >= settings.copies {
            return None;
        }
        let usual = self.latency.quantile(settings.quantile).unwrap_or(settings.unknown);
        let last = call.sent_ns[call.sent as usize - 1];
        let due = last.saturating_add(nanoseconds(usual.max(settings.soonest)));
        Some(Duration::from_nanos(due.saturating_sub(self.clock.now_ns())))
    }

    /// Whether to send another copy now, and its number. The wait must be over, unless nothing is under way, and the budget must cover it.
    pub fn send(&self, call: &mut Hedged) -> Option<u32> {
        let due = self.wait(call)?.is_zero() || call.under_way == 0;
        if !due || self.budget.as_ref().is_some_and(|budget| !budget.withdraw()) {
            return None;
        }
        Counters::count(&self.scope.counters().hedges);
        let copy = call.sent;
        call.sent_ns[copy as usize] = self.clock.now_ns();
        call.sent += 1;
        call.under_way |= 1 << copy;
        Some(copy)
    }

    /// Takes the end of a copy; one that is not under way is late. Where [`Verdict::SendAnother`] is the answer and [`Hedge::send`]
    /// then refuses, the failure is the call's answer.
    pub fn finish(&self, call: &mut Hedged, copy: u32, outcome: Outcome) -> Verdict {
        if copy >= 8 || call.under_way & 1 << copy == 0 {
            return Verdict::Late;
        }
        call.under_way &= !(1 << copy);
        if outcome == Outcome::Success {
            let took = self.clock.now_ns().saturating_sub(call.sent_ns[copy as usize]);
            self.latency.note(Duration::from_nanos(took));
        }
        if call.settled {
            return Verdict::Late;
        }
        if outcome != Outcome::Success && call.under_way != 0 {
            return Verdict::Wait;
        }
        if outcome != Outcome::Success && call.sent < self.settings.load().copies {
            return Verdict::SendAnother;
        }
        call.settled = true;
        Verdict::Use
    }
}
