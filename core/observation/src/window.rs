//! What is added up over time: counts by outcome, and a sketch of the values, second by second.

use std::collections::VecDeque;

use knhk_hot::layout::Outcome;
use serde::{Deserialize, Serialize};
use sketches_ddsketch::{Config, DDSketch};

use crate::schema::Aggregate;

/// How far a quantile is from the exact one at most, as a share of it, as long as all values lie within a factor of 700 million of the
/// largest; what is smaller is counted as the smallest that is told apart (DDSketch, Masson et al., VLDB 2019).
pub const QUANTILE_ERROR: f64 = 0.01;

/// Counters of a sketch, for each sign.
const BINS: u32 = 1024;
/// Magnitudes below it count as 0.
const SMALLEST: f64 = 1e-9;
/// Slices of a window, at most; one more is being filled.
const SLICES: u64 = 60;

/// How many records, and how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counts {
    /// All of them.
    pub count: u64,
    /// Those with each of KNHK's outcomes, in their order: unspecified, success, rejected, failed, timed out.
    pub outcomes: [u64; 5],
    /// Those with a code of the program's own.
    pub own: u64,
    /// Those whose value is not of the type or not in the range that the ontology declares, or no number; it is in no figure of values.
    pub mismatched: u64,
}

impl Counts {
    /// Those that were a success.
    pub fn successes(&self) -> u64 {
        self.outcomes[Outcome::Success as usize]
    }

    /// The share of those that were not, in %; none where there is none at all.
    pub fn failure_share(&self) -> Option<f64> {
        let failed = self.count - self.successes();
        (self.count > 0).then(|| 100.0 * failed as f64 / self.count as f64)
    }

    pub(crate) fn add(&mut self, outcome: u32, mismatched: bool) {
        self.count += 1;
        *self.outcomes.get_mut(outcome as usize).unwrap_or(&mut self.own) += 1;
        self.mismatched += u64::from(mismatched);
    }

    pub(crate) fn merge(&mut self, other: &Counts) {
        self.count += other.count;
        self.outcomes.iter_mut().zip(other.outcomes).for_each(|(mine, theirs)| *mine += theirs);
        self.own += other.own;
        self.mismatched += other.mismatched;
    }
}

/// What was added up over some time.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "Form", into = "Form")]
pub struct Sum {
    pub(crate) counts: Counts,
    values: DDSketch,
}

/// A sum as it is kept: the extremes of a sketch without values are infinite, which JSON does not know.
#[derive(Serialize, Deserialize)]
struct Form {
    counts: Counts,
    values: Option<DDSketch>,
}

impl From<Sum> for Form {
    fn from(Sum { counts, values }: Sum) -> Form {
        Form { counts, values: (values.count() > 0).then_some(values) }
    }
}

impl From<Form> for Sum {
    fn from(Form { counts, values }: Form) -> Sum {
        Sum { counts, values: values.unwrap_or_else(|| Sum::new().values) }
    }
}

impl Default for Sum {
    fn default() -> Sum {
        Sum::new()
    }
}

impl Sum {
    /// Of nothing.
    pub fn new() -> Sum {
        Sum { counts: Counts::default(), values: DDSketch::new(Config::new(QUANTILE_ERROR, BINS, SMALLEST)) }
    }

    /// Adds a record; `value` is none where it has none that counts.
    pub fn add(&mut self, outcome: u32, value: Option<f64>, mismatched: bool) {
        self.counts.add(outcome, mismatched);
        if let Some(value) = value {
            self.values.add(value);
        }
    }

    pub(crate) fn merge(&mut self, other: &Sum) {
        self.counts.merge(&other.counts);
        self.values.merge(&other.values).expect("all sketches have one configuration");
    }

    /// The figures over `seconds`.
    pub fn figures(&self, seconds: f64) -> Figures {
        let quantile = |share| self.values.quantile(share).expect("a share from 0 to 1");
        let valued = self.values.count();
        Figures {
            seconds,
            counts: self.counts,
            rate: if seconds > 0.0 { self.counts.count as f64 / seconds } else { 0.0 },
            failure_share: self.counts.failure_share(),
            sum: self.values.sum(),
            mean: self.values.sum().map(|sum| sum / valued as f64),
            min: self.values.min(),
            max: self.values.max(),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
        }
    }
}

/// Figures over a window. Those of values are none where nothing with a value was recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Figures {
    /// Seconds that they are over: the window, or less while it is not full.
    pub seconds: f64,
    /// How many records, and how they ended.
    pub counts: Counts,
    /// Records a second.
    pub rate: f64,
    /// The share of records whose outcome is not success, in %.
    pub failure_share: Option<f64>,
    /// The values' sum.
    pub sum: Option<f64>,
    /// Their mean.
    pub mean: Option<f64>,
    /// The smallest, exactly.
    pub min: Option<f64>,
    /// The largest, exactly.
    pub max: Option<f64>,
    /// The median; quantiles are within [`QUANTILE_ERROR`].
    pub p50: Option<f64>,
    /// The 90th percentile.
    pub p90: Option<f64>,
    /// The 99th percentile.
    pub p99: Option<f64>,
    /// The 99.9th percentile.
    pub p999: Option<f64>,
}

impl Figures {
    /// One of them; none where there is no data for it.
    pub fn aggregate(&self, aggregate: Aggregate) -> Option<f64> {
        match aggregate {
            // No data is not a pass, whatever is computed.
            _ if self.counts.count == 0 => None,
            Aggregate::Count => Some(self.counts.count as f64),
            Aggregate::Rate => Some(self.rate),
            Aggregate::Mean => self.mean,
            Aggregate::Min => self.min,
            Aggregate::Max => self.max,
            Aggregate::P50 => self.p50,
            Aggregate::P90 => self.p90,
            Aggregate::P99 => self.p99,
            Aggregate::P999 => self.p999,
            Aggregate::FailureShare => self.failure_share,
        }
    }
}

/// A window that slides: at most [`SLICES`] slices of whole seconds, and the one that is being filled.
pub(crate) struct Window {
    pub(crate) seconds: u32,
    /// Seconds of a slice.
    slice: u64,
    /// Slices with something in them, by number, oldest first.
    slices: VecDeque<(u64, Sum)>,
    /// The time since which it is filled.
    since_ns: u64,
}

impl Window {
    pub(crate) fn new(seconds: u32, since_ns: u64) -> Window {
        let slice = u64::from(seconds).div_ceil(SLICES).max(1);
        Window { seconds, slice, slices: VecDeque::new(), since_ns }
    }

    /// Takes in what was added up in a second that is over.
    pub(crate) fn take(&mut self, second: u64, sum: &Sum) {
        let number = second / self.slice;
        self.expire(second);
        match self.slices.back_mut() {
            Some((last, filled)) if *last >= number => filled.merge(sum),
            _ => self.slices.push_back((number, sum.clone())),
        }
    }

    /// Drops what no window that ends in this second or later reaches back to.
    fn expire(&mut self, second: u64) {
        let first = self.first(second);
        while self.slices.front().is_some_and(|(number, _)| *number < first) {
            self.slices.pop_front();
        }
    }

    /// The oldest slice of the window that ends in a second: whole ones for all of its length.
    fn first(&self, second: u64) -> u64 {
        (second / self.slice).saturating_sub(u64::from(self.seconds).div_ceil(self.slice))
    }

    /// Everything in the window that ends in this second, added to `sum`.
    pub(crate) fn sum_into(&self, second: u64, sum: &mut Sum) {
        let first = self.first(second);
        self.slices.iter().filter(|(number, _)| *number >= first).for_each(|(_, slice)| sum.merge(slice));
    }

    /// Seconds that the window which ends now is over.
    pub(crate) fn covered(&self, now_ns: u64) -> f64 {
        let start = self.first(now_ns / NS) * self.slice * NS;
        now_ns.saturating_sub(start.max(self.since_ns)) as f64 / NS as f64
    }
}

/// Nanoseconds of a second.
pub(crate) const NS: u64 = 1_000_000_000;
