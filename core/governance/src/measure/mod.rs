//! Measuring: the candidate against what is current, side by side, until it is decided.
//!
//! What is measured takes nanoseconds, on a machine that may be busy with other work. So nothing is concluded from one figure:
//!
//! - *Blocks.* Work is repeated until it takes microseconds, which is little enough that most blocks run without being interrupted and enough
//!   that looking at the clock does not count.
//! - *Pairs.* [`BLOCKS`] blocks of each side are taken in turns, and the fastest of each is kept: to be interrupted, moved or slowed by a
//!   neighbour only ever adds time. The two are of the same moment, so that what slows the machine for longer slows both.
//! - *A walk.* Each pair says one thing: whether the candidate was slower than the tolerance allows. That is Wald's sequential test of a
//!   proportion ([`Walk`]): it ends once one answer leads by [`LEAD`], which takes nine pairs where all agree and more where they do not. No
//!   single measurement, however far out, counts for more than one step.
//!
//! Where pairs of an unchanged candidate exceed the tolerance with probability p < ½, the walk ends on the wrong side with probability
//! 1 / (1 + ((1 − p) / p)^9): with p = 0.3 once in 2,000 runs, with p = 0.37 once in 120. By symmetry the same holds for a slowdown of twice
//! the tolerance. (A. Wald, *Sequential Analysis*, 1947: the walk of a fair game between absorbing barriers.)

mod reads;
mod walk;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use knhk_hot::Hold;
use serde::Serialize;

pub(crate) use reads::{Lookups, Reads};
pub(crate) use walk::Walk;

use crate::Stop;
use crate::counters::{PAIRS, UNDECIDED};

/// Blocks of each side in a pair.
const BLOCKS: usize = 4;
/// How long a block is made to take.
const BLOCK: Duration = Duration::from_micros(5);
/// By how many pairs one answer has to lead.
const LEAD: i64 = 9;
/// Repetitions in a block, at most: work that takes no time at all is not repeated for ever.
const MOST_REPETITIONS: u64 = 1 << 20;

/// Does work so often through a view, and tells how long that took; or why it could not.
pub(crate) type Work<'w> = dyn Fn(&Hold, u64) -> Result<Duration, String> + Send + Sync + 'w;

/// Work that a sector wants measured with its candidates: it reads through the view that it is given, as a program would. It is called
/// often, from the measuring thread alone.
#[derive(Clone)]
pub struct Workload {
    /// What it is called in reports.
    pub name: String,
    pub(crate) run: Arc<Work<'static>>,
}

impl Workload {
    /// Work of which `once` is one repetition. What it returns keeps it from being optimised away.
    pub fn new(name: &str, once: impl Fn(&Hold) -> u64 + Send + Sync + 'static) -> Workload {
        Workload::timed(name, move |view, times| Ok(repeated(times, || once(view))))
    }

    /// Work that is told how often it is to be done, and measures itself: for what is done where this process's clock looks at it from
    /// too far away. An error, which says why it could not be done, refuses.
    pub fn timed(name: &str, run: impl Fn(&Hold, u64) -> Result<Duration, String> + Send + Sync + 'static) -> Workload {
        Workload { name: name.into(), run: Arc::new(run) }
    }
}

/// Does something so often; gives how long it took.
pub(crate) fn repeated(times: u64, mut once: impl FnMut() -> u64) -> Duration {
    let began = Instant::now();
    black_box((0..times).fold(0_u64, |sum, _| sum.wrapping_add(once())));
    began.elapsed()
}

impl std::fmt::Debug for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workload").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How a measurement ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The candidate is not slower than the tolerance allows.
    Kept,
    /// It is.
    Slower,
    /// The time was over before it was decided.
    Undecided,
    /// It was stopped.
    Stopped,
}

/// What a measurement found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// What was measured.
    pub name: String,
    /// How it ended.
    pub decision: Decision,
    /// One repetition with what is current, in nanoseconds: the median over the pairs.
    pub current_ns: f64,
    /// The same with the candidate.
    pub candidate_ns: f64,
    /// The 95th percentile of the candidate's blocks.
    pub candidate_p95_ns: f64,
    /// By how much the candidate is slower, in %: the median over the pairs.
    pub slower_percent: f64,
    /// How far the middle half of the pairs lies apart, in %: what noise there was.
    pub noise_percent: f64,
    /// Pairs that were taken.
    pub pairs: u64,
}

/// When a measurement ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// By how much the candidate may be slower, as a share.
    pub tolerance: f64,
    /// How long it may take.
    pub time: Duration,
}

/// One side of a measurement: does its work as often as it is told, and tells how long that took.
pub(crate) type Side<'s> = &'s mut dyn FnMut(u64) -> Result<Duration, String>;

/// Measures two works of the same kind against each other.
///
/// # Errors
/// Why one of them could not be done.
pub(crate) fn compare(
    name: &str,
    current: Side<'_>,
    candidate: Side<'_>,
    bounds: Bounds,
    stop: &Stop,
) -> Result<Comparison, String> {
    let began = Instant::now();
    let repetitions = calibrated(current)?.min(calibrated(candidate)?).max(1);
    let most = (1.0 + bounds.tolerance).ln();
    let mut walk = Walk::new(LEAD);
    let (mut ours, mut theirs, mut ratios, mut blocks) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let decision = loop {
        let (mut fastest, mut fastest_current) = (f64::INFINITY, f64::INFINITY);
        for block in 0..BLOCKS {
            // Whichever is first, is so as often as the other.
            for side in [block % 2, 1 - block % 2] {
                if side == 0 {
                    fastest_current = fastest_current.min(timed(current, repetitions)?);
                } else {
                    let taken = timed(candidate, repetitions)?;
                    fastest = fastest.min(taken);
                    blocks.push(taken);
                }
            }
        }
        let ratio = (fastest / fastest_current).ln();
        ours.push(fastest);
        theirs.push(fastest_current);
        ratios.push(ratio);
        match walk.step(ratio > most) {
            Some(true) => break Decision::Slower,
            Some(false) => break Decision::Kept,
            None if stop.is_asked() => break Decision::Stopped,
            None if began.elapsed() > bounds.time => break Decision::Undecided,
            None => {}
        }
    };
    PAIRS.add(ratios.len() as u64);
    UNDECIDED.add(u64::from(decision == Decision::Undecided));
    let pairs = ratios.len() as u64;
    let percent = |ratio: f64| 100.0 * ratio.exp_m1();
    let noise = percent(quantile(&mut ratios, 0.75)) - percent(quantile(&mut ratios, 0.25));
    Ok(Comparison {
        name: name.into(),
        decision,
        current_ns: quantile(&mut theirs, 0.5),
        candidate_ns: quantile(&mut ours, 0.5),
        candidate_p95_ns: quantile(&mut blocks, 0.95),
        slower_percent: percent(quantile(&mut ratios, 0.5)),
        noise_percent: noise,
        pairs,
    })
}

/// What one work costs by itself, where there is nothing to compare it with.
///
/// # Errors
/// Why it could not be done.
pub(crate) fn alone(name: &str, candidate: Side<'_>) -> Result<Comparison, String> {
    let repetitions = calibrated(candidate)?;
    let (mut fastest, mut blocks) = (Vec::new(), Vec::new());
    for _ in 0..LEAD {
        let mut taken = [0.0; BLOCKS];
        for block in &mut taken {
            *block = timed(candidate, repetitions)?;
        }
        fastest.push(taken.iter().copied().fold(f64::INFINITY, f64::min));
        blocks.extend(taken);
    }
    let noise = 100.0 * (quantile(&mut fastest, 0.75) / quantile(&mut fastest, 0.25) - 1.0);
    let ns = quantile(&mut fastest, 0.5);
    Ok(Comparison {
        name: name.into(),
        decision: Decision::Kept,
        current_ns: ns,
        candidate_ns: ns,
        candidate_p95_ns: quantile(&mut blocks, 0.95),
        slower_percent: 0.0,
        noise_percent: noise,
        pairs: LEAD as u64,
    })
}

/// How often work has to be repeated to fill a block. The first time also brings what it reads into the caches.
fn calibrated(work: Side<'_>) -> Result<u64, String> {
    let mut repetitions = 1;
    loop {
        let ns = timed(work, repetitions)? * repetitions as f64;
        if ns >= BLOCK.as_nanos() as f64 || repetitions >= MOST_REPETITIONS {
            return Ok(repetitions);
        }
        // Half of what is missing at most, so that an interruption does not end it at once.
        repetitions *= 2;
    }
}

/// Nanoseconds of one repetition.
fn timed(work: Side<'_>, repetitions: u64) -> Result<f64, String> {
    // A clock without nanoseconds may stand still.
    Ok((work(repetitions)?.as_nanos() as f64).max(1.0) / repetitions as f64)
}

/// The value below which this share of the values lies.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let at = ((values.len() - 1) as f64 * share).round() as usize;
    *values.select_nth_unstable_by(at, f64::total_cmp).1
}
