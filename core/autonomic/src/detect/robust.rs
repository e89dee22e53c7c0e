//! A single value far from the median, whatever a few others are.

use serde::{Deserialize, Serialize};

use super::{Detector, Score, least_deviation, student_confidence};
use crate::state::{Kept, is_ring};

/// A normal deviation over the median absolute deviation.
const NORMAL: f64 = 1.482_602_218_505_602;

/// How much of a sample the median absolute deviation makes use of (Rousseeuw and Croux 1993).
const EFFICIENCY: f64 = 0.37;
/// Values before the first score.
const WARM: usize = 20;

/// The z-score of a value against median and median absolute deviation of the window before it (Hampel 1974): up to half of the window may
/// be outliers. A deviation that few values tell is uncertain itself, so the confidence is Student's, with as many degrees of freedom as the
/// window has values, times the estimate's efficiency. A value costs a search in the window; the window is kept sorted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Robust {
    /// In order of arrival; a ring.
    window: Vec<f64>,
    /// In order of size.
    sorted: Vec<f64>,
    next: usize,
    length: usize,
}

impl Robust {
    /// Of so many values before, at least 20.
    pub fn new(length: usize) -> Robust {
        let length = length.max(WARM);
        Robust { window: Vec::with_capacity(length), sorted: Vec::with_capacity(length), next: 0, length }
    }

    fn median(&self) -> f64 {
        let half = self.sorted.len() / 2;
        if self.sorted.len() % 2 == 1 { self.sorted[half] } else { (self.sorted[half - 1] + self.sorted[half]) / 2.0 }
    }

    /// The median of the distances from `median`: the two halves of the sorted window are distances in order already, so they are merged
    /// up to the middle.
    fn spread(&self, median: f64) -> f64 {
        let count = self.sorted.len();
        let split = self.sorted.partition_point(|&value| value < median);
        let (mut low, mut high) = (split, split);
        let (mut last, mut before) = (0.0, 0.0);
        for _ in 0..=count / 2 {
            before = last;
            let down = if low > 0 { median - self.sorted[low - 1] } else { f64::INFINITY };
            let up = if high < count { self.sorted[high] - median } else { f64::INFINITY };
            if down <= up {
                (low, last) = (low - 1, down);
            } else {
                (high, last) = (high + 1, up);
            }
        }
        if count % 2 == 1 { last } else { (before + last) / 2.0 }
    }

    fn push(&mut self, value: f64) {
        if self.window.len() < self.length {
            self.window.push(value);
        } else {
            let old = std::mem::replace(&mut self.window[self.next], value);
            let place = self.sorted.partition_point(|&other| other < old);
            self.sorted.remove(place);
        }
        self.next = (self.next + 1) % self.length;
        let place = self.sorted.partition_point(|&other| other < value);
        self.sorted.insert(place, value);
    }
}

impl Kept for Robust {
    fn fits(&self, made: &Self) -> bool {
        let mut window = self.window.clone();
        window.sort_unstable_by(f64::total_cmp);
        // Of the two zeros either may have been taken for the other.
        let same = window == self.sorted;
        self.length == made.length && is_ring(&self.window, self.next, self.length) && same
    }
}

impl Detector for Robust {
    fn name(&self) -> &'static str {
        "robust"
    }

    fn observe(&mut self, value: f64) -> Option<Score> {
        if !value.is_finite() {
            return None;
        }
        let score = (self.window.len() >= WARM).then(|| {
            let expected = self.median();
            let deviation = (NORMAL * self.spread(expected)).max(least_deviation(expected));
            let z = (value - expected).abs() / deviation;
            let freedom = EFFICIENCY * self.window.len() as f64;
            Score { statistic: z, confidence: student_confidence(z, freedom), expected }
        });
        self.push(value);
        score
    }

    fn reset(&mut self) {
        self.window.clear();
        self.sorted.clear();
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain_median(values: &mut [f64]) -> f64 {
        values.sort_by(f64::total_cmp);
        let half = values.len() / 2;
        if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 }
    }

    proptest! {
        #[test]
        fn median_and_spread_are_those_of_the_window(values in prop::collection::vec(-1e3..1e3f64, 8..120), length in 20usize..60) {
            let mut detector = Robust::new(length);
            values.iter().for_each(|&value| _ = detector.observe(value));
            let mut window = values[values.len().saturating_sub(length)..].to_vec();
            let median = plain_median(&mut window);
            let mut distances: Vec<_> = window.iter().map(|value| (value - median).abs()).collect();
            prop_assert_eq!(detector.median(), median);
            prop_assert!((detector.spread(median) - plain_median(&mut distances)).abs() < 1e-9);
        }
    }
}
