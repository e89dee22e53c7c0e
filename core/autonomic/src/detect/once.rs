//! An alarm once for what lasts.

use serde::{Deserialize, Serialize};

use super::{Detector, Score};
use crate::state::Kept;

/// The height of late scores, which fades.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Held {
    fading: f64,
    worse: f64,
    height: f64,
}

impl Held {
    /// `worse`: how many times the height a score must exceed.
    pub(crate) fn new(fading: f64, worse: f64) -> Held {
        Held { fading: fading.clamp(0.0, 1.0), worse, height: 0.0 }
    }

    /// A value went by that told nothing.
    pub(crate) fn fade(&mut self) {
        self.height *= self.fading;
    }

    /// Whether a score is so much above it; it counts from then on.
    pub(crate) fn exceeds(&mut self, statistic: f64) -> bool {
        let exceeds = statistic > self.worse * self.height;
        self.height = (self.height * self.fading).max(statistic);
        exceeds
    }
}

impl Kept for Held {
    fn fits(&self, made: &Self) -> bool {
        let settings = |one: &Held| (one.fading, one.worse);
        settings(self) == settings(made) && self.height.is_finite()
    }
}

/// A detector whose scores count only above the highest one of late: an event that lasts is told when it begins and when it gets worse,
/// and nothing else beside it. What is held fades with each value; a score below it becomes 0, with confidence 0.
#[derive(Clone, Debug)]
pub struct Once<D> {
    detector: D,
    held: Held,
}

impl<D> Once<D> {
    /// `fading`: what each value leaves of the height that is held, such as 0.994: half of it in 115 values.
    pub fn new(detector: D, fading: f64) -> Once<D> {
        Once { detector, held: Held::new(fading, 1.0) }
    }
}

impl<D: Detector> Detector for Once<D> {
    fn name(&self) -> &'static str {
        self.detector.name()
    }

    fn observe(&mut self, value: f64) -> Option<Score> {
        let score = self.detector.observe(value)?;
        let told = self.held.exceeds(score.statistic);
        Some(if told { score } else { Score { statistic: 0.0, confidence: 0.0, ..score } })
    }

    fn reset(&mut self) {
        self.detector.reset();
        self.held.height = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Ewma;

    #[test]
    fn a_lasting_event_is_told_once_and_a_worse_one_again() {
        let mut detector = Once::new(Ewma::new(0.01, 20), 0.99);
        let mut told = Vec::new();
        for place in 0..120 {
            let value = match place {
                60..80 => 50.0,
                80 => 500.0,
                _ => f64::from(place % 5),
            };
            if detector.observe(value).is_some_and(|score| score.confidence > 0.999_999) {
                told.push(place);
            }
        }
        assert_eq!(told, [60, 80]);
    }
}
