//! A level, a trend and a season.

use serde::{Deserialize, Serialize};

use super::Model;
use crate::state::{Kept, finite};

/// Additive Holt-Winters (Holt 1957, Winters 1960; the equations are those of Hyndman and Athanasopoulos, "Forecasting: principles and
/// practice", 8.3): what R and statsmodels call additive trend and additive season. It begins after two seasons, with their means, the
/// difference of the means as trend, and the first season's distances from its mean.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HoltWinters {
    alpha: f64,
    beta: f64,
    gamma: f64,
    season: usize,
    /// The first two seasons, until there are as many.
    first: Vec<f64>,
    level: f64,
    trend: f64,
    seasonal: Vec<f64>,
    /// Where in the season the next value is.
    next: usize,
}

impl HoltWinters {
    /// How fast level, trend and season follow, each 0 to 1, and how many values a season has (1: no season).
    pub fn new(alpha: f64, beta: f64, gamma: f64, season: usize) -> HoltWinters {
        let season = season.max(1);
        let (first, seasonal) = (Vec::with_capacity(2 * season.max(2)), Vec::with_capacity(season));
        HoltWinters { alpha, beta, gamma, season, first, level: 0.0, trend: 0.0, seasonal, next: 0 }
    }

    /// Values in a season.
    pub fn season(&self) -> usize {
        self.season
    }

    /// The level, the trend a step, and the season's distances from the level: what the next forecasts are made of. None while there were too
    /// few values.
    pub fn state(&self) -> Option<(f64, f64, &[f64])> {
        (!self.seasonal.is_empty()).then_some((self.level, self.trend, &self.seasonal))
    }

    fn begin(&mut self) {
        let span = self.first.len() / 2;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (before, after) = (mean(&self.first[..span]), mean(&self.first[span..]));
        self.trend = (after - before) / span as f64;
        self.level = before;
        if self.season == 1 {
            self.seasonal.push(0.0);
        } else {
            let distances = self.first[..span].iter().map(|value| value - before);
            self.seasonal.extend(distances);
        }
        self.next = 0;
        // Gone through once more, so that the state is the newest value's and not the first season's.
        for place in 0..self.first.len() {
            self.follow(self.first[place]);
        }
        self.first.clear();
    }

    fn follow(&mut self, value: f64) {
        let (level, seasonal) = (self.level, self.seasonal[self.next]);
        self.level = self.alpha * (value - seasonal) + (1.0 - self.alpha) * (level + self.trend);
        if self.season > 1 {
            self.seasonal[self.next] = self.gamma * (value - level - self.trend) + (1.0 - self.gamma) * seasonal;
        }
        self.trend = self.beta * (self.level - level) + (1.0 - self.beta) * self.trend;
        self.next = (self.next + 1) % self.seasonal.len();
    }
}

impl Kept for HoltWinters {
    fn fits(&self, made: &Self) -> bool {
        let settings = |one: &HoltWinters| (one.alpha, one.beta, one.gamma, one.season);
        let begun = match self.seasonal.len() {
            0 => self.first.len() < 2 * self.season.max(2) && self.next == 0,
            count => count == self.season && self.first.is_empty() && self.next < count,
        };
        settings(self) == settings(made)
            && begun
            && finite(&self.first)
            && finite(&self.seasonal)
            && finite([&self.level, &self.trend])
    }
}

impl Model for HoltWinters {
    fn name(&self) -> &'static str {
        "holt-winters"
    }

    fn observe(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        if !self.seasonal.is_empty() {
            return self.follow(value);
        }
        self.first.push(value);
        if self.first.len() == 2 * self.season.max(2) {
            self.begin();
        }
    }

    fn forecast(&self, ahead: usize) -> Option<f64> {
        let (level, trend, seasonal) = self.state()?;
        let ahead = ahead.max(1);
        Some(level + ahead as f64 * trend + seasonal[(self.next + ahead - 1) % seasonal.len()])
    }

    fn reset(&mut self) {
        *self = HoltWinters::new(self.alpha, self.beta, self.gamma, self.season);
    }
}
