//! A sliding window of admissions, exact.
//!
//! A ring of words holds when each of the last C calls was admitted; C is at least the limit L. Call number n is admitted when call
//! n − L was a span ago or more, by *one exchange* of the word of place n mod C from call n − C's to its own; then the head moves
//! on to n + 1, by the same thread or by whoever finds the word of n in place. So each number is given once, and in order.
//!
//! Whoever finds the head at n may have been overtaken: then the word of its place is no more call n − C's, and the exchange fails.
//! The word of n − L was written, or seen, by whoever moved the head past it, and the head is moved with release and loaded with
//! acquire: it is seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64 as Plain, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed};
use std::time::Duration;

use super::wait;
use crate::clock::{Clock, nanoseconds};
use crate::counters::Counters;
use crate::error::{InvalidSetting, Rejected};
use crate::mutant::Mutant::{SlideLoadRelaxed, SlideRelaxed, SlideStored};
use crate::mutant::{exchange, unless};
use crate::primitive::{Apart, AtomicU64};
use crate::scope::Scope;

const US: u32 = 48;
const US_MAX: u64 = (1 << US) - 1;
const LIMIT: u32 = 44;

/// Admits at most `limit` calls in any `span` of time. It remembers each admission: 8 bytes for each call of the
/// capacity, rounded up to a power of two.
///
/// Times are kept in microseconds, an admission's rounded up, so that the limit is never exceeded; they are told apart for 8 years
/// after the window was made.
#[derive(Debug)]
pub struct SlidingWindow {
    /// The number of the next call, or of one before it.
    head: Apart<AtomicU64>,
    /// The greatest limit; the ring has room for at least so many.
    capacity: u32,
    /// From the low end: when, in microseconds (48 bits), and the lap, from 1 (16).
    admitted: Box<[AtomicU64]>,
    /// The span in microseconds (44 bits) and the limit (20), together, so that both change at once.
    setting: Plain,
    zero_ns: u64,
    clock: Arc<dyn Clock>,
    scope: Scope,
}

impl SlidingWindow {
    /// A window that has admitted nothing. `limit`: 1 to `capacity`, which is at most 65,536; `span`: 1 µs to 100 days.
    ///
    /// # Errors
    /// [`InvalidSetting`] when one is out of its range.
    pub fn new(limit: u32, span: Duration, capacity: u32, scope: &Scope) -> Result<SlidingWindow, InvalidSetting> {
        InvalidSetting::unless((1..=65_536).contains(&capacity), "capacity", capacity, "1 to 65,536")?;
        Ok(SlidingWindow {
            head: Apart(AtomicU64::new(0)),
            setting: Plain::new(packed(limit, span, capacity)?),
            capacity,
            admitted: (0..capacity.next_power_of_two()).map(|_| AtomicU64::new(0)).collect(),
            zero_ns: scope.clock().now_ns(),
            clock: scope.clock().clone(),
            scope: scope.clone(),
        })
    }

    /// Changes limit and span; what was admitted counts on.
    ///
    /// # Errors
    /// [`InvalidSetting`] when one is out of its range, the limit's being the capacity.
    pub fn retune(&self, limit: u32, span: Duration) -> Result<(), InvalidSetting> {
        self.setting.store(packed(limit, span, self.capacity)?, Relaxed);
        Ok(())
    }

    /// Limit and span at present.
    pub fn setting(&self) -> (u32, Duration) {
        let setting = self.setting.load(Relaxed);
        ((setting >> LIMIT) as u32, Duration::from_micros(setting & ((1 << LIMIT) - 1)))
    }

    /// The greatest limit.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Admits a call, without waiting.
    ///
    /// # Errors
    /// [`Rejected::RateLimited`], with the time after which the oldest admission has left the window.
    pub fn try_take(&self) -> Result<(), Rejected> {
        let setting = self.setting.load(Relaxed);
        let (span, limit) = (setting & ((1 << LIMIT) - 1), setting >> LIMIT);
        let age_ns = self.clock.now_ns().saturating_sub(self.zero_ns);
        let (now, rounded) = (age_ns / 1000, age_ns.div_ceil(1000).min(US_MAX));
        let ring = self.admitted.len();
        let load = |number: u64| {
            let place = &self.admitted[number as usize & (ring - 1)];
            (place, place.load(Relaxed))
        };
        let lap = |number: u64| ((number >> ring.trailing_zeros()) + 1) & 0xffff;
        loop {
            let head = self.head.0.load(unless(SlideLoadRelaxed, Acquire));
            let (place, word) = load(head);
            if word >> US == lap(head) {
                // Call number `head` is admitted, and the head is late.
                let _ = self.head.0.compare_exchange(head, head + 1, unless(SlideRelaxed, AcqRel), Relaxed);
                continue;
            }
            if head >= limit {
                let number = head - limit;
                let (_, before) = load(number);
                if before >> US != lap(number) {
                    continue; // Overtaken by a lap.
                }
                let (leaves, still) = ((before & US_MAX) + span, self.head.0.load(Relaxed) == head);
                if leaves > now {
                    if !still {
                        continue;
                    }
                    return self.refuse((leaves * 1000).saturating_sub(age_ns));
                }
            }
            if exchange(place, word, rounded | lap(head) << US, Relaxed, SlideStored).is_ok() {
                let _ = self.head.0.compare_exchange(head, head + 1, unless(SlideRelaxed, AcqRel), Relaxed);
                return Ok(());
            }
        }
    }

    #[cold]
    fn refuse(&self, ns: u64) -> Result<(), Rejected> {
        Counters::count(&self.scope.counters().rate_rejected);
        Err(Rejected::RateLimited { retry_after: wait(ns) })
    }
}

fn packed(limit: u32, span: Duration, capacity: u32) -> Result<u64, InvalidSetting> {
    InvalidSetting::unless((1..=capacity).contains(&limit), "limit", limit, "1 to the capacity")?;
    let holds = span >= Duration::from_micros(1) && span <= Duration::from_secs(8_640_000);
    InvalidSetting::unless(holds, "span", span, "1 us to 100 days")?;
    Ok(nanoseconds(span).div_ceil(1000) | u64::from(limit) << LIMIT)
}
