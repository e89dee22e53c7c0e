//! Any of deviation, level, spread and season: for a series of which nothing is known beforehand.

use serde::{Deserialize, Serialize};

use super::{Detector, Score, Tail};
use crate::Forgetting;
use crate::state::{Kept, MOST, finite};

/// Values in the short window.
const SHORT: usize = 12;
/// The newest value's share in the mean that deviations are from.
const MEAN: f64 = 0.01;
/// The newest value's share in what is usual in the long run.
const LONG: f64 = 0.003;
/// How much earlier or later in the season a like value may have been.
const NEAR: usize = 6;
const TAILS: usize = 4;

/// Four statistics of a value, each against its own past ([`Tail`]): how far it is from the mean; how far the short window's mean is from the long run's;
/// how unlike the short window's spread is to the long run's, which finds silence as well as noise; and how far it is from all values at
/// about this time of the season before. The statistic is the sum of their −log₁₀ p. The confidence is 1 − 4·p of the most extreme one
/// (Bonferroni), whatever they have to do with each other.
/// What lasts goes on being unusual for a while; [`Once`](super::Once) makes one alarm of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unusual {
    season: usize,
    tails: [Tail; TAILS],
    mean: Forgetting,
    level: Forgetting,
    spread: Forgetting,
    /// The last season and its surroundings; a ring.
    past: Vec<f64>,
    seen: usize,
}

impl Unusual {
    /// `season`: values in a season, such as 288 of five minutes in a day.
    pub fn new(season: usize) -> Unusual {
        let season = season.max(2 * SHORT);
        let tails = std::array::from_fn(|_| Tail::new(0.99, 100));
        let past = vec![0.0; season + NEAR + 1];
        let [mean, level, spread] = [MEAN, LONG, LONG].map(Forgetting::new);
        Unusual { season, tails, mean, level, spread, past, seen: 0 }
    }

    fn ago(&self, values: usize) -> f64 {
        self.past[(self.seen + self.past.len() - values) % self.past.len()]
    }

    /// The four statistics; those are none for which there is too little yet.
    fn statistics(&self, value: f64) -> [Option<f64>; TAILS] {
        let seen = self.seen + 1;
        let short = || (1..SHORT).map(|ago| self.ago(ago)).chain([value]);
        let window = (seen >= SHORT).then(|| {
            let mean = short().sum::<f64>() / SHORT as f64;
            let variance = short().map(|one| (one - mean).powi(2)).sum::<f64>() / SHORT as f64;
            (mean, self.log_spread(variance.sqrt()))
        });
        let near = (seen > self.season)
            .then(|| {
                let earliest = (self.season + NEAR).min(self.seen);
                (self.season - NEAR..=earliest).map(|ago| (value - self.ago(ago)).abs()).min_by(f64::total_cmp)
            })
            .flatten();
        [
            (self.seen > 0).then(|| (value - self.mean.mean()).abs()),
            window.map(|(mean, _)| (mean - self.level.mean()).abs()),
            window.filter(|_| self.spread.count() > 0).map(|(_, spread)| (spread - self.spread.mean()).abs()),
            near,
        ]
    }

    /// The logarithm of the spread, with a floor below which it makes no difference.
    fn log_spread(&self, deviation: f64) -> f64 {
        (deviation + 0.02 * self.level.deviation() + 1e-9).ln()
    }

    fn push(&mut self, value: f64) {
        if self.seen + 1 >= SHORT {
            let short = || (1..SHORT).map(|ago| self.ago(ago)).chain([value]);
            let mean = short().sum::<f64>() / SHORT as f64;
            let variance = short().map(|one| (one - mean).powi(2)).sum::<f64>() / SHORT as f64;
            let spread = self.log_spread(variance.sqrt());
            self.spread.push(spread);
        }
        self.mean.push(value);
        self.level.push(value);
        let place = self.seen % self.past.len();
        self.past[place] = value;
        self.seen += 1;
    }
}

impl Kept for Unusual {
    fn fits(&self, made: &Self) -> bool {
        let tails = self.tails.iter().zip(&made.tails).all(|(own, made)| own.fits(made));
        let moments = |one: &Unusual| [one.mean, one.level, one.spread];
        let moments = moments(self).iter().zip(moments(made)).all(|(own, made)| own.fits(&made));
        self.season == made.season
            && tails
            && moments
            && self.past.len() == made.past.len()
            && finite(&self.past)
            && (self.seen as u64) < MOST
    }
}

impl Detector for Unusual {
    fn name(&self) -> &'static str {
        "unusual"
    }

    fn observe(&mut self, value: f64) -> Option<Score> {
        if !value.is_finite() {
            return None;
        }
        let expected = self.mean.mean();
        let statistics = self.statistics(value);
        let mut known = 0;
        let (mut sum, mut most) = (0.0, 0.0f64);
        for (tail, statistic) in self.tails.iter_mut().zip(statistics) {
            if let Some(score) = statistic.and_then(|statistic| tail.observe(statistic)) {
                known += 1;
                sum += score;
                most = most.max(score);
            }
        }
        self.push(value);
        let confidence = if sum > 0.0 { (1.0 - TAILS as f64 * 10f64.powf(-most)).max(0.0) } else { 0.0 };
        (known > 0).then_some(Score { statistic: sum, confidence, expected })
    }

    fn reset(&mut self) {
        *self = Unusual::new(self.season);
    }
}
