//! A straight line through the newest values.

use serde::{Deserialize, Serialize};

use super::Model;
use crate::state::{Kept, is_ring};

/// Least squares over a window.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Linear {
    window: Vec<f64>,
    next: usize,
    length: usize,
}

impl Linear {
    /// Over so many values, at least 3.
    pub fn new(length: usize) -> Linear {
        let length = length.max(3);
        Linear { window: Vec::with_capacity(length), next: 0, length }
    }
}

impl Kept for Linear {
    fn fits(&self, made: &Self) -> bool {
        self.length == made.length && is_ring(&self.window, self.next, self.length)
    }
}

impl Model for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn observe(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        match self.window.get_mut(self.next) {
            Some(place) => *place = value,
            None => self.window.push(value),
        }
        self.next = (self.next + 1) % self.length;
    }

    fn forecast(&self, ahead: usize) -> Option<f64> {
        if self.window.len() < self.length {
            return None;
        }
        let count = self.length as f64;
        let (newer, older) = (&self.window[..self.next], &self.window[self.next..]);
        let middle = (count - 1.0) / 2.0;
        let mean = self.window.iter().sum::<f64>() / count;
        let moment: f64 =
            older.iter().chain(newer).zip(0..).map(|(value, place)| (f64::from(place) - middle) * (value - mean)).sum();
        let slope = moment / (count * (count * count - 1.0) / 12.0);
        Some(mean + slope * (middle + ahead as f64))
    }

    fn reset(&mut self) {
        self.window.clear();
        self.next = 0;
    }
}
