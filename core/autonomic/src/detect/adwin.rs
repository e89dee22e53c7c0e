//! Any change of the mean, and since when.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Detector, Score};
use crate::state::{Kept, MOST, finite};

/// Buckets of one size before two of them become one of the next.
const BUCKETS: usize = 5;
/// Sizes: 2^40 values are more than a machine sees.
const ROWS: usize = 40;
/// Values between two looks.
const CLOCK: u64 = 32;
/// Values that each side of a cut has at least.
const LEAST: f64 = 5.0;
/// Values from which cuts are looked at.
const GRACE: f64 = 10.0;

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Bucket {
    total: f64,
    squares: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Row {
    /// Oldest first.
    buckets: [Bucket; BUCKETS + 1],
    used: usize,
}

impl Row {
    fn push(&mut self, bucket: Bucket) {
        self.buckets[self.used] = bucket;
        self.used += 1;
    }

    fn drop_oldest(&mut self, count: usize) {
        self.buckets.copy_within(count..self.used, 0);
        self.used -= count;
    }
}

/// The adaptive window (Bifet and Gavaldà 2007, "Learning from time-changing data with adaptive windowing", ADWIN2): the longest run of newest
/// values whose mean is one. The window is an exponential histogram, so a million values take some hundred buckets. At each look every cut
/// between two buckets is tried: where the means of both sides differ by more than chance allows (variance in the bound, Bernstein), the
/// oldest bucket goes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Adwin {
    delta: f64,
    #[serde(serialize_with = "rows_kept", deserialize_with = "rows_read")]
    rows: Box<[Row; ROWS]>,
    /// Rows that are in use.
    height: usize,
    width: f64,
    total: f64,
    squares: f64,
    ticks: u64,
    changed: bool,
}

impl Adwin {
    /// `delta`: the probability of a false alarm at one look, such as 0.002.
    pub fn new(delta: f64) -> Adwin {
        let rows = Box::new([Row::default(); ROWS]);
        Adwin { delta, rows, height: 1, width: 0.0, total: 0.0, squares: 0.0, ticks: 0, changed: false }
    }

    /// How many of the newest values have one mean.
    pub fn width(&self) -> u64 {
        self.width as u64
    }

    /// Their mean.
    pub fn mean(&self) -> f64 {
        if self.width > 0.0 { self.total / self.width } else { 0.0 }
    }

    /// Whether the last value made the window shorter.
    pub fn has_changed(&self) -> bool {
        self.changed
    }

    fn insert(&mut self, value: f64) {
        self.rows[0].push(Bucket { total: value, squares: 0.0 });
        if self.width > 0.0 {
            let off = value - self.mean();
            self.squares += off * off * self.width / (self.width + 1.0);
        }
        self.width += 1.0;
        self.total += value;
        for level in 0..ROWS - 1 {
            if self.rows[level].used <= BUCKETS {
                break;
            }
            let size = f64::from(1u32 << level.min(31));
            let [older, newer] = [self.rows[level].buckets[0], self.rows[level].buckets[1]];
            let apart = (older.total - newer.total) / size;
            let squares = older.squares + newer.squares + apart * apart * size / 2.0;
            self.rows[level + 1].push(Bucket { total: older.total + newer.total, squares });
            self.rows[level].drop_oldest(2);
            self.height = self.height.max(level + 2);
        }
    }

    fn drop_oldest(&mut self) {
        let level = self.height - 1;
        let (size, bucket) = (f64::from(1u32 << level.min(31)), self.rows[level].buckets[0]);
        self.width -= size;
        self.total -= bucket.total;
        let apart = bucket.total / size - self.mean();
        self.squares -= bucket.squares + apart * apart * size * self.width / (size + self.width);
        self.rows[level].drop_oldest(1);
        while self.height > 1 && self.rows[self.height - 1].used == 0 {
            self.height -= 1;
        }
    }

    /// The largest of (difference of the means over what chance allows) among all cuts.
    fn most_unlike(&self) -> f64 {
        let allowed = (2.0 * self.width.ln() / self.delta).ln();
        let variance = (self.squares / self.width).max(0.0);
        let (mut before, mut total, mut most) = (0.0, 0.0, 0.0f64);
        for level in (0..self.height).rev() {
            let size = f64::from(1u32 << level.min(31));
            for bucket in &self.rows[level].buckets[..self.rows[level].used] {
                before += size;
                total += bucket.total;
                let after = self.width - before;
                if before < LEAST || after < LEAST {
                    continue;
                }
                let apart = (total / before - (self.total - total) / after).abs();
                let reciprocal = 1.0 / (before - LEAST + 1.0) + 1.0 / (after - LEAST + 1.0);
                let bound = (2.0 * reciprocal * variance * allowed).sqrt() + 2.0 / 3.0 * allowed * reciprocal;
                most = most.max(apart / bound);
            }
        }
        most
    }
}

/// The buckets that are in use, row by row.
fn rows_kept<S: Serializer>(rows: &[Row; ROWS], to: S) -> Result<S::Ok, S::Error> {
    let height = rows.iter().rposition(|row| row.used > 0).map_or(0, |last| last + 1);
    to.collect_seq(rows[..height].iter().map(|row| &row.buckets[..row.used]))
}

fn rows_read<'de, D: Deserializer<'de>>(from: D) -> Result<Box<[Row; ROWS]>, D::Error> {
    let kept = Vec::<Vec<Bucket>>::deserialize(from)?;
    if kept.len() > ROWS || kept.iter().any(|row| row.len() > BUCKETS) {
        return Err(serde::de::Error::custom("more buckets than there are"));
    }
    let mut rows = Box::new([Row::default(); ROWS]);
    for (row, kept) in rows.iter_mut().zip(kept) {
        kept.into_iter().for_each(|bucket| row.push(bucket));
    }
    Ok(rows)
}

impl Kept for Adwin {
    fn fits(&self, made: &Self) -> bool {
        let buckets = || self.rows.iter().flat_map(|row| &row.buckets[..row.used]);
        let sizes = self.rows.iter().zip(0..).map(|(row, level)| row.used as f64 * f64::from(1u32 << level.min(31)));
        let top = self.rows.iter().rposition(|row| row.used > 0).map_or(1, |last| last + 1);
        self.delta == made.delta
            && self.height == top
            && self.width == sizes.sum::<f64>()
            && buckets().all(|bucket| finite([&bucket.total, &bucket.squares]))
            && finite([&self.total, &self.squares])
            && self.ticks < MOST
    }
}

impl Detector for Adwin {
    fn name(&self) -> &'static str {
        "adwin"
    }

    fn observe(&mut self, value: f64) -> Option<Score> {
        if !value.is_finite() {
            return None;
        }
        self.insert(value);
        self.ticks += 1;
        self.changed = false;
        if !self.ticks.is_multiple_of(CLOCK) || self.width <= GRACE {
            return None;
        }
        let statistic = self.most_unlike();
        while self.width > GRACE && self.most_unlike() > 1.0 {
            self.drop_oldest();
            self.changed = true;
        }
        // The bound is one of a large deviation: its square stands in the exponent.
        let confidence = 1.0 - self.delta.powf(statistic * statistic).min(1.0);
        Some(Score { statistic, confidence, expected: self.mean() })
    }

    fn reset(&mut self) {
        *self = Adwin::new(self.delta);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_histogram_has_width_mean_and_variance_of_its_window(values in prop::collection::vec(-10.0..10.0f64, 1..400)) {
            let mut detector = Adwin::new(1e-9);
            values.iter().for_each(|&value| _ = detector.observe(value));
            let window = &values[values.len() - detector.width() as usize..];
            let mean = window.iter().sum::<f64>() / window.len() as f64;
            let squares: f64 = window.iter().map(|value| (value - mean) * (value - mean)).sum();
            prop_assert!((detector.mean() - mean).abs() < 1e-9);
            prop_assert!((detector.squares - squares).abs() < 1e-6);
        }
    }
}
