//! Appends in bursts while a consumer thread takes them: each burst is timed, and the next one waits until the consumer has
//! caught up, so that a producer faster than any consumer does not measure refusals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::driver::{Sample, counted, median, ns_per_tick, ticks};

/// Records that each queue holds.
pub const CAPACITY: usize = 1024;
const BURST: u64 = 512;
/// Bursts before the first that counts: the queue's memory is touched by then.
const WARMING: usize = 4;
/// Bursts that a round has at least.
const FEWEST: usize = 15;
const ROUND: Duration = Duration::from_millis(15);

/// When the consumer looks for records.
#[derive(Clone, Copy)]
pub enum Looks {
    /// Every 20 microseconds, as a monitor drains in batches.
    InBatches,
    /// Without a pause, so that it competes with the producer for each record's cache line.
    Always,
}

/// A running consumer.
pub struct Bursts {
    consumed: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Bursts {
    /// Starts the consumer; `take()` takes what it finds, at most `CAPACITY`, and returns how many records that was.
    pub fn consume(looks: Looks, mut take: impl FnMut() -> usize + Send + 'static) -> Bursts {
        let (consumed, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, stopping) = (consumed.clone(), stop.clone());
        let pause = match looks {
            Looks::InBatches => (20_000.0 / ns_per_tick()) as u64,
            Looks::Always => 0,
        };
        let thread = std::thread::spawn(move || {
            let mut taken = 0;
            while !stopping.load(Ordering::Acquire) {
                taken += take() as u64;
                count.store(taken, Ordering::Release);
                let last = ticks();
                while ticks() - last < pause {
                    std::hint::spin_loop();
                }
            }
        });
        Bursts { consumed, stop, thread }
    }

    /// One round; `append(n)` tries n appends and returns how many were accepted.
    pub fn round(self, mut append: impl FnMut(u64) -> u64) -> Sample {
        let n = counted().unwrap_or(BURST).min(CAPACITY as u64);
        let (mut bursts, mut accepted, mut tried) = (Vec::with_capacity(4096), 0, 0);
        let start = Instant::now();
        for burst in 0.. {
            let begin = ticks();
            accepted += append(n);
            if burst >= WARMING || counted().is_some() {
                bursts.push((ticks() - begin) as f64 * ns_per_tick() / n as f64);
            }
            tried += n;
            while self.consumed.load(Ordering::Acquire) < accepted {
                std::hint::spin_loop();
            }
            if counted().is_some() || start.elapsed() > ROUND && bursts.len() >= FEWEST {
                break;
            }
        }
        self.stop.store(true, Ordering::Release);
        self.thread.join().expect("the consumer does not panic");
        Sample { ns: median(&mut bursts), accepted: Some(accepted as f64 / tried as f64), ..Sample::default() }
    }
}
