//! A window of the last seconds: a ring of buckets, each one step of time.
//!
//! A bucket counts calls, failures and slow calls in a word each. A word names the closed period's tag and the ring's lap that it
//! counts, and is one exchange an outcome: the first outcome of a later step begins it anew, and one of an earlier step is dropped,
//! since the step that took its place is a whole span later. So no outcome of the span is lost.
//!
//! A call is counted before its failure or its slowness, with release, and the tally looks at those before the calls, with acquire: it
//! never sees a failure without its call, and a rate is at most 1. An idle bucket would be mistaken for a fresh one after 2^25 laps of
//! silence: 39 days of a span of 100 ms, if the next call then comes in the same step of the lap.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::time::Duration;

use super::Tally;
use super::state::{TAG_BITS, TAG_MAX, after};
use crate::clock::nanoseconds;
use crate::mutant::Mutant::{BucketStored, CallsFirst, FailureLoadRelaxed, FailureRelaxed};
use crate::mutant::{exchange, mutated, unless};
use crate::primitive::{Apart, AtomicU64};

const LAP_BITS: u32 = 25;
const TAG: u32 = 64 - TAG_BITS;
const LAP: u32 = TAG - LAP_BITS;
const COUNT_MAX: u64 = (1 << LAP) - 1;
const LAP_MAX: u64 = (1 << LAP_BITS) - 1;

#[derive(Debug)]
struct Bucket {
    calls: AtomicU64,
    failures: AtomicU64,
    slow: AtomicU64,
}

/// The window.
#[derive(Debug)]
pub(crate) struct TimeWindow {
    step_ns: u64,
    /// Steps of the span; the ring has room for at least so many.
    steps: u64,
    buckets: Box<[Apart<Bucket>]>,
}

impl TimeWindow {
    pub(crate) fn new(span: Duration, buckets: u32) -> TimeWindow {
        let zero = || AtomicU64::new(0);
        let bucket = |_| Apart(Bucket { calls: zero(), failures: zero(), slow: zero() });
        TimeWindow {
            step_ns: nanoseconds(span / buckets).max(1),
            steps: u64::from(buckets),
            buckets: (0..buckets.next_power_of_two()).map(bucket).collect(),
        }
    }

    /// The bucket of a step and what its words say when they count it: tag and lap.
    fn bucket(&self, tag: u64, step: u64) -> (&Bucket, u64) {
        let lap = (step >> self.buckets.len().trailing_zeros()) + 1; // From 1: the words begin as lap 0, which counts nothing.
        (&self.buckets[step as usize & (self.buckets.len() - 1)].0, (lap & LAP_MAX) | tag << LAP_BITS)
    }

    /// Takes an outcome of the period that ended `ns` after the window was made.
    #[inline]
    pub(crate) fn record(&self, tag: u64, failed: bool, slow: bool, ns: u64) {
        let (bucket, named) = self.bucket(tag, ns / self.step_ns);
        count(&bucket.calls, named, Relaxed);
        if failed {
            count(&bucket.failures, named, unless(FailureRelaxed, AcqRel));
        }
        if slow {
            count(&bucket.slow, named, unless(FailureRelaxed, AcqRel));
        }
    }

    /// The outcomes of the period in the span that ends `ns` after the window was made.
    pub(crate) fn tally(&self, tag: u64, ns: u64) -> Tally {
        let last = ns / self.step_ns;
        let first = (last + 1).saturating_sub(self.steps);
        let mut tally = Tally::default();
        for step in first..=last {
            let (bucket, named) = self.bucket(tag, step);
            let early = mutated(CallsFirst).then(|| counted(bucket.calls.load(Acquire), named));
            tally.failures += counted(bucket.failures.load(unless(FailureLoadRelaxed, Acquire)), named);
            tally.slow += counted(bucket.slow.load(unless(FailureLoadRelaxed, Acquire)), named);
            tally.calls += early.unwrap_or_else(|| counted(bucket.calls.load(Relaxed), named));
        }
        tally
    }
}

/// What the word counts, if it counts that.
fn counted(word: u64, named: u64) -> u64 {
    if word >> LAP == named { word & COUNT_MAX } else { 0 }
}

/// Counts one, up to 268 million.
#[inline]
fn count(at: &AtomicU64, named: u64, order: std::sync::atomic::Ordering) {
    let mut word = at.load(Relaxed);
    loop {
        let told = word >> LAP;
        let new = if told == named {
            if word & COUNT_MAX == COUNT_MAX { word } else { word + 1 }
        } else if is_later(told, named) {
            return;
        } else {
            named << LAP | 1
        };
        match exchange(at, word, new, order, BucketStored) {
            Ok(_) => return,
            Err(now) => word = now,
        }
    }
}

/// Whether `a` names a later lap, or the same lap of a later period.
fn is_later(a: u64, b: u64) -> bool {
    let apart = (a & LAP_MAX).wrapping_sub(b & LAP_MAX) & LAP_MAX;
    if apart != 0 { apart <= LAP_MAX / 2 } else { after(a >> LAP_BITS & TAG_MAX, b >> LAP_BITS & TAG_MAX) }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn is_the_span_of_the_period() {
        let window = TimeWindow::new(Duration::from_secs(1), 4);
        let mut all: Vec<(u64, bool, bool)> = Vec::new();
        let mut ns = 0;
        for i in 0..2000u64 {
            ns += [1, 1_000_000, 90_000_000, 400_000_000, 3_000_000_000][(i * i % 97 % 5) as usize];
            let (failed, slow) = (i % 3 == 0, i % 5 == 2);
            window.record(3, failed, slow, ns);
            all.push((ns / 250_000_000, failed, slow));
            let last = all.iter().filter(|outcome| outcome.0 + 4 > ns / 250_000_000);
            let mut expected = Tally::default();
            for (_, failed, slow) in last {
                expected.calls += 1;
                expected.failures += u64::from(*failed);
                expected.slow += u64::from(*slow);
            }
            assert_eq!(window.tally(3, ns), expected, "after {}", i + 1);
        }
        assert_eq!(window.tally(3, ns + 2_000_000_000), Tally::default());
        window.record(4, true, false, ns);
        window.record(3, true, false, ns);
        assert_eq!(window.tally(4, ns), Tally { calls: 1, failures: 1, slow: 0 });
    }
}
