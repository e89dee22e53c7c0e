//! A lasting shift of the mean since the start.

use serde::{Deserialize, Serialize};

use super::{Detector, Score};
use crate::Moments;
use crate::state::{Kept, finite};

/// The Page-Hinkley test, to both sides: how far the sum of deviations from the running mean rose above its minimum, or fell below its maximum
/// (Page 1954; with forgetting as Gama et al. 2014, "A survey on concept drift adaptation"). Beyond the limit it starts again with the next
/// value.
///
/// The sum is a walk with a drift of −`delta`, so the probability of a rise of at least h while nothing changed is about
/// exp(−2·delta·h / variance).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PageHinkley {
    delta: f64,
    limit: f64,
    keep: f64,
    warm: u64,
    values: Moments,
    rising: f64,
    falling: f64,
    least: f64,
    most: f64,
    over: bool,
}

impl PageHinkley {
    /// `delta`: the change of the mean that is borne; `limit`: the statistic that is too much; `keep`: how much of the sum each value leaves, such
    /// as 0.9999; `warm`: values before the first score.
    pub fn new(delta: f64, limit: f64, keep: f64, warm: u64) -> PageHinkley {
        let values = Moments::default();
        let (least, most) = (f64::MAX, -1.0);
        PageHinkley { delta, limit, keep, warm, values, rising: 0.0, falling: 0.0, least, most, over: false }
    }

    /// Whether the statistic is beyond the limit.
    pub fn is_over(&self) -> bool {
        self.over
    }
}

impl Kept for PageHinkley {
    fn fits(&self, made: &Self) -> bool {
        let settings = |one: &PageHinkley| (one.delta, one.limit, one.keep, one.warm);
        settings(self) == settings(made)
            && self.values.fits(&made.values)
            && finite([&self.rising, &self.falling, &self.least, &self.most])
    }
}

impl Detector for PageHinkley {
    fn name(&self) -> &'static str {
        "page-hinkley"
    }

    fn observe(&mut self, value: f64) -> Option<Score> {
        if !value.is_finite() {
            return None;
        }
        if self.over {
            self.reset();
        }
        self.values.push(value);
        let off = value - self.values.mean();
        self.rising = self.keep * self.rising + off - self.delta;
        self.falling = self.keep * self.falling + off + self.delta;
        self.least = self.least.min(self.rising);
        self.most = self.most.max(self.falling);
        if self.values.count() < self.warm {
            return None;
        }
        let statistic = (self.rising - self.least).max(self.most - self.falling);
        self.over = statistic > self.limit;
        let exponent = -2.0 * self.delta * statistic / self.values.variance();
        let one_sided = if exponent.is_nan() { 0.5 } else { exponent.exp() };
        Some(Score { statistic, confidence: (1.0 - 2.0 * one_sided).max(0.0), expected: self.values.mean() })
    }

    fn reset(&mut self) {
        *self = PageHinkley::new(self.delta, self.limit, self.keep, self.warm);
    }
}
