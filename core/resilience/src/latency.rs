//! A quantile of what calls take, in constant memory, noted by any number of threads.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::clock::nanoseconds;

/// Buckets of an octave: a quantile is right to within 1/16 of itself.
const FINE: u32 = 8;
const BUCKETS: usize = (64 * FINE) as usize;

/// A histogram with buckets of equal relative width; when it holds `memory` calls, all counts are halved, so that old calls fade.
#[derive(Debug)]
pub struct Latency {
    counts: Box<[AtomicU32]>,
    held: AtomicU64,
    memory: u64,
}

impl Latency {
    /// An empty one that forgets half whenever it holds `memory` calls; at least 16.
    pub fn new(memory: u32) -> Latency {
        let counts = (0..BUCKETS).map(|_| AtomicU32::new(0)).collect();
        Latency { counts, held: AtomicU64::new(0), memory: u64::from(memory.max(16)) }
    }

    /// Notes what a call took.
    pub fn note(&self, took: Duration) {
        self.counts[bucket(nanoseconds(took))].fetch_add(1, Relaxed);
        if self.held.fetch_add(1, Relaxed) + 1 == self.memory {
            let mut held = 0;
            for count in &self.counts {
                // Rounded up, so that single calls fade too.
                let half = count.load(Relaxed).div_ceil(2);
                held += u64::from(count.fetch_sub(half, Relaxed) - half);
            }
            self.held.store(held, Relaxed);
        }
    }

    /// What a share of the calls took at most: `quantile` of [0, 1]. None before the tenth call.
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        let counts = || self.counts.iter().map(|count| u64::from(count.load(Relaxed)));
        let held: u64 = counts().sum();
        if held < 10 {
            return None;
        }
        let wanted = ((quantile.clamp(0.0, 1.0) * held as f64).ceil() as u64).max(1);
        let reached = |seen: &mut u64, count| {
            *seen += count;
            Some(*seen)
        };
        let at = counts().scan(0, reached).position(|seen| seen >= wanted).unwrap_or(BUCKETS - 1);
        Some(Duration::from_nanos(upper(at)))
    }
}

fn bucket(ns: u64) -> usize {
    if ns < u64::from(FINE) {
        return ns as usize;
    }
    let octave = 63 - ns.leading_zeros();
    let within = (ns >> (octave - 3)) as u32 - FINE;
    ((octave - 2) * FINE + within) as usize
}

/// The greatest number of a bucket.
fn upper(bucket: usize) -> u64 {
    let (octave, within) = (bucket as u32 / FINE, bucket as u64 % u64::from(FINE));
    if octave == 0 {
        return within;
    }
    let low = (u64::from(FINE) + within) << (octave - 1);
    low + ((1u64 << (octave - 1)) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_cover_all_numbers_finely() {
        for ns in (0..70_000).chain((0..64).map(|n| 1u64 << n)).chain([u64::MAX, u64::MAX - 1]) {
            let (at, top) = (bucket(ns), upper(bucket(ns)));
            assert!(top >= ns && top - ns <= ns / 8 && (at == 0 || upper(at - 1) < ns), "{ns}");
        }
    }

    #[test]
    fn is_the_quantile_and_forgets() {
        let latency = Latency::new(1000);
        assert_eq!(latency.quantile(0.5), None);
        (1..=500).for_each(|ms| latency.note(Duration::from_millis(ms)));
        let within = |quantile: f64, ms: f64| {
            let found = latency.quantile(quantile).unwrap().as_secs_f64() * 1000.0;
            assert!((found / ms - 1.0).abs() < 0.13, "{found} is not {ms}");
        };
        within(0.5, 250.0);
        within(0.95, 475.0);
        within(1.0, 500.0);
        (0..20_000).for_each(|_| latency.note(Duration::from_millis(7)));
        within(0.95, 7.0);
    }
}
