//! Too many or too few events in a window.

use serde::{Deserialize, Serialize};
use statrs::function::beta::beta_reg;

use super::{Detector, Score};
use crate::state::{Kept, finite};

/// Whether a window's events are as many as those of the windows before, by the exact conditional test for two Poisson rates (Przyborowski
/// and Wilenski 1940): of all events of both, the window's share is binomial. What is known of the rate before fades with `keep`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rate {
    keep: f64,
    events: f64,
    windows: f64,
    warm: f64,
}

impl Rate {
    /// `memory`: windows that count, such as 60; scores come after `warm` windows.
    pub fn new(memory: f64, warm: u32) -> Rate {
        let keep = 1.0 - 1.0 / memory.max(2.0);
        Rate { keep, events: 0.0, windows: 0.0, warm: f64::from(warm.max(1)).min(memory / 2.0) }
    }
}

impl Kept for Rate {
    fn fits(&self, made: &Self) -> bool {
        let settings = |one: &Rate| (one.keep, one.warm);
        settings(self) == settings(made)
            && finite([&self.events, &self.windows])
            && self.events >= 0.0
            && self.windows >= 0.0
    }
}

impl Detector for Rate {
    fn name(&self) -> &'static str {
        "rate"
    }

    /// Takes up how many events a window had.
    fn observe(&mut self, value: f64) -> Option<Score> {
        if !value.is_finite() || value < 0.0 {
            return None;
        }
        let score = (self.windows >= self.warm).then(|| {
            let (expected, all) = (self.events / self.windows, self.events + value);
            let share = 1.0 / (self.windows + 1.0);
            let confidence = 1.0 - two_sided(value, all, share);
            let statistic = (value - expected).abs() / expected.max(1.0).sqrt();
            Score { statistic, confidence, expected }
        });
        self.events = self.events * self.keep + value;
        self.windows = self.windows * self.keep + 1.0;
        score
    }

    fn reset(&mut self) {
        (self.events, self.windows) = (0.0, 0.0);
    }
}

/// Twice the smaller tail of a binomial of `trials`, whose chance is `chance`, at `successes`; faded counts need not be whole, so the tails are
/// those of the beta distribution that the binomial's are for whole ones.
pub(super) fn two_sided(successes: f64, trials: f64, chance: f64) -> f64 {
    let at_least = if successes <= 0.0 { 1.0 } else { beta_reg(successes, trials - successes + 1.0, chance) };
    let at_most = if successes >= trials { 1.0 } else { 1.0 - beta_reg(successes + 1.0, trials - successes, chance) };
    (2.0 * at_least.min(at_most)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tails_are_the_binomial_s() {
        // R: binom.test(9, 10, 0.5)$p.value = 0.02148438, which for p = 1/2 is twice the tail.
        assert!((two_sided(9.0, 10.0, 0.5) - 0.021_484_375).abs() < 1e-12);
        assert!((two_sided(0.0, 8.0, 0.25) - 2.0 * 0.75f64.powi(8)).abs() < 1e-12);
        assert_eq!(two_sided(5.0, 10.0, 0.5), 1.0);
    }
}
