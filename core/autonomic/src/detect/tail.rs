//! How far out in its own past a statistic is.

use serde::{Deserialize, Serialize};

use crate::state::{Kept, finite};

/// The tail of a stream beyond a quantile, taken as exponential (peaks over threshold, Pickands 1975, with shape 0; streaming as Siffer et al.
/// 2017, "Anomaly detection in streams with extreme value theory"). The quantile follows the stream by stochastic approximation (Tierney
/// 1983), the mean excess by exponential weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tail {
    quantile: f64,
    warm: usize,
    /// The first values, sorted, until there are enough.
    first: Vec<f64>,
    /// The value at the quantile, once it is known.
    at: Option<f64>,
    excess: f64,
    step: f64,
}

/// The newest excess's share in their mean.
const SHARE: f64 = 0.02;
/// How fast the quantile follows, as a share of the steps' scale.
const PACE: f64 = 0.01;
/// Excesses beyond so many means count as that many, so that one event does not become the measure of all others.
const LIMIT: f64 = 20.0;

impl Tail {
    /// Beyond `quantile`, such as 0.99; scores come after `warm` values.
    pub fn new(quantile: f64, warm: usize) -> Tail {
        let first = Vec::with_capacity(warm.max(16));
        Tail { quantile, warm: warm.max(16), first, at: None, excess: 0.0, step: 0.0 }
    }

    /// Takes up a value and gives −log₁₀ of the probability that one is at least so large: 0 up to the quantile. None while there were too
    /// few.
    pub fn observe(&mut self, value: f64) -> Option<f64> {
        let Some(at) = self.at else {
            let place = self.first.partition_point(|&other| other < value);
            self.first.insert(place, value);
            if self.first.len() == self.warm {
                self.begin();
            }
            return None;
        };
        let over = value - at;
        let score = if over > 0.0 {
            -(1.0 - self.quantile).log10() + over / self.excess * std::f64::consts::LOG10_E
        } else {
            0.0
        };
        let step = PACE * self.step;
        if over > 0.0 {
            self.excess += SHARE * (over.min(LIMIT * self.excess) - self.excess);
            self.at = Some(at + step * self.quantile);
        } else {
            self.at = Some(at - step * (1.0 - self.quantile));
        }
        self.step += 0.001 * (3.0 * self.excess - self.step);
        Some(score)
    }

    fn begin(&mut self) {
        let count = self.first.len() as f64;
        let place = self.quantile * (count - 1.0);
        let (low, high) = (self.first[place as usize], self.first[(place.ceil() as usize).min(self.first.len() - 1)]);
        let at = low + (high - low) * place.fract();
        let over = self.first.iter().filter(|&&value| value > at);
        let (number, sum) = over.fold((0.0, 0.0), |(number, sum), value| (number + 1.0, sum + value - at));
        let mean = self.first.iter().sum::<f64>() / count;
        let deviation = (self.first.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
        self.excess =
            if sum > 0.0 { sum / number } else { deviation } + f64::MIN_POSITIVE.max(mean.abs() * 1e-9) + 1e-12;
        let size = self.first.iter().map(|value| value.abs()).sum::<f64>() / count;
        self.step = self.excess + 0.05 * size;
        self.at = Some(at);
        self.first.clear();
    }

    /// Forgets all values.
    pub fn reset(&mut self) {
        *self = Tail::new(self.quantile, self.warm);
    }
}

impl Kept for Tail {
    fn fits(&self, made: &Self) -> bool {
        let settings = |one: &Tail| (one.quantile, one.warm);
        let begun = if self.at.is_some() { self.first.is_empty() } else { self.first.len() < self.warm };
        settings(self) == settings(made)
            && begun
            && self.first.is_sorted()
            && finite(&self.first)
            && finite(&self.at)
            && finite([&self.excess, &self.step])
    }
}
