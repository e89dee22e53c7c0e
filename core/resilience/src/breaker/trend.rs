//! The moving average of failures, the failures in a row and the calls of one closed period, in one word.
//!
//! Each outcome is one exchange, so none is lost and all threads' outcomes have one order. The word names the period that it speaks of: the
//! first outcome of a later period begins it anew, and an outcome of an earlier one is refused. A success that would change nothing is
//! not written: a load has the same effect as an exchange of equal values.

use std::sync::atomic::Ordering::Relaxed;

use super::state::{TAG_BITS, after};
use crate::mutant::{Mutant::TrendStored, exchange};
use crate::primitive::AtomicU64;

const CONSECUTIVE: u32 = 32;
const CALLS: u32 = 43;
const TAG: u32 = 64 - TAG_BITS;
const CONSECUTIVE_MAX: u64 = (1 << (CALLS - CONSECUTIVE)) - 1;
const CALLS_MAX: u64 = (1 << (TAG - CALLS)) - 1;
/// Below this λ is 0, so that a callee that is well again costs no exchange.
const FORGOTTEN: f32 = 1e-9;

/// From the low end: λ as a float (32 bits), failures in a row (11), calls (10), both saturating, and the period's tag (11).
#[derive(Debug)]
pub(crate) struct Trend(AtomicU64);

/// A trend as one outcome left it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) rate: f32,
    pub(crate) consecutive: u32,
    pub(crate) calls: u32,
}

impl Seen {
    fn of(word: u64) -> Seen {
        Seen {
            rate: f32::from_bits(word as u32),
            consecutive: (word >> CONSECUTIVE & CONSECUTIVE_MAX) as u32,
            calls: (word >> CALLS & CALLS_MAX) as u32,
        }
    }

    fn word(self, tag: u64) -> u64 {
        let consecutive = u64::from(self.consecutive).min(CONSECUTIVE_MAX);
        let calls = u64::from(self.calls).min(CALLS_MAX);
        u64::from(self.rate.to_bits()) | consecutive << CONSECUTIVE | calls << CALLS | tag << TAG
    }

    fn then(self, failed: bool, alpha: f64) -> Seen {
        let before = f64::from(self.rate);
        let rate = (before + alpha * (f64::from(u8::from(failed)) - before)) as f32;
        Seen {
            rate: if rate < FORGOTTEN { 0.0 } else { rate },
            consecutive: if failed { self.consecutive.saturating_add(1) } else { 0 },
            calls: self.calls.saturating_add(1),
        }
    }
}

impl Trend {
    pub(crate) fn new() -> Trend {
        Trend(AtomicU64::new(0))
    }

    /// Whether a success of that period would change nothing.
    #[inline(always)]
    pub(crate) fn is_steady(&self, tag: u64) -> bool {
        self.0.load(Relaxed) == tag << TAG | CALLS_MAX << CALLS
    }

    /// Takes an outcome; None when a later period has begun.
    pub(crate) fn record(&self, tag: u64, failed: bool, alpha: f64) -> Option<Seen> {
        let mut word = self.0.load(Relaxed);
        loop {
            let told = word >> TAG;
            if after(told, tag) {
                return None;
            }
            let before = if told == tag { Seen::of(word) } else { Seen::of(0) };
            let seen = before.then(failed, alpha);
            let new = seen.word(tag);
            if new == word {
                return Some(seen);
            }
            match exchange(&self.0, word, new, Relaxed, TrendStored) {
                Ok(_) => return Some(seen),
                Err(now) => word = now,
            }
        }
    }

    /// Begins a period, unless one of its outcomes, or a later period, did.
    pub(crate) fn begin(&self, tag: u64) {
        let _ = self.0.fetch_update(Relaxed, Relaxed, |word| {
            let told = word >> TAG;
            (told != tag && !after(told, tag)).then_some(tag << TAG)
        });
    }

    /// The trend of that period so far.
    pub(crate) fn look(&self, tag: u64) -> Seen {
        let word = self.0.load(Relaxed);
        Seen::of(if word >> TAG == tag { word } else { 0 })
    }
}
