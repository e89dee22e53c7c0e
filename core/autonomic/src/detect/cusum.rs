//! A lasting shift, also a small one.

use serde::{Deserialize, Serialize};

use super::{Detector, Score, least_deviation};
use crate::Moments;
use crate::state::{Kept, finite};

/// Two cumulative sums of what the standardised values exceed `slack` by, upwards and downwards (Page 1954). Mean and deviation are those of
/// the first `warm` values. The probability of a sum of at least h while nothing changed is about exp(−2·slack·(h + 1.166)) (Siegmund 1985,
/// the stationary distribution of a reflected walk with its correction for overshoot). After a sum was beyond the limit it starts again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cusum {
    reference: Moments,
    slack: f64,
    limit: f64,
    warm: u64,
    up: f64,
    down: f64,
}

impl Cusum {
    /// `slack`: half of the smallest shift that matters, in deviations, such as 0.5; `limit`: the sum at which it starts again, such as 5;
    /// `warm`: values that tell what is normal.
    pub fn new(slack: f64, limit: f64, warm: u64) -> Cusum {
        Cusum { reference: Moments::default(), slack, limit, warm: warm.max(2), up: 0.0, down: 0.0 }
    }
}

impl Kept for Cusum {
    fn fits(&self, made: &Self) -> bool {
        let settings = |one: &Cusum| (one.slack, one.limit, one.warm);
        settings(self) == settings(made) && self.reference.fits(&made.reference) && finite([&self.up, &self.down])
    }
}

impl Detector for Cusum {
    fn name(&self) -> &'static str {
        "cusum"
    }

    fn observe(&mut self, value: f64) -> Option<Score> {
        if !value.is_finite() {
            return None;
        }
        if self.reference.count() < self.warm {
            self.reference.push(value);
            return None;
        }
        if self.up.max(self.down) > self.limit {
            (self.up, self.down) = (0.0, 0.0);
        }
        let expected = self.reference.mean();
        let z = (value - expected) / self.reference.variance().sqrt().max(least_deviation(expected));
        self.up = (self.up + z - self.slack).max(0.0);
        self.down = (self.down - z - self.slack).max(0.0);
        let statistic = self.up.max(self.down);
        let one_sided = if statistic > 0.0 { (-2.0 * self.slack * (statistic + 1.166)).exp() } else { 0.5 };
        Some(Score { statistic, confidence: (1.0 - 2.0 * one_sided).max(0.0), expected })
    }

    fn reset(&mut self) {
        *self = Cusum::new(self.slack, self.limit, self.warm);
    }
}
