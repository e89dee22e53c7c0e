//! How much may be tried again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::clock::{Clock, nanoseconds};
use crate::error::InvalidSetting;
use crate::scope::Scope;

/// A call deposits so many thousandths of a retry, and a retry takes a thousand.
const RETRY: u64 = 1000;
const STEPS: u64 = 10;
const AMOUNT: u32 = 32;

/// Keeps retries a share of the calls, so that they do not double the load of a callee that is failing already (as Finagle's retry
/// budget does): `share` of a retry is saved by each call and `reserve` is there without calls, both for the last `span` only.
///
/// It is lock-free: one word for each tenth of the span says which tenth it is and how much was deposited less what was withdrawn.
#[derive(Debug)]
pub struct Budget {
    /// Which step (32 bits) and its balance plus an offset (32 bits).
    steps: [AtomicU64; STEPS as usize],
    share: u64,
    reserve: i64,
    step_ns: u64,
    zero_ns: u64,
    clock: Arc<dyn Clock>,
}

/// The balance of a step may be below zero: a retry is taken from the step in which it is made.
const ZERO: i64 = 1 << 31;

impl Budget {
    /// `share`: retries for each call, 0 to 10, usually 0.1 or 0.2. `reserve`: retries of each span without any call, at most 1,000,000.
    /// `span`: at least 10 ms.
    ///
    /// # Errors
    /// [`InvalidSetting`] when one is out of its range.
    pub fn new(share: f64, reserve: u32, span: Duration, scope: &Scope) -> Result<Budget, InvalidSetting> {
        InvalidSetting::unless((0.0..=10.0).contains(&share), "share", share, "0 to 10")?;
        InvalidSetting::unless(reserve <= 1_000_000, "reserve", reserve, "at most 1,000,000")?;
        InvalidSetting::unless(span >= Duration::from_millis(10), "span", span, "at least 10 ms")?;
        Ok(Budget {
            steps: std::array::from_fn(|_| AtomicU64::new(0)),
            share: (share * RETRY as f64).round() as u64,
            reserve: i64::from(reserve) * RETRY as i64,
            step_ns: nanoseconds(span) / STEPS,
            zero_ns: scope.clock().now_ns(),
            clock: scope.clock().clone(),
        })
    }

    /// Retries that may be made at present.
    pub fn left(&self) -> u64 {
        (self.balance(self.step()).max(0) as u64) / RETRY
    }

    /// A call was made.
    pub fn deposit(&self) {
        self.add(self.step(), self.share as i64);
    }

    /// Takes a retry, if there is one.
    pub fn withdraw(&self) -> bool {
        let step = self.step();
        // Taken first and given back, so that of two threads one at most takes the last retry.
        self.add(step, -(RETRY as i64));
        let covered = self.balance(step) >= 0;
        if !covered {
            self.add(step, RETRY as i64);
        }
        covered
    }

    /// From 1: the words begin as step 0.
    fn step(&self) -> u64 {
        self.clock.now_ns().saturating_sub(self.zero_ns) / self.step_ns + 1
    }

    fn balance(&self, step: u64) -> i64 {
        let of = |word: u64| {
            let age = (step & 0xffff_ffff).wrapping_sub(word >> AMOUNT) & 0xffff_ffff;
            let counts = age < STEPS && word >> AMOUNT != 0;
            if counts { (word & 0xffff_ffff) as i64 - ZERO } else { 0 }
        };
        self.reserve + self.steps.iter().map(|word| of(word.load(Relaxed))).sum::<i64>()
    }

    fn add(&self, step: u64, amount: i64) {
        let named = step & 0xffff_ffff;
        let _ = self.steps[(step % STEPS) as usize].fetch_update(Relaxed, Relaxed, |word| {
            let balance = if word >> AMOUNT == named { (word & 0xffff_ffff) as i64 } else { ZERO };
            Some(named << AMOUNT | (balance + amount).clamp(0, 0xffff_ffff) as u64)
        });
    }
}
