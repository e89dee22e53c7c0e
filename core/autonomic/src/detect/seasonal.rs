//! A value that is off for this time of the season.

use serde::{Deserialize, Serialize};

use super::{Detector, Score, least_deviation, normal_confidence};
use crate::Forgetting;
use crate::forecast::{HoltWinters, Model};
use crate::state::Kept;

/// The z-score of a value's distance from what Holt-Winters foretold, against the distances before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seasonal {
    model: HoltWinters,
    errors: Forgetting,
    warm: u64,
}

impl Seasonal {
    /// With a model; `share` of the newest error in their mean, such as 0.02. Scores come a season after the model's first forecast.
    pub fn new(model: HoltWinters, share: f64) -> Seasonal {
        let warm = model.season().max(8) as u64;
        Seasonal { model, errors: Forgetting::new(share), warm }
    }
}

impl Kept for Seasonal {
    fn fits(&self, made: &Self) -> bool {
        self.warm == made.warm && self.model.fits(&made.model) && self.errors.fits(&made.errors)
    }
}

impl Detector for Seasonal {
    fn name(&self) -> &'static str {
        "seasonal"
    }

    fn observe(&mut self, value: f64) -> Option<Score> {
        if !value.is_finite() {
            return None;
        }
        let expected = self.model.forecast(1);
        self.model.observe(value);
        let expected = expected?;
        let error = value - expected;
        let known = self.errors.count() >= self.warm;
        // About 0, not about the mean of the errors: a model that errs to one side is no reason to expect the other.
        let deviation = (self.errors.variance() + self.errors.mean().powi(2)).sqrt().max(least_deviation(expected));
        let z = error / deviation;
        self.errors.push(if known { error.clamp(-4.0 * deviation, 4.0 * deviation) } else { error });
        known.then(|| Score { statistic: z.abs(), confidence: normal_confidence(z), expected })
    }

    fn reset(&mut self) {
        self.model.reset();
        self.errors = self.errors.fresh();
    }
}
