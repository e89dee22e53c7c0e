//! Mean and variance of a stream.

use serde::{Deserialize, Serialize};

use crate::state::{Kept, MOST, finite};

/// Mean and variance of all values so far (Welford 1962).
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Takes up a value.
    pub fn push(&mut self, value: f64) {
        self.count += 1;
        let off = value - self.mean;
        self.mean += off / self.count as f64;
        self.squares += off * (value - self.mean);
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; 0 of none.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Their sample variance; 0 of fewer than two.
    pub fn variance(&self) -> f64 {
        if self.count < 2 { 0.0 } else { self.squares / (self.count - 1) as f64 }
    }
}

/// Mean and variance that forget: a value counts `1 - share` as much as the one after it (West 1979). The first values count alike, until
/// one is worth less than `share`, so that nothing leans on the value that happened to come first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Forgetting {
    share: f64,
    count: u64,
    mean: f64,
    variance: f64,
}

impl Forgetting {
    /// `share` of the newest value in the mean, above 0 and at most 1.
    pub fn new(share: f64) -> Forgetting {
        Forgetting { share: share.clamp(f64::MIN_POSITIVE, 1.0), count: 0, mean: 0.0, variance: 0.0 }
    }

    /// Takes up a value.
    pub fn push(&mut self, value: f64) {
        self.count += 1;
        let share = self.share.max(1.0 / self.count as f64);
        let off = value - self.mean;
        self.mean += share * off;
        self.variance = (1.0 - share) * (self.variance + share * off * off);
    }

    /// One that forgets alike and knows nothing yet.
    pub fn fresh(&self) -> Forgetting {
        Forgetting::new(self.share)
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; 0 of none.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Their variance.
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// Their standard deviation.
    pub fn deviation(&self) -> f64 {
        self.variance.sqrt()
    }
}

impl Kept for Moments {
    fn fits(&self, _: &Self) -> bool {
        finite([&self.mean, &self.squares]) && self.squares >= 0.0 && self.count < MOST
    }
}

impl Kept for Forgetting {
    fn fits(&self, made: &Self) -> bool {
        finite([&self.mean, &self.variance]) && self.variance >= 0.0 && self.count < MOST && self.share == made.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_the_textbook_s_where_nothing_is_forgotten() {
        let values = [4.0, 7.0, 13.0, 16.0];
        let (mut all, mut young) = (Moments::default(), Forgetting::new(1e-9));
        values.iter().for_each(|&value| (all.push(value), young.push(value)).0);
        assert_eq!((all.count(), all.mean()), (4, 10.0));
        assert!((all.variance() - 30.0).abs() < 1e-12);
        assert!((young.mean() - 10.0).abs() < 1e-12);
        assert!((young.variance() - 22.5).abs() < 1e-12, "of the values themselves, not of a sample");
    }

    #[test]
    fn what_is_forgotten_fades() {
        let mut moments = Forgetting::new(0.1);
        (0..100).for_each(|_| moments.push(5.0));
        (0..200).for_each(|_| moments.push(9.0));
        assert!((moments.mean() - 9.0).abs() < 1e-6 && moments.variance() < 1e-6);
    }
}
