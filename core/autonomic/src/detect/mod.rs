//! Detectors: what in a series is not as it was.
//!
//! A [`Detector`] takes one value after another and says of each how unusual it is, as a [`Score`]. Its confidence has one meaning in all of
//! them: 1 − p, where p is the probability that a series which goes on as before, and is of the kind that the detector assumes, shows a
//! statistic at least as extreme at one value. A caller that looks at `n` values a day and can bear one false alarm in `d` days asks for
//! more than 1 − 1 / (n·d).
//!
//! | detector | finds | assumes |
//! |---|---|---|
//! | [`Ewma`] | a single value far off | values about a mean that moves slowly, normal |
//! | [`Robust`] | a single value far off, in spite of others | values about a median, normal in their middle |
//! | [`Cusum`] | a lasting shift, small ones too | as [`Ewma`] |
//! | [`PageHinkley`] | a lasting shift of the mean since the start | as [`Ewma`] |
//! | [`Adwin`] | any change of the mean, and since when | bounded values |
//! | [`Seasonal`] | a value off for this time of the season | a level, a trend and a season that add up |
//! | [`Rate`] | too many or too few events in a window | independent events (Poisson) |
//! | [`ErrorRatio`] | more failures among the calls of a window | independent calls (binomial) |
//! | [`Heartbeat`] | events that should have come and did not | gaps about a mean, normal |
//! | [`Unusual`] | any of deviation, level, spread and season | nothing but that the extremes of a statistic have an exponential tail |
//!
//! [`Once`] around any of them tells of what lasts once.

mod adwin;
mod custom;
mod cusum;
mod error_ratio;
mod ewma;
mod heartbeat;
mod once;
mod page_hinkley;
mod rate;
mod robust;
mod seasonal;
mod tail;
mod unusual;

pub use adwin::Adwin;
pub use custom::Custom;
pub use cusum::Cusum;
pub use error_ratio::ErrorRatio;
pub use ewma::Ewma;
pub use heartbeat::Heartbeat;
pub(crate) use once::Held;
pub use once::Once;
pub use page_hinkley::PageHinkley;
pub use rate::Rate;
pub use robust::Robust;
pub use seasonal::Seasonal;
pub use tail::Tail;
pub use unusual::Unusual;

use serde::{Deserialize, Serialize};
use statrs::function::beta::beta_reg;
use statrs::function::erf::erfc;

/// What a detector says of a value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The detector's own figure: the more, the more unusual.
    pub statistic: f64,
    /// 1 − the probability of such a statistic while nothing changed, 0 to 1.
    pub confidence: f64,
    /// What the detector expected.
    pub expected: f64,
}

impl Score {
    /// Whether it says what a score can say: a stranger's need not.
    pub(crate) fn is_sound(&self) -> bool {
        self.statistic.is_finite() && self.expected.is_finite() && (0.0..=1.0).contains(&self.confidence)
    }
}

/// Judges a series value by value.
pub trait Detector: Send {
    /// Its name, as receipts state it.
    fn name(&self) -> &'static str;

    /// Takes up the next value; none while there were too few to judge by, and for what is no number.
    fn observe(&mut self, value: f64) -> Option<Score>;

    /// Forgets all values.
    fn reset(&mut self);
}

/// 1 − the probability that a normal value is at least `z` deviations off, to either side.
pub(crate) fn normal_confidence(z: f64) -> f64 {
    1.0 - erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// The same where the deviation is an estimate with so many degrees of freedom ("Student" 1908).
pub(crate) fn student_confidence(t: f64, freedom: f64) -> f64 {
    1.0 - beta_reg(freedom / 2.0, 0.5, freedom / (freedom + t * t))
}

/// The smallest deviation that tells anything beside a mean: what rounding leaves of values that are all the same.
pub(crate) fn least_deviation(mean: f64) -> f64 {
    mean.abs() * 1e-9 + 1e-12
}
