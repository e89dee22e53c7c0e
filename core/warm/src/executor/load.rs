//! How loaded the executor is, and when its queue will be full at this pace.
//!
//! With c threads, every [`PERIOD`] of length Δ in which n runs came and m ended after b seconds of work, weighted by
//! α = 1 − e^(−Δ/τ), τ being [`MEMORY`]:
//!
//! - arrivals a second  λ ← λ + α (n/Δ − λ)
//! - seconds of a run   S ← S + α (b/m − S), the first measurement as it is
//! - services a second  μ = c/S
//! - utilisation        ρ = λ/μ
//! - time to full       (capacity − queued) / (λ − μ) where λ > μ, else never
//!
//! Overload is announced when the queue will be full within the horizon, or, since no average foresees a burst, when three quarters of
//! it are taken. It is over when ρ < 1, and less than half of the queue is taken.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// How often the averages are brought up to date, at most.
const PERIOD: u64 = 10_000_000;
/// The time in which the averages forget (1 − 1/e) of what was.
const MEMORY: f64 = 100e6;

/// The load at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// Runs that come in a second.
    pub arrivals: f64,
    /// Runs that the threads can end in a second; infinite while nothing is known.
    pub services: f64,
    /// Arrivals by services: from 1 on the queue grows.
    pub utilisation: f64,
    /// Runs that wait.
    pub queued: usize,
    /// Until the queue is full, where it is filling.
    pub full_in: Option<Duration>,
    /// Whether overload is announced at present.
    pub overloaded: bool,
}

#[derive(Debug, Default)]
struct Averages {
    looked: Option<u64>,
    arrivals: f64,
    seconds: f64,
}

/// Takes arrivals and ends, and judges.
#[derive(Debug)]
pub(super) struct Meter {
    capacity: usize,
    horizon: Duration,
    arrived: AtomicU64,
    ended: AtomicU64,
    busy_ns: AtomicU64,
    /// When the averages are due.
    due: AtomicU64,
    /// Written under the lock.
    overloaded: AtomicBool,
    averages: Mutex<Averages>,
}

/// What a look found.
pub(super) enum Verdict {
    Same,
    Overload(Load),
    Over(Load),
}

impl Meter {
    pub(super) fn new(capacity: usize, horizon: Duration) -> Meter {
        let (arrived, ended, busy_ns, due, overloaded) = Default::default();
        Meter { capacity, horizon, arrived, ended, busy_ns, due, overloaded, averages: Mutex::default() }
    }

    pub(super) fn arrived(&self) {
        self.arrived.fetch_add(1, Relaxed);
    }

    pub(super) fn worked(&self, ns: u64, ended: bool) {
        self.busy_ns.fetch_add(ns, Relaxed);
        self.ended.fetch_add(u64::from(ended), Relaxed);
    }

    /// Judges, where a judgement is due: the period is over, or the queue has come near its end.
    pub(super) fn judge(&self, now: u64, queued: usize, threads: usize) -> Verdict {
        let near = queued >= self.capacity - self.capacity / 4 && !self.overloaded.load(Relaxed);
        if now < self.due.load(Relaxed) && !near {
            return Verdict::Same;
        }
        let mut averages = match self.averages.try_lock() {
            Ok(averages) => averages,
            // Another thread is at it, and may have begun before the queue was that long.
            Err(_) if near => self.averages.lock().unwrap_or_else(PoisonError::into_inner),
            Err(_) => return Verdict::Same,
        };
        self.refresh(&mut averages, now);
        let load = self.load(&averages, queued, threads);
        let soon = load.full_in.is_some_and(|full_in| full_in <= self.horizon);
        let overloaded = self.overloaded.load(Relaxed);
        if !overloaded && (soon || near) {
            self.overloaded.store(true, Relaxed);
            return Verdict::Overload(Load { overloaded: true, ..load });
        }
        if overloaded && load.utilisation < 1.0 && queued < self.capacity / 2 {
            self.overloaded.store(false, Relaxed);
            return Verdict::Over(Load { overloaded: false, ..load });
        }
        Verdict::Same
    }

    /// The load as last judged, with what is queued now.
    pub(super) fn read(&self, now: u64, queued: usize, threads: usize) -> Load {
        let mut averages = self.averages.lock().unwrap_or_else(PoisonError::into_inner);
        if now >= self.due.load(Relaxed) {
            self.refresh(&mut averages, now);
        }
        self.load(&averages, queued, threads)
    }

    fn refresh(&self, averages: &mut Averages, now: u64) {
        let Some(looked) = averages.looked else {
            averages.looked = Some(now);
            self.due.store(now.saturating_add(PERIOD), Relaxed);
            return;
        };
        let elapsed = now.saturating_sub(looked);
        if elapsed < PERIOD {
            return;
        }
        let alpha = 1.0 - (-(elapsed as f64) / MEMORY).exp();
        let arrivals = self.arrived.swap(0, Relaxed) as f64 / (elapsed as f64 / 1e9);
        averages.arrivals += alpha * (arrivals - averages.arrivals);
        let ended = self.ended.swap(0, Relaxed);
        if ended > 0 {
            let seconds = self.busy_ns.swap(0, Relaxed) as f64 / 1e9 / ended as f64;
            let first = averages.seconds == 0.0;
            averages.seconds += if first { seconds } else { alpha * (seconds - averages.seconds) };
        }
        averages.looked = Some(now);
        self.due.store(now.saturating_add(PERIOD), Relaxed);
    }

    fn load(&self, averages: &Averages, queued: usize, threads: usize) -> Load {
        // While nothing has ended nothing is known, and where no thread may work nothing ends.
        let services = match (threads, averages.seconds) {
            (0, _) => 0.0,
            (_, 0.0) => f64::INFINITY,
            (threads, seconds) => threads as f64 / seconds,
        };
        let arrivals = averages.arrivals;
        let utilisation = if arrivals == 0.0 { 0.0 } else { arrivals / services };
        let filling = arrivals - services;
        let room = self.capacity.saturating_sub(queued) as f64;
        let full_in = (filling > 0.0).then(|| Duration::try_from_secs_f64(room / filling).unwrap_or(Duration::MAX));
        Load { arrivals, services, utilisation, queued, full_in, overloaded: self.overloaded.load(Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn finds_the_rates_and_when_it_is_full() {
        let meter = Meter::new(1000, Duration::from_secs(1));
        // 2,000 a second come, and each takes 1 ms.
        for ms in 0..1000 {
            (0..2).for_each(|_| meter.arrived());
            meter.worked(MS, true);
            meter.judge(ms * MS, 0, 1);
        }
        let one = meter.read(1000 * MS, 500, 1);
        assert!((one.arrivals - 2000.0).abs() < 20.0 && (one.services - 1000.0).abs() < 10.0, "{one:?}");
        assert!((one.utilisation - 2.0).abs() < 0.03, "{one:?}");
        let full_in = one.full_in.unwrap().as_secs_f64();
        assert!((full_in - 0.5).abs() < 0.01, "{one:?}");
        let four = meter.read(1000 * MS, 500, 4);
        assert!(four.utilisation < 0.6 && four.full_in.is_none(), "{four:?}");
        let none = meter.read(1000 * MS, 500, 0);
        assert!(none.utilisation.is_infinite() && none.full_in.is_some(), "{none:?}");
    }

    #[test]
    fn announces_and_takes_it_back_once() {
        let meter = Meter::new(1000, Duration::from_secs(1));
        let (mut announced, mut taken_back) = (0, 0);
        let mut judge = |ms: u64, queued| match meter.judge(ms * MS, queued, 1) {
            Verdict::Overload(load) => {
                announced += 1;
                assert!(load.full_in.unwrap() <= Duration::from_secs(1) && load.overloaded);
            }
            Verdict::Over(load) => {
                taken_back += 1;
                assert!(load.utilisation < 1.0 && !load.overloaded);
            }
            Verdict::Same => {}
        };
        for ms in 0..300 {
            (0..4).for_each(|_| meter.arrived());
            meter.worked(MS, true);
            judge(ms, 3 * ms as usize);
        }
        for ms in 300..2000 {
            meter.worked(MS, true);
            judge(ms, 900_usize.saturating_sub(ms as usize - 300));
        }
        assert_eq!((announced, taken_back), (1, 1));
    }
}
