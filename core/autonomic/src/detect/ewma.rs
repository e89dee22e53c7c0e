//! A single value far from a mean that moves slowly.

use serde::{Deserialize, Serialize};

use super::{Detector, Score, least_deviation, normal_confidence};
use crate::Forgetting;
use crate::state::Kept;

/// The z-score of a value against the exponentially weighted mean and deviation of those before it (Roberts 1959). A value that is far
/// off counts towards the mean only as much as one that is `LIMIT` deviations off, so that an outlier does not hide the next one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ewma {
    moments: Forgetting,
    warm: u64,
}

/// Deviations beyond which a value moves the mean no more.
const LIMIT: f64 = 4.0;

impl Ewma {
    /// `share` of the newest value in the mean, such as 0.05; scores come after `warm` values.
    pub fn new(share: f64, warm: u64) -> Ewma {
        Ewma { moments: Forgetting::new(share), warm: warm.max(2) }
    }
}

impl Kept for Ewma {
    fn fits(&self, made: &Self) -> bool {
        self.warm == made.warm && self.moments.fits(&made.moments)
    }
}

impl Detector for Ewma {
    fn name(&self) -> &'static str {
        "ewma"
    }

    fn observe(&mut self, value: f64) -> Option<Score> {
        if !value.is_finite() {
            return None;
        }
        let (expected, known) = (self.moments.mean(), self.moments.count() >= self.warm);
        let deviation = self.moments.deviation().max(least_deviation(expected));
        let z = (value - expected) / deviation;
        let counted = if known { expected + z.clamp(-LIMIT, LIMIT) * deviation } else { value };
        self.moments.push(counted);
        known.then(|| Score { statistic: z.abs(), confidence: normal_confidence(z), expected })
    }

    fn reset(&mut self) {
        self.moments = self.moments.fresh();
    }
}
